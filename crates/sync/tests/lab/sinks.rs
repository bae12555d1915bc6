//! Senders as sinks of `futures-sink`: what they hold, what they lose under cancellation (nothing), and what comes back.
//!
//! Not here: streams and executors of others (`foreign`).
#![cfg(feature = "futures")]

use asupersync_sync::{
    TryRecvError, WaitError,
    mpsc::{channel, unbounded},
    rendezvous,
};
use cx::Cx;
use futures_util::{SinkExt, stream};
use lab::{CancelSweep, LabConfig};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use crate::{Done, on_all, pause};

#[test]
fn a_sender_is_a_sink_that_waits_for_room() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(2);
            let mut sending = cx.spawn(async move |cx: &mut Cx| -> Done {
                let mut values = stream::iter((0..6).map(Ok));
                tx.sink(cx).send_all(&mut values).await.unwrap();
                Ok(())
            });
            for value in 0..6 {
                pause(cx, 2).await;
                assert_eq!(rx.recv(cx).await.unwrap(), value);
            }
            sending.join(cx).await.unwrap();
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn a_sink_that_is_cancelled_holds_no_room_and_has_lost_nothing() {
    let swept = CancelSweep::new(LabConfig::default()).run("sink", None, async |cx: &mut Cx| {
        let (tx, mut rx) = channel(1);
        let (fed, mut received) = (Arc::new(AtomicUsize::new(0)), 0);
        let count = fed.clone();
        cx.region(|scope| async {
            scope.spawn(async move |cx: &mut Cx| {
                let mut sink = tx.sink(cx);
                for value in 0..3 {
                    match sink.feed(value).await {
                        Ok(()) => drop(count.fetch_add(1, SeqCst)),
                        Err(error) => return assert!(error.is_cancelled()),
                    }
                }
            });
            while received < 3 && rx.recv(scope).await.is_ok_and(|value| value == received) {
                received += 1;
            }
        })
        .await;
        while rx.try_recv().is_ok_and(|value| value == received) {
            received += 1;
        }
        assert_eq!(received, fed.load(SeqCst));
    });
    assert!(swept.complete && swept.acknowledged > 0, "{swept}");
}

/// As senders of unbounded channels: they don't wait for room, and see requests all the same.
#[test]
fn a_sender_that_never_waits_is_a_sink_that_sees_requests() {
    let swept = CancelSweep::new(LabConfig::default()).run("unbounded sink", None, async |cx: &mut Cx| {
        let (tx, mut rx) = unbounded();
        let fed = Arc::new(AtomicUsize::new(0));
        let count = fed.clone();
        cx.region(|scope| async {
            scope.spawn(async move |cx: &mut Cx| {
                let mut sink = tx.sink(cx);
                for value in 0..3 {
                    match sink.feed(value).await {
                        Ok(()) => drop(count.fetch_add(1, SeqCst)),
                        Err(error) => return assert!(error.is_cancelled()),
                    }
                }
            });
        })
        .await;
        let received = std::iter::from_fn(|| rx.try_recv().ok()).collect::<Vec<usize>>();
        assert_eq!(received, (0..fed.load(SeqCst)).collect::<Vec<_>>());
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    });
    assert!(swept.complete && swept.acknowledged > 0, "{swept}");
}

/// A place that a sink of an unbounded channel holds is owed, and goes with the sink or its close.
#[test]
fn a_place_that_a_sink_holds_is_given_up_with_it() {
    on_all(|lab| {
        lab.run(|cx| async {
            let mut context = core::task::Context::from_waker(core::task::Waker::noop());
            for close in [false, true] {
                let (tx, mut rx) = unbounded::<u32>();
                let mut sink = tx.sink(cx);
                while sink.poll_ready_unpin(&mut context).is_pending() {
                    cx.yield_now().await;
                }
                rx.close();
                assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "one is owed");
                if close {
                    sink.close().await.unwrap();
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
                }
                assert!(close || sink.start_send_unpin(1).is_ok());
                assert!(matches!(sink.feed(2).await, Err(WaitError::Closed)));
                assert_eq!(rx.try_recv().ok(), (!close).then_some(1));
            }
            let (tx, mut rx) = unbounded();
            let mut sink = tx.sink(cx);
            while sink.poll_ready_unpin(&mut context).is_pending() {
                cx.yield_now().await;
            }
            assert!(rx.try_recv().is_err());
            drop(rx);
            assert!(matches!(sink.start_send_unpin(3), Err(WaitError::Closed)));
            assert_eq!(sink.take_undelivered(), Some(3));
        });
    });
}

