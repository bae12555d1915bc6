//! [`relate`]: what the order of two operations of different tasks on one object means.
//!
//! Classes of executions are made of this relation: two executions are of one class if swapping neighbours that are
//! independent turns one into the other. Every rule below obeys two laws, and tests hold them to it by brute force:
//!
//! - `relation.commutes`: independent neighbours can be swapped, both are still possible then, do the same, and the
//!   state afterwards is the same.
//! - `relation.stable`: whether two operations are independent does not depend on the operations between them, so that
//!   each execution has one happens-before order, and all executions of its class have the same. A rule that asks
//!   "were there enough permits just then" breaks this: after two releases either could be the one an acquire needed,
//!   and no partial order says "one of the two". So permits and messages are numbered in the order in which they are
//!   taken and given, and the numbers decide.
//!
//! | object | rule |
//! |---|---|
//! | value | two looks are independent, everything else races |
//! | lock, permits, slots | acquires race, for the numbers of what they take (that any two of three would fit says nothing about all three); so do releases, for the numbers of what they give; an acquire happens after the release of the number it takes, and is independent of all others |
//! | ... refused | a look at the number of free permits: races with all that change it |
//! | shared lock | as a lock; those who share are independent of each other: there are more shares than could be taken |
//! | queue | sends race, receives race; message k is received after it was sent; a send and a receive of different messages are independent, one works at the back, the other at the front; what finds nothing races with all that send or take |
//! | close | races with whatever would end otherwise after it; messages that are there are received as ever |
//! | a sender that goes | races with the last one that does, which closes; of two that could go next either may be that |
//! | moment | who waits for it goes on after it |
//!
//! Not here: who did what before whom (`causality`), the numbers (`objects`).
use trace::{Access, ObjectKind};

/// What the order of an earlier and a later operation of different tasks on one object means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Relation {
    /// Nothing: neighbours can be swapped, and nobody could tell.
    Independent,
    /// They don't commute, and the later one could have come first.
    Race,
    /// The earlier one is why the later one could happen at all. There is nothing to reverse.
    Order,
}

/// An operation with what the relation needs to know about it: [`crate::Objects::mark`] makes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mark {
    /// The object, by the order in which they were met.
    pub(crate) object: u32,
    /// The number of the first permit taken or given, or of the message: how many there were before.
    pub(crate) ordinal: u32,
    pub(crate) kind: ObjectKind,
    pub(crate) access: Access,
}

/// What it means that `earlier` came before `later`, operations of different tasks.
#[must_use]
pub fn relate(earlier: &Mark, later: &Mark) -> Relation {
    use Relation::*;
    if earlier.object != later.object || (is_look(earlier.access) && is_look(later.access)) {
        return Independent;
    }
    match earlier.kind {
        ObjectKind::Value => value(earlier.access, later.access),
        ObjectKind::Lock => permits(1, earlier, later),
        ObjectKind::Permits { total } | ObjectKind::Slots { total } => permits(total, earlier, later),
        ObjectKind::SharedLock { total } => shared(total, earlier, later),
        ObjectKind::Queue => queue(earlier, later),
        ObjectKind::Moment => moment(earlier.access, later.access),
    }
}

/// Whether all operations before `earlier` that `later` is related to are related to `earlier` too, so that who knows that
/// `earlier` happens before need look no further.
pub(crate) fn settles(earlier: &Mark, later: &Mark) -> bool {
    use Access::*;
    match (earlier.kind, earlier.access, later.access) {
        (ObjectKind::Value, Write | Set(_), _) | (ObjectKind::Value, Read, Read) => true,
        // Who takes a lock comes after everything that was done to it.
        (ObjectKind::Lock, Acquire(_) | TryAcquire(_), _) => true,
        (ObjectKind::Queue, Send, Send) => !types::seeded!("explore.coarse-channels"),
        _ => false,
    }
}

/// Whether two operations of different tasks, both possible in one state, can be told apart by their order.
pub(crate) fn commute(one: &Mark, other: &Mark) -> bool {
    !may_close(one, other)
        && relate(one, other) == Relation::Independent
        && relate(other, one) == Relation::Independent
}

/// Whether both are senders that go: each was not the last one, and the second of the two may be, which closes. In an
/// execution that is seen by what the second did; of two that could both come next nobody knows it.
fn may_close(one: &Mark, other: &Mark) -> bool {
    let goes = |mark: &Mark| mark.kind == ObjectKind::Queue && matches!(mark.access, Access::Release(_));
    one.object == other.object && goes(one) && goes(other) && !types::seeded!("explore.nobody-goes-last")
}

