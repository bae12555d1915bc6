//! What the ring promises to one thread at a time. Threads: `tests/stress.rs`; interleavings: `tests/loom`.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Poll, Waker},
};

use super::*;
use crate::{Closed, TryRecvError, WaitNode, wakes::counter::Counter};

fn channel<T>(capacity: u32) -> (Tx<T, Waker>, Rx<T, Waker>) {
    super::channel(capacity)
}

#[test]
fn every_capacity_holds_exactly_that_many() {
    for capacity in 1..=9 {
        let (tx, mut rx) = channel(capacity);
        for round in 0..3 * capacity {
            for value in 0..capacity {
                tx.try_send(round + value).unwrap();
            }
            assert_eq!(tx.try_send(0), Err(TrySendError::Full(0)));
            assert_eq!((tx.len(), rx.is_empty()), (capacity as usize, false));
            for value in 0..capacity {
                assert_eq!(rx.try_recv(), Ok(round + value));
            }
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        }
    }
}

#[test]
fn a_credit_is_capacity_and_not_a_place_in_line() {
    let (tx, mut rx) = channel(2);
    let permit = tx.try_permit().unwrap();
    tx.try_send(1).unwrap();
    assert_eq!(tx.try_reserve(), Err(TryReserveError::Full));
    assert_eq!(rx.try_recv(), Ok(1));
    permit.send(2).unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn a_dropped_permit_gives_capacity_back_and_a_forgotten_one_keeps_it() {
    let (tx, _rx) = channel::<()>(1);
    drop(tx.try_permit().unwrap());
    drop(tx.try_permit().unwrap().into_owned());
    std::mem::forget(tx.try_permit().unwrap());
    assert!(tx.try_permit().is_err());
    tx.abort();
    assert!(tx.try_permit().is_ok());
}

#[test]
fn the_head_can_be_looked_at_without_leaving_its_place() {
    let (tx, mut rx) = channel(2);
    assert!(rx.head().is_none());
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(rx.head().as_deref(), Some(&1));
    assert_eq!((rx.len(), tx.try_send(3)), (2, Err(TrySendError::Full(3))));
    assert_eq!(rx.head().map(Head::take), Some(1));
    assert!(matches!(rx.poll_head(|| Waker::noop().clone()), Poll::Ready(Some(head)) if *head == 2));
    assert_eq!(rx.try_recv(), Ok(2));
    assert!(rx.poll_head(|| Waker::noop().clone()).is_pending());
    drop(tx);
    assert!(matches!(rx.poll_head(|| Waker::noop().clone()), Poll::Ready(None)));
}

#[test]
#[should_panic(expected = "a credit was spent that nobody had reserved")]
fn a_commit_without_a_credit_is_refused_before_anything_changes() {
    let (tx, _rx) = channel(1);
    let _ = tx.commit(());
}

#[test]
fn room_goes_to_the_oldest_waiter_and_nobody_overtakes() {
    let ((tx, mut rx), first, second) = (channel(1), Counter::new(), Counter::new());
    tx.try_send(0).unwrap();
    let (mut one, mut two) = (tx.reserve(), tx.reserve());
    assert!(one.poll(|| first.waker()).is_pending() && two.poll(|| second.waker()).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
    let Poll::Ready(Ok(permit)) = one.poll(|| first.waker()) else { panic!("granted") };
    permit.send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(second.wakes(), 1);
}

#[test]
fn a_cancelled_wait_frees_its_place_or_passes_its_credit_on() {
    let ((tx, mut rx), first, second) = (channel(1), Counter::new(), Counter::new());
    tx.try_send(0).unwrap();
    let (mut one, mut two) = (tx.reserve(), tx.reserve());
    assert!(one.poll(|| first.waker()).is_pending() && two.poll(|| second.waker()).is_pending());
    rx.try_recv().unwrap();
    drop(one);
    assert_eq!(second.wakes(), 1);
    drop(two);
    assert_eq!(tx.try_send(1), Ok(()), "nobody waits and nothing is reserved");
}

#[test]
fn a_sleeping_receiver_is_woken_by_the_first_value_only() {
    let ((tx, mut rx), counter) = (channel(4), Counter::new());
    assert!(rx.poll_recv(|| counter.waker()).is_pending() && rx.poll_recv(|| counter.waker()).is_pending());
    assert_eq!(counter.stored(), 1);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!((counter.wakes(), counter.stored()), (1, 0));
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Some(1)));
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Some(2)));
}

