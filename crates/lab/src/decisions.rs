//! The stream of decisions: every choice of a run is asked of one scheduler (`explore`), and noted in the trace.
//!
//! Not here: the schedulers, the recording of what they decide.
use crate::raw::home::Lent;
use crate::world::{Recorder, locked};
use explore::Scheduler;
use region::Sink;
use std::fmt;
use std::sync::{Arc, Mutex};
use trace::{Choice, Label};

/// Who chooses, shared with whoever made the lab.
pub(crate) type SharedScheduler = Arc<Mutex<dyn Scheduler + Send>>;

/// Who is asked.
pub(crate) enum Asked {
    /// The lab's own.
    Own(SharedScheduler),
    /// Whoever is lent for an execution, without a lock for each question.
    Lent(Lent),
}

/// See the module.
pub(crate) struct Decisions {
    asked: Asked,
    recorder: Option<Arc<Recorder>>,
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions").finish_non_exhaustive()
    }
}

impl Decisions {
    pub(crate) fn new(asked: Asked, recorder: Option<Arc<Recorder>>) -> Decisions {
        Decisions { asked, recorder }
    }

    /// Runs `f` with `scheduler` as the one that is asked, if one can be lent.
    pub(crate) fn lend<R>(
        &self,
        scheduler: &mut (dyn Scheduler + Send + 'static),
        f: impl FnOnce() -> R,
    ) -> R {
        match &self.asked {
            Asked::Own(_) => f(),
            Asked::Lent(lent) => lent.lend(scheduler, f),
        }
    }

    /// Asks the scheduler. `None` if none is lent, or this is not the thread on which it is.
    #[inline]
    pub(crate) fn ask<R>(&self, question: impl FnOnce(&mut (dyn Scheduler + Send)) -> R) -> Option<R> {
        match &self.asked {
            Asked::Own(scheduler) => Some(question(&mut *locked(scheduler))),
            Asked::Lent(lent) => lent.with(question),
        }
    }

    /// Chooses one of `options`, and records it; `usual` is what happens when nobody interferes: a whole read, no
    /// fault. One possibility is no decision.
    pub(crate) fn choose(&self, choice: Choice, options: usize, usual: usize) -> usize {
        if options < 2 {
            return 0;
        }
        let chosen = self.ask(|s| s.choose(choice, options as u32, usual as u32)).unwrap_or(usual as u32);
        self.note(choice, options, chosen as usize);
        (chosen as usize).min(options - 1)
    }

    /// Has `pick` pick who of so many takes the next step. `None` gives the run up.
    #[inline]
    pub(crate) fn pick(
        &self,
        size: usize,
        pick: impl FnOnce(&mut (dyn Scheduler + Send)) -> Option<usize>,
    ) -> Option<usize> {
        let picked = self.ask(pick)??;
        if size > 1 {
            self.note(Choice::Task, size, picked)
        }
        Some(picked)
    }

    fn note(&self, choice: Choice, options: usize, chosen: usize) {
        if let Some(recorder) = &self.recorder {
            recorder.emit(None, Label::Decision { choice, options: options as u32, chosen: chosen as u32 })
        }
    }
}
