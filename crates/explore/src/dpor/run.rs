//! [`Trees`] as a [`Scheduler`]: repeats what was decided, and decides what was not.
//!
//! Invariant `run.known`: up to `replayed` the execution is that of before, and is held to it; the node at `replayed`
//! has the candidates of before and another step; what comes after is new.
//!
//! Not here: where to go back to (`dpor`), what races lead to (`race`).

use super::wakeup::{Branches, Planned};
use super::{Node, State, Trees};
use crate::causality::WORLD;
use crate::footprint::{Footprint, keeps_to, orders};
use crate::scheduler::{Candidate, Ended, Point, Scheduler, Step, Touch};
use crate::script::{Chosen, Unrepeatable};
use trace::{Access, Choice};

impl Scheduler for Trees {
    /// # Panics
    /// Unless `next_execution` has just returned `true`.
    fn begin(&mut self) {
        assert_eq!(
            self.state,
            State::Ready,
            "an execution begins after next_execution() said that there is one"
        );
        self.state = State::Running;
        self.depth = 0;
        self.repeats_from = usize::MAX;
        self.chosen = 0;
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        if self.state != State::Running {
            return None;
        }
        self.chosen = 0;
        let depth = self.depth;
        if depth < self.script.len() {
            if let Err(divergence) = self.script.check_point(depth, point.candidates) {
                return self.diverge(divergence);
            }
            let picked = self.script.picked(depth);
            return picked.map(|picked| picked as usize).or_else(|| {
                let expected = "a step of the world's own".to_string();
                let found = format!("{} candidates", point.candidates.len());
                self.diverge(Box::new(Unrepeatable { step: depth, task: None, expected, found }))
            });
        }
        self.add_node(point.candidates);
        // Where nothing planned is possible, what is possible has to be run all the same.
        let planned = self.take_pending(depth).map(|picked| picked as usize);
        let picked = planned.unwrap_or_else(|| self.free_pick(point));
        self.script.pick(picked as u32);
        Some(picked)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        if self.state != State::Running {
            return usual;
        }
        let at = self.chosen;
        self.chosen += 1;
        if self.depth < self.replayed {
            match self.script.check_choice(self.depth, at, Chosen { what, options, taken: usual }) {
                Ok(()) => return self.script.choices(self.depth)[at].taken,
                Err(divergence) => self.diverge::<()>(divergence),
            };
            return usual;
        }
        let planned = self.nodes.get(self.depth).and_then(|node| node.choices.get(at)).copied();
        let taken = planned.filter(|&planned| planned < options).unwrap_or(usual);
        if self.depth < self.script.len() {
            self.script.choose(Chosen { what, options, taken });
        }
        taken
    }

    fn ran(&mut self, step: &Step<'_>) {
        if self.state != State::Running {
            return;
        }
        let depth = self.depth;
        if depth < self.replayed {
            self.depth += 1;
            if let Err(divergence) = self.script.check_step(depth, step) {
                self.diverge::<()>(divergence);
            }
            return;
        }
        if depth == self.script.len() {
            // Nobody was asked: the world's own step.
            self.add_node(&[]);
            let node = &mut self.nodes[depth];
            node.handed = std::mem::take(&mut node.pending);
        }
        self.depth += 1;
        self.script.ran(step);
        if self.script.task(depth) != step.task {
            let expected = format!("a step of {:?}", self.script.task(depth));
            let found = format!("a step of {:?}", step.task);
            self.diverge::<()>(Box::new(Unrepeatable { step: depth, task: step.task, expected, found }));
            return;
        }
        self.taken.clear();
        self.taken.extend(self.script.choices(depth).iter().map(|chosen| chosen.taken));
        let announced = self.announced(depth);
        self.causality.push_announced(step.task, step.touches, step.enabled, announced.as_ref(), &self.taken);
        self.exact = self.exact && self.foreseen(depth, step);
        if depth < self.repeats_from && !self.branching.is_empty() && !self.taken.is_empty() {
            self.plan_other_choices(depth);
        }
    }

    fn ended(&mut self, how: &Ended<'_>) {
        if self.state != State::Running {
            return;
        }
        if self.depth < self.script.len() {
            let task = self.script.task(self.depth);
            let (expected, found) = ("another step".to_string(), "the end of the execution".to_string());
            self.diverge::<()>(Box::new(Unrepeatable { step: self.depth, task, expected, found }));
            return;
        }
        self.state = State::Ended;
        if self.repeats_from == usize::MAX {
            self.counts.explored += 1;
            self.counts.stuck += u64::from(!how.stuck.is_empty());
        }
        self.stuck.clear();
        self.stuck.extend_from_slice(how.stuck);
    }
}

