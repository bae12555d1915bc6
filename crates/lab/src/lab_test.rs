//! [`LabTest`]: what the attribute `lab_test` stands for: a sweep or a search with what the environment asks for: a
//! replay, a seed, a time limit, a file for what failed.
//!
//! | variable | what it does |
//! |---|---|
//! | `LAB_SEED=17` | this seed and no other |
//! | `LAB_REPLAY=lab1,..` | one recorded schedule of the test that it names; every other test runs as usual |
//! | `LAB_SHRINK=10000` | with it: makes that schedule smaller, in so many runs at most |
//! | `LAB_TWICE=1` | every run is made again with the same decisions, and fails if it does not do the same |
//! | `LAB_TIME=eager:2` | the clock may overtake tasks so often in a run, or once (`eager`) |
//! | `LAB_RANDOM=branch:6` | searches try every value of random numbers below so much, or 16 (`branch`) |
//! | `LAB_CANCEL=12,30` | a sweep of cancellations makes one run, cancelling before these steps |
//! | `LAB_SECONDS=60` | searches end after so long, and say how much they have seen |
//! | `LAB_TRACE_OUT=run.html` | where a failing run is written ([`Artefact`]) |
//!
//! Invariant `lab-test.no-silent-skip`: whatever a variable says, a test that runs runs its program; what can't be
//! followed is a failure with a reason.
//!
//! Not here: reading the environment. The values are [`Given`].
use crate::artefact::Artefact;
use crate::failure::{Rerun, count};
use crate::left::Left;
use crate::progress::Go;
use crate::search::hunt::OUTSIDE;
use crate::sweep::{Swept, seeds};
use crate::ticker::{Ticker, say};
use crate::{CancelSweep, LabConfig, Search, run_twice};
use cx::{All, Cx};
use explore::{Decisions, Replay};
use monitor::{CleanRuns, Level, Sampled, Statement};
use std::fmt;
use std::ops::{RangeBounds, RangeInclusive};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use types::TaskOutput;

/// What a test is given by its surroundings. Values, since the lab reads no environment and no clock:
/// [`given!`](crate::given) takes them from there.
#[derive(Default)]
pub struct Given {
    /// `LAB_REPLAY`.
    pub replay: Option<String>,
    /// `LAB_SHRINK`.
    pub shrink: Option<String>,
    /// `LAB_SEED`.
    pub seed: Option<String>,
    /// `LAB_CANCEL`.
    pub cancel: Option<String>,
    /// `LAB_SECONDS`.
    pub seconds: Option<String>,
    /// `LAB_TRACE_OUT`.
    pub trace_out: Option<String>,
    /// `LAB_TWICE`.
    pub twice: Option<String>,
    /// `LAB_TIME`.
    pub time: Option<String>,
    /// `LAB_RANDOM`.
    pub random: Option<String>,
    /// How long the test has run so far. Without it there is no progress to be seen and no time limit.
    pub clock: Option<Box<dyn FnMut() -> Duration + Send>>,
    /// Whether standard error is a terminal.
    pub terminal: bool,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Given { replay, shrink, seed, cancel, seconds, trace_out, twice, time, random, clock, terminal } =
            self;
        f.debug_struct("Given")
            .field("replay", replay)
            .field("shrink", shrink)
            .field("seed", seed)
            .field("cancel", cancel)
            .field("seconds", seconds)
            .field("trace_out", trace_out)
            .field("twice", twice)
            .field("time", time)
            .field("random", random)
            .field("clock", &clock.is_some())
            .field("terminal", terminal)
            .finish()
    }
}

