//! [`Causality`]: who happened before whom in the execution that runs, as vector clocks, and which steps race.
//!
//! A stack: steps are pushed as they happen and popped when an exploration goes back, so that what executions have in
//! common is computed once.
//!
//! Invariants:
//! - `causality.clock`: entry `t` of a step's clock is how many steps of task `t` happen before it, itself included.
//! - `causality.edges`: a step happens after its task's step before, after the steps that made its task able to run,
//!   after each step of another task that the relation does not call independent of it, and after every step of the
//!   world's own; the world's own steps happen after everything.
//! - `causality.race`: two steps race if an operation of one races with an operation of the other and the earlier one
//!   does not happen before the later one for another reason than the operations of the later one. Steps between
//!   the two are no excuse: between two acquires that race stands a release that cannot be reversed. An order is a
//!   race too unless the later task waited for it: who did not announce that it waits would have come, and gone.
//!
//! Not here: what follows from a race (`dpor`).

use crate::footprint::Footprint;
use crate::names::Names;
use crate::objects::{Account, Objects};
use crate::relation::{Mark, Relation, relate, settles};
use crate::scheduler::{Announced, Touch};
use trace::Access;
use types::TaskId;

/// The number of whoever takes the world's own steps.
pub(crate) const WORLD: u32 = 0;

/// One step of the execution.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) task: u32,
    /// Counted in its task, from 1.
    pub(crate) index: u32,
    /// The task's step before, as its depth + 1; 0 if there is none.
    before: u32,
    pub(crate) footprint: Footprint,
    /// What it chose, as one number.
    pub(crate) choices: u64,
}

/// Two steps that race, by their depths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Race {
    pub(crate) earlier: u32,
    pub(crate) later: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Causality {
    pub(crate) tasks: Names,
    pub(crate) objects: Objects,
    /// Per object, the operations on it with their depths.
    touched: Vec<Vec<(u32, Mark)>>,
    pub(crate) events: Vec<Event>,
    /// Row `depth` is that step's clock.
    clocks: Vec<u32>,
    stride: usize,
    /// Per task, the depth + 1 of its last step, or 0.
    last: Vec<u32>,
    /// Which task was made able to run, by the step of which depth; ascending in depth.
    wakers: Vec<(u32, u32)>,
    /// Depths of the world's own steps.
    barriers: Vec<u32>,
    /// In the order of their later steps.
    pub(crate) races: Vec<Race>,
    marks: Vec<Mark>,
    base: Vec<u32>,
}

impl Causality {
    pub(crate) fn new() -> Causality {
        let mut tasks = Names::new();
        tasks.number(u64::MAX);
        Causality {
            tasks,
            objects: Objects::new(),
            touched: Vec::new(),
            events: Vec::new(),
            clocks: Vec::new(),
            stride: 4,
            last: vec![0],
            wakers: Vec::new(),
            barriers: Vec::new(),
            races: Vec::new(),
            marks: Vec::new(),
            base: Vec::new(),
        }
    }

    /// The number of a task, which is a new one if it was never met.
    pub(crate) fn task(&mut self, task: TaskId) -> u32 {
        let number = self.tasks.number(task.as_u64());
        if self.last.len() < self.tasks.len() {
            self.last.resize(self.tasks.len(), 0);
            self.widen();
        }
        number
    }

    pub(crate) fn task_id(&self, task: u32) -> TaskId {
        TaskId::from_u64(self.tasks.name(task))
    }

    pub(crate) fn depth(&self) -> usize {
        self.events.len()
    }

    /// Whether the step at `depth` happens before a step, or is before in one's own task, with this clock.
    pub(crate) fn before(&self, depth: usize, clock: &[u32]) -> bool {
        let event = &self.events[depth];
        clock[event.task as usize] >= event.index
    }

    pub(crate) fn clock(&self, depth: usize) -> &[u32] {
        &self.clocks[depth * self.stride..][..self.stride]
    }

    /// A step of which nobody knows what it had announced.
    pub(crate) fn push(
        &mut self,
        task: Option<TaskId>,
        touches: &[Touch],
        enabled: &[TaskId],
        choices: &[u32],
    ) {
        self.push_announced(task, touches, enabled, None, choices);
    }

