//! `LabRuntime`: a run from its root body to its verdict.
mod judges;
mod liveness;

use crate::asker::Asker;
use crate::config::{LabConfig, Schedule};
use crate::deadlock::Circle;
use crate::decisions::Asked;
use crate::engine::{Engine, Interference};
use crate::faults::Faults;
use crate::lasso::WINDOW;
use crate::net::{NetStats, SimNet};
use crate::numbers::SplitStreams;
use crate::plans::Plans;
use crate::premises::{Premises, Spared};
use crate::raw;
use crate::raw::home::{HomeCell, Lent};
use crate::signals::LabSignals;
use crate::spins;
use crate::verdict::{LabFailure, waits};
use crate::wall::LabWall;
use crate::watch;
use crate::world::{Kept, locked};
use cx::port::Signal;
use cx::{All, Cx, Root, RootTask};
use region::RegionView;
use std::future::Future;
use std::ops::Range;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex, OnceLock};
use task::engine::EngineSlot;
use trace::{Event, Label, RegionPhase};
use types::{Outcome, TaskId, Time};

/// The lab's own scheduler, its decisions written down.
type Recording = explore::Recording<Box<dyn explore::Scheduler + Send>>;

/// A world in which one program runs once, deterministically.
pub struct LabRuntime {
    config: Arc<LabConfig>,
    /// What the lab's own scheduler decides; not there if somebody else's is used.
    recording: Option<Arc<Mutex<Recording>>>,
    /// What it replays, if it does.
    replayed: Option<Arc<Mutex<explore::Recorded>>>,
    // Dropped in this order: the root task, the slot, the engine.
    /// Its home is the thread on which a program has begun.
    task: HomeCell<Option<RootTask>>,
    root: Root,
    slot: EngineSlot,
    engine: Arc<Engine>,
    kept: Arc<Kept>,
    net: Arc<SimNet>,
    signals: LabSignals,
    numbers: Arc<SplitStreams>,
    planned: Plans,
    failure: OnceLock<LabFailure>,
    /// Which oracles found something when all were asked last, by name.
    findings: Mutex<Vec<String>>,
    /// Whom the lab itself asked to end, in words.
    asked: OnceLock<Arc<Mutex<Vec<String>>>>,
    /// How much of what was planned was done.
    acted: AtomicU64,
    /// How many polls were spent on looking for lost wakes.
    nudges: AtomicU64,
    /// How many tasks there were when that was done last.
    waiting: AtomicU64,
}

impl std::fmt::Debug for LabRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabRuntime").field("config", &self.config).finish_non_exhaustive()
    }
}

impl LabRuntime {
    /// A fresh world.
    ///
    /// # Panics
    /// If there are more engines in this process than its table has places.
    #[track_caller]
    pub fn new(config: LabConfig) -> LabRuntime {
        let mut replayed = None;
        let scheduler: Box<dyn explore::Scheduler + Send> = match &config.schedule {
            Schedule::Replay(decisions) => {
                let recorded = Arc::new(Mutex::new(explore::Recorded::new(decisions.clone())));
                replayed = Some(recorded.clone());
                Box::new(recorded)
            }
            schedule => schedule.scheduler(config.seed),
        };
        let recording = Arc::new(Mutex::new(Recording::decisions_only(scheduler)));
        let premises = Premises::new(&config, Asked::Own(recording.clone()), false);
        let mut lab = LabRuntime::build(Arc::new(config), premises, Location::caller());
        (lab.recording, lab.replayed) = (Some(recording), replayed);
        lab
    }

    /// A fresh world whose steps are picked by whoever is lent to it ([`LabRuntime::lend`]). The thread must be
    /// exploring ([`crate::watch::begin`]).
    /// What can be used again is taken from `spare`.
    pub(crate) fn explored(
        config: Arc<LabConfig>,
        spare: &mut Spared<'_>,
        at: &'static Location<'static>,
    ) -> LabRuntime {
        let premises = spare.take().unwrap_or_else(|| Premises::new(&config, Asked::Lent(Lent::new()), true));
        LabRuntime::build(config, premises, at)
    }

