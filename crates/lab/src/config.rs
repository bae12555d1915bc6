//! How a lab run is made: seed, schedule, limits.
use crate::failure::{Named, Rerun};
use crate::net::NetProfile;
use crate::own::OwnOracle;
use explore::Scheduler;
use monitor::Sampled;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use trace::Event;
use types::AfterGrace;

/// Which runnable task is next.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Schedule {
    /// Any, by the seed.
    #[default]
    Random,
    /// As a production worker picks: the lanes and their credits, first in first out. The network does what is
    /// usual: nothing is cut into pieces, nothing fails.
    Fifo,
    /// Each task in its turn.
    RoundRobin,
    /// The task of highest priority, priorities drawn by the seed and changed `depth - 1` times (`explore::Pct`).
    Pct {
        /// How many orderings the bugs need that are looked for; at least 1.
        depth: u32,
        /// How many steps a run is expected to have.
        steps: u64,
    },
    /// The operation of highest priority, drawn anew after races (`explore::Pos`).
    Pos,
    /// Tasks in proportion to the steps they have left (`explore::Urw`). Learns from run to run, and a lab runs once:
    /// for searches.
    Urw,
    /// A recorded list of decisions, of whatever schedule; where it ends, the run goes on as [`Schedule::Fifo`].
    Replay(explore::Decisions),
}

/// A schedule's name that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSchedule(String);

impl fmt::Display for UnknownSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0;
        write!(
            f,
            "there is no schedule `{name}`: there are random, fifo, round-robin, pct:DEPTH, pos and urw"
        )
    }
}

impl std::error::Error for UnknownSchedule {}

/// `random`, `fifo`, `round-robin`, `pct:3` (its depth, at least 1), `pos`, `urw`.
impl FromStr for Schedule {
    type Err = UnknownSchedule;

    fn from_str(name: &str) -> Result<Schedule, UnknownSchedule> {
        Ok(match name {
            "random" => Schedule::Random,
            "fifo" => Schedule::Fifo,
            "round-robin" => Schedule::RoundRobin,
            "pos" => Schedule::Pos,
            "urw" => Schedule::Urw,
            _ => {
                let depth = name.strip_prefix("pct:").and_then(|depth| depth.parse().ok());
                Schedule::pct(depth.filter(|depth| *depth > 0).ok_or_else(|| UnknownSchedule(name.into()))?)
            }
        })
    }
}

impl Schedule {
    /// [`Schedule::Pct`] for searches through runs of whose length nothing is known: it learns from the first. (A number
    /// that is too large would stay, and most changes of priority would come after the end.)
    #[must_use]
    pub fn pct(depth: u32) -> Schedule {
        Schedule::Pct { depth, steps: 1 }
    }

    /// What vouches for runs that it draws from this seed, if it draws them at all.
    pub(crate) fn sampled(&self, seed: u64) -> Option<Sampled> {
        match self {
            Schedule::Random | Schedule::Pos => Some(Sampled::independently(seed)),
            // How long runs are, they learn from the runs before.
            Schedule::Pct { .. } | Schedule::Urw => Some(Sampled::learning(seed)),
            Schedule::Fifo | Schedule::RoundRobin | Schedule::Replay(_) => None,
        }
    }

    /// Its scheduler, for runs of this seed.
    pub fn scheduler(&self, seed: u64) -> Box<dyn Scheduler + Send> {
        match self {
            Schedule::Random => Box::new(explore::Random::new(seed)),
            Schedule::Fifo => Box::new(explore::Fifo),
            Schedule::RoundRobin => Box::new(explore::RoundRobin::new()),
            Schedule::Pct { depth, steps } => Box::new(explore::Pct::new(seed, *depth, *steps)),
            Schedule::Pos => Box::new(explore::Pos::new(seed)),
            Schedule::Urw => Box::new(explore::Urw::new(seed)),
            Schedule::Replay(decisions) => Box::new(explore::Recorded::new(decisions.clone())),
        }
    }
}

