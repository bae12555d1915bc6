//! [`run_twice`]: whether a program does the same when it is run again with the same decisions, and if not, where the runs
//! part: which task, what it did, at which line.
//!
//! What a lab cannot control it cannot see either: a clock of the machine, an address, the order of a `HashMap`, a static
//! that the first run has changed. All of these show as a difference between two runs, at the first step, note or event
//! that depends on them, and not before. A program that reads a clock and does nothing with it is not found.
//!
//! A thread that calls into the lab is seen at once, whether or not the runs differ.
//!
//! Not here: repeating one run (`Schedule::Replay`), judging it.
use crate::config::LabConfig;
use crate::executor::Executor;
use crate::failure::message;
use crate::names::Names;
use crate::runtime::LabRuntime;
use crate::sweep::judged;
use crate::watch::{self, Grain};
use crate::world::locked;
use cx::{All, Cx};
use explore::{Crowd, Ended, Point, Scheduler, Step, Touch};
use std::fmt;
use std::sync::{Arc, Mutex};
use trace::{Choice, Event, Label, Site};
use types::{TaskId, TaskOutput};

/// Where two runs with the same decisions part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// In which step, from 0; `None` if the runs are the same but for how they ended, or don't differ at all.
    pub step: Option<u64>,
    /// The task that took it, with the line that spawned it.
    pub task: String,
    /// What the first run did there, with its line if it is known.
    pub first: String,
    /// What the second run did.
    pub second: String,
    /// What may be the reason, the likeliest first.
    pub causes: Vec<&'static str>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { step, task, first, second, causes } = self;
        match step {
            Some(step) => {
                writeln!(f, "two runs with the same decisions part in step {step}, which {task} takes")?
            }
            None => writeln!(f, "two runs with the same decisions: {task}")?,
        }
        write!(f, "  the first: {first}\n  the second: {second}\nlikely causes: {}", causes.join("; "))
    }
}

impl std::error::Error for Difference {}

const THREAD: &str = "a thread that the program started: when it calls in is nobody's decision";
const STATIC: &str = "a static that the first run has changed (a third run was like the second)";
const COUNTER: &str = "a counter in a static, which goes on from run to run";
const CLOCK: &str = "a clock of the machine (`Instant::now`, `SystemTime::now`)";
const ORDER: &str =
    "the order of a `HashMap` or `HashSet` with random keys, or random numbers that are not `cx.random()`";
const ADDRESS: &str = "the address of something";

/// One run, step by step.
struct Run {
    steps: Vec<Taken>,
    events: Vec<Event>,
    names: Names,
    failure: Option<String>,
}

/// What one step did.
#[derive(Clone, Debug)]
struct Taken {
    task: Option<TaskId>,
    touches: Vec<Touch>,
    /// How many events there were when it was over.
    said: usize,
}

/// Writes down what another scheduler's steps do.
struct Log {
    inner: Box<dyn Scheduler + Send>,
    steps: Vec<Taken>,
}

impl Scheduler for Log {
    fn begin(&mut self) {
        self.inner.begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner.pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        self.inner.pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.inner.ran(step);
        let said = watch::emitted() as usize;
        self.steps.push(Taken { task: step.task, touches: step.touches.to_vec(), said })
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.inner.ended(how)
    }
}

/// Runs `body` twice in labs made like `config`, as production would run it but for what the schedule decides, and compares
/// every step: whose it was, what it did to shared objects, what the kernel and the program said; and how the runs ended.
/// Runs a third time if they differ, to tell the reasons apart.
///
/// ```
/// use asupersync_lab::{LabConfig, run_twice};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// static RUNS: AtomicU64 = AtomicU64::new(0);
/// let body = async |cx: &mut cx::Cx| cx.trace(format!("run {}", RUNS.fetch_add(1, Relaxed)));
/// let difference = run_twice(LabConfig::default(), body).unwrap_err();
/// assert!(difference.first.contains("run 0"), "{difference}");
/// assert!(difference.causes[0].contains("a counter in a static"), "{difference}");
/// ```
///
/// # Errors
/// The first difference; or a thread that called in.
#[track_caller]
pub fn run_twice<T: TaskOutput>(
    config: LabConfig,
    body: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone,
) -> Result<(), Difference> {
    let executor = Executor::new(config.clone(), Grain::Poll).keeps_events(true);
    let scheduler = || config.schedule.scheduler(config.seed);
    match twice(&executor, scheduler, |lab| judged(lab, body.clone())).difference {
        None => Ok(()),
        Some(difference) => Err(difference),
    }
}

/// What came of two runs with the same decisions.
pub(crate) struct Twice {
    pub(crate) difference: Option<Difference>,
    /// What each failed with, if it did.
    pub(crate) failures: [Option<String>; 2],
}

/// Two runs as `executor` makes them, which MUST keep events; a third one if they differ. `scheduler` makes what decides them:
/// each time the same.
pub(crate) fn twice(
    executor: &Executor,
    scheduler: impl Fn() -> Box<dyn Scheduler + Send>,
    program: impl Fn(&LabRuntime),
) -> Twice {
    let run = || {
        let log = Arc::new(Mutex::new(Log { inner: scheduler(), steps: Vec::new() }));
        let execution = executor.execute(&log, &program);
        let failure = execution.failure.map(|payload| message(&*payload));
        let steps = std::mem::take(&mut locked(&log).steps);
        Run { steps, events: execution.events, names: execution.names, failure }
    };
    let (first, second) = (run(), run());
    let difference = differs(&first, &second, run);
    Twice { difference, failures: [first.failure, second.failure] }
}

