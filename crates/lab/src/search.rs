//! [`Search`]: one program on every schedule that matters, or on as many as it is given; what fails is made small, told
//! in words, and repeated by one line.
//!
//! ```
//! use asupersync_lab::Search;
//! use std::sync::Arc;
//! use sync::shared::Shared;
//!
//! let found = Search::every().run("adds", None, async |cx| {
//!     let sum = Arc::new(Shared::new(0));
//!     for n in 1..=3 {
//!         let sum = sum.clone();
//!         cx.spawn(async move |cx| {
//!             cx.step().await;
//!             sum.write(|s| *s += n)
//!         });
//!     }
//! });
//! assert!(found.complete);
//! assert_eq!(found.classes, 6); // the three writes in every order
//! ```
//!
//! Not here: the algorithms (`explore`), one run (`runtime`), reading the environment.
use crate::config::{LabConfig, Schedule};
use crate::executor::{Execution, Executor};
use crate::failure::{Failure, message};
use crate::runtime::LabRuntime;
use crate::sweep::judged;
use crate::verdict::LabFailure;
use crate::watch::Grain;
use crate::world::locked;
use cx::{All, Cx};
use explore::{
    Classified, Coverage, Decisions, Ended, Explorer, Point, Recorded, Recording, Replay, Scheduler,
    Shrinker, Step, Taken, Verdict,
};
use std::fmt;
use std::sync::{Arc, Mutex};
use trace::Choice;
use types::TaskOutput;

/// How schedules are searched.
#[derive(Clone, Debug)]
pub struct Search {
    how: How,
    config: LabConfig,
    grain: Grain,
    limit: u64,
    order: Option<u64>,
    branches: Vec<Choice>,
    shrinks: u64,
}

#[derive(Clone, Debug)]
enum How {
    Every,
    Sample(Schedule),
}

/// What a search that found no failure has seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Executions.
    pub runs: u64,
    /// Classes of executions that differ in more than the order of what commutes.
    pub classes: u64,
    /// Executions that were given up because they would have repeated another.
    pub repeated: u64,
    /// Whether there is nothing that was not tried: every class, or every schedule within the bound.
    pub complete: bool,
    /// For samples: the probability that one more run is of a class that was not seen.
    pub unseen: Option<f64>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { runs, classes, complete, unseen, .. } = self;
        match (complete, unseen) {
            (true, _) => write!(f, "{classes} classes of schedules in {runs} runs: all there are"),
            (false, Some(unseen)) => {
                let percent = unseen * 100.0;
                write!(f, "{classes} classes of schedules in {runs} runs; about {percent:.1} % unseen")
            }
            (false, None) => {
                write!(f, "{classes} classes of schedules in {runs} runs, then the limit was reached")
            }
        }
    }
}

impl Search {
    /// Every class of schedules, each once (`explore::Explorer`): complete, if tasks share only what says what is done
    /// to it (the primitives of `sync`, [`sync::shared::Shared`](https://docs.rs/)).
    pub fn every() -> Search {
        Search::how(How::Every)
    }

    /// `runs` schedules drawn by a sampler.
    pub fn sample(schedule: Schedule, runs: u64) -> Search {
        Search::how(How::Sample(schedule)).limit(runs)
    }

    fn how(how: How) -> Search {
        Search {
            how,
            config: LabConfig::default(),
            grain: Grain::default(),
            limit: u64::MAX,
            order: None,
            branches: Vec::new(),
            shrinks: 1000,
        }
    }

    /// How labs are made: seed, limits, network, whether runs are traced and judged by the model. Default:
    /// [`LabConfig::default`]. Without traces runs are several times faster, and only the program's own assertions and
    /// deadlocks are found.
    #[must_use]
    pub fn config(mut self, config: LabConfig) -> Search {
        self.config = config;
        self
    }

    /// How fine a step is. Default: [`Grain::Operation`].
    #[must_use]
    pub fn grain(mut self, grain: Grain) -> Search {
        self.grain = grain;
        self
    }

