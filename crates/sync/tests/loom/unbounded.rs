//! The unbounded line.

use std::task::Waker;

use asupersync_sync::{
    WaitNode,
    mpsc::unbounded::line::{Rx, channel},
};
use loom::thread;

use crate::{block_on, holds};

fn recv<T>(rx: &mut Rx<T, Waker>) -> Option<T> {
    let mut node = WaitNode::new();
    block_on(|waker| rx.poll_recv(&mut node, || waker))
}

fn every_value_arrives_and_then_the_end() {
    let (tx, mut rx) = channel();
    let senders = [1, 2].map(|value| {
        let tx = tx.clone();
        thread::spawn(move || tx.send(value).unwrap())
    });
    drop(tx);
    let mut sum = 0;
    while let Some(value) = recv(&mut rx) {
        sum += value;
    }
    assert_eq!(sum, 3);
    for sender in senders {
        sender.join().unwrap();
    }
}

/// A close waits for the place that was reserved before, used or not.
fn a_close_waits_for_a_place() {
    let (tx, mut rx) = channel::<u8, Waker>();
    tx.reserve().unwrap();
    let sender = thread::spawn(move || {
        tx.abort();
        tx
    });
    rx.close();
    assert_eq!(recv(&mut rx), None);
    drop(sender.join());
}

/// The last sender goes while a weak one comes back: either the channel has ended for both, or for neither.
fn the_end_is_final() {
    let (tx, mut rx) = channel::<u8, Waker>();
    let weak = tx.downgrade();
    let other = thread::spawn(move || {
        if let Some(tx) = weak.upgrade() {
            tx.send(1).unwrap();
            true
        } else {
            false
        }
    });
    drop(tx);
    let received = recv(&mut rx).is_some();
    assert_eq!(other.join().unwrap(), received, "the channel had ended");
}

#[test]
fn a_crowd_of_senders_loses_nothing() {
    holds(every_value_arrives_and_then_the_end);
}

#[test]
fn a_closed_line_ends_with_its_last_place() {
    holds(a_close_waits_for_a_place);
}

#[test]
fn a_line_ends_once() {
    holds(the_end_is_final);
}

mutants::mutants! {
    mutant_that_does_not_look_again_is_killed: "queue.no-second-look" breaks || crate::explore(every_value_arrives_and_then_the_end), says "deadlock";
    mutant_that_tells_nobody_is_killed: "queue.untold" breaks || crate::explore(every_value_arrives_and_then_the_end), says "deadlock";
    mutant_whose_last_sender_goes_unheard_is_killed: "line.last-sender-unheard" breaks || crate::explore(every_value_arrives_and_then_the_end), says "deadlock";
    mutant_whose_last_place_goes_unheard_is_killed: "line.abort-unheard" breaks || crate::explore(a_close_waits_for_a_place), says "deadlock";
    mutant_that_raises_a_channel_from_the_dead_is_killed: "line.upgrade-of-the-dead" breaks || crate::explore(the_end_is_final), says "the channel had ended";
}
