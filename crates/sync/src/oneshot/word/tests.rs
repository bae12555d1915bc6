//! What the oneshot's core promises to one thread at a time.

use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use super::*;
use crate::{Closed, TryRecvError, wakes::counter::Counter};

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
