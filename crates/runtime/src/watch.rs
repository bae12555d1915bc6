//! [`Watch`]: monitors on the events of a running program, for as long as it runs.
//!
//! The kernel's events are read as they happen, timed by the runtime's own clock, as deadlines are; each is an observation
//! for those questions that it answers (how many drains overrun their budget, how many obligations leak, how many tasks
//! panic). A server has no end, so what watches for a change is an e-detector, and its promise is a mean: as long as all
//! claims are true, at least 1/level observations pass before the first false alarm ([`Panel::alarms`]).
//!
//! Events are taken where they happen, within the kernel, so nobody is called from there: alarms are kept until
//! somebody takes them, and [`Watch::keep`] is a task that does. That task is itself an instrument: it asks for nothing but to
//! go on at every tick, and when it goes on late, tasks are starving.
//!
//! Invariants: `watch.order` (the monitors see the events in the order of the kernel's steps, as any sink does),
//! `watch.bounded` (what is kept does not grow with the length of the run).
//!
//! Not here: the statistics (`monitor`), where else events go ([`Builder::sink`](crate::Builder::sink)).
use cx::port::Clock;
use cx::{Cx, MayTime};
use monitor::{Level, Panel, Question};
use region::Sink;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::TimeExt;
use trace::{Event, Label};
use types::{Never, Res, TaskId, Time};

/// How many alarms are kept that nobody has taken.
const KEPT: usize = 64;

/// A claim that has become false, by what was observed since the last alarm about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Alarm {
    /// Which.
    pub question: Question,
    /// When, on the runtime's clock.
    pub at: Time,
    /// How many observations there were since the watch began, or since the last alarm about it.
    pub seen: u64,
    /// The detector's value: at least one over the level.
    pub value: f64,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Alarm { question, at, seen, value } = self;
        let (name, units) = (question.name(), question.units());
        write!(f, "{name}: no longer '{question}' (detector at {value:.0} after {seen} {units}, at {at})")
    }
}

/// Monitors that a runtime feeds ([`Builder::watch`](crate::Builder::watch)). Clones are the same one. One runtime at a time:
/// another one begins a new run, with the same evidence.
///
/// ```
/// use asupersync_runtime::{Builder, Watch};
/// use monitor::{Level, Limits, Panel};
/// let watch = Watch::new(Panel::kernel(Limits::default()), Level::new(1e-6)?);
/// let runtime = Builder::new().workers(1).watch(&watch).build()?;
/// runtime.run(async |cx| {
///     for _ in 0..3 {
///         cx.spawn(async |_| {});
///     }
/// });
/// assert!(watch.report().contains("panics: no evidence against 'at most 0.1 % of tasks panic'"));
/// assert!(watch.take_alarms().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Watch {
    level: Level,
    state: Arc<Mutex<State>>,
}

struct State {
    panel: Panel,
    events: u64,
    alarms: VecDeque<Alarm>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("level", &self.level).finish_non_exhaustive()
    }
}

impl State {
    fn event(&mut self, level: Level, task: Option<TaskId>, label: &Label, now: Time) {
        let event = Event { seq: self.events, time: now, task, label: label.clone() };
        self.events += 1;
        if self.panel.observe(&event) {
            self.raise(level, now)
        }
    }

    /// Evidence has grown: is it enough? A detector that has raised its alarm begins anew.
    fn raise(&mut self, level: Level, at: Time) {
        for monitor in self.panel.monitors_mut().filter(|monitor| monitor.detector().alarm(level)) {
            let (seen, value) = (monitor.detector().seen(), monitor.detector().value());
            let question = monitor.question().clone();
            monitor.acknowledge();
            if self.alarms.len() == KEPT {
                self.alarms.pop_front();
            }
            self.alarms.push_back(Alarm { question, at, seen, value })
        }
    }
}

