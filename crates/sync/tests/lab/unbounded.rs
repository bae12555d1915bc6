//! Channels without a bound, and what the bounded one can do in numbers: values, places and ends through cancellation at
//! every step, on every schedule of small programs.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};

use asupersync_sync::{
    TryRecvError, WaitError,
    mpsc::{self, channel, unbounded},
};
use cx::Cx;
use types::{Res, Stream};

use crate::{Shared, at_every_step, on_all, on_every, pause};

#[test]
fn every_order_of_two_senders_is_received_whole() {
    let found = on_every("unbounded", async |cx| {
        let (tx, mut rx) = unbounded();
        for sender in 0..2 {
            let tx = tx.clone();
            cx.spawn(async move |cx: &mut Cx| {
                for value in 0..2 {
                    cx.step().await;
                    tx.send((sender, value)).unwrap();
                }
            });
        }
        drop(tx);
        let mut received = Vec::new();
        while let Ok(value) = rx.recv(cx).await {
            received.push(value);
        }
        for sender in 0..2 {
            let values: Vec<_> = received.iter().filter(|(of, _)| *of == sender).map(|(_, v)| *v).collect();
            assert_eq!(values, [0, 1]);
        }
    });
    // Two in two: six orders at least.
    assert!(found.classes >= 6, "{found}");
}

/// The receiver is cancelled at each step in turn; the next one finds what it left.
#[test]
fn a_receiver_cancelled_at_any_step_leaves_what_it_did_not_take() {
    let steps = at_every_step(|lab, victim| {
        let (token, taken) = (Arc::new(()), Arc::new(Shared::<Vec<u32>>::default()));
        lab.run(|cx| async {
            let (tx, mut receiver) = unbounded();
            let shares = token.clone();
            cx.spawn(async move |cx: &mut Cx| {
                for value in 0..4 {
                    cx.yield_now().await;
                    tx.send((value, shares.clone())).unwrap();
                }
            });
            let seen = taken.clone();
            let receiving = &mut receiver;
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                while let Ok((value, _)) = receiving.recv(cx).await {
                    seen.get().push(value);
                }
            })
            .await;
            while let Ok((value, _)) = receiver.recv(cx).await {
                taken.get().push(value);
            }
        });
        assert_eq!(*taken.get(), [0, 1, 2, 3]);
        assert_eq!(Arc::strong_count(&token), 1);
    });
    assert!(steps > 10, "{steps}");
}

#[test]
fn a_crowd_is_taken_at_once_and_in_order() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = unbounded();
            let (bounded, mut few) = channel(8);
            for value in 0..5 {
                tx.send(value).unwrap();
                bounded.try_send(value).unwrap();
            }
            let mut all = vec![9];
            assert_eq!(rx.recv_many(cx, &mut all, 3).await.unwrap(), 3);
            assert_eq!(rx.recv_many(cx, &mut all, 3).await.unwrap(), 2);
            assert_eq!((all.as_slice(), tx.len()), (&[9, 0, 1, 2, 3, 4][..], 0));
            all.clear();
            assert_eq!(few.recv_many(cx, &mut all, 4).await.unwrap(), 4);
            assert_eq!((all.as_slice(), few.len()), (&[0, 1, 2, 3][..], 1));
            drop((tx, bounded));
            assert!(matches!(rx.recv_many(cx, &mut all, 1).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn a_place_outlives_a_close_and_a_region_waits_for_it() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = unbounded();
            let sender = tx.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let permit = sender.reserve(cx)?.into_owned();
                pause(cx, 10).await;
                assert!(permit.send(1).is_delivered());
                Ok(())
            });
            pause(cx, 60).await;
            rx.close();
            assert!(tx.is_closed() && tx.send(2) == Err(2) && tx.reserve(cx).is_err());
            assert_eq!(rx.recv(cx).await.unwrap(), 1);
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn a_value_sent_to_nobody_comes_back() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, rx) = unbounded();
            let permit = tx.reserve(cx).unwrap();
            drop(rx);
            assert_eq!(permit.send(1).into_undelivered(), Some(1));
            assert_eq!(tx.send(2), Err(2));
        });
    });
}

#[test]
fn a_weak_sender_does_not_keep_a_channel_from_ending() {
    let found = on_every("weak", async |cx| {
        let (tx, mut rx) = unbounded::<u8>();
        let (bounded, mut few) = channel::<u8>(1);
        let (weak, weaker) = (tx.downgrade(), bounded.downgrade());
        let mut other = cx.spawn(async move |cx: &mut Cx| -> Res<(bool, bool)> {
            cx.step().await;
            let one = weak.upgrade().is_some_and(|tx| tx.send(1).is_ok());
            cx.step().await;
            Ok((one, weaker.upgrade().is_some_and(|tx| tx.try_send(1).is_ok())))
        });
        // The first step is the one that spawns.
        cx.step().await;
        cx.step().await;
        drop(tx);
        cx.step().await;
        drop(bounded);
        let received = (rx.recv(cx).await.is_ok(), few.recv(cx).await.is_ok());
        assert_eq!(other.join(cx).await.unwrap(), received);
    });
    // Either channel may be raised in time or not.
    assert_eq!(found.classes, 4, "{found}");
}

