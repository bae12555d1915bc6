//! One program under many seeds, every run judged by every oracle. The attribute `lab_test` stands for
//! [`sweep`]. A run that fails is made small and told as a failing search is.
//!
//! Not here: reading the environment. Which seed to repeat is a value (`only`), which a test gets from
//! wherever it likes; the attribute takes it from `LAB_SEED`.
use crate::artefact::Artefact;
use crate::failure::{Failure, Met, Rerun, count, message};
use crate::followed::complaint;
use crate::left::Left;
use crate::quiet::quietly;
use crate::search::hunt::{Hunt, OUTSIDE, alike};
use crate::{LabConfig, LabRuntime, Schedule, Search, telling};
use cx::{All, Cx};
use explore::{Decisions, Replay};
use std::ops::{Bound, RangeBounds, RangeInclusive};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use types::{Res, Stop, TaskOutput};

/// The seeds of a sweep: `all`, or the single one that `only` says, whether or not `all` has it.
///
/// ```
/// assert_eq!(asupersync_lab::seeds(0..3, None).collect::<Vec<_>>(), [0, 1, 2]);
/// assert_eq!(asupersync_lab::seeds(0..3, Some("17")).collect::<Vec<_>>(), [17]);
/// ```
///
/// # Panics
/// If `only` is not a number.
pub fn seeds(all: impl RangeBounds<u64>, only: Option<&str>) -> RangeInclusive<u64> {
    let (from, to) = match only {
        Some(text) => match text.trim().parse() {
            Ok(seed) => (seed, seed),
            Err(_) => panic!("the seed to repeat is `{text}`, but must be a number"),
        },
        None => {
            let from = match all.start_bound() {
                Bound::Included(&n) => n,
                Bound::Excluded(&n) => n.saturating_add(1),
                Bound::Unbounded => 0,
            };
            match all.end_bound() {
                Bound::Included(&n) => (from, n),
                Bound::Excluded(&0) => (1, 0),
                Bound::Excluded(&n) => (from, n - 1),
                Bound::Unbounded => (from, u64::MAX),
            }
        }
    };
    from..=to
}

/// How many steps are spent on making a failing run small, if nobody says how many runs.
pub(crate) const SHRINK_STEPS: u64 = 2_000_000;

/// Runs `body` in a fresh lab for each seed, and has all oracles judge each run. `test` is its name, for the
/// line that says how to repeat a failure.
///
/// ```
/// use asupersync_lab::{seeds, sweep};
/// sweep("joins", seeds(0..10, None), async |cx| cx.spawn(async |_| {}).join(cx).await);
/// ```
///
/// # Panics
/// With the first seed's failure: the body's panic, or a child's that nobody joined; if the body failed or was
/// cancelled; on a deadlock; when a limit is hit; when the trace breaks a rule of the model; if an oracle
/// found something. As a search does, it says the smallest schedule that fails so, with its racing pair, and the line
/// that repeats it; that takes up to 1000 runs more, fewer where runs are long. Also if there is no seed.
///
/// Runs that pass although a frame was left before its end ([`Left`]) are told on standard error.
#[track_caller]
pub fn sweep<T: TaskOutput>(
    test: &str,
    seeds: impl Iterator<Item = u64>,
    body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
) {
    let config = LabConfig::default();
    let swept = Swept { test, settings: String::new(), command: None, artefact: None, config, shrinks: None };
    let mut seeds = seeds.peekable();
    assert!(
        seeds.peek().is_some(),
        "lab: `{test}`: there is no seed: nothing would be run, and that would pass"
    );
    let mut left = Left::default();
    let mut runs = 0;
    for seed in seeds {
        left.add(swept.seed(seed, body.clone()));
        runs += 1
    }
    if left.runs > 0 {
        eprintln!("lab: `{test}`: {}{left}", count(runs, "seed"))
    }
}

