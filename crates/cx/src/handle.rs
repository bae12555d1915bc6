//! `RegionHandle`: spawn into, cancel and look at a region from outside its tasks.
use crate::close;
use crate::object::{RegionLook, looked_at_region};
use crate::port::World;
use crate::raw::place::counted;
use crate::raw::start::Start;
use crate::spawn::{self, Ask, Task, start_in};
use crate::{All, Cx, Row, TaskHandle};
use alloc::sync::{Arc, Weak};
use core::any::Any;
use core::panic::Location;
use core::time::Duration;
use region::{Region, RegionView, Via};
use trace::{RegionKind, RegionPhase};
use types::{CancelKind, RegionId, TaskOutput};

/// A weak handle on a region: `Send + Sync + Clone`, for threads outside and for tasks elsewhere. It keeps
/// nothing open. In the lab, using it from a thread that is not the lab's is reported.
#[derive(Debug)]
pub struct RegionHandle<C: Row = All> {
    region: Weak<Region>,
    id: RegionId,
    /// The user value that the row says its tasks have: where they are spawned from, there is no scope to
    /// find it in.
    env: Option<Arc<dyn Any + Send + Sync>>,
    row: core::marker::PhantomData<fn() -> C>,
}

// Not derived: a row is not `Clone`, and need not be.
impl<C: Row> Clone for RegionHandle<C> {
    fn clone(&self) -> RegionHandle<C> {
        let RegionHandle { region, id, env, row } = self;
        RegionHandle { region: region.clone(), id: *id, env: env.clone(), row: *row }
    }
}

impl<C: Row> Cx<C> {
    /// A handle on the region that a spawn through this context goes to. Its tasks have the user value that is
    /// within reach here.
    pub fn handle(&self) -> RegionHandle<C> {
        let region = self.spawn_region();
        RegionHandle {
            region: Arc::downgrade(&counted(region)),
            id: region.id(),
            env: self.inherited_env(),
            row: core::marker::PhantomData,
        }
    }
}

impl RegionHandle<All> {
    pub(crate) fn of(region: &Arc<Region>) -> RegionHandle<All> {
        RegionHandle {
            region: Arc::downgrade(region),
            id: region.id(),
            env: None,
            row: core::marker::PhantomData,
        }
    }
}

impl<C: Row> RegionHandle<C> {
    /// Spawns a task, or gives it back: the region no longer admits tasks, or is gone.
    #[track_caller]
    #[inline]
    pub fn try_spawn<T: TaskOutput, F: Task<T, C>>(&self, body: F) -> Result<TaskHandle<T::Ok, T::Err>, F>
    where
        C: crate::MaySpawn,
    {
        let at = Location::caller();
        looked_at_region(self.id, RegionLook::Phase);
        let Some(region) = self.region.upgrade() else { return Err(body) };
        start_in(&region, Start { at, via: Via::Body, daemon: false, control: 0 }, self.env.clone(), body)
            .map_err(|(b, _)| b)
    }

    /// Asks everything in the region to end. `grace` is the cleanup budget; `None` takes the region's.
    #[track_caller]
    pub fn cancel(&self, kind: CancelKind, why: &'static str, grace: Option<Duration>) {
        let at = Location::caller();
        crate::object::asks_region(self.id);
        let Some(region) = self.region.upgrade() else { return };
        crate::raw::start::while_open(&region, |world: &World| {
            if region.kind() == RegionKind::Implicit
                && let Some((task, id)) = region.body()
            {
                // A task's own region and its root scope are one place: what is asked of the one is asked of
                // the other.
                let grace = grace.or(region.grace());
                return spawn::request(&task, id, world, Ask { kind, why, at, grace });
            }
            let c = region.next_request(kind).why(why).at(at).when(world.clock.now()).build();
            close::request(&region, world, &c, grace);
        });
    }

    /// Which region; nothing when it is gone.
    pub fn id(&self) -> Option<RegionId> {
        looked_at_region(self.id, RegionLook::Phase);
        self.region.upgrade().map(|r| r.id())
    }

    /// Its phase; `Closed` when it is gone.
    pub fn phase(&self) -> RegionPhase {
        looked_at_region(self.id, RegionLook::Phase);
        self.region.upgrade().map_or(RegionPhase::Closed, |r| r.phase())
    }

    /// One look at the region and everything below it.
    ///
    /// An exploration tries it before and after phases, requests, obligations, and the coming and going of tasks and
    /// regions. What is for people only (names, what a member waits for and whether it could run, how many finalizers there are,
    /// who has acknowledged a request) is as it is in the order that is tried.
    pub fn view(&self) -> Option<RegionView> {
        looked_at_region(self.id, RegionLook::View);
        self.region.upgrade().map(|r| r.view_named(&crate::name::of))
    }

    /// How many failures an isolating region has had.
    pub fn failures(&self) -> u64 {
        looked_at_region(self.id, RegionLook::Failures);
        self.region.upgrade().map_or(0, |r| r.failures())
    }
}
