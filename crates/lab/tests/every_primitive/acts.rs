//! What a task does, one operation after the other, through a `Cx` that it may share with a future beside it.
//!
//! Not here: operations that are made of others (`scopes`).
use crate::hand::{Hand, Held, Mark, append};
use crate::op::Op;
use crate::spawned;
use crate::world::World;
use cx::Cx;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use time::TimeExt;
use types::Stop;

/// Whether the task goes on.
pub(crate) type Acting<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl World {
    /// Boxed, as operations are made of operations.
    pub(crate) fn act<'a, 'w: 'a>(
        self: &'w Arc<Self>,
        cx: &'a mut Cx,
        op: &'a Op,
        hand: &'a mut Hand<'w>,
    ) -> Acting<'a> {
        Box::pin(async move {
            match op {
                Op::AtOnce(op) if op.is_leaf() => self.at_once(cx, op, hand).await,
                op if op.is_leaf() => self.leaf(cx, op, hand).await,
                op => self.act_in_a_scope(cx, op, hand).await,
            }
        })
    }

    pub(crate) async fn leaf<'w>(self: &'w Arc<Self>, cx: &Cx, op: &Op, hand: &mut Hand<'w>) -> bool {
        if !op.waits() {
            cx.step().await
        }
        self.at_once(cx, op, hand).await
    }

    async fn at_once<'w>(self: &'w Arc<Self>, cx: &Cx, op: &Op, hand: &mut Hand<'w>) -> bool {
        let number = hand.own as u32 + 1;
        match op {
            Op::Check => return cx.checkpoint().is_ok(),
            Op::Fail => {
                hand.fails = true;
                return false;
            }
            Op::Get => hand.note(self.cell.get()),
            Op::Set => append(&self.cell, number),
            Op::Keep => hand.keep(Held::Mark(Mark { cell: &self.cell, number })),
            Op::Sleep(ms) => return cx.sleep(Duration::from_millis(*ms)).await.is_ok(),
            Op::Now => hand.note(cx.now().as_nanos() / 1_000_000),
            // What children draw depends on who opened a region first.
            Op::Draw if hand.is_of_task(hand.own) => hand.note(cx.random_below(2)),
            Op::Cancel(_) | Op::CancelStep(_) | Op::Joined(_) | Op::Finished(_) => {
                self.by_handle(cx, op, hand).await
            }
            Op::Drop => drop(hand.last()),
            Op::Locks(act) => return self.locks.act(cx, *act, hand).await,
            Op::Counts(act) => return self.counts.act(cx, *act, hand).await,
            Op::Values(act) => self.values.act(cx, *act, hand).await,
            Op::Channels(act) => return self.channels.act(cx, *act, hand).await,
            Op::Exchanges(act) => return self.exchanges.act(cx, *act, hand).await,
            Op::Unbounded(act) => self.unbounded.act(cx, *act, hand).await,
            Op::Spawned(act) => spawned::act(self, cx, *act, hand).await,
            Op::Spawn(op) => spawned::spawn(self, cx, op, hand),
            _ => {}
        }
        true
    }

    /// What is done to another task of the program.
    async fn by_handle(&self, cx: &Cx, op: &Op, hand: &Hand<'_>) {
        match op {
            Op::Cancel(task) => self.cancel(*task, hand),
            Op::CancelStep(task) => {
                if let Some(step) = self.handles[*task].look(hand, |handle| handle.step_to_cancel(cx)) {
                    step.await
                }
                self.cancel(*task, hand)
            }
            Op::Finished(task) => hand.note(self.handles[*task].look(hand, |handle| handle.is_finished())),
            Op::Joined(task) => match self.handles[*task].lend(hand) {
                Some(mut handle) => hand.note(match handle.join(cx).await.ok() {
                    Ok(()) => "joined",
                    Err(Stop::Err(_)) => "failed",
                    Err(_) => "stopped",
                }),
                None => cx.step().await,
            },
            other => unreachable!("{other:?} is done to nobody"),
        }
    }

    fn cancel(&self, task: usize, hand: &Hand<'_>) {
        self.handles[task].look(hand, |handle| handle.cancel("it is no longer needed"));
    }
}