impl Trees {
    /// A point that was never met.
    fn add_node(&mut self, candidates: &[Candidate]) {
        let depth = self.depth;
        let sleep = self.sleepers.len() as u32;
        let mut pending = Branches::default();
        if let Some(above) = depth.checked_sub(1) {
            pending = std::mem::take(&mut self.nodes[above].handed);
            let event = &self.causality.events[above];
            if event.task != WORLD {
                let wakes = |sleeper: &Planned| !sleeper.footprint.commutes(&event.footprint);
                // A task whose step chooses goes on sleeping only if it does so whatever it chooses.
                let chose = |sleeper: &&Planned| {
                    !sleeper.choices.is_empty() && !types::seeded!("explore.one-way-sleeps")
                };
                let sleepers = &self.sleepers[self.nodes[above].sleep as usize..sleep as usize];
                let mut woken: Vec<u32> =
                    sleepers.iter().filter(chose).filter(|s| wakes(s)).map(|s| s.task).collect();
                woken.dedup();
                for at in self.nodes[above].sleep..sleep {
                    let sleeper = &self.sleepers[at as usize];
                    let sleeps = !wakes(sleeper) && !woken.contains(&sleeper.task);
                    if sleeper.task != event.task && sleeps {
                        let sleeper = sleeper.clone();
                        self.sleepers.push(sleeper);
                    }
                }
            }
        }
        self.script.point(candidates);
        self.nodes.push(Node {
            sleep,
            pending,
            choices: Vec::new(),
            planned: None,
            given: Vec::new(),
            outstanding: 0,
            handed: Branches::default(),
        });
    }

    /// Nothing is planned: any candidate that does not sleep, production's if possible.
    fn free_pick(&mut self, point: &Point<'_>) -> usize {
        let candidates = point.candidates;
        let start = match &mut self.order {
            None => point.usual,
            Some(state) => splitmix(state) as usize % candidates.len(),
        };
        let sleeps = |candidate: &Candidate| {
            let task = self.causality.tasks.known(candidate.task.as_u64());
            task.is_some_and(|task| self.sleep_set(self.depth).iter().any(|sleeper| sleeper.task == task))
        };
        let turn = (start..candidates.len()).chain(0..start);
        if self.repeats_from <= self.depth {
            return start;
        }
        turn.into_iter().find(|&at| !sleeps(&candidates[at])).unwrap_or_else(|| {
            // It can only repeat another execution from here on. It runs to its end all the same: what its tasks wait for
            // then may race with what came before this point.
            self.counts.blocked += 1;
            self.exact = false;
            self.repeats_from = self.depth;
            start
        })
    }

    /// Whether the step did what it had announced, and only that, but for the look at whether it was asked to end; and what
    /// its plan says, if it was planned.
    fn foreseen(&self, depth: usize, step: &Step<'_>) -> bool {
        let footprint = &self.causality.events[depth].footprint;
        let planned = self.nodes[depth].planned.as_ref();
        if step.task.is_none() || !planned.is_none_or(|planned| planned.is_like(footprint)) {
            return step.task.is_none();
        }
        let Some(candidate) = self.candidate(depth) else { return false };
        let own_look = |touch: &&Touch| {
            touch.access == Access::Read && candidate.request.is_some_and(|own| own.object == touch.object)
        };
        let racing = step.touches.iter().filter(|touch| !orders(touch.access));
        let mut racing = racing.filter(|touch| !own_look(touch));
        let expected = match candidate.request {
            Some(request) if self.causality.objects.refuses(&request) => None,
            _ => candidate.announced,
        };
        let as_announced = match (racing.next(), racing.next(), expected) {
            // Who is never asked may have found that there was nothing to do.
            (None, _, expected) => {
                candidate.request.is_none() || expected.is_none_or(|expected| orders(expected.access))
            }
            (Some(touch), None, Some(expected)) => keeps_to(&expected, touch),
            _ => false,
        };
        // Who went on because everybody else had ended can't have gone on earlier, whatever it did then.
        as_announced || self.causality.follows_all()
    }

    /// Whose step that at `depth` was, as it was known beforehand.
    pub(super) fn candidate(&self, depth: usize) -> Option<Candidate> {
        let picked = self.script.picked(depth)?;
        Some(self.script.candidates(depth)[picked as usize])
    }

    /// What the step at `depth` had announced.
    pub(super) fn announced(&self, depth: usize) -> Option<crate::Announced> {
        self.candidate(depth)?.announced
    }

    /// The step at `depth` chose: the other ways of each choice are branches too, and come first, because a task whose
    /// step was run one way sleeps until all ways were.
    fn plan_other_choices(&mut self, depth: usize) {
        let task = self.causality.events[depth].task;
        for at in 0..self.taken.len() {
            let chosen = self.script.choices(depth)[at];
            if !self.branching.contains(&chosen.what) {
                continue;
            }
            for other in (0..chosen.options).rev().filter(|&other| other != chosen.taken) {
                let mut choices = self.taken[..at].to_vec();
                choices.push(other);
                let same = |step: &Planned| step.task == task && step.choices.starts_with(&choices);
                // Of the branches only those that come before all other tasks': a branch that comes later is passed over, and
                // so is one of which less is fixed, as the way that was run begins as it does, and sleeps.
                let late = types::seeded!("explore.choices-come-late");
                let first = |step: &Planned| step.task == task || late;
                let mut branches = self.forest.branches(self.nodes[depth].pending);
                let planned =
                    branches.by_ref().take_while(|(_, step)| first(step)).any(|(_, step)| same(step));
                drop(branches);
                let known = planned || self.sleep_set(depth).iter().any(same);
                if !known {
                    self.exact = false;
                    let step = Planned { task, choices, footprint: Footprint::unknown(), sure: false };
                    self.forest.push_first(&mut self.nodes[depth].pending, step);
                }
            }
        }
    }

    fn diverge<T>(&mut self, divergence: Box<Unrepeatable>) -> Option<T> {
        self.divergence.get_or_insert(divergence);
        self.state = State::GivenUp;
        None
    }
}

/// The next number of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(super) fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
