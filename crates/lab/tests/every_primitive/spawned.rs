//! Tasks that tasks spawn: through the handle of a region, which they also look at and ask to end, and into a set that is
//! joined; and requests that a task makes of itself.
//!
//! Not here: regions that a task opens (`scopes`), the handles of the program's own tasks (`acts`).
use crate::hand::{Hand, append};
use crate::op::Op;
use crate::world::World;
use combinator::TaskSet;
use cx::{Cx, RegionHandle};
use std::sync::Arc;
use types::{CancelKind, Res};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// Into the region that was opened last, or the one of all.
    SpawnInto,
    CancelRegion,
    LookAtPhase,
    /// Asks itself.
    CancelOwn,
    /// Waits to be asked.
    Cancelled,
    Gather,
    JoinNext,
    TryJoinNext,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Cancelled | JoinNext)
    }
}

pub(crate) const REGIONS: &[Act] = &[SpawnInto, SpawnInto, CancelRegion, LookAtPhase, LookAtPhase];
pub(crate) const REQUESTS: &[Act] = &[CancelOwn, Cancelled];
pub(crate) const SET: &[Act] = &[Gather, Gather, JoinNext, TryJoinNext];

/// Spawns a task that does this.
pub(crate) fn spawn(world: &Arc<World>, cx: &Cx, op: &Op, hand: &Hand<'_>) {
    let (its, op) = (world.clone(), op.clone());
    let (path, senders) = (hand.child(), hand.senders.clone());
    cx.spawn(async move |cx: &mut Cx| its.task(cx, Hand::new(path, senders, &its.notes), &[op]).await);
}

pub(crate) async fn act(world: &Arc<World>, cx: &Cx, act: Act, hand: &mut Hand<'_>) {
    match act {
        CancelOwn => cx.handle().cancel(CancelKind::Explicit, "it asks itself", None),
        Cancelled => {
            cx.cancelled().await;
            hand.note("asked")
        }
        Gather | JoinNext | TryJoinNext => in_a_set(world, cx, act, hand).await,
        SpawnInto | CancelRegion | LookAtPhase => {
            if let Some(region) = world.region(hand) {
                by_handle(world, &region, act, hand)
            }
        }
    }
}

fn by_handle(world: &Arc<World>, region: &RegionHandle, act: Act, hand: &Hand<'_>) {
    match act {
        SpawnInto => {
            let (its, path) = (world.clone(), hand.child());
            let body = async move |cx: &mut Cx| {
                let hand = Hand::new(path, crate::hand::Senders::NONE, &its.notes);
                its.task(cx, hand, &[Op::AtOnce(Box::new(Op::Set))]).await
            };
            hand.note(region.try_spawn(body).is_ok())
        }
        CancelRegion => region.cancel(CancelKind::Explicit, "it is no longer needed", None),
        _ => hand.note(region.phase()),
    }
}

async fn in_a_set(world: &Arc<World>, cx: &Cx, act: Act, hand: &mut Hand<'_>) {
    match act {
        Gather => {
            let (its, own) = (world.clone(), hand.own as u32);
            let body = async move |cx: &mut Cx| -> Res<u32, &'static str> {
                cx.step().await;
                cx.checkpoint()?;
                append(&its.cell, own + 1);
                Ok(its.cell.get())
            };
            hand.set().get_or_insert_with(TaskSet::new).spawn(cx, body);
        }
        JoinNext => {
            let Some(set) = hand.set() else { return cx.step().await };
            let next = set.join_next(cx).await;
            hand.note(next.map(|next| next.map(|outcome| outcome.ok().ok())).map_err(|_| "refused"))
        }
        _ => {
            let next = hand.set().as_mut().and_then(|set| set.try_join_next(cx));
            hand.note(next.map(|outcome| outcome.ok().ok()))
        }
    }
}
