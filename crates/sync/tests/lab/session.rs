//! Requests and replies: whoever leaves, and whenever, both sides agree on what became of the request.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
    task::Poll,
};

use asupersync_sync::{
    TryRecvError,
    mpsc::TrySendError,
    session::{self, AskError},
};
use cx::Cx;
use lab::{LabConfig, LabRuntime};
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
                    // A reply of which the server was told that it was delivered is there.
                    Err(AskError::Cancelled(_)) => assert!(taken && !delivered && client_leaves),
                    Err(AskError::Replied(reply, _)) => {
                        assert!(reply == 1 && taken && delivered && client_leaves);
                    }
                }
            });
            assert_eq!(Arc::strong_count(&token), 1);
        });
        assert!(steps > 8, "{steps}");
    }
}

/// The server replies and asks the client's task to end before that is polled again.
#[test]
fn a_reply_that_came_before_the_cancellation_was_seen_is_not_lost() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (client, mut server) = session::pair::<u8, u8>();
            let mut asking = cx.spawn(async move |cx: &mut Cx| -> Res<Option<u8>> {
                Ok(match client.ask(cx, 1).await {
                    Ok(reply) | Err(AskError::Replied(reply, _)) => Some(reply),
                    Err(_) => None,
                })
            });
            let (_, reply) = server.next(cx).await.unwrap();
            pause(cx, 4).await;
            let sent = reply.send(7);
            asking.cancel("the reply is there");
            let had = asking.join(cx).await.unwrap();
            assert_eq!((sent.into_undelivered(), had), (None, Some(7)));
        });
    });
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

/// A request that was taken without a wait, or by a thread, is replied to as any other; by a thread it is nobody's obligation
/// until a task takes it over.
#[test]
fn a_request_may_be_taken_without_a_wait_and_by_a_thread() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (client, mut server) = session::pair::<u8, u8>();
            assert!(matches!(server.try_next(cx), Err(TryRecvError::Empty)));
            let mut asking = cx.spawn(async move |cx: &mut Cx| {
                assert_eq!(client.ask(cx, 1).await.unwrap(), 10);
                assert_eq!(client.ask(cx, 2).await.unwrap(), 20);
            });
            while server.waiting() == 0 {
                cx.yield_now().await;
            }
            let (request, reply) = server.try_next(cx).unwrap();
            assert!(reply.send(10 * request).is_delivered());
            while server.waiting() == 0 {
                cx.yield_now().await;
            }
            let taken: Res<_> = cx.run_blocking(move |_| (server.blocking_next(), server)).await;
            let (taken, mut server) = taken.unwrap();
            let (request, mut reply) = taken.unwrap();
            reply.rehome(cx).unwrap();
            assert!(reply.send(10 * request).is_delivered());
            asking.join(cx).await.unwrap();
            assert!(matches!(server.try_next(cx), Err(TryRecvError::Closed)));
        });
    });
}

/// Two clients that don't wait, and a server that serves once: who is let in gets the reply, the other gets the request back, also
/// once the server has left.
#[test]
fn who_asks_without_a_wait_is_let_in_or_has_the_request_back() {
    let ends = Shared::<BTreeSet<(bool, bool)>>::default();
    let found = on_every("try_ask", async |cx| {
        let (client, mut server) = session::pair::<u8, u8>();
        let mut asking = [1, 2].map(|request| {
            let client = client.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res<bool> {
                cx.step().await;
                match client.try_ask(request) {
                    Ok(mut reply) => assert_eq!(reply.recv(cx).await.unwrap(), 10 * request),
                    Err(TrySendError::Full(back) | TrySendError::Closed(back)) => {
                        assert_eq!(back, request);
                        return Ok(false);
                    }
                }
                Ok(true)
            })
        });
        let mut serving = cx.spawn(async move |cx: &mut Cx| {
            if let Ok((request, reply)) = server.next(cx).await {
                assert!(reply.send(10 * request).is_delivered());
            }
        });
        let mut let_in = [false; 2];
        for (asking, let_in) in asking.iter_mut().zip(&mut let_in) {
            *let_in = asking.join(cx).await.unwrap();
        }
        serving.cancel("nobody asks any more");
        ends.get().insert(let_in.into());
        let _ = serving.join(cx).await;
        assert!(matches!(client.try_ask(3), Err(TrySendError::Closed(3))));
    });
    // Both are refused if they come before the server waits; never are both let in.
    assert_eq!(*ends.get(), BTreeSet::from([(false, false), (false, true), (true, false)]), "{found}");
}

/// A request that is in the hand of a server is the next wait's, or gone with the server; its client knows.
#[test]
fn a_request_in_the_hand_of_a_server_that_gives_up_is_the_next_ones() {
    on_all(|lab| {
        lab.run(|cx| async {
            for leaves in [false, true] {
                let (client, mut server) = session::pair::<Arc<()>, u8>();
                let token = Arc::new(());
                // A task's first operation gives way.
                cx.yield_now().await;
                let mut reply = {
                    let mut waiting = Box::pin(server.next(cx));
                    let polled = core::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context)));
                    assert!(polled.await.is_pending());
                    client.try_ask(token.clone()).expect("it waits")
                };
                if leaves {
                    drop(server);
                    assert_eq!(reply.try_recv(), Err(TryRecvError::Closed));
                } else {
                    let (_request, owed) = server.try_next(cx).unwrap();
                    assert!(owed.send(1).is_delivered());
                    assert_eq!(reply.try_recv(), Ok(1));
                }
                assert_eq!(Arc::strong_count(&token), 1);
            }
        });
    });
}