#[test]
fn a_waiter_left_behind_can_be_taken_back() {
    let ((_tx, mut rx), counter) = (channel::<()>(1), Counter::new());
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    rx.forget_waiter();
    assert_eq!((counter.stored(), counter.wakes()), (0, 0));
}

#[test]
fn the_last_sender_to_go_ends_the_channel_after_its_values() {
    let ((tx, mut rx), counter) = (channel(4), Counter::new());
    let other = tx.clone();
    tx.try_send(1).unwrap();
    drop(tx);
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    drop(other);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(None));
    assert_eq!((rx.try_recv(), counter.stored()), (Err(TryRecvError::Closed), 0));
}

#[test]
fn a_closed_channel_waits_for_its_credits() {
    let ((tx, mut rx), counter) = (channel(4), Counter::new());
    let (sent, dropped) = (tx.try_permit().unwrap(), tx.try_permit().unwrap());
    rx.close();
    assert_eq!(tx.try_send(0), Err(TrySendError::Closed(0)));
    assert_eq!(tx.try_reserve(), Err(TryReserveError::Closed));
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    sent.send(1).unwrap();
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Some(1)));
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    drop(dropped);
    assert_eq!(counter.wakes(), 2);
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(None));
}

#[test]
fn a_close_reaches_waiting_senders_and_spares_granted_ones() {
    let ((tx, mut rx), counter) = (channel(1), Counter::new());
    tx.try_send(0).unwrap();
    let (mut granted, mut refused) = (tx.reserve(), tx.reserve());
    assert!(granted.poll(|| counter.waker()).is_pending() && refused.poll(|| counter.waker()).is_pending());
    rx.try_recv().unwrap();
    rx.close();
    assert_eq!(counter.wakes(), 2);
    assert!(matches!(refused.poll(|| counter.waker()), Poll::Ready(Err(Closed))));
    let Poll::Ready(Ok(permit)) = granted.poll(|| counter.waker()) else { panic!("granted") };
    permit.send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_dropped_receiver_drops_what_is_there_and_hands_later_values_back() {
    let value = Arc::new(());
    let (tx, rx) = channel(4);
    let permit = tx.try_permit().unwrap();
    tx.try_send(value.clone()).unwrap();
    tx.try_send(value.clone()).unwrap();
    drop(rx);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(permit.send(value.clone()).is_err());
    assert!(matches!(tx.try_send(value.clone()), Err(TrySendError::Closed(_))));
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_panicking_destructor_does_not_leak_the_other_values() {
    struct Bomb {
        explodes: bool,
        _value: Arc<()>,
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.explodes, "boom");
        }
    }
    let value = Arc::new(());
    let (tx, rx) = channel(4);
    for explodes in [false, true, false] {
        assert!(tx.try_send(Bomb { explodes, _value: value.clone() }).is_ok());
    }
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(rx))).is_err());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn values_without_size_are_counted_too() {
    let (tx, mut rx) = channel(3);
    for () in [(); 3] {
        tx.try_send(()).unwrap();
    }
    assert!(tx.try_send(()).is_err());
    drop(tx);
    assert_eq!(std::iter::from_fn(|| rx.try_recv().ok()).count(), 3);
}

#[test]
#[should_panic(expected = "capacity")]
fn a_channel_without_capacity_is_refused() {
    drop(channel::<()>(0));
}