/// From hand to hand, with a cancellation at each checkpoint: an item was taken or comes back, and they come in order.
#[test]
fn a_sink_of_a_rendezvous_is_one_item_ahead_at_most_and_loses_none() {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("hands", None, async |cx: &mut Cx| {
        let (tx, mut rx) = rendezvous::channel();
        let (back, mut received) = (Arc::new(AtomicUsize::new(usize::MAX)), Vec::new());
        let returned = back.clone();
        let fed = Arc::new(AtomicUsize::new(0));
        let count = fed.clone();
        cx.region(|scope| async {
            scope.spawn(async move |cx: &mut Cx| {
                let mut sink = tx.sink(cx);
                for value in 0..3 {
                    // What was fed before was taken, or is in here.
                    let sent = match value {
                        1 => sink.feed(value).await,
                        _ => sink.send(value).await,
                    };
                    count.fetch_add(1, SeqCst);
                    if let Err(error) = sent {
                        assert!(error.is_cancelled() || tx.is_closed());
                        break;
                    }
                }
                if let Some(item) = sink.take_undelivered() {
                    returned.store(item, SeqCst);
                }
            });
            while received.len() < 3
                && let Ok(value) = rx.recv(scope).await
            {
                received.push(value);
            }
            rx.close();
        })
        .await;
        let (fed, back) = (fed.load(SeqCst), back.load(SeqCst));
        assert!(received.iter().copied().eq(0..received.len()), "{received:?}");
        assert!(received.len() <= fed && fed <= received.len() + 2);
        assert!(
            back == usize::MAX || back >= received.len(),
            "{back} was received and came back: {received:?}"
        );
        assert_eq!(rx.offers(), 0);
    });
    assert!(swept.complete && swept.acknowledged > 4, "{swept}");
}

#[test]
fn a_sink_of_a_rendezvous_withdraws_what_was_not_taken() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = rendezvous::channel();
            let token = Arc::new(());
            let mut context = core::task::Context::from_waker(core::task::Waker::noop());
            let mut sink = tx.sink(cx);
            sink.feed(token.clone()).await.unwrap();
            assert_eq!(rx.offers(), 0, "it's in the sink's hand");
            while rx.offers() == 0 {
                assert!(sink.poll_flush_unpin(&mut context).is_pending());
                cx.yield_now().await;
            }
            drop(sink);
            assert_eq!((rx.offers(), Arc::strong_count(&token)), (0, 1));
            let mut sink = tx.sink(cx);
            sink.feed(token.clone()).await.unwrap();
            rx.close();
            assert!(matches!(sink.close().await, Err(WaitError::Closed)));
            assert!(sink.take_undelivered().is_some() && sink.take_undelivered().is_none());
            assert!(matches!(sink.feed(token.clone()).await, Err(WaitError::Closed)));
            assert_eq!(Arc::strong_count(&token), 1);
        });
    });
}

#[test]
fn what_a_receiver_that_left_did_not_take_comes_back() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let mut sink = tx.sink(cx);
            sink.feed(1).await.unwrap();
            assert!(sink.take_undelivered().is_none());
            assert_eq!(rx.try_recv(), Ok(1));
            // Room, and then nobody.
            let mut context = core::task::Context::from_waker(core::task::Waker::noop());
            while sink.poll_ready_unpin(&mut context).is_pending() {
                cx.yield_now().await;
            }
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            drop(rx);
            assert!(matches!(sink.start_send_unpin(2), Err(WaitError::Closed)));
            assert_eq!(sink.take_undelivered(), Some(2));
            assert!(matches!(sink.feed(3).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn room_that_a_sink_holds_is_given_up_with_it() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, _rx) = channel::<u32>(1);
            let mut context = core::task::Context::from_waker(core::task::Waker::noop());
            for close in [false, true] {
                let mut sink = tx.sink(cx);
                while sink.poll_ready_unpin(&mut context).is_pending() {
                    cx.yield_now().await;
                }
                assert!(tx.try_reserve(cx).is_err(), "it is the sink's");
                if close {
                    sink.close().await.unwrap();
                    assert!(tx.try_reserve(cx).is_ok());
                }
                drop(sink);
                assert!(tx.try_reserve(cx).is_ok());
            }
        });
    });
}
