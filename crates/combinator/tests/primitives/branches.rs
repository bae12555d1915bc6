//! Combinators that own several bodies: two gates are opened in any order, and bodies wait at them.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use asupersync_combinator::plan::{Estimate, Plan};
use asupersync_combinator::{CombineExt, Either, Hedge, ManyExt, OnRequest, SelectExt, TaskSet};
use cx::Cx;
use lab::prove;
use sync::mpsc::Sender;
use sync::oneshot;
use types::{Res, Stream, Time};

use crate::{Bodies, Gates, SECOND, holds};

/// The body of a program: gates that are being opened, inside a region, and all bodies returned after it.
macro_rules! between_gates {
    (|$cx:ident, $gates:ident| $body:expr) => {
        async |cx: &mut Cx| {
            let $gates = Gates::new();
            cx.region(|$cx| async {
                $gates.open($cx);
                $body
            })
            .await;
            $gates.bodies.all_returned();
        }
    };
}

#[test]
fn all_of_a_join_return() {
    holds(prove(
        "combinator::join",
        between_gates!(|cx, gates| {
            let joined =
                cx.try_join(async |cx| gates.pass(cx, 0).await, async |cx| gates.pass(cx, 1).await).await;
            match joined {
                Ok(both) => assert_eq!(both, (0, 1)),
                Err(stop) => assert!(stop.is_cancelled()),
            }
        }),
    ));
}

#[test]
fn the_loser_of_a_race_has_ended() {
    holds(prove(
        "combinator::race",
        between_gates!(|cx, gates| {
            let won = cx.race(async |cx| gates.pass(cx, 0).await, async |cx| gates.pass(cx, 1).await).await;
            assert_eq!(gates.bodies.returned(), 2, "{won:?}");
            let which =
                cx.select(async |cx| gates.pass(cx, 0).await, async |cx| gates.pass(cx, 1).await).await;
            let (Either::First(ended) | Either::Second(ended)) = which;
            assert!(ended.is_err() || gates.bodies.returned() == 4);
        }),
    ));
}

#[test]
fn whoever_is_not_selected_has_ended() {
    holds(prove(
        "combinator::select",
        between_gates!(|cx, gates| {
            let which = cx
                .select3_fair(
                    async |cx| gates.pass(cx, 0).await,
                    async |cx| gates.pass(cx, 1).await,
                    async |cx| gates.bodies.run(cx.cancelled()).await,
                )
                .await;
            assert_eq!(gates.bodies.returned(), 3, "{which:?}");
        }),
    ));
}

#[test]
fn a_quorum_is_reached_or_out_of_reach() {
    holds(prove(
        "combinator::quorum",
        between_gates!(|cx, gates| {
            let gates = &gates;
            let bodies = [0, 1].map(|gate| async move |cx: &mut Cx| gates.pass(cx, gate).await);
            let quorum = cx.quorum(1, bodies).await;
            assert!(quorum.is_reached() || quorum.failures().len() == 2);
            assert_eq!(gates.bodies.returned(), 2);
        }),
    ));
}

/// The gate is opened at the instant at which the body is out of time, before or after that is noticed.
#[test]
fn a_body_under_a_limit_is_not_dropped() {
    holds(prove("combinator::limit", async |cx: &mut Cx| {
        let gates = Gates::new();
        cx.region(|cx| async {
            gates.open_late(cx);
            let ended = cx.timeout(SECOND, async |cx| gates.pass(cx, 0).await).await;
            assert!(ended.is_ok_and(|gate| gate == 0) || cx.now() <= Time::ZERO + SECOND);
        })
        .await;
        gates.bodies.all_returned();
    }));
}

/// A foreign future is ready at the instant at which somebody asks, and each who awaits it is cancelled in turn.
#[test]
fn a_foreign_future_is_dropped_or_has_its_value() {
    holds(prove("combinator::limit", async |cx: &mut Cx| {
        let held = Arc::new(());
        cx.region(|cx| async {
            for _ in 0..2 {
                let held = held.clone();
                let awaits = cx.spawn(async move |cx: &mut Cx| {
                    let (tx, mut rx) = oneshot::channel();
                    cx.spawn(async move |cx: &mut Cx| {
                        cx.step().await;
                        // Nobody may be left to take it.
                        let _ = tx.send(held);
                    });
                    let foreign =
                        async move { poll_fn(|context| Pin::new(&mut rx).poll_next(context)).await };
                    match cx.until_cancelled(foreign).await {
                        Ok(value) => drop(value),
                        Err(_) => assert!(cx.checkpoint().is_err()),
                    }
                });
                cx.step().await;
                awaits.cancel("at the same time");
            }
        })
        .await;
        assert_eq!(Arc::strong_count(&held), 1);
    }));
}

