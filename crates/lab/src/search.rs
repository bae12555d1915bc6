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
//! | file | what lives there |
//! |---|---|
//! | `asked` | what a search keeps when it is given another configuration |
//! | `claims` | statistics of runs that are claimed to be rare |
//! | `picker` | who picks the schedules |
//! | `rates` | drawn runs that go on after a failure: how often each judge finds something |
//! | `hunt` | one search, from the first schedule to the verdict |
//! | `abreast` | a search of every class on several threads |
//! | `found` | what a search without a failure has seen, in words |
//!
//! Not here: the algorithms (`explore`), one run (`runtime`), reading the environment.
mod abreast;
mod asked;
mod claims;
mod found;
pub(crate) mod hunt;
mod picker;
pub(crate) mod rates;

pub use abreast::Crew;
pub use found::Found;

use crate::artefact::Artefact;
use crate::config::{LabConfig, Schedule};
use crate::failure::Rerun;
use crate::progress::{Go, Hook, Progress};
use crate::runtime::LabRuntime;
use crate::sweep::{SHRINK_STEPS, judged};
use crate::watch::Grain;
use asked::Asked;
use claims::Claim;
use cx::{All, Cx};
use hunt::Hunt;
use monitor::{Level, Question, Rate, Sampled};
use rates::Rates;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use trace::Choice;
use types::TaskOutput;

/// How schedules are searched.
#[derive(Clone, Debug)]
pub struct Search {
    how: How,
    config: LabConfig,
    asked: Asked,
    grain: Grain,
    limit: u64,
    /// Whether so many runs are enough, though there are more.
    enough: bool,
    order: Option<u64>,
    branches: Vec<Choice>,
    /// If somebody says so.
    shrinks: Option<u64>,
    shrinks_replay: bool,
    twice: bool,
    hook: Option<Hook>,
    artefact: Option<Artefact>,
    claims: Vec<Claim>,
    level: Level,
    pub(crate) rerun: Rerun,
}

#[derive(Clone, Debug)]
enum How {
    Every,
    Within(usize),
    Sample(Schedule),
}

impl Search {
    /// Every class of schedules, each once (`explore::Explorer`): complete, if tasks share only what says what is done
    /// to it (the primitives of `sync`, [`sync::shared::Shared`](https://docs.rs/)).
    pub fn every() -> Search {
        Search::how(How::Every)
    }

    /// All schedules that differ from production's order by at most so many delays (`explore::DelayBound`). Whatever tasks
    /// share and however: nothing is taken for independent, so it is also for programs that share what says nothing of what
    /// is done to it, such as the network. With n steps and c candidates at each there are up to (n (c - 1))^delays; most
    /// mistakes take one to three.
    ///
    /// ```
    /// use asupersync_lab::{Grain, Search};
    /// let search = Search::within_delays(1).grain(Grain::Poll);
    /// let found = search.run("two", None, async |cx| {
    ///     for _ in 0..2 {
    ///         cx.spawn(async |cx| cx.yield_now().await);
    ///     }
    /// });
    /// assert!(found.complete && found.runs > 2);
    /// ```
    pub fn within_delays(delays: usize) -> Search {
        Search::how(How::Within(delays))
    }

    /// `runs` schedules drawn by a sampler.
    pub fn sample(schedule: Schedule, runs: u64) -> Search {
        Search::how(How::Sample(schedule)).budget(runs)
    }

    fn how(how: How) -> Search {
        Search {
            how,
            config: LabConfig::default(),
            asked: Asked::default(),
            grain: Grain::default(),
            limit: u64::MAX,
            enough: false,
            order: None,
            branches: Vec::new(),
            shrinks: None,
            shrinks_replay: false,
            twice: false,
            hook: None,
            artefact: None,
            claims: Vec::new(),
            level: Level::ONE_PERCENT,
            rerun: Rerun::default(),
        }
    }

    /// The same, with labs that know whose they are.
    fn of_test(&self, test: &str) -> Search {
        let mut named = self.clone();
        named.config = named.config.of_test(test, &self.rerun);
        if !matches!(self.how, How::Sample(_)) {
            named.config = named.config.for_exhaustive_search()
        }
        named
    }

    /// Who vouches for the runs: a search of every class draws none of them, nor do schedules that only count.
    fn sampled(&self) -> Option<Sampled> {
        match &self.how {
            How::Every | How::Within(_) => None,
            How::Sample(schedule) => schedule.sampled(self.config.seed),
        }
    }

