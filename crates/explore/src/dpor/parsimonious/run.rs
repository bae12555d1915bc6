//! The parsimonious exploration as a [`Scheduler`]: follows its plan, then takes the default.
//!
//! Not here: what the plan is (`parsimonious`).

use super::{Parsimonious, State};
use crate::causality::Causality;
use crate::footprint::{Footprint, keeps_to, orders};
use crate::relation::{Mark, Relation, relate};
use crate::scheduler::{Ended, Point, Scheduler, Step};
use crate::script::Unrepeatable;
use trace::{Choice, ObjectKind};

impl Parsimonious {
    /// Whose step comes at this depth, if that is not free.
    fn wanted(&self, depth: usize) -> Option<u32> {
        if depth < self.plan.len() {
            return Some(self.plan[depth]);
        }
        // `parsimonious.order`: who was overtaken comes right after the head.
        let over = self.heads.last().filter(|_| depth == self.plan.len())?.over?;
        Some(over.task).filter(|_| !types::seeded!("explore.overtaken-waits"))
    }

    /// The first execution goes as somebody else decides, who explores the same program.
    pub(crate) fn follow(&mut self, point: &Point<'_>, picked: usize) {
        if self.state == State::Running {
            self.taken.clear();
            self.script.point(point.candidates);
            self.script.pick(picked as u32);
        }
    }

    /// Whether the step did what it had announced, and only that; and what was planned, if it was.
    fn foreseen(&self, depth: usize, step: &Step<'_>) -> bool {
        let footprint = &self.causality.events[depth].footprint;
        let planned = self.mark.filter(|_| depth + 1 == self.plan.len());
        if step.task.is_none() || !planned.is_none_or(|mark| Footprint::new(&[mark]).is_like(footprint)) {
            return step.task.is_none();
        }
        if self.races_by_ending(depth) {
            return false;
        }
        let mut racing = step.touches.iter().filter(|touch| !orders(touch.access));
        match (racing.next(), racing.next(), self.announced(depth)) {
            (None, ..) => true,
            (Some(touch), None, Some(announced)) if keeps_to(&announced, touch) => true,
            // Who went on because everybody else had ended can't have gone on earlier, whatever it did then.
            _ => self.causality.follows_all(),
        }
    }

    /// Whether something that only orders steps is in a race here: somebody looked before whether the task had ended, say.
    /// Nobody announces an end, so that no plan could have it come first.
    fn races_by_ending(&self, depth: usize) -> bool {
        let Causality { events, races, .. } = &self.causality;
        let ends = || events[depth].footprint.marks().iter().filter(|mark| orders(mark.access));
        let races = races.iter().rev().take_while(|race| race.later as usize == depth);
        races.map(|race| &events[race.earlier as usize]).any(|earlier| {
            let races =
                |end: &Mark| earlier.footprint.marks().iter().any(|e| relate(e, end) == Relation::Race);
            ends().any(races)
        })
    }

    fn diverge(&mut self, divergence: Box<Unrepeatable>) {
        self.divergence.get_or_insert(divergence);
        self.state = State::GivenUp;
    }

    fn diverge_at(&mut self, step: usize, expected: String, found: String) {
        self.diverge(Box::new(Unrepeatable { step, task: None, expected, found }));
    }
}

impl Scheduler for Parsimonious {
    fn begin(&mut self) {
        assert_eq!(
            self.state,
            State::Ready,
            "an execution begins after next_execution() said that there is one"
        );
        self.state = State::Running;
        self.depth = 0;
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        if self.state != State::Running {
            return None;
        }
        self.taken.clear();
        let depth = self.depth;
        if depth < self.script.len() {
            if let Err(divergence) = self.script.check_point(depth, point.candidates) {
                self.diverge(divergence);
                return None;
            }
            let picked = self.script.picked(depth);
            if picked.is_none() {
                let found = format!("{} candidates", point.candidates.len());
                self.diverge_at(depth, "a step of the world's own".into(), found);
            }
            return picked.map(|picked| picked as usize);
        }
        let wanted = self.wanted(depth).map(|task| self.causality.task_id(task));
        let stands = |task| point.candidates.iter().position(|candidate| candidate.task == task);
        self.script.point(point.candidates);
        let picked = match wanted.and_then(stands) {
            Some(picked) => picked,
            None if depth < self.plan.len() => {
                self.give_up_plan();
                return None;
            }
            None => {
                // Who excludes others from a shared lock can't follow one who shares it, and so can't keep another sharer
                // from being next.
                let shares = self.mark.is_some_and(|mark| matches!(mark.kind, ObjectKind::SharedLock { .. }));
                self.exact &= wanted.is_none() || !shares;
                match &mut self.order {
                    None => point.usual,
                    Some(state) => crate::dpor::run::splitmix(state) as usize % point.candidates.len(),
                }
            }
        };
        self.script.pick(picked as u32);
        Some(picked)
    }

    fn choose(&mut self, what: Choice, _: u32, usual: u32) -> u32 {
        // A step that has several ways is several steps.
        self.exact &= !self.branching.contains(&what);
        self.taken.push(usual);
        usual
    }

    fn ran(&mut self, step: &Step<'_>) {
        if self.state != State::Running {
            return;
        }
        let depth = self.depth;
        self.depth += 1;
        if depth < self.replayed {
            if let Err(divergence) = self.script.check_step(depth, step) {
                self.diverge(divergence);
            }
            return;
        }
        if depth == self.script.len() {
            // Nobody was asked: the world's own step.
            self.script.point(&[]);
        }
        self.script.ran(step);
        if self.script.task(depth) != step.task {
            let (expected, found) = (self.script.task(depth), step.task);
            self.diverge_at(depth, format!("a step of {expected:?}"), format!("a step of {found:?}"));
            return;
        }
        let announced = self.announced(depth);
        self.exact &= self.candidate(depth).is_none_or(|candidate| candidate.request.is_none());
        self.causality.push_announced(step.task, step.touches, step.enabled, announced.as_ref(), &self.taken);
        self.exact = self.exact && self.foreseen(depth, step);
    }

    fn ended(&mut self, how: &Ended<'_>) {
        if self.state != State::Running {
            return;
        }
        if self.depth < self.script.len() {
            self.diverge_at(self.depth, "another step".into(), "the end of the execution".into());
            return;
        }
        if self.depth < self.plan.len() {
            self.give_up_plan();
            return;
        }
        self.state = State::Ended;
        self.counts.explored += 1;
        self.counts.stuck += u64::from(!how.stuck.is_empty());
        self.exact &= how.stuck.iter().all(|stuck| stuck.request.is_none());
        self.stuck.clear();
        self.stuck.extend_from_slice(how.stuck);
    }
}