/// How a lab run is made.
#[derive(Clone, Debug)]
pub struct LabConfig {
    pub(crate) seed: u64,
    pub(crate) schedule: Schedule,
    /// If somebody says so.
    pub(crate) max_steps: Option<u64>,
    pub(crate) max_spins: u64,
    pub(crate) max_idle: Duration,
    pub(crate) grace: Duration,
    pub(crate) after_grace: AfterGrace,
    pub(crate) report_slow_drains: bool,
    pub(crate) traced: bool,
    pub(crate) model: bool,
    pub(crate) nudges: bool,
    pub(crate) oracles: Vec<OwnOracle>,
    pub(crate) net: NetProfile,
    pub(crate) decided_numbers: u32,
    /// How often the clock may overtake tasks, and whether which timer does is decided when it is set.
    pub(crate) overtakings: u32,
    pub(crate) decides_overtakings: bool,
    /// Who runs, if anybody says so: for a run that can't be taken down.
    pub(crate) runs: Option<Named>,
}

impl Default for LabConfig {
    fn default() -> Self {
        LabConfig {
            seed: 0,
            schedule: Schedule::Random,
            max_steps: None,
            max_spins: 500,
            max_idle: Duration::from_secs(24 * 60 * 60),
            grace: Duration::from_secs(10),
            after_grace: AfterGrace::Wait,
            report_slow_drains: false,
            traced: true,
            model: true,
            nudges: true,
            oracles: Vec::new(),
            net: NetProfile::default(),
            decided_numbers: 0,
            overtakings: 0,
            decides_overtakings: false,
            runs: None,
        }
    }
}

