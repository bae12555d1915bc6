//! [`Trees`]: runs one execution of each class, by wakeup trees (Abdulla, Aronis, Jonsson, Sagonas, "Source sets: a
//! foundation for optimal dynamic partial order reduction", JACM 64(4), 2017; POPL 2014).
//!
//! ```text
//! run an execution to its end ─▶ for each race in what is new of it: plan the steps that reverse it
//!          ▲                                            │
//!          └── go back to the deepest point at which something is planned, take it
//! ```
//! Stateless: going back is to run the program again from its beginning, taking the same decisions up to there. What
//! was computed about the common beginning stays: clocks, sleep sets, races.
//!
//! Invariants:
//! - `dpor.complete`: every class of executions is run (classes by [`crate::relate`]). Proof in the paper; here held up by
//!   brute force on random programs.
//! - `dpor.optimal`: no class is run twice, and no execution is begun for nothing, as long as each step does one operation,
//!   announced beforehand: then it is known what a step will do once a race is reversed.
//! - `dpor.source`: a step of several operations, or of one that was not announced, may do other things after the
//!   reversal. From the first such step on, the weaker rules of source sets hold, which need no foresight: still
//!   complete, but some executions only repeat others. The same when plans are cut short for want of room.
//!
//! Not here: how a user sees it ([`crate::Explorer`]), the algorithm that needs less memory (`parsimonious`), the relation
//! (`relation`), clocks and races (`causality`), programs (`mini`, the lab).

pub(crate) mod parsimonious;
mod race;
pub(crate) mod run;
mod split;
mod wakeup;

use crate::causality::Causality;
use crate::fingerprint::Fingerprint;
use crate::footprint::Footprint;
use crate::scheduler::Stuck;
use crate::script::{Script, Unrepeatable};
use trace::Choice;
use wakeup::{Branches, Forest, Planned};

/// How many steps may be planned at one time before planned sequences are cut to their first step.
const FOREST: usize = 1 << 22;

/// What an exploration did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Executions of a class of their own.
    pub explored: u64,
    /// Of these, how many ended with tasks that never will.
    pub stuck: u64,
    /// Executions that only repeated another, which was found out on the way. Work for nothing; 0 when exploration is
    /// optimal.
    pub blocked: u64,
    /// Plans given up because a task that was to be next could not be: it waits for something it did not announce.
    pub pruned: u64,
    /// Races found; each is considered for reversal once.
    pub races: u64,
    /// Of these, how many led to a plan.
    pub reversed: u64,
}

/// Explores all schedules of a program, one of each class, by wakeup trees.
///
/// Memory: an execution's steps, and the planned steps of its points, which are few for most programs, may be exponential
/// in the number of steps for some, and are bounded by `limit`.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    causality: Causality,
    script: Script,
    nodes: Vec<Node>,
    /// The sleep sets of the nodes, one after the other: steps that were run, from there or from above, with all that
    /// can follow.
    sleepers: Vec<Planned>,
    forest: Forest,
    /// The most that was stored at one time.
    most_stored: usize,
    /// How many steps of the execution happened.
    depth: usize,
    /// Steps above this depth repeat those of the execution before.
    replayed: usize,
    /// From this point on the execution repeats another.
    repeats_from: usize,
    state: State,
    counts: Counts,
    divergence: Option<Box<Unrepeatable>>,
    /// What tasks that never could had announced at the end of the execution.
    stuck: Vec<Stuck>,
    /// How many choices the step that runs has made.
    chosen: usize,
    /// What they were: scratch.
    taken: Vec<u32>,
    /// Scratch of `race`.
    sequence: Vec<Planned>,
    kept: race::Kept,
    pairs: Vec<race::Pair>,
    least: Vec<u32>,
    sharers: Vec<u32>,
    /// Whether every plan so far was sure to hold what its steps will do (`dpor.optimal`).
    exact: bool,
    branching: Vec<Choice>,
    order: Option<u64>,
    /// If this is a part of another exploration.
    home: Option<split::Home>,
    limit: usize,
}

/// A point of the execution, and what is known about its branches.
#[derive(Clone, Debug)]
struct Node {
    /// Where its sleep set begins; it ends where the next node's begins.
    sleep: u32,
    /// Branches still to run.
    pending: Branches,
    /// The choices that the step is to begin with.
    choices: Vec<u32>,
    /// What it is expected to do, if it was planned.
    planned: Option<Footprint>,
    /// Branches that were given away since the one in progress began.
    given: Vec<Planned>,
    /// How many branches that were given away have not been joined.
    outstanding: u32,
    /// What the branch in progress goes on with.
    handed: Branches,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Between executions.
    Idle,
    /// `next_execution` was called, and has set the branch.
    Ready,
    Running,
    Ended,
    /// It does something else than before under the same decisions.
    GivenUp,
    /// Nothing is left but to join what was given away.
    Waiting,
    /// Everything was explored, or the executor's program isn't repeatable.
    Over,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Counts) {
        self.explored += other.explored;
        self.stuck += other.stuck;
        self.blocked += other.blocked;
        self.pruned += other.pruned;
        self.races += other.races;
        self.reversed += other.reversed;
    }
}

