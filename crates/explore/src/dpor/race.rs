//! What races lead to: for each, the steps that reverse it, planned at the point before its earlier step.
//!
//! The plan is everything that happened after the earlier step but not because of it, and then the later step. All of
//! it, not only what the later step needs: otherwise the plan's branch would be free to repeat what other plans do.
//!
//! Invariants:
//! - `race.deepest-first`: the race whose earlier step is deepest is considered first.
//! - `race.again`: a race is considered again whenever the plan that reverses it is another: when a new step does not
//!   happen after its earlier step. It is not enough to consider each race when its later step is new: depend_4 has
//!   30 classes and some orders would find 29.
//! - `race.outcome`: a plan holds what its last step will do *after the reversal*: an attempt may succeed then, or fail, and
//!   who was asked to end is refused. Only so can be said whether another branch leads to the same.
//!
//! - `race.refused`: who was refused an operation because it was asked to end might have come before the request, and so
//!   before whoever kept it waiting: both come later in the plan.
//!
//! Not here: finding races (`causality`).

use super::Trees;
use super::wakeup::{Inserted, Planned};
use crate::causality::Race;
use crate::footprint::{Footprint, comes_to};
use crate::relation::Mark;
use crate::scheduler::{Announced, Candidate, Request, Stuck};
use std::ops::Range;
use trace::{Access, ObjectKind};

/// What stays before a step of an execution when that step comes later.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// The step, and the end of what was looked at; none if it has to be found out again.
    steps: Option<Range<usize>>,
    /// What stays.
    depths: Vec<u32>,
    /// Whether it could as well begin with a step that was run.
    covered: bool,
    /// Which steps that were run are not among it and commute with all of it, as places among all that sleep.
    absent: Vec<u32>,
    /// Branches it could begin with as far as it goes, and whether their step is among it.
    branches: Vec<(u32, bool)>,
}

/// The later step of a race.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Later {
    Ran(u32),
    /// What a task announced that never could: its place in the list of those.
    Stuck(u32),
}

/// A later step that is to come before an earlier one, and before another one besides if it needs that, by their depths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pair {
    earlier: u32,
    later: Later,
    also: Option<u32>,
}