/// The first difference with its likely causes, or the thread that called in; `third` is run if it helps.
fn differs(first: &Run, second: &Run, third: impl FnOnce() -> Run) -> Option<Difference> {
    let foreign =
        |run: &Run| run.events.iter().find(|e| matches!(e.label, Label::ForeignCall { .. })).cloned();
    let Some(mut difference) = parts(first, second) else {
        return foreign(first).map(|event| Difference {
            step: None,
            task: "they are the same, but by luck".into(),
            first: event.label.to_string(),
            second: event.label.to_string(),
            causes: vec![THREAD],
        });
    };
    for (text, run) in [(&mut difference.first, first), (&mut difference.second, second)] {
        if let Some(failure) =
            run.failure.as_ref().filter(|_| first.failure != second.failure && difference.step.is_some())
        {
            text.push_str(&format!(" (and this run fails: {failure})"))
        }
    }
    difference.causes = if foreign(first).or(foreign(second)).is_some() {
        vec![THREAD]
    } else {
        match parts(second, &third()) {
            None => vec![STATIC],
            Some(next) => causes(&difference, &next),
        }
    };
    Some(difference)
}

/// Where the runs part, without causes.
fn parts(first: &Run, second: &Run) -> Option<Difference> {
    let mut said = 0;
    for step in 0..first.steps.len().max(second.steps.len()) {
        let (a, b) = (first.steps.get(step), second.steps.get(step));
        let at = |a: String, b: String| {
            let task = a_task(first, second, step);
            Some(Difference { step: Some(step as u64), task, first: a, second: b, causes: Vec::new() })
        };
        let (Some(one), Some(other)) = (a, b) else {
            let tell = |taken: Option<&Taken>, run: &Run| match taken {
                Some(taken) => format!("{} goes on", who(run, taken.task)),
                None => "is over".into(),
            };
            return at(tell(a, first), tell(b, second));
        };
        if one.task != other.task {
            let tell = |taken: &Taken, run| format!("{} is next", who(run, taken.task));
            return at(tell(one, first), tell(other, second));
        }
        for n in 0..one.touches.len().max(other.touches.len()) {
            let (a, b) = (one.touches.get(n), other.touches.get(n));
            if a != b {
                return at(touch(first, a), touch(second, b));
            }
        }
        for n in said..one.said.max(other.said) {
            let a = first.events.get(n).filter(|_| n < one.said);
            let b = second.events.get(n).filter(|_| n < other.said);
            if a.map(|e| &e.label) != b.map(|e| &e.label) {
                return at(says(a), says(b));
            }
        }
        said = one.said;
    }
    (first.failure != second.failure).then(|| {
        let how = |run: &Run| run.failure.clone().unwrap_or_else(|| "it passed".into());
        Difference {
            step: None,
            task: "their steps are the same, their ends are not".into(),
            first: how(first),
            second: how(second),
            causes: Vec::new(),
        }
    })
}

fn a_task(first: &Run, second: &Run, step: usize) -> String {
    match (first.steps.get(step), second.steps.get(step)) {
        (Some(taken), _) => who(first, taken.task),
        (None, Some(taken)) => who(second, taken.task),
        (None, None) => "nobody".into(),
    }
}

fn who(run: &Run, task: Option<TaskId>) -> String {
    task.map_or_else(|| "the world".into(), |task| run.names.of_task(task))
}

fn touch(run: &Run, touch: Option<&Touch>) -> String {
    let Some(touch) = touch else { return "does nothing there".into() };
    let at = touch.at.map(|at| format!(", at {}:{}", at.file(), at.line())).unwrap_or_default();
    format!("{} {}{at}", touch.access, run.names.of_object(touch.object))
}

fn says(event: Option<&Event>) -> String {
    let Some(event) = event else { return "nothing there".into() };
    let at = site(&event.label).map(|site| format!(", at {site}")).unwrap_or_default();
    match &event.label {
        Label::User { text } => format!("notes `{text}`"),
        label => format!("{label}{at}"),
    }
}

fn site(label: &Label) -> Option<&Site> {
    match label {
        Label::RegionOpen { site, .. }
        | Label::BodyDropped { site, .. }
        | Label::TaskSpawn { site, .. }
        | Label::FinalizerRegister { site, .. }
        | Label::ReleaseSkipped { site, .. }
        | Label::ObligationReserve { site, .. } => Some(site),
        _ => None,
    }
}

/// All runs differ: by how much, if it is numbers that do.
fn causes(one: &Difference, next: &Difference) -> Vec<&'static str> {
    let same_place = one.step == next.step && bare(&one.first) == bare(&next.second);
    if !same_place || bare(&one.first) != bare(&one.second) {
        return vec![ORDER, CLOCK, ADDRESS, COUNTER];
    }
    let by = |a: &str, b: &str| {
        let differ = numbers(a).into_iter().zip(numbers(b)).find(|(a, b)| a != b);
        differ.map_or(0, |(a, b)| b.wrapping_sub(a))
    };
    let (once, again) = (by(&one.first, &one.second), by(&next.first, &next.second));
    if once == again && once < 1 << 20 {
        vec![COUNTER, ADDRESS, CLOCK]
    } else if once < u64::MAX / 2 && again < u64::MAX / 2 {
        vec![CLOCK, ADDRESS, ORDER]
    } else {
        vec![ADDRESS, ORDER, CLOCK]
    }
}

/// The text without its numbers.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}