/// The [`Given`] of a test: the variables `LAB_REPLAY`, `LAB_SHRINK`, `LAB_SEED`, `LAB_CANCEL`, `LAB_SECONDS`, `LAB_TRACE_OUT`,
/// `LAB_TWICE`, `LAB_TIME` and `LAB_RANDOM`, the machine's clock, and whether standard error is a terminal. A macro, so that it is the test that looks and not the lab.
#[macro_export]
macro_rules! given {
    () => {{
        #[allow(clippy::style)]
        let given = {
            let var = |name: &str| ::std::env::var(name).ok();
            let began = ::std::time::Instant::now();
            $crate::Given {
                replay: var("LAB_REPLAY"),
                shrink: var("LAB_SHRINK"),
                seed: var("LAB_SEED"),
                cancel: var("LAB_CANCEL"),
                seconds: var("LAB_SECONDS"),
                trace_out: var("LAB_TRACE_OUT"),
                twice: var("LAB_TWICE"),
                time: var("LAB_TIME"),
                random: var("LAB_RANDOM"),
                clock: ::core::option::Option::Some(::std::boxed::Box::new(move || began.elapsed())),
                terminal: ::std::io::IsTerminal::is_terminal(&::std::io::stderr()),
            }
        };
        given
    }};
}

/// A test by its name, in its surroundings.
///
/// ```
/// use asupersync_lab::{LabTest, Search, given};
/// let test = || LabTest::new(concat!(module_path!(), "::", "joins"), given!());
/// test().sweep(0..10, async |cx| cx.spawn(async |_| {}).join(cx).await);
/// test().search(0..1, Search::every(), async |cx| cx.spawn(async |_| {}).join(cx).await);
/// ```
#[derive(Debug)]
pub struct LabTest {
    name: &'static str,
    given: Given,
    config: Option<LabConfig>,
    twice: bool,
}

/// What the values say.
struct Asked {
    replay: Option<Decisions>,
    shrink: Option<u64>,
    artefact: Option<Artefact>,
    twice: bool,
    /// How often the clock may overtake tasks.
    overtakings: Option<u32>,
    /// Below how much random numbers are tried.
    numbers_below: Option<u32>,
}

impl LabTest {
    /// A test of this name: `krate::path::test`, as `module_path!()` has it.
    #[must_use]
    pub fn new(name: &'static str, given: Given) -> LabTest {
        LabTest { name, given, config: None, twice: false }
    }

    /// How labs are made, but for the seed; of a search, instead of its own configuration, though not of what the search was
    /// asked for itself ([`Search::config`]). Default:
    /// [`LabConfig::default`], and the search's own.
    #[must_use]
    pub fn config(mut self, config: LabConfig) -> LabTest {
        self.config = Some(config);
        self
    }

    /// Has every run made again with the same decisions, and fails if that does not do the same: the first step, note or event
    /// that differs, its line, what may be the reason. A sweep over seeds and one of cancellations make two runs more for
    /// each seed ([`run_twice`]), a search two for each run ([`Search::twice`]). As `LAB_TWICE=1` does for one time.
    #[must_use]
    pub fn twice(mut self) -> LabTest {
        self.twice = true;
        self
    }

    /// Runs `body` once for each seed, each time in another order, every run judged by every oracle: [`crate::sweep`]
    /// with what was given.
    ///
    /// # Panics
    /// As there; if there is no seed; if a replay is not followed or does not fail; if what was given makes no sense.
    #[track_caller]
    pub fn sweep<T: TaskOutput>(
        mut self,
        all: impl RangeBounds<u64>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) {
        let asked = self.asked();
        self.refuse_numbers(&asked);
        let config = asked.timed(self.config.clone().unwrap_or_default());
        let swept = Swept {
            test: self.name,
            settings: self.settings(),
            command: Some(command(self.name)),
            artefact: asked.artefact,
            config: config.clone(),
            shrinks: asked.shrink,
        };
        let mut seeds = self.seeds(all);
        if let Some(decisions) = asked.replay {
            let seed = if self.given.seed.is_some() { seeds.next().unwrap_or(0) } else { 0 };
            return swept.replay(seed, decisions, body);
        }
        let mut ticker = self.ticker();
        let (mut done, mut ended, mut left) = (0, false, Left::default());
        for seed in seeds {
            left.add(swept.seed(seed, body.clone()));
            if asked.twice {
                self.check_twice(config.clone(), seed, body.clone())
            }
            done += 1;
            ended = ticker.as_mut().is_some_and(|t| t.tick(&format_args!("{done} seeds")) == Go::Stop);
            if ended {
                break;
            }
        }
        let clean = config.schedule.sampled(0).map(|sampled| clean(&sampled, done, Level::ONE_PERCENT));
        let passed = format!(
            "{}{}{left}",
            count(done, "seed"),
            clean.map_or(String::new(), |clean| format!(": {clean}"))
        );
        if let Some(ticker) = ticker {
            ticker.close(ended.then(|| format!("no more were tried than {passed}")))
        }
        eprintln!("lab: `{}`: {passed}", self.name)
    }