/// A test whose seeds are run one by one.
pub(crate) struct Swept<'a> {
    pub(crate) test: &'a str,
    /// What else the environment has to say, beside the seed: `LAB_TIME=eager `, or nothing.
    pub(crate) settings: String,
    /// What runs it again; `cargo test NAME` if nobody said.
    pub(crate) command: Option<String>,
    /// Where a failing run is written.
    pub(crate) artefact: Option<Artefact>,
    /// How labs are made, but for the seed.
    pub(crate) config: LabConfig,
    /// How many runs may be spent on making a failing one small, if somebody says so.
    pub(crate) shrinks: Option<u64>,
}

/// One run, over and done.
struct Once {
    lab: LabRuntime,
    failure: Option<String>,
    panicked_at: Option<String>,
}

impl Swept<'_> {
    /// One seed. Returns the first frame that was left before its end, if one was.
    #[track_caller]
    pub(crate) fn seed<T: TaskOutput>(
        &self,
        seed: u64,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) -> Option<String> {
        let run = once(self.config(seed), body.clone());
        if run.failure.is_some() {
            let room = SHRINK_STEPS / run.lab.steps().max(1);
            self.fail(run, Met::Seed(seed), seed, self.shrinks.unwrap_or(room.min(1000)), body)
        }
        run.lab.left()
    }

    /// One recorded run.
    ///
    /// # Panics
    /// With its failure; if it goes another way; if it doesn't fail.
    #[track_caller]
    pub(crate) fn replay<T: TaskOutput>(
        &self,
        seed: u64,
        decisions: Decisions,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) {
        let test = self.test;
        let run = once(self.replaying(seed, &decisions), body.clone());
        if let Some(why) = complaint(test, &decisions, run.lab.divergence().as_ref(), run.failure.as_deref())
        {
            panic!("{why} (seed {seed})")
        }
        self.fail(run, Met::Again, seed, self.shrinks.unwrap_or(0), body)
    }

    fn replaying(&self, seed: u64, decisions: &Decisions) -> LabConfig {
        self.config(seed).schedule(Schedule::Replay(decisions.clone()))
    }

    fn config(&self, seed: u64) -> LabConfig {
        self.config.clone().seed(seed).of_test(self.test, &self.rerun(seed))
    }

    fn rerun(&self, seed: u64) -> Rerun {
        Rerun { settings: format!("{}LAB_SEED={seed} ", self.settings), command: self.command.clone() }
    }

    /// Panics with the report of a failing run. A search takes the same steps again, and sees in them what a lab on its
    /// own doesn't: who raced. What it says has to fail in a lab on its own too, as that is where it is replayed.
    #[track_caller]
    fn fail<T: TaskOutput>(
        &self,
        run: Once,
        met: Met,
        seed: u64,
        shrinks: u64,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) -> ! {
        let Once { lab, failure, panicked_at } = run;
        let (decisions, what) = (lab.decisions(), failure.unwrap_or_default());
        let rerun = self.rerun(seed);
        let search = Search::of_sweep(self.config(seed), shrinks, self.artefact.clone(), rerun.clone());
        let program = |lab: &LabRuntime| judged(lab, body.clone());
        let hunt = Hunt { search: &search, test: self.test, program: &program, at: Location::caller() };
        let faults = lab.faults();
        let faults = (faults.fired() > 0).then(|| faults.to_string());
        let fails = |list: &Decisions| {
            let again = once(self.replaying(seed, list), body.clone());
            again.lab.divergence().is_none() && again.failure.is_some_and(|found| alike(&found, &what))
        };
        let told = if lab.steps() > SHRINK_STEPS / 10 {
            Err("it is too long to be run again and again".to_string())
        } else {
            let told = hunt.told(decisions.clone(), &what, met, fails);
            told.ok_or_else(|| "it fails otherwise, or not at all, when its steps are looked at".to_string())
        };
        let failure = told.unwrap_or_else(|why| {
            let unrepeated = (!fails(&decisions)).then(|| {
                let seen = hunt.unrepeated(&decisions, &what);
                seen.unwrap_or_else(|| format!("with the same decisions it does not fail; {OUTSIDE}"))
            });
            let replay = Replay::new(self.test, decisions);
            let repeat = rerun.command(self.test, &replay.line());
            let written = self.artefact.as_ref().map(|artefact| {
                let events = lab.events();
                let run = telling::of_events(&events, &what).title(self.test).repeat(&repeat);
                artefact.written(self.test, &run, &replay.file(&what))
            });
            let (at, as_found) = (panicked_at, Some(why));
            Failure {
                at,
                as_found,
                unrepeated,
                written,
                ..Failure::new(self.test, what.clone(), met, repeat)
            }
        });
        panic!("{}", Failure { faults, ..failure })
    }
}

