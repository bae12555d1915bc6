//! The forms that every channel has beside its plain one: received in two phases, as a stream, by a thread outside, and
//! what it says of its room.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use asupersync_sync::{
    Closed, TryRecvError, WaitError, broadcast,
    mpsc::{TryReserveError, channel, unbounded},
    mutex::Mutex,
    oneshot, rendezvous,
    rwlock::RwLock,
    semaphore::Semaphore,
    session::{self, AskError},
    watch,
};
use cx::Cx;
use types::{FusedStream, Res, Stream};

use crate::{Shared, at_every_step, on_all, on_every, pause};

/// All that a stream yields until its end.
async fn all<S: Stream + Unpin>(mut stream: S) -> Vec<S::Item> {
    let mut all = Vec::new();
    while let Some(item) = core::future::poll_fn(|c| Pin::new(&mut stream).poll_next(c)).await {
        all.push(item);
    }
    all
}

#[test]
fn a_value_of_an_unbounded_channel_that_is_refused_is_the_next_one_again() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = unbounded();
            for value in 1..=3 {
                tx.send(value).unwrap();
            }
            let first = rx.recv_ack(cx).await.unwrap();
            assert_eq!((*first, tx.len()), (1, 3));
            first.nack();
            drop(rx.recv_ack(cx).await.unwrap());
            assert_eq!(rx.recv_ack(cx).await.unwrap().ack(), 1);
            assert_eq!((rx.recv(cx).await.unwrap(), rx.len()), (2, 1));
            drop(tx);
            assert_eq!(rx.recv_ack(cx).await.unwrap().ack(), 3);
            assert!(matches!(rx.recv_ack(cx).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn two_senders_are_acknowledged_in_every_order_there_is() {
    let found = on_every("recv_ack", async |cx| {
        let (tx, mut rx) = unbounded();
        for sender in 0..2 {
            let tx = tx.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                tx.send(sender).unwrap();
            });
        }
        drop(tx);
        let mut taken = Vec::new();
        let mut refused = None;
        loop {
            match rx.recv_ack(cx).await {
                Ok(value) if refused.is_none() => refused = Some(*value),
                Ok(value) => taken.push(value.ack()),
                Err(_) => break,
            }
        }
        assert_eq!(refused, taken.first().copied(), "what was refused came first again");
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
    });
    assert!(found.classes >= 2, "{found}");
}

/// Whoever works on a value is cancelled at each step in turn; what it had not acknowledged is done again.
#[test]
fn a_value_that_was_not_acknowledged_is_received_again_wherever_its_receiver_was_cancelled() {
    let steps = at_every_step(|lab, victim| {
        let (token, done) = (Arc::new(()), Arc::new(Shared::<Vec<u32>>::default()));
        lab.run(|cx| async {
            let (tx, mut rx) = unbounded();
            for value in 0..3 {
                tx.send((value, token.clone())).unwrap();
            }
            drop(tx);
            let receiving = &mut rx;
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                while let Ok(job) = receiving.recv_ack(cx).await {
                    pause(cx, 2).await;
                    if cx.checkpoint().is_ok() {
                        done.get().push(job.ack().0);
                    }
                }
            })
            .await;
            while let Ok(job) = rx.recv_ack(cx).await {
                done.get().push(job.ack().0);
            }
        });
        assert_eq!(*done.get(), [0, 1, 2]);
        assert_eq!(Arc::strong_count(&token), 1);
    });
    assert!(steps > 5, "{steps}");
}

#[test]
fn every_receiver_is_a_stream_that_ends_with_its_senders() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = broadcast::channel(2);
            for value in 0..3 {
                tx.send(value).unwrap();
            }
            drop(tx);
            let values: Vec<_> =
                all(rx.stream(cx)).await.into_iter().map(|item| item.map_err(|e| e.to_string())).collect();
            assert_eq!(values, [Err("1 values were lost".into()), Ok(1), Ok(2)]);

            let (tx, mut rx) = watch::channel(1);
            rx.mark_unseen();
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 30).await;
                tx.send(2);
            });
            let values: Vec<_> = all(rx.stream(cx)).await.into_iter().map(|value| *value.unwrap()).collect();
            // The first value may have been replaced before it was looked at.
            assert!(values == [1, 2] || values == [2], "{values:?}");
            assert!(rx.is_closed());

            let (tx, mut rx) = rendezvous::channel();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for value in 0..3 {
                    tx.send(cx, value).await?;
                }
                Ok(())
            });
            let values: Vec<_> = all(rx.stream(cx)).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(values, [0, 1, 2]);

            let (tx, mut rx) = oneshot::channel();
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 3).await;
                tx.send(7).unwrap();
            });
            let values: Vec<_> = all(rx.stream(cx)).await.into_iter().map(Result::unwrap).collect();
            assert_eq!((values, all(rx).await), (vec![7], vec![]));
            let (tx, rx) = oneshot::channel();
            tx.send(8).unwrap();
            assert_eq!(all(rx).await, [8]);
            let (tx, mut rx) = oneshot::channel::<u8>();
            drop(tx);
            assert!(all(rx.stream(cx)).await.is_empty() && all(rx).await.is_empty());
        });
    });
}