    /// Searches the schedules of `body` as `search` says, once for each seed: [`Search::run`] with what was given. A
    /// search that the time limit ends says on standard error how much it has seen.
    ///
    /// # Panics
    /// As there; if there is no seed; if what was given makes no sense.
    #[track_caller]
    pub fn search<T: TaskOutput>(
        mut self,
        all: impl RangeBounds<u64>,
        search: Search,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) {
        let asked = self.asked();
        let mut search = search;
        if let Some(config) = self.config.clone() {
            search = search.config(config)
        }
        if let Some(overtakings) = asked.overtakings {
            search = search.eager_time(overtakings)
        }
        if let Some(below) = asked.numbers_below {
            search = search.branch_on_random(below)
        }
        if let Some(artefact) = asked.artefact {
            search = search.write_failure(artefact)
        }
        if asked.twice {
            search = search.twice()
        }
        let line = asked.replay.map(|decisions| Replay::new(self.name, decisions).line());
        let mut seeds = self.seeds(all);
        if line.is_some() {
            if let Some(runs) = asked.shrink {
                search = search.shrink(runs).shrink_replays(true)
            }
            let seed = if self.given.seed.is_some() { seeds.next().unwrap_or(0) } else { 0 };
            let _: crate::Found = self.seeded(&search, seed).run(self.name, line.as_deref(), body);
            return;
        }
        let ticker = self.ticker().map(|ticker| Arc::new(Mutex::new(ticker)));
        if let Some(ticker) = ticker.clone() {
            search = search.progress(move |progress| crate::world::locked(&ticker).tick(progress))
        }
        let mut last = String::new();
        let (mut searches, mut drawn) = (0, None);
        for seed in seeds {
            let found = self.seeded(&search, seed).run(self.name, None, body.clone());
            last = found.to_string();
            searches += 1;
            if let Some(Statement::Below { level, .. }) = found.clean {
                let (before, _) = drawn.unwrap_or((0, level));
                drawn = Some((before + found.runs, level))
            }
            if ticker.as_ref().is_some_and(|ticker| crate::world::locked(ticker).is_over()) {
                break;
            }
        }
        if let Some((runs, level)) = drawn.filter(|_| searches > 1) {
            // Another seed means other random numbers too: one more thing that changes between the runs.
            let all = clean(&Sampled::learning(0), runs, level);
            last = format!("the last of {searches} seeds: {last}; all of them together: {all}")
        }
        drop(search);
        if let Some(ticker) = ticker.and_then(Arc::into_inner) {
            let ticker = ticker.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            let over = ticker.is_over();
            ticker.close(over.then_some(last.clone()))
        }
        eprintln!("lab: `{}`: {last}", self.name)
    }