/// The first attempt is answered at the instant at which the second one begins, which then waits for ever.
#[test]
fn attempts_that_came_too_late_have_ended() {
    holds(prove("combinator::hedge", async |cx: &mut Cx| {
        let gates = Gates::new();
        cx.region(|cx| async {
            gates.open_late(cx);
            let gates = &gates;
            let attempts = [0, 1].map(|gate| async move |cx: &mut Cx| gates.pass(cx, gate).await);
            let first: Res<usize> = cx.hedge(Hedge::after(SECOND), attempts).await;
            assert!(matches!(first, Ok(0)) || first.is_err_and(|stop| stop.is_cancelled()));
        })
        .await;
        gates.bodies.all_returned();
    }));
}

#[test]
fn whoever_began_has_ended_when_all_were_to_have_a_turn() {
    holds(prove(
        "combinator::each",
        between_gates!(|cx, gates| {
            let gates = &gates;
            let sum = cx
                .map_reduce(
                    2,
                    [0, 1],
                    async |cx: &mut Cx, gate| gates.pass(cx, gate).await,
                    |left, right| left + 10 * right,
                )
                .await;
            assert!(sum.is_err() || matches!(sum, Ok(Some(10))));
        }),
    ));
}

#[test]
fn whoever_began_in_a_plan_has_ended_with_it() {
    holds(prove("combinator::plan", async |cx: &mut Cx| {
        let gates = Arc::new(Gates::new());
        cx.region(|cx| async {
            gates.open(cx);
            let leaf = |gate| {
                let gates = gates.clone();
                Plan::leaf("gate", Estimate::UNKNOWN, async move |cx: &mut Cx| gates.pass(cx, gate).await)
            };
            let plan = Plan::join([leaf(0), Plan::race([leaf(1), Plan::never()]).retry(2, SECOND)]);
            match plan.simplified().plan.run(cx).await {
                Ok(both) => assert_eq!(both, [0, 1]),
                Err(stop) => assert!(stop.is_cancelled()),
            }
        })
        .await;
        gates.bodies.all_returned();
    }));
}

#[test]
fn what_a_pipeline_took_in_has_come_out() {
    holds(prove(
        "combinator::pipeline",
        between_gates!(|cx, gates| {
            let (gates, sent, through) = (&gates, Cell::new(0), Cell::new(0));
            let source = async |cx: &mut Cx, to: Sender<usize>| {
                for gate in 0..2 {
                    to.send(cx, gates.pass(cx, gate).await?).await?;
                    sent.set(sent.get() + 1);
                }
                Ok(())
            };
            let ended: Res = cx
                .pipeline(OnRequest::Drain, source)
                .stage(1, async |_: &mut Cx, gate| Ok(gate + 1))
                .each(1, async |_: &mut Cx, _| {
                    through.set(through.get() + 1);
                    Ok(())
                })
                .await;
            assert_eq!(sent.get(), through.get(), "{ended:?}");
        }),
    ));
}

/// Who is in a set is joined, or asked to stop when the set is dropped; the region awaits both.
#[test]
fn whoever_is_in_a_set_is_joined_or_asked_to_stop() {
    holds(prove("combinator::task_set", async |cx: &mut Cx| {
        let bodies = Bodies::default();
        cx.region(|cx| async {
            let mut set = TaskSet::new();
            for member in 0..2 {
                let bodies = bodies.clone();
                set.spawn(cx, async move |cx: &mut Cx| -> Res<u32> {
                    let body = async {
                        cx.step().await;
                        cx.checkpoint()?;
                        Ok(member)
                    };
                    bodies.run(body).await
                });
            }
            let mut joined = 0;
            while let Ok(Some(_ended)) = set.join_next(cx).await {
                joined += 1;
            }
            assert_eq!(joined + set.len(), 2, "an outcome was lost");
        })
        .await;
        assert_eq!(bodies.returned(), 2);
    }));
}