impl Trees {
    /// An exploration that begins.
    pub(crate) fn new(order: Option<u64>, branching: &[Choice], limit: Option<usize>) -> Trees {
        Trees {
            causality: Causality::new(),
            script: Script::default(),
            nodes: Vec::new(),
            sleepers: Vec::new(),
            forest: Forest::new(),
            most_stored: 0,
            depth: 0,
            replayed: 0,
            repeats_from: usize::MAX,
            state: State::Idle,
            counts: Counts::default(),
            divergence: None,
            stuck: Vec::new(),
            chosen: 0,
            taken: Vec::new(),
            sequence: Vec::new(),
            kept: race::Kept::default(),
            pairs: Vec::new(),
            least: Vec::new(),
            sharers: Vec::new(),
            exact: true,
            branching: branching.to_vec(),
            order,
            home: None,
            limit: limit.unwrap_or(FOREST),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn divergence(&self) -> Option<&Unrepeatable> {
        self.divergence.as_deref()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.causality)
    }

    pub(crate) fn foata(&self) -> Fingerprint {
        Fingerprint::foata_of(&self.causality)
    }

    /// Whether it was `dpor.optimal` so far.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// How many steps are stored besides those of the execution: planned ones, and those that sleep.
    pub(crate) fn stored(&self) -> usize {
        self.forest.live() + self.sleepers.len()
    }

    pub(crate) fn steps(&self) -> usize {
        self.causality.depth()
    }

    pub(crate) fn most_stored(&self) -> usize {
        self.most_stored
    }

    /// How many branches are planned at each point of the execution that is to run next.
    pub(crate) fn planned_branches(&self) -> impl Iterator<Item = u64> {
        self.nodes.iter().map(|node| self.forest.branches(node.pending).count() as u64)
    }

    /// Whose each step of the execution was.
    pub(crate) fn path(&self) -> impl Iterator<Item = u64> {
        self.causality.events.iter().map(|event| u64::from(event.task))
    }

    pub(crate) fn next_execution(&mut self) -> bool {
        match self.state {
            State::Over => return false,
            State::Ready => return true,
            State::Idle => {
                self.state = State::Ready;
                return true;
            }
            State::Ended => self.reverse_races(),
            State::Running | State::GivenUp | State::Waiting => {}
        }
        self.most_stored = self.most_stored.max(self.stored());
        self.state = match self.divergence {
            None => self.backtrack(),
            Some(_) => State::Over,
        };
        self.state == State::Ready
    }

    /// Goes back to the deepest node that has a branch left, and takes it, if there is one.
    fn backtrack(&mut self) -> State {
        while let Some(depth) = self.nodes.len().checked_sub(1) {
            let is_a_task_s = self.put_to_sleep(depth);
            if self.home.as_ref().is_some_and(|home| depth <= home.depth) {
                return State::Over;
            }
            if is_a_task_s && self.take_branch(depth) {
                return State::Ready;
            }
            if self.nodes[depth].outstanding > 0 {
                return State::Waiting;
            }
            let node = self.nodes.pop().expect("counted");
            self.forest.discard(node.pending);
            self.forest.discard(node.handed);
            self.sleepers.truncate(node.sleep as usize);
            self.script.truncate(depth, false);
        }
        State::Over
    }

    /// The step at the last node was run with all that can follow: others need not do it again. Whether the node is
    /// a task's, with a sleep set.
    fn put_to_sleep(&mut self, depth: usize) -> bool {
        let end = self.sleep_end(depth);
        self.sleepers.truncate(end);
        // A step that was planned and not possible, and one of the world's own, aren't anybody's.
        if self.causality.depth() > depth {
            let event = &self.causality.events[depth];
            if event.task == crate::causality::WORLD {
                self.causality.truncate(depth);
                return false;
            }
            let choices = self.script.choices(depth).iter().map(|chosen| chosen.taken).collect();
            let step = Planned { task: event.task, choices, footprint: event.footprint.clone(), sure: true };
            self.sleepers.push(step);
            self.causality.truncate(depth);
        }
        let given = std::mem::take(&mut self.nodes[depth].given);
        self.sleepers.extend(given);
        true
    }

    /// Takes the next branch of the last node, if there is one.
    fn take_branch(&mut self, depth: usize) -> bool {
        self.script.truncate(depth, true);
        self.replayed = depth;
        let picked = self.take_pending(depth);
        picked.inspect(|&picked| self.script.pick(picked)).is_some()
    }

    /// Takes the first pending branch whose step is possible, and returns which candidate's that is.
    fn take_pending(&mut self, depth: usize) -> Option<u32> {
        while let Some((step, below)) = self.forest.take_first(&mut self.nodes[depth].pending) {
            let task = self.causality.task_id(step.task);
            let picked = self.script.candidates(depth).iter().position(|candidate| candidate.task == task);
            // By source sets, a step may be wanted that sleeps since above: what it leads to was run from there.
            let same = |sleeper: &Planned| sleeper.task == step.task && sleeper.begins_as(&step);
            let sleeps = !self.exact && self.sleep_set(depth).iter().any(same);
            self.counts.pruned += u64::from(picked.is_none());
            let Some(picked) = picked.filter(|_| !sleeps) else {
                self.forest.discard(below);
                continue;
            };
            let node = &mut self.nodes[depth];
            node.handed = below;
            node.choices = step.choices;
            node.planned = Some(step.footprint);
            return Some(picked as u32);
        }
        None
    }

    /// The sleep set of a node.
    fn sleep_set(&self, depth: usize) -> &[Planned] {
        &self.sleepers[self.nodes[depth].sleep as usize..self.sleep_end(depth)]
    }

    fn sleep_end(&self, depth: usize) -> usize {
        self.nodes.get(depth + 1).map_or(self.sleepers.len(), |node| node.sleep as usize)
    }
}