    /// Runs `body` once for each checkpoint of each task, with a cancellation that arrives exactly there, once for each
    /// seed: [`CancelSweep::run`] with what was given.
    ///
    /// # Panics
    /// As there; if there is no seed; if the run that `LAB_CANCEL` names does not fail, as it then is no longer the one that was recorded; if
    /// what was given makes no sense.
    #[track_caller]
    pub fn cancel_sweep<T: TaskOutput>(
        mut self,
        all: impl RangeBounds<u64>,
        sweep: CancelSweep,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) {
        let asked = self.asked();
        assert!(
            asked.replay.is_none(),
            "lab: LAB_REPLAY: a sweep of cancellations has no schedule to replay; LAB_CANCEL repeats one of its runs"
        );
        self.refuse_numbers(&asked);
        let mut seeds = self.seeds(all);
        let mut ticker = self.ticker();
        let mut sweep = sweep;
        sweep.config = asked.timed(sweep.config);
        sweep.artefact = asked.artefact;
        let of_seed = |seed| {
            let mut sweep = sweep.clone().seed(seed);
            sweep.rerun = Some(self.rerun(seed));
            sweep
        };
        if let Some(steps) = &self.given.cancel {
            let seed = if self.given.seed.is_some() { seeds.next().unwrap_or(0) } else { 0 };
            of_seed(seed).run(self.name, Some(steps), body);
            panic!(
                "lab: `{}` does not fail when it is cancelled before step {steps} (seed {seed}): the bug is gone, or the run \
                 is no longer the one in which that was found",
                self.name
            )
        }
        let (mut done, mut ended) = (0, false);
        for seed in seeds {
            if asked.twice {
                self.check_twice(sweep.config.clone(), seed, body.clone())
            }
            let swept = of_seed(seed).run(self.name, None, body.clone());
            done += 1;
            let told = format!("lab: `{}`, seed {seed}: {swept}\n", self.name);
            // What was left out is said whoever captures output.
            if swept.complete {
                eprint!("{told}")
            } else {
                say(&told)
            }
            ended = ticker.as_mut().is_some_and(|t| t.tick(&format_args!("{done} seeds swept")) == Go::Stop);
            if ended {
                break;
            }
        }
        if let Some(ticker) = ticker {
            ticker.close(ended.then(|| format!("{done} seeds passed, and no more were tried")))
        }
    }

    /// The seeds to run.
    ///
    /// # Panics
    /// If there are none: the test would pass without a run.
    #[track_caller]
    fn seeds(&self, all: impl RangeBounds<u64>) -> RangeInclusive<u64> {
        let seeds = seeds(all, self.given.seed.as_deref());
        assert!(
            !seeds.is_empty(),
            "lab: `{}`: the range of seeds is empty: nothing would be run, and that would pass",
            self.name
        );
        seeds
    }

    /// Fails if two runs with this seed part.
    #[track_caller]
    fn check_twice<T: TaskOutput>(
        &self,
        config: LabConfig,
        seed: u64,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) {
        if let Err(difference) = run_twice(config.seed(seed), body) {
            panic!("lab: `{}` does not repeat itself, with seed {seed}: {difference}\n{OUTSIDE}", self.name)
        }
    }

    fn seeded(&self, search: &Search, seed: u64) -> Search {
        let mut search = search.clone().seed(seed);
        search.rerun = self.rerun(seed);
        search
    }

    fn rerun(&self, seed: u64) -> Rerun {
        let seed = if seed == 0 { String::new() } else { format!("LAB_SEED={seed} ") };
        Rerun { settings: self.settings() + &seed, command: Some(command(self.name)) }
    }

    /// What runs of this test are made with that is not in its source, as a line that repeats one has to say it.
    fn settings(&self) -> String {
        let Given { time, random, .. } = &self.given;
        let said = |name: &str, value: &Option<String>| {
            value.as_ref().map_or(String::new(), |value| format!("{name}={} ", value.trim()))
        };
        said("LAB_TIME", time) + &said("LAB_RANDOM", random)
    }

    #[track_caller]
    fn refuse_numbers(&self, asked: &Asked) {
        assert!(
            asked.numbers_below.is_none(),
            "lab: LAB_RANDOM is for `explore`: a sweep draws the numbers of its seeds"
        )
    }

    /// What was given, understood.
    #[track_caller]
    fn asked(&self) -> Asked {
        let Given { replay, shrink, trace_out, twice, time, random, .. } = &self.given;
        let replay = replay.as_deref().map(|line| match Replay::read(line) {
            Ok(replay) => replay,
            Err(why) => panic!("lab: LAB_REPLAY: {why}"),
        });
        let of_other = replay.as_ref().filter(|replay| replay.program != self.name);
        if let Some(other) = of_other {
            // Not skipped: a variable that was left set would make every test pass. And said whoever captures output: a test
            // that has another name by now would look as if it had been replayed.
            say(&format!("lab: `{}`: {}", self.name, of_another(self.name, other)))
        }
        let artefact = trace_out.as_deref().map(|path| match Artefact::at(path) {
            Ok(artefact) => artefact,
            Err(why) => panic!("lab: LAB_TRACE_OUT: {why}"),
        });
        let replay = replay.filter(|replay| replay.program == self.name).map(|replay| replay.decisions);
        // Of another test's replay, so to say.
        let shrink = shrink.as_deref().filter(|_| replay.is_some()).map(|n| number("LAB_SHRINK", n));
        let twice = twice.as_deref().is_some_and(|n| number("LAB_TWICE", n) > 0) || self.twice;
        let overtakings = time.as_deref().map(|text| understood("LAB_TIME", overtakings(text)));
        let numbers_below = random.as_deref().map(|text| understood("LAB_RANDOM", numbers_below(text)));
        Asked { replay, shrink, artefact, twice, overtakings, numbers_below }
    }

