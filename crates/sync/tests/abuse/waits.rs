//! Waits that are given up at any poll, or polled when they are over.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
};

use asupersync_sync::{
    WaitError, barrier::Barrier, broadcast, event::Event, latch::Latch, mpsc, mutex::Mutex, notify::Notify,
    once_cell::OnceCell, oneshot, rendezvous, rwlock::RwLock, semaphore::Semaphore, watch,
};
use cx::Cx;
use types::{CancelKind, Res};

use crate::on_all;

/// Polls once, in a poll of the task of its own: in a lab each does one operation.
async fn polled<F: Future>(cx: &Cx, wait: &mut Pin<Box<F>>) -> Poll<F::Output> {
    cx.yield_now().await;
    poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await
}

#[test]
fn a_wait_that_is_dropped_after_any_number_of_polls_has_never_been() {
    on_all(|lab| {
        lab.run(|cx| async {
            let cx = &*cx;
            for polls in 0..4 {
                every_wait!(cx, name, wait => {
                    let mut wait = Box::pin(wait);
                    for _ in 0..polls {
                        assert!(polled(cx, &mut wait).await.is_pending(), "{name} is over too soon");
                    }
                });
            }
        });
    });
}

/// Polls a wait that is over, as no careful caller would: it panics and says why.
async fn refuses_to_be_polled<F: Future>(cx: &Cx, name: &str, wait: &mut Pin<Box<F>>) {
    cx.yield_now().await;
    let again = poll_fn(|context| {
        Poll::Ready(catch_unwind(AssertUnwindSafe(|| wait.as_mut().poll(context).is_ready())))
    });
    let panic = match again.await {
        Ok(ready) => panic!("{name} was polled again, and is ready: {ready}"),
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let says =
        text.is_some_and(|text| text.contains("polled after it was ready") || text.contains("resumed after"));
    assert!(says, "{name}: {text:?}");
}

#[test]
fn a_wait_that_was_refused_panics_when_it_is_polled_again() {
    on_all(|lab| {
        lab.run(|cx| async {
            cx.region(|cx| async {
                let (handle, cx) = (cx.handle(), &*cx);
                every_wait!(cx, name, wait => {
                    let mut wait = Box::pin(wait);
                    // The first of them is asked in its wait; from then on every wait is over at its first poll.
                    let waits = polled(cx, &mut wait).await.is_pending();
                    handle.cancel(CancelKind::Explicit, "enough", None);
                    let heard = !waits || polled(cx, &mut wait).await.is_ready();
                    assert!(heard, "{name} does not hear of the request");
                    refuses_to_be_polled(cx, name, &mut wait).await;
                });
            })
            .await;
        });
    });
}

/// Waits to the end, and polls once more.
async fn once<F: Future>(cx: &Cx, name: &str, wait: F) -> F::Output {
    let mut wait = Box::pin(wait);
    let output = loop {
        if let Poll::Ready(output) = polled(cx, &mut wait).await {
            break output;
        }
    };
    refuses_to_be_polled(cx, name, &mut wait).await;
    output
}

/// What is there already is no way around a request, and no reason to run for ever.
pub(crate) fn ready_waits_proceed_first() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = watch::channel(1);
            let cell = OnceCell::new();
            assert!(cell.set(1).is_ok());
            tx.send(2);
            cx.region(|cx| async {
                cx.handle().cancel(CancelKind::Explicit, "enough", None);
                let refused = rx.wait_for(cx, |_| true).await;
                assert!(matches!(refused, Err(WaitError::Cancelled(_))), "a wait was not refused");
                assert!(rx.has_changed(), "what was refused counts as seen");
                let got: Res<&u32> = cell.get_or_try_init(cx, async |_| -> Res<u32> { Ok(2) }).await;
                assert!(got.is_err_and(|stop| stop.is_cancelled()), "a filled cell was not refused");
            })
            .await;
            assert_eq!(*rx.wait_for(cx, |_| true).await.unwrap(), 2);
        });
    });
}

