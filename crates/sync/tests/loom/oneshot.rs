//! The one-word channel.

use std::task::Waker;

use asupersync_sync::oneshot::word as oneshot;
use loom::{sync::Arc, thread};

use crate::{block_on, holds, nobody};

/// The receiver polls once with a waker nobody listens to, as a future does that moves between tasks.
fn the_value_arrives() {
    let (tx, mut rx) = oneshot::channel::<_, Waker>();
    let sender = thread::spawn(move || tx.send(7).unwrap());
    if let std::task::Poll::Ready(value) = rx.poll_recv(nobody) {
        assert_eq!(value, Ok(7));
    } else {
        assert_eq!(block_on(|waker| rx.poll_recv(|| waker)), Ok(7));
    }
    sender.join().unwrap();
}

fn the_value_comes_back_or_is_dropped_when_the_receiver_goes() {
    let (tx, mut rx) = oneshot::channel::<_, Waker>();
    let value = Arc::new(());
    let sender = {
        let value = value.clone();
        thread::spawn(move || tx.send(value))
    };
    let received = rx.poll_recv(nobody).is_ready();
    drop(rx);
    let returned = sender.join().unwrap();
    assert!(!received || returned.is_ok());
    assert_eq!(Arc::strong_count(&value), 1 + usize::from(returned.is_err()));
}

fn a_sender_that_goes_is_noticed() {
    let (tx, mut rx) = oneshot::channel::<(), Waker>();
    let sender = thread::spawn(move || drop(tx));
    assert!(block_on(|waker| rx.poll_recv(|| waker)).is_err());
    sender.join().unwrap();
}

fn close_decides_whether_the_value_was_sent() {
    let (tx, mut rx) = oneshot::channel::<_, Waker>();
    let sender = thread::spawn(move || tx.send(Arc::new(())).is_ok());
    rx.close();
    let received = rx.try_recv().is_ok();
    assert_eq!(sender.join().unwrap(), received);
}

/// A wait is given up and taken up again while the value is sent.
fn a_waiter_taken_back_leaves_the_value() {
    let (tx, mut rx) = oneshot::channel::<_, Waker>();
    let sender = thread::spawn(move || tx.send(Arc::new(7)).unwrap());
    let received = rx.poll_recv(nobody);
    rx.forget_waiter();
    let value = match received {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => block_on(|waker| rx.poll_recv(|| waker)),
    };
    assert_eq!(value.map(|value| *value), Ok(7));
    sender.join().unwrap();
}

#[test]
fn a_sent_value_is_received() {
    holds(the_value_arrives);
}

#[test]
fn a_value_is_in_one_place_when_the_receiver_is_dropped() {
    holds(the_value_comes_back_or_is_dropped_when_the_receiver_goes);
}

#[test]
fn a_dropped_sender_ends_the_wait() {
    holds(a_sender_that_goes_is_noticed);
}

#[test]
fn close_and_send_agree() {
    holds(close_decides_whether_the_value_was_sent);
}

#[test]
fn a_wait_can_be_given_up_and_taken_up_again() {
    holds(a_waiter_taken_back_leaves_the_value);
}

mutants::mutants! {
    mutant_that_announces_the_value_before_writing_it_is_killed: "oneshot.send-before-write" breaks || crate::explore(the_value_arrives), says "Causality violation";
    mutant_that_registers_over_the_value_is_killed: "oneshot.register-overwrites" breaks || crate::explore(the_value_arrives), says "deadlock";
}
