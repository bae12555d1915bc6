//! The two-phase ring.

use std::task::{Poll, Waker};

use asupersync_sync::{Closed, WaitNode, mpsc::ring as mpsc};
use loom::{sync::Arc, thread};

use crate::{block_on, holds, nobody};

type Tx<T> = mpsc::Tx<T, Waker>;
type Rx<T> = mpsc::Rx<T, Waker>;

fn send<T>(tx: &Tx<T>, value: T) -> Result<(), T> {
    let mut wait = tx.reserve();
    match block_on(|waker| wait.poll(|| waker)) {
        Ok(permit) => permit.send(value),
        Err(Closed) => Err(value),
    }
}

fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
    block_on(|waker| rx.poll_recv(|| waker))
}

fn two_senders_share_one_place() {
    let (tx, mut rx) = mpsc::channel(1);
    let senders = [1, 2].map(|value| {
        let tx = tx.clone();
        thread::spawn(move || send(&tx, value).unwrap())
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

fn values_arrive_in_order() {
    let (tx, mut rx) = mpsc::channel(2);
    let sender = thread::spawn(move || (0..3).for_each(|value| send(&tx, value).unwrap()));
    for value in 0..3 {
        assert_eq!(recv(&mut rx), Some(value));
    }
    assert_eq!(recv(&mut rx), None);
    sender.join().unwrap();
}

fn a_held_permit_blocks_nobody() {
    let (tx, mut rx) = mpsc::channel(2);
    let held = tx.try_permit().unwrap();
    let other = tx.clone();
    let sender = thread::spawn(move || send(&other, 7).unwrap());
    assert_eq!(recv(&mut rx), Some(7));
    held.send(9).unwrap();
    assert_eq!(recv(&mut rx), Some(9));
    sender.join().unwrap();
}

fn a_dropped_permit_is_the_waiters() {
    let (tx, mut rx) = mpsc::channel(1);
    let held = tx.try_permit().unwrap();
    let other = tx.clone();
    let sender = thread::spawn(move || send(&other, 5).unwrap());
    drop(held);
    assert_eq!(recv(&mut rx), Some(5));
    sender.join().unwrap();
}

/// Held permits leave one place of four. The receiver takes one value and then waits for the sender itself, not for
/// the channel: the room must have been handed on by the receive.
fn room_is_handed_on_before_the_receiver_looks_elsewhere() {
    let (tx, mut rx) = mpsc::channel(4);
    for _ in 0..3 {
        tx.try_reserve().unwrap();
    }
    let other = tx.clone();
    let sender = thread::spawn(move || (0..2).for_each(|value| send(&other, value).unwrap()));
    assert_eq!(recv(&mut rx), Some(0));
    sender.join().unwrap();
    assert_eq!(recv(&mut rx), Some(1));
}

/// A waiter gives up while room is made; another one is behind it.
fn a_cancelled_wait_passes_its_credit_on() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(0).unwrap();
    let mut gives_up = tx.reserve();
    assert!(gives_up.poll(nobody).is_pending());
    let other = tx.clone();
    let sender = thread::spawn(move || send(&other, 1).unwrap());
    let receiver = thread::spawn(move || {
        assert_eq!(recv(&mut rx), Some(0));
        assert_eq!(recv(&mut rx), Some(1));
    });
    drop(gives_up);
    sender.join().unwrap();
    receiver.join().unwrap();
}

/// The receiver goes away while a permit is spent and a value is sent. Every value is an `Arc`: loom reports a value
/// that was lost, and a value in two places shows in the count.
fn no_value_is_lost_when_the_receiver_goes() {
    let (tx, rx): (Tx<Arc<()>>, _) = mpsc::channel(2);
    let value = Arc::new(());
    let permit = tx.try_permit().unwrap();
    let other = tx.clone();
    let sender = {
        let value = value.clone();
        thread::spawn(move || other.try_send(value).map_err(drop).is_ok())
    };
    let receiver = thread::spawn(move || drop(rx));
    let returned = permit.send(value.clone());
    sender.join().unwrap();
    receiver.join().unwrap();
    assert_eq!(Arc::strong_count(&value), 1 + usize::from(returned.is_err()));
}

/// Closing races with a wait, a permit that is spent, and a permit that is dropped.
fn a_closed_channel_delivers_what_was_promised_and_ends() {
    let (tx, mut rx) = mpsc::channel(2);
    let promised = tx.clone();
    promised.try_reserve().unwrap();
    tx.try_reserve().unwrap();
    let committer = thread::spawn(move || promised.commit(1).unwrap());
    let aborter = thread::spawn(move || tx.abort());
    rx.close();
    assert_eq!(recv(&mut rx), Some(1));
    assert_eq!(recv(&mut rx), None);
    committer.join().unwrap();
    aborter.join().unwrap();
}

fn a_waiting_sender_is_told_of_the_close() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(0).unwrap();
    let sender = thread::spawn(move || {
        let mut wait = tx.reserve();
        block_on(|waker| wait.poll(|| waker)).is_ok()
    });
    rx.close();
    assert!(!sender.join().unwrap());
    assert_eq!(recv(&mut rx), Some(0));
    assert!(matches!(rx.poll_recv(nobody), Poll::Ready(None)));
}

#[test]
fn two_senders_with_capacity_one_are_both_received() {
    holds(two_senders_share_one_place);
}

#[test]
fn one_sender_is_received_in_order() {
    holds(values_arrive_in_order);
}

#[test]
fn a_held_permit_does_not_block_a_later_message() {
    holds(a_held_permit_blocks_nobody);
}

#[test]
fn a_dropped_permit_wakes_a_waiter() {
    holds(a_dropped_permit_is_the_waiters);
}

#[test]
fn held_permits_shrink_the_ring_but_room_is_handed_on_at_once() {
    holds(room_is_handed_on_before_the_receiver_looks_elsewhere);
}

#[test]
fn a_cancelled_waiter_costs_nobody_a_credit() {
    holds(a_cancelled_wait_passes_its_credit_on);
}

#[test]
fn a_value_is_in_one_place_when_the_receiver_is_dropped() {
    holds(no_value_is_lost_when_the_receiver_goes);
}

#[test]
fn close_waits_for_outstanding_credits() {
    holds(a_closed_channel_delivers_what_was_promised_and_ends);
}

/// Who wants two places gives up while they are made; the one behind it wants one and must not be held up.
fn a_big_wait_that_is_given_up_holds_nobody_up() {
    let (tx, mut rx) = mpsc::channel(2);
    tx.try_send(0).unwrap();
    let mut node = WaitNode::new();
    assert!(tx.poll_reserve_many(&mut node, 2, nobody).is_pending());
    let other = tx.clone();
    let sender = thread::spawn(move || send(&other, 1).unwrap());
    tx.cancel(&mut node);
    // Not before: the room is there from the start.
    sender.join().unwrap();
    assert_eq!(recv(&mut rx), Some(0));
    assert_eq!(recv(&mut rx), Some(1));
}

/// Room for two is assigned and given up: all of it comes back.
fn all_room_of_a_big_wait_comes_back() {
    let (tx, mut rx) = mpsc::channel(2);
    tx.try_send(0).unwrap();
    tx.try_send(0).unwrap();
    let mut node = WaitNode::new();
    assert!(tx.poll_reserve_many(&mut node, 2, nobody).is_pending());
    let receiver = thread::spawn(move || {
        assert_eq!(recv(&mut rx), Some(0));
        assert_eq!(recv(&mut rx), Some(0));
        rx
    });
    tx.cancel(&mut node);
    let rx = receiver.join().unwrap();
    assert!(tx.try_send(1).is_ok() && tx.try_send(2).is_ok(), "room was lost");
    drop(rx);
}

/// The last sender goes while a weak one comes back: either the channel has ended for both, or for neither.
fn an_end_is_final() {
    let (tx, mut rx) = mpsc::channel::<u8, Waker>(1);
    let weak = tx.downgrade();
    let other = thread::spawn(move || weak.upgrade().is_some_and(|tx| tx.try_send(1).is_ok()));
    drop(tx);
    let received = recv(&mut rx).is_some();
    assert_eq!(other.join().unwrap(), received, "the channel had ended");
}

#[test]
fn a_wait_for_much_room_that_is_given_up_holds_nobody_up() {
    holds(a_big_wait_that_is_given_up_holds_nobody_up);
}

#[test]
fn a_cancelled_wait_for_much_room_gives_all_of_it_back() {
    holds(all_room_of_a_big_wait_comes_back);
}

#[test]
fn a_channel_ends_once() {
    holds(an_end_is_final);
}

#[test]
fn close_reaches_waiting_senders() {
    holds(a_waiting_sender_is_told_of_the_close);
}

mutants::mutants! {
    mutant_that_looks_for_room_before_the_bits_is_killed: "mpsc.waiters-after-check" breaks || crate::explore(two_senders_share_one_place), says "deadlock";
    mutant_that_stores_the_waiter_after_the_flag_is_killed: "mpsc.waiter-after-flag" breaks || crate::explore(two_senders_share_one_place), says "deadlock";
    mutant_that_overwrites_the_head_word_is_killed: "mpsc.head-overwritten" breaks || crate::explore(two_senders_share_one_place), says "deadlock";
    mutant_whose_abort_forgets_waiters_is_killed: "mpsc.abort-forgets-waiters" breaks || crate::explore(a_dropped_permit_is_the_waiters), says "deadlock";
    mutant_that_drops_a_cancelled_grant_is_killed: "mpsc.cancel-drops-grant" breaks || crate::explore(a_cancelled_wait_passes_its_credit_on), says "deadlock";
    mutant_whose_big_wait_holds_others_up_is_killed: "mpsc.cancel-holds-up" breaks || crate::explore(a_big_wait_that_is_given_up_holds_nobody_up), says "deadlock";
    mutant_that_gives_one_place_of_two_back_is_killed: "mpsc.cancel-returns-one" breaks || crate::explore(all_room_of_a_big_wait_comes_back), says "room was lost";
    mutant_that_raises_a_channel_from_the_dead_is_killed: "mpsc.upgrade-of-the-dead" breaks || crate::explore(an_end_is_final), says "the channel had ended";
    mutant_that_skips_unpublished_values_is_killed: "mpsc.drop-skips-unpublished" breaks || crate::explore(no_value_is_lost_when_the_receiver_goes), says "assertion `left == right` failed";
}