#[test]
fn a_forgotten_reply_of_a_thread_is_reported_once_a_task_took_it_over() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let (client, mut server) = session::pair::<u8, u8>();
        let mut asking = cx.spawn(async move |cx: &mut Cx| drop(client.ask(cx, 1).await));
        while server.waiting() == 0 {
            cx.yield_now().await;
        }
        let taken: Res<_> = cx.run_blocking(move |_| server.blocking_next()).await;
        let (_, mut reply) = taken.unwrap().unwrap();
        reply.rehome(cx).unwrap();
        asking.cancel("it leaves");
        let _ = asking.join(cx).await;
        std::mem::forget(reply);
    });
    let leak = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(leak.contains("session.rs"), "{leak}");
}

/// What a client was told of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Reply(u32),
    /// The request came back.
    Back,
    /// The server had it.
    Left,
    Cancelled,
    /// The client went away in the middle.
    Dropped,
}

/// What a server did with a request that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    Delivered,
    Undelivered,
    GivenUp,
}

/// By the requests' numbers.
#[derive(Default)]
struct Accounts {
    asked: BTreeMap<u32, End>,
    served: BTreeMap<u32, Served>,
}

/// A request, and something that shows how many of it there are.
type Request = (u32, Arc<()>);

async fn ask_at_random(cx: &mut Cx, client: &session::Client<Request, u32>, id: u32, token: Arc<()>) -> End {
    let polls = cx.random_below(12);
    let mut asking = Box::pin(client.ask(cx, (id, token)));
    let asked = if polls < 6 {
        // Polled a few times and dropped, wherever it is then.
        let mut left = polls;
        let some = core::future::poll_fn(|context| match asking.as_mut().poll(context) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(asked) => Poll::Ready(Some(asked)),
        });
        match some.await {
            Some(asked) => asked,
            None => return End::Dropped,
        }
    } else {
        asking.await
    };
    match asked {
        Ok(reply) | Err(AskError::Replied(reply, _)) => End::Reply(reply),
        Err(AskError::NotTaken((its, _)) | AskError::Withdrawn((its, _), _)) => {
            assert_eq!(its, id, "somebody else's request came back");
            End::Back
        }
        Err(AskError::Left) => End::Left,
        Err(AskError::Cancelled(_)) => End::Cancelled,
    }
}

async fn serve_at_random(
    cx: &mut Cx,
    mut server: session::Server<Request, u32>,
    accounts: &Shared<Accounts>,
) {
    for _ in 0..cx.random_below(16) {
        let Ok(((id, token), reply)) = server.next(cx).await else { return };
        pause(cx, cx.random_below(4)).await;
        let served = if cx.random_below(4) == 0 {
            drop(reply);
            Served::GivenUp
        } else if reply.send(10 * id).is_delivered() {
            Served::Delivered
        } else {
            Served::Undelivered
        };
        assert_eq!(accounts.get().served.insert(id, served), None, "a request was taken twice");
        drop(token);
    }
    if cx.random_below(2) == 0 {
        server.close();
        pause(cx, 3).await;
    }
}

/// Clients that ask, give up, are cancelled; a server that replies, refuses, is cancelled, leaves: all of it at random. What each
/// client was told is what became of its request.
#[test]
fn whatever_clients_and_server_do_at_random_they_agree_on_every_request() {
    let kinds = Shared::<BTreeSet<String>>::default();
    on_all(|lab| {
        let (token, accounts) = (Arc::new(()), Arc::new(Shared::<Accounts>::default()));
        lab.run(|cx| async {
            let (client, server) = session::pair::<Request, u32>();
            let mut tasks = Vec::new();
            for first in [0, 100, 200] {
                let (client, accounts, token) = (client.clone(), accounts.clone(), token.clone());
                tasks.push(cx.spawn(async move |cx: &mut Cx| {
                    for id in first..first + 5 {
                        let end = ask_at_random(cx, &client, id, token.clone()).await;
                        accounts.get().asked.insert(id, end);
                    }
                }));
            }
            drop(client);
            let serves = accounts.clone();
            tasks.push(cx.spawn(async move |cx: &mut Cx| serve_at_random(cx, server, &serves).await));
            pause(cx, cx.random_below(40)).await;
            let victim = cx.random_below(8) as usize;
            if let Some(task) = tasks.get(victim) {
                task.cancel("it leaves");
            }
            for mut task in tasks {
                task.join(cx).await.unwrap();
            }
        });
        let accounts = accounts.get();
        for (id, end) in &accounts.asked {
            let served = accounts.served.get(id);
            kinds.get().insert(format!("{end:?} {served:?}").replace(char::is_numeric, ""));
            match end {
                End::Reply(reply) => assert_eq!((*reply, served), (10 * id, Some(&Served::Delivered))),
                End::Back => assert_eq!(served, None, "{id} came back and was served"),
                // A server that is asked to end may drop what it has taken without a word.
                End::Left | End::Cancelled => assert_ne!(served, Some(&Served::Delivered), "{id}"),
                End::Dropped => {}
            }
        }
        assert!(accounts.served.keys().all(|id| accounts.asked.contains_key(id)));
        assert_eq!(Arc::strong_count(&token), 1, "a request is left somewhere");
    });
    let kinds = kinds.get();
    assert!(kinds.len() >= 9, "too few of what may happen did: {kinds:?}");
}
