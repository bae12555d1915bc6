//! What a task left and nobody took (`task.unclaimed`): it is dropped here, and a panic of that drop is told to the
//! operator instead of whoever happens to run it.
//!
//! A value whose handle is gone is dropped by the task's end, or by the drop of the handle, or when the task's memory is
//! freed: on whatever thread comes last, and perhaps while that one unwinds. Nobody there is concerned, and an outcome
//! that depended on it would depend on the schedule.
//!
//! Not here: what becomes of the failure itself (`close`, `frame`).
use crate::port::{PanicPayload, Report, Unwinding, World};
use crate::raw::place::world_of;
use crate::raw::start;
use crate::scope::task_id;
use alloc::borrow::ToOwned;
use core::any::Any;
use core::panic::Location;
use region::{Leaver, Lost, Settlement};
use task::{Header, Whose};
use types::{Panic, TaskId};

/// Drops what a task left, for the cell ([`task::Owner::discard`]).
pub(crate) fn discard(task: &Header, whose: Whose, drop: &mut dyn FnMut()) {
    let id = match whose {
        // Not gone yet: it keeps its world and its region.
        Whose::Member => return within(world_of(task), Some(task_id(task)), task.spawned_at, drop),
        Whose::Known(id) => Some(id),
        Whose::Gone => None,
    };
    let mut unwinding = None;
    start::with_world(task, |world| unwinding = Some(world.unwinding));
    let Some(unwinding) = unwinding else {
        // The runtime is gone, and its operator with it. The panic goes no further all the same: it would meet whoever drops
        // a handle, who had no use for the value, and end the process if they unwind. The panic hook has told of it.
        return task::contain(drop);
    };
    // Nothing of the user's runs while the engine is kept from going.
    if let Err(payload) = (unwinding.catch)(drop) {
        start::with_world(task, |world| tell(world, id, task.spawned_at, &*payload));
        forget(unwinding, payload)
    }
}

/// Drops what the task that was spawned at `spawned_at` left.
pub(crate) fn within(
    world: &World,
    task: Option<TaskId>,
    spawned_at: &'static Location<'static>,
    drop: &mut dyn FnMut(),
) {
    if let Err(payload) = (world.unwinding.catch)(drop) {
        tell(world, task, spawned_at, &*payload);
        forget(world.unwinding, payload)
    }
}

/// Drops what the finalizer that was registered at `registered_at` left.
pub(crate) fn of_finalizer(world: &World, registered_at: &'static Location<'static>, drop: &mut dyn FnMut()) {
    if let Err(payload) = (world.unwinding.catch)(drop) {
        tell_of(world, Leaver::Finalizer, None, registered_at, &*payload);
        forget(world.unwinding, payload)
    }
}

/// Drops how a member or a finalizer ended, once that has been told.
pub(crate) fn end(world: &World, lost: Lost) {
    let Lost { task, spawned_at, loss, of } = lost;
    let mut loss = Some(loss);
    let mut drop = || drop(loss.take());
    match of {
        Leaver::Task => within(world, Some(task), spawned_at, &mut drop),
        Leaver::Finalizer => of_finalizer(world, spawned_at, &mut drop),
    }
}

/// Drops what members ended in and nobody will ask for, once that has been told.
pub(crate) fn ends(world: &World, settlement: &mut Settlement) {
    let worst = settlement.panic.take().into_iter().chain(settlement.failure.take());
    for lost in worst.chain(core::mem::take(&mut settlement.others)) {
        end(world, lost)
    }
}

/// Drops what somebody panicked with. Its own drop may panic as well; then it is not worth having.
pub(crate) fn forget(unwinding: Unwinding, payload: PanicPayload) {
    let mut payload = Some(payload);
    if let Err(second) = (unwinding.catch)(&mut || drop(payload.take())) {
        // A third one that panics would be one too many.
        core::mem::forget(second)
    }
}

#[cold]
fn tell(
    world: &World,
    task: Option<TaskId>,
    spawned_at: &'static Location<'static>,
    payload: &(dyn Any + Send),
) {
    tell_of(world, Leaver::Task, task, spawned_at, payload)
}

fn tell_of(
    world: &World,
    of: Leaver,
    task: Option<TaskId>,
    spawned_at: &'static Location<'static>,
    payload: &(dyn Any + Send),
) {
    if !types::seeded!("task.drop-untold") {
        let message = Panic::text_of(payload).to_owned();
        world.report(Report::DropPanicked { task, spawned_at, of, message })
    }
}
