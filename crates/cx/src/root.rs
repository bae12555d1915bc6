//! The root of a runtime's tree, as engines need it: the root region and the root body.
//!
//! The root body is a task like any other, but no member of the root region: it is that region's body. It
//! is complete when everything else is. It is started in `raw/start.rs`.
use crate::close;
use crate::port::World;
use crate::scope::task_id;
use crate::spawn::{self, Ask};
use crate::{All, RegionHandle};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::panic::Location;
use core::time::Duration;
use region::{Region, RegionView};
use task::raw::join::JoinRef;
use task::{TaskRef, control};
use trace::RegionPhase;
use types::{AfterGrace, CancelKind, Cancelled, Never, Outcome, TaskId};

/// The root region of one runtime.
#[derive(Clone, Debug)]
pub struct Root {
    pub(crate) region: Arc<Region>,
}

/// The root body while it runs, and its outcome afterwards.
#[derive(Debug)]
pub struct RootTask {
    pub(crate) join: JoinRef<(), Never>,
}

impl RootTask {
    /// Whether the body and everything below it has ended.
    pub fn is_finished(&self) -> bool {
        self.join.is_finished()
    }

    /// The outcome, once: `Panicked` if the body or a child that nobody joined panicked, `Cancelled` if a
    /// child failed that nobody joined, or was cut short.
    pub fn take(&mut self) -> Option<Outcome<(), Never>> {
        self.join.try_take()
    }

    /// The task.
    pub fn task(&self) -> &TaskRef {
        self.join.task()
    }
}

impl Root {
    /// Opens the root region of the engine with this tag.
    pub fn open(tag: u16, world: &World, after_grace: AfterGrace, at: &'static Location<'static>) -> Root {
        let now = world.clock.now();
        Root { region: Region::root(tag, after_grace, world.grace, world.sink.clone(), at, now) }
    }

    /// A handle for threads outside.
    pub fn handle(&self) -> RegionHandle<All> {
        RegionHandle::of(&self.region)
    }

    /// Tag of its engine.
    pub fn tag(&self) -> u16 {
        self.region.tag()
    }

    /// Its phase.
    pub fn phase(&self) -> RegionPhase {
        self.region.phase()
    }

    /// One look at the whole tree.
    pub fn view(&self) -> RegionView {
        self.region.view_named(&crate::name::of)
    }

    /// Every live task below the root, and no root body: for an engine that has to reach them all.
    pub fn tasks(&self) -> Vec<TaskRef> {
        let tasks = RefCell::new(Vec::new());
        // Counted under the region's lock, where no member can go.
        drop(self.region.view_named(&|header| {
            tasks.borrow_mut().push(header.counted());
            None
        }));
        tasks.into_inner()
    }

    /// Asks one task and everything it owns to end, or everything if it is the root body's: for an engine that tries out
    /// what a request does at some point.
    pub fn cancel_task(
        &self,
        world: &World,
        task: &TaskRef,
        kind: CancelKind,
        why: &'static str,
        at: &'static Location<'static>,
    ) {
        if task.control() & control::ROOT == 0 {
            let ask = Ask { kind, why, at, grace: None };
            return spawn::request(task, task_id(task), world, ask);
        }
        let c = self.region.next_request(kind).why(why).at(at).when(world.clock.now()).build();
        close::request(&self.region, world, &c, None);
    }

    /// Asks everything to end, with `grace` for cleanup.
    pub fn shutdown(
        &self,
        world: &World,
        why: &'static str,
        at: &'static Location<'static>,
        grace: Option<Duration>,
    ) {
        let c =
            self.region.next_request(CancelKind::Shutdown).why(why).at(at).when(world.clock.now()).build();
        close::request(&self.region, world, &c, grace);
    }

    /// The strongest request on it.
    pub fn request(&self) -> Option<Cancelled> {
        self.region.request_now()
    }

    /// Gives everything up: every task's future is dropped at its next turn, cleanup or not. For an engine that
    /// cannot go on.
    pub fn abandon(&self) {
        self.region.abandon();
    }

    /// Writes off what could not be stopped, and says what it was.
    pub fn write_off(&self) -> Vec<TaskId> {
        let gone = self.region.write_off(&crate::name::of, &|_| ());
        gone.orphans.iter().for_each(close::adopt);
        gone.tasks.iter().map(|view| view.task).collect()
    }
}