    #[track_caller]
    fn ticker(&mut self) -> Option<Ticker> {
        let limit = self.given.seconds.as_deref().map(|n| Duration::from_secs(number("LAB_SECONDS", n)));
        let clock = self.given.clock.take()?;
        Some(Ticker::new(self.name, clock, self.given.terminal, limit))
    }
}

impl Asked {
    fn timed(&self, config: LabConfig) -> LabConfig {
        match self.overtakings {
            Some(overtakings) => config.eager_time(overtakings),
            None => config,
        }
    }
}

/// How often the clock may overtake tasks, as `LAB_TIME` and `lab_test(time = ..)` say it: `eager`, which is once, or
/// `eager:2`.
///
/// # Errors
/// In words, if it is neither.
pub fn overtakings(text: &str) -> Result<u32, String> {
    let times = match text.trim() {
        "eager" => Some(1),
        text => text.strip_prefix("eager:").and_then(|times| times.parse().ok()).filter(|times| *times > 0),
    };
    times.ok_or_else(|| {
        format!("`{text}` is neither `eager`, where the clock may overtake tasks once, nor `eager:TIMES`")
    })
}

/// Below how much random numbers are tried, as `LAB_RANDOM` and `lab_test(random = ..)` say it: `branch`, which is 16, or
/// `branch:6`.
///
/// # Errors
/// In words, if it is neither, or not from 2 to 1024.
pub fn numbers_below(text: &str) -> Result<u32, String> {
    let below = match text.trim() {
        "branch" => Some(16),
        text => {
            let below = text.strip_prefix("branch:").and_then(|below| below.parse().ok());
            below.filter(|below| (2..=1024).contains(below))
        }
    };
    below.ok_or_else(|| {
        format!(
            "`{text}` is neither `branch`, for numbers below 16 or less, nor `branch:BOUND`, of 2 to 1024"
        )
    })
}

#[track_caller]
fn understood(name: &str, value: Result<u32, String>) -> u32 {
    match value {
        Ok(value) => value,
        Err(why) => panic!("lab: {name}: {why}"),
    }
}

/// What is said of a replay of another test; with its line, if this one may be that test under a new name.
fn of_another(name: &str, replay: &Replay) -> String {
    let other = &replay.program;
    let (this, that) = (parted(name), parted(other));
    let renamed = if this.0 == that.0 || this.1 == that.1 {
        let line = Replay::new(name, replay.decisions.clone()).line();
        format!(" (if it was renamed, its line is LAB_REPLAY={line})")
    } else {
        String::new()
    };
    format!("LAB_REPLAY is of `{other}`; this test runs as usual{renamed}\n")
}

/// A test's module and its own name.
fn parted(name: &str) -> (&str, &str) {
    name.rsplit_once("::").unwrap_or(("", name))
}

/// What so many clean runs say.
fn clean(sampled: &Sampled, runs: u64, level: Level) -> Statement {
    let mut clean = CleanRuns::new(sampled);
    (0..runs).for_each(|_| clean.observe(false));
    clean.statement(level)
}

#[track_caller]
fn number(name: &str, text: &str) -> u64 {
    match text.trim().parse() {
        Ok(number) => number,
        Err(_) => panic!("lab: {name} is `{text}`, but must be a number"),
    }
}

/// How this test is run alone: cargo knows it by its path inside of its crate.
fn command(name: &str) -> String {
    let path = name.split_once("::").map_or(name, |(_, path)| path);
    format!("cargo test {path} -- --exact")
}
