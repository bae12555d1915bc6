//! [`CancelSweep`]: a program once for each of its checkpoints, with a cancellation that arrives exactly there; on request
//! once for each pair of them.
//!
//! In a lab every poll does one operation, and a request arrives between two polls: so a task's polls are the points at
//! which it can find out, and a sweep that asks it to end before each of them in turn leaves none out. (Two polls with no
//! look between them are one class; both are run.) A run is the same up to the request whatever is requested then, as its
//! decisions are.
//!
//! Not here: searching schedules (`search`); orders of a request and of other tasks' steps are its matter.
use crate::artefact::Artefact;
use crate::config::LabConfig;
use crate::failure::{Rerun, count, message};
use crate::runtime::LabRuntime;
use crate::sweep::judged;
use crate::telling;
use crate::world::locked;
use cx::{All, Cx};
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex};
use task::{Header, control};
use trace::{Event, Label};
use types::{CancelKind, Res, TaskId, TaskOutput};

/// Asks tasks to end at each of their checkpoints in turn.
///
/// ```
/// use asupersync_lab::{CancelSweep, LabConfig};
/// let swept = CancelSweep::new(LabConfig::default()).run("sums", None, async |cx| {
///     let mut task = cx.spawn(async |cx| {
///         cx.yield_now().await;
///         cx.checkpoint()?;
///         Ok::<_, types::Stop<std::fmt::Error>>(1)
///     });
///     task.join(cx).await;
/// });
/// assert!(swept.checkpoints > 2 && swept.acknowledged > 0);
/// ```
#[derive(Clone, Debug)]
pub struct CancelSweep {
    pub(crate) config: LabConfig,
    kind: CancelKind,
    pairs: bool,
    limit: u64,
    /// Whether so many runs are enough, though there are more.
    enough: bool,
    spawned_at: Option<(String, u32)>,
    /// What else a line that repeats a run has to say, and its command; without them only the steps are told.
    pub(crate) rerun: Option<Rerun>,
    /// Where a failing run is written.
    pub(crate) artefact: Option<Artefact>,
}

/// What a sweep that found no failure has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Swept {
    /// Points at which a task was asked to end, one run for each.
    pub checkpoints: u64,
    /// Pairs of them, one run for each.
    pub pairs: u64,
    /// Runs in which a task that was asked saw it at a checkpoint; in the others it ended, or hid from it, before.
    pub acknowledged: u64,
    /// Whether none was left out for the budget.
    pub complete: bool,
    /// Runs in which a frame was left before its end ([`Left`](crate::Left)).
    pub left: u64,
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Swept { checkpoints, pairs, acknowledged, complete, left } = self;
        write!(f, "{checkpoints} checkpoints and {pairs} pairs, {acknowledged} of them acknowledged")?;
        if *left > 0 {
            write!(f, "; in {} a frame was left before its end", count(*left, "run"))?
        }
        if !complete { f.write_str("; then the limit was reached") } else { Ok(()) }
    }
}

/// A poll of a run, before which a task can be asked to end.
#[derive(Clone, Debug)]
struct Point {
    /// Which step of the run, from 0.
    step: u64,
    task: TaskId,
    root: bool,
    spawned_at: &'static Location<'static>,
    /// Which poll of the task, from 1.
    nth: u64,
    /// What its last poll waited for.
    waits_for: Option<&'static str>,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.root {
            f.write_str("everything")?
        } else {
            write!(f, "{} (spawned at {}:{})", self.task, self.spawned_at.file(), self.spawned_at.line())?
        }
        write!(f, " before {} step {}", if self.root { "the root body's" } else { "its" }, self.nth)?;
        match self.waits_for {
            Some(what) => write!(f, ", in `{what}`"),
            None if self.nth == 1 => f.write_str(", before it began"),
            None => Ok(()),
        }
    }
}

/// One run: what could have been asked, what was, how it ended.
struct Run {
    points: Vec<Point>,
    asked: Vec<Point>,
    acknowledged: bool,
    left: bool,
    failure: Option<String>,
    events: Vec<Event>,
}

impl CancelSweep {
    /// Labs are made like `config`. Every task is asked, the root body (which means everything) too; only single
    /// cancellations; fails if that is more than 100,000 runs.
    pub fn new(config: LabConfig) -> CancelSweep {
        CancelSweep {
            config,
            kind: CancelKind::Explicit,
            pairs: false,
            limit: 100_000,
            enough: false,
            spawned_at: None,
            rerun: None,
            artefact: None,
        }
    }

