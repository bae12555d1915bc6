//! An exploration by wakeup trees split among threads: [`Trees::split`] gives a branch away as an exploration of its own,
//! [`Trees::join`] takes it back.
//!
//! Plans are made for a branch by those before it, so a branch that is begun early would miss some. From the first split on
//! the rules of source sets hold, which need none (`dpor.source`): what is found is the same, some executions only
//! repeat others.
//!
//! ```text
//!  whole ──┬── its own branches ─────────── waits ── join ── plans of the part ──▶ goes on
//!          └── part: one branch, to its end ──┘
//! ```
//! Invariants:
//! - `split.path`: a point at which a branch was given away, and all above, stay until the part is joined.
//! - `split.given`: a branch that was given away counts as run, for those who come after it; and only one of which is known
//!   what its first step does is given away.
//! - `split.home`: what a part finds out about points above its own is planned there, after the join.
//!
//! Not here: threads. Who has some runs one exploration in each.

use super::wakeup::{Branches, Forest, Planned};
use super::{Counts, Node, State, Trees};
use crate::footprint::Footprint;
use crate::relation::Mark;

/// What a part remembers about the exploration it comes from.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// The point at which its branch was given away.
    pub(super) depth: usize,
    /// Plans for that point and those above.
    pub(super) plans: Vec<(usize, Vec<Planned>)>,
}

impl Trees {
    /// See [`crate::Explorer::split`]. Costs a copy of what is known about the execution's beginning.
    pub(crate) fn split(&mut self) -> Option<Trees> {
        if !matches!(self.state, State::Ready | State::Ended) {
            return None;
        }
        let can_be_given =
            |&depth: &usize| self.forest.first(self.nodes[depth].pending).is_some_and(|step| step.sure);
        let first = self.home.as_ref().map_or(0, |home| home.depth + 1);
        // Only where the branch in progress has begun: it must be known what sleeps in the one that is given away.
        let depth = (first..self.causality.depth()).find(can_be_given)?;
        let (step, below) = self.forest.take_first(&mut self.nodes[depth].pending)?;
        self.exact = false;
        let part = self.part(depth, &step, below);
        self.forest.discard(below);
        // A step that sleeps, or can't be taken, is nobody's.
        let part = part?;
        self.nodes[depth].given.push(step);
        self.nodes[depth].outstanding += 1;
        Some(part)
    }

    /// Takes a part back that was run to its end: its counts, and what it planned for the points above its branch.
    ///
    /// # Panics
    /// If the part is not over, or is none of this exploration.
    pub(crate) fn join(&mut self, part: &Trees) {
        assert_eq!(part.state, State::Over, "a part is joined when there is no next execution");
        let home = part.home.as_ref().expect("a part comes from a split");
        let node = self.nodes.get_mut(home.depth).filter(|node| node.outstanding > 0);
        node.expect("the exploration that gave the branch away takes it back").outstanding -= 1;
        self.counts.add(part.counts);
        if let Some(divergence) = &part.divergence {
            self.divergence.get_or_insert_with(|| divergence.clone());
        }
        for (depth, sequence) in &home.plans {
            let mut sequence: Vec<Planned> = sequence.iter().map(|step| self.adopt(part, step)).collect();
            if !self.is_begun(*depth, &sequence) && !types::seeded!("explore.part-keeps-plans") {
                self.plan_by_source_set(*depth, &mut sequence);
            }
        }
    }

    /// Whether this exploration has nothing to do until a part of it is joined.
    pub(crate) fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }

    /// A branch as an exploration of its own.
    fn part(&mut self, depth: usize, step: &Planned, below: Branches) -> Option<Trees> {
        let task = self.causality.task_id(step.task);
        let picked = self.script.candidates(depth).iter().position(|candidate| candidate.task == task)?;
        let asleep = |sleeper: &Planned| sleeper.task == step.task && sleeper.begins_as(step);
        if self.sleep_set(depth).iter().chain(&self.nodes[depth].given).any(asleep) {
            return None;
        }
        let forest = std::mem::replace(&mut self.forest, Forest::new());
        let mut part = self.clone();
        self.forest = forest;
        part.causality.truncate(depth);
        part.script.truncate(depth, true);
        part.script.pick(picked as u32);
        part.sleepers.truncate(self.sleep_end(depth));
        // What its point is running, and what was given away before, is as good as run.
        let in_progress = self.in_progress(depth).filter(|_| !types::seeded!("explore.part-unaware"));
        part.sleepers.extend(in_progress);
        part.sleepers.extend(self.nodes[depth].given.iter().cloned());
        part.nodes.truncate(depth + 1);
        for node in &mut part.nodes {
            // What is planned above is not the part's to run; it only has to know, so as not to plan it again.
            let known: Vec<Planned> =
                self.forest.branches(node.pending).map(|(_, step)| step.clone()).collect();
            node.pending = Branches::default();
            node.outstanding = 0;
            for step in known {
                part.forest.push_last(&mut node.pending, &mut vec![step]);
            }
        }
        let node = &mut part.nodes[depth];
        node.handed = self.forest.copy(below, &mut part.forest);
        node.choices.clone_from(&step.choices);
        node.planned = Some(step.footprint.clone());
        part.replayed = depth;
        part.state = State::Ready;
        part.counts = Counts::default();
        part.home = Some(Home { depth, plans: Vec::new() });
        Some(part)
    }

    /// The step that the execution takes at a point, if it was run.
    fn in_progress(&self, depth: usize) -> Option<Planned> {
        (depth < self.causality.depth()).then(|| self.planned(depth))
    }

    /// Whether one of the first steps of a plan was run from a point, is being run, or was given away.
    fn is_begun(&self, depth: usize, sequence: &[Planned]) -> bool {
        let Node { given, pending, .. } = &self.nodes[depth];
        let in_progress = self.in_progress(depth);
        let known = self.sleep_set(depth).iter().chain(given).chain(&in_progress);
        let mut known = known.chain(self.forest.branches(*pending).map(|(_, step)| step));
        known.any(|step| step.is_among_first(sequence))
    }

    /// A part's step, by this exploration's numbers of tasks and objects.
    fn adopt(&mut self, part: &Trees, step: &Planned) -> Planned {
        let mut mark = |mark: &Mark| {
            let object = trace::ObjectId(part.causality.objects.name(mark.object));
            Mark { object: self.causality.objects.number(object), ..*mark }
        };
        let footprint = match step.footprint.is_known() {
            true => Footprint::new(&step.footprint.marks().iter().map(&mut mark).collect::<Vec<_>>()),
            false => Footprint::unknown(),
        };
        let task = self.causality.task(part.causality.task_id(step.task));
        Planned { task, choices: step.choices.clone(), footprint, sure: step.sure }
    }
}