/// Any sequence of operations does what a queue with a counter of reserved places does.
#[test]
fn the_ring_agrees_with_a_simple_model() {
    for seed in 1..200_u64 {
        let mut random = seed;
        let capacity = (seed % 7 + 1) as u32;
        let (tx, mut rx) = channel(capacity);
        let (mut queue, mut reserved, mut next) = (VecDeque::new(), 0, 0);
        for _ in 0..300 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let room = queue.len() + reserved < capacity as usize;
            match random >> 60 {
                0..4 => {
                    assert_eq!(tx.try_send(next).is_ok(), room);
                    if room {
                        queue.push_back(next);
                    }
                }
                4..7 => {
                    assert_eq!(tx.try_reserve().is_ok(), room);
                    reserved += usize::from(room);
                }
                7..9 if reserved > 0 => {
                    tx.commit(next).unwrap();
                    queue.push_back(next);
                    reserved -= 1;
                }
                9 if reserved > 0 => {
                    tx.abort();
                    reserved -= 1;
                }
                _ => assert_eq!(rx.try_recv().ok(), queue.pop_front()),
            }
            next += 1;
            assert_eq!(tx.len(), queue.len());
        }
    }
}

/// Waits for one place or for several, that are granted in turn, given up at any time, used or given back.
#[test]
fn waits_for_several_places_are_served_in_turn() {
    for seed in 0..300_u64 {
        let mut random = crate::wakes::counter::Random(seed);
        let capacity = 1 + random.below(5) as u32;
        let ((tx, mut rx), counter) = (channel::<u64>(capacity), Counter::new());
        // In the model: values, credits held, and the line of those who wait, each granted or not.
        let (mut queue, mut held) = (VecDeque::new(), 0_u32);
        let mut line: Vec<(WaitNode, u32, bool)> = Vec::new();
        for value in 0..200 {
            match random.below(8) {
                0..=2 if line.len() < 4 => {
                    let count = 1 + random.below(u64::from(capacity)) as u32;
                    let mut node = WaitNode::new();
                    match tx.poll_reserve_many(&mut node, count, || counter.waker()) {
                        Poll::Ready(got) => {
                            got.unwrap();
                            assert!(line.iter().all(|one| one.2), "somebody was overtaken");
                            held += count;
                        }
                        Poll::Pending => line.push((node, count, false)),
                    }
                }
                3 if held > 0 => {
                    tx.commit(value).unwrap();
                    queue.push_back(value);
                    held -= 1;
                }
                4 if held > 0 => {
                    tx.abort();
                    held -= 1;
                }
                5 if !line.is_empty() => {
                    let (mut node, ..) = line.remove(random.below(line.len() as u64) as usize);
                    tx.cancel(&mut node);
                }
                6 if !line.is_empty() => {
                    let which = random.below(line.len() as u64) as usize;
                    let (node, count, granted) = &mut line[which];
                    let polled = tx.poll_reserve_many(node, *count, || counter.waker());
                    assert_eq!(polled.is_ready(), *granted);
                    if *granted {
                        held += line.remove(which).1;
                    }
                }
                _ => assert_eq!(rx.try_recv().ok(), queue.pop_front()),
            }
            // Whoever made room has handed it on by now.
            let granted: u32 = line.iter().filter(|one| one.2).map(|one| one.1).sum();
            let mut used = queue.len() as u32 + held + granted;
            assert!(used <= capacity);
            while let Some(first) = line.iter_mut().find(|one| !one.2)
                && used + first.1 <= capacity
            {
                first.2 = true;
                used += first.1;
            }
            assert_eq!(tx.len(), queue.len());
        }
        for (mut node, ..) in line {
            tx.cancel(&mut node);
        }
        (0..held).for_each(|_| tx.abort());
        assert!(tx.try_reserve().is_ok() || !queue.is_empty());
        assert_eq!(counter.stored(), 0);
    }
}
