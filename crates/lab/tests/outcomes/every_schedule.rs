//! What a program comes to in every one of its schedules, run one by one.
//!
//! Not here: which schedule is next (`one_by_one`).
use crate::one_by_one::OneByOne;
use asupersync_lab::{Executor, Grain, LabConfig, LabRuntime};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// All that `run` says, and how many schedules there are; nothing if there are more than `enough`. Panics as a run does.
pub(crate) fn every_schedule<T: Ord>(
    config: LabConfig,
    grain: Grain,
    schedules: OneByOne,
    enough: usize,
    mut run: impl FnMut(&LabRuntime) -> Option<T>,
) -> Option<(BTreeSet<T>, usize)> {
    let executor = Executor::new(config, grain).looks(true);
    let scheduler = Arc::new(Mutex::new(schedules));
    let mut all = BTreeSet::new();
    for before in 0..enough {
        let execution = executor.execute(&scheduler, |lab| all.extend(run(lab)));
        if let Some(panic) = execution.failure {
            std::panic::resume_unwind(panic)
        }
        if !scheduler.lock().unwrap().next() {
            return Some((all, before + 1));
        }
    }
    None
}
