//! Small programs about channels, locks and permits: who is woken, in which order, and what is given back.
//!
//! Those that yield where others sleep leave the order to the schedule: their mistake may show in some orders only.
//!
//! One for each bug of the table in `seeded.rs`. A program is content with a correct kernel under every schedule.

use std::pin::Pin;
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Waker};

use asupersync_lab::LabRuntime;
use cx::Cx;
use sync::WaitError;
use sync::mpsc;
use sync::mutex::Mutex;
use sync::notify::Notify;
use sync::oneshot;
use sync::semaphore::Semaphore;
use time::TimeExt;
use types::Res;

use super::MS;
use super::boom::assert_clean;

/// A permit is granted to a waiter that is cancelled in the same step: it goes to the next one.
pub(crate) fn a_grant_goes_on_when_its_waiter_is_cancelled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let slots = Arc::new(Semaphore::new(1));
        let held = slots.acquire(cx, 1).await.unwrap();
        let take = |slots: &Arc<Semaphore>| {
            let slots = slots.clone();
            async move |cx: &mut Cx| -> Res<bool> { Ok(slots.acquire(cx, 1).await.is_ok()) }
        };
        let mut first = cx.spawn(take(&slots));
        let mut second = cx.spawn(take(&slots));
        cx.yield_now().await;
        drop(held);
        first.cancel("it is not to have it");
        assert!(!first.join(cx).await.unwrap());
        assert!(second.join(cx).await.unwrap());
        // It is there again.
        drop(slots.acquire(cx, 1).await.unwrap());
    });
    assert_clean(lab);
}

/// A permit comes back once.
pub(crate) fn a_permit_comes_back_once(lab: &LabRuntime) {
    lab.run(|cx| async {
        let slots = Semaphore::new(2);
        drop(slots.acquire(cx, 1).await.unwrap());
        assert_eq!(slots.available(), 2, "a permit came back not once");
    });
    assert_clean(lab);
}

/// Who asked first is served first.
pub(crate) fn waiters_are_served_in_their_order(lab: &LabRuntime) {
    let order = Arc::new(StdMutex::new(Vec::new()));
    let log = order.clone();
    lab.run(|cx| async move {
        let slots = Arc::new(Semaphore::new(1));
        let held = slots.acquire(cx, 1).await.unwrap();
        cx.region(|r| async {
            for n in 0..3 {
                let (slots, log) = (slots.clone(), log.clone());
                r.spawn(async move |cx: &mut Cx| -> Res {
                    let permit = slots.acquire(cx, 1).await?;
                    log.lock().unwrap().push(n);
                    drop(permit);
                    Ok(())
                });
                r.sleep(MS).await.unwrap();
            }
            drop(held);
        })
        .await;
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2], "an unfair queue");
    assert_clean(lab);
}

/// A wait that was polled by somebody else first wakes who polled it last.
pub(crate) fn a_wait_wakes_who_polled_it_last(lab: &LabRuntime) {
    lab.run(|cx| async {
        let slots = Arc::new(Semaphore::new(1));
        let held = slots.try_acquire_owned(cx, 1).unwrap();
        let mut wait = slots.acquire(cx, 1);
        cx.yield_now().await;
        assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let mut holder = cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(MS).await?;
            drop(held);
            Ok(())
        });
        drop(wait.await.unwrap());
        holder.join(cx).await.unwrap();
    });
    assert_clean(lab);
}

/// Who waits for a lock is woken by its unlock.
pub(crate) fn an_unlock_wakes_who_waits(lab: &LabRuntime) {
    lab.run(|cx| async {
        let lock = Arc::new(Mutex::new(()));
        cx.region(|r| async {
            for _ in 0..2 {
                let lock = lock.clone();
                r.spawn(async move |cx: &mut Cx| -> Res {
                    let guard = lock.lock(cx).await?;
                    cx.yield_now().await;
                    drop(guard);
                    Ok(())
                });
            }
        })
        .await;
    });
    assert_clean(lab);
}