#[test]
fn what_is_there_already_is_refused_all_the_same_when_a_request_is_effective() {
    ready_waits_proceed_first();
}

/// Whether a task that was spawned before had a turn while another one found what it looks for, again and again.
async fn another_has_a_turn(cx: &mut Cx, again: impl AsyncFn(&mut Cx)) {
    let ran = Arc::new(AtomicBool::new(false));
    let runs = ran.clone();
    cx.spawn(async move |_: &mut Cx| runs.store(true, Relaxed));
    for _ in 0..1000 {
        again(cx).await;
    }
    assert!(ran.load(Relaxed), "nobody else had a turn");
}

#[test]
fn who_always_finds_what_it_looks_for_gives_way_to_others() {
    on_all(|lab| {
        lab.run(async |cx| {
            let (_tx, rx) = watch::channel(1);
            another_has_a_turn(cx, async |cx| {
                assert_eq!(*rx.clone().wait_for(cx, |_| true).await.unwrap(), 1);
            })
            .await;
            let cell = OnceCell::new();
            assert!(cell.set(1).is_ok());
            another_has_a_turn(cx, async |cx| {
                let got: Res<&u32> = cell.get_or_try_init(cx, async |_| -> Res<u32> { Ok(2) }).await;
                assert_eq!(*got.unwrap(), 1);
            })
            .await;
        });
    });
}

/// After each there is one more of what was waited for: a second value, room, a notification.
pub(crate) fn waits_that_are_over_take_nothing() {
    on_all(|lab| {
        lab.run(|cx| async {
            channels(cx).await;
            let cx = &*cx;
            let slots = Arc::new(Semaphore::new(4));
            let one = once(cx, "semaphore acquire", slots.acquire(cx, 1)).await.unwrap();
            let other = once(cx, "semaphore acquire_owned", slots.acquire_owned(cx, 1)).await.unwrap();
            assert_eq!(slots.available(), 2);
            drop((one, other));
            let lock = Arc::new(Mutex::new(0));
            drop(once(cx, "mutex lock", lock.lock(cx)).await.unwrap());
            drop(once(cx, "mutex lock_owned", lock.lock_owned(cx)).await.unwrap());
            assert!(lock.try_lock().is_some());
            let lock = Arc::new(RwLock::new(0));
            drop(once(cx, "rwlock read", lock.read(cx)).await.unwrap());
            drop(once(cx, "rwlock write", lock.write(cx)).await.unwrap());
            drop(once(cx, "rwlock read_owned", lock.read_owned(cx)).await.unwrap());
            let may = once(cx, "rwlock upgradable", lock.upgradable(cx)).await.unwrap();
            drop(once(cx, "rwlock upgrade", may.upgrade(cx)).await.unwrap());
            assert!(lock.try_write().is_some());
            let something = Notify::new();
            something.notify_one();
            let mut enabled = Box::pin(something.notified(cx));
            assert!(enabled.enable());
            once(cx, "notify notified, enabled", enabled).await.unwrap();
            something.notify_one();
            let mut wait = Box::pin(something.notified(cx));
            while polled(cx, &mut wait).await.is_pending() {}
            something.notify_one();
            refuses_to_be_polled(cx, "notify notified", &mut wait).await;
            assert!(something.notified(cx).enable(), "the second notification was taken by the first wait");
            let (event, latch, barrier) = (Event::new(true), Latch::new(0), Barrier::new(1));
            once(cx, "event wait", event.wait(cx)).await.unwrap();
            once(cx, "latch wait", latch.wait(cx)).await.unwrap();
            assert!(once(cx, "barrier wait", barrier.wait(cx)).await.unwrap().is_last());
        });
    });
}

