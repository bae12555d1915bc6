//! What the line promises to one thread at a time, and against a naive model under random operations.

use std::{collections::VecDeque, sync::Arc, task::Waker};

use super::*;
use crate::wakes::counter::Counter;

fn poll<T>(rx: &mut Rx<T, Waker>, node: &mut WaitNode, counter: &Counter) -> Poll<Option<T>> {
    rx.poll_recv(node, || counter.waker())
}

#[test]
fn a_place_outlives_a_close_and_its_value_is_the_last() {
    let (tx, mut rx) = channel::<u8, Waker>();
    let (counter, mut node) = (Counter::new(), WaitNode::new());
    tx.reserve().unwrap();
    tx.send(1).unwrap();
    rx.close();
    assert_eq!((tx.send(2), tx.reserve().is_err()), (Err(2), true));
    assert_eq!(poll(&mut rx, &mut node, &counter), Poll::Ready(Some(1)));
    assert!(poll(&mut rx, &mut node, &counter).is_pending());
    assert_eq!(tx.commit(3), Ok(()));
    assert_eq!(counter.wakes(), 1);
    assert_eq!(poll(&mut rx, &mut node, &counter), Poll::Ready(Some(3)));
    assert_eq!(poll(&mut rx, &mut node, &counter), Poll::Ready(None));
}

#[test]
fn the_last_place_given_up_after_a_close_ends_the_wait() {
    let (tx, mut rx) = channel::<u8, Waker>();
    let (counter, mut node) = (Counter::new(), WaitNode::new());
    tx.reserve().unwrap();
    rx.close();
    assert!(poll(&mut rx, &mut node, &counter).is_pending());
    tx.abort();
    assert_eq!((counter.wakes(), poll(&mut rx, &mut node, &counter)), (1, Poll::Ready(None)));
}

#[test]
#[should_panic(expected = "a place was used that nobody had reserved")]
fn a_place_that_nobody_reserved_cannot_be_used() {
    let (tx, _rx) = channel::<u8, Waker>();
    let _ = tx.commit(1);
}

#[test]
fn a_channel_that_has_ended_does_not_begin_again() {
    let (tx, mut rx) = channel::<u8, Waker>();
    let weak = tx.downgrade();
    drop(weak.upgrade().expect("one is left"));
    drop(tx);
    assert!(weak.upgrade().is_none());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

/// What the model knows: who may send, and what is there.
#[derive(Default)]
struct Model {
    values: VecDeque<u32>,
    senders: usize,
    places: usize,
    closed: bool,
}

#[test]
fn a_line_does_what_a_naive_one_does() {
    for seed in 0..300_u64 {
        let mut random = crate::wakes::counter::Random(seed);
        let (tx, mut rx) = channel::<(u32, Arc<()>), Waker>();
        let (counter, mut node, token) = (Counter::new(), WaitNode::new(), Arc::new(()));
        let weak = tx.downgrade();
        let mut senders = vec![tx];
        let mut model = Model { senders: 1, ..Model::default() };
        for value in 0..120 {
            let open = model.senders > 0;
            match random.below(12) {
                0..=3 if open => {
                    let sent = senders[0].send((value, token.clone())).is_ok();
                    assert_eq!(sent, !model.closed);
                    if sent {
                        model.values.push_back(value);
                    }
                }
                4 if open => {
                    assert_eq!(senders[0].reserve().is_ok(), !model.closed);
                    model.places += usize::from(!model.closed);
                }
                5 if open && model.places > 0 => {
                    senders[0].commit((value, token.clone())).unwrap();
                    model.places -= 1;
                    model.values.push_back(value);
                }
                6 if open && model.places > 0 => {
                    senders[0].abort();
                    model.places -= 1;
                }
                7 => {
                    let upgraded = weak.upgrade();
                    assert_eq!(upgraded.is_some(), open);
                    model.senders += usize::from(open);
                    senders.extend(upgraded);
                }
                8 if model.senders > 1 || model.places == 0 && random.below(4) == 0 => {
                    model.senders -= usize::from(senders.pop().is_some());
                }
                9 if random.below(8) == 0 => {
                    rx.close();
                    model.closed = true;
                }
                10 => rx.cancel(&mut node),
                _ => {
                    let ended = model.senders == 0 || model.closed && model.places == 0;
                    let expected = model.values.pop_front();
                    match poll(&mut rx, &mut node, &counter) {
                        Poll::Ready(Some((value, _))) => assert_eq!(Some(value), expected),
                        Poll::Ready(None) => assert!(expected.is_none() && ended),
                        Poll::Pending => assert!(expected.is_none() && !ended),
                    }
                }
            }
            assert_eq!(rx.len(), model.values.len());
            assert_eq!(Arc::strong_count(&token), model.values.len() + 1, "no value is lost or kept");
        }
        rx.cancel(&mut node);
        drop((rx, senders));
        assert_eq!(Arc::strong_count(&token), 1);
    }
}
