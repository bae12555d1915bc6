//! [`Shrinker`]: makes a failing schedule small. It proposes lists of decisions, somebody else runs them and says what
//! came of it.
//!
//! ```text
//! verify ─▶ leave out (ddmin) ─▶ pass over fewer ─▶ one for two ─▶ all of one less ─▶ shift ─▶ done
//!              ▲                        │               │                │             │
//!              └────────────────────────┴───────────────┴────────────────┴─────────────┘ a smaller one fails
//! ```
//! What is small: few deviations from production's order, then few delays (candidates passed over in all), then few
//! steps. Everything a proposal leads to is recorded anew, so a proposal is only a guess: what counts is the execution
//! that came of it.
//!
//! Invariants:
//! - `shrink.fails`: the best execution has failed, or it is the one that was given and hasn't been run.
//! - `shrink.descends`: the best one only ever becomes smaller in that order, so shrinking ends.
//! - `shrink.one-minimal`: once it is [`done`](Shrinker::is_minimal), leaving out any single deviation was tried with
//!   the best execution and did not fail.
//!
//! Where the schedule is short enough to try every list of one deviation less (10,000 of them), no list of fewer
//! deviations fails within the same number of decisions. Beyond that it is a local minimum.
//!
//! Not here: running anything; what failed and why.
mod moves;
mod race;
mod steps;

pub use race::{RacingPair, Side};
pub use steps::{Row, StepLog};

use crate::sample::{Decisions, Taken};
use moves::Moves;

/// What came of a proposal.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It failed in the way that is of interest, with these decisions.
    Failed(Taken),
    /// It didn't.
    Passed,
    /// The program didn't follow, or the execution was given up. Counts as passed.
    Diverged,
}

/// Makes a failing schedule small. A value: it can be kept and gone on with.
///
/// ```
/// # use asupersync_explore::{self as explore, Decisions, Recorded, Recording, Shrinker, Verdict, mini};
/// // Two tasks that add 1 by a load and a store. It fails if one addition is lost.
/// let program = mini::Program::parse("Rx;Wx=$+1 || Rx;Wx=$+1").unwrap();
/// let mut machine = mini::Machine::new(&program);
/// let mut run = |decisions: Decisions| {
///     let mut scheduler = Recording::new(Recorded::lenient(decisions));
///     machine.run(&mut scheduler);
///     if machine.cells() == [1] { Verdict::Failed(scheduler.taken()) } else { Verdict::Passed }
/// };
/// # let mut random = Recording::new(explore::Random::new(5));
/// # let mut machine2 = mini::Machine::new(&program);
/// # let failing = loop {
/// #     machine2.run(&mut random);
/// #     if machine2.cells() == [1] { break random.taken() }
/// # };
/// let mut shrinker = Shrinker::new(failing, 1000);
/// while let Some(proposal) = shrinker.propose() {
///     shrinker.tell(run(proposal));
/// }
/// assert!(shrinker.is_minimal());
/// assert_eq!(shrinker.best().decisions.deviations().len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Shrinker {
    best: Taken,
    state: State,
    limit: u64,
    proposed: u64,
    moves: Moves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The list given hasn't failed here yet.
    Unverified,
    Shrinking,
    /// The first proposal passed.
    NotReproduced,
    Minimal,
}

/// How big an execution is: the order in which shrinking descends.
fn size(taken: &Taken) -> (usize, u64, u64) {
    (taken.decisions.deviations().len(), taken.delays, taken.steps)
}

impl Shrinker {
    /// Starts with a failing execution, for at most `limit` proposals.
    #[must_use]
    pub fn new(failing: Taken, limit: u64) -> Shrinker {
        let moves = Moves::new(&failing);
        Shrinker { best: failing, state: State::Unverified, limit, proposed: 0, moves }
    }

    /// Starts with a list that is known to fail but whose execution isn't at hand: one that was read from a file.
    #[must_use]
    pub fn from_decisions(failing: Decisions, limit: u64) -> Shrinker {
        Shrinker::new(Taken::unknown(failing), limit)
    }

    /// Which list to run next, leniently ([`Recorded::lenient`](crate::Recorded::lenient)) and recorded. `None` when
    /// nothing smaller is left to try, when the limit is reached, or when the first proposal, which is the list given,
    /// did not fail.
    ///
    /// Asked again without an answer in between, it goes on as if the last proposal had passed.
    pub fn propose(&mut self) -> Option<Decisions> {
        if self.proposed >= self.limit {
            return None;
        }
        let proposal = match self.state {
            State::Unverified => self.best.decisions.clone(),
            State::Shrinking => match self.moves.next(&self.best) {
                Some(proposal) => proposal,
                None => {
                    self.state = State::Minimal;
                    return None;
                }
            },
            State::NotReproduced | State::Minimal => return None,
        };
        self.proposed += 1;
        Some(proposal)
    }

    /// What came of the last proposal.
    pub fn tell(&mut self, verdict: Verdict) {
        match (self.state, verdict) {
            (State::Unverified, Verdict::Failed(taken)) => {
                self.state = State::Shrinking;
                self.moves = Moves::new(&taken);
                self.best = taken;
            }
            (State::Unverified, Verdict::Passed | Verdict::Diverged) => self.state = State::NotReproduced,
            (State::Shrinking, Verdict::Failed(taken)) if size(&taken) < size(&self.best) => {
                self.moves.found();
                self.best = taken;
            }
            _ => {}
        }
    }

    /// Lets a shrinker that has reached its limit make so many proposals more.
    pub fn extend(&mut self, proposals: u64) {
        self.limit = self.limit.saturating_add(proposals);
    }

    /// The smallest failing execution so far.
    #[must_use]
    pub fn best(&self) -> &Taken {
        &self.best
    }

    /// How many lists were proposed.
    #[must_use]
    pub fn proposed(&self) -> u64 {
        self.proposed
    }

    /// Whether nothing smaller is left to try.
    #[must_use]
    pub fn is_minimal(&self) -> bool {
        self.state == State::Minimal
    }

    /// Whether the list given failed when it was run again. `None` as long as nobody tried.
    #[must_use]
    pub fn reproduced(&self) -> Option<bool> {
        match self.state {
            State::Unverified => None,
            State::NotReproduced => Some(false),
            State::Shrinking | State::Minimal => Some(true),
        }
    }
}