impl Watch {
    /// A watch with these monitors. `level` is one over the mean number of observations between false alarms: with a
    /// million observations an hour, 1e-9 is a false alarm in 1000 hours or more.
    #[must_use]
    pub fn new(panel: Panel, level: Level) -> Watch {
        let state = State { panel, events: 0, alarms: VecDeque::new() };
        Watch { level, state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an observation from outside the events, for the questions of this name; `now` is for the alarm. Returns whether
    /// there is such a question.
    pub fn tell(&self, name: &str, violated: bool, now: Time) -> bool {
        let mut state = self.lock();
        let known = state.panel.tell(name, violated);
        if violated {
            state.raise(self.level, now)
        }
        known
    }

    /// The alarms since they were last taken, the oldest first; the last 64 of them if they were more.
    pub fn take_alarms(&self) -> Vec<Alarm> {
        self.lock().alarms.drain(..).collect()
    }

    /// What all monitors have seen since the watch began, a line for each: whether the claims were ever false, which
    /// is another question than whether something has changed. Takes the watch's lock for as long as it takes to write it.
    #[must_use]
    pub fn report(&self) -> String {
        self.lock().panel.report(self.level).to_string()
    }

    /// Hands alarms to `alarmed` as they come, with a look every `every`, until it is cancelled. Spawn it as a daemon.
    ///
    /// Each tick is an observation for [`Question::STARVATION`], if the panel has it: whether this task went on more
    /// than `slack` late. Ticks that were slept through are not made up for.
    ///
    /// # Errors
    /// Never ends but with the request to.
    ///
    /// # Panics
    /// If `every` is zero: it would never let go of its worker.
    pub async fn keep<C: MayTime>(
        &self,
        cx: &mut Cx<C>,
        every: Duration,
        slack: Duration,
        mut alarmed: impl FnMut(Alarm),
    ) -> Res<Never> {
        assert!(every > Duration::ZERO, "a watch cannot be kept without a pause");
        loop {
            let due = cx.now().saturating_add(every);
            cx.sleep_until(due).await?;
            let now = cx.now();
            self.tell(Question::STARVATION.name(), now > due.saturating_add(slack), now);
            self.take_alarms().into_iter().for_each(&mut alarmed)
        }
    }

    /// The sink of a runtime that begins now.
    pub(crate) fn sink(&self, clock: Arc<dyn Clock>, then: Option<Arc<dyn Sink>>) -> Watching {
        self.lock().panel.begin();
        Watching { watch: self.clone(), clock, then }
    }
}

/// Feeds a watch, and whoever else wants the events.
pub(crate) struct Watching {
    watch: Watch,
    clock: Arc<dyn Clock>,
    then: Option<Arc<dyn Sink>>,
}

impl Watching {
    fn saw(&self, state: &mut State, by: Option<TaskId>, label: &Label) {
        state.event(self.watch.level, by, label, self.clock.now())
    }
}

impl Sink for Watching {
    fn emit(&self, by: Option<TaskId>, label: Label) {
        self.step(by, &mut || Some(label.clone()))
    }

    fn step(&self, by: Option<TaskId>, step: &mut dyn FnMut() -> Option<Label>) {
        // The watch's lock before the other sink's, here and below: so both see the same order.
        let mut state = self.watch.lock();
        let mut seen = None;
        match &self.then {
            Some(then) => then.step(by, &mut || {
                seen = step();
                seen.clone()
            }),
            None => seen = step(),
        }
        if let Some(label) = seen {
            self.saw(&mut state, by, &label)
        }
    }

    fn count(&self) -> u64 {
        match &self.then {
            Some(then) => then.count(),
            None => self.watch.lock().events,
        }
    }

    fn emit_since(&self, since: u64, by: Option<TaskId>, label: Label) -> bool {
        let mut state = self.watch.lock();
        let taken = match &self.then {
            Some(then) => then.emit_since(since, by, label.clone()),
            None => state.events == since,
        };
        if taken {
            self.saw(&mut state, by, &label)
        }
        taken
    }
}
