//! The cores whose waiters are all told: broadcast, watch; and the rendezvous.

use std::task::Waker;

use asupersync_sync::{
    Closed, WaitNode,
    broadcast::tape::{Cursor, Missed, Tape},
    rendezvous::table::{Offer, Table},
    watch::latest::Latest,
};
use loom::{sync::Arc, thread};

use crate::{block_on, holds};

fn next(tape: &Tape<u8, Waker>, at: &mut Cursor<u8>) -> Result<u8, Missed> {
    let mut node = WaitNode::new();
    block_on(|waker| tape.poll_recv(&mut node, at, || waker))
}

/// The receiver of a tape for one value gets or is told of both.
fn what_is_lost_is_counted() {
    let tape = Arc::new(Tape::<u8, Waker>::new(1));
    let sends = tape.clone();
    let sender = thread::spawn(move || {
        assert_eq!((sends.send(1), sends.send(2)), (Ok(1), Ok(1)));
        sends.leave_senders();
    });
    let (mut at, mut received, mut lost) = (Cursor::new(0), 0, 0);
    loop {
        match next(&tape, &mut at) {
            Ok(_) => received += 1,
            Err(Missed::Lagged(n)) => lost += n,
            Err(Missed::Closed) => break,
        }
    }
    assert_eq!(received + lost, 2, "a loss was not told");
    sender.join().unwrap();
}

/// A receiver has a page of two values, and takes the second one out of it without the lock, or is told that it's lost. Loom
/// knows nothing of the places in a page, which are the standard library's; it orders the looks and the numbers.
fn a_page_is_read_without_the_lock() {
    let tape = Arc::new(Tape::<u8, Waker>::new(2));
    assert_eq!(tape.send(0), Ok(1));
    let mut at = Cursor::new(0);
    assert_eq!(next(&tape, &mut at), Ok(0), "with it came its page");
    let mut kept = at.clone();
    let sends = tape.clone();
    let sender = thread::spawn(move || (1..4).for_each(|value| assert_eq!(sends.send(value), Ok(1))));
    match next(&tape, &mut at) {
        Ok(value) => assert_eq!((value, at.next()), (1, 2)),
        Err(missed) => assert_eq!((missed, at.next()), (Missed::Lagged(1), 2)),
    }
    sender.join().unwrap();
    // Now it's known that 2 and 3 are kept, and nothing else, whatever lies in a page.
    assert_eq!(next(&tape, &mut kept), Err(Missed::Lagged(1)), "what was overwritten was received");
    for at in [&mut at, &mut kept] {
        assert_eq!((next(&tape, at), next(&tape, at)), (Ok(2), Ok(3)));
    }
}

fn the_last_change_is_seen() {
    let latest = Arc::new(Latest::<u8, Waker>::new(0));
    let changes = latest.clone();
    let sender = thread::spawn(move || {
        changes.replace(1);
        changes.replace(2);
        changes.leave_senders();
    });
    let (mut seen, mut last) = (0, 0);
    loop {
        let mut node = WaitNode::new();
        match block_on(|waker| latest.poll_changed(&mut node, seen, || waker)) {
            Ok(_) => {
                (last, seen) = {
                    let look = latest.look();
                    (*look.0, look.1)
                }
            }
            Err(Closed) => break,
        }
    }
    assert_eq!(last, 2, "the last change was missed");
    sender.join().unwrap();
}

/// Two change a value, of which copies have to be made, while a third replaces nothing but looks.
fn no_change_is_undone() {
    let latest = Arc::new(Latest::<u8, Waker>::new(0));
    let kept = latest.look().0;
    let other = latest.clone();
    let add = |latest: &Latest<u8, Waker>| {
        latest.modify(|value| {
            *value += 1;
            true
        })
    };
    let adds = thread::spawn(move || assert!(add(&other)));
    assert!(add(&latest));
    assert!(*latest.look().0 >= 1, "a change was undone");
    adds.join().unwrap();
    assert_eq!((*kept, *latest.look().0, latest.version()), (0, 2, 2), "a change was undone");
}