/// A stream that owns its receiver goes to another task, and may be dropped while it waits.
#[test]
fn every_receiver_becomes_a_stream_of_its_own() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (values, value) = unbounded();
            let (news, new) = broadcast::channel(2);
            let (present, seen) = watch::channel(0);
            let (hands, hand) = rendezvous::channel();
            news.send(0).unwrap();
            let mut receiving = cx.spawn(async move |_: &mut Cx| {
                assert_eq!(all(value.into_stream()).await, [1, 2]);
                let new: Vec<_> = all(new.into_stream())
                    .await
                    .into_iter()
                    .map(|item| item.map_err(|e| e.to_string()))
                    .collect();
                assert_eq!(new, [Err("1 values were lost".into()), Ok(1), Ok(2)]);
                let mut seen = seen.into_stream();
                let last = all(&mut seen).await.last().map(|value| **value);
                assert!(last == Some(2) && seen.is_terminated() && all(seen).await.is_empty());
                assert_eq!(all(hand.into_stream()).await, [1, 2]);
            });
            for value in 1..3 {
                cx.yield_now().await;
                values.send(value).unwrap();
                news.send(value).unwrap();
                present.send(value);
            }
            drop((values, news, present));
            for value in 1..3 {
                hands.send(cx, value).await.unwrap();
            }
            drop(hands);
            receiving.join(cx).await.unwrap();
        });
    });
}

/// Whatever comes first, what was handed over without a wait is received, and the rest came back.
#[test]
fn a_rendezvous_that_is_tried_hands_over_or_gives_back() {
    let sent = Arc::new(Shared::<(usize, usize)>::default());
    let found = on_every("rendezvous try_send", async |cx| {
        let (tx, mut rx) = rendezvous::channel();
        let tries = sent.clone();
        let mut trying = cx.spawn(async move |cx: &mut Cx| -> Res<u32> {
            let mut handed = 0;
            for value in 1..3 {
                cx.step().await;
                match tx.try_send(value) {
                    Ok(()) => handed += value,
                    Err(error) => assert_eq!(error.into_inner(), value),
                }
            }
            tries.get().0 += usize::from(handed > 0);
            tries.get().1 += usize::from(handed < 3);
            Ok(handed)
        });
        let mut received = 0;
        while let Ok(value) = rx.recv(cx).await {
            received += value;
        }
        assert_eq!(trying.join(cx).await.unwrap(), received);
    });
    let (some, not_all) = *sent.get();
    assert!(found.classes > 1 && some > 0 && not_all > 0, "{found}: {some}, {not_all}");
}

#[test]
fn a_stream_of_its_own_that_is_dropped_while_it_waits_leaves_nothing_behind() {
    on_all(|lab| {
        lab.run(|cx| async {
            async fn waits_once<S: Stream + Unpin>(mut stream: S) {
                let mut context = core::task::Context::from_waker(core::task::Waker::noop());
                assert!(Pin::new(&mut stream).poll_next(&mut context).is_pending());
            }
            let (values, value) = unbounded::<u8>();
            let (news, new) = broadcast::channel(2);
            let other = new.clone();
            let (present, seen) = watch::channel(0);
            let mut looks = seen.clone();
            let (hands, hand) = rendezvous::channel::<u8>();
            waits_once(value.into_stream()).await;
            waits_once(new.into_stream()).await;
            waits_once(seen.into_stream()).await;
            waits_once(hand.into_stream()).await;
            assert!(values.send(1).is_err() && hands.is_closed());
            assert_eq!((news.send(2), news.receivers(), present.receivers()), (Ok(1), 1, 1));
            present.send(1);
            drop((news, present));
            assert_eq!(all(other.into_stream()).await.len(), 1);
            looks.changed(cx).await.unwrap();
        });
    });
}