    /// The end of a lab. What can be used again goes to `spare`.
    pub(crate) fn close(self, spare: &mut Spared<'_>) {
        let closed = self.root.phase() == RegionPhase::Closed;
        let LabRuntime { task, root, slot, engine, kept, net, signals, numbers, failure, .. } = self;
        // Nobody else has it any more, so that there is nothing to lock.
        let ended = closed && failure.get().is_none();
        drop(task);
        drop(root);
        let premises = Premises { slot, engine, kept, net, signals, numbers };
        if ended {
            spare.put(premises)
        }
    }

    /// Runs `f` with `scheduler` picking the steps.
    pub(crate) fn lend<R>(
        &self,
        scheduler: &mut (dyn explore::Scheduler + Send + 'static),
        f: impl FnOnce() -> R,
    ) -> R {
        self.engine.decisions.lend(scheduler, f)
    }

    fn build(config: Arc<LabConfig>, premises: Premises, at: &'static Location<'static>) -> LabRuntime {
        let Premises { slot, engine, kept, net, signals, numbers } = premises;
        let root = Root::open(slot.tag(), &engine.world, config.after_grace, at);
        LabRuntime {
            config,
            recording: None,
            replayed: None,
            task: HomeCell::new(None),
            root,
            slot,
            engine,
            kept,
            net,
            signals,
            numbers,
            planned: Plans::default(),
            failure: OnceLock::new(),
            findings: Mutex::default(),
            asked: OnceLock::new(),
            acted: AtomicU64::new(0),
            nudges: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
        }
    }

    /// Runs `body` to its end, with everything it starts, and returns its value.
    ///
    /// # Panics
    /// With the body's panic, or a child's that nobody joined; with a report of who waits for what on a
    /// deadlock; when a limit is hit; when the trace breaks a rule of the model; and when called a second
    /// time.
    #[track_caller]
    pub fn run<'l, F, Fut>(&'l self, body: F) -> Fut::Output
    where
        F: FnOnce(&'l mut Cx<All>) -> Fut,
        Fut: Future,
    {
        match self.try_run(body) {
            Ok(value) => value,
            // Nobody's mistake: whoever picks knows what it means.
            Err(failure @ LabFailure::Redundant) => std::panic::resume_unwind(Box::new(failure)),
            Err(failure) => panic!("{failure}\n{}", self.replay_hint()),
        }
    }

    /// As [`LabRuntime::run`], with the lab's own findings as an error.
    ///
    /// # Errors
    /// A deadlock, a limit, or a broken rule.
    ///
    /// # Panics
    /// With the program's own panics, and when called a second time.
    #[track_caller]
    pub fn try_run<'l, F, Fut>(&'l self, body: F) -> Result<Fut::Output, LabFailure>
    where
        F: FnOnce(&'l mut Cx<All>) -> Fut,
        Fut: Future,
    {
        // Also while the first one runs: inside of it, or on another thread.
        assert!(self.task.claim(), "a lab runs one program; make another for the next");
        let at = Location::caller();
        // Only the lab's own scheduler goes without tasks that announce what they will do.
        self.engine.begin(self.recording.is_none());
        let mut value = None;
        // Who explores on this thread looks after them himself.
        let looked = self.recording.as_ref().and_then(|_| watch::look_after());
        let mut task = raw::with_root(&self.root, at, body, &mut value, |task| {
            self.drive(task);
            spins::limit_looks(None);
            self.engine.end(Vec::new);
        });
        let outcome = task.take();
        // Kept for as long as the lab: the body's context may have been kept as long.
        *self.task.get() = Some(task);
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let touched = match &looked {
            Some(looked) => looked.told(),
            None => watch::touched_from_outside(),
        };
        drop(looked);
        if let Some(what) = touched {
            self.engine.emit(Label::ForeignCall { what: what.clone().into() });
            return Err(self.fails(LabFailure::Outside { what }));
        }
        if let Some(Outcome::Panicked(p)) = outcome {
            std::panic::resume_unwind(p.into_payload())
        }
        if self.config.model && self.config.traced {
            self.model()?;
        }
        match value {
            Some(value) => Ok(value),
            None => panic!("the root body was dropped before it returned"),
        }
    }

    fn drive(&self, task: &RootTask) {
        let mut idle_since: Option<(Time, u64)> = None;
        let limit = self.config.step_limit();
        self.engine.keep_steps_from(limit.saturating_sub(WINDOW as u64));
        self.engine.limit_spins(self.config.max_spins);
        while !task.is_finished() {
            self.act(self.engine.steps.load(Relaxed));
            if self.engine.steps.load(Relaxed) >= limit {
                let told = self.told_loop();
                return self.give_up(task, |lab, waits| LabFailure::Stuck {
                    steps: lab.engine.steps.load(Relaxed),
                    why: format!("the limit on steps was reached; {told}still there:\n{waits}"),
                });
            }
            let before = self.engine.steps.load(Relaxed);
            if self.engine.step() {
                if self.engine.spins() {
                    let told = self.told_spin();
                    return self.give_up(task, |lab, waits| LabFailure::Stuck {
                        steps: lab.engine.steps.load(Relaxed),
                        why: format!("{told}; still there:\n{waits}"),
                    });
                }
                continue;
            }
            if self.engine.given_up.load(Relaxed) {
                return self.give_up(task, |_, _| LabFailure::Redundant);
            }
            let now = self.engine.clock.reading();
            let since = match idle_since {
                Some((t, steps)) if steps + 4 >= before => (t, before),
                _ => (now, before),
            };
            idle_since = Some(since);
            if let Some(circle) = self.circle() {
                circle.labels().into_iter().for_each(|label| self.engine.emit(label));
                let circle = Some(circle.to_string());
                return self.give_up(task, |_, waits| LabFailure::Deadlock { circle, waits });
            }
            if let Some(lost) = self.masked_by_timers(task) {
                return self.give_up(task, |_, _| lost.failure());
            }
            if self.engine.anybody_queued() {
                continue;
            }
            let limit = since.0.saturating_add(self.config.max_idle);
            if self.engine.advance(limit) {
                continue;
            }
            if self.act_next() {
                idle_since = None;
                continue;
            }
            let overdue = self.engine.timers.next().is_some();
            return self.give_up(task, |lab, waits| {
                if overdue {
                    LabFailure::Stuck {
                        steps: lab.engine.steps.load(Relaxed),
                        why: format!(
                            "nothing but timers for {:?} of virtual time; still there:\n{waits}",
                            lab.config.max_idle
                        ),
                    }
                } else {
                    LabFailure::Deadlock { circle: None, waits }
                }
            });
        }
    }

    /// A circle of tasks that wait for each other, now that nothing can run (`lab.deadlock`). What was planned for
    /// later may still break it.
    fn circle(&self) -> Option<Circle> {
        if !self.planned.is_empty() {
            return None;
        }
        self.engine.waits.as_ref()?.circle(&self.engine.timers.asleep(), || self.root.view())
    }

    /// Does what was planned for this step and those before. True if there was something.
    #[inline]
    fn act(&self, step: u64) -> bool {
        self.planned.is_due(step) && self.act_now(step)
    }

    #[cold]
    fn act_now(&self, step: u64) -> bool {
        let now = self.planned.take(step);
        let any = !now.is_empty();
        self.acted.fetch_add(now.len() as u64, Relaxed);
        now.into_iter().for_each(|act| act());
        if any {
            self.engine.moved()
        }
        any
    }

    /// Does what was planned for the nearest step to come: nothing else would happen any more.
    fn act_next(&self) -> bool {
        self.planned.next().is_some_and(|step| self.act(step))
    }

    /// Records the failure and takes everything down, so that the run can end.
    fn give_up(&self, task: &RootTask, failure: impl FnOnce(&LabRuntime, String) -> LabFailure) {
        let parked = self.engine.end(|| {
            let mut there = vec![];
            members(&self.root.view(), &mut there);
            there
        });
        let mut text = String::new();
        if let Some(kind) = task.task().waits_for() {
            text.push_str(&format!("the root body waits for {}\n", kind.what));
        }
        let announced = |task| {
            let (_, stuck) = parked.iter().find(|(_, s)| s.task == task)?;
            stuck.announced.map(|touch| watch::announced(&touch))
        };
        waits(&self.root.view(), &announced, 0, &mut text);
        let mut failure = failure(self, text);
        if let LabFailure::Deadlock { circle, waits } = &mut failure {
            let mut told = String::new();
            for lock in self.engine.waits.iter().flat_map(|waits| waits.futurelocks()) {
                // A circle of several tasks is told as such.
                if circle.is_some() && lock.waiter != lock.holder {
                    continue;
                }
                told.push_str(&lock.text);
                told.push('\n');
                let (task, holder, what) = (lock.waiter, lock.holder, lock.what.into());
                self.engine.emit(Label::Futurelock { task, holder, what });
            }
            waits.insert_str(0, &told);
            if circle.is_none()
                && let Some(lost) = self.lost_wakeup(task, |id| parked.iter().all(|(_, s)| s.task != id))
            {
                failure = lost.failure();
            }
        }
        watch::over();
        parked.into_iter().for_each(|(waiter, _)| waiter.wake());
        if let LabFailure::Stuck { steps, .. } = &failure {
            self.engine.emit(Label::Stuck { steps: *steps });
        }
        self.fails(failure);
        for _ in 0..64 {
            self.root.abandon();
            while !task.is_finished() && self.engine.step() {}
            if task.is_finished() {
                return;
            }
            self.engine.advance(Time::MAX);
        }
        let mut text = String::new();
        waits(&self.root.view(), &|_| None, 0, &mut text);
        let there = format!("still there after everything was given up:\n{text}{:?}", task.task());
        self.last_words(&there)
    }

    /// A run that failed can't be taken down, and its body may not outlive the call that runs it: the process will end,
    /// and no report will be made. Says what there is to say, so that the run can be repeated.
    #[cold]
    fn last_words(&self, there: &str) {
        let failure = self.failure().map_or("a failure".into(), |failure| failure.to_string());
        let decided = self.engine.decisions.ask(|scheduler| scheduler.decided()).flatten();
        let again = match (&self.config.runs, decided) {
            (Some(named), Some(decisions)) => {
                format!("to run exactly this again: {}\n", named.again(decisions))
            }
            _ => String::new(),
        };
        let hint = self.replay_hint();
        eprintln!(
            "asupersync lab: a run failed, and its tasks cannot be taken down, so that this process has to end. The run: \
             {failure}\n{hint}\n{again}{there}"
        )
    }

    fn model(&self) -> Result<(), LabFailure> {
        match model::replay(&self.events()) {
            Ok(_) => Ok(()),
            Err(d) => {
                let divergence = d.to_string();
                Err(self.fails(LabFailure::Model { divergence }))
            }
        }
    }

    /// Has `act` called between two polls, after `step` of them: to raise a signal or to cancel a region at every
    /// step of a run in turn. If the run would wait for ever before that many steps, it is called then.
    ///
    /// ```
    /// use asupersync_lab::{LabConfig, LabRuntime};
    /// use cx::port::Signal;
    /// for step in 0..10 {
    ///     let lab = LabRuntime::new(LabConfig::default().seed(step));
    ///     let signals = lab.signals();
    ///     lab.at_step(step, move || signals.raise(Signal::Terminate));
    ///     lab.run(|cx| async { cx.yield_now().await });
    /// }
    /// ```
    pub fn at_step(&self, step: u64, act: impl FnOnce() + Send + 'static) {
        self.planned.add(step, Box::new(act))
    }

    /// Raises a signal. In a spawned task, use a clone of [`LabRuntime::signals`].
    pub fn raise(&self, signal: Signal) {
        self.signals.raise(signal)
    }

    /// The switch for this lab's signals.
    pub fn signals(&self) -> LabSignals {
        self.signals.clone()
    }

    /// What the simulated network did so far, injected faults included.
    pub fn net_stats(&self) -> NetStats {
        self.net.stats()
    }

    /// What was done to the run so far: faults that were injected and fired, cancellations by a sweep, signals, planned
    /// acts. A failing run's report says it too.
    ///
    /// ```
    /// use asupersync_lab::{LabConfig, LabRuntime};
    /// let lab = LabRuntime::new(LabConfig::default());
    /// lab.at_step(0, || {});
    /// lab.run(async |_| ());
    /// assert_eq!(lab.faults().planned, 1);
    /// assert_eq!(lab.faults().to_string(), "faults that fired: 1 planned acts");
    /// ```
    pub fn faults(&self) -> Faults {
        let cancelled = self.asked.get().map(|asked| locked(asked).clone()).unwrap_or_default();
        let net = self.net.stats();
        Faults { net, cancelled, signals: self.signals.raised(), planned: self.acted.load(Relaxed) }
    }

    /// Has every step announced before it is taken, with its number and its task.
    pub(crate) fn before_each_step(&self, interference: Interference) {
        self.engine.interfere(interference)
    }

    /// Who asks tasks of this lab to end.
    pub(crate) fn asker(&self) -> Asker {
        Asker::new(&self.root, &self.engine, self.asked.get_or_init(Arc::default))
    }

    /// The trace so far.
    pub fn events(&self) -> Vec<Event> {
        self.engine.recorder.as_ref().map(|r| r.events()).unwrap_or_default()
    }

    /// The trace as text: the same for the same decisions, byte for byte.
    pub fn trace(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = trace::write_lines(&mut text, &self.events());
        text
    }

    /// The notes that the program wrote with `cx.trace`.
    pub fn notes(&self) -> Vec<String> {
        let note = |e: Event| match e.label {
            Label::User { text } => Some(text.into_owned()),
            _ => None,
        };
        self.events().into_iter().filter_map(note).collect()
    }

    /// What the kernel reported during the run: leaks, cleanup deadlines, failed finalizers.
    pub fn reports(&self) -> Vec<String> {
        self.kept.all()
    }

    /// The decisions taken, for [`crate::Schedule::Replay`]. Empty if somebody else's scheduler took them, who has to
    /// record them himself.
    pub fn decisions(&self) -> explore::Decisions {
        self.recording.as_ref().map(|r| locked(r).taken().decisions).unwrap_or_default()
    }

    /// Where a run of [`crate::Schedule::Replay`] first left its recording, if it did.
    pub fn divergence(&self) -> Option<explore::Divergence> {
        locked(self.replayed.as_ref()?).divergence().cloned()
    }

    /// How many random numbers came from the seed, though small ones are decisions; since this was last asked.
    pub(crate) fn take_undecided(&self) -> u64 {
        self.numbers.take_undecided()
    }

    /// Polls so far.
    pub fn steps(&self) -> u64 {
        self.engine.steps.load(Relaxed)
    }

    /// Virtual time so far.
    pub fn now(&self) -> Time {
        self.engine.clock.reading()
    }

    /// The hand on this lab's wall clock.
    pub fn wall(&self) -> LabWall {
        LabWall(self.engine.clock.clone())
    }

    /// One look at the tree.
    pub fn view(&self) -> RegionView {
        self.root.view()
    }

    fn replay_hint(&self) -> String {
        let (seed, steps, faults) = (self.config.seed, self.steps(), self.faults());
        match &self.recording {
            Some(_) => format!("seed {seed}, {} decisions, {steps} steps; {faults}", self.decisions().len()),
            // Whoever picks has the decisions.
            None => format!("seed {seed}, {steps} steps; {faults}"),
        }
    }

    /// Why the run could not end, if it couldn't.
    pub(crate) fn failure(&self) -> Option<LabFailure> {
        self.failure.get().cloned()
    }

    /// Notes why it could not end; the first reason stays.
    fn fails(&self, failure: LabFailure) -> LabFailure {
        self.failure.get_or_init(|| failure).clone()
    }
}

/// The tasks below a region.
fn members(view: &RegionView, into: &mut Vec<TaskId>) {
    into.extend(view.members.iter().map(|m| m.task));
    view.children.iter().for_each(|child| members(child, into))
}

/// Runs `body` in a fresh lab for each seed. A panic names the seed.
///
/// # Panics
/// With the first failure.
#[track_caller]
pub fn explore(seeds: Range<u64>, body: impl Fn(&LabRuntime)) {
    explore_with(&LabConfig::default(), seeds, body)
}

/// As [`explore()`], with labs made like `config` but for the seed.
///
/// # Panics
/// With the first failure.
#[track_caller]
pub fn explore_with(config: &LabConfig, seeds: Range<u64>, body: impl Fn(&LabRuntime)) {
    for seed in seeds {
        let lab = LabRuntime::new(config.clone().seed(seed));
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&lab)));
        if let Err(payload) = run {
            eprintln!("failed with {}", lab.replay_hint());
            std::panic::resume_unwind(payload)
        }
    }
}
