//! What the watched value promises to one thread at a time.

use std::task::Waker;

use super::*;
use crate::wakes::counter::{Counter, Random};

#[test]
fn who_has_not_seen_the_latest_never_waits_and_others_are_told() {
    for seed in 0..200_u64 {
        let (mut random, latest) = (Random(seed), Latest::<u64, Waker>::new(0));
        let counter = Counter::new();
        let mut present = (0, 0);
        let mut readers: Vec<_> = (0..3).map(|_| (0, WaitNode::new(), 0)).collect();
        for value in 1..100 {
            match random.below(5) {
                0 => {
                    assert_eq!(*latest.replace(value), present.0);
                    present = (value, present.1 + 1);
                }
                1 => {
                    let tells = random.below(2) == 0;
                    latest.modify(|kept| {
                        *kept = value;
                        tells
                    });
                    present = (value, present.1 + u64::from(tells));
                }
                2 => latest.cancel(&mut readers[value as usize % 3].1),
                _ => {
                    let (seen, node, _) = &mut readers[value as usize % 3];
                    match latest.poll_changed(node, *seen, || counter.waker()) {
                        Poll::Ready(version) => {
                            assert_ne!(*seen, present.1);
                            *seen = version.unwrap();
                        }
                        Poll::Pending => assert_eq!(*seen, present.1),
                    }
                }
            }
            assert_eq!(*latest.look().0, present.0);
        }
        for reader in &mut readers {
            latest.cancel(&mut reader.1);
        }
        assert_eq!(counter.stored(), 0);
    }
}

#[test]
fn the_end_comes_after_the_last_version() {
    let (latest, mut node) = (Latest::<u8, Waker>::new(0), WaitNode::new());
    latest.replace(1);
    latest.leave_senders();
    let mut poll = |seen| latest.poll_changed(&mut node, seen, || Waker::noop().clone());
    assert_eq!(poll(0), Poll::Ready(Ok(1)));
    assert_eq!(poll(1), Poll::Ready(Err(Closed)));
}

#[test]
fn what_somebody_looks_at_is_not_changed_under_its_eyes() {
    let latest = Latest::<u8, Waker>::new(1);
    let look = latest.look().0;
    latest.modify(|value| {
        *value = 2;
        true
    });
    assert_eq!((*look, *latest.look().0), (1, 2));
}