    /// A step happens, and perhaps races with earlier ones.
    pub(crate) fn push_announced(
        &mut self,
        task: Option<TaskId>,
        touches: &[Touch],
        enabled: &[TaskId],
        announced: Option<&Announced>,
        choices: &[u32],
    ) {
        let task = task.map_or(WORLD, |task| self.task(task));
        let depth = self.depth() as u32;
        self.begin(task);
        if task == WORLD {
            self.after_everything();
        }
        let before = self.last[task as usize];
        let index = if before == 0 { 1 } else { self.events[before as usize - 1].index + 1 };
        // Only what comes first: what a step did before it observed something, it could have done earlier.
        let observes = |touch: &&Touch| touch.access == Access::Observe;
        let first =
            touches.iter().take_while(|touch| observes(touch) || types::seeded!("explore.observed-anywhere"));
        for touch in first.filter(observes) {
            self.wait_for(touch);
        }
        self.base[task as usize] = index;
        self.clocks.extend_from_slice(&self.base);
        if let Some(barrier) = self.barriers.last().copied().filter(|&barrier| barrier + 1 > before) {
            let (past, own) = self.clocks.split_at_mut(depth as usize * self.stride);
            join(own, &past[barrier as usize * self.stride..][..self.stride]);
        }
        let mut marks = std::mem::take(&mut self.marks);
        marks.clear();
        for touch in touches {
            let mark = self.objects.mark(touch);
            let waited = marks.is_empty() && announced.is_some_and(|announced| waits(announced, touch));
            self.relate(task, depth, &mark, waited);
            self.touched[mark.object as usize].push((depth, mark));
            marks.push(mark);
        }
        let choices = choices.iter().fold(0, |choices, &choice| mix(choices, u64::from(choice) + 1));
        let event = Event { task, index, before, footprint: Footprint::new(&marks), choices };
        self.marks = marks;
        self.events.push(event);
        self.last[task as usize] = depth + 1;
        for &task in enabled {
            let task = self.task(task);
            self.wakers.push((task, depth));
        }
        if task == WORLD {
            self.barriers.push(depth);
        }
    }

    /// Forgets all steps from `depth` on, and their races.
    pub(crate) fn truncate(&mut self, depth: usize) {
        while self.events.len() > depth {
            let event = self.events.pop().expect("counted");
            for mark in event.footprint.marks().iter().rev() {
                self.objects.unmark(mark);
                self.touched[mark.object as usize].pop();
            }
            self.last[event.task as usize] = event.before;
        }
        self.clocks.truncate(depth * self.stride);
        while self.races.last().is_some_and(|race| race.later as usize >= depth) {
            self.races.pop();
        }
        while self.wakers.last().is_some_and(|&(_, by)| by as usize >= depth) {
            self.wakers.pop();
        }
        while self.barriers.last().is_some_and(|&barrier| barrier as usize >= depth) {
            self.barriers.pop();
        }
    }

    /// Calls `found` with the depth of each step with which `announced`, which this task could never do, would race.
    pub(crate) fn races_of_stuck(
        &mut self,
        task: u32,
        announced: &Announced,
        mut found: impl FnMut(&Causality, u32),
    ) {
        self.begin(task);
        let object = self.objects.number(announced.object);
        self.touched.resize_with(self.touched.len().max(object as usize + 1), Vec::new);
        let mark = self.objects.mark(announced);
        self.objects.unmark(&mark);
        for &(depth, earlier) in self.touched[object as usize].iter().rev() {
            let races = relate(&earlier, &mark) == Relation::Race;
            if races && self.events[depth as usize].task != task && !self.before(depth as usize, &self.base) {
                found(self, depth);
            }
        }
    }

    /// The operations on an object so far, with the depths of their steps.
    pub(crate) fn touched(&self, object: u32) -> &[(u32, Mark)] {
        self.touched.get(object as usize).map_or(&[], Vec::as_slice)
    }

    /// The depth of the task's step before the one at `depth`.
    pub(crate) fn previous(&self, depth: usize) -> Option<usize> {
        (self.events[depth].before as usize).checked_sub(1)
    }

