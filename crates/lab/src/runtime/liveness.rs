//! Runs that get nowhere, seen from the run: wakes that were lost, and the loop that a run ended in.
//!
//! Not here: circles of tasks (`deadlock`), futures that nobody polls (`futurelock`), how a task is polled for no reason
//! (`engine::nudge`), how a loop is found (`lasso`).
use super::LabRuntime;
use crate::lasso::Told;
use crate::verdict::{LabFailure, waits};
use cx::RootTask;
use std::sync::atomic::Ordering::Relaxed;
use trace::{Event, Label};
use types::TaskId;

impl LabRuntime {
    /// The loop that the last steps repeat, in words for the report; empty if they don't.
    pub(super) fn told_loop(&self) -> String {
        let Some(told) = self.engine.lasso.get().told(&|task| self.name(task)) else {
            return String::new();
        };
        let Told { period, text } = told;
        let loop_of = if period == 1 { "one step".into() } else { format!("{period} steps") };
        let words = format!("livelock: a loop of {loop_of} repeats: {text}\n");
        let steps = self.engine.steps.load(Relaxed);
        self.engine.emit(Label::Livelock { steps, period, what: text.into() });
        words
    }

    /// The spin loop that the run is in.
    pub(super) fn told_spin(&self) -> String {
        let Some((task, look, times)) = self.engine.spun() else { return "a spin loop".into() };
        let (name, more) = (self.name(task), self.config.max_spins.saturating_mul(4));
        let told = format!("{name} {look}");
        let steps = self.engine.steps.load(Relaxed);
        self.engine.emit(Label::Livelock { steps, period: 1, what: told.clone().into() });
        format!(
            "a spin loop: {times} steps in a row repeat a look, and nothing changes: {told}\nwhoever it waits for need not \
             come first, so that no search comes to the end of it: wait for the change (an event, a channel, `watch`) \
             instead of asking again; if the loop is bounded, `LabConfig::max_spins({more})` allows it more steps (of a \
             search by `Search::config`, of a test by `LabTest::config`)"
        )
    }

    /// Nothing but timers is left: looks for a task that nobody woke and that could go on. Rarely, in long runs: at most
    /// one nudge for four steps. And only in traced runs: in others it might not be seen that the task went on, and a poll
    /// that saves it would hide the mistake.
    pub(super) fn masked_by_timers(&self, root: &RootTask) -> Option<LostWakeup> {
        let (nudges, waiting) = (self.nudges.load(Relaxed), self.waiting.load(Relaxed));
        let allowed = 256 + self.engine.steps.load(Relaxed) / 4;
        let asks = self.config.nudges && self.config.traced;
        let asks = asks && !self.engine.is_watching() && !self.engine.is_interfered_with();
        if !asks || nudges + waiting > allowed {
            return None;
        }
        self.lost_wakeup(root, |_| true)
    }

    /// Polls everybody who waits, once: who goes on was not woken.
    pub(super) fn lost_wakeup(&self, root: &RootTask, may: impl Fn(TaskId) -> bool) -> Option<LostWakeup> {
        if !self.config.nudges {
            return None;
        }
        let mut tasks = self.root.tasks();
        tasks.push(root.task().clone());
        self.waiting.store(tasks.len() as u64, Relaxed);
        self.nudges.fetch_add(tasks.len() as u64, Relaxed);
        // As it was before the first one goes on.
        let view = self.root.view();
        for task in &tasks {
            if task.word.is_complete() {
                continue;
            }
            let (id, what) = (cx::task_id(task), task.waits_for().map(|kind| kind.what));
            if !may(id) {
                continue;
            }
            let ran = self.engine.ran_last();
            if self.engine.goes_on(task) {
                let what = what.unwrap_or("something that is no operation of this runtime");
                self.engine.emit(Label::LostWakeup { task: id, what: what.into() });
                let ran = ran.into_iter().filter(|ran| *ran != id).map(|task| self.name(task)).collect();
                let changed = self.engine.changed_for(id);
                let changed = changed.map(|(by, how)| format!("{} {how}", self.name(by)));
                let mut there = String::new();
                waits(&view, &|_| None, 0, &mut there);
                return Some(LostWakeup { who: self.name(id), what, ran, changed, there });
            }
        }
        None
    }

    /// A task with the line that spawned it, as far as the trace knows it.
    pub(crate) fn name(&self, task: TaskId) -> String {
        if task.as_u64() == self.root.view().region.as_u64() {
            return "the root body".into();
        }
        let spawn = |event: &Event| match &event.label {
            Label::TaskSpawn { task: spawned, site, .. } if *spawned == task => Some(site.clone()),
            _ => None,
        };
        let site = self.engine.recorder.as_ref().and_then(|r| r.since(0, spawn).into_iter().flatten().next());
        site.map_or_else(|| task.to_string(), |site| format!("{task} (spawned at {site})"))
    }
}

/// A task that nobody woke.
pub(super) struct LostWakeup {
    who: String,
    what: &'static str,
    /// Who ran last.
    ran: Vec<String>,
    /// Who was the last to change what it waits on, where that is known.
    changed: Option<String>,
    /// Who was there, before it went on.
    there: String,
}

impl LostWakeup {
    pub(super) fn failure(self) -> LabFailure {
        let LostWakeup { who, what, ran, changed, there } = self;
        let changed = changed
            .map(|changed| format!("\nlast to change what it waits on: {changed}"))
            .unwrap_or_default();
        let ran = if ran.is_empty() { "nobody else".into() } else { ran.join(", before that ") };
        let lost = format!(
            "{who} waits for {what}; polled once more it went on, and nobody had woken it{changed}\nlast ran {ran}"
        );
        LabFailure::LostWakeup { lost, waits: there }
    }
}
