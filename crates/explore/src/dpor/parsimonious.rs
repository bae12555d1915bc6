//! [`Parsimonious`]: one execution of each class, with no more memory than a few executions have steps.
//!
//! The idea is that of Abdulla, Atig, Das, Jonsson, Sagonas, "Parsimonious optimal dynamic partial order reduction", CAV
//! 2024: each race is reversed once, by a plan that holds only what its later step needs, and what was explored
//! elsewhere is kept out by a look at the execution instead of by sleep sets. How, is of our own making (docs/adr/0021):
//!
//! ```text
//!   node (prefix E, default step p)                 explores all executions that begin with E:
//!     ├── E·p ─ ─ ▶  the run goes on                  those that have p,
//!     ├── E·σ·w ▶  a branch of its own                those that have w, which races with p and comes first
//!     └── E·σ'·w' ...                                 (σ: what w needs)
//! ```
//! Every execution that begins with E has p or one of those w. So nothing is missed if every w is planned, and nothing is run
//! twice if each w is planned once, and an execution that has several of them is left to one.
//!
//! Invariants:
//! - `parsimonious.head`: who is in the branch of w keeps w. The races within a branch whose reversal would undo a head
//!   (the w of a branch) are left to who explores what the branch is a branch of. Heads are never given up, so branches
//!   are nested at most as deep as an execution is long: this is what bounds the memory.
//! - `parsimonious.once`: of all runs in which p and w race, one plans w: the one that has as many steps of the default as
//!   it could. A head that moves on before an earlier step knows at which steps it was met elsewhere.
//! - `parsimonious.order`: several w that commute (two loads before one store) go in the order of their tasks; p runs right
//!   after w, so that none of the others comes first by itself.
//!
//! All of this takes for granted that each step does one operation that was announced, and that its task is never asked to
//! end (a step that looks at a request besides has two objects). When one does not, `exact` is lost, and the exploration
//! begins again with wakeup trees, which know what to do then (`explorer`).
//!
//! Memory: for each of the nested branches its prefix, and for each race of its run the steps that reverse it:
//! polynomial in the length of an execution.
//!
//! Not here: which branches a run has (`branches`), clocks and races (`causality`).

mod branches;
mod run;

use super::Counts;
use crate::causality::Causality;
use crate::fingerprint::Fingerprint;
use crate::relation::Mark;
use crate::scheduler::{Announced, Candidate, Stuck};
use crate::script::{Script, Unrepeatable};
use trace::Choice;

/// The step that a branch is the branch of, in the sequence that is run: the last of its plan.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Its depth.
    at: u32,
    /// The depth of the node it branches off from: from there up to it are the steps that it needed.
    from: u32,
    /// The step that it came before.
    over: Option<Over>,
    /// Depths of earlier steps whose race with it is reversed by another run.
    done: Box<[u32]>,
    known: Box<[Known]>,
}

/// A default step that a head came before: whose it is, which of that task's, and what it would have done.
#[derive(Clone, Copy, Debug)]
struct Over {
    task: u32,
    index: u32,
    mark: Option<Mark>,
}

/// At this place of a run, a head would be as `target` says if the step at `at` came later; so a head that goes before
/// the place need not look at that step.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: u32,
    place: u32,
    target: u64,
}

/// A branch that has not begun.
#[derive(Clone, Debug)]
struct Branch {
    /// The depth of its node.
    at: u32,
    /// Whose steps it begins with: what its head needs, and the head.
    schedule: Box<[u32]>,
    /// Which depths of the schedule were heads.
    swallowed: Box<[u32]>,
    over: Over,
    /// What the head will do.
    mark: Mark,
    done: Box<[u32]>,
    known: Box<[Known]>,
}

/// A run whose branches are explored.
#[derive(Clone, Debug)]
struct Frame {
    /// Whose steps it had.
    sequence: Box<[u32]>,
    heads: Box<[Head]>,
    /// The deepest last.
    branches: Vec<Branch>,
    /// How many branches have begun, and where the last of them went off.
    begun: u64,
    went_off: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Between executions; what was learnt from the last is in `frames`.
    Settled,
    Ready,
    Running,
    Ended,
    GivenUp,
    Over,
}

