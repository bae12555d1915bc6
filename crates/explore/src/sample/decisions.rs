//! [`Decisions`]: one execution's picks and choices, as the list of those in which it departed from production.
//!
//! Invariants:
//! - `decisions.ascending`: the deviations' places strictly ascend and lie below `len`.
use super::dice::mix;
use trace::Choice;
use types::TaskId;

/// A task's short name: 8 bits of its spawn path. The same in every execution and after recompilation, as long as the
/// path is.
#[must_use]
pub fn name_of(task: TaskId) -> u8 {
    (mix(task.as_u64()) >> 56) as u8
}

/// How a decision departed from what production would have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Another task was picked.
    Task {
        /// Its short name.
        name: u8,
        /// How many candidates of the same short name stood before it: nearly always 0.
        nth: u32,
    },
    /// Another option was chosen.
    Choice {
        /// About what.
        what: Choice,
        /// Which.
        chosen: u32,
    },
}

/// One decision that departed from production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Which decision of the execution, picks and choices counted together from 0.
    pub at: u64,
    /// What was decided.
    pub what: Departure,
}

/// One execution's picks and choices. Those that aren't listed went as production would have had them.
///
/// Tasks are named, not counted: a list stays good when candidates come in another order than when it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    len: u64,
    run: Option<u32>,
    deviations: Vec<Deviation>,
}

impl Decisions {
    /// What production would do, for `len` decisions and ever after.
    #[must_use]
    pub fn usual(len: u64) -> Decisions {
        Decisions { len, run: None, deviations: Vec::new() }
    }

    /// A list made by hand: `len` decisions with these deviations, in ascending order of their places.
    ///
    /// # Panics
    /// If two deviations stand at one place, or not in order, or one at `len` or beyond.
    #[must_use]
    pub fn new(len: u64, deviations: Vec<Deviation>) -> Decisions {
        assert!(
            deviations.windows(2).all(|pair| pair[0].at < pair[1].at),
            "deviations must stand in ascending order of their places"
        );
        assert!(
            deviations.last().is_none_or(|last| last.at < len),
            "a deviation stands behind the list's end"
        );
        Decisions { len, run: None, deviations }
    }

    /// How many decisions it covers.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it covers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Those that departed from production, in order.
    #[must_use]
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// A hash over everything decided, the usual included, with every picked task's full name. `None` for a list that no
    /// execution has made.
    #[must_use]
    pub fn run(&self) -> Option<u32> {
        self.run
    }

    /// The same list, known to belong to the execution with this hash.
    #[must_use]
    pub fn of_run(mut self, run: u32) -> Decisions {
        self.run = Some(run);
        self
    }

    /// Only the deviations for which `keep` says so, by their index; the list ends with the last of them.
    pub(crate) fn keeping(&self, mut keep: impl FnMut(usize) -> bool) -> Decisions {
        let kept = self.deviations.iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, d)| *d);
        Decisions::ending_with_the_last(kept.collect())
    }

    /// These deviations, in order, and nothing behind the last of them.
    pub(crate) fn ending_with_the_last(deviations: Vec<Deviation>) -> Decisions {
        Decisions::new(deviations.last().map_or(0, |last| last.at + 1), deviations)
    }

    /// For recording: empties the list and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.run = None;
        self.deviations.clear();
    }

    /// For recording: the next decision.
    pub(super) fn push(&mut self, departure: Option<Departure>) {
        self.deviations.extend(departure.map(|what| Deviation { at: self.len, what }));
        self.len += 1;
    }
}

/// The hash of everything decided in a run so far. Recording and replay compute it alike.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn pick(&mut self, task: TaskId) {
        self.0 = mix(self.0.rotate_left(5) ^ mix(task.as_u64() | 1 << 63));
    }

    pub(super) fn choose(&mut self, what: Choice, options: u32, chosen: u32) {
        let choice = u64::from(code_of(what)) << 56 ^ u64::from(options) << 28 ^ u64::from(chosen);
        self.0 = mix(self.0.rotate_left(5) ^ mix(choice));
    }

    pub(super) fn value(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// The number of a kind of choice in files. Never renumber.
pub(super) fn code_of(what: Choice) -> u8 {
    match what {
        Choice::Task => 0,
        Choice::Time => 1,
        Choice::Random => 2,
        Choice::Io => 3,
        Choice::Fault => 4,
    }
}

/// The kind of choice with this number.
pub(super) fn choice_of(code: u8) -> Option<Choice> {
    [Choice::Task, Choice::Time, Choice::Random, Choice::Io, Choice::Fault]
        .into_iter()
        .find(|c| code_of(*c) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_choice_has_a_number_of_its_own() {
        for what in [Choice::Task, Choice::Time, Choice::Random, Choice::Io, Choice::Fault] {
            assert_eq!(choice_of(code_of(what)), Some(what));
        }
        assert_eq!(choice_of(5), None);
    }

    #[test]
    #[should_panic(expected = "behind the list's end")]
    fn a_deviation_behind_the_end_is_refused() {
        let what = Departure::Task { name: 1, nth: 0 };
        let _ = Decisions::new(3, vec![Deviation { at: 3, what }]);
    }
}
