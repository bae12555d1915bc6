//! Senders that wait until nobody receives, on every schedule of small programs and with a cancellation at every step.

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
};

use asupersync_sync::{TryRecvError, broadcast, mpsc, oneshot, rendezvous, watch};
use cx::Cx;
use lab::{Grain, Search};
use types::Res;

use crate::{Done, Shared, at_every_step, on_all, on_every, pause};

/// A program for each channel: the sender waits, and the receiver looks once and leaves as `$leave` says.
macro_rules! leaves {
    ($($name:ident: $make:expr, |$rx:ident| $leave:expr;)+) => {$(
        #[test]
        fn $name() {
            let found = on_every(stringify!($name), async |cx| {
                #[allow(unused_mut, reason = "only the oneshot's sender is borrowed mutably")]
                let (mut tx, mut $rx) = $make;
                let mut waits = cx.spawn(async move |cx: &mut Cx| -> Res<bool> {
                    tx.closed(cx).await?;
                    Ok(tx.is_closed())
                });
                cx.spawn(async move |cx: &mut Cx| {
                    assert!($rx.try_recv().is_err());
                    cx.step().await;
                    $leave;
                });
                assert!(waits.join(cx).await.unwrap(), "it's closed when it says so");
            });
            assert!(found.classes > 1, "{found}");
        }
    )+};
}

leaves! {
    a_bounded_receiver_that_is_dropped: mpsc::channel::<u8>(1), |rx| drop(rx);
    a_bounded_receiver_that_closes: mpsc::channel::<u8>(1), |rx| rx.close();
    an_unbounded_receiver_that_is_dropped: mpsc::unbounded::<u8>(), |rx| drop(rx);
    an_unbounded_receiver_that_closes: mpsc::unbounded::<u8>(), |rx| rx.close();
    a_receiver_of_an_answer_that_is_dropped: oneshot::channel::<u8>(), |rx| drop(rx);
    a_receiver_of_an_answer_that_closes: oneshot::channel::<u8>(), |rx| rx.close();
    a_receiver_of_a_rendezvous_that_is_dropped: rendezvous::channel::<u8>(), |rx| drop(rx);
    a_receiver_of_a_rendezvous_that_closes: rendezvous::channel::<u8>(), |rx| rx.close();
}

/// Work whose result is wanted no more is stopped: a request is withdrawn while it's worked on.
#[test]
fn who_answers_stops_when_nobody_wants_the_answer() {
    // The waits themselves have one order; what they do inside has several.
    let found = Search::every().grain(Grain::Poll).run("withdrawn", None, async |cx: &mut Cx| {
        let (answer, mut answered) = oneshot::channel::<u8>();
        let mut works = cx.spawn(async move |cx: &mut Cx| -> Res<bool> {
            let mut answer = answer.reserve(cx);
            answer.closed(cx).await?;
            Ok(!answer.send(1).is_delivered())
        });
        let asks =
            cx.spawn(async move |cx: &mut Cx| -> Done { answered.recv(cx).await.map(drop).or(Ok(())) });
        cx.step().await;
        asks.cancel("not needed");
        assert!(works.join(cx).await.unwrap());
    });
    assert!(found.complete && found.classes > 1, "{found}");
}

/// All receivers have to leave, and one that comes later counts.
#[test]
fn everybody_has_to_leave_and_one_who_comes_later_receives() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, rx) = broadcast::channel::<u8>(1);
            let (now, watches) = watch::channel(0);
            let others = (rx.clone(), watches.clone());
            let left = Arc::new(AtomicU32::new(2));
            for (receiver, watcher) in [(rx, watches), others] {
                let left = left.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    pause(cx, 3).await;
                    left.fetch_sub(1, Relaxed);
                    drop((receiver, watcher));
                });
            }
            tx.closed(cx).await.unwrap();
            now.closed(cx).await.unwrap();
            assert_eq!((left.load(Relaxed), tx.receivers(), now.is_closed()), (0, 0, true));
            let (late, later) = (tx.subscribe(), now.subscribe());
            let mut waits = cx.spawn(async move |cx: &mut Cx| -> Done {
                tx.closed(cx).await?;
                now.closed(cx).await
            });
            pause(cx, 40).await;
            assert!(!waits.is_finished());
            drop(late);
            pause(cx, 40).await;
            assert!(!waits.is_finished());
            drop(later);
            waits.join(cx).await.unwrap();
        });
    });
}

/// Cancelled at each step in turn: nothing of the wait is left, and the next one is told.
#[test]
fn a_wait_for_the_close_that_is_cancelled_leaves_nothing_behind() {
    let steps = at_every_step(|lab, victim| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel(1);
            let (mut answer, answered) = oneshot::channel::<u8>();
            let (free, values) = mpsc::unbounded::<u8>();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                pause(cx, 6).await;
                assert_eq!(rx.recv(cx).await?, 1);
                pause(cx, 6).await;
                drop((answered, values));
                pause(cx, 6).await;
                drop(rx);
                Ok(())
            });
            // Values go their way beside it.
            tx.try_send(1).unwrap();
            let one = &mut answer;
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                let _ = one.closed(cx).await;
                let _ = free.closed(cx).await;
                let _ = tx.closed(cx).await;
            })
            .await;
            answer.closed(cx).await.unwrap();
            free.closed(cx).await.unwrap();
            tx.closed(cx).await.unwrap();
            assert_eq!((answer.send(1), free.send(1), tx.is_closed()), (Err(1), Err(1), true));
        });
    });
    assert!(steps > 10, "{steps}");
}

struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn values_wake_nobody_who_waits_for_the_close() {
    on_all(|lab| {
        lab.run(|cx| async {
            let count = Arc::new(Count(AtomicU32::new(0)));
            let waker = Waker::from(count.clone());
            let context = &mut Context::from_waker(&waker);
            // A task's first operation gives way, by the waker that it is polled with.
            cx.yield_now().await;
            let (tx, mut rx) = mpsc::channel(1);
            let (now, mut watches) = watch::channel(0);
            let (all, mut every) = broadcast::channel(1);
            {
                let mut closed = (pin!(tx.closed(cx)), pin!(now.closed(cx)), pin!(all.closed(cx)));
                assert!(closed.0.as_mut().poll(context).is_pending());
                assert!(closed.1.as_mut().poll(context).is_pending());
                assert!(closed.2.as_mut().poll(context).is_pending());
                for value in 1..4 {
                    tx.try_send(value).unwrap();
                    now.send(value);
                    all.send(value).unwrap();
                    assert_eq!((rx.try_recv(), every.try_recv()), (Ok(value), Ok(value)));
                    watches.changed(cx).await.unwrap();
                }
                assert_eq!(count.0.load(Relaxed), 0);
                drop((rx, watches, every));
                assert_eq!(count.0.load(Relaxed), 3);
                closed.0.await.unwrap();
                closed.1.await.unwrap();
                closed.2.await.unwrap();
            }
        });
    });
}

/// On every schedule: either somebody was made of the weak sender in time, and what he sends is received, or it had ended.
#[test]
fn a_weak_sender_of_a_watch_or_a_rendezvous_is_in_time_or_not() {
    let ends = Shared::<BTreeSet<(bool, bool)>>::default();
    on_every("weak", async |cx| {
        let (tx, mut rx) = watch::channel(0);
        let (hands, mut takes) = rendezvous::channel::<u8>();
        let (weak, weaker) = (tx.downgrade(), hands.downgrade());
        let mut other = cx.spawn(async move |cx: &mut Cx| -> Res<(bool, bool)> {
            cx.step().await;
            let one = weak.upgrade().inspect(|tx| tx.send(1)).is_some();
            cx.step().await;
            let Some(hands) = weaker.upgrade() else { return Ok((one, false)) };
            hands.send(cx, 1).await.expect("a receiver that has seen no end takes it");
            Ok((one, true))
        });
        // The first step is the one that spawns.
        cx.step().await;
        cx.step().await;
        drop(tx);
        cx.step().await;
        drop(hands);
        let seen = (rx.changed(cx).await.is_ok(), takes.recv(cx).await.is_ok());
        assert_eq!(other.join(cx).await.unwrap(), seen);
        ends.get().insert(seen);
    });
    // Either is made in time or not.
    assert_eq!(ends.get().len(), 4);
}

#[test]
fn a_weak_sender_of_a_watch_or_a_rendezvous_keeps_nothing_alive() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = watch::channel(0);
            let weak = tx.downgrade();
            let same = weak.clone().upgrade().expect("one is left");
            assert!(same.same_channel(&tx));
            drop(tx);
            same.send(1);
            assert!(!rx.is_closed() && rx.has_changed());
            drop(same);
            assert!(rx.is_closed() && weak.upgrade().is_none());
            // What was sent before the end is seen, and then the end.
            assert!(rx.changed(cx).await.is_ok() && rx.changed(cx).await.is_err());
            let (tx, mut rx) = rendezvous::channel::<u8>();
            let weak = tx.downgrade();
            let same = weak.clone().upgrade().expect("one is left");
            assert!(same.same_channel(&tx) && !same.same_channel(&rendezvous::channel().0));
            drop(tx);
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            drop(same);
            assert!(weak.upgrade().is_none() && rx.recv(cx).await.is_err());
        });
    });
}

#[test]
fn a_weak_sender_of_a_broadcast_keeps_nothing_alive() {
    on_all(|lab| {
        lab.run(|_cx| async {
            let (tx, mut rx) = broadcast::channel(2);
            let weak = tx.downgrade();
            let same = weak.clone().upgrade().expect("one is left");
            assert!(same.same_channel(&tx) && !same.same_channel(&broadcast::channel(2).0));
            assert!(rx.same_channel(&rx.clone()) && !rx.same_channel(&broadcast::channel(2).1));
            drop(tx);
            assert_eq!((same.send(1), rx.is_closed()), (Ok(1), false));
            drop(same);
            assert!(rx.is_closed() && weak.upgrade().is_none());
            assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Err(broadcast::TryRecvError::Closed)));
            let (tx, rx) = watch::channel(0);
            let (other, foreign) = watch::channel(0);
            assert!(tx.same_channel(&tx.clone()) && !tx.same_channel(&other));
            assert!(rx.same_channel(&rx.clone()) && !rx.same_channel(&foreign));
        });
    });
}
