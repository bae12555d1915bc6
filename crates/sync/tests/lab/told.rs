//! Broadcast, watch and rendezvous: what everybody is told, and values from hand to hand, on every schedule of small
//! programs and with a cancellation at every step.

use std::sync::Arc;

use asupersync_sync::{
    WaitError,
    broadcast::{self, RecvError, TryRecvError},
    mpsc::SendError,
    rendezvous, watch,
};
use cx::Cx;
use types::Res;

use crate::{Shared, at_every_step, on_all, on_every, pause};

/// All that a receiver gets, and how many it lost.
async fn rest(cx: &Cx, rx: &mut broadcast::Receiver<u32>) -> (Vec<u32>, u64) {
    let (mut all, mut lost) = (Vec::new(), 0);
    loop {
        match rx.recv(cx).await {
            Ok(value) => all.push(value),
            Err(RecvError::Lagged(n)) => lost += n,
            Err(_) => return (all, lost),
        }
    }
}

#[test]
fn every_receiver_gets_or_loses_every_value_in_order() {
    let found = on_every("broadcast", async |cx| {
        let (tx, mut rx) = broadcast::channel(2);
        let mut other = tx.subscribe();
        let mut slow =
            cx.spawn(async move |cx: &mut Cx| -> Res<(Vec<u32>, u64)> { Ok(rest(cx, &mut other).await) });
        cx.spawn(async move |cx: &mut Cx| {
            for value in 0..3 {
                cx.step().await;
                tx.send(value).unwrap_or_default();
            }
        });
        for (all, lost) in [rest(cx, &mut rx).await, slow.join(cx).await.unwrap()] {
            assert_eq!(all.len() as u64 + lost, 3);
            assert!(all.is_sorted() && all.last() == Some(&2), "{all:?}");
        }
    });
    assert!(found.classes > 3, "{found}");
}

#[test]
fn a_broadcast_receiver_cancelled_at_any_step_goes_on_where_it_was() {
    let steps = at_every_step(|lab, victim| {
        let seen = Arc::new(Shared::<Vec<u32>>::default());
        lab.run(|cx| async {
            let (tx, mut rx) = broadcast::channel(8);
            cx.spawn(async move |cx: &mut Cx| {
                for value in 0..4 {
                    cx.yield_now().await;
                    tx.send(value).unwrap();
                }
            });
            let receiving = &mut rx;
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                let (all, lost) = rest(cx, receiving).await;
                assert_eq!(lost, 0);
                seen.get().extend(all);
            })
            .await;
            let (all, _) = rest(cx, &mut rx).await;
            seen.get().extend(all);
        });
        assert_eq!(*seen.get(), [0, 1, 2, 3]);
    });
    assert!(steps > 10, "{steps}");
}

#[test]
fn a_broadcast_begins_at_its_tail_and_a_value_may_be_owed() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut first) = broadcast::channel(2);
            assert_eq!(tx.send(1), Ok(1));
            let mut second = tx.subscribe();
            let owed = tx.reserve(cx);
            drop(tx);
            assert_eq!(second.try_recv(), Err(TryRecvError::Empty));
            assert!(owed.send(2).is_delivered());
            assert_eq!((first.len(), first.try_recv(), first.try_recv()), (2, Ok(1), Ok(2)));
            assert_eq!((second.try_recv(), second.try_recv()), (Ok(2), Err(TryRecvError::Closed)));
            let (tx, rx) = broadcast::channel(1);
            let owed = tx.reserve(cx);
            drop(rx);
            assert_eq!((tx.send(1), owed.send(2).into_undelivered()), (Err(1), Some(2)));
        });
    });
}

#[test]
fn the_latest_value_is_seen_whatever_comes_between() {
    let found = on_every("watch", async |cx| {
        let (tx, mut rx) = watch::channel(0);
        cx.spawn(async move |cx: &mut Cx| {
            for value in 1..=3 {
                cx.step().await;
                tx.send(value);
            }
        });
        let mut seen = vec![*rx.borrow_and_update()];
        while rx.changed(cx).await.is_ok() {
            seen.push(*rx.borrow());
        }
        assert!(seen.is_sorted() && seen.last() == Some(&3), "{seen:?}");
    });
    assert!(found.classes > 3, "{found}");
}