/// A sender hands a value over while another withdraws its own: the receiver gets what was not withdrawn.
fn a_value_is_taken_or_withdrawn() {
    let table = Arc::new(Table::<u8, Waker>::default());
    let mut withdrawn = Offer::default();
    assert!(table.poll_send(&mut withdrawn, &mut Some(1), crate::nobody).is_pending());
    let hands = table.clone();
    let sender = thread::spawn(move || {
        let (mut offer, mut value) = (Offer::default(), Some(2));
        assert!(block_on(|waker| hands.poll_send(&mut offer, &mut value, || waker)));
    });
    let takes = table.clone();
    let receiver = thread::spawn(move || {
        let mut sum = 0;
        while sum < 2 {
            sum += block_on(|waker| takes.poll_recv(|| waker)).unwrap();
        }
        sum
    });
    let back = table.withdraw(&mut withdrawn).unwrap_or(0);
    sender.join().unwrap();
    assert_eq!(receiver.join().unwrap() + back, 3, "a value was in two places or in none");
}

/// A value is put into the hand of a receiver that gives its wait up.
fn what_is_in_the_hand_stays_there() {
    let table = Arc::new(Table::<u8, Waker>::default());
    let hands = table.clone();
    let sender = thread::spawn(move || hands.try_send(1).is_ok());
    let received = table.poll_recv(crate::nobody).is_ready();
    table.forget_receiver();
    let sent = sender.join().unwrap();
    assert_eq!(sent, received || table.try_recv().is_ok(), "what was handed over is gone");
}

/// A receiver waits, and is handed a value by somebody who never does.
fn who_waits_hears_of_what_is_in_its_hand() {
    let table = Arc::new(Table::<u8, Waker>::default());
    let hands = table.clone();
    let sender = thread::spawn(move || {
        while hands.try_send(1).is_err() {
            thread::yield_now();
        }
    });
    assert_eq!(block_on(|waker| table.poll_recv(|| waker)), Some(1));
    sender.join().unwrap();
}

#[test]
fn a_slow_receiver_is_told_what_it_lost() {
    holds(what_is_lost_is_counted);
}

#[test]
fn what_a_receiver_has_in_its_page_is_the_next_value_or_overwritten() {
    holds(a_page_is_read_without_the_lock);
}

#[test]
fn the_last_change_is_never_missed() {
    holds(the_last_change_is_seen);
}

#[test]
fn changes_to_copies_do_not_undo_each_other() {
    holds(no_change_is_undone);
}

#[test]
fn a_withdrawn_offer_is_nobody_elses() {
    holds(a_value_is_taken_or_withdrawn);
}

#[test]
fn a_value_that_is_handed_over_at_once_is_the_receivers() {
    holds(what_is_in_the_hand_stays_there);
    holds(who_waits_hears_of_what_is_in_its_hand);
}

mutants::mutants! {
    mutant_that_empties_the_hand_is_killed: "table.hand-forgotten" breaks || crate::explore(what_is_in_the_hand_stays_there), says "what was handed over is gone";
    mutant_whose_hand_is_filled_unheard_is_killed: "table.hand-unheard" breaks || crate::explore(who_waits_hears_of_what_is_in_its_hand), says "deadlock";
    mutant_that_does_not_count_a_loss_is_killed: "tape.loss-untold" breaks || crate::explore(what_is_lost_is_counted), says "assertion";
    mutant_that_reads_what_was_overwritten_is_killed: "tape.stale-page" breaks || crate::explore(a_page_is_read_without_the_lock), says "what was overwritten was received";
    mutant_whose_broadcast_ends_unheard_is_killed: "tape.end-unheard" breaks || crate::explore(what_is_lost_is_counted), says "deadlock";
    mutant_that_keeps_the_version_is_killed: "watch.version-kept" breaks || crate::explore(the_last_change_is_seen), says "the last change was missed";
    mutant_whose_watch_ends_unheard_is_killed: "watch.end-unheard" breaks || crate::explore(the_last_change_is_seen), says "deadlock";
    mutant_that_changes_a_stale_copy_is_killed: "watch.stale-copy" breaks || crate::explore(no_change_is_undone), says "a change was undone";
    mutant_whose_offer_goes_unheard_is_killed: "table.offer-unheard" breaks || crate::explore(a_value_is_taken_or_withdrawn), says "deadlock";
    mutant_that_waits_without_a_second_look_is_killed: "table.no-second-look" breaks || crate::explore(a_value_is_taken_or_withdrawn), says "deadlock";
    mutant_that_withdraws_anothers_offer_is_killed: "table.withdraws-oldest" breaks || crate::explore(a_value_is_taken_or_withdrawn), says "deadlock";
}
