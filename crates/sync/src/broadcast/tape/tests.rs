//! What the tape promises, against a naive model under random operations.

use std::{sync::Arc, task::Waker};

use super::*;
use crate::wakes::counter::{Counter, Random};

struct Reader<T> {
    cursor: Cursor<T>,
    /// Where it is in all that was ever sent.
    place: usize,
    node: WaitNode,
}

#[test]
fn every_receiver_gets_or_is_told_of_every_value() {
    for seed in 0..300_u64 {
        let mut random = Random(seed);
        let capacity = 1 + random.below(if seed % 4 == 0 { 80 } else { 4 }) as usize;
        let (tape, counter, token) = (Tape::<_, Waker>::new(capacity), Counter::new(), Arc::new(()));
        let mut all = Vec::new();
        let mut readers = vec![Reader { cursor: Cursor::new(0), place: 0, node: WaitNode::new() }];
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
                    let cursor = tape.join_receivers();
                    readers.push(Reader { cursor, place: all.len(), node: WaitNode::new() });
                }
                4 if !readers.is_empty() && random.below(4) == 0 => {
                    let mut reader = readers.swap_remove(random.below(readers.len() as u64) as usize);
                    tape.cancel(&mut reader.node);
                    tape.leave_receivers();
                }
                _ if !readers.is_empty() => {
                    let which = random.below(readers.len() as u64) as usize;
                    let Reader { cursor, place, node } = &mut readers[which];
                    let oldest = all.len().saturating_sub(capacity);
                    match tape.poll_recv(node, cursor, || counter.waker()) {
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
                    assert_eq!(tape.ahead_of(cursor) as usize, all.len() - *place);
                }
                _ => {}
            }
            // The tape's, and a page of each reader's.
            let kept = capacity + (1 + readers.len()) * capacity.min(PAGE);
            assert!(Arc::strong_count(&token) <= 1 + kept, "no more is kept than was said");
        }
        for reader in &mut readers {
            tape.cancel(&mut reader.node);
        }
        drop((tape, readers));
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
    let (tape, mut cursor) = (Tape::<_, Waker>::new(2), Cursor::new(0));
    tape.send(1).unwrap();
    tape.leave_senders();
    assert_eq!(tape.try_recv(&mut cursor), Some(Ok(1)));
    assert_eq!(tape.try_recv(&mut cursor), Some(Err(Missed::Closed)));
}
