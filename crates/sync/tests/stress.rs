//! Real threads on the real structures: counts must come out even, whatever the schedule.
#![cfg(not(loom))]
#![expect(clippy::disallowed_methods, reason = "these tests are about threads")]

use std::{
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering::Relaxed},
    task::{Poll, Wake, Waker},
    thread::{self, Thread},
};

use asupersync_sync::{
    mpsc::ring as mpsc,
    mutex::lock_word::{Lock, LockWord},
    notify::signal::{Notified, Signal},
    oneshot::word as oneshot,
    semaphore::permits::{Acquire, Permits},
};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(mut poll: impl FnMut(Waker) -> Poll<T>) -> T {
    let park = Arc::new(Unpark(thread::current()));
    loop {
        match poll(Waker::from(park.clone())) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn recv<T>(rx: &mut mpsc::Rx<T, Waker>) -> Option<T> {
    block_on(|waker| rx.poll_recv(|| waker))
}

/// Four senders, each in another way, one of them giving up every other wait.
#[test]
fn every_sent_value_is_received_once_and_in_its_senders_order() {
    const EACH: usize = 20_000;
    for capacity in [1, 3, 64] {
        let (tx, mut rx) = mpsc::channel::<(usize, usize), Waker>(capacity);
        thread::scope(|scope| {
            for sender in 0..4 {
                let tx = tx.clone();
                scope.spawn(move || {
                    for value in 0..EACH {
                        if sender == 3 {
                            let mut abandoned = tx.reserve();
                            drop(abandoned.poll(|| Waker::noop().clone()));
                        }
                        if sender == 0 && tx.try_send((sender, value)).is_ok() {
                            continue;
                        }
                        let mut wait = tx.reserve();
                        let permit = block_on(|waker| wait.poll(|| waker)).unwrap();
                        permit.send((sender, value)).unwrap();
                    }
                });
            }
            drop(tx);
            let mut next = [0; 4];
            while let Some((sender, value)) = recv(&mut rx) {
                assert_eq!(value, next[sender]);
                next[sender] += 1;
            }
            assert_eq!(next, [EACH; 4]);
        });
    }
}

/// The receiver goes away in the middle: sent = received + dropped with it + handed back.
#[test]
fn no_value_is_lost_or_doubled_when_the_receiver_goes_away() {
    for round in 0..300 {
        let token = Arc::new(());
        let (tx, mut rx) = mpsc::channel::<Arc<()>, Waker>(8);
        thread::scope(|scope| {
            for _ in 0..3 {
                let (tx, token) = (tx.clone(), token.clone());
                scope.spawn(move || {
                    loop {
                        let mut wait = tx.reserve();
                        let Ok(permit) = block_on(|waker| wait.poll(|| waker)) else { return };
                        if permit.send(token.clone()).is_err() {
                            return;
                        }
                    }
                });
            }
            for _ in 0..round {
                assert!(recv(&mut rx).is_some());
            }
            drop(rx);
        });
        drop(tx);
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

#[test]
fn a_oneshot_delivers_or_returns_its_value() {
    for round in 0..5_000 {
        let token = Arc::new(());
        let (tx, mut rx) = oneshot::channel::<Arc<()>, Waker>();
        thread::scope(|scope| {
            let value = token.clone();
            let sender = scope.spawn(move || tx.send(value).is_ok());
            if round % 2 == 0 {
                assert!(block_on(|waker| rx.poll_recv(|| waker)).is_ok() && sender.join().unwrap());
            } else {
                drop(rx);
                drop(sender.join());
            }
        });
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

#[test]
fn a_semaphore_keeps_its_permits_through_waits_and_cancellations() {
    let permits = Permits::<Waker>::new(3);
    let (held, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for one in 0..4 {
            let (permits, held, most) = (&permits, &held, &most);
            scope.spawn(move || {
                let count = one % 2 + 1;
                for _ in 0..20_000 {
                    let mut abandoned = Acquire::new(permits, count);
                    if abandoned.poll(|| Waker::noop().clone()).is_ready() {
                        permits.release(count);
                    }
                    drop(abandoned);
                    let mut wait = Acquire::new(permits, count);
                    block_on(|waker| wait.poll(|| waker)).unwrap();
                    most.fetch_max(held.fetch_add(count, Relaxed) + count, Relaxed);
                    held.fetch_sub(count, Relaxed);
                    permits.release(count);
                }
            });
        }
    });
    assert_eq!(permits.available(), 3);
    assert!(most.into_inner() <= 3);
}

#[test]
fn a_lock_protects_its_sections_through_cancelled_waits() {
    let (lock, inside, total) = (LockWord::<Waker>::new(), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (lock, inside, total) = (&lock, &inside, &total);
            scope.spawn(move || {
                for _ in 0..20_000 {
                    let mut abandoned = Lock::new(lock);
                    if abandoned.poll(|| Waker::noop().clone()).is_ready() {
                        lock.unlock();
                    }
                    drop(abandoned);
                    let mut wait = Lock::new(lock);
                    block_on(|waker| wait.poll(|| waker));
                    assert_eq!(inside.fetch_add(1, Relaxed), 0);
                    total.store(total.load(Relaxed) + 1, Relaxed);
                    inside.fetch_sub(1, Relaxed);
                    lock.unlock();
                }
            });
        }
    });
    assert_eq!(total.into_inner(), 80_000);
    assert!(!lock.is_locked());
}

/// A token goes round: each notification must let exactly the next one go.
#[test]
fn notifications_pass_a_token_round() {
    const ROUNDS: usize = 5_000;
    let signals: [Signal<Waker>; 3] = [Signal::new(), Signal::new(), Signal::new()];
    let turns = AtomicUsize::new(0);
    signals[0].notify_one();
    thread::scope(|scope| {
        for place in 0..3 {
            let (signals, turns) = (&signals, &turns);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let mut wait = Notified::new(&signals[place]);
                    block_on(|waker| wait.poll(|| waker));
                    assert_eq!(turns.fetch_add(1, Relaxed), 3 * round + place);
                    signals[(place + 1) % 3].notify_one();
                }
            });
        }
    });
    assert_eq!(turns.into_inner(), 3 * ROUNDS);
}
