//! One program under many seeds, every run judged by every oracle. The attribute `lab_test` stands for
//! [`sweep`].
//!
//! Not here: reading the environment. Which seed to repeat is a value (`only`), which a test gets from
//! wherever it likes; the attribute takes it from `LAB_SEED`.
use crate::artefact::Artefact;
use crate::failure::{Rerun, message};
use crate::followed::complaint;
use crate::{LabConfig, LabRuntime, Schedule, telling};
use cx::{All, Cx};
use explore::{Decisions, Replay};
use std::ops::{Bound, RangeBounds, RangeInclusive};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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
/// found something. The seed is printed on standard error before.
#[track_caller]
pub fn sweep<T: TaskOutput>(
    test: &str,
    seeds: impl Iterator<Item = u64>,
    body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
) {
    let swept = Swept { test, command: None, artefact: None, config: LabConfig::default() };
    for seed in seeds {
        swept.seed(seed, body.clone())
    }
}

/// A test whose seeds are run one by one.
pub(crate) struct Swept<'a> {
    pub(crate) test: &'a str,
    /// What runs it again; `cargo test NAME` if nobody said.
    pub(crate) command: Option<String>,
    /// Where a failing run is written.
    pub(crate) artefact: Option<Artefact>,
    /// How labs are made, but for the seed.
    pub(crate) config: LabConfig,
}

impl Swept<'_> {
    /// One seed.
    #[track_caller]
    pub(crate) fn seed<T: TaskOutput>(&self, seed: u64, body: impl AsyncFnOnce(&mut Cx<All>) -> T) {
        let lab = LabRuntime::new(self.config.clone().seed(seed));
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| judged(&lab, body))) {
            let (test, decisions) = (self.test, lab.decisions());
            eprintln!(
                "lab: `{test}` failed with seed {seed} ({} decisions, {} steps)\n\
                 lab: to run this seed again: LAB_SEED={seed} {}",
                decisions.len(),
                lab.steps(),
                self.command(),
            );
            self.tell(&lab, seed, decisions, &message(&*payload));
            resume_unwind(payload)
        }
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
        body: impl AsyncFnOnce(&mut Cx<All>) -> T,
    ) {
        let test = self.test;
        let config = self.config.clone().seed(seed).schedule(Schedule::Replay(decisions.clone()));
        let lab = LabRuntime::new(config);
        let failure = catch_unwind(AssertUnwindSafe(|| judged(&lab, body))).err();
        let text = failure.as_ref().map(|f| message(&**f));
        if let Some(why) = complaint(test, &decisions, lab.divergence().as_ref(), text.as_deref()) {
            panic!("{why} (seed {seed})")
        }
        let payload = failure.unwrap_or_else(|| unreachable!("a replay that passes is complained of"));
        self.tell(&lab, seed, lab.decisions(), &message(&*payload));
        resume_unwind(payload)
    }

    fn command(&self) -> String {
        self.command.clone().unwrap_or_else(|| format!("cargo test {}", self.test))
    }

    fn tell(&self, lab: &LabRuntime, seed: u64, decisions: Decisions, what: &str) {
        let replay = Replay::new(self.test, decisions);
        let rerun = Rerun { settings: format!("LAB_SEED={seed} "), command: self.command.clone() };
        let repeat = rerun.command(self.test, &replay.line());
        let faults = lab.faults();
        if faults.fired() > 0 {
            eprintln!("lab: {faults}")
        }
        eprintln!("lab: to run exactly this again: {repeat}");
        if let Some(artefact) = &self.artefact {
            let events = lab.events();
            let run = telling::of_events(&events, what).title(self.test).repeat(&repeat);
            eprintln!("lab: {}", artefact.written(self.test, &run, &replay.file(what)))
        }
    }
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
        assert_eq!(text, "the test failed: wrong sum");
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