impl LabConfig {
    /// Seed of the decisions and of the tasks' random numbers. Default: 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> LabConfig {
        self.seed = seed;
        self
    }

    /// Which runnable task is next. Default: any, by the seed.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> LabConfig {
        self.schedule = schedule;
        self
    }

    /// After how many polls a run fails as stuck. Default: 10 million; 100,000 in searches of every class, or of every
    /// schedule within a bound, which keep a kilobyte for each step and repeat runs.
    #[must_use]
    pub fn max_steps(mut self, steps: u64) -> LabConfig {
        self.max_steps = Some(steps);
        self
    }

    /// As a search needs it that keeps all steps of a run, if nobody said otherwise.
    pub(crate) fn for_exhaustive_search(mut self) -> LabConfig {
        self.max_steps.get_or_insert(100_000);
        self
    }

    /// [`LabConfig::max_steps`], or what holds without it.
    pub(crate) fn step_limit(&self) -> u64 {
        self.max_steps.unwrap_or(10_000_000)
    }

    /// After how many steps in a row that change nothing, and look at what their tasks have looked at before, a searched
    /// run fails as stuck in a spin loop. A task that asks again and again has a class for each number of times that
    /// it asks, which no search comes to the end of; a loop that is bounded but long may need more. Steps that nobody else
    /// could have taken count a twentieth, as there the classes are no more for it: 10,000 of them. A single step that does
    /// nothing but look, twenty times as often, panics: it would never end. Default: 500.
    #[must_use]
    pub fn max_spins(mut self, steps: u64) -> LabConfig {
        self.max_spins = steps;
        self
    }

    /// After how much virtual time with nothing but timers a run fails as stuck. Default: a day.
    #[must_use]
    pub fn max_idle(mut self, span: Duration) -> LabConfig {
        self.max_idle = span;
        self
    }

    /// Cleanup budget of requests that bring none. Default: 10 s of virtual time.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> LabConfig {
        self.grace = grace;
        self
    }

    /// What happens to tasks that are still there at the cleanup deadline. Default: wait, and report.
    #[must_use]
    pub fn after_grace(mut self, after: AfterGrace) -> LabConfig {
        self.after_grace = after;
        self
    }

    /// Whether a region that drains without a request reports who is left, after 5 s of virtual time and then every 30 s, as
    /// production does by default (`region.slow-drain`). Default: no, since the clock goes on for as long as a report is due: a
    /// region that never drains is then found as stuck, after [`LabConfig::max_idle`], and not at once.
    #[must_use]
    pub fn report_slow_drains(mut self, on: bool) -> LabConfig {
        self.report_slow_drains = on;
        self
    }

    /// Whether steps are recorded; oracles and the model need it. Default: yes.
    #[must_use]
    pub fn traced(mut self, on: bool) -> LabConfig {
        self.traced = on;
        self
    }

    /// Whether a run's trace is checked against the executable model of the rules. Default: yes.
    #[must_use]
    pub fn check_model(mut self, on: bool) -> LabConfig {
        self.model = on;
        self
    }

    /// Whether tasks that wait are polled once more for no reason when nothing can run, to see whether one of them goes on
    /// and so ought to have been woken: before a deadlock is reported, and, in runs that are not explored, now and then
    /// before the clock moves (a lost wake is often hidden by a timeout). Every future has to put up with it; a program
    /// of which one doesn't may switch it off. Default: yes.
    #[must_use]
    pub fn nudge_waiting(mut self, on: bool) -> LabConfig {
        self.nudges = on;
        self
    }

    /// One more oracle: `judge` sees the whole trace of a run, and says what is wrong with it. It is asked after the
    /// built-in ones, by [`LabRuntime::oracles`](crate::LabRuntime::oracles), sweeps and searches. One that panics has
    /// failed, under its name.
    ///
    /// ```
    /// use asupersync_lab::{LabConfig, LabRuntime};
    /// use trace::{Event, Label};
    /// let quiet = |events: &[Event]| {
    ///     let noisy = |event: &&Event| matches!(event.label, Label::User { .. });
    ///     events.iter().find(noisy).map_or(Ok(()), |event| Err(format!("somebody spoke: {event}")))
    /// };
    /// let lab = LabRuntime::new(LabConfig::default().oracle("quiet", quiet));
    /// lab.run(async |cx| cx.trace("hello"));
    /// let found = lab.oracles().unwrap_err().to_string();
    /// assert!(found.starts_with("quiet: somebody spoke"), "{found}");
    /// ```
    #[must_use]
    pub fn oracle<E: fmt::Display>(
        mut self,
        name: &str,
        judge: impl Fn(&[Event]) -> Result<(), E> + Send + Sync + 'static,
    ) -> LabConfig {
        self.oracles.push(OwnOracle::new(name, judge));
        self
    }

    /// Who judges a run's trace, by name: nobody, if there is none.
    pub(crate) fn judges(&self) -> Vec<String> {
        if !self.traced {
            return Vec::new();
        }
        let model = self.model.then(|| crate::search::rates::MODEL.to_string());
        let built_in = oracle::ALL.iter().map(|(name, _)| (*name).to_string());
        model.into_iter().chain(built_in).chain(self.oracles.iter().map(OwnOracle::name)).collect()
    }

    /// Its runs are those of this test.
    pub(crate) fn of_test(mut self, test: &str, rerun: &Rerun) -> LabConfig {
        self.runs = Some(Named { test: test.into(), rerun: rerun.clone() });
        self
    }

    /// Random numbers below a bound of at most so much (`cx.random_below(bound)`) are decisions: whoever picks the steps
    /// picks them too, and a replay holds them. Other ones come from the seed. Default: 0, all come from the seed.
    #[must_use]
    pub fn decide_numbers(mut self, below: u32) -> LabConfig {
        self.decided_numbers = below;
        self
    }

    /// Eager time: the clock may move to the next timer although tasks can run, so many times in a run at most. A task that
    /// is slow then meets the timeout that it would have escaped. It is one more of those who could take the next step, and
    /// the last whose turn it is, so that [`Schedule::Fifo`] never picks it; the others do. The bounds of cleanups overtake
    /// nobody. When nothing can run the clock moves as ever, and that doesn't count. Default: 0.
    ///
    /// ```
    /// use asupersync_lab::{LabConfig, seeds, LabRuntime};
    /// use std::time::Duration;
    /// use time::TimeExt;
    /// let late = |seed| {
    ///     let lab = LabRuntime::new(LabConfig::default().seed(seed).eager_time(1));
    ///     lab.run(async |cx| {
    ///         let mut sleeper = cx.spawn(async |cx| cx.sleep(Duration::from_secs(60)).await);
    ///         cx.step().await;
    ///         cx.step().await;
    ///         let late = cx.now() > types::Time::ZERO;
    ///         let _ = sleeper.join(cx).await;
    ///         late
    ///     })
    /// };
    /// assert!((0..20).any(late) && !(0..20).all(late));
    /// ```
    #[must_use]
    pub fn eager_time(mut self, overtakings: u32) -> LabConfig {
        self.overtakings = overtakings;
        self
    }

    /// How the simulated network behaves.
    #[must_use]
    pub fn net(mut self, net: NetProfile) -> LabConfig {
        self.net = net;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_names() {
        assert_eq!("pct:3".parse(), Ok(Schedule::pct(3)));
        assert_eq!("urw".parse(), Ok(Schedule::Urw));
        for none in ["pct", "pct:0", "pct:x", "Random", ""] {
            assert_eq!(none.parse::<Schedule>(), Err(UnknownSchedule(none.into())));
        }
    }
}