    /// The depth of the task's last step.
    pub(crate) fn last(&self, task: u32) -> Option<usize> {
        (self.last[task as usize] as usize).checked_sub(1)
    }

    /// Per task, how many of its first steps happen before, or are, *every* step from `depth` on; `u32::MAX` if there is
    /// no step from there on.
    pub(crate) fn before_all_from(&self, depth: usize, least: &mut Vec<u32>) {
        least.clear();
        least.resize(self.stride, u32::MAX);
        for at in depth..self.depth() {
            for (least, entry) in least.iter_mut().zip(self.clock(at)) {
                *least = (*least).min(*entry);
            }
        }
    }

    /// Makes `base` the clock of what happens before the task's next step whatever that step does. The world's own steps
    /// are no part of it: a task that waited for something may have waited since before the clock moved.
    fn begin(&mut self, task: u32) {
        let before = self.last[task as usize];
        let mut base = std::mem::take(&mut self.base);
        base.clear();
        match before {
            0 => base.resize(self.stride, 0),
            before => base.extend_from_slice(self.clock(before as usize - 1)),
        }
        if types::seeded!("explore.clock-is-a-reason")
            && let Some(&barrier) = self.barriers.last()
        {
            join(&mut base, self.clock(barrier as usize));
        }
        let wakers = self.wakers.iter().rev().take_while(|&&(_, by)| by + 1 > before);
        let wakers = wakers.filter(|&&(woken, _)| woken == task).map(|&(_, by)| by);
        for by in wakers {
            join(&mut base, self.clock(by as usize));
        }
        self.base = base;
    }

    /// The step that begins was waited for with this: what it observes happened before it began.
    fn wait_for(&mut self, observed: &Touch) {
        let object = self.objects.number(observed.object) as usize;
        let mut base = std::mem::take(&mut self.base);
        for &(at, ref earlier) in self.touched.get(object).into_iter().flatten() {
            if earlier.access == Access::Happen {
                join(&mut base, self.clock(at as usize));
            }
        }
        self.base = base;
    }

    /// Whether the step that was pushed last, whatever it did, could not have come before any step of another task.
    pub(crate) fn follows_all(&self) -> bool {
        let last =
            |task: usize| self.last[task].checked_sub(1).map_or(0, |at| self.events[at as usize].index);
        let own = self.events.last().map(|event| event.task as usize);
        // Tasks that the step itself was the first to mention have no place in what it began with.
        let known = |task: usize| self.base.get(task).copied().unwrap_or(0);
        (0..self.last.len()).all(|task| Some(task) == own || known(task) >= last(task))
    }

    /// What the announced operation on the object of this number would be if all that had happened were the steps that `stays` names. Nothing if it would
    /// have to wait; `Some(None)` if nobody knows.
    pub(crate) fn mark_among(
        &self,
        object: u32,
        announced: &Announced,
        stays: impl Fn(usize) -> bool,
    ) -> Option<Option<Mark>> {
        let (mut account, mut value) = (Account::default(), Some(0));
        for &(at, ref mark) in self.touched(object) {
            if stays(at as usize) {
                account.add(mark.access);
                value = match mark.access {
                    Access::Set(set) => Some(set),
                    Access::Write => None,
                    _ => value,
                };
            }
        }
        let kind = announced.kind;
        account.possible(kind, announced.access).then(|| {
            let access = match (account.outcome(kind, announced.access), value) {
                (Access::Exchange(expected), Some(value)) if expected == value => Access::Write,
                (Access::Exchange(_), Some(_)) => Access::Read,
                (Access::Exchange(_), None) => return None,
                (access, _) => access,
            };
            Some(Mark { object, ordinal: account.ordinal(kind, access), kind, access })
        })
    }

