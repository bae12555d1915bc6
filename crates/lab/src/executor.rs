//! [`Executor`]: one program, again and again, each time as somebody else's scheduler picks. What every search is made
//! of.
//!
//! Not here: which schedules are tried (`explore`), what is done with a failure (`search`).
use crate::config::LabConfig;
use crate::names::Names;
use crate::premises::Spare;
use crate::quiet::quietly;
use crate::runtime::LabRuntime;
use crate::watch::{self, Grain, Looks, Unlooked};
use crate::world::locked;
use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex};
use trace::Event;
use types::TaskId;

/// One execution, over and done.
#[derive(Debug)]
pub struct Execution {
    /// What the program panicked with, if it did: its own panic, a deadlock's report, an oracle's.
    pub failure: Option<Box<dyn Any + Send>>,
    /// Where in the source the first panic happened, if that was the program's: `src/bank.rs:12`.
    pub panicked_at: Option<String>,
    /// Who was asked to end in it while their steps were not recorded as looking at requests ([`Executor::looks_at`]): if
    /// there is anybody, what an exploration has learnt of this program so far is incomplete.
    pub unlooked: Vec<TaskId>,
    /// Whether somebody looked at a region through a handle while it was not recorded what can be seen so
    /// ([`Executor::looks_at_regions`]): then, too.
    pub unlooked_regions: bool,
    /// What its tasks and objects were, if it failed or its events were to be kept.
    pub names: Names,
    /// The trace, if it was to be kept ([`Executor::keeps_events`]).
    pub events: Vec<Event>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Executor {
    config: Arc<LabConfig>,
    grain: Grain,
    looks: Looks,
    keeps: bool,
    at: &'static Location<'static>,
    spare: Spare,
}

impl Executor {
    /// Labs are made like `config`, but for its schedule. Steps are not recorded as looking at cancellation requests.
    #[track_caller]
    pub fn new(config: LabConfig, grain: Grain) -> Executor {
        Executor {
            config: Arc::new(config),
            grain,
            looks: Looks::default(),
            keeps: false,
            at: Location::caller(),
            spare: Spare::default(),
        }
    }

    /// Where root regions are said to be opened. Default: where this was made.
    #[must_use]
    pub fn called_from(mut self, at: &'static Location<'static>) -> Executor {
        self.at = at;
        self
    }

    /// Whether every step is recorded as looking at what its task was asked, and what can be seen of regions is recorded.
    /// Explorations of programs that cancel need to know it of those who are asked, and of programs that look at regions;
    /// of others it costs one touch a step, and that they are no longer optimal.
    #[must_use]
    pub fn looks(mut self, on: bool) -> Executor {
        (self.looks.all, self.looks.regions) = (on, on);
        self
    }

    /// Whether it is recorded what happens to regions that can be seen through a [`cx::RegionHandle`]: explorations of programs
    /// that look need it, as [`Execution::unlooked_regions`] told of executions before. Default: no.
    #[must_use]
    pub fn looks_at_regions(mut self, on: bool) -> Executor {
        self.looks.regions = on;
        self
    }

    /// Whose steps are recorded as looking at what their task was asked: those who are asked, as [`Execution::unlooked`] told
    /// of executions before. Default: nobody's.
    #[must_use]
    pub fn looks_at(mut self, tasks: impl IntoIterator<Item = TaskId>) -> Executor {
        self.looks.tasks = Arc::new(tasks.into_iter().collect());
        self
    }

    pub(crate) fn with_looks(mut self, looks: &Looks) -> Executor {
        self.looks = looks.clone();
        self
    }

    /// Whether an execution's events are copied from its lab before that is gone. Default: no.
    #[must_use]
    pub fn keeps_events(mut self, on: bool) -> Executor {
        self.keeps = on;
        self
    }

    /// One execution of `program`, which gets a fresh lab and has to run it once. What it shares between its tasks it
    /// has to create anew in each execution. (What the lab is made of is used again as far as nobody can tell; so one
    /// executor is for one thread at a time.) The scheduler stays locked meanwhile.
    pub fn execute(
        &self,
        scheduler: &Arc<Mutex<impl explore::Scheduler + Send + 'static>>,
        program: impl FnOnce(&LabRuntime),
    ) -> Execution {
        let mut scheduler = locked(scheduler);
        watch::begin(self.grain, &self.looks, self.config.overtakings > 0);
        let mut spare = self.spare.open();
        let lab = LabRuntime::explored(self.config.clone(), &mut spare, self.at);
        let (done, panicked_at) =
            quietly(|| lab.lend(&mut *scheduler, || catch_unwind(AssertUnwindSafe(|| program(&lab)))));
        let (unlooked, names) = watch::end(done.is_err() || self.keeps);
        let events = if self.keeps { lab.events() } else { Vec::new() };
        match done {
            Ok(()) => lab.close(&mut spare),
            Err(_) => drop(lab),
        }
        let Unlooked { tasks: unlooked, regions: unlooked_regions } = unlooked;
        Execution { failure: done.err(), panicked_at, unlooked, unlooked_regions, names, events }
    }
}

impl Execution {
    /// What was not recorded and would have had to be.
    pub(crate) fn take_unlooked(&mut self) -> Unlooked {
        Unlooked { tasks: std::mem::take(&mut self.unlooked), regions: self.unlooked_regions }
    }
}
