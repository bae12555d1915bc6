//! Senders that wait until nobody receives: the line that channels share, and the oneshot's slot.

use std::task::Waker;

use asupersync_sync::{
    WaitNode,
    broadcast::tape::{Cursor, Missed, Tape},
    mpsc::ring,
    oneshot::word as oneshot,
    rendezvous::table::{Offer, Table},
    watch::latest::Latest,
};
use loom::{sync::Arc, thread};

use crate::{block_on, holds, nobody};

/// The last receiver leaves while a sender begins to wait, and while it looks again.
fn the_last_one_who_leaves_is_heard() {
    let latest = Arc::new(Latest::<u8, Waker>::new(0));
    latest.join_receivers();
    let leaves = latest.clone();
    let other = thread::spawn(move || leaves.leave_receivers());
    latest.leave_receivers();
    let mut node = WaitNode::new();
    block_on(|waker| latest.leaving().poll(&mut node, || waker));
    assert_eq!(latest.parties().1, 0, "somebody receives");
    other.join().unwrap();
}

/// One sender waits for the close and one for room.
fn a_close_is_heard_beside_those_who_wait_for_room() {
    let (tx, mut rx) = ring::channel::<u8, Waker>(1);
    tx.try_send(1).unwrap();
    let sends = tx.clone();
    let sender = thread::spawn(move || {
        let mut node = WaitNode::new();
        block_on(|waker| sends.poll_reserve(&mut node, || waker)).is_err()
    });
    let receiver = thread::spawn(move || rx.close());
    let mut node = WaitNode::new();
    block_on(|waker| tx.leaving().poll(&mut node, || waker));
    assert!(tx.is_closed());
    receiver.join().unwrap();
    assert!(sender.join().unwrap());
}

/// A sender that waits, with one waker and then with another, while the receiver waits for it and then leaves.
fn the_receiver_of_an_answer_is_heard_to_leave() {
    let (mut tx, mut rx) = oneshot::channel::<u8, Waker>();
    let receiver = thread::spawn(move || {
        assert!(rx.poll_recv(nobody).is_pending());
        drop(rx);
    });
    if tx.poll_closed(nobody).is_pending() {
        block_on(|waker| tx.poll_closed(|| waker));
    }
    assert!(tx.is_closed());
    assert_eq!(tx.send(1), Err(1));
    receiver.join().unwrap();
}

/// A wait for the receiver to leave is given up, and the answer is sent.
fn a_wait_that_is_given_up_leaves_the_answer_alone() {
    let (mut tx, mut rx) = oneshot::channel::<_, Waker>();
    let token = Arc::new(());
    let value = token.clone();
    let sender = thread::spawn(move || {
        let pending = tx.poll_closed(nobody).is_pending();
        tx.forget_closed();
        let sent = tx.send(value).is_ok();
        assert!(pending || !sent, "it was received by somebody who had left");
        sent
    });
    let received = rx.poll_recv(nobody).is_ready();
    rx.forget_waiter();
    rx.close();
    let received = received || rx.try_recv().is_ok();
    assert_eq!(sender.join().unwrap(), received, "the answer is in one place");
    drop(rx);
    assert_eq!(Arc::strong_count(&token), 1);
}

/// A sender is made of a weak one while the last other one leaves.
fn the_end_of_a_broadcast_is_final() {
    let tape = Arc::new(Tape::<u8, Waker>::new(1));
    let other = tape.clone();
    let upgrade = thread::spawn(move || {
        let lives = other.rejoin_senders();
        if lives {
            other.send(1).unwrap();
            other.leave_senders();
        }
        lives
    });
    tape.leave_senders();
    let (mut node, mut at) = (WaitNode::new(), Cursor::new(0));
    let received = block_on(|waker| tape.poll_recv(&mut node, &mut at, || waker));
    assert_eq!(received != Err(Missed::Closed), upgrade.join().unwrap(), "the channel had ended");
}

/// The same of a watched value: what was sent before the end is seen.
fn the_end_of_a_watch_is_final() {
    let latest = Arc::new(Latest::<u8, Waker>::new(0));
    let other = latest.clone();
    let upgrade = thread::spawn(move || {
        let lives = other.rejoin_senders();
        if lives {
            other.replace(1);
            other.leave_senders();
        }
        lives
    });
    latest.leave_senders();
    let mut node = WaitNode::new();
    let changed = block_on(|waker| latest.poll_changed(&mut node, 0, || waker));
    assert_eq!(changed.is_ok(), upgrade.join().unwrap(), "the channel had ended");
}

/// The same of a rendezvous: what is offered by who was made in time is taken.
fn the_end_of_a_rendezvous_is_final() {
    let table = Arc::new(Table::<u8, Waker>::default());
    let other = table.clone();
    let upgrade = thread::spawn(move || {
        other.rejoin_senders().then(|| {
            let (mut offer, mut value) = (Offer::default(), Some(1));
            let taken = block_on(|waker| other.poll_send(&mut offer, &mut value, || waker));
            other.leave_senders();
            taken
        })
    });
    table.leave_senders();
    let received = block_on(|waker| table.poll_recv(|| waker));
    // Who offers after the end all the same is refused, and not left waiting.
    table.leave_receiver();
    assert_eq!(received.map(|_| true), upgrade.join().unwrap(), "the channel had ended");
}

#[test]
fn a_wait_for_the_last_receiver_ends() {
    holds(the_last_one_who_leaves_is_heard);
}

#[test]
fn every_kind_of_wait_hears_of_the_close() {
    holds(a_close_is_heard_beside_those_who_wait_for_room);
}

#[test]
fn a_wait_for_the_receiver_of_an_answer_ends() {
    holds(the_receiver_of_an_answer_is_heard_to_leave);
}

#[test]
fn an_answer_is_sent_after_a_wait_that_was_given_up() {
    holds(a_wait_that_is_given_up_leaves_the_answer_alone);
}

#[test]
fn a_broadcast_ends_once() {
    holds(the_end_of_a_broadcast_is_final);
}

#[test]
fn a_watch_ends_once() {
    holds(the_end_of_a_watch_is_final);
}

#[test]
fn a_rendezvous_ends_once() {
    holds(the_end_of_a_rendezvous_is_final);
}

mutants::mutants! {
    mutant_that_tells_nobody_of_the_close_is_killed: "gone.untold" breaks || crate::explore(the_last_one_who_leaves_is_heard), says "deadlock";
    mutant_whose_receiver_leaves_unheard_is_killed: "oneshot.leaves-unheard" breaks || crate::explore(the_receiver_of_an_answer_is_heard_to_leave), says "deadlock";
    mutant_that_trusts_an_old_flag_is_killed: "oneshot.flag-trusted" breaks || crate::explore(the_receiver_of_an_answer_is_heard_to_leave), says "deadlock";
    mutant_that_raises_a_broadcast_from_the_dead_is_killed: "tape.upgrade-of-the-dead" breaks || crate::explore(the_end_of_a_broadcast_is_final), says "the channel had ended";
    mutant_that_raises_a_watch_from_the_dead_is_killed: "watch.upgrade-of-the-dead" breaks || crate::explore(the_end_of_a_watch_is_final), says "the channel had ended";
    mutant_that_raises_a_rendezvous_from_the_dead_is_killed: "table.upgrade-of-the-dead" breaks || crate::explore(the_end_of_a_rendezvous_is_final), says "the channel had ended";
}