#[derive(Clone, Debug)]
pub(crate) struct Parsimonious {
    causality: Causality,
    script: Script,
    /// How many steps of the execution happened.
    depth: usize,
    /// Steps above this depth repeat those of the execution before.
    replayed: usize,
    state: State,
    /// Whether anything ran.
    begun: bool,
    counts: Counts,
    divergence: Option<Box<Unrepeatable>>,
    stuck: Vec<Stuck>,
    /// What the step that runs chose.
    taken: Vec<u32>,
    order: Option<u64>,
    branching: Vec<Choice>,
    /// Whose steps the execution begins with, and which of them are heads; the last one is, and does `mark`.
    plan: Vec<u32>,
    heads: Vec<Head>,
    mark: Option<Mark>,
    frames: Vec<Frame>,
    /// Numbers in `frames`, now and at most.
    stored: usize,
    most_stored: usize,
    exact: bool,
}

impl Parsimonious {
    pub(crate) fn new(order: Option<u64>, branching: &[Choice]) -> Parsimonious {
        Parsimonious {
            causality: Causality::new(),
            script: Script::default(),
            depth: 0,
            replayed: 0,
            state: State::Settled,
            begun: false,
            counts: Counts::default(),
            divergence: None,
            stuck: Vec::new(),
            taken: Vec::new(),
            order,
            branching: branching.to_vec(),
            plan: Vec::new(),
            heads: Vec::new(),
            mark: None,
            frames: Vec::new(),
            stored: 0,
            most_stored: 0,
            exact: true,
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

    /// Whether each step so far did one operation, and had announced it. If not, the exploration can't go on.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// How many numbers are stored besides the execution itself.
    pub(crate) fn stored(&self) -> usize {
        self.stored
    }

    pub(crate) fn steps(&self) -> usize {
        self.causality.depth()
    }

    pub(crate) fn most_stored(&self) -> usize {
        self.most_stored
    }

    /// How many branches have not begun at each depth of each run that the next is nested in, down to where it goes off.
    pub(crate) fn planned_branches(&self) -> impl Iterator<Item = u64> {
        let of_frame = |frame: &Frame| {
            let mut planned = vec![0; frame.went_off as usize + 1];
            frame.branches.iter().for_each(|branch| planned[branch.at as usize] += 1);
            planned
        };
        self.frames.iter().flat_map(of_frame)
    }

    /// Which branch is taken at each of these depths; then the execution's own steps.
    pub(crate) fn path(&self) -> impl Iterator<Item = u64> {
        let of_frame = |frame: &Frame| std::iter::repeat_n(0, frame.went_off as usize).chain([frame.begun]);
        self.frames.iter().flat_map(of_frame).chain(std::iter::repeat_n(0, self.causality.depth()))
    }

    pub(crate) fn next_execution(&mut self) -> bool {
        match self.state {
            State::Over => return false,
            State::Ready => return true,
            State::Ended | State::Settled | State::Running | State::GivenUp => self.settle(),
        }
        let goes_on = self.divergence.is_none() && self.exact && (!self.begun || self.take_branch());
        self.begun = true;
        self.state = if goes_on { State::Ready } else { State::Over };
        goes_on
    }

    /// Plans what the execution that ended leads to.
    pub(crate) fn settle(&mut self) {
        if self.state == State::Ended {
            self.add_frame();
        }
        if !matches!(self.state, State::Ready | State::Over) {
            self.state = State::Settled;
        }
    }

    /// Goes to the deepest branch that has not begun, if there is one.
    fn take_branch(&mut self) -> bool {
        while let Some(frame) = self.frames.pop_if(|frame| frame.branches.is_empty()) {
            self.stored -= frame.size();
        }
        let Some(frame) = self.frames.last_mut() else { return false };
        self.stored -= frame.size();
        frame.begun += 1;
        let branch = frame.branches.pop().expect("the frame has one");
        frame.went_off = branch.at;
        self.plan.clear();
        self.plan.extend_from_slice(&frame.sequence[..branch.at as usize]);
        self.plan.extend_from_slice(&branch.schedule);
        self.heads.clear();
        self.heads.extend(frame.heads.iter().take_while(|head| head.at < branch.at).cloned());
        let nothing = || (Box::default(), Box::default());
        self.heads.extend(branch.swallowed.iter().map(|&at| {
            let (done, known) = nothing();
            Head { at, from: at, over: None, done, known }
        }));
        let Branch { at, over, done, known, mark, .. } = branch;
        self.heads.push(Head { at: self.plan.len() as u32 - 1, from: at, over: Some(over), done, known });
        self.mark = Some(mark);
        if frame.branches.is_empty() {
            // Nothing goes off from it any more; what is left says where the exploration is.
            (frame.sequence, frame.heads) = (Box::default(), Box::default());
        }
        self.stored += frame.size();
        let last = self.causality.events.iter().map(|event| event.task);
        let shared = last.zip(&self.plan).take_while(|(one, other)| one == *other).count();
        self.replayed = shared.min(self.plan.len() - 1);
        self.causality.truncate(self.replayed);
        self.script.truncate(self.replayed, true);
        if self.replayed < self.script.len() {
            let task = self.causality.task_id(self.plan[self.replayed]);
            let candidates = self.script.candidates(self.replayed);
            match candidates.iter().position(|candidate| candidate.task == task) {
                Some(picked) => self.script.pick(picked as u32),
                None => self.give_up_plan(),
            }
        }
        self.exact
    }

    /// A step that was planned isn't possible: what it waits for was not announced.
    fn give_up_plan(&mut self) {
        self.counts.pruned += 1;
        self.exact = false;
        self.state = State::GivenUp;
    }

    /// A branch that has not begun, as near to the beginning as there is one, as an exploration of its own. Branches have
    /// nothing in common, so that both stay exact.
    pub(crate) fn split(&mut self) -> Option<Parsimonious> {
        self.settle();
        let frame = self.frames.iter_mut().find(|frame| !frame.branches.is_empty())?;
        self.stored -= frame.size();
        frame.begun += 1;
        let branches = vec![frame.branches.remove(0)];
        let given = Frame {
            sequence: frame.sequence.clone(),
            heads: frame.heads.clone(),
            branches,
            begun: 0,
            went_off: 0,
        };
        self.stored += frame.size();
        let mut part = Parsimonious::new(self.order, &self.branching);
        // What was planned is said in the numbers of this exploration.
        part.causality = self.causality.clone();
        part.causality.truncate(0);
        part.begun = true;
        part.stored = given.size();
        part.most_stored = part.stored;
        part.frames.push(given);
        Some(part)
    }

    /// Takes the counts of a part that is over.
    pub(crate) fn join(&mut self, part: &Parsimonious) {
        self.counts.add(part.counts);
        self.exact &= part.exact;
        self.most_stored = self.most_stored.max(part.most_stored);
        if let Some(divergence) = &part.divergence {
            self.divergence.get_or_insert_with(|| divergence.clone());
        }
    }

    /// What the step at `depth` had announced.
    fn announced(&self, depth: usize) -> Option<Announced> {
        self.candidate(depth)?.announced
    }

    /// Whose step that at `depth` was, as it was known beforehand.
    fn candidate(&self, depth: usize) -> Option<&Candidate> {
        let picked = self.script.picked(depth)?;
        Some(&self.script.candidates(depth)[picked as usize])
    }
}

impl Frame {
    /// How many numbers it holds.
    fn size(&self) -> usize {
        let head = |head: &Head| 1 + head.done.len() + head.known.len();
        let branch = |branch: &Branch| {
            1 + branch.schedule.len() + branch.swallowed.len() + branch.done.len() + branch.known.len()
        };
        1 + self.sequence.len()
            + self.heads.iter().map(head).sum::<usize>()
            + self.branches.iter().map(branch).sum::<usize>()
    }
}
