//! Who holds what, and who waits for whom: what a deadlock report is made of. For authors of locks and of what
//! waits for one particular task.
//!
//! Only traced tasks are noted ([`Waits`](crate::port::Waits)); in production this is one branch on the control word
//! when something is taken, and one on a null pointer when it is given back.
//!
//! Not here: which circles are reported (`lab`).
use crate::port::{Holder, WaitOn, Waits};
use crate::raw::place::world_of;
use crate::scope::task_id;
use crate::{Cx, Row};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::panic::Location;
use core::task::Context;
use task::raw::waiter::header_of;
use task::{Header, control};

/// A note that something is held. Dropping it says that it was given back, all of it.
#[must_use = "dropping it says that the resource was given back"]
pub struct Hold(Box<Noted>);

struct Noted {
    waits: Arc<dyn Waits>,
    number: u64,
    /// `None` if it's used up.
    free: Option<usize>,
}

impl core::fmt::Debug for Hold {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hold").field("number", &self.0.number).finish_non_exhaustive()
    }
}

impl Hold {
    /// It's held in another way now, of which `free` is left to others. If `asks`, the holder waits until the others have
    /// given it back: for everybody who holds it but itself.
    pub fn changed(&self, free: usize, asks: bool) {
        self.0.waits.changed(self.0.number, free, asks)
    }

    /// It was given back, and `free` of it is there now.
    pub fn release(mut self, free: usize) {
        self.0.free = Some(free)
    }

    /// It's used up, as room in which there is a value now: it was not given back.
    pub fn spend(mut self) {
        self.0.free = None
    }
}

impl Drop for Hold {
    #[cold]
    fn drop(&mut self) {
        match self.0.free {
            Some(free) => self.0.waits.released(self.0.number, free),
            None => self.0.waits.spent(self.0.number),
        }
    }
}

/// Who will give back what a task takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// The task itself.
    ForItself,
    /// Whoever has it by then: it may be handed to another task, so no circle goes through it.
    ForAnybody,
}

impl<C: Row> Cx<C> {
    /// Notes that this task has taken the resource at the address `resource`, of which `free` is left. `what` names
    /// it in reports: "the mutex"; `at` is the line that took it. `None` where nothing is traced.
    #[inline]
    pub fn hold(
        &self,
        resource: usize,
        what: &'static str,
        at: &'static Location<'static>,
        holding: Holding,
        free: impl FnOnce() -> usize,
    ) -> Option<Hold> {
        let header = self.header();
        if header.control() & control::TRACE == 0 {
            return None;
        }
        note_hold(header, resource, what, at, holding, free())
    }
}

impl<C> Cx<C> {
    /// Notes that a future of this task that waited for the resource ([`WaitOn::Held`]) waits no more without having got
    /// it. For futures that stood in a queue, when they are dropped or refused.
    #[inline]
    pub fn left(&self, resource: usize, at: &'static Location<'static>) {
        let header = self.header();
        if header.control() & control::TRACE != 0 {
            note_left(header, resource, at)
        }
    }
}

#[cold]
#[inline(never)]
fn note_left(header: &Header, resource: usize, at: &'static Location<'static>) {
    if let Some(waits) = &world_of(header).waits {
        waits.left(header, resource, at)
    }
}

#[cold]
#[inline(never)]
fn note_hold(
    header: &Header,
    resource: usize,
    what: &'static str,
    at: &'static Location<'static>,
    holding: Holding,
    free: usize,
) -> Option<Hold> {
    let waits = world_of(header).waits.clone()?;
    let by = match holding {
        Holding::ForItself => Holder::Task(task_id(header)),
        Holding::ForAnybody => Holder::Anybody(task_id(header)),
    };
    let number = waits.held(resource, what, at, by, free);
    Some(Hold(Box::new(Noted { waits, number, free: Some(0) })))
}

/// The running task has to wait. Through somebody else's waker it may be woken for other reasons.
#[cold]
#[inline(never)]
pub(crate) fn note_wait(header: &Header, context: &Context<'_>, on: WaitOn) {
    crate::object::waits(on);
    if let Some(waits) = &world_of(header).waits {
        let own = header_of(context.waker()).is_some_and(|h| core::ptr::eq(h.as_ptr(), header));
        waits.wait(header, task_id(header), if own { on } else { WaitOn::Anybody })
    }
}