/// Whether the operation changes nothing. What refuses, or finds nothing, is a look that failed.
fn is_look(access: Access) -> bool {
    matches!(access, Access::Read | Access::Refused(_) | Access::Empty | Access::Ended | Access::Observe)
        && !(types::seeded!("explore.refused-writes") && matches!(access, Access::Refused(_)))
}

/// Who writes what is there already changes nothing, and still says so: that nobody could tell would be known only after
/// the fact, and to no plan.
fn value(earlier: Access, later: Access) -> Relation {
    match (earlier, later) {
        (Access::Set(one), Access::Set(other))
            if one == other && types::seeded!("explore.equal-writes-commute") =>
        {
            Relation::Independent
        }
        _ => Relation::Race,
    }
}

fn permits(total: u32, earlier: &Mark, later: &Mark) -> Relation {
    use Access::*;
    match (earlier.access, later.access) {
        // The acquire takes the numbers from its ordinal on; number `k + total` is there once number `k` was given
        // back. Releases are in order, so to need a later number of a release is to need its first.
        (Release(_), Acquire(count) | TryAcquire(count)) => {
            let needs = u64::from(later.ordinal) + u64::from(count);
            let needed = u64::from(earlier.ordinal) + u64::from(total) < needs;
            match later.access {
                _ if !needed => Relation::Independent,
                Acquire(_) => Relation::Order,
                // Without it the attempt would have been refused.
                _ => Relation::Race,
            }
        }
        // What was given back after the acquire is not what the acquire took.
        (Acquire(_) | TryAcquire(_), Release(_)) => Relation::Independent,
        _ => Relation::Race,
    }
}

fn shared(total: u32, earlier: &Mark, later: &Mark) -> Relation {
    use Access::*;
    let shares = |count: u32| count < total;
    match (earlier.access, later.access) {
        // Neither notices the other.
        (
            Acquire(one) | TryAcquire(one) | Release(one),
            Acquire(other) | TryAcquire(other) | Release(other),
        ) if shares(one) && shares(other) => Relation::Independent,
        // Who excludes needs all of those before to be gone; who shares needs the one who excluded to be gone.
        (Release(_), Acquire(_)) => Relation::Order,
        // Between the two stands the acquire of who releases, which races with the earlier one.
        (Acquire(_) | TryAcquire(_), Release(_)) | (Release(_), Release(_)) => Relation::Independent,
        _ => Relation::Race,
    }
}

fn queue(earlier: &Mark, later: &Mark) -> Relation {
    use Access::*;
    if types::seeded!("explore.coarse-channels") {
        let order =
            matches!((earlier.access, later.access), (Send, Receive)) && earlier.ordinal == later.ordinal;
        return if order { Relation::Order } else { Relation::Race };
    }
    match (earlier.access, later.access) {
        (Send, Receive) if earlier.ordinal == later.ordinal => Relation::Order,
        // Without the message the attempt would have found nothing.
        (Send, TryReceive) if earlier.ordinal == later.ordinal => Relation::Race,
        (Send, Receive | TryReceive) | (Receive | TryReceive, Send) => Relation::Independent,
        // Nothing can be sent between a close and the end that is found because of it. It is found because of the first
        // close: whoever closes again changes nothing.
        (Close, Ended) if earlier.ordinal == 0 || types::seeded!("explore.every-close-ends") => {
            Relation::Order
        }
        (Close, Ended) | (Send, Ended) | (Ended, Send | Close) => Relation::Independent,
        // A close leaves the messages that are there to who receives.
        (Close, Receive | TryReceive) | (Receive | TryReceive, Close) => Relation::Independent,
        // A release is a sender that goes. Only who goes last closes, so that only those two notice.
        (Release(_), Close | Write) | (Close | Write, Release(_)) => Relation::Race,
        (Release(_), _) | (_, Release(_)) => Relation::Independent,
        _ => Relation::Race,
    }
}

fn moment(earlier: Access, later: Access) -> Relation {
    match (earlier, later) {
        (Access::Happen, Access::Observe) => Relation::Order,
        (Access::Happen | Access::Observe, Access::Happen | Access::Observe) => Relation::Independent,
        // Somebody looks without waiting.
        _ => Relation::Race,
    }
}
