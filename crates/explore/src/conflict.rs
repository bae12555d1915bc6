//! [`conflicting`]: whether two operations of different tasks could be told apart by their order, as far as that can
//! be said without knowing the object's state.
//!
//! It is what samplers and reports need. The exact relation, which knows how full a channel was, belongs to the
//! exhaustive exploration.
use crate::scheduler::Touch;
use trace::{Access, ObjectKind};

/// Whether the two are on one object and racing: neither order is forced, and they don't commute.
#[must_use]
pub fn conflicting(one: &Touch, other: &Touch) -> bool {
    use Access::*;
    if one.object != other.object || (is_look(one.access) && is_look(other.access)) {
        return false;
    }
    match (one.access, other.access) {
        // What is given back makes the other possible: an order, not a race.
        (Release(_), Acquire(_)) | (Acquire(_), Release(_)) | (Release(_), Release(_)) => false,
        // Both enabled: one works at the front of the queue, the other at its back.
        (Send, Receive) | (Receive, Send) => false,
        // The first is what the second waits for.
        (Happen, Observe) | (Observe, Happen) | (Close, Ended) | (Ended, Close) => false,
        // Those who share a lock don't notice each other.
        (Acquire(1) | TryAcquire(1) | Release(1), Acquire(1) | TryAcquire(1) | Release(1)) => {
            !matches!(one.kind, ObjectKind::SharedLock { total } if total > 1)
        }
        _ => true,
    }
}

/// Whether the operation changes nothing.
fn is_look(access: Access) -> bool {
    matches!(access, Access::Read | Access::Refused(_) | Access::Empty | Access::Observe | Access::Ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace::ObjectId;

    fn touch(kind: ObjectKind, access: Access) -> Touch {
        Touch { object: ObjectId(1), kind, access, at: None }
    }

    #[test]
    fn looks_commute_and_changes_do_not() {
        let value = |access| touch(ObjectKind::Value, access);
        assert!(!conflicting(&value(Access::Read), &value(Access::Read)));
        assert!(conflicting(&value(Access::Read), &value(Access::Write)));
        assert!(conflicting(&value(Access::Write), &value(Access::Write)));
        let elsewhere = Touch { object: ObjectId(2), ..value(Access::Write) };
        assert!(!conflicting(&value(Access::Write), &elsewhere));
    }

    #[test]
    fn who_takes_a_lock_races_with_who_takes_it_too_unless_both_share_it() {
        let shared = ObjectKind::SharedLock { total: 8 };
        for take in [Access::Acquire(1), Access::TryAcquire(1)] {
            assert!(conflicting(
                &touch(ObjectKind::Lock, take),
                &touch(ObjectKind::Lock, Access::Acquire(1))
            ));
            assert!(!conflicting(&touch(shared, take), &touch(shared, Access::Acquire(1))));
            assert!(conflicting(&touch(shared, take), &touch(shared, Access::Acquire(8))));
        }
        assert!(!conflicting(
            &touch(ObjectKind::Lock, Access::Release(1)),
            &touch(ObjectKind::Lock, Access::Acquire(1))
        ));
        assert!(conflicting(
            &touch(ObjectKind::Lock, Access::Release(1)),
            &touch(ObjectKind::Lock, Access::TryAcquire(1))
        ));
    }

    #[test]
    fn the_two_ends_of_a_queue_commute_but_finding_it_empty_does_not() {
        let queue = |access| touch(ObjectKind::Queue, access);
        assert!(!conflicting(&queue(Access::Send), &queue(Access::Receive)));
        assert!(conflicting(&queue(Access::Send), &queue(Access::Send)));
        assert!(conflicting(&queue(Access::Send), &queue(Access::Empty)));
        assert!(conflicting(&queue(Access::Send), &queue(Access::TryReceive)));
    }
}