    /// After how many runs the search ends. Default: never.
    #[must_use]
    pub fn limit(mut self, runs: u64) -> Search {
        self.limit = runs;
        self
    }

    /// Tries first what this seed says, where the order is free. Default: production's order. Which classes there are
    /// does not depend on it.
    #[must_use]
    pub fn in_random_order(mut self, seed: u64) -> Search {
        self.order = Some(seed);
        self
    }

    /// Also tries every answer to choices of this kind: faults, the network. Default: what is usual, in
    /// [`Search::every`]; samplers draw them.
    #[must_use]
    pub fn branch_on(mut self, what: Choice) -> Search {
        self.branches.push(what);
        self
    }

    /// How many runs may be spent on making a failing schedule small. Default: 1000.
    #[must_use]
    pub fn shrink(mut self, runs: u64) -> Search {
        self.shrinks = runs;
        self
    }

    /// Searches; or, if `replay` is a line that a failure printed, runs that schedule alone. `test` is the program's
    /// name, for that line.
    ///
    /// # Panics
    /// With the first failure: what it was, the smallest schedule that fails in the same way with its racing pair, the
    /// line that repeats it. A failure is what [`sweep`](crate::sweep) takes for one. Also if a replay does not fit the
    /// program, or does not fail.
    #[track_caller]
    pub fn run<T: TaskOutput>(
        &self,
        test: &str,
        replay: Option<&str>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) -> Found {
        self.run_labs(test, replay, |lab| judged(lab, body.clone()))
    }

    /// As [`Search::run`], where the program runs each lab itself.
    ///
    /// # Panics
    /// As there, with whatever `program` panics with.
    #[track_caller]
    pub fn run_labs(&self, test: &str, replay: Option<&str>, program: impl Fn(&LabRuntime)) -> Found {
        let search = Run { search: self, test, program: &program };
        match replay {
            Some(line) => search.replay(line),
            None => search.all(),
        }
    }
}

/// Who picks.
enum Picker {
    Every(Box<Explorer>),
    Sample(Box<dyn Scheduler + Send>),
}

impl Picker {
    fn of(search: &Search) -> Picker {
        match &search.how {
            How::Every => {
                let mut explorer = Explorer::new();
                if let Some(seed) = search.order {
                    explorer = explorer.in_random_order(seed)
                }
                Picker::Every(Box::new(search.branches.iter().fold(explorer, |e, what| e.branch_on(*what))))
            }
            How::Sample(schedule) => Picker::Sample(schedule.scheduler(search.config.seed)),
        }
    }

    fn another(&mut self) -> bool {
        match self {
            Picker::Every(explorer) => explorer.next_execution(),
            Picker::Sample(_) => true,
        }
    }

