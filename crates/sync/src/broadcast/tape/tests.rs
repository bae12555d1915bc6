//! What the tape promises, against a naive model under random operations.

use std::{sync::Arc, task::Waker};

use super::*;
use crate::wakes::counter::{Counter, Random};

struct Reader {
    next: u64,
    /// Where it is in all that was ever sent.
    place: usize,
    node: WaitNode,
}

#[test]
fn every_receiver_gets_or_is_told_of_every_value() {
    for seed in 0..300_u64 {
        let mut random = Random(seed);
        let capacity = 1 + random.below(4) as usize;
        let (tape, counter, token) = (Tape::<_, Waker>::new(capacity), Counter::new(), Arc::new(()));
        let mut all = Vec::new();
        let mut readers = vec![Reader { next: 0, place: 0, node: WaitNode::new() }];
        for value in 0..150_usize {
            match random.below(8) {
                0..=2 => {
                    let sent = tape.send((value, token.clone()));
                    assert_eq!(sent.as_ref().copied().unwrap_or(0), readers.len());
                    if sent.is_ok() {
                        all.push(value);
                    }
                }
                3 if random.below(3) == 0 => {
                    let next = tape.join_receivers();
                    readers.push(Reader { next, place: all.len(), node: WaitNode::new() });
                }
                4 if !readers.is_empty() && random.below(4) == 0 => {
                    let mut reader = readers.swap_remove(random.below(readers.len() as u64) as usize);
                    tape.cancel(&mut reader.node);
                    tape.leave_receivers();
                }
                _ if !readers.is_empty() => {
                    let which = random.below(readers.len() as u64) as usize;
                    let Reader { next, place, node } = &mut readers[which];
                    let oldest = all.len().saturating_sub(capacity);
                    match tape.poll_recv(node, next, || counter.waker()) {
                        Poll::Ready(Ok(got)) => {
                            assert!(*place >= oldest);
                            assert_eq!(got.0, all[*place]);
                            *place += 1;
                        }
                        Poll::Ready(Err(Missed::Lagged(lost))) => {
                            assert_eq!(lost as usize, oldest - *place);
                            *place = oldest;
                        }
                        Poll::Ready(Err(Missed::Closed)) => panic!("a sender is left"),
                        Poll::Pending => assert_eq!(*place, all.len()),
                    }
                    assert_eq!(tape.ahead_of(*next) as usize, all.len() - *place);
                }
                _ => {}
            }
            assert!(Arc::strong_count(&token) <= 1 + capacity, "no more is kept than was said");
        }
        for reader in &mut readers {
            tape.cancel(&mut reader.node);
        }
        drop(tape);
        assert_eq!((Arc::strong_count(&token), counter.stored()), (1, 0));
    }
}

#[test]
fn the_last_receiver_takes_the_values_along() {
    let (tape, token) = (Tape::<_, Waker>::new(2), Arc::new(()));
    tape.send(token.clone()).unwrap();
    tape.leave_receivers();
    assert_eq!(Arc::strong_count(&token), 1);
    assert!(tape.send(token.clone()).is_err());
}

#[test]
fn the_end_comes_after_the_last_value() {
    let (tape, mut next) = (Tape::<_, Waker>::new(2), 0);
    tape.send(1).unwrap();
    tape.leave_senders();
    assert_eq!(tape.try_recv(&mut next), Some(Ok(Arc::new(1))));
    assert_eq!(tape.try_recv(&mut next), Some(Err(Missed::Closed)));
}
