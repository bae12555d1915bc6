//! What the oneshot's core promises to one thread at a time.

use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use super::*;
use crate::{
    Closed, TryRecvError,
    wakes::counter::{Counter, Random},
};

fn pair<T>() -> (Tx<T, Waker>, Rx<T, Waker>) {
    channel()
}

#[test]
fn a_sent_value_is_received_once() {
    let (tx, mut rx) = pair();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(tx.send(7), Ok(()));
    assert_eq!(rx.try_recv(), Ok(7));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_waiting_receiver_is_woken_through_its_last_waker() {
    let ((tx, mut rx), stale, fresh) = (pair(), Counter::new(), Counter::new());
    assert!(rx.poll_recv(|| stale.waker()).is_pending() && rx.poll_recv(|| fresh.waker()).is_pending());
    assert_eq!(stale.stored(), 0);
    tx.send(7).unwrap();
    assert_eq!((stale.wakes(), fresh.wakes(), fresh.stored()), (0, 1, 0));
    assert_eq!(rx.poll_recv(|| fresh.waker()), Poll::Ready(Ok(7)));
}

#[test]
fn a_dropped_sender_wakes_and_closes() {
    let ((tx, mut rx), counter) = (pair::<()>(), Counter::new());
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    drop(tx);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Err(Closed)));
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Err(Closed)));
}

#[test]
fn the_value_comes_back_when_the_receiver_is_gone_or_closed() {
    let (tx, rx) = pair();
    drop(rx);
    assert!(tx.is_closed());
    assert_eq!(tx.send(7), Err(7));
    let (tx, mut rx) = pair();
    rx.close();
    assert_eq!((tx.is_closed(), tx.send(8), rx.try_recv()), (true, Err(8), Err(TryRecvError::Closed)));
}

#[test]
fn a_value_sent_before_the_close_is_still_received() {
    let (tx, mut rx) = pair();
    tx.send(7).unwrap();
    rx.close();
    assert_eq!(rx.try_recv(), Ok(7));
}

#[test]
fn an_unreceived_value_and_a_waiter_left_behind_are_dropped_once() {
    let (value, counter) = (Arc::new(()), Counter::new());
    let (tx, rx) = pair();
    tx.send(value.clone()).unwrap();
    drop(rx);
    assert_eq!(Arc::strong_count(&value), 1);
    let (tx, mut rx) = pair::<Arc<()>>();
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    drop(rx);
    assert_eq!((counter.stored(), counter.wakes()), (0, 0));
    drop(tx);
}

#[test]
fn a_waiter_left_behind_can_be_taken_back() {
    let counter = Counter::new();
    let (tx, mut rx) = pair();
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    rx.forget_waiter();
    rx.forget_waiter();
    assert_eq!(counter.stored(), 0);
    assert_eq!(tx.send(1), Ok(()));
    rx.forget_waiter();
    assert_eq!((rx.try_recv(), counter.wakes()), (Ok(1), 0));
    rx.forget_waiter();
}

/// What a channel is, as far as anybody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nothing,
    Sent,
    /// The value was received or given back, or will never come.
    Over,
}

#[test]
fn whatever_both_sides_do_the_value_is_in_one_place_and_whoever_waits_is_woken() {
    for seed in 0..2_000_u64 {
        let mut random = Random(seed);
        let (tx, rx) = pair::<Arc<()>>();
        let (mut tx, mut rx) = (Some(tx), Some(rx));
        let (token, receiver, sender) = (Arc::new(()), Counter::new(), Counter::new());
        let mut place = Place::Nothing;
        // Whether this side's last wait is still to be answered, and how many were.
        let (mut receives, mut received, mut leaves, mut left) = (false, 0, false, 0);
        for _ in 0..24 {
            match (random.below(12), &mut tx, &mut rx) {
                (0, now, rx) if now.is_some() => {
                    let sent = now.take().map(|tx| tx.send(token.clone()));
                    let refused = rx.is_none() || place == Place::Over;
                    assert_eq!(sent, Some(if refused { Err(token.clone()) } else { Ok(()) }), "seed {seed}");
                    place = if refused { Place::Over } else { Place::Sent };
                    received += u64::from(std::mem::take(&mut receives));
                }
                (1, now, _) if now.is_some() => {
                    drop(now.take());
                    place = Place::Over;
                    received += u64::from(std::mem::take(&mut receives));
                }
                (2, _, now) if now.is_some() => {
                    drop(now.take());
                    place = Place::Over;
                    receives = false;
                    left += u64::from(tx.is_some() && std::mem::take(&mut leaves));
                }
                (3, tx, Some(rx)) => {
                    rx.close();
                    if place == Place::Nothing {
                        place = Place::Over;
                        receives = false;
                        left += u64::from(tx.is_some() && std::mem::take(&mut leaves));
                    }
                }
                (4, Some(tx), rx) => {
                    let gone = rx.is_none() || place == Place::Over;
                    assert_eq!(tx.poll_closed(|| sender.waker()).is_ready(), gone, "seed {seed}");
                    leaves = !gone;
                }
                (5, Some(tx), rx) => {
                    assert_eq!(tx.is_closed(), rx.is_none() || place == Place::Over, "seed {seed}");
                }
                (6, Some(tx), _) => {
                    tx.forget_closed();
                    leaves = false;
                }
                (7, _, Some(rx)) => {
                    rx.forget_waiter();
                    receives = false;
                }
                (8, _, Some(rx)) => {
                    let expected = match place {
                        Place::Nothing => Err(TryRecvError::Empty),
                        Place::Sent => Ok(token.clone()),
                        Place::Over => Err(TryRecvError::Closed),
                    };
                    assert_eq!(rx.try_recv(), expected, "seed {seed}");
                    place = if expected.is_ok() { Place::Over } else { place };
                }
                (9.., _, Some(rx)) => {
                    let polled = rx.poll_recv(|| receiver.waker());
                    let expected = match place {
                        Place::Nothing => Poll::Pending,
                        Place::Sent => Poll::Ready(Ok(token.clone())),
                        Place::Over => Poll::Ready(Err(Closed)),
                    };
                    assert_eq!(polled, expected, "seed {seed}");
                    receives = polled.is_pending();
                    place = if receives { place } else { Place::Over };
                }
                _ => continue,
            }
            let held = usize::from(place == Place::Sent);
            assert_eq!(Arc::strong_count(&token), 1 + held, "the value is in one place, seed {seed}");
            assert_eq!(receiver.wakes() as u64, received, "a receiver is woken once, seed {seed}");
            assert_eq!(sender.wakes() as u64, left, "a sender is told once, seed {seed}");
            if rx.is_some() {
                assert_eq!(receiver.stored(), usize::from(receives), "seed {seed}");
            }
            if tx.is_some() {
                assert_eq!(sender.stored(), usize::from(leaves), "seed {seed}");
            }
        }
        drop((tx, rx));
        assert_eq!((Arc::strong_count(&token), receiver.stored(), sender.stored()), (1, 0, 0), "seed {seed}");
    }
}