#[test]
fn a_watcher_cancelled_at_any_step_has_not_missed_the_change() {
    let steps = at_every_step(|lab, victim| {
        lab.run(|cx| async {
            let (tx, mut rx) = watch::channel(0);
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 4).await;
                tx.send(1);
            });
            let watching = &mut rx;
            let seen = cx
                .region(|cx| async {
                    *victim.get() = Some(cx.handle());
                    watching.changed(cx).await.is_ok()
                })
                .await;
            // Seen once: there, or here.
            assert_eq!(rx.changed(cx).await.is_ok(), !seen);
            assert_eq!(*rx.borrow(), 1);
        });
    });
    assert!(steps > 5, "{steps}");
}

#[test]
fn a_condition_on_the_value_is_waited_for_and_silent_changes_wake_nobody() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = watch::channel(0);
            let mut waits = cx.spawn(async move |cx: &mut Cx| -> Res<(u32, bool)> {
                let reached = *rx.wait_for(cx, |level| *level >= 2).await?;
                Ok((reached, matches!(rx.wait_for(cx, |level| *level > 9).await, Err(WaitError::Closed))))
            });
            pause(cx, 20).await;
            assert!(!tx.send_if_modified(|level| {
                *level = 1;
                false
            }));
            assert!(tx.send_if_modified(|level| {
                *level += 1;
                true
            }));
            pause(cx, 20).await;
            let mut late = tx.subscribe();
            assert!(!late.has_changed() && tx.receivers() == 2);
            tx.send(3);
            assert!(late.has_changed() && *late.borrow_and_update() == 3 && !late.has_changed());
            drop(tx);
            assert!(late.is_closed());
            assert_eq!(waits.join(cx).await.unwrap(), (2, true));
        });
    });
}

#[test]
fn a_send_is_over_when_its_value_was_taken() {
    let found = on_every("rendezvous", async |cx| {
        let (tx, mut rx) = rendezvous::channel();
        let taken = Arc::new(sync_shared(0));
        for _ in 0..2 {
            let (tx, taken) = (tx.clone(), taken.clone());
            cx.spawn(async move |cx: &mut Cx| -> Res {
                tx.send(cx, 1).await?;
                assert!(taken.get() >= 1);
                Ok(())
            });
        }
        drop(tx);
        let mut sum = 0;
        loop {
            // Before the value leaves: nobody may go on before it.
            taken.set(sum + 1);
            match rx.recv(cx).await {
                Ok(value) => sum += value,
                Err(_) => break,
            }
        }
        assert_eq!(sum, 2);
    });
    assert!(found.classes >= 2, "{found}");
}

fn sync_shared(value: u32) -> asupersync_sync::shared::Shared<u32> {
    asupersync_sync::shared::Shared::new(value)
}

/// Whether the sender is cancelled before or after the value was taken, both sides agree on it.
#[test]
fn a_cancelled_hand_over_says_whether_the_value_was_taken() {
    let steps = at_every_step(|lab, victim| {
        let token = Arc::new(());
        let value = token.clone();
        lab.run(|cx| async {
            let (tx, mut rx) = rendezvous::channel();
            let mut receiver = cx.spawn(async move |cx: &mut Cx| -> Res<bool> {
                pause(cx, 4).await;
                Ok(rx.recv(cx).await.is_ok())
            });
            let sent = cx
                .region(|cx| async {
                    *victim.get() = Some(cx.handle());
                    let sent = tx.send(cx, value).await;
                    assert!(!matches!(sent, Err(SendError::Closed(_))));
                    sent.is_ok()
                })
                .await;
            drop(tx);
            assert_eq!(receiver.join(cx).await.unwrap(), sent);
        });
        assert_eq!(Arc::strong_count(&token), 1);
    });
    assert!(steps > 5, "{steps}");
}

#[test]
fn a_closed_table_gives_every_offer_back() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = rendezvous::channel();
            let mut sends: Vec<_> = (0..3)
                .map(|value| {
                    let tx = tx.clone();
                    cx.spawn(async move |cx: &mut Cx| -> Res<bool> {
                        Ok(matches!(tx.send(cx, value).await, Err(SendError::Closed(back)) if back == value))
                    })
                })
                .collect();
            pause(cx, 40).await;
            rx.close();
            assert!(tx.is_closed());
            for send in &mut sends {
                assert!(send.join(cx).await.unwrap());
            }
            assert!(rx.try_recv().is_err() && matches!(rx.recv(cx).await, Err(WaitError::Closed)));
        });
    });
}
