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

/// Senders come and go, some of them made of weak ones: the last value is seen before the end, and the end is final.
#[test]
fn an_end_is_where_a_naive_count_sees_it() {
    for seed in 0..200_u64 {
        let (mut random, latest) = (Random(seed), Latest::<u64, Waker>::new(0));
        let (counter, mut node, mut seen) = (Counter::new(), WaitNode::new(), 0);
        let (mut senders, mut version) = (1, 0);
        for value in 1..100 {
            match random.below(6) {
                0 if senders > 0 => {
                    latest.replace(value);
                    version += 1;
                }
                1 | 2 => {
                    assert_eq!(latest.rejoin_senders(), senders > 0, "an end is final");
                    senders += usize::from(senders > 0);
                }
                3 if senders > 1 || senders == 1 && random.below(8) == 0 => {
                    let waited = counter.stored() > 0;
                    let told = counter.wakes();
                    latest.leave_senders();
                    senders -= 1;
                    assert_eq!(counter.wakes() - told, usize::from(waited && senders == 0));
                }
                _ => match latest.poll_changed(&mut node, seen, || counter.waker()) {
                    Poll::Ready(Ok(now)) => {
                        assert!(now != seen && now == version);
                        seen = now;
                    }
                    Poll::Ready(Err(Closed)) => assert_eq!((seen, senders), (version, 0)),
                    Poll::Pending => assert!(seen == version && senders > 0),
                },
            }
            assert_eq!(latest.parties(), (senders, 1));
        }
        latest.cancel(&mut node);
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