/// The reader of a stream is cancelled at each step in turn: it's told so, the stream is over, and the rest is still there.
#[test]
fn a_stream_takes_nothing_while_it_is_cancelled() {
    let steps = at_every_step(|lab, victim| {
        let seen = Arc::new(Shared::<Vec<u32>>::default());
        lab.run(|cx| async {
            let (tx, mut rx) = broadcast::channel(8);
            let (hands, mut hand) = rendezvous::channel();
            let (answer, mut answered) = oneshot::channel();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for value in 0..3 {
                    cx.yield_now().await;
                    tx.send(value).unwrap();
                }
                drop(tx);
                hands.send(cx, 3).await?;
                cx.yield_now().await;
                answer.send(4).unwrap();
                Ok(())
            });
            let (receiving, taking, sees) = (&mut rx, &mut hand, seen.clone());
            let asking = &mut answered;
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                let mut values = receiving.stream(cx);
                while let Some(Ok(value)) =
                    core::future::poll_fn(|c| Pin::new(&mut values).poll_next(c)).await
                {
                    sees.get().push(value);
                }
                let mut offers = taking.stream(cx);
                while let Some(Ok(value)) =
                    core::future::poll_fn(|c| Pin::new(&mut offers).poll_next(c)).await
                {
                    sees.get().push(value);
                }
                let mut answers = asking.stream(cx);
                while let Some(Ok(value)) =
                    core::future::poll_fn(|c| Pin::new(&mut answers).poll_next(c)).await
                {
                    sees.get().push(value);
                }
            })
            .await;
            while let Ok(value) = rx.recv(cx).await {
                seen.get().push(value);
            }
            while let Ok(value) = hand.recv(cx).await {
                seen.get().push(value);
            }
            while let Ok(value) = answered.recv(cx).await {
                seen.get().push(value);
            }
        });
        let mut seen = seen.get().clone();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    });
    assert!(steps > 10, "{steps}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test is about threads")]