    /// What happens before a step whatever it does: as `base` was when the step at `depth` was pushed, or, of a step that
    /// never came, as it is for the next step of `task`.
    pub(crate) fn causes(&self, task: u32, depth: usize) -> Vec<u32> {
        let before = match self.events.get(depth) {
            Some(event) => event.before,
            None => self.last[task as usize],
        };
        let mut causes = match before {
            0 => vec![0; self.stride],
            before => self.clock(before as usize - 1).to_vec(),
        };
        let wakers = self.wakers.iter().skip_while(|&&(_, by)| by < before);
        for &(_, by) in
            wakers.take_while(|&&(_, by)| (by as usize) < depth).filter(|&&(woken, _)| woken == task)
        {
            join(&mut causes, self.clock(by as usize));
        }
        let marks = self.events.get(depth).map_or(&[][..], |event| event.footprint.marks());
        for mark in marks.iter().take_while(|mark| mark.access == Access::Observe) {
            for &(at, ref earlier) in self.touched(mark.object) {
                if (at as usize) < depth && earlier.access == Access::Happen {
                    join(&mut causes, self.clock(at as usize));
                }
            }
        }
        causes
    }

    /// Adds to `causes` what an operation would happen after because of what it does, if all that had happened were the
    /// steps that `stays` names.
    pub(crate) fn add_causes_of(&self, mark: &Mark, causes: &mut [u32], stays: impl Fn(usize) -> bool) {
        for &(at, ref earlier) in self.touched(mark.object) {
            if stays(at as usize) && relate(earlier, mark) != Relation::Independent {
                join(causes, self.clock(at as usize));
            }
        }
    }

    /// Joins what the world's own step happens after: the last step of every task.
    fn after_everything(&mut self) {
        let mut base = std::mem::take(&mut self.base);
        for &last in self.last.iter().filter(|&&last| last > 0) {
            join(&mut base, self.clock(last as usize - 1));
        }
        self.base = base;
    }

    /// Relates an operation of the step being pushed to the earlier ones on its object: edges into its clock, which is
    /// the last row, and races. What the task `waited` for could not have come later; what it did without waiting could.
    fn relate(&mut self, task: u32, depth: u32, mark: &Mark, waited: bool) {
        let object = mark.object as usize;
        if self.touched.len() <= object {
            self.touched.resize_with(object + 1, Vec::new);
        }
        let (past, own) = self.clocks.split_at_mut(depth as usize * self.stride);
        for &(at, ref earlier) in self.touched[object].iter().rev() {
            let Some(event) = self.events.get(at as usize) else { continue };
            // All before it that matters happens before it, and so before what is being pushed.
            if self.base[event.task as usize] >= event.index && settles(earlier, mark) {
                break;
            }
            if event.task == task {
                continue;
            }
            let relation = relate(earlier, mark);
            if relation == Relation::Independent {
                continue;
            }
            let race = Race { earlier: at, later: depth };
            let firm = waited || types::seeded!("explore.orders-are-firm");
            if (relation == Relation::Race || !firm)
                && self.base[event.task as usize] < event.index
                && !self.races.iter().rev().take_while(|race| race.later == depth).any(|known| *known == race)
            {
                self.races.push(race);
            }
            if own[event.task as usize] < event.index {
                join(own, &past[at as usize * self.stride..][..self.stride]);
            }
        }
    }

    /// Makes room for the clock entries of tasks that were met just now.
    fn widen(&mut self) {
        if self.tasks.len() <= self.stride {
            return;
        }
        let stride = self.tasks.len().next_multiple_of(4);
        let mut clocks = Vec::with_capacity(self.events.len() * stride);
        for row in self.clocks.chunks_exact(self.stride) {
            clocks.extend_from_slice(row);
            clocks.resize(clocks.len() + stride - self.stride, 0);
        }
        (self.clocks, self.stride) = (clocks, stride);
    }
}

/// Whether the task was to begin its step with an operation that waits, and this is it.
fn waits(announced: &Announced, touch: &Touch) -> bool {
    let waiting =
        matches!(announced.access, Access::Acquire(_) | Access::Receive | Access::Ended | Access::Observe);
    waiting && announced.object == touch.object
}

fn join(clock: &mut [u32], other: &[u32]) {
    for (entry, other) in clock.iter_mut().zip(other) {
        *entry = (*entry).max(*other);
    }
}

/// Mixes two words (the finalizer of MurmurHash3 over a multiplicative combination).
pub(crate) fn mix(one: u64, other: u64) -> u64 {
    let mut word = one.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ other.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    word = (word ^ (word >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    word = (word ^ (word >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    word ^ (word >> 33)
}
