//! What the table promises, against a naive model under random operations.

use std::{collections::VecDeque, sync::Arc, task::Waker};

use super::*;
use crate::wakes::counter::{Counter, Random};

type Value = (usize, Arc<()>);

#[test]
fn every_offer_is_taken_in_turn_or_goes_back() {
    for seed in 0..300_u64 {
        let (mut random, table) = (Random(seed), Table::<Value, Waker>::default());
        let (counter, token) = (Counter::new(), Arc::new(()));
        // Who offers, and what is on the table according to the model.
        let mut sends: Vec<(usize, Offer, Option<Value>)> = Vec::new();
        let mut offered = VecDeque::new();
        let mut closed = false;
        for value in 0..120 {
            match random.below(8) {
                0..=2 => {
                    let mut send = (value, Offer::default(), Some((value, token.clone())));
                    let polled = table.poll_send(&mut send.1, &mut send.2, || counter.waker());
                    assert_eq!(polled.is_ready(), closed);
                    if closed {
                        assert!(polled == Poll::Ready(false) && send.2.is_some(), "it comes back");
                    } else {
                        offered.push_back(value);
                        sends.push(send);
                    }
                }
                3 if !sends.is_empty() => {
                    let (value, mut offer, mut back) =
                        sends.swap_remove(random.below(sends.len() as u64) as usize);
                    let on_table = offered.iter().position(|one| *one == value);
                    assert_eq!(table.withdraw(&mut offer).or(back.take()).is_some(), on_table.is_some());
                    on_table.map(|place| offered.remove(place));
                }
                4 if !sends.is_empty() => {
                    let which = random.below(sends.len() as u64) as usize;
                    let (value, offer, back) = &mut sends[which];
                    let polled = table.poll_send(offer, back, || counter.waker());
                    match offered.iter().position(|one| one == value) {
                        Some(place) if closed => {
                            assert!(polled == Poll::Ready(false) && back.is_some());
                            offered.remove(place);
                        }
                        Some(_) => assert!(polled.is_pending()),
                        None => assert_eq!(polled, Poll::Ready(true)),
                    }
                    if polled.is_ready() {
                        sends.swap_remove(which);
                    }
                }
                5 if random.below(40) == 0 => {
                    table.close();
                    closed = true;
                }
                _ => {
                    // What was refused is its sender's.
                    let expected = if closed { None } else { offered.pop_front() };
                    let polled = table.poll_recv(|| counter.waker());
                    assert_eq!(polled.is_pending(), expected.is_none() && !closed);
                    if let Poll::Ready(got) = polled {
                        assert_eq!(got.map(|(value, _)| value), expected);
                    }
                }
            }
            assert_eq!(Arc::strong_count(&token), 1 + offered.len(), "a value is in one place");
        }
        for (_, mut offer, _) in sends {
            drop(table.withdraw(&mut offer));
        }
        table.forget_receiver();
        assert_eq!((Arc::strong_count(&token), counter.stored()), (1, 0));
    }
}

/// Senders come and go, some of them made of weak ones, and each offers at most one value: all that is offered is taken, and then
/// comes the end, which is final.
#[test]
fn an_end_is_where_a_naive_count_sees_it() {
    for seed in 0..300_u64 {
        let (mut random, table) = (Random(seed), Table::<Value, Waker>::default());
        let (counter, token) = (Counter::new(), Arc::new(()));
        let (mut senders, mut offers) = (1, VecDeque::new());
        for value in 0..100 {
            match random.below(7) {
                0 if senders > offers.len() => {
                    let (mut offer, mut one) = (Offer::default(), Some((value, token.clone())));
                    assert!(table.poll_send(&mut offer, &mut one, || counter.waker()).is_pending());
                    offers.push_back((value, offer));
                }
                1 | 2 => {
                    assert_eq!(table.rejoin_senders(), senders > 0, "an end is final");
                    senders += usize::from(senders > 0);
                }
                3 if senders > offers.len() && (senders > 1 || random.below(8) == 0) => {
                    table.leave_senders();
                    senders -= 1;
                }
                _ => match (table.poll_recv(|| counter.waker()), offers.pop_front()) {
                    (Poll::Ready(Some((got, _))), Some((oldest, mut offer))) => {
                        assert_eq!(got, oldest);
                        let sent = table.poll_send(&mut offer, &mut None, || counter.waker());
                        assert_eq!(sent, Poll::Ready(true));
                    }
                    (Poll::Ready(None), None) => assert_eq!(senders, 0),
                    (Poll::Pending, None) => assert!(senders > 0),
                    (other, expected) => panic!("{other:?} where the model has {expected:?}"),
                },
            }
            assert_eq!(Arc::strong_count(&token), 1 + offers.len(), "a value is in one place");
        }
        for (_, mut offer) in offers {
            assert!(table.withdraw(&mut offer).is_some());
        }
        table.forget_receiver();
        assert_eq!((Arc::strong_count(&token), counter.stored()), (1, 0));
    }
}

#[test]
fn a_value_goes_into_the_hand_of_a_receiver_that_waits_and_no_other() {
    let (table, counter, token) = (Table::<Arc<()>, Waker>::default(), Counter::new(), Arc::new(()));
    let full = Err(TrySendError::Full(token.clone()));
    assert_eq!(table.try_send(token.clone()), full, "nobody waits");
    assert!(table.poll_recv(|| counter.waker()).is_pending());
    assert_eq!((table.try_send(token.clone()), counter.wakes(), counter.stored()), (Ok(()), 1, 0));
    assert_eq!(table.try_send(token.clone()), full, "the hand is full");
    let (mut offer, mut value) = (Offer::default(), Some(Arc::new(())));
    assert!(table.poll_send(&mut offer, &mut value, || counter.waker()).is_pending());
    // The wait is given up; what is in the hand is older than what is offered.
    table.forget_receiver();
    assert!(table.try_recv().is_ok_and(|first| Arc::ptr_eq(&first, &token)));
    assert!(table.try_recv().is_ok_and(|second| !Arc::ptr_eq(&second, &token)));
    assert_eq!(table.poll_send(&mut offer, &mut value, || counter.waker()), Poll::Ready(true));
    // After a close it is still received; after the receiver has left it is dropped.
    assert!(table.poll_recv(|| counter.waker()).is_pending() && table.try_send(token.clone()).is_ok());
    table.close();
    assert!(table.try_recv().is_ok());
    assert_eq!(table.try_send(token.clone()), Err(TrySendError::Closed(token.clone())));
    let table = Table::<Arc<()>, Waker>::default();
    assert!(table.poll_recv(|| counter.waker()).is_pending() && table.try_send(token.clone()).is_ok());
    table.leave_receiver();
    drop(full);
    assert_eq!((Arc::strong_count(&token), counter.stored()), (1, 0));
}