fn threads_outside_wait_for_every_channel_and_lock_by_sleeping() {
    const TIMES: u32 = 50;
    std::thread::scope(|scope| {
        let (tx, mut rx) = rendezvous::channel();
        scope.spawn(move || (0..TIMES).for_each(|value| tx.blocking_send(value).unwrap()));
        (0..TIMES).for_each(|value| assert_eq!(rx.blocking_recv(), Ok(value)));
        assert_eq!(rx.blocking_recv(), Err(Closed));

        for _ in 0..TIMES {
            let (tx, mut rx) = oneshot::channel();
            scope.spawn(move || tx.send(7));
            assert_eq!((rx.blocking_recv(), rx.blocking_recv()), (Ok(7), Err(Closed)));
        }

        let (tx, mut rx) = broadcast::channel(TIMES as usize);
        scope.spawn(move || (0..TIMES).for_each(|value| assert_eq!(tx.send(value), Ok(1))));
        (0..TIMES).for_each(|value| assert_eq!(rx.blocking_recv(), Ok(value)));
        assert_eq!(rx.blocking_recv(), Err(broadcast::Missed::Closed));

        let (tx, mut rx) = watch::channel(0);
        scope.spawn(move || (1..=TIMES).for_each(|value| tx.send(value)));
        while rx.blocking_changed().is_ok() {}
        assert_eq!((*rx.borrow(), rx.is_closed()), (TIMES, true));

        let (lock, shared) = (Mutex::new(0), RwLock::new(0));
        std::thread::scope(|inner| {
            for _ in 0..3 {
                inner.spawn(|| {
                    for _ in 0..TIMES {
                        *lock.blocking_lock() += 1;
                        *shared.blocking_write() += 1;
                        assert!(*shared.blocking_read() > 0);
                    }
                });
            }
        });
        assert_eq!((lock.into_inner(), shared.into_inner()), (3 * TIMES, 3 * TIMES));

        let (slots, inside) = (Arc::new(Semaphore::new(2)), AtomicU32::new(0));
        std::thread::scope(|inner| {
            for thread in 0..3 {
                let (slots, inside) = (&slots, &inside);
                inner.spawn(move || {
                    for _ in 0..TIMES {
                        let count = thread % 2 + 1;
                        let permit = slots.blocking_acquire(count).unwrap();
                        assert_eq!((permit.count(), inside.fetch_add(1, Relaxed) < 2), (count, true));
                        inside.fetch_sub(1, Relaxed);
                        if thread == 0 {
                            permit.release();
                        }
                    }
                });
            }
        });
        let two = slots.blocking_acquire_owned(2).unwrap();
        slots.close();
        assert!(slots.blocking_acquire(1).is_err());
        drop(two);
        assert_eq!(slots.available(), 2);
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test is about threads")]
fn threads_outside_ask_each_other() {
    std::thread::scope(|scope| {
        let (client, mut server) = session::pair::<u32, u32>();
        let asks = client.clone();
        let asking = scope.spawn(move || {
            assert!(matches!(asks.blocking_ask(1), Ok(10)));
            assert!(matches!(asks.blocking_ask(2), Err(AskError::Left)));
        });
        let (request, reply) = server.blocking_next().unwrap();
        assert!(reply.is_wanted() && reply.send(10 * request).is_delivered());
        drop(server.blocking_next().unwrap());
        asking.join().unwrap();
        drop(server);
        assert!(matches!(client.blocking_ask(1), Err(AskError::NotTaken(1))));
        let (client, mut server) = session::pair::<u32, u32>();
        drop(client);
        assert!(matches!(server.blocking_next(), Err(Closed)));
    });
}

/// In a lab a blocking closure runs as a step of its task: on a runtime it would have a thread.
#[test]
fn in_a_blocking_closure_of_a_lab_what_needs_not_to_wait_is_done() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(3);
            let (more, mut unbounded) = unbounded();
            more.send(1).unwrap();
            drop(more);
            let (once, mut answer) = oneshot::channel();
            assert!(once.send(1).is_ok());
            let (news, mut told) = broadcast::channel(2);
            let (present, mut seen) = watch::channel(0);
            present.send(1);
            drop(present);
            let (meets, mut met) = rendezvous::channel::<u8>();
            let (sends, closed) = rendezvous::channel::<u8>();
            drop((meets, closed));
            assert_eq!(news.send(1), Ok(1));
            drop(news);
            let (mutex, lock, slots) = (Mutex::new(0), RwLock::new(0), Semaphore::new(1));
            let mut closure = cx.spawn_blocking(move |_| {
                (0..3).for_each(|value| tx.blocking_send(value).unwrap());
                drop(tx);
                assert_eq!((rx.blocking_recv(), rx.len()), (Ok(0), 2));
                assert_eq!(
                    (rx.blocking_recv(), rx.blocking_recv(), rx.blocking_recv()),
                    (Ok(1), Ok(2), Err(Closed))
                );
                assert_eq!((unbounded.blocking_recv(), unbounded.blocking_recv()), (Ok(1), Err(Closed)));
                assert_eq!((answer.blocking_recv(), answer.blocking_recv()), (Ok(1), Err(Closed)));
                assert_eq!(told.blocking_recv(), Ok(1));
                assert_eq!(told.blocking_recv(), Err(broadcast::tape::Missed::Closed));
                assert_eq!((seen.blocking_changed(), seen.blocking_changed()), (Ok(()), Err(Closed)));
                assert_eq!((met.blocking_recv(), sends.blocking_send(1)), (Err(Closed), Err(1)));
                *mutex.blocking_lock() += 1;
                *lock.blocking_write() += 1;
                assert_eq!(*lock.blocking_read(), 1);
                drop(slots.blocking_acquire(1).unwrap());
                slots.close();
                assert!(slots.blocking_acquire(1).is_err());
            });
            closure.join(cx).await.unwrap();
        });
    });
}

#[test]
fn in_a_blocking_closure_of_a_lab_what_would_have_to_wait_says_so_and_leaves_nothing() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let slots = Semaphore::new(0);
            let said = |call: &mut dyn FnMut()| {
                let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
                let text = *panic.downcast::<String>().unwrap();
                assert!(text.contains("would have to wait") && text.contains("forms.rs"), "{text}");
            };
            let shared = Arc::new((tx, slots));
            let there = shared.clone();
            let mut closure = cx.spawn_blocking(move |_| {
                said(&mut || drop(there.1.blocking_acquire(1)));
                there.0.blocking_send(1).unwrap();
                said(&mut || assert_eq!(there.0.blocking_send(2), Ok(())));
            });
            closure.join(cx).await.unwrap();
            assert_eq!((rx.recv(cx).await.unwrap(), shared.0.available()), (1, 1), "nobody stands in line");
            shared.1.add(1);
            assert_eq!(shared.1.available(), 1, "nobody stands in line");
        });
    });
}