/// A waiter that is woken by an unlock and cancelled in the same step passes that wake on.
pub(crate) fn a_wake_goes_on_when_its_waiter_is_cancelled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let lock = Arc::new(Mutex::new(()));
        let guard = lock.try_lock().unwrap();
        let take = |lock: &Arc<Mutex<()>>| {
            let lock = lock.clone();
            async move |cx: &mut Cx| -> Res {
                drop(lock.lock(cx).await?);
                Ok(())
            }
        };
        let mut first = cx.spawn(take(&lock));
        let mut second = cx.spawn(take(&lock));
        // Each begins, and then stands in line.
        cx.yield_now().await;
        cx.yield_now().await;
        drop(guard);
        first.cancel("at the same time");
        assert!(first.join(cx).await.is_cancelled());
        second.join(cx).await.unwrap();
    });
    assert_clean(lab);
}

/// A notification for a waiter that is cancelled in the same step goes to the next one.
pub(crate) fn a_notification_goes_on_when_its_waiter_is_cancelled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let something = Arc::new(Notify::new());
        let wait = |something: &Arc<Notify>| {
            let something = something.clone();
            async move |cx: &mut Cx| -> Res { Ok(something.notified(cx).await?) }
        };
        let mut first = cx.spawn(wait(&something));
        let mut second = cx.spawn(wait(&something));
        cx.yield_now().await;
        something.notify_one();
        first.cancel("at the same time");
        assert!(first.join(cx).await.is_cancelled());
        second.join(cx).await.unwrap();
    });
    assert_clean(lab);
}

/// A notification that comes before anybody waits is kept for the next one.
pub(crate) fn a_notification_that_comes_early_is_kept(lab: &LabRuntime) {
    lab.run(|cx| async {
        let something = Arc::new(Notify::new());
        let notifier = something.clone();
        let mut early = cx.spawn(async move |_: &mut Cx| notifier.notify_one());
        early.join(cx).await.unwrap();
        something.notified(cx).await.unwrap();
    });
    assert_clean(lab);
}

/// Room for a sender that is cancelled in the same step goes to the next one.
pub(crate) fn room_goes_on_when_its_sender_is_cancelled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        tx.try_send(0).unwrap();
        let send = |tx: &mpsc::Sender<u8>, value| {
            let tx = tx.clone();
            async move |cx: &mut Cx| -> Res {
                tx.reserve(cx).await?.send(value);
                Ok(())
            }
        };
        let mut first = cx.spawn(send(&tx, 1));
        let mut second = cx.spawn(send(&tx, 2));
        cx.yield_now().await;
        assert_eq!(rx.try_recv(), Ok(0));
        first.cancel("too late");
        assert!(first.join(cx).await.is_cancelled());
        second.join(cx).await.unwrap();
        assert_eq!(rx.try_recv(), Ok(2));
    });
    assert_clean(lab);
}

/// Room that is given up goes to the sender that waits.
pub(crate) fn room_that_is_given_up_goes_to_who_waits(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        let held = tx.reserve(cx).await.unwrap();
        let other = tx.clone();
        let mut other = cx.spawn(async move |cx: &mut Cx| -> Res {
            other.reserve(cx).await?.send(1);
            Ok(())
        });
        cx.yield_now().await;
        held.abort();
        other.join(cx).await.unwrap();
        assert_eq!(rx.try_recv(), Ok(1));
    });
    assert_clean(lab);
}

/// Room that is given up with nobody waiting is there again.
pub(crate) fn room_that_is_given_up_is_there_again(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (tx, _rx) = mpsc::channel::<u8>(1);
        tx.reserve(cx).await.unwrap().abort();
        assert_eq!(tx.try_send(1), Ok(()), "room was lost with its permit");
    });
    assert_clean(lab);
}

/// Who waits for an answer hears that nobody will give one.
pub(crate) fn a_sender_that_goes_away_ends_the_wait(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (answer, mut answered) = oneshot::channel::<u8>();
        let mut holder = cx.spawn(async move |_: &mut Cx| -> Res {
            drop(answer);
            Ok(())
        });
        assert!(matches!(answered.recv(cx).await, Err(WaitError::Closed)));
        holder.join(cx).await.unwrap();
    });
    assert_clean(lab);
}
