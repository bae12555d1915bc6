//! `mem::forget` on everything: guards, permits, acknowledgements, and waits in the middle of their line.

use std::{future::poll_fn, mem::forget, sync::Arc, task::Poll};

use asupersync_sync::{
    TryRecvError, broadcast, mpsc,
    mutex::{Guard, Mutex},
    oneshot,
    rwlock::{ReadGuard, RwLock, UpgradableGuard, WriteGuard},
    semaphore::Semaphore,
    session,
};
use cx::Cx;

use crate::{left_behind, on_all};

/// What is held by a forgotten guard is held for ever; nobody else is touched, and the lock can be dropped.
#[test]
fn a_forgotten_guard_keeps_its_hold_and_nothing_else() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(Mutex::new((0, 0)));
            forget(lock.lock(cx).await.unwrap());
            assert!(lock.try_lock().is_none() && lock.is_locked());
            let lock = Mutex::new((0, 0));
            forget(Guard::map(lock.lock(cx).await.unwrap(), |pair| &mut pair.0));
            assert!(lock.try_lock().is_none());

            let lock = RwLock::new((0, 0));
            forget(lock.read(cx).await.unwrap());
            forget(ReadGuard::map(lock.read(cx).await.unwrap(), |pair| &pair.1));
            assert!(lock.try_read().is_some() && lock.try_write().is_none());
            forget(lock.upgradable(cx).await.unwrap());
            assert!(lock.try_read().is_some() && lock.try_upgradable().is_none());
            let lock = RwLock::new((0, 0));
            forget(WriteGuard::downgrade(lock.write(cx).await.unwrap()));
            assert!(lock.try_read().is_some() && lock.try_write().is_none());
            let lock = RwLock::new((0, 0));
            forget(WriteGuard::map(lock.write(cx).await.unwrap(), |pair| &mut pair.1));
            assert!(lock.try_read().is_none());
            let lock = RwLock::new((0, 0));
            forget(UpgradableGuard::settle_for_reading(lock.upgradable(cx).await.unwrap()));
            assert!(lock.try_upgradable().is_some() && lock.try_write().is_none());
        });
    });
}

/// Waiters behind a forgotten guard wait; they can be cancelled and dropped as ever.
#[test]
fn whoever_waits_behind_a_forgotten_guard_can_give_up() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(Mutex::new(0));
            forget(lock.lock(cx).await.unwrap());
            let waits = lock.clone();
            let mut waiter = cx.spawn(async move |cx: &mut Cx| waits.lock(cx).await.map(drop));
            for _ in 0..20 {
                cx.yield_now().await;
            }
            waiter.cancel("it has waited long enough");
            assert!(waiter.join(cx).await.is_cancelled());
        });
    });
}

/// What was forgotten at this line of this file was reported.
#[track_caller]
fn reported(said: String, line: u32) {
    let place = format!("{}:{line}", file!());
    assert!(said.contains(&place), "`{place}` is not in: {said}");
}

/// Each obligation that is forgotten is reported with its line when its region settles; what it stood for stays as it was.
#[test]
fn a_forgotten_obligation_of_an_mpsc_is_reported_with_its_line() {
    let mut line = 0;
    let said = left_behind(async |cx| {
        let (tx, _rx) = mpsc::channel::<u8>(2);
        line = line!() + 1;
        forget(tx.reserve(cx).await.unwrap());
        assert_eq!((tx.available(), tx.try_send(1), tx.try_send(2).is_err()), (1, Ok(()), true));
    });
    reported(said, line);
    let said = left_behind(async |cx| {
        let (tx, _rx) = mpsc::channel::<u8>(2);
        line = line!() + 1;
        forget(tx.reserve_many(cx, 2).await.unwrap());
        assert_eq!(tx.available(), 0);
    });
    reported(said, line);
    let said = left_behind(async |cx| {
        let (tx, mut rx) = mpsc::unbounded();
        line = line!() + 1;
        forget(tx.reserve(cx).unwrap());
        // After a close the end would come; but a value is owed, so it doesn't.
        rx.close();
        assert_eq!(rx.try_recv(), Err::<u8, _>(TryRecvError::Empty));
    });
    reported(said, line);
    let said = left_behind(async |cx| {
        let (tx, mut rx) = mpsc::unbounded();
        tx.send(1).unwrap();
        line = line!() + 1;
        forget(rx.recv_ack(cx).await.unwrap());
        assert_eq!(rx.try_recv(), Ok(1), "it was not received");
    });
    reported(said, line);
}

#[test]
fn a_forgotten_obligation_of_another_primitive_is_reported_with_its_line() {
    let mut line = 0;
    let said = left_behind(async |cx| {
        let (tx, mut rx) = broadcast::channel::<u8>(1);
        line = line!() + 1;
        forget(tx.reserve(cx));
        drop(tx);
        assert_eq!(rx.try_recv(), Err(broadcast::TryRecvError::Empty), "it keeps the channel open");
    });
    reported(said, line);
    let said = left_behind(async |cx| {
        let (tx, mut rx) = oneshot::channel::<u8>();
        line = line!() + 1;
        forget(tx.reserve(cx));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
    reported(said, line);
    let said = left_behind(async |cx| {
        let slots = Arc::new(Semaphore::new(3));
        line = line!() + 1;
        forget(slots.acquire_owned(cx, 2).await.unwrap());
        assert_eq!(slots.available(), 1);
    });
    reported(said, line);
    let said = left_behind(async |cx| {
        let (client, mut server) = session::pair::<u8, u8>();
        let asks = cx.spawn(async move |cx: &mut Cx| {
            assert!(client.ask(cx, 1).await.is_err());
        });
        line = line!() + 1;
        let (request, reply) = server.next(cx).await.unwrap();
        forget(reply);
        assert_eq!(request, 1);
        // Nobody will ever reply: the client has to be told otherwise.
        asks.cancel("no reply will come");
    });
    reported(said, line);
}

/// A wait that is forgotten stands in its line for ever: what it is given is lost with it, and who stands behind it waits.
/// Dropping the primitive frees the place; nothing dangles.
#[test]
fn a_forgotten_wait_keeps_its_place() {
    on_all(|lab| {
        lab.run(|cx| async {
            let cx = &*cx;
            let slots = Semaphore::new(0);
            let mut forgotten = Box::pin(slots.acquire(cx, 1));
            cx.yield_now().await;
            poll_fn(|context| {
                assert!(forgotten.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            forget(forgotten);
            slots.add(1);
            assert!(slots.try_acquire(cx, 1).is_err(), "it was given to the one who was forgotten");
            slots.add(1);
            assert!(slots.try_acquire(cx, 1).is_ok(), "nobody else is held up any more");

            let lock = Mutex::new(0);
            let held = lock.try_lock();
            let mut forgotten = Box::pin(lock.lock(cx));
            cx.yield_now().await;
            poll_fn(|context| {
                assert!(forgotten.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            forget(forgotten);
            drop(held);
            // A free lock may be taken by whoever runs, so it takes some time until it's handed to the forgotten one.
            let mut taken = 0;
            while lock.try_lock().is_some() {
                taken += 1;
            }
            assert_eq!(taken, asupersync_sync::mutex::lock_word::PATIENCE);
        });
    });
}
