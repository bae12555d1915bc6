//! [`Left`]: runs that passed although a frame was left before its end.
//!
//! Whoever opens a region or a bracket awaits it to its end; a `select!` that is not ours, or a future that is dropped, leaves it
//! halfway. The kernel copes: what runs in the region is asked to end, and whoever is around waits for it; but a release of
//! a bracket never runs. A program may mean it, so such a run does not fail. It says so.
//!
//! Not here: what counts as left (`oracle::bodies_abandoned`).
use crate::failure::count;
use std::fmt;

/// See the module. Displays as an addition to a sentence about all runs, which is empty if there were none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// How many runs.
    pub runs: u64,
    /// The first of these frames, in words, with its line.
    pub first: Option<String>,
}

impl Left {
    /// Another run, and the first frame that was left in it, if one was.
    pub(crate) fn add(&mut self, frame: Option<String>) {
        self.runs += u64::from(frame.is_some());
        self.first = self.first.take().or(frame)
    }

    /// These, too.
    pub(crate) fn absorb(&mut self, other: Left) {
        self.runs += other.runs;
        self.first = self.first.take().or(other.first)
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.first {
            Some(first) => {
                let runs = count(self.runs, "run");
                write!(f, "; in {runs} a frame was left before its end, such as this: {first}")
            }
            None => Ok(()),
        }
    }
}