/// The name of the operation that a panic said it can't do here.
fn refused<T>(call: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).map(drop).unwrap_err();
    let text = *panic.downcast::<String>().unwrap();
    assert!(text.contains("was called inside a task"), "{text}");
    text.split('`').nth(1).unwrap().into()
}

#[test]
fn no_task_may_block_its_thread_whether_or_not_it_would_wait() {
    on_all(|lab| {
        lab.run(|_cx| async {
            let (_tx, mut one) = oneshot::channel::<u8>();
            let (all, mut every) = broadcast::channel(1);
            all.send(1).unwrap();
            let (_now, mut watched) = watch::channel(0);
            let (hands, mut hand) = rendezvous::channel();
            let (lock, shared) = (Mutex::new(()), RwLock::new(()));
            let (client, _server) = session::pair::<u8, u8>();
            assert_eq!(refused(|| one.blocking_recv()), "blocking_recv");
            assert_eq!(refused(|| every.blocking_recv()), "blocking_recv");
            assert_eq!(refused(|| watched.blocking_changed()), "blocking_changed");
            assert_eq!(refused(|| hands.blocking_send(1)), "blocking_send");
            assert_eq!(refused(|| hand.blocking_recv()), "blocking_recv");
            assert_eq!(refused(|| drop(lock.blocking_lock())), "blocking_lock");
            assert_eq!(refused(|| drop(shared.blocking_read())), "blocking_read");
            assert_eq!(refused(|| drop(shared.blocking_write())), "blocking_write");
            assert_eq!(refused(|| client.blocking_ask(1).is_ok()), "blocking_send");
            let slots = Arc::new(Semaphore::new(1));
            assert_eq!(refused(|| slots.blocking_acquire(1).is_ok()), "blocking_acquire");
            assert_eq!(refused(|| slots.blocking_acquire_owned(1).is_ok()), "blocking_acquire_owned");
            assert_eq!(slots.available(), 1);
            assert_eq!((hand.try_recv(), hand.offers()), (Err(TryRecvError::Empty), 0));
            assert!(lock.try_lock().is_some() && shared.try_write().is_some());
        });
    });
}

#[test]
fn channels_say_how_much_is_in_them_and_how_much_room_they_have() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(3);
            let permit = tx.reserve(cx).await.unwrap();
            tx.try_send(1).unwrap();
            assert_eq!((tx.len(), tx.available(), tx.capacity()), (1, 1, 3));
            drop(permit);
            assert_eq!((rx.try_recv(), tx.available()), (Ok(1), 3));
            let two = tx.try_reserve_many(cx, 2).unwrap();
            assert_eq!((two.len(), tx.available()), (2, 1));
            assert!(matches!(tx.try_reserve_many(cx, 2), Err(TryReserveError::Full)));
            two.zip(5..).for_each(|(permit, value)| assert!(permit.send(value).is_delivered()));
            assert_eq!((rx.try_recv(), rx.try_recv(), tx.available()), (Ok(5), Ok(6), 3));
            let other = channel::<u8>(3).0;
            assert!(tx.same_channel(&tx.clone()) && !tx.same_channel(&other));
            let (free, _values) = unbounded::<u8>();
            assert!(free.same_channel(&free.clone()) && !free.same_channel(&unbounded().0));

            let (tx, mut rx) = broadcast::channel(2);
            assert!(tx.is_empty() && !rx.is_closed());
            (0..3).for_each(|value| assert_eq!(tx.send(value), Ok(1)));
            assert_eq!((tx.len(), rx.len(), tx.capacity(), rx.capacity()), (2, 3, 2, 2));
            drop(tx);
            assert!(rx.is_closed() && rx.try_recv().is_err() && rx.try_recv() == Ok(1));

            let (tx, mut rx) = rendezvous::channel();
            let offers = cx.spawn(async move |cx: &mut Cx| -> Res { Ok(tx.send(cx, 1).await?) });
            pause(cx, 20).await;
            assert_eq!((rx.offers(), rx.try_recv(), rx.offers()), (1, Ok(1), 0));
            drop(offers);
            let (tx, rx) = watch::channel(1);
            assert!(!tx.is_closed());
            drop(rx);
            assert!(tx.is_closed());
        });
    });
}