/// One run of its own.
#[track_caller]
fn once<T: TaskOutput>(config: LabConfig, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> Once {
    let lab = LabRuntime::new(config);
    let (ended, panicked_at) = quietly(|| catch_unwind(AssertUnwindSafe(|| judged(&lab, body))));
    Once { lab, failure: ended.err().map(|payload| message(&*payload)), panicked_at }
}

pub(crate) fn judged<T: TaskOutput>(lab: &LabRuntime, body: impl AsyncFnOnce(&mut Cx<All>) -> T) {
    // A region that cancels its members when the body fails, as any task's does. Without it children that wait
    // for the body would be a deadlock that hides the failure.
    let result: Res<T::Ok, T::Err> = lab.run(|cx| async move {
        cx.try_region(|scope| async move { body(scope).await.into_outcome().ok() }).await
    });
    match result {
        Ok(_) => {}
        Err(Stop::Err(e)) => panic!("the test failed: {e:?}"),
        Err(Stop::Cancelled(c)) => panic!("the test was cancelled: {c}"),
    }
    if let Err(found) = lab.oracles() {
        panic!("{found}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use types::Error;

    /// The message a sweep ends with.
    fn failure<T: TaskOutput>(body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone) -> String {
        let swept = catch_unwind(AssertUnwindSafe(|| sweep("this", seeds(0..2, None), body)));
        let payload = swept.expect_err("it ought to fail");
        match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
        }
    }

    #[test]
    fn every_seed_runs_once() {
        let runs = AtomicU64::new(0);
        sweep("this", seeds(3..=7, None), async |_| {
            runs.fetch_add(1, Relaxed);
        });
        assert_eq!(runs.into_inner(), 5);
    }

    #[test]
    #[should_panic(expected = "`this`: there is no seed: nothing would be run")]
    fn a_sweep_over_no_seed_does_not_pass() {
        sweep("this", seeds(5..5, None), async |_| unreachable!("there is no seed"))
    }

    #[test]
    fn the_seed_to_repeat_replaces_the_range() {
        assert_eq!(seeds(0..4, Some(" 90 ")).collect::<Vec<_>>(), [90]);
        assert_eq!(seeds(0..0, None).count(), 0);
    }

    #[test]
    #[should_panic(expected = "the seed to repeat is `x`, but must be a number")]
    fn a_seed_that_is_no_number_is_refused() {
        let _ = seeds(0..4, Some("x"));
    }

    #[test]
    fn an_error_fails_the_test_even_while_a_child_waits() {
        let text = failure(async |cx| -> Res {
            cx.spawn(async |cx| -> Res {
                loop {
                    cx.checkpoint()?;
                    cx.yield_now().await;
                }
            });
            Err(Stop::Err(Error::msg("wrong sum")))
        });
        assert!(text.starts_with("`this` fails with seed 0: the test failed: wrong sum\n"), "{text}");
        assert!(text.contains("no race: it fails in production's order too"), "{text}");
    }

    #[test]
    fn a_leak_fails_the_test() {
        let text = failure(async |cx| {
            cx.region(|scope| async {
                scope.spawn(async |cx| {
                    std::mem::forget(
                        cx.reserve(types::ObligationKind::Lease, std::panic::Location::caller()),
                    );
                });
            })
            .await;
        });
        assert!(text.contains("sweep.rs"), "{text}");
    }
}
