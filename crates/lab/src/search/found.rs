//! [`Found`]: what a search that found no failure has seen, and what that says.
//!
//! Not here: what a failure says (`failure`), rates (`rates`).
use crate::failure::count;
use crate::left::Left;
use crate::progress::{about, rounded};
use explore::Estimate;
use monitor::Statement;
use std::fmt;

/// What a search that found no failure has seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Executions.
    pub runs: u64,
    /// Classes of executions that differ in more than the order of what commutes.
    pub classes: u64,
    /// Executions that were given up because they would have repeated another.
    pub repeated: u64,
    /// Whether the search came to its end: it knows of nothing that it did not try, of every class or of every schedule
    /// within the bound.
    pub complete: bool,
    /// For samples: the probability that one more run is of a class that was not seen.
    pub unseen: Option<f64>,
    /// For a search through all schedules within a bound: how many delays it allows.
    pub within: Option<usize>,
    /// For a search of every class that ended before its end, by its limit or by whoever watched it: how many executions
    /// it would likely have had.
    pub likely: Option<Estimate>,
    /// For samples: what follows from so many clean runs, about the rate of schedules that fail. It holds whenever the
    /// search ended. `None` for a search of every class, and for schedules that draw nothing: no rate stands behind
    /// those.
    pub clean: Option<Statement>,
    /// How many random numbers came from the seed, of a search that was to try each value of a number
    /// ([`Search::branch_on_random`](super::Search::branch_on_random)): they had no bound, or a larger one. In all executions together.
    pub undecided: u64,
    /// Executions, of those that were traced, in which a frame was left before its end.
    pub left: Left,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_schedules(f)?;
        match self.undecided {
            0 => {}
            some => write!(f, "; {} came from the seed alone", count(some, "random number"))?,
        }
        self.left.fmt(f)
    }
}

impl Found {
    fn fmt_schedules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { runs, classes, complete, unseen, likely, clean, .. } = self;
        let runs = format_args!("in {runs} {}", if *runs == 1 { "run" } else { "runs" });
        let schedules = if *classes == 1 { "class of schedules" } else { "classes of schedules" };
        if let Some(delays) = self.within {
            let delays = count(delays as u64, "delay");
            let all = if *complete { "all there are" } else { "it ended early" };
            return write!(
                f,
                "{} within {delays} of production's order, in {classes} {schedules}: {all}",
                count(self.runs, "schedule"),
                schedules = if *classes == 1 { "class" } else { "classes" },
            );
        }
        match (complete, unseen, likely) {
            (true, ..) => write!(f, "{classes} {schedules} {runs}: all there are"),
            (false, Some(unseen), _) => {
                write!(f, "{classes} {schedules} {runs}; about {:.1} % unseen", unseen * 100.0)?;
                match clean {
                    Some(statement) => write!(f, "; {statement}"),
                    None => Ok(()),
                }
            }
            (false, None, Some(likely)) => {
                let (least, most) = likely.range();
                let (least, most) = (rounded(least), rounded(most));
                write!(f, "{classes} of {} classes of schedules {runs}", about(*classes, likely.likely))?;
                // Before the first few branches are done an estimate knows no more than that there are others.
                if likely.likely.round() > *classes as f64 {
                    write!(f, " (likely {least} to {most})")?
                }
                f.write_str("; it ended early")
            }
            (false, None, None) => write!(f, "{classes} {schedules} {runs}; it ended early"),
        }
    }
}