async fn channels(cx: &mut Cx) {
    let cx = &*cx;
    let (tx, mut rx) = mpsc::channel(4);
    let permit = once(cx, "mpsc reserve", tx.reserve(cx)).await.unwrap();
    assert_eq!(tx.available(), 3, "two permits of one wait");
    drop(permit);
    once(cx, "mpsc send", tx.send(cx, 1)).await.unwrap();
    once(cx, "mpsc reserve_many", tx.reserve_many(cx, 2))
        .await
        .unwrap()
        .for_each(|permit| assert!(permit.send(2).into_undelivered().is_none()));
    once(cx, "mpsc send", tx.send(cx, 3)).await.unwrap();
    assert_eq!(once(cx, "mpsc recv", rx.recv(cx)).await.unwrap(), 1);
    assert_eq!(once(cx, "mpsc recv_ack", rx.recv_ack(cx)).await.unwrap().ack(), 2);
    let mut all = Vec::new();
    assert_eq!(once(cx, "mpsc recv_many", rx.recv_many(cx, &mut all, 1)).await.unwrap(), 1);
    assert_eq!((all.len(), rx.try_recv()), (1, Ok(3)), "the last one was taken by an older wait");
    drop(rx);
    once(cx, "mpsc closed", tx.closed(cx)).await.unwrap();
    let (tx, mut rx) = mpsc::unbounded();
    (1..4).for_each(|value| tx.send(value).unwrap());
    assert_eq!(once(cx, "unbounded recv", rx.recv(cx)).await.unwrap(), 1, "a second value was taken");
    assert_eq!(once(cx, "unbounded recv_ack", rx.recv_ack(cx)).await.unwrap().ack(), 2);
    assert_eq!(rx.try_recv(), Ok(3), "the last one was taken by an older wait");
    let (tx, mut rx) = oneshot::channel();
    assert!(tx.send(1).is_ok());
    assert_eq!(once(cx, "oneshot recv", rx.recv(cx)).await.unwrap(), 1);
    let (tx, mut rx) = broadcast::channel(2);
    assert_eq!((tx.send(1), tx.send(2)), (Ok(1), Ok(1)));
    assert_eq!(once(cx, "broadcast recv", rx.recv(cx)).await.unwrap(), 1);
    assert_eq!(rx.try_recv(), Ok(2));
    let (tx, mut rx) = watch::channel(0);
    tx.send(1);
    once(cx, "watch changed", rx.changed(cx)).await.unwrap();
    assert_eq!(*once(cx, "watch wait_for", rx.wait_for(cx, |value| *value == 1)).await.unwrap(), 1);
    let (tx, mut rx) = rendezvous::channel();
    let mut sends = [Box::pin(tx.send(cx, 1)), Box::pin(tx.send(cx, 2))];
    for send in &mut sends {
        for _ in 0..3 {
            assert!(polled(cx, send).await.is_pending());
        }
    }
    assert_eq!(once(cx, "rendezvous recv", rx.recv(cx)).await.unwrap(), 1);
    assert_eq!(rx.try_recv(), Ok(2), "the second offer was taken by an older wait");
    for send in sends {
        once(cx, "rendezvous send", send).await.unwrap();
    }
}

#[test]
fn a_wait_that_had_what_it_waited_for_panics_when_it_is_polled_again_and_takes_nothing() {
    waits_that_are_over_take_nothing();
}

#[cfg(asupersync_seeded)]
mutants::mistakes! {
    a_watched_value_that_is_looked_at_first: "watch.looks-before-proceeding"
        breaks ready_waits_proceed_first, says "a wait was not refused";
    a_filled_cell_that_never_refuses: "once.filled-unasked"
        breaks ready_waits_proceed_first, says "a filled cell was not refused";
    a_wait_that_can_be_had_twice: "wait.polled-again"
        breaks waits_that_are_over_take_nothing, says "was polled again";
    a_receive_that_can_be_had_twice: "mpsc.received-again"
        breaks waits_that_are_over_take_nothing, says "mpsc recv was polled again";
}
