//! Requests and replies: whoever leaves, and whenever, both sides agree on what became of the request.

use std::sync::Arc;

use asupersync_sync::session::{self, AskError};
use cx::Cx;
use types::Res;

use crate::{Shared, at_every_step, on_all, on_every, pause};

#[test]
fn every_client_gets_the_reply_to_its_own_request() {
    let found = on_every("session", async |cx| {
        let (client, mut server) = session::pair::<u32, u32>();
        for request in 1..3 {
            let client = client.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                assert_eq!(client.ask(cx, request).await.unwrap(), 10 * request);
                Ok(())
            });
        }
        drop(client);
        let mut served = 0;
        while let Ok((request, reply)) = server.next(cx).await {
            assert!(reply.is_wanted() && reply.send(10 * request).is_delivered());
            served += 1;
        }
        assert_eq!(served, 2);
    });
    assert!(found.classes >= 2, "{found}");
}

/// Client or server is cancelled at each step in turn. The request is the client's again exactly if it was not taken, and
/// a reply that was delivered is received.
#[test]
fn a_peer_that_leaves_at_any_step_is_an_outcome_on_which_both_agree() {
    for client_leaves in [true, false] {
        let steps = at_every_step(|lab, victim| {
            let token = Arc::new(());
            let seen = Arc::new(Shared::<(bool, bool)>::default());
            lab.run(|cx| async {
                let (client, mut server) = session::pair::<Arc<()>, u8>();
                let (seen, serves) = (seen.clone(), victim.clone());
                let tells = seen.clone();
                let mut serving = cx.spawn(async move |cx: &mut Cx| -> Res {
                    cx.region(|cx| async {
                        if !client_leaves {
                            *serves.get() = Some(cx.handle());
                        }
                        pause(cx, 2).await;
                        if let Ok((_request, reply)) = server.next(cx).await {
                            tells.get().0 = true;
                            pause(cx, 2).await;
                            if cx.checkpoint().is_ok() {
                                tells.get().1 = reply.send(1).is_delivered();
                            }
                        }
                    })
                    .await;
                    Ok(())
                });
                let request = token.clone();
                let asked = cx
                    .region(|cx| async {
                        if client_leaves {
                            *victim.get() = Some(cx.handle());
                        }
                        client.ask(cx, request).await
                    })
                    .await;
                drop(client);
                serving.join(cx).await.unwrap();
                let (taken, delivered) = *seen.get();
                match asked {
                    Ok(reply) => assert!(reply == 1 && taken && delivered),
                    Err(AskError::NotTaken(_)) => assert!(!taken && !client_leaves),
                    Err(AskError::Withdrawn(..)) => assert!(!taken && client_leaves),
                    Err(AskError::Left) => assert!(taken && !delivered && !client_leaves),
                    // The cancellation was effective before the reply, which may have been on its way all the same.
                    Err(AskError::Cancelled(_)) => assert!(taken && client_leaves),
                }
            });
            assert_eq!(Arc::strong_count(&token), 1);
        });
        assert!(steps > 8, "{steps}");
    }
}

#[test]
fn a_reply_that_is_given_up_or_not_wanted_is_told() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (client, mut server) = session::pair::<u8, u8>();
            let asks = client.clone();
            let mut asking = cx.spawn(async move |cx: &mut Cx| -> Res<bool> {
                Ok(matches!(asks.ask(cx, 1).await, Err(AskError::Left)))
            });
            drop(server.next(cx).await.unwrap());
            assert!(asking.join(cx).await.unwrap());
            let asks = client.clone();
            let mut asking = cx.spawn(async move |cx: &mut Cx| -> Res {
                drop(asks.ask(cx, 2).await);
                Ok(())
            });
            let (request, reply) = server.next(cx).await.unwrap();
            asking.cancel("it leaves");
            let _ = asking.join(cx).await;
            assert!(!reply.is_wanted());
            assert_eq!((request, reply.send(3).into_undelivered()), (2, Some(3)));
            server.close();
            assert!(client.is_closed() && matches!(client.ask(cx, 4).await, Err(AskError::NotTaken(4))));
        });
    });
}
