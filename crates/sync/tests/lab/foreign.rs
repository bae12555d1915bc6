//! Waits in the hands of combinators that know nothing of this runtime: they poll with wakers of their own, poll when nobody
//! was woken, and drop what they no longer want.

use std::{sync::Arc, task::Poll};

use asupersync_sync::{
    WaitError, mpsc::channel, mutex::Mutex, notify::Notify, oneshot, semaphore::Semaphore,
};
use cx::Cx;
use futures_util::{FutureExt, StreamExt, select_biased, stream::FuturesUnordered};
use types::{Error, Res, Stop};

use crate::{Done, on_all, pause};

#[test]
fn an_unordered_set_of_waits_is_served_completely() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(2);
            let (lock, slots) = (Mutex::new(0), Semaphore::new(1));
            let cx = &*cx;
            let mut sends = FuturesUnordered::new();
            for value in 0..8 {
                let (tx, lock, slots) = (&tx, &lock, &slots);
                sends.push(async move {
                    let slot = slots.acquire(cx, 1).await?;
                    *lock.lock(cx).await? += 1;
                    drop(slot);
                    tx.send(cx, value).await?;
                    Ok::<_, Stop<Error>>(())
                });
            }
            let sender = async {
                while let Some(sent) = sends.next().await {
                    sent.unwrap();
                }
            };
            let receiver = async {
                let mut received = Vec::new();
                for _ in 0..8 {
                    received.push(rx.recv(cx).await.unwrap());
                }
                received.sort_unstable();
                received
            };
            let ((), received) = futures_util::join!(sender, receiver);
            assert_eq!(received, [0, 1, 2, 3, 4, 5, 6, 7]);
            assert_eq!((*lock.lock(cx).await.unwrap(), slots.available()), (8, 1));
        });
    });
}

/// A receive that is dropped and begun anew with each turn of the loop loses nothing.
#[test]
fn a_select_loop_that_drops_its_waits_loses_nothing() {
    on_all(|lab| {
        let (a, b) = lab.run(|cx| async {
            let ((left, mut lefts), (right, mut rights)) = (channel(1), channel(1));
            for tx in [left, right] {
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    for value in 0..6 {
                        tx.send(cx, value).await?;
                    }
                    Ok(())
                });
            }
            let (mut a, mut b) = (Vec::new(), Vec::new());
            while a.len() < 6 || b.len() < 6 {
                // A closed side would be ready all the time.
                if a.len() == 6 {
                    b.push(rights.recv(cx).await.unwrap());
                } else if b.len() == 6 {
                    a.push(lefts.recv(cx).await.unwrap());
                } else {
                    select_biased! {
                        value = lefts.recv(cx).fuse() => a.push(value.unwrap()),
                        value = rights.recv(cx).fuse() => b.push(value.unwrap()),
                    }
                }
            }
            (a, b)
        });
        assert_eq!((a, b), ((0..6).collect::<Vec<_>>(), (0..6).collect()));
    });
}

/// Waits that got what they wanted, and are dropped before they look: it all goes to others.
#[test]
fn what_was_assigned_to_a_dropped_wait_goes_on() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let (lock, slots, something) = (Mutex::new(()), Semaphore::new(1), Notify::new());
            tx.try_send(0).unwrap();
            let (guard, slot) = (lock.try_lock().unwrap(), slots.try_acquire(cx, 1).unwrap());
            {
                let mut waits = core::pin::pin!((
                    tx.reserve(cx),
                    lock.lock(cx),
                    slots.acquire(cx, 1),
                    something.notified(cx)
                ));
                // The lab lets one operation through for each poll of the task.
                for turn in 0..4 {
                    cx.yield_now().await;
                    core::future::poll_fn(|context| {
                        let waits = &mut *waits;
                        let pending = match turn {
                            0 => waits.0.poll_unpin(context).is_pending(),
                            1 => waits.1.poll_unpin(context).is_pending(),
                            2 => waits.2.poll_unpin(context).is_pending(),
                            _ => waits.3.poll_unpin(context).is_pending(),
                        };
                        assert!(pending);
                        Poll::Ready(())
                    })
                    .await;
                }
                assert_eq!(rx.try_recv(), Ok(0));
                drop((guard, slot));
                something.notify_one();
            }
            tx.reserve(cx).await.unwrap().send(1);
            drop(lock.lock(cx).await.unwrap());
            drop(slots.acquire(cx, 1).await.unwrap());
            something.notified(cx).await.unwrap();
            assert_eq!((rx.try_recv(), slots.available()), (Ok(1), 1));
        });
    });
}

