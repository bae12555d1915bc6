//! `LabRuntime`: a run from its root body to its verdict.
use crate::config::LabConfig;
use crate::decisions::Decisions;
use crate::engine::Engine;
use crate::raw;
use crate::verdict::{LabFailure, OracleReport, waits};
use crate::world::{Kept, Recorder, SplitStreams, VirtualClock, VirtualTimers, locked};
use cx::port::{Clock, World};
use cx::{All, Cx, Root, RootTask};
use region::{RegionView, Sink};
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::sync::{Arc, Mutex};
use task::engine::EngineSlot;
use trace::{Event, Label};
use types::{Outcome, Time};

/// A world in which one program runs once, deterministically.
pub struct LabRuntime {
    config: LabConfig,
    // Dropped in this order: root tasks, the slot, the engine.
    tasks: Mutex<Vec<RootTask>>,
    root: Root,
    _slot: EngineSlot,
    engine: Arc<Engine>,
    kept: Arc<Kept>,
    failure: Mutex<Option<LabFailure>>,
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
        let clock = Arc::new(VirtualClock::default());
        let timers = Arc::new(VirtualTimers::new());
        let recorder = config.traced.then(|| Arc::new(Recorder::new(clock.clone())));
        let decisions = Arc::new(Decisions::new(config.seed, &config.schedule));
        let kept = Arc::new(Kept::default());
        let net = crate::net::SimNet::new(config.net.clone(), clock.clone(), timers.clone(), decisions.clone());
        let world = World {
            head: raw::HEAD,
            tick: AtomicU32::new(0),
            grace: config.grace,
            reports_slow_drains: false,
            unwinding: sched::engine::unwinding(),
            clock: clock.clone(),
            timers: timers.clone(),
            entropy: Arc::new(SplitStreams { seed: config.seed, drawn: Mutex::default() }),
            reports: kept.clone(),
            blocking: None,
            net: Some(Arc::new(net)),
            signals: None,
            sink: recorder.clone().map(|r| r as Arc<dyn Sink>),
        };
        let engine = Arc::new(Engine::new(world, clock, timers, recorder, decisions, &config.schedule));
        let Some(slot) = raw::register(&engine) else {
            panic!("lab: this process has {} runtimes already", task::engine::MAX_ENGINES)
        };
        let root = Root::open(slot.tag(), &engine.world, config.after_grace, Location::caller());
        LabRuntime {
            config,
            tasks: Mutex::default(),
            root,
            _slot: slot,
            engine,
            kept,
            failure: Mutex::default(),
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
        assert!(locked(&self.tasks).is_empty(), "a lab runs one program; make another for the next");
        let at = Location::caller();
        let mut value = None;
        let mut task = raw::with_root(&self.root, at, body, &mut value, |task| self.drive(task));
        let outcome = task.take();
        // Kept for as long as the lab: the body's context may have been kept as long.
        locked(&self.tasks).push(task);
        if let Some(failure) = locked(&self.failure).clone() {
            return Err(failure);
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
        while !task.is_finished() {
            if self.engine.steps.load(Relaxed) >= self.config.max_steps {
                return self.give_up(task, |lab, waits| LabFailure::Stuck {
                    steps: lab.engine.steps.load(Relaxed),
                    why: format!("the limit on steps was reached; still there:\n{waits}"),
                });
            }
            let before = self.engine.steps.load(Relaxed);
            if self.engine.step() {
                continue;
            }
            let now = self.engine.clock.now();
            let since = match idle_since {
                Some((t, steps)) if steps + 4 >= before => (t, before),
                _ => (now, before),
            };
            idle_since = Some(since);
            let limit = since.0.saturating_add(self.config.max_idle);
            if !self.engine.advance(limit) {
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
                        LabFailure::Deadlock { waits }
                    }
                });
            }
        }
    }

    /// Records the failure and takes everything down, so that the run can end.
    fn give_up(&self, task: &RootTask, failure: impl FnOnce(&LabRuntime, String) -> LabFailure) {
        let mut text = String::new();
        if let Some(kind) = task.task().waits_for() {
            text.push_str(&format!("the root body waits for {}\n", kind.what));
        }
        waits(&self.root.view(), 0, &mut text);
        let failure = failure(self, text);
        if let LabFailure::Stuck { steps, .. } = &failure {
            self.engine.emit(Label::Stuck { steps: *steps });
        }
        *locked(&self.failure) = Some(failure);
        for _ in 0..64 {
            self.root.abandon();
            while !task.is_finished() && self.engine.step() {}
            if task.is_finished() {
                return;
            }
            self.engine.advance(Time::MAX);
        }
    }

    fn model(&self) -> Result<(), LabFailure> {
        match model::replay(&self.events()) {
            Ok(_) => Ok(()),
            Err(d) => {
                let divergence = d.to_string();
                let failure = LabFailure::Model { divergence };
                *locked(&self.failure) = Some(failure.clone());
                Err(failure)
            }
        }
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

    /// The decisions taken, for [`crate::Schedule::Replay`].
    pub fn decisions(&self) -> Vec<u32> {
        self.engine.decisions.taken()
    }

    /// Polls so far.
    pub fn steps(&self) -> u64 {
        self.engine.steps.load(Relaxed)
    }

    /// Virtual time so far.
    pub fn now(&self) -> Time {
        self.engine.clock.now()
    }

    /// One look at the tree.
    pub fn view(&self) -> RegionView {
        self.root.view()
    }

    fn replay_hint(&self) -> String {
        format!("seed {}, {} decisions, {} steps", self.config.seed, self.decisions().len(), self.steps())
    }

    /// Nothing is left: the root is closed, and everything below it.
    ///
    /// # Errors
    /// What is left.
    pub fn quiescence_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::quiescence)
    }

    /// No obligation was leaked.
    ///
    /// # Errors
    /// Which were, and where they were reserved.
    pub fn obligation_leak_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::obligation_leaks)
    }

    /// Every task had an owner that outlived it.
    ///
    /// # Errors
    /// Which had not.
    pub fn no_orphan_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::no_orphans)
    }

    /// Every loser of a race had ended before the race returned.
    ///
    /// # Errors
    /// Which had not.
    pub fn losers_drained_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::losers_drained)
    }

    /// The run did not end in a deadlock.
    ///
    /// # Errors
    /// Who waits for what.
    pub fn deadlock_oracle(&self) -> Result<(), OracleReport> {
        match &*locked(&self.failure) {
            Some(f @ LabFailure::Deadlock { .. }) => Err(OracleReport(vec![f.to_string()])),
            _ => self.judge(oracle::deadlock),
        }
    }

    /// All oracles.
    ///
    /// # Errors
    /// Everything they found.
    pub fn oracles(&self) -> Result<(), OracleReport> {
        match oracle::judge(&self.events()) {
            Ok(()) => Ok(()),
            Err(reports) => Err(OracleReport(reports.iter().map(ToString::to_string).collect())),
        }
    }

    fn judge(&self, oracle: fn(&[Event]) -> Result<(), oracle::Report>) -> Result<(), OracleReport> {
        oracle(&self.events()).map_err(|r| OracleReport(vec![r.to_string()]))
    }
}

/// Runs `body` in a fresh lab for each seed. A panic names the seed.
///
/// # Panics
/// With the first failure.
pub fn explore(seeds: std::ops::Range<u64>, body: impl Fn(&LabRuntime)) {
    for seed in seeds {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&lab)));
        if let Err(payload) = run {
            eprintln!("failed with seed {seed} ({} decisions, {} steps)", lab.decisions().len(), lab.steps());
            std::panic::resume_unwind(payload)
        }
    }
}
