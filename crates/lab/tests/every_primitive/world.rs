//! What the tasks of a program share, and what running one comes to.
//!
//! Not here: what is done with a primitive (`locks`, `counts`, `values`, `channels`).
use crate::channels::Channels;
use crate::counts::Counts;
use crate::hand::{Hand, Slot};
use crate::locks::Locks;
use crate::program::{Op, Program};
use crate::values::Values;
use asupersync_lab::{LabFailure, LabRuntime};
use combinator::{CombineExt, Either};
use cx::{Cx, TaskHandle};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sync::shared::Shared;
use time::TimeExt;
use types::{Never, Res};

pub(crate) struct World {
    locks: Locks,
    counts: Counts,
    values: Values,
    channels: Channels,
    cell: Shared<u32>,
    handles: Vec<Slot<TaskHandle<(), Never>>>,
    /// Each is written by one task only.
    notes: Vec<Mutex<String>>,
}

type Acting<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl World {
    fn new(tasks: usize) -> Self {
        World {
            locks: Locks::new(),
            counts: Counts::new(),
            values: Values::new(tasks),
            channels: Channels::new(),
            cell: Shared::new(0),
            handles: (0..tasks).map(|_| Slot::new(None)).collect(),
            notes: (0..tasks).map(|_| Mutex::default()).collect(),
        }
    }

    /// Does one after the other. A task that is refused something ends.
    async fn task(&self, cx: &mut Cx, own: usize, ops: &[Op]) {
        let mut hand = Hand::new(own, &self.notes[own]);
        for op in ops {
            if !self.act(cx, op, &mut hand).await {
                hand.note("refused");
                break;
            }
        }
    }

    /// Whether the task goes on. Boxed, as operations are made of operations.
    fn act<'a, 'w: 'a>(&'w self, cx: &'a mut Cx, op: &'a Op, hand: &'a mut Hand<'w>) -> Acting<'a> {
        Box::pin(async move {
            if !op.waits() {
                cx.step().await
            }
            match op {
                Op::Step => {}
                Op::Check => return cx.checkpoint().is_ok(),
                Op::Get => hand.note(self.cell.get()),
                Op::Set => self.cell.set(hand.own as u32 + 1),
                Op::Sleep(ms) => return cx.sleep(Duration::from_millis(*ms)).await.is_ok(),
                Op::Now => hand.note(cx.now().as_nanos() / 1_000_000),
                Op::Draw => hand.note(cx.random_below(2)),
                Op::Cancel(task) => self.cancel(*task),
                Op::CancelStep(task) => {
                    if let Some(step) = self.handles[*task].look(|handle| handle.step_to_cancel(cx)) {
                        step.await
                    }
                    self.cancel(*task)
                }
                Op::Joined(task) => match self.handles[*task].lend() {
                    Some(mut handle) => {
                        let joined = handle.join(cx).await;
                        hand.note(if joined.is_ok() { "joined" } else { "stopped" })
                    }
                    None => cx.step().await,
                },
                Op::Drop => drop(hand.last()),
                Op::Locks(act) => return self.locks.act(cx, *act, hand).await,
                Op::Counts(act) => return self.counts.act(cx, *act, hand).await,
                Op::Values(act) => self.values.act(cx, *act, hand).await,
                Op::Channels(act) => return self.channels.act(cx, *act, hand).await,
                Op::Masked(op) => {
                    return cx.masked(async |cx: &mut Cx| self.act(cx, op, hand).await).await;
                }
                _ => self.act_in_a_scope(cx, op, hand).await,
            }
            true
        })
    }

    /// Operations made of others, each of which is done with empty hands.
    async fn act_in_a_scope<'w>(&'w self, cx: &mut Cx, op: &Op, hand: &Hand<'w>) {
        let leg = async |cx: &mut Cx, op: &Op| self.act(cx, op, &mut hand.another()).await;
        match op {
            Op::Race(a, b) => {
                match cx
                    .select(async |cx: &mut Cx| leg(cx, a).await, async |cx: &mut Cx| leg(cx, b).await)
                    .await
                {
                    Either::First(came) => hand.note(("A", came)),
                    Either::Second(came) => hand.note(("B", came)),
                }
            }
            Op::Both(a, b) => {
                let both =
                    cx.join(async |cx: &mut Cx| leg(cx, a).await, async |cx: &mut Cx| leg(cx, b).await);
                hand.note(both.await)
            }
            Op::Timeout(op) => {
                let body = async |cx: &mut Cx| Res::<bool>::Ok(leg(cx, op).await);
                let came = cx.timeout(Duration::from_millis(1), body).await;
                hand.note(came.map_err(|_| "late"))
            }
            Op::Child(op) => {
                cx.region(|scope| async {
                    scope.step().await;
                    leg(scope, op).await
                })
                .await;
            }
            other => unreachable!("{other:?} is made of no others"),
        }
    }

    fn cancel(&self, task: usize) {
        self.handles[task].look(|handle| handle.cancel("it is no longer needed"));
    }
}

/// Runs the program in this lab. What its tasks noted, in their order, and how it ended; nothing if the run was given up as
/// one that is like another.
pub(crate) fn run(lab: &LabRuntime, program: &Program) -> Option<String> {
    let tasks = program.0.len();
    let slot = Mutex::new(None);
    let ended = lab.try_run(async |cx| {
        let world = Arc::new(World::new(tasks));
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(world.clone());
        cx.region(|scope| async {
            for (own, ops) in program.0.iter().enumerate() {
                let (its, ops) = (world.clone(), ops.clone());
                let handle = scope.spawn(async move |cx: &mut Cx| its.task(cx, own, &ops).await);
                world.handles[own].put(handle)
            }
        })
        .await
    });
    let end = match ended {
        Ok(()) => String::new(),
        Err(LabFailure::Redundant) => return None,
        Err(LabFailure::Deadlock { .. }) => "stuck".to_owned(),
        Err(other) => other.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let world = slot.into_inner().unwrap_or_else(PoisonError::into_inner).expect("the root began");
    let notes: Vec<String> =
        world.notes.iter().map(|note| note.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
    Some(format!("{}{end}", notes.join("| ")))
}
