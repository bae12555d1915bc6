//! [`Recorded`]: replays a list of decisions, and says where the program no longer follows it.
//!
//! Invariants:
//! - `recorded.first`: the divergence reported is the first one that could be noticed; a later one is its consequence.
//! - `recorded.whole`: a list that an execution made is checked as a whole when its end is reached, so that a program
//!   that went another way unnoticed by the deviations is still found out (but for one time in 2^32).
use super::decisions::{Decisions, Departure, Digest, name_of};
use crate::scheduler::{Crowd, Ended, Point, Scheduler, Step};
use std::fmt;
use trace::Choice;
use types::TaskId;

/// What a list of decisions has at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A departure from production.
    Departure(Departure),
    /// Any decision at all: the list goes on to its end.
    Decisions {
        /// How many it covers.
        len: u64,
    },
    /// The same tasks and options as in the execution that made it.
    SameRun,
}

/// What the program came with instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Tasks to pick from, none of which is the expected one.
    Candidates(Vec<TaskId>),
    /// Options to choose from.
    Options {
        /// About what.
        what: Choice,
        /// How many.
        options: u32,
    },
    /// Its end.
    End,
    /// Other tasks or options somewhere on the way.
    OtherRun,
}

/// Where a program no longer follows the list it is replayed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Which decision, counted from 0.
    pub decision: u64,
    /// What the list says.
    pub expected: Expected,
    /// What came.
    pub found: Found,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decision {}: the recording ", self.decision)?;
        match self.expected {
            Expected::Departure(Departure::Task { name, nth: 0 }) => {
                write!(f, "picks the task named {name:02x}")?
            }
            Expected::Departure(Departure::Task { name, nth }) => {
                write!(f, "picks the task named {name:02x} that stands behind {nth} of the same name")?;
            }
            Expected::Departure(Departure::Choice { what, chosen }) => {
                write!(f, "takes option {chosen} of a choice about {}", about(what))?;
            }
            Expected::Decisions { len } => write!(f, "goes on to decision {len}")?,
            Expected::SameRun => f.write_str("is over, all that could be checked on the way agreed")?,
        }
        f.write_str(", but ")?;
        match &self.found {
            Found::Candidates(tasks) => {
                f.write_str("the candidates are")?;
                for task in tasks.iter().take(8) {
                    write!(f, " {task} ({:02x})", name_of(*task))?;
                }
                if tasks.len() > 8 { write!(f, " and {} more", tasks.len() - 8) } else { Ok(()) }
            }
            Found::Options { what, options } => {
                write!(f, "the program chooses among {options} options about {}", about(*what))
            }
            Found::End => f.write_str("the program ended"),
            Found::OtherRun => f.write_str("the program went another way before this point"),
        }
    }
}

fn about(what: Choice) -> &'static str {
    match what {
        Choice::Task => "tasks",
        Choice::Time => "time",
        Choice::Random => "a random number",
        Choice::Io => "input and output",
        Choice::Fault => "a fault",
    }
}

/// Replays a list of decisions; where the list ends, it goes on as production would.
///
/// If the program doesn't offer what the list says, that is its [`divergence`](Recorded::divergence), and everything
/// behind it goes as production would. A [`lenient`](Recorded::lenient) one leaves out only the deviations that aren't
/// possible: it is for lists that nobody has run yet.
#[derive(Clone, Debug)]
pub struct Recorded {
    decisions: Decisions,
    lenient: bool,
    /// How many decisions there were, and how many deviations are behind us.
    at: u64,
    next: usize,
    digest: Digest,
    divergence: Option<Divergence>,
}

impl Recorded {
    /// Replays the list to the letter.
    #[must_use]
    pub fn new(decisions: Decisions) -> Recorded {
        let digest = Digest::default();
        Recorded { decisions, lenient: false, at: 0, next: 0, digest, divergence: None }
    }

    /// Follows the list where that is possible.
    #[must_use]
    pub fn lenient(decisions: Decisions) -> Recorded {
        Recorded { lenient: true, ..Recorded::new(decisions) }
    }

    /// Where the last execution first left the list, if it did.
    #[must_use]
    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    /// The list.
    #[must_use]
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The deviation the list has here, if it is to be followed.
    fn due(&mut self) -> Option<Departure> {
        let deviation =
            self.decisions.deviations().get(self.next).filter(|deviation| deviation.at == self.at)?;
        self.next += 1;
        (self.lenient || self.divergence.is_none()).then_some(deviation.what)
    }

    fn diverged(&mut self, decision: u64, expected: Expected, found: impl FnOnce() -> Found) {
        if self.divergence.is_none() {
            self.divergence = Some(Divergence { decision, expected, found: found() });
        }
    }

    /// Whom the list has take the next step: production's pick, or the one that `find` finds by name.
    fn due_pick(
        &mut self,
        size: usize,
        usual: usize,
        find: impl Fn(u8, usize) -> Option<usize>,
        task_at: impl Fn(usize) -> TaskId,
    ) -> usize {
        let Some(due) = self.due() else { return usual };
        let found = match due {
            Departure::Task { name, nth } => find(name, nth as usize),
            Departure::Choice { .. } => None,
        };
        found.unwrap_or_else(|| {
            let candidates = || Found::Candidates((0..size).map(&task_at).collect());
            self.diverged(self.at, Expected::Departure(due), candidates);
            usual
        })
    }

    fn picks(&mut self, task: TaskId) {
        self.digest.pick(task);
        self.decided()
    }

    fn decided(&mut self) {
        self.at += 1;
        if self.at == self.decisions.len()
            && !types::seeded!("sample.end-unchecked")
            && self.decisions.run().is_some_and(|run| run != self.digest.value())
        {
            self.diverged(self.at, Expected::SameRun, || Found::OtherRun);
        }
    }
}

impl Scheduler for Recorded {
    fn begin(&mut self) {
        (self.at, self.next) = (0, 0);
        self.digest = Digest::default();
        self.divergence = None;
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let Point { candidates, usual } = *point;
        let find = |name: u8, nth: usize| {
            let named =
                |&at: &usize| types::seeded!("sample.nameless") || name_of(candidates[at].task) == name;
            (0..candidates.len()).filter(named).nth(nth)
        };
        let picked = self.due_pick(candidates.len(), usual, find, |at| candidates[at].task);
        self.picks(candidates[picked].task);
        Some(picked)
    }

    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        let find = |name: u8, nth: usize| match types::seeded!("sample.nameless") {
            true => (nth < crowd.size()).then_some(nth),
            false => crowd.namesake(name, nth),
        };
        let picked = self.due_pick(crowd.size(), crowd.usual(), find, |at| crowd.task(at));
        self.picks(crowd.task(picked));
        Some(picked)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        let mut chosen = usual;
        match self.due() {
            Some(Departure::Choice { what: expected, chosen: listed })
                if expected == what && listed < options =>
            {
                chosen = listed;
            }
            Some(due) => {
                self.diverged(self.at, Expected::Departure(due), || Found::Options { what, options })
            }
            None => {}
        }
        self.digest.choose(what, options, chosen);
        self.decided();
        chosen
    }

    fn ran(&mut self, _: &Step<'_>) {}

    fn ended(&mut self, _: &Ended<'_>) {
        if self.at < self.decisions.len() {
            self.diverged(self.at, Expected::Decisions { len: self.decisions.len() }, || Found::End);
        }
    }
}