/// A wait that returned its cancellation has given everything up, also while it still exists.
#[test]
fn a_cancelled_wait_holds_nothing_back_before_it_is_dropped() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let (other_tx, mut other_rx) = channel(1);
            other_tx.try_send(0).unwrap();
            let things = Arc::new((Mutex::new(()), Semaphore::new(1), Notify::new()));
            tx.try_send(0).unwrap();
            let (guard, slot) = (things.0.try_lock().unwrap(), things.1.try_acquire(cx, 1).unwrap());
            let (mine, sender, other) = (things.clone(), tx.clone(), other_tx.clone());
            let (tell, mut told) = oneshot::channel();
            let mut task = cx.spawn(async move |cx: &mut Cx| -> Done {
                let cx = &*cx;
                let mut reserve = sender.reserve(cx);
                let mut send = other.send(cx, 1);
                let mut lock = mine.0.lock(cx);
                let mut acquire = mine.1.acquire(cx, 1);
                let mut notified = mine.2.notified(cx);
                let all =
                    futures_util::join!(&mut reserve, &mut send, &mut lock, &mut acquire, &mut notified);
                assert!(
                    all.0.is_err() && all.1.is_err() && all.2.is_err() && all.3.is_err() && all.4.is_err()
                );
                tell.send(()).unwrap();
                // Outlives what others do with what was given up.
                while sender.is_empty() {
                    cx.yield_now().await;
                }
                cx.checkpoint()
            });
            pause(cx, 40).await;
            assert_eq!((rx.try_recv(), other_rx.try_recv()), (Ok(0), Ok(0)));
            drop((guard, slot));
            things.2.notify_one();
            task.cancel("at the same time");
            told.recv(cx).await.unwrap();
            drop(things.0.lock(cx).await.unwrap());
            drop(things.1.acquire(cx, 1).await.unwrap());
            things.2.notified(cx).await.unwrap();
            other_tx.send(cx, 2).await.unwrap();
            tx.reserve(cx).await.unwrap().send(1);
            assert!(task.join(cx).await.is_cancelled());
        });
    });
}

/// `cancel.wakes`: a request reaches waits that were polled through foreign wakers only.
#[test]
fn a_request_reaches_waits_inside_foreign_combinators() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (_silent, mut empty) = channel::<u8>(1);
            let (_owed, mut answer) = oneshot::channel::<u8>();
            let mut task = cx.spawn(async move |cx: &mut Cx| -> Result<usize, types::Never> {
                let (never, lock, slots) = (Notify::new(), Mutex::new(()), Semaphore::new(0));
                let (full, _values) = channel(1);
                let (_nobody, mut idle) = channel::<u8>(1);
                full.try_send(0).unwrap();
                let held = lock.try_lock();
                let cx = &*cx;
                let waits = [
                    empty.recv(cx).map(|r| r.is_err_and(|e| e.is_cancelled())).boxed(),
                    idle.recv_ack(cx).map(|r| r.is_err_and(|e| e.is_cancelled())).boxed(),
                    answer.recv(cx).map(|r| r.is_err_and(|e| e.is_cancelled())).boxed(),
                    full.send(cx, 1).map(|r| r.is_err_and(|e| e.is_cancelled())).boxed(),
                    full.reserve(cx).map(|r| r.is_err_and(|e| e.is_cancelled())).boxed(),
                    slots.acquire(cx, 1).map(|r| r.is_err_and(|e| e.is_cancelled())).boxed(),
                    never.notified(cx).map(|r| r.is_err()).boxed(),
                    lock.lock(cx).map(|r| r.is_err()).boxed(),
                ];
                let mut waits = waits.into_iter().collect::<FuturesUnordered<_>>();
                let mut cancelled = 0;
                while let Some(was_cancelled) = waits.next().await {
                    cancelled += usize::from(was_cancelled);
                }
                drop(waits);
                drop(held);
                Ok(cancelled)
            });
            pause(cx, 100).await;
            task.cancel("enough");
            assert_eq!(task.join(cx).await.unwrap(), 8);
        });
    });
}

/// One wait, polled by one task and then by another: the last waker counts.
#[test]
fn a_wait_may_move_from_task_to_task() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let shared = Arc::new(Mutex::new(()));
            let held = shared.try_lock().unwrap();
            // Polled once by a waker nobody listens to.
            let mut wait = rx.recv(cx);
            let mut lock = shared.lock(cx);
            let mut nobody = core::task::Context::from_waker(core::task::Waker::noop());
            cx.yield_now().await;
            assert!(wait.poll_unpin(&mut nobody).is_pending());
            cx.yield_now().await;
            assert!(lock.poll_unpin(&mut nobody).is_pending());
            let sender = tx.clone();
            let mut sending = cx.spawn(async move |cx: &mut Cx| -> Done {
                pause(cx, 3).await;
                sender.send(cx, 5).await.map_err(|_| ()).unwrap();
                Ok(())
            });
            assert_eq!(wait.await.unwrap(), 5);
            drop(held);
            drop(lock.await.unwrap());
            sending.join(cx).await.unwrap();
            drop(tx);
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));
        });
    });
}
