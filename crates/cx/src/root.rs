//! The root of a runtime's tree, as engines need it: the root region and the root body.
//!
//! The root body is a task like any other, but no member of the root region: it is that region's body. It
//! is complete when everything else is.
use crate::close;
use crate::port::World;
use crate::raw::start;
use crate::{All, Cx, RegionHandle};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::panic::Location;
use core::time::Duration;
use region::{Region, RegionView};
use task::TaskRef;
use task::raw::cell::JoinRef;
use trace::RegionPhase;
use types::{AfterGrace, CancelKind, Cancelled, Never, Outcome, TaskId};

/// The root region of one runtime.
#[derive(Clone, Debug)]
pub struct Root {
    region: Arc<Region>,
}

/// The root body while it runs, and its outcome afterwards.
#[derive(Debug)]
pub struct RootTask {
    join: JoinRef<(), Never>,
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

    /// Its phase.
    pub fn phase(&self) -> RegionPhase {
        self.region.phase()
    }

    /// One look at the whole tree.
    pub fn view(&self) -> RegionView {
        self.region.view()
    }

    /// Starts the root body, which leaves its value in `value`. It is polled on the home thread only, may
    /// borrow from the caller, and need not be `Send`.
    ///
    /// # Safety
    /// The engine polls and drops pinned tasks (`control::PINNED`) on the calling thread only, and does not
    /// let `'a` end before the returned task is finished.
    pub unsafe fn start<'a, T, F, Fut>(
        &self,
        at: &'static Location<'static>,
        body: F,
        value: &'a mut Option<T>,
    ) -> RootTask
    where
        F: FnOnce(&'a mut Cx<All>) -> Fut,
        Fut: Future<Output = T> + 'a,
        T: 'a,
    {
        // SAFETY: says the caller.
        RootTask { join: unsafe { start::root_body(&self.region, at, body, value) } }
    }

    /// Asks everything to end, with `grace` for cleanup.
    pub fn shutdown(&self, world: &World, why: &'static str, at: &'static Location<'static>, grace: Option<Duration>) {
        let c = Cancelled::new(CancelKind::Shutdown, self.region.next_origin())
            .why(why)
            .at(at)
            .when(world.clock.now())
            .build();
        close::request(&self.region, world, &c, grace);
    }

    /// Writes off what could not be stopped, and says what it was.
    pub fn write_off(&self) -> Vec<TaskId> {
        self.region.write_off()
    }
}
