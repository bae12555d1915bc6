//! Who picks the schedules of a search: the exploration of every class, or a sampler.
use super::{How, Search};
use explore::{Crowd, DelayBound, Ended, Explorer, Point, Scheduler, Step};
use trace::Choice;

/// See the module.
pub(super) enum Picker {
    Every(Box<Explorer>),
    Within(Box<DelayBound>),
    Sample(Box<dyn Scheduler + Send>),
}

impl Search {
    /// The exploration that it asks for.
    pub(super) fn explorer(&self) -> Explorer {
        let mut explorer = Explorer::new();
        if let Some(seed) = self.order {
            explorer = explorer.in_random_order(seed)
        }
        if self.config.overtakings > 0 {
            explorer = explorer.branch_on(Choice::Time)
        }
        self.branches.iter().fold(explorer, |e, what| e.branch_on(*what))
    }
}

impl Picker {
    pub(super) fn of(search: &Search) -> Picker {
        match &search.how {
            How::Every => Picker::Every(Box::new(search.explorer())),
            How::Within(delays) => Picker::Within(Box::new(DelayBound::new(*delays))),
            How::Sample(schedule) => Picker::Sample(schedule.scheduler(search.config.seed)),
        }
    }

    /// Whether there is another schedule to run.
    pub(super) fn another(&mut self) -> bool {
        match self {
            Picker::Every(explorer) => explorer.next_execution(),
            Picker::Within(bound) => bound.next_execution(),
            Picker::Sample(_) => true,
        }
    }

    /// How many branches are known on the way to the execution that comes next; none for samples.
    pub(super) fn planned(&self) -> Vec<u64> {
        match self {
            Picker::Every(explorer) => explorer.planned_branches().collect(),
            Picker::Within(_) | Picker::Sample(_) => Vec::new(),
        }
    }

    /// Where the execution that ended is among all of the exploration; nowhere for samples.
    pub(super) fn path(&self) -> Vec<u64> {
        match self {
            Picker::Every(explorer) => explorer.path(),
            Picker::Within(_) | Picker::Sample(_) => Vec::new(),
        }
    }

    /// Where the program did not do what it had done before, if it didn't.
    pub(super) fn divergence(&self) -> Option<String> {
        match self {
            Picker::Every(explorer) => explorer.divergence().map(ToString::to_string),
            Picker::Within(bound) => bound.divergence().map(ToString::to_string),
            Picker::Sample(_) => None,
        }
    }

    fn inner(&mut self) -> &mut dyn Scheduler {
        match self {
            Picker::Every(explorer) => &mut **explorer,
            Picker::Within(bound) => &mut **bound,
            Picker::Sample(sampler) => &mut **sampler,
        }
    }
}

impl Scheduler for Picker {
    fn begin(&mut self) {
        self.inner().begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner().pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        self.inner().pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner().choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.inner().ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.inner().ended(how)
    }
}