impl Trees {
    /// Considers the races of the execution that ended.
    pub(super) fn reverse_races(&mut self) {
        let mut pairs = std::mem::take(&mut self.pairs);
        self.causality.before_all_from(self.replayed, &mut self.least);
        let races = self.causality.races.iter().filter(|race| self.is_new(race));
        pairs.extend(races.map(|race| Pair {
            earlier: race.earlier,
            later: Later::Ran(race.later),
            also: None,
        }));
        if !types::seeded!("explore.stuck-ignored") {
            for at in 0..self.stuck.len() {
                let Some(announced) = self.stuck[at].announced else { continue };
                let task = self.causality.task(self.stuck[at].task);
                self.causality.races_of_stuck(task, &announced, |_, earlier| {
                    pairs.push(Pair { earlier, later: Later::Stuck(at as u32), also: None });
                });
            }
        }
        self.add_races_of_refused(&mut pairs);
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.earlier));
        self.kept.steps = None;
        for &pair in &pairs {
            self.counts.races += 1;
            self.reverse(pair);
        }
        pairs.clear();
        self.pairs = pairs;
    }

    /// What a task had announced that was refused it races with what others did to the object, although the step in the end
    /// had nothing to do with it: without the request it might have come before any of that (`race.refused`).
    fn add_races_of_refused(&mut self, pairs: &mut Vec<Pair>) {
        if types::seeded!("explore.refused-ignored") {
            return;
        }
        for depth in 0..self.causality.depth() {
            let Some(Candidate { announced: Some(announced), request: Some(request), .. }) =
                self.candidate(depth)
            else {
                continue;
            };
            let Some(asked) = self.refused_by(depth, &request) else { continue };
            let object = self.causality.objects.number(announced.object);
            let own = self.causality.events[depth].task;
            let previous = self.causality.previous(depth);
            let is_needed = |at: u32| {
                self.causality.events[at as usize].task == own
                    || previous.is_some_and(|step| self.happens_after(step, at as usize))
            };
            if is_needed(asked) {
                continue;
            }
            let others = self.causality.touched(object).iter().map(|&(at, _)| at);
            for at in others.filter(|&at| !is_needed(at)) {
                let (earlier, also) = (at.min(asked), Some(at.max(asked)));
                if self.is_new(&Race { earlier, later: depth as u32 }) {
                    pairs.push(Pair { earlier, later: Later::Ran(depth as u32), also });
                }
            }
        }
    }

    /// The first request because of which the step at `depth` was refused what it had announced.
    fn refused_by(&mut self, depth: usize, request: &Request) -> Option<u32> {
        let object = self.causality.objects.number(request.object);
        let asked = self.requests(object).next()?;
        (request.heeded && (asked as usize) < depth).then_some(asked)
    }

    /// The steps that asked the task to end, whose request the object is: as a whole, be it the task itself. What a task asks of
    /// a scope of its own sets the object; it is over by now, or shows in what was announced.
    fn requests(&self, object: u32) -> impl Iterator<Item = u32> {
        let whole = |access| match access {
            Access::Set(_) => types::seeded!("explore.own-requests-refuse"),
            access => access == Access::Write,
        };
        let touched = self.causality.touched(object).iter();
        touched.filter(move |(_, mark)| whole(mark.access)).map(|&(at, _)| at)
    }

    /// Whether the plan that reverses the race is not the one of an execution before.
    fn is_new(&self, race: &Race) -> bool {
        let earlier = &self.causality.events[race.earlier as usize];
        let again = !types::seeded!("explore.races-once");
        race.later as usize >= self.replayed || again && self.least[earlier.task as usize] < earlier.index
    }

    /// Plans the reversal of a race. Whoever can't foresee what the later step will do then has two plans for it: with what
    /// came after it, which may do what it would have to come before (who was refused a lock takes it before the request,
    /// after somebody who took it later); and without, as that may come otherwise.
    fn reverse(&mut self, pair: Pair) {
        let earlier = pair.earlier as usize;
        if earlier >= self.repeats_from {
            return;
        }
        if types::seeded!("explore.textbook-races") && self.something_between(earlier, pair.later) {
            return;
        }
        let Some(end) = self.end(pair.later) else { return };
        if let Later::Ran(later) = pair.later
            && !self.exact
            && (later as usize) < end
        {
            self.reverse_within(pair, later as usize);
            if types::seeded!("explore.plans-end-at-the-race") {
                return;
            }
        }
        self.reverse_within(pair, end)
    }

    /// Plans the reversal of a race in the execution that ends at `end`.
    fn reverse_within(&mut self, Pair { earlier, later, also }: Pair, end: usize) {
        let earlier = earlier as usize;
        if !self.sharers.is_empty() || also.is_some() {
            self.kept.steps = None;
        }
        self.sharers.clear();
        self.sharers.extend(also);
        self.keep(earlier, end, later);
        if self.kept.covered {
            return;
        }
        let Some(last) = self.reversed(earlier, later, end) else { return };
        if !self.sharers.is_empty() {
            self.kept.steps = None;
            self.keep(earlier, end, later);
        }
        // What changed its outcome may commute with the earlier step now; then that one's branch leads there.
        let commutes = self.causality.events[earlier].footprint.commutes(&last.footprint);
        if commutes && !types::seeded!("explore.branch-in-progress-untested") {
            return;
        }
        let run = self.kept.absent.iter().map(|&at| &self.sleepers[at as usize]);
        if self.kept.covered || run.into_iter().any(|sleeper| self.is_initial(sleeper, &last)) {
            return;
        }
        if self.leads_to_leaf(&last) || self.is_given(earlier, &last) {
            return;
        }
        self.kept.steps = None;
        let mut sequence = std::mem::take(&mut self.sequence);
        sequence.clear();
        sequence.extend(self.kept.depths.iter().map(|&at| self.planned(at as usize)));
        sequence.push(last);
        if types::seeded!("explore.cut-plans-trusted") && self.forest.live() >= self.limit {
            sequence.truncate(1);
        }
        // Plans that are cut short can't be relied on.
        self.exact &= self.forest.live() < self.limit || types::seeded!("explore.cut-plans-trusted");
        match self.exact {
            true => self.plan(earlier, &mut sequence),
            false => self.plan_by_source_set(earlier, &mut sequence),
        }
        self.sequence = sequence;
    }

    /// Finds out what stays when the step at `earlier` comes later, and which steps that were run a plan of that could begin
    /// with. The races of one earlier step have that in common.
    fn keep(&mut self, earlier: usize, end: usize, later: Later) {
        if self.kept.steps == Some(earlier..end) && !types::seeded!("explore.only-predecessors") {
            return;
        }
        let mut kept = std::mem::take(&mut self.kept);
        kept.steps = Some(earlier..end);
        kept.covered = false;
        kept.absent.clear();
        kept.depths.clear();
        for at in earlier + 1..end {
            let needless = types::seeded!("explore.only-predecessors")
                && matches!(later, Later::Ran(later)
                    if !self.causality.before(at, self.causality.clock(later as usize)));
            if self.stays(at, earlier) && !needless {
                kept.depths.push(at as u32);
            }
        }
        let first = self.nodes[earlier].sleep as usize;
        for (at, sleeper) in self.sleep_set(earlier).iter().enumerate() {
            match self.begins_with_kept(sleeper, &kept.depths) {
                Some(true) => kept.covered = true,
                Some(false) => kept.absent.push((first + at) as u32),
                None => {}
            }
        }
        kept.branches.clear();
        for (at, step) in self.forest.branches(self.nodes[earlier].pending) {
            if let Some(own) = self.begins_with_kept(step, &kept.depths) {
                kept.branches.push((at, own));
            }
        }
        self.kept = kept;
    }

    /// Whether the plan of what stays and `last` could as well begin with a branch that was given away.
    fn is_given(&self, earlier: usize, last: &Planned) -> bool {
        self.nodes[earlier].given.iter().any(|step| match self.begins_with_kept(step, &self.kept.depths) {
            Some(own) => own || self.is_initial(step, last),
            None => false,
        })
    }

    /// Whether the plan of what stays and `last` is one that a branch leads to which is to be explored as a whole. Nearly all
    /// are, and need not be written down to find that out.
    fn leads_to_leaf(&self, last: &Planned) -> bool {
        let begins = |&&(at, own): &&(u32, bool)| own || self.is_initial(self.forest.step(at), last);
        let first = self.kept.branches.iter().find(begins);
        first.is_some_and(|&(at, _)| !self.exact || self.forest.is_leaf(at))
    }

    /// As in [`super::wakeup`], for steps that ran: whether the step is among them.
    fn begins_with_kept(&self, step: &Planned, depths: &[u32]) -> Option<bool> {
        for &at in depths {
            let event = &self.causality.events[at as usize];
            if event.task == step.task {
                let same = step.choices.is_empty() || self.planned(at as usize).begins_as(step);
                return same.then_some(true);
            }
            if !step.footprint.commutes(&event.footprint) {
                return None;
            }
        }
        Some(false)
    }

    /// Whether a plan that ends with `last`, and whose other steps all commute with a step that is not among them, could as
    /// well begin with that one.
    fn is_initial(&self, step: &Planned, last: &Planned) -> bool {
        if step.task == last.task {
            return last.begins_as(step);
        }
        // What merely commutes with a plan is no excuse in source sets: that relies on plans to have been made for what comes
        // later.
        let foresees = self.exact || types::seeded!("explore.source-sets-foresee");
        foresees && step.footprint.commutes(&last.footprint)
    }

    /// How many of the execution's first steps a plan is made of: all of them. Of an execution that went on to repeat another,
    /// what counts is the point at which it began to: what tasks would have done next there, and waited for.
    fn end(&self, later: Later) -> Option<usize> {
        let previous = match later {
            Later::Ran(later) => self.causality.previous(later as usize),
            Later::Stuck(at) => {
                let task = self.causality.tasks.known(self.stuck[at as usize].task.as_u64());
                task.and_then(|task| self.causality.last(task))
            }
        };
        let repeated = previous.is_some_and(|previous| previous >= self.repeats_from);
        let all = self.causality.depth();
        let cut = !types::seeded!("explore.repetitions-given-up");
        (!repeated).then_some(if cut { all.min(self.repeats_from) } else { all })
    }

    /// Adds a sequence to the branches of a node, unless a branch leads to the same.
    fn plan(&mut self, depth: usize, sequence: &mut Vec<Planned>) {
        let new = self.forest.insert(&mut self.nodes[depth].pending, sequence) == Inserted::New;
        self.counts.reversed += u64::from(new);
    }

    /// Adds a sequence to the branches of a node.
    pub(super) fn plan_by_source_set(&mut self, depth: usize, sequence: &mut Vec<Planned>) {
        if let Some(home) = self.home.as_mut().filter(|home| depth <= home.depth) {
            home.plans.push((depth, sequence.clone()));
            sequence.truncate(1);
        }
        if self.forest.live() >= self.limit {
            sequence.truncate(1);
        }
        self.forest.push_last(&mut self.nodes[depth].pending, sequence);
        self.counts.reversed += 1;
    }

    /// The race's later step as it will be if it comes before the earlier one; nothing if it would have to wait.
    fn reversed(&mut self, earlier: usize, later: Later, end: usize) -> Option<Planned> {
        let (step, previous, announced, request) = match later {
            Later::Ran(later) => {
                let step = Planned { sure: self.exact, ..self.planned(later as usize) };
                let Candidate { announced, request, .. } = self.candidate(later as usize)?;
                (step, self.causality.previous(later as usize), announced, request)
            }
            Later::Stuck(at) => {
                let Stuck { task, announced, request } = self.stuck[at as usize];
                let task = self.causality.task(task);
                let footprint = Footprint::default();
                let step = Planned { task, choices: Vec::new(), footprint, sure: self.exact };
                (step, self.causality.last(task), Some(announced?), request)
            }
        };
        let steps = earlier..end;
        let refused = request.is_some_and(|request| self.is_refused(&steps, &request));
        // What it does besides the look at what it was asked.
        let does = match announced {
            Some(announced) if !refused => match self.mark_before(steps, previous, &announced)? {
                Some(mark) => Some(mark),
                None => return Some(self.unforeseen(step)),
            },
            _ => None,
        };
        if let Later::Ran(_) = later {
            let object = request.map(|request| self.causality.objects.number(request.object));
            let (ran, more) = {
                let mut racing = step.footprint.racing().filter(|mark| Some(mark.object) != object);
                (racing.next().copied(), racing.next().copied())
            };
            // As things are now it did what it had announced, or was refused; or nobody knows what it does.
            let known = match (ran, more, announced) {
                (Some(ran), None, Some(announced)) => does.is_some_and(|mark| {
                    mark.object == ran.object && comes_to(announced.kind, announced.access, ran.access)
                }),
                (None, ..) => request.is_some(),
                _ => false,
            };
            if !known {
                return Some(self.unforeseen(step));
            }
            if types::seeded!("explore.outcome-as-recorded") {
                return Some(step);
            }
        }
        // What follows its operation in the same step is unknown, but then no step is of one operation.
        let look = request.map(|request| self.look_at(&request));
        // That something ended with it others may have looked at.
        let ends = step.footprint.marks().iter().copied().filter(|mark| mark.access == Access::Happen);
        let marks: Vec<Mark> = does.into_iter().chain(look).chain(ends).collect();
        Some(Planned { footprint: Footprint::new(&marks), ..step })
    }

    /// Whether a task with this request is refused what it announced, before the first of these steps.
    fn is_refused(&mut self, steps: &Range<usize>, request: &Request) -> bool {
        if !request.heeded || types::seeded!("explore.requests-unforeseen") {
            return false;
        }
        let object = self.causality.objects.number(request.object);
        self.requests(object).any(|at| self.is_before_reversal(at as usize, steps))
    }

    /// What each step of a task that may be asked to end does.
    fn look_at(&mut self, request: &Request) -> Mark {
        let object = self.causality.objects.number(request.object);
        Mark { object, ordinal: 0, kind: ObjectKind::Value, access: Access::Read }
    }

    /// What the step will do is unknown.
    fn unforeseen(&mut self, step: Planned) -> Planned {
        self.exact = false;
        Planned { footprint: Footprint::unknown(), sure: false, ..step }
    }

    /// As [`Trees::mark_without`]. Several tasks that share a lock may keep another from excluding them. Who of them would
    /// still hold it is made to come later too, with all that follows; who gave it back stays.
    fn mark_before(
        &mut self,
        steps: Range<usize>,
        previous: Option<usize>,
        announced: &Announced,
    ) -> Option<Option<Mark>> {
        loop {
            let found = self.mark_without(&steps, announced);
            let shared = matches!(announced.kind, ObjectKind::SharedLock { .. });
            if found.is_some() || !shared || types::seeded!("explore.sharers-stay") {
                return found;
            }
            let known = self.sharers.len();
            self.find_sharers(&steps, announced);
            let new = &self.sharers[known..];
            let needed = |&at: &u32| {
                let at = at as usize;
                at < steps.start
                    || previous.is_some_and(|previous| previous == at || self.happens_after(previous, at))
            };
            if new.is_empty() || new.iter().any(needed) {
                return None;
            }
        }
    }

    /// Adds to `sharers` the steps that took the lock and did not give it back, of those before the step at `earlier` and
    /// those that stay.
    fn find_sharers(&mut self, steps: &Range<usize>, announced: &Announced) {
        let object = self.causality.objects.number(announced.object);
        let mut holding: Vec<(u32, u32)> = Vec::new();
        for &(at, ref mark) in self.causality.touched(object) {
            if !self.is_before_reversal(at as usize, steps) {
                continue;
            }
            let task = self.causality.events[at as usize].task;
            match mark.access {
                Access::Acquire(_) | Access::TryAcquire(_) => holding.push((task, at)),
                Access::Release(_) => {
                    if let Some(own) = holding.iter().rposition(|&(holder, _)| holder == task) {
                        holding.remove(own);
                    }
                }
                _ => {}
            }
        }
        self.sharers.extend(holding.into_iter().map(|(_, at)| at));
    }

    /// The announced operation as it would be before the first of these steps, after those of the others that did not
    /// happen because of that. Nothing if it would have to wait; `Some(None)` if nobody knows.
    fn mark_without(&mut self, steps: &Range<usize>, announced: &Announced) -> Option<Option<Mark>> {
        let object = self.causality.objects.number(announced.object);
        self.causality.mark_among(object, announced, |at| self.is_before_reversal(at, steps))
    }

    /// Whether a step happens after the earlier one and before the later one.
    fn something_between(&self, earlier: usize, later: Later) -> bool {
        let Later::Ran(later) = later else { return false };
        let later = later as usize;
        let before_later = |at: usize| self.causality.before(at, self.causality.clock(later));
        (earlier + 1..later).any(|at| self.happens_after(at, earlier) && before_later(at))
    }

    /// Whether the step at `at` comes before the later step of a race once that comes before the first of `steps`.
    fn is_before_reversal(&self, at: usize, steps: &Range<usize>) -> bool {
        at < steps.start || (at > steps.start && at < steps.end && self.stays(at, steps.start))
    }

    /// Whether the step at `at`, later than that at `earlier`, stays where it is when that one is reversed.
    fn stays(&self, at: usize, earlier: usize) -> bool {
        !self.happens_after(at, earlier)
            && !self.sharers.iter().any(|&sharer| self.happens_after(at, sharer as usize))
    }

    fn happens_after(&self, at: usize, earlier: usize) -> bool {
        self.causality.before(earlier, self.causality.clock(at))
    }

    /// The step at `depth`, to be taken again.
    pub(super) fn planned(&self, depth: usize) -> Planned {
        let event = &self.causality.events[depth];
        let choices = self.script.choices(depth).iter().map(|chosen| chosen.taken).collect();
        Planned { task: event.task, choices, footprint: event.footprint.clone(), sure: true }
    }
}