    fn inner(&mut self) -> &mut dyn Scheduler {
        match self {
            Picker::Every(explorer) => &mut **explorer,
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

/// One search of one program.
struct Run<'a, P> {
    search: &'a Search,
    test: &'a str,
    program: &'a P,
}

impl<P: Fn(&LabRuntime)> Run<'_, P> {
    fn executor(&self, looks: bool) -> Executor {
        Executor::new(self.search.config.clone(), self.search.grain).looks(looks)
    }

    fn all(&self) -> Found {
        // Most programs cancel nothing; who does is begun anew, with steps that look.
        match self.attempt(false) {
            Some(found) => found,
            None => self.attempt(true).expect("steps look at requests now"),
        }
    }

    /// `None` if a request was made and steps don't look at them.
    fn attempt(&self, looks: bool) -> Option<Found> {
        let executor = self.executor(looks);
        let picker = Classified::new(Recording::new(Picker::of(self.search)));
        let picker = Arc::new(Mutex::new(picker));
        let mut coverage = Coverage::new();
        let mut found = Found { runs: 0, classes: 0, repeated: 0, complete: false, unseen: None };
        while found.runs < self.search.limit {
            if !locked(&picker).inner_mut().inner_mut().another() {
                found.complete = true;
                break;
            }
            let Execution { failure, unlooked, .. } = executor.execute(&picker, self.program);
            if unlooked && matches!(self.search.how, How::Every) {
                return None;
            }
            if failure.as_ref().is_some_and(|f| matches!(f.downcast_ref(), Some(LabFailure::Redundant))) {
                found.repeated += 1;
                continue;
            }
            found.runs += 1;
            coverage.saw(locked(&picker).class().0);
            if let Some(payload) = failure {
                let taken = locked(&picker).inner().taken();
                self.fail(looks, taken, message(&*payload), found.runs)
            }
        }
        found.classes = coverage.classes();
        if let How::Sample(_) = self.search.how {
            found.unseen = Some(coverage.unseen())
        }
        Some(found)
    }

    /// Makes the failing schedule small, and panics with the report.
    fn fail(&self, looks: bool, taken: Taken, what: String, runs: u64) -> ! {
        let mut shrinker = Shrinker::new(taken, self.search.shrinks);
        while let Some(proposal) = shrinker.propose() {
            let (failure, taken, _) = self.follow(looks, Recorded::lenient(proposal));
            shrinker.tell(match failure {
                Some(found) if alike(&found, &what) => Verdict::Failed(taken),
                _ => Verdict::Passed,
            });
        }
        let smallest = shrinker.best().clone();
        let (again, taken, failure) = self.follow(looks, Recorded::new(smallest.decisions.clone()));
        let line = Replay::new(self.test, taken.decisions.clone()).line();
        let failure = Failure {
            test: self.test,
            what: again.unwrap_or(what),
            runs,
            taken,
            minimal: shrinker.is_minimal(),
            reproduced: shrinker.reproduced(),
            line,
            pair: failure,
        };
        panic!("{failure}")
    }

    /// One execution as the list says: what it failed with, what was decided, the racing pair.
    fn follow(&self, looks: bool, list: Recorded) -> (Option<String>, Taken, Option<String>) {
        let scheduler = Arc::new(Mutex::new(Recording::with_steps(list)));
        let execution = self.executor(looks).execute(&scheduler, self.program);
        let scheduler = locked(&scheduler);
        let pair = scheduler.steps().and_then(|steps| steps.racing_pair());
        let pair = pair.map(|pair| execution.names.pair(&pair));
        (execution.failure.map(|f| message(&*f)), scheduler.taken(), pair)
    }

    fn replay(&self, line: &str) -> Found {
        let decisions = match Replay::read(line).and_then(|replay| replay.decisions_of(self.test)) {
            Ok(decisions) => decisions,
            Err(why) => panic!("lab: {why}"),
        };
        self.replayed(decisions)
    }

    fn replayed(&self, decisions: Decisions) -> Found {
        let recorded = Arc::new(Mutex::new(Recorded::new(decisions)));
        let scheduler = Arc::new(Mutex::new(Recording::with_steps(recorded.clone())));
        let execution = self.executor(true).execute(&scheduler, self.program);
        let divergence = locked(&recorded).divergence().map(ToString::to_string);
        match (execution.failure, divergence) {
            (Some(payload), None) => std::panic::resume_unwind(payload),
            (failure, Some(divergence)) => panic!(
                "lab: `{}` no longer follows the replay: {divergence}\n{}",
                self.test,
                failure.map_or("it did not fail".into(), |f| format!("it failed: {}", message(&*f))),
            ),
            (None, None) => panic!(
                "lab: `{}` follows the replay to its end and does not fail: the bug is gone, or it needs something that \
                 is not decided here",
                self.test
            ),
        }
    }
}

/// Whether two failures are the same one: their first lines, numbers aside.
fn alike(one: &str, other: &str) -> bool {
    let line = |text: &str| -> String {
        text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect()
    };
    line(one) == line(other)
}
