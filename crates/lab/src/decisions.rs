//! The stream of decisions: every choice of a run is asked of one scheduler (`explore`), and noted in the trace.
//!
//! Not here: the schedulers, the recording of what they decide.
use crate::world::{Recorder, locked};
use explore::{Candidate, Point, Scheduler};
use region::Sink;
use std::fmt;
use std::sync::{Arc, Mutex};
use trace::{Choice, Label};

/// Who chooses, shared with whoever made the lab.
pub(crate) type SharedScheduler = Arc<Mutex<dyn Scheduler + Send>>;

/// See the module.
pub(crate) struct Decisions {
    pub(crate) scheduler: SharedScheduler,
    recorder: Option<Arc<Recorder>>,
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions").finish_non_exhaustive()
    }
}

impl Decisions {
    pub(crate) fn new(scheduler: SharedScheduler, recorder: Option<Arc<Recorder>>) -> Decisions {
        Decisions { scheduler, recorder }
    }

    /// Chooses one of `options`, and records it; `usual` is what happens when nobody interferes: a whole read, no
    /// fault. One possibility is no decision.
    pub(crate) fn choose(&self, choice: Choice, options: usize, usual: usize) -> usize {
        if options < 2 {
            return 0;
        }
        let chosen = locked(&self.scheduler).choose(choice, options as u32, usual as u32);
        self.note(choice, options, chosen as usize);
        (chosen as usize).min(options - 1)
    }

    /// Picks who takes the next step. `None` gives the run up.
    pub(crate) fn pick(&self, candidates: &[Candidate], usual: usize) -> Option<usize> {
        let picked = locked(&self.scheduler).pick(&Point { candidates, usual })?;
        if candidates.len() > 1 {
            self.note(Choice::Task, candidates.len(), picked)
        }
        Some(picked)
    }

    fn note(&self, choice: Choice, options: usize, chosen: usize) {
        if let Some(recorder) = &self.recorder {
            recorder.emit(None, Label::Decision { choice, options: options as u32, chosen: chosen as u32 })
        }
    }
}