#[test]
fn channels_are_streams_that_end() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = unbounded();
            let (bounded, mut few) = channel(3);
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for value in 0..3 {
                    tx.send(value).unwrap();
                    bounded.send(cx, value).await?;
                }
                Ok(())
            });
            let mut sum = 0;
            let mut values = rx.stream(cx);
            while let Some(value) = core::future::poll_fn(|c| Pin::new(&mut values).poll_next(c)).await {
                sum += value.unwrap();
            }
            let mut values = few.stream(cx);
            while let Some(value) = core::future::poll_fn(|c| Pin::new(&mut values).poll_next(c)).await {
                sum += value.unwrap();
            }
            assert_eq!(sum, 6);
        });
    });
}

#[test]
fn room_for_several_is_taken_together_and_used_one_by_one() {
    let found = on_every("reserve_many", async |cx| {
        let (tx, mut rx) = channel(2);
        for sender in [10, 20] {
            let tx = tx.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let permits = tx.reserve_many(cx, 2).await?;
                assert_eq!(permits.len(), 2);
                for (n, permit) in permits.enumerate() {
                    permit.send(sender + n);
                }
                Ok(())
            });
        }
        drop(tx);
        let mut all = Vec::new();
        while let Ok(value) = rx.recv(cx).await {
            all.push(value);
        }
        // Two places for two at a time: nobody came between.
        assert!(all == [10, 11, 20, 21] || all == [20, 21, 10, 11], "{all:?}");
    });
    assert!(found.classes >= 2, "{found}");
}

/// Who waits for much room is cancelled at each step in turn: no room is lost, and who wants little goes on.
#[test]
fn much_room_that_is_not_wanted_any_more_goes_to_others() {
    let steps = at_every_step(|lab, victim| {
        let mut received = lab.run(|cx| async {
            let (tx, mut rx) = channel(3);
            tx.try_send(0).unwrap();
            let (big, small) = (tx.clone(), tx.clone());
            let mut done = cx.spawn(async move |cx: &mut Cx| -> Res {
                pause(cx, 3).await;
                small.send(cx, 100).await?;
                Ok(())
            });
            let mut waits = cx.spawn(async move |cx: &mut Cx| -> Res {
                cx.region(|cx| async {
                    *victim.get() = Some(cx.handle());
                    if let Ok(mut permits) = big.reserve_many(cx, 3).await {
                        pause(cx, 2).await;
                        permits.next().map(|permit| permit.send(1));
                        // The other two are given up.
                    }
                })
                .await;
                Ok(())
            });
            pause(cx, 8).await;
            let mut received = vec![rx.recv(cx).await.unwrap()];
            while !received.contains(&100) {
                received.push(rx.recv(cx).await.unwrap());
            }
            done.join(cx).await.unwrap();
            waits.join(cx).await.unwrap();
            while let Ok(value) = rx.try_recv() {
                received.push(value);
            }
            assert_eq!(tx.reserve_many(cx, 3).await.unwrap().len(), 3, "all room is there again");
            received
        });
        received.sort();
        assert!(received == [0, 100] || received == [0, 1, 100], "{received:?}");
    });
    assert!(steps > 10, "{steps}");
}

#[test]
fn room_for_none_or_for_more_than_there_is_is_refused() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel::<u8>(2);
            for count in [0, 3, usize::MAX] {
                let asks = AssertUnwindSafe(|| drop(tx.reserve_many(cx, count)));
                assert!(catch_unwind(asks).is_err());
            }
            let asks = AssertUnwindSafe(|| drop(rx.recv_many(cx, &mut Vec::new(), 0)));
            assert!(catch_unwind(asks).is_err());
        });
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test is about threads")]
fn threads_outside_wait_by_sleeping() {
    let (tx, mut rx) = channel(1);
    let (free, mut results) = mpsc::unbounded();
    std::thread::scope(|scope| {
        scope.spawn(move || (0..100).for_each(|value| tx.blocking_send(value).unwrap()));
        scope.spawn(move || {
            while let Ok(value) = rx.blocking_recv() {
                free.send(value).unwrap();
            }
        });
        for value in 0..100 {
            assert_eq!(results.blocking_recv(), Ok(value));
        }
        assert!(results.blocking_recv().is_err());
    });
}

#[test]
fn a_task_that_would_block_its_thread_is_stopped() {
    on_all(|lab| {
        lab.run(|_cx| async {
            let (tx, mut rx) = channel(1);
            let mut blocks = [
                catch_unwind(AssertUnwindSafe(|| tx.blocking_send(1))).map(drop).unwrap_err(),
                catch_unwind(AssertUnwindSafe(|| rx.blocking_recv())).map(drop).unwrap_err(),
            ];
            for (panic, name) in blocks.iter_mut().zip(["blocking_send", "blocking_recv"]) {
                let text = panic.downcast_ref::<String>().unwrap();
                assert!(text.contains(name) && text.contains("inside a task"), "{text}");
            }
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        });
    });
}
