//! The waits know when they are over, and `select!` of the futures crate goes by it.
#![cfg(feature = "futures")]

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use asupersync_sync::{
    Barrier, Event, Latch, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, rendezvous, session,
    watch,
};
use cx::Cx;
use futures_util::{future::FusedFuture, select};
use types::{CancelKind, Cancelled};

use crate::{on_all, pause};

/// Over once it was ready and not before: also when it was refused.
async fn over_once<T>(mut wait: impl FusedFuture<Output = T> + Unpin) -> T {
    assert!(!wait.is_terminated());
    let end = (&mut wait).await;
    assert!(wait.is_terminated());
    end
}

/// The same where the wait is refused: `cx` stands in a region that was cancelled.
async fn refused<T, E: Into<Refused> + Debug>(wait: impl FusedFuture<Output = Result<T, E>> + Unpin) {
    assert!(over_once(wait).await.err().is_some_and(|error| error.into().0));
}

struct Refused(bool);

impl From<Cancelled> for Refused {
    fn from(_: Cancelled) -> Self {
        Self(true)
    }
}

impl From<asupersync_sync::WaitError> for Refused {
    fn from(error: asupersync_sync::WaitError) -> Self {
        Self(error.is_cancelled())
    }
}

impl<T> From<mpsc::SendError<T>> for Refused {
    fn from(error: mpsc::SendError<T>) -> Self {
        Self(error.is_cancelled())
    }
}

impl From<broadcast::RecvError> for Refused {
    fn from(error: broadcast::RecvError) -> Self {
        Self(matches!(error, broadcast::RecvError::Cancelled(_)))
    }
}

#[test]
fn waits_of_channels_say_when_they_are_over() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel(2);
            over_once(tx.send(cx, 1)).await.unwrap();
            assert_eq!(over_once(rx.recv(cx)).await.unwrap(), 1);
            over_once(tx.reserve(cx)).await.unwrap().send(2);
            assert_eq!(over_once(rx.recv_ack(cx)).await.unwrap().ack(), 2);
            drop(over_once(tx.reserve_many(cx, 2)).await.unwrap());
            rx.close();
            over_once(tx.closed(cx)).await.unwrap();
            let (tx, mut rx) = mpsc::unbounded();
            tx.send(1).unwrap();
            over_once(rx.recv_ack(cx)).await.unwrap().nack();
            assert_eq!(over_once(rx.recv(cx)).await.unwrap(), 1);
            drop(tx);
            assert!(over_once(rx.recv(cx)).await.is_err());
            let (tx, mut rx) = oneshot::channel();
            tx.send(1).unwrap();
            assert_eq!(over_once(rx.recv(cx)).await.unwrap(), 1);
            let (mut tx, rx) = oneshot::channel::<u8>();
            drop(rx);
            over_once(tx.closed(cx)).await.unwrap();
            let (tx, mut rx) = broadcast::channel(1);
            tx.send(1).unwrap();
            assert_eq!(over_once(rx.recv(cx)).await.unwrap(), 1);
            let (tx, mut rx) = watch::channel(0);
            tx.send(1);
            over_once(rx.changed(cx)).await.unwrap();
            let (hands, mut takes) = rendezvous::channel();
            let (client, mut server) = session::pair();
            cx.spawn(async move |cx: &mut Cx| {
                hands.send(cx, 1).await.unwrap();
                client.ask(cx, 1).await.unwrap();
            });
            assert_eq!(over_once(takes.recv(cx)).await.unwrap(), 1);
            over_once(server.next(cx)).await.unwrap().1.send(1);
        });
    });
}

#[test]
fn waits_for_locks_and_signals_say_when_they_are_over() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (mutex, lock) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(0)));
            drop(over_once(mutex.lock(cx)).await.unwrap());
            drop(over_once(mutex.lock_owned(cx)).await.unwrap());
            drop(over_once(lock.read(cx)).await.unwrap());
            drop(over_once(lock.write_owned(cx)).await.unwrap());
            let may = over_once(lock.upgradable(cx)).await.unwrap();
            drop(over_once(may.upgrade(cx)).await.unwrap());
            let slots = Arc::new(Semaphore::new(1));
            drop(over_once(slots.acquire(cx, 1)).await.unwrap());
            drop(over_once(slots.acquire_owned(cx, 1)).await.unwrap());
            let something = Notify::new();
            something.notify_one();
            over_once(something.notified(cx)).await.unwrap();
            over_once(Event::new(true).wait(cx)).await.unwrap();
            over_once(Latch::new(0).wait(cx)).await.unwrap();
            over_once(Barrier::new(1).wait(cx)).await.unwrap();
        });
    });
}

#[test]
fn waits_that_are_refused_are_over_too() {
    on_all(|lab| {
        lab.run(|cx| async {
            cx.region(|cx| async {
                cx.handle().cancel(CancelKind::Explicit, "all are refused", None);
                let (tx, mut rx) = mpsc::channel(1);
                refused(tx.send(cx, 1)).await;
                refused(rx.recv(cx)).await;
                let (_free, mut values) = mpsc::unbounded::<u8>();
                refused(values.recv(cx)).await;
                refused(values.recv_ack(cx)).await;
                let (_all, mut every) = broadcast::channel::<u8>(1);
                refused(every.recv(cx)).await;
                let (_now, mut latest) = watch::channel(0);
                refused(latest.changed(cx)).await;
                let (lock, slots) = (RwLock::new(0), Semaphore::new(1));
                refused(Mutex::new(0).lock(cx)).await;
                refused(lock.read(cx)).await;
                refused(lock.write(cx)).await;
                refused(slots.acquire(cx, 1)).await;
                refused(Notify::new().notified(cx)).await;
                refused(Event::new(true).wait(cx)).await;
                refused(Latch::new(0).wait(cx)).await;
                refused(Barrier::new(1).wait(cx)).await;
            })
            .await;
        });
    });
}

/// Their `select!` in a loop, without `fuse`: each wait is taken once, and `complete` comes when all are over.
#[test]
fn their_select_takes_waits_as_they_are() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::unbounded();
            let (lock, event) = (Arc::new(RwLock::new(0)), Arc::new(Event::new(false)));
            let held = lock.clone().read_owned(cx).await.unwrap();
            let set = event.clone();
            let ended = Arc::new(AtomicUsize::new(0));
            let counts = ended.clone();
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 2).await;
                tx.send(7).unwrap();
                pause(cx, 2).await;
                drop(held);
                pause(cx, 2).await;
                set.set();
            });
            let (mut value, mut write, mut wait) = (rx.recv(cx), lock.write(cx), event.wait(cx));
            loop {
                select! {
                    value = value => assert_eq!(value.unwrap(), 7),
                    guard = write => *guard.unwrap() += 1,
                    set = wait => set.unwrap(),
                    complete => break,
                }
                counts.fetch_add(1, SeqCst);
            }
            assert_eq!(ended.load(SeqCst), 3);
        });
    });
}
