//! [`Tally`]: what the bodies that have returned so far mean for a combinator. Pure.
//!
//! | combinator | a success is | needed |
//! |---|---|---|
//! | `race`, `select` | any return | 1 |
//! | `first_ok` | `Ok` | 1 |
//! | `quorum` | `Ok` | n |
//! | `join` | any return | all |
//! | `try_join` | `Ok` | all |
//!
//! Not here: what is done about it (`drive`).

/// How many bodies still run, and how many successes are still needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    running: usize,
    missing: usize,
    decided: bool,
}

/// What a return decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Enough bodies have succeeded; the others have lost.
    Won,
    /// Too many have failed; there is no point in the others.
    Failed,
}

impl Tally {
    pub(crate) fn new(bodies: usize, needed: usize) -> Tally {
        Tally { running: bodies, missing: needed, decided: false }
    }

    /// A body has returned. Decides at most once.
    pub(crate) fn returned(&mut self, success: bool) -> Option<Decision> {
        debug_assert!(self.running > 0, "more returns than bodies");
        self.running -= 1;
        if success {
            self.missing = self.missing.saturating_sub(1);
        }
        self.decide()
    }

    /// A body has panicked, which no number of successes makes up for. True if nothing was decided before.
    pub(crate) fn panicked(&mut self) -> bool {
        self.running -= 1;
        !core::mem::replace(&mut self.decided, true)
    }

    pub(crate) fn is_decided(&self) -> bool {
        self.decided
    }

    fn decide(&mut self) -> Option<Decision> {
        if self.decided {
            return None;
        }
        let decision = match self.missing {
            0 => Decision::Won,
            missing if missing > self.running && !types::seeded!("quorum.waits-in-vain") => Decision::Failed,
            _ if self.running == 0 => Decision::Failed,
            _ => return None,
        };
        self.decided = true;
        Some(decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bodies: usize, needed: usize, returns: &[bool]) -> Option<(usize, Decision)> {
        let mut tally = Tally::new(bodies, needed);
        let mut found = None;
        for (i, success) in returns.iter().enumerate() {
            if let Some(decision) = tally.returned(*success) {
                assert_eq!(found, None, "decided twice");
                found = Some((i, decision));
            }
        }
        found
    }

    #[test]
    fn a_race_is_won_by_the_first_return() {
        assert_eq!(all(3, 1, &[true, true, true]), Some((0, Decision::Won)));
    }

    #[test]
    fn the_first_ok_may_come_late_and_all_may_fail() {
        assert_eq!(all(3, 1, &[false, false, true]), Some((2, Decision::Won)));
        assert_eq!(all(3, 1, &[false, false, false]), Some((2, Decision::Failed)));
    }

    #[test]
    fn a_quorum_fails_as_soon_as_it_is_out_of_reach() {
        assert_eq!(all(5, 3, &[true, false, false, true, true]), Some((4, Decision::Won)));
        assert_eq!(all(5, 3, &[true, false, false, false, true]), Some((3, Decision::Failed)));
    }

    #[test]
    fn one_failure_is_too_many_where_all_are_needed() {
        assert_eq!(all(3, 3, &[true, false, true]), Some((1, Decision::Failed)));
        assert_eq!(all(3, 3, &[true, true, true]), Some((2, Decision::Won)));
    }

    #[test]
    fn a_panic_decides_once_and_before_everything_else() {
        let mut tally = Tally::new(3, 1);
        assert!(tally.panicked());
        assert_eq!(tally.returned(true), None);
        assert!(!tally.panicked());
    }

    #[test]
    fn every_sequence_of_returns_decides_exactly_once() {
        for bodies in 1..6_usize {
            for needed in 1..=bodies {
                for bits in 0..1_u32 << bodies {
                    let returns: alloc::vec::Vec<bool> = (0..bodies).map(|i| bits >> i & 1 == 1).collect();
                    let won = returns.iter().filter(|r| **r).count() >= needed;
                    let expected = if won { Decision::Won } else { Decision::Failed };
                    assert_eq!(all(bodies, needed, &returns).map(|(_, d)| d), Some(expected));
                }
            }
        }
    }
}