    /// How labs are made: seed, limits, network, whether runs are traced and judged by the model. Default:
    /// [`LabConfig::default`]. Without traces runs are several times faster, and only the program's own assertions and
    /// deadlocks are found. What the search itself was asked for stays: [`Search::faults`], [`Search::eager_time`],
    /// [`Search::branch_on_random`].
    #[must_use]
    pub fn config(mut self, config: LabConfig) -> Search {
        self.config = self.asked.of(config);
        self.config.decides_overtakings = matches!(self.how, How::Every);
        self
    }

    /// The seed of what is drawn: a sampler's schedules, the tasks' random numbers, the network. Default: that of the
    /// configuration.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Search {
        self.config = self.config.seed(seed);
        self
    }

    /// How fine a step is. Default: [`Grain::Operation`].
    #[must_use]
    pub fn grain(mut self, grain: Grain) -> Search {
        self.grain = grain;
        self
    }

    /// How many runs there may be at most: a search of every class, or of every schedule within a bound, that has more of
    /// them fails, and says how many it has likely left out. Who asks for all and gets a part has been told nothing about
    /// the rest; if a part is enough, say [`Search::budget`]. Of a sampler, how many it draws. Default: no limit.
    #[must_use]
    pub fn limit(mut self, runs: u64) -> Search {
        self.limit = runs;
        self.enough = false;
        self
    }

    /// So many runs, though there may be more: a search that has not found a failure by then passes, and says how much it
    /// has seen ([`Found::complete`], [`Found::likely`]). Instead of [`Search::limit`].
    ///
    /// ```
    /// use asupersync_lab::Search;
    /// use std::sync::Arc;
    /// use sync::shared::Shared;
    ///
    /// let found = Search::every().budget(2).run("adds", None, async |cx| {
    ///     let sum = Arc::new(Shared::new(0));
    ///     for n in 1..=3 {
    ///         let sum = sum.clone();
    ///         cx.spawn(async move |_| sum.write(|s| *s += n));
    ///     }
    /// });
    /// assert_eq!((found.runs, found.complete), (2, false));
    /// ```
    #[must_use]
    pub fn budget(mut self, runs: u64) -> Search {
        self.limit = runs;
        self.enough = true;
        self
    }

    /// Whether somebody who sees it end early has been told what he did not ask for.
    fn fails_at_limit(&self) -> bool {
        !self.enough && !matches!(self.how, How::Sample(_))
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

    /// The simulated network fails: writes that find a reset, accepts that find no file descriptor left. Samplers have
    /// it fail one time in 16 ([`NetProfile::faulty`](crate::NetProfile::faulty)), [`Search::every`] tries both at every place where it could.
    #[must_use]
    pub fn faults(mut self) -> Search {
        // Two answers to each question, not sixteen, where each is tried.
        self.asked.faults_one_in = Some(if matches!(self.how, How::Sample(_)) { 16 } else { 2 });
        let config = self.config.clone();
        self.config(config).branch_on(Choice::Fault)
    }

    /// Eager time: the clock may move to the next timer although tasks can run, so many times in a run at most
    /// ([`LabConfig::eager_time`]). [`Search::every`] has it come at each moment at which that makes a difference, for each
    /// choice of so many timers; samplers and [`Search::within_delays`] have the clock as one more of those who could take the
    /// next step. A search of every class makes a few runs more than it has classes, in which the timer that was
    /// chosen overtakes nobody.
    ///
    /// ```
    /// use asupersync_lab::Search;
    /// use combinator::CombineExt;
    /// use std::time::Duration;
    /// use types::Res;
    /// let body = async |cx: &mut cx::Cx| -> Res {
    ///     let work = async |cx: &mut cx::Cx| -> Res {
    ///         for _ in 0..3 {
    ///             cx.step().await;
    ///             cx.checkpoint()?;
    ///         }
    ///         Ok(())
    ///     };
    ///     cx.timeout(Duration::from_secs(60), work).await
    /// };
    /// Search::every().run("in time", None, body);
    /// let late = std::panic::catch_unwind(|| Search::every().eager_time(1).run("late", None, body));
    /// assert!(late.is_err());
    /// ```
    #[must_use]
    pub fn eager_time(mut self, overtakings: u32) -> Search {
        self.asked.overtakings = Some(overtakings);
        let config = self.config.clone();
        self.config(config)
    }

    /// Tries each value of the random numbers that are drawn below a bound of at most `below` (`cx.random_below(bound)`):
    /// [`Search::every`] all of them, a sampler draws them anew in each run. ([`Search::within_delays`] answers all choices as
    /// usual: here, by the seed.) Numbers of a larger bound, or of none
    /// (`cx.random()`), come from the seed as ever, and [`Found::undecided`] says that there were some.
    ///
    /// ```
    /// use asupersync_lab::Search;
    /// let found = Search::every().branch_on_random(6).run("dice", None, async |cx| {
    ///     let (one, other) = (cx.random_below(6), cx.random_below(6));
    ///     assert!(one + other <= 10);
    /// });
    /// assert_eq!(found.classes, 36);
    /// ```
    #[must_use]
    pub fn branch_on_random(mut self, below: u32) -> Search {
        self.asked.numbers_below = Some(below);
        let config = self.config.clone();
        self.config(config).branch_on(Choice::Random)
    }

    /// How many runs may be spent on making a failing schedule small. Default: 1000, fewer where runs are long (two million
    /// steps in all).
    #[must_use]
    pub fn shrink(mut self, runs: u64) -> Search {
        self.shrinks = Some(runs);
        self
    }

    /// [`Search::shrink`], or what holds without it for a run of so many steps.
    fn shrinks(&self, steps: u64) -> u64 {
        self.shrinks.unwrap_or_else(|| (SHRINK_STEPS / steps.max(1)).min(1000))
    }

    /// Whether a replay that fails is made smaller first, as what a search finds is. Default: no, it fails as it is.
    #[must_use]
    pub fn shrink_replays(mut self, on: bool) -> Search {
        self.shrinks_replay = on;
        self
    }

    /// Has each run that does not fail followed by two more with the same decisions, and fails where these part: the first
    /// step, note or event that differs, its line, what may be the reason ([`run_twice`](crate::run_twice)). So three times
    /// the runs; for a program of which one isn't sure that nothing outside the lab decides.
    ///
    /// ```should_panic
    /// use asupersync_lab::{Schedule, Search};
    /// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// static RUNS: AtomicU64 = AtomicU64::new(0);
    /// let search = Search::sample(Schedule::Random, 100).twice();
    /// search.run("counts", None, async |cx| cx.trace(format!("run {}", RUNS.fetch_add(1, Relaxed))));
    /// ```
    #[must_use]
    pub fn twice(mut self) -> Search {
        self.twice = true;
        self
    }

    /// Tells `watcher` after each execution how far the search has come; it may end it.
    ///
    /// ```
    /// # use asupersync_lab::{Go, Search};
    /// let mut left = 3;
    /// let search = Search::every().progress(move |_| {
    ///     left -= 1;
    ///     if left == 0 { Go::Stop } else { Go::On }
    /// });
    /// let found = search.run("yields", None, async |cx| {
    ///     for _ in 0..3 {
    ///         cx.spawn(async |cx| cx.trace("here"));
    ///     }
    ///     cx.step().await
    /// });
    /// assert!(found.runs <= 3);
    /// ```
    #[must_use]
    pub fn progress(mut self, watcher: impl FnMut(&Progress<'_>) -> Go + Send + 'static) -> Search {
        self.hook = Some(Hook(Arc::new(Mutex::new(watcher))));
        self
    }

    /// As a search would look at the runs of a sweep: as production takes its steps.
    pub(crate) fn of_sweep(
        config: LabConfig,
        shrinks: u64,
        artefact: Option<Artefact>,
        rerun: Rerun,
    ) -> Search {
        let every = Search::every().grain(Grain::Poll);
        // The configuration as it is: the clock overtakes tasks as it does in a lab on its own.
        Search { config, shrinks: Some(shrinks), artefact, rerun, ..every }
    }

    /// Claims that a statistic of the runs is rare, and lets the search fail once the runs are evidence that it isn't.
    /// `statistic` looks at each run that is over: was it a violation, or not, or no observation at all?
    ///
    /// Of several claims those are named that e-BH names at [`Search::level`] (`monitor::e_bh`), however often one looks.
    /// For samplers only: an exploration draws nothing, so no claim about a rate can be put to it.
    ///
    /// ```
    /// use asupersync_lab::{Schedule, Search};
    /// use monitor::{AtMost, Question, Rate};
    /// let rare = AtMost(Rate::new(0.05).unwrap());
    /// let slow = Question::new("slow", rare, "runs", "take more than 100 steps");
    /// let search = Search::sample(Schedule::Random, 200).claim(slow, |lab| Some(lab.steps() > 100));
    /// let found = search.run("yields", None, async |cx| cx.spawn(async |_| {}).join(cx).await);
    /// assert_eq!(found.runs, 200);
    /// ```
    #[must_use]
    pub fn claim(
        mut self,
        question: Question,
        statistic: impl Fn(&LabRuntime) -> Option<bool> + Send + Sync + 'static,
    ) -> Search {
        self.claims.push(Claim::new(question, statistic));
        self
    }

    /// How rarely what is said of rates may be wrong: the statement on clean runs, and the naming of claims as false.
    /// Default: one time in a hundred.
    #[must_use]
    pub fn level(mut self, level: Level) -> Search {
        self.level = level;
        self
    }

    /// Where a failing run is written: its trace, or pictures of it. Default: nowhere.
    #[must_use]
    pub fn write_failure(mut self, to: Artefact) -> Search {
        self.artefact = Some(to);
        self
    }

    /// Searches; or, if `replay` is a line that a failure printed, runs that schedule alone. `test` is the program's
    /// name, for that line.
    ///
    /// # Panics
    /// With the first failure: what it was, the smallest schedule that fails in the same way with its racing pair, the
    /// line that repeats it. A failure is what [`sweep`](crate::sweep) takes for one. Also if a replay does not fit the
    /// program, or does not fail; and if there is more to search than the [limit](Search::limit) allows.
    #[track_caller]
    pub fn run<T: TaskOutput>(
        &self,
        test: &str,
        replay: Option<&str>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) -> Found {
        self.run_labs(test, replay, |lab| judged(lab, body.clone()))
    }

    /// How often does it fail? Draws all runs, whether or not they fail, and tells of each judge (the program's own
    /// panics, deadlocks, the model, every oracle) in how many runs it found something, and so where its rate lies. Of
    /// those whose rate is claimed to be at most `allowed` it says which claims are false ([`Rates::above`]).
    ///
    /// ```
    /// use asupersync_lab::{Schedule, Search};
    /// use monitor::{Level, Rate};
    /// let search = Search::sample(Schedule::Random, 300);
    /// let rates = search.rates("coin", Rate::new(0.01).unwrap(), async |cx| {
    ///     let mut first = cx.spawn(async |cx| cx.trace("one"));
    ///     let mut second = cx.spawn(async |cx| cx.trace("two"));
    ///     cx.step().await;
    ///     cx.step().await;
    ///     assert!(second.is_finished() || !first.is_finished(), "the first one was first");
    ///     let _ = (first.join(cx).await, second.join(cx).await);
    /// });
    /// assert_eq!(rates.runs(), 300);
    /// assert_eq!(rates.above(Level::ONE_PERCENT), ["the program"]);
    /// ```
    ///
    /// # Panics
    /// If this search draws nothing.
    #[track_caller]
    pub fn rates<T: TaskOutput>(
        &self,
        test: &str,
        allowed: Rate,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) -> Rates {
        let program = |lab: &LabRuntime| judged(lab, body.clone());
        Hunt { search: &self.of_test(test), test, program: &program, at: Location::caller() }.rates(allowed)
    }

    /// As [`Search::run`], where the program runs each lab itself.
    ///
    /// # Panics
    /// As there, with whatever `program` panics with.
    #[track_caller]
    pub fn run_labs(&self, test: &str, replay: Option<&str>, program: impl Fn(&LabRuntime)) -> Found {
        let named = self.of_test(test);
        let search = Hunt { search: &named, test, program: &program, at: Location::caller() };
        match replay {
            Some(line) => search.replay(line),
            None => search.all(),
        }
    }

    /// As [`Search::run`], on several threads: each takes branches of the exploration from whoever has some to give. Found is
    /// what one thread finds, but for how many executions only repeated others ([`Found::repeated`]). So is the verdict: once
    /// any thread has seen a failure, one searches again from the beginning and reports the first it comes to; also if so
    /// many executions repeat others that one thread alone is faster. Searches that may end early (samples, a limit,
    /// somebody who watches) go on one thread from the beginning.
    ///
    /// ```
    /// use asupersync_lab::{Search, crew};
    /// use std::sync::Arc;
    /// use sync::shared::Shared;
    ///
    /// let found = Search::every().run_abreast(crew!(2), "adds", None, async |cx| {
    ///     let sum = Arc::new(Shared::new(0));
    ///     for n in 1..=4 {
    ///         let sum = sum.clone();
    ///         cx.spawn(async move |cx| {
    ///             cx.step().await;
    ///             sum.write(|s| *s += n)
    ///         });
    ///     }
    /// });
    /// assert!(found.complete);
    /// assert_eq!(found.classes, 24);
    /// ```
    ///
    /// # Panics
    /// As [`Search::run`]; also if a thread saw a failure and the search on one thread does not.
    #[track_caller]
    pub fn run_abreast<T: TaskOutput>(
        &self,
        crew: Crew,
        test: &str,
        replay: Option<&str>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone + Sync,
    ) -> Found {
        let program = |lab: &LabRuntime| judged(lab, body.clone());
        let named = self.of_test(test);
        let search = Hunt { search: &named, test, program: &program, at: Location::caller() };
        match replay {
            Some(line) => search.replay(line),
            None => search.all_abreast(crew),
        }
    }
}
