//! `Budget`: what a task or region may use before it is asked to stop.
//!
//! Budgets are ceilings, combined downward: a child's is its own combined with its parent's.
//!
//! Invariant `budget.meet`: [`Budget::combine`] is the meet of a bounded semilattice over the
//! order "tighter" (earlier, fewer): associative, commutative, idempotent, with
//! `UNLIMITED` as identity. Hence a child is never looser than its parent, in whatever order
//! budgets are combined.
//!
//! Not here: who counts polls, charges cost and arms the timer (`cx`, `region`).

use core::fmt;

use crate::Time;

/// Ceilings for one task: a deadline, a number of polls, a cost.
///
/// The quotas are per task, not pools shared by a region. Build one from [`Budget::UNLIMITED`]:
///
/// ```
/// use asupersync_types::{Budget, Time};
/// let budget = Budget::UNLIMITED.deadline(Time::from_nanos(5)).polls(100);
/// assert!(budget.is_tighter_or_equal(Budget::UNLIMITED));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Budget {
    /// When to ask for a stop (kind `Deadline`); [`Time::MAX`] for never.
    pub deadline: Time,
    /// How many polls are allowed; `u32::MAX` for any number.
    pub polls: u32,
    /// How many units `cx.charge(n)` may charge; `u64::MAX` for any number.
    pub cost: u64,
}

impl Budget {
    /// No ceiling at all: the identity of [`Budget::combine`].
    pub const UNLIMITED: Budget = Budget { deadline: Time::MAX, polls: u32::MAX, cost: u64::MAX };

    /// The same budget with this deadline in place of its own.
    #[must_use]
    pub const fn deadline(self, deadline: Time) -> Budget {
        Budget { deadline, ..self }
    }

    /// The same budget with this number of polls in place of its own.
    #[must_use]
    pub const fn polls(self, polls: u32) -> Budget {
        Budget { polls, ..self }
    }

    /// The same budget with this number of cost units in place of its own.
    #[must_use]
    pub const fn cost(self, cost: u64) -> Budget {
        Budget { cost, ..self }
    }

    /// The loosest budget that is as tight as both: the earlier deadline, the smaller quotas.
    #[must_use]
    pub fn combine(self, other: Budget) -> Budget {
        Budget {
            deadline: self.deadline.min(other.deadline),
            polls: self.polls.min(other.polls),
            cost: self.cost.min(other.cost),
        }
    }

    /// Whether this budget is at least as tight as `other` in every respect. A partial order:
    /// of two budgets neither may be the tighter one.
    pub fn is_tighter_or_equal(self, other: Budget) -> bool {
        self.combine(other) == self
    }
}

impl Default for Budget {
    /// [`Budget::UNLIMITED`].
    fn default() -> Budget {
        Budget::UNLIMITED
    }
}

/// Names the ceilings there are: `deadline 5s, 100 polls`, or `unlimited`.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if self.deadline != Time::MAX {
            write!(f, "deadline {}", self.deadline)?;
            separator = ", ";
        }
        if self.polls != u32::MAX {
            write!(f, "{separator}{} polls", self.polls)?;
            separator = ", ";
        }
        if self.cost != u64::MAX {
            write!(f, "{separator}cost {}", self.cost)?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("unlimited") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    /// Small numbers, so that ties and equal fields come up, and the ends of each range.
    fn budgets() -> impl Strategy<Value = Budget> {
        let deadline = prop_oneof![0..4_u64, Just(u64::MAX)].prop_map(Time::from_nanos);
        let polls = prop_oneof![0..4_u32, Just(u32::MAX)];
        let cost = prop_oneof![0..4_u64, Just(u64::MAX)];
        (deadline, polls, cost).prop_map(|(deadline, polls, cost)| Budget { deadline, polls, cost })
    }

    proptest! {
        #[test]
        fn combine_is_associative(a in budgets(), b in budgets(), c in budgets()) {
            prop_assert_eq!(a.combine(b).combine(c), a.combine(b.combine(c)));
        }

        #[test]
        fn combine_is_commutative(a in budgets(), b in budgets()) {
            prop_assert_eq!(a.combine(b), b.combine(a));
        }

        #[test]
        fn combine_is_idempotent(a in budgets()) {
            prop_assert_eq!(a.combine(a), a);
        }

        #[test]
        fn unlimited_is_the_identity(a in budgets()) {
            prop_assert_eq!(a.combine(Budget::UNLIMITED), a);
            prop_assert_eq!(Budget::UNLIMITED.combine(a), a);
        }

        #[test]
        fn a_child_is_never_looser_than_its_parent(parent in budgets(), own in budgets()) {
            let child = own.combine(parent);
            prop_assert!(child.deadline <= parent.deadline);
            prop_assert!(child.polls <= parent.polls);
            prop_assert!(child.cost <= parent.cost);
            prop_assert!(child.is_tighter_or_equal(parent));
        }

        #[test]
        fn combine_is_the_loosest_that_is_as_tight_as_both(
            a in budgets(), b in budgets(), c in budgets(),
        ) {
            let tight_as_both = c.is_tighter_or_equal(a) && c.is_tighter_or_equal(b);
            prop_assert_eq!(tight_as_both, c.is_tighter_or_equal(a.combine(b)));
        }
    }

    #[test]
    fn neither_of_two_crossing_budgets_is_tighter() {
        let soon = Budget::UNLIMITED.deadline(Time::from_nanos(1));
        let few = Budget::UNLIMITED.polls(1);
        assert!(!soon.is_tighter_or_equal(few) && !few.is_tighter_or_equal(soon));
    }

    #[test]
    fn prints_only_the_ceilings_there_are() {
        assert_eq!(format!("{}", Budget::UNLIMITED), "unlimited");
        let budget = Budget::UNLIMITED.deadline(Time::from_nanos(5_000_000_000)).cost(7);
        assert_eq!(format!("{budget}"), "deadline 5s, cost 7");
    }
}