    /// The seed of the labs. Default: that of the configuration.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> CancelSweep {
        self.config = self.config.seed(seed);
        self
    }

    /// Of which kind the requests are. Default: explicit ones.
    #[must_use]
    pub fn kind(mut self, kind: CancelKind) -> CancelSweep {
        self.kind = kind;
        self
    }

    /// Whether every pair of checkpoints is tried too: the second one is a later one of another task, in the run that the
    /// first cancellation leads to. Default: no.
    #[must_use]
    pub fn pairs(mut self, on: bool) -> CancelSweep {
        self.pairs = on;
        self
    }

    /// How many runs there may be at most: a sweep that has more of them fails. Default: 100,000.
    #[must_use]
    pub fn limit(mut self, runs: u64) -> CancelSweep {
        self.limit = runs;
        self.enough = false;
        self
    }

    /// So many runs, though there may be more: a sweep without a failure passes, and says that it left some out
    /// ([`Swept::complete`]). Instead of [`CancelSweep::limit`].
    #[must_use]
    pub fn budget(mut self, runs: u64) -> CancelSweep {
        self.limit = runs;
        self.enough = true;
        self
    }

    /// Only tasks that were spawned at this line of a file whose path ends like this.
    #[must_use]
    pub fn only_spawned_at(mut self, file: &str, line: u32) -> CancelSweep {
        self.spawned_at = Some((file.into(), line));
        self
    }

    /// Sweeps; or, if `only` is what a failure printed (the steps: `12`, or `12,30`), runs that alone. `test` is the
    /// program's name, for that line.
    ///
    /// The program has to bear that its tasks are cancelled: what it returns does not matter then, but it must not panic,
    /// leak, leave somebody behind or wait for ever.
    ///
    /// # Panics
    /// If the program fails without a cancellation; then with the first failure: the program's panic, a deadlock, a limit, a
    /// broken rule, or what an oracle found, and at which checkpoint of which task. Also if `only` is no list of steps, if nobody would be cancelled (no task is spawned
    /// [where it was said](CancelSweep::only_spawned_at), or there may be no run), and if
    /// there is more to sweep than the [limit](CancelSweep::limit) allows.
    #[track_caller]
    pub fn run<T: TaskOutput>(
        &self,
        test: &str,
        only: Option<&str>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
    ) -> Swept {
        if let Some(steps) = only {
            let parse = |step: &str| step.trim().parse::<u64>();
            let Ok(steps) = steps.split(',').map(parse).collect::<Result<Vec<u64>, _>>() else {
                panic!("the steps to cancel before are `{steps}`, but must be numbers")
            };
            let run = self.once(&steps, body);
            self.check(test, &run);
            let acknowledged = u64::from(run.acknowledged);
            let (checkpoints, left) = (run.asked.len() as u64, u64::from(run.left));
            return Swept { checkpoints, acknowledged, complete: true, pairs: 0, left };
        }
        let plain = self.once(&[], body.clone());
        if let Some(failure) = plain.failure {
            panic!("`{test}` fails without any cancellation: {failure}")
        }
        self.check_some(test, &plain.points);
        let mut swept = Swept { complete: true, ..Swept::default() };
        for first in plain.points.iter().filter(|point| self.concerns(point)) {
            if swept.checkpoints + swept.pairs == self.limit {
                return self.cut_short(test, swept);
            }
            let run = self.once(&[first.step], body.clone());
            self.check(test, &run);
            swept.checkpoints += 1;
            swept.acknowledged += u64::from(run.acknowledged);
            swept.left += u64::from(run.left);
            let later = |point: &&Point| point.step > first.step && point.task != first.task;
            for second in run.points.iter().filter(later).filter(|point| self.pairs && self.concerns(point)) {
                if swept.checkpoints + swept.pairs == self.limit {
                    return self.cut_short(test, swept);
                }
                let run = self.once(&[first.step, second.step], body.clone());
                self.check(test, &run);
                swept.pairs += 1;
                swept.acknowledged += u64::from(run.acknowledged);
                swept.left += u64::from(run.left);
            }
        }
        swept
    }

    /// A sweep that cancels nobody has not passed.
    #[track_caller]
    fn check_some(&self, test: &str, points: &[Point]) {
        let nothing = "nobody would be cancelled, and that would pass";
        assert!(self.limit > 0, "lab: `{test}`: a sweep of 0 runs: {nothing}");
        if points.iter().any(|point| self.concerns(point)) {
            return;
        }
        if let Some((file, line)) = &self.spawned_at {
            let spawned = points.iter().filter(|point| !point.root).map(|point| point.spawned_at);
            let lines: BTreeSet<String> = spawned.map(|at| format!("{}:{}", at.file(), at.line())).collect();
            let lines = lines.into_iter().collect::<Vec<_>>().join(", ");
            let others =
                if lines.is_empty() { "there is none".into() } else { format!("they are at {lines}") };
            panic!("lab: `{test}`: no task is spawned at {file}:{line}: {nothing}; {others}")
        }
    }

    /// Whoever asked for everything and was given a part has not passed.
    #[track_caller]
    fn cut_short(&self, test: &str, swept: Swept) -> Swept {
        let swept = Swept { complete: false, ..swept };
        let limit = self.limit;
        assert!(
            self.enough,
            "`{test}` has more moments to be cancelled in than its limit of {}: {swept}\nnone of those fails, and nothing is \
             known of the others: raise `limit`, make the test smaller, or say `budget = {limit}` instead of `limit` if so \
             many are enough",
            count(limit, "run")
        );
        swept
    }

    fn concerns(&self, point: &Point) -> bool {
        self.spawned_at.as_ref().is_none_or(|(file, line)| {
            !point.root
                && point.spawned_at.line() == *line
                && point.spawned_at.file().ends_with(file.as_str())
        })
    }

    #[track_caller]
    fn check(&self, test: &str, run: &Run) {
        let Some(failure) = &run.failure else { return };
        let asked: Vec<String> = run.asked.iter().map(ToString::to_string).collect();
        let steps: Vec<String> = run.asked.iter().map(|point| point.step.to_string()).collect();
        let (asked, steps) = (asked.join("; then "), steps.join(","));
        let again = match &self.rerun {
            Some(rerun) => format!("to run exactly this again: {}", rerun.cancelling(test, &steps)),
            None => format!("the steps to cancel before, to run exactly this again: {steps}"),
        };
        let what = format!("fails when this is cancelled: {asked}\n{failure}");
        let written = self.artefact.as_ref().map(|artefact| {
            let picture = telling::of_events(&run.events, &what).title(test).repeat(&again);
            format!(
                "{}\n",
                artefact.written(test, &picture, "a sweep of cancellations has no schedule to replay\n")
            )
        });
        panic!("`{test}` {what}\n{}{again}", written.unwrap_or_default())
    }

    /// One run with cancellations before these steps.
    #[track_caller]
    fn once<T: TaskOutput>(&self, steps: &[u64], body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> Run {
        let lab = LabRuntime::new(self.config.clone());
        let seen = Arc::new(Mutex::new((Vec::<Point>::new(), Vec::<Point>::new())));
        let (log, plan, kind, at) = (seen.clone(), steps.to_vec(), self.kind, Location::caller());
        let ask = lab.asker();
        lab.before_each_step(Box::new(move |step, header| {
            let (points, asked) = &mut *locked(&log);
            let point = point(step, header, points);
            if plan.contains(&step) {
                ask.ask(header, kind, at, point.to_string());
                asked.push(point.clone());
            }
            points.push(point)
        }));
        let (ended, panicked_at) = crate::quiet::quietly(|| {
            catch_unwind(AssertUnwindSafe(|| {
                if steps.is_empty() { judged(&lab, body) } else { survived(&lab, body) }
            }))
        });
        let failure = ended.err().map(|payload| match panicked_at {
            Some(at) => format!("{} (panicked at {at})", message(&*payload)),
            None => message(&*payload),
        });
        let (points, asked) = std::mem::take(&mut *locked(&seen));
        let tasks: Vec<TaskId> = asked.iter().map(|point| point.task).collect();
        let root = asked.iter().any(|point| point.root);
        let events = lab.events();
        let acknowledged = events.iter().any(|event| match event.label {
            Label::TaskAck { task, .. } => root || tasks.contains(&task),
            _ => false,
        });
        Run { points, asked, acknowledged, left: lab.left().is_some(), failure, events }
    }
}

fn point(step: u64, header: &Header, before: &[Point]) -> Point {
    let task = cx::task_id(header);
    Point {
        step,
        task,
        root: header.control() & control::ROOT != 0,
        spawned_at: header.spawned_at,
        nth: 1 + before.iter().filter(|point| point.task == task).count() as u64,
        waits_for: header.waits_for().map(|kind| kind.what),
    }
}

/// As [`judged`], where it does not matter what the body returns.
fn survived<T: TaskOutput>(lab: &LabRuntime, body: impl AsyncFnOnce(&mut Cx<All>) -> T) {
    let _: Res<T::Ok, T::Err> = lab.run(|cx| async move {
        cx.try_region(|scope| async move { body(scope).await.into_outcome().ok() }).await
    });
    if let Err(found) = lab.oracles() {
        panic!("{found}")
    }
}

/// [`CancelSweep`] with single cancellations of every task.
///
/// # Panics
/// As there.
#[track_caller]
pub fn cancel_sweep<T: TaskOutput>(
    test: &str,
    config: LabConfig,
    body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
) -> Swept {
    CancelSweep::new(config).run(test, None, body)
}
