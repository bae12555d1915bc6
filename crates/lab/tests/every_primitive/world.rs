//! What the tasks of a program share, and what running one comes to.
//!
//! Not here: what tasks do (`acts`, `scopes`).
use crate::channels::Channels;
use crate::counts::Counts;
use crate::ends::{Ends, Slot};
use crate::exchanges::Exchanges;
use crate::hand::{Hand, Notes, Senders};
use crate::locks::Locks;
use crate::op::Op;
use crate::program::Program;
use crate::unbounded::Unbounded;
use crate::values::Values;
use asupersync_lab::{LabFailure, LabRuntime};
use cx::{Cx, RegionHandle, TaskHandle};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use sync::shared::Shared;
use types::{Res, Stop};

pub(crate) struct World {
    pub(crate) locks: Locks,
    pub(crate) counts: Counts,
    pub(crate) values: Values,
    pub(crate) channels: Channels,
    pub(crate) unbounded: Unbounded,
    pub(crate) exchanges: Exchanges,
    pub(crate) cell: Shared<u32>,
    pub(crate) handles: Vec<Slot<TaskHandle<(), &'static str>>>,
    /// The region of the program's tasks.
    region: OnceLock<RegionHandle>,
    /// The one that was opened last. Nobody finds it where nothing is shared without saying so.
    pub(crate) opened: Slot<RegionHandle>,
    pub(crate) notes: Notes,
}

/// Nobody's number.
const NOBODY: usize = usize::MAX;

impl World {
    /// And what is moved into each task.
    fn new(tasks: usize, ends: Ends) -> (Self, Senders) {
        let (channels, bounded) = Channels::new(ends);
        let (unbounded, sender) = Unbounded::new(ends);
        let world = World {
            locks: Locks::new(),
            counts: Counts::new(),
            values: Values::new(tasks, ends),
            channels,
            unbounded,
            exchanges: Exchanges::new(ends),
            cell: Shared::new(0),
            // Who comes next has it.
            handles: (0..tasks).map(|task| ends.slot(task + 1, None)).collect(),
            region: OnceLock::new(),
            opened: ends.slot(NOBODY, None),
            notes: Notes::default(),
        };
        (world, Senders { bounded, unbounded: sender })
    }

    /// The region that others may know of.
    pub(crate) fn region(&self, hand: &Hand<'_>) -> Option<RegionHandle> {
        self.opened.look(hand, RegionHandle::clone).or_else(|| self.region.get().cloned())
    }

    /// Does one after the other. A task that is refused something ends.
    pub(crate) async fn task<'w>(
        self: &'w Arc<Self>,
        cx: &mut Cx,
        mut hand: Hand<'w>,
        ops: &[Op],
    ) -> Res<(), &'static str> {
        for op in ops {
            if !self.act(cx, op, &mut hand).await {
                hand.note("refused");
                break;
            }
        }
        if hand.fails { Err(Stop::Err("planned")) } else { Ok(()) }
    }

    fn spawn_all(self: &Arc<Self>, scope: &Cx, tasks: &[Vec<Op>], senders: &Senders) {
        let _ = self.region.set(scope.handle());
        for (own, ops) in tasks.iter().enumerate() {
            let (its, ops, senders) = (Leaving(self.clone(), own), ops.clone(), senders.clone());
            let body = async move |cx: &mut Cx| {
                let world = &its.0;
                world.task(cx, Hand::new(vec![own], senders, &world.notes), &ops).await
            };
            self.handles[own].put(scope.spawn(body))
        }
    }
}

/// A task that has ended, or was dropped before, drops what was moved into it.
struct Leaving(Arc<World>, usize);

impl Drop for Leaving {
    fn drop(&mut self) {
        let Leaving(world, task) = self;
        world.values.leave(*task);
        world.channels.receiver.leave(*task);
        world.exchanges.leave(*task);
        world.unbounded.receiver.leave(*task);
        world.handles.iter().for_each(|handle| handle.leave(*task));
    }
}

/// Runs the program in this lab. What its tasks noted, in their order, and how it ended; nothing if the run was given up as
/// one that is like another.
pub(crate) fn run(lab: &LabRuntime, program: &Program) -> Option<String> {
    let Program { tasks, ends } = program;
    let slot = Mutex::new(None);
    let ended = lab.try_run(async |cx| {
        let (world, senders) = World::new(tasks.len(), *ends);
        let world = Arc::new(world);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(world.clone());
        cx.region(|scope| async {
            world.spawn_all(scope, tasks, &senders);
            drop(senders)
        })
        .await;
        Hand::new(vec![NOBODY], Senders::NONE, &world.notes).note(world.cell.get())
    });
    let end = match ended {
        Ok(()) => String::new(),
        Err(LabFailure::Redundant) => return None,
        Err(LabFailure::Deadlock { .. }) => "stuck".to_owned(),
        Err(other) => without_numbers(&other.to_string()),
    };
    let world = slot.into_inner().unwrap_or_else(PoisonError::into_inner).expect("the root began");
    let notes = world.notes.lock().unwrap_or_else(PoisonError::into_inner);
    let told: Vec<String> = notes.iter().map(|(path, note)| format!("{path:?} {note}")).collect();
    Some(format!("{}{end}", told.join("| ")))
}

/// The first line, without names that differ from run to run.
fn without_numbers(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect()
}
