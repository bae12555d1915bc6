//! Operations that are made of others: in branches, in regions, behind masks, and beside foreign futures.
//!
//! Not here: what they are made of (`acts`).
use crate::hand::Hand;
use crate::op::Op;
use crate::spawned;
use crate::world::World;
use combinator::{CombineExt, Either, Of3, SelectExt};
use cx::Cx;
use futures::future::{self, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use types::{Res, Stop};

impl World {
    /// A branch or a child has empty hands in the beginning. Whether the task goes on.
    pub(crate) async fn act_in_a_scope<'w>(
        self: &'w Arc<Self>,
        cx: &mut Cx,
        op: &Op,
        hand: &mut Hand<'w>,
    ) -> bool {
        match op {
            Op::AtOnce(op) => return self.act(cx, op, hand).await,
            Op::Masked(op) => return cx.masked(async |cx: &mut Cx| self.act(cx, op, hand).await).await,
            Op::ForeignRace(..) | Op::ForeignBoth(..) | Op::Until(_) => self.foreign(cx, op, hand).await,
            Op::Child(_) | Op::Family(..) => self.in_a_region(cx, op, hand).await,
            Op::Timeout(_) | Op::Bracket(..) | Op::PolledOnce(_) => self.around(cx, op, hand).await,
            _ => self.branches(cx, op, hand).await,
        }
        true
    }

    async fn leg<'w>(self: &'w Arc<Self>, cx: &mut Cx, op: &Op, hand: &Hand<'w>) -> bool {
        self.act(cx, op, &mut hand.another()).await
    }

    /// As [`World::leg`], where it counts as a failure to be refused.
    async fn may_fail<'w>(
        self: &'w Arc<Self>,
        cx: &mut Cx,
        op: &Op,
        hand: &Hand<'w>,
    ) -> Res<(), &'static str> {
        if self.leg(cx, op, hand).await { Ok(()) } else { Err(Stop::Err("refused")) }
    }

    async fn branches<'w>(self: &'w Arc<Self>, cx: &mut Cx, op: &Op, hand: &Hand<'w>) {
        let leg = async |cx: &mut Cx, op: &Op| self.leg(cx, op, hand).await;
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
            Op::TryBoth(a, b) => {
                let both = cx.try_join(
                    async |cx: &mut Cx| self.may_fail(cx, a, hand).await,
                    async |cx: &mut Cx| self.may_fail(cx, b, hand).await,
                );
                hand.note(both.await.is_ok())
            }
            Op::AnyOf(three) => {
                let [a, b, c] = &**three;
                let a = async |cx: &mut Cx| leg(cx, a).await;
                let b = async |cx: &mut Cx| leg(cx, b).await;
                let c = async |cx: &mut Cx| leg(cx, c).await;
                match cx.select3(a, b, c).await {
                    Of3::First(came) => hand.note(("A", came)),
                    Of3::Second(came) => hand.note(("B", came)),
                    Of3::Third(came) => hand.note(("C", came)),
                }
            }
            Op::AllOf(three) => {
                let all = three.iter().map(|op| async move |cx: &mut Cx| self.leg(cx, op, hand).await);
                hand.note(cx.join_all(all).await)
            }
            other => unreachable!("{other:?} has no branches"),
        }
    }

    async fn in_a_region<'w>(self: &'w Arc<Self>, cx: &mut Cx, op: &Op, hand: &Hand<'w>) {
        match op {
            Op::Child(op) => {
                cx.region(|scope| async {
                    scope.step().await;
                    self.leg(scope, op, hand).await
                })
                .await;
            }
            Op::Family(child, op) => {
                cx.region(|scope| async {
                    self.opened.put(scope.handle());
                    spawned::spawn(self, scope, child, hand);
                    self.leg(scope, op, hand).await
                })
                .await;
            }
            other => unreachable!("{other:?} opens no region"),
        }
    }

    /// What waits for one operation in its own way.
    async fn around<'w>(self: &'w Arc<Self>, cx: &mut Cx, op: &Op, hand: &Hand<'w>) {
        match op {
            Op::Timeout(op) => {
                let body = async |cx: &mut Cx| Res::<bool>::Ok(self.leg(cx, op, hand).await);
                let came = cx.timeout(Duration::from_millis(1), body).await;
                hand.note(came.map_err(|_| "late"))
            }
            Op::Bracket(using, releasing) => {
                let used = cx.bracket(
                    async |cx: &mut Cx| Ok(cx.checkpoint()?),
                    async |cx: &mut Cx, (): &mut ()| self.may_fail(cx, using, hand).await,
                    async |cx: &mut Cx, ()| {
                        self.leg(cx, releasing, hand).await;
                    },
                );
                hand.note(used.await.is_ok())
            }
            Op::PolledOnce(op) => {
                let mut another = hand.another();
                let mut acting = self.act(cx, op, &mut another);
                let came = poll_fn(|context| Poll::Ready(acting.as_mut().poll(context).is_ready())).await;
                drop(acting);
                hand.note(came)
            }
            other => unreachable!("{other:?} is around nothing"),
        }
    }

    /// Futures beside each other that know nothing of it: what is made of others needs a `Cx` alone, and is a step here.
    async fn foreign<'w>(self: &'w Arc<Self>, cx: &Cx, op: &Op, hand: &Hand<'w>) {
        let leaf = async |op: &Op| match op {
            op if op.is_leaf() => self.leaf(cx, op, &mut hand.another()).await,
            _ => {
                cx.step().await;
                true
            }
        };
        match op {
            Op::ForeignRace(a, b) => match future::select(pin!(leaf(a)), pin!(leaf(b))).await {
                future::Either::Left((came, _)) => hand.note(("A", came)),
                future::Either::Right((came, _)) => hand.note(("B", came)),
            },
            Op::ForeignBoth(a, b) => hand.note(future::join(leaf(a), leaf(b)).await),
            Op::Until(op) => hand.note(cx.until_cancelled(leaf(op)).await.map_err(|_| "asked")),
            other => unreachable!("{other:?} is of this crate"),
        }
    }
}
