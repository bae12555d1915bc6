//! [`Recording`]: any scheduler, its decisions written down.
use super::decisions::{Decisions, Departure, Digest, name_of};
use super::delay::delays;
use crate::scheduler::{Candidate, Crowd, Ended, Point, Scheduler, Step};
use crate::shrink::StepLog;
use trace::Choice;
use types::TaskId;

/// What an execution decided, and what it cost in departures from production.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The decisions.
    pub decisions: Decisions,
    /// How many candidates were passed over in all; each choice that wasn't the usual one counts 1.
    pub delays: u64,
    /// How many steps tasks took.
    pub steps: u64,
    /// For deviations that passed over more than one: the candidates in between, by the deviation's index.
    pub(crate) nearer: Vec<(usize, Departure)>,
    /// The short names of all tasks that ran, one bit each.
    ran: [u64; 4],
}

impl Taken {
    /// Decisions of an execution of which nothing else is known.
    pub(crate) fn unknown(decisions: Decisions) -> Taken {
        Taken { decisions, delays: u64::MAX, steps: u64::MAX, nearer: Vec::new(), ran: [0; 4] }
    }

    /// Whether a task of this short name took a step.
    pub(crate) fn ran(&self, name: u8) -> bool {
        self.ran[usize::from(name >> 6)] >> (name & 63) & 1 == 1
    }
}

/// Passes every question on to the scheduler inside, and writes the answers down.
///
/// Cost: a few instructions for a decision that is the usual one, 32 bytes for one that isn't; with
/// [`with_steps`](Recording::with_steps) a copy of every touch. Memory is kept from execution to execution.
#[derive(Clone, Debug)]
pub struct Recording<S> {
    inner: S,
    taken: Taken,
    digest: Digest,
    steps: Option<StepLog>,
    /// Whether whoever was passed over in between is written down, for a shrinker.
    nearer: bool,
}

impl<S: Scheduler> Recording<S> {
    /// Records decisions, and whom each passed over: what a shrinker goes by. The latter takes time and memory for
    /// every candidate of every deviation.
    #[must_use]
    pub fn new(inner: S) -> Recording<S> {
        Recording { inner, taken: Taken::default(), digest: Digest::default(), steps: None, nearer: true }
    }

    /// Records decisions alone: what a replay needs, and a shrinker that begins by running them again.
    #[must_use]
    pub fn decisions_only(inner: S) -> Recording<S> {
        Recording { nearer: false, ..Recording::new(inner) }
    }

    /// Records decisions, and every step with its touches: what a report of a failure is made of.
    #[must_use]
    pub fn with_steps(inner: S) -> Recording<S> {
        Recording { steps: Some(StepLog::default()), ..Recording::new(inner) }
    }

    /// What was decided in the execution that ran last, or so far in the one that runs.
    #[must_use]
    pub fn taken(&self) -> Taken {
        let run = self.digest.value();
        Taken { decisions: self.taken.decisions.clone().of_run(run), ..self.taken.clone() }
    }

    /// The steps of the same execution, if they are recorded.
    #[must_use]
    pub fn steps(&self) -> Option<&StepLog> {
        self.steps.as_ref()
    }

    /// Writes down who of `size` was picked; places as in [`Point`].
    fn picked(
        &mut self,
        (size, usual, picked): (usize, usize, usize),
        task_at: impl Fn(usize) -> TaskId,
        departure: Option<Departure>,
    ) {
        let task = task_at(picked);
        self.taken.decisions.push(departure);
        self.taken.delays += delays(size, usual, picked);
        self.digest.pick(task);
        let name = name_of(task);
        self.taken.ran[usize::from(name >> 6)] |= 1 << (name & 63);
        if let Some(steps) = &mut self.steps {
            let usual = task_at(usual);
            steps.picked((usual != task).then_some(usual));
        }
    }

    /// The scheduler inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The scheduler inside.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The scheduler inside, for good.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

/// How the candidate at `index` is called in a list of decisions.
fn departure_to(candidates: &[Candidate], index: usize) -> Departure {
    let name = name_of(candidates[index].task);
    let nth = candidates[..index].iter().filter(|other| name_of(other.task) == name).count() as u32;
    Departure::Task { name, nth }
}

impl<S: Scheduler> Scheduler for Recording<S> {
    fn begin(&mut self) {
        self.taken.decisions.clear();
        self.taken.nearer.clear();
        (self.taken.delays, self.taken.steps, self.taken.ran) = (0, 0, [0; 4]);
        self.digest = Digest::default();
        if let Some(steps) = &mut self.steps {
            steps.clear();
        }
        self.inner.begin();
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        let Point { candidates, usual } = *point;
        let picked = self.inner.pick(point)?;
        if self.nearer && picked != usual {
            let index = self.taken.decisions.deviations().len();
            for nearer in 1..delays(candidates.len(), usual, picked) as usize {
                let between = (usual + nearer) % candidates.len();
                self.taken.nearer.push((index, departure_to(candidates, between)));
            }
        }
        let departure = (picked != usual).then(|| departure_to(candidates, picked));
        let task = |at: usize| candidates[at].task;
        self.picked((candidates.len(), usual, picked), task, departure);
        Some(picked)
    }

    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        if self.nearer {
            return None;
        }
        let (picked, usual) = (self.inner.pick_unlisted(crowd)?, crowd.usual());
        let departure = (picked != usual).then(|| {
            let name = name_of(crowd.task(picked));
            Departure::Task { name, nth: crowd.namesakes_before(picked, name) as u32 }
        });
        self.picked((crowd.size(), usual, picked), |at| crowd.task(at), departure);
        Some(picked)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        let chosen = self.inner.choose(what, options, usual);
        let departed = chosen != usual;
        self.taken.decisions.push(departed.then_some(Departure::Choice { what, chosen }));
        self.taken.delays += u64::from(departed);
        self.digest.choose(what, options, chosen);
        chosen
    }

    fn ran(&mut self, step: &Step<'_>) {
        self.taken.steps += u64::from(step.task.is_some());
        if let Some(steps) = &mut self.steps {
            steps.ran(step);
        }
        self.inner.ran(step);
    }

    fn ended(&mut self, how: &Ended<'_>) {
        if let Some(steps) = &mut self.steps {
            steps.ended(how);
        }
        self.inner.ended(how);
    }

    fn decided(&self) -> Option<Decisions> {
        Some(self.taken().decisions)
    }
}
