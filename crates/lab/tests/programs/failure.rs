//! What a member's end does to its siblings, its region and its caller.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync_lab::explore;
use cx::Cx;
use sync::mpsc;
use time::TimeExt;
use types::{CancelKind, Cause, Outcome, Res, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);

/// Three children of a `try_region`: the first masked, the second fails, the third waits in a receive.
///
/// - `region.policy`: the second's error cancels its siblings with `SiblingFailed`.
/// - `cancel.masked`: the first doesn't see that before its mask ends, 100 ms later.
/// - `cancel.first`: the third's receive returns it, and takes nothing.
/// - `region.outcome`: both cancellations are consequences, so what is left is the error;
/// - `region.escalation`: and `try_region` returns it, as its own type, in place of the body's `Ok`,
/// - `region.waits`: not before the masked one has ended.
#[test]
fn try_region_of_three_second_fails_first_is_masked_third_waits_in_a_receive() {
    explore(0..100, |lab| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        let (first, third) = (seen.clone(), seen.clone());
        let result = lab.run(|cx| async move {
            let result: Res<&str, Boom> = cx
                .try_region(|r| async {
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let slept = cx.masked(async |cx| cx.sleep(100 * MS).await).await;
                        assert!(slept.is_ok(), "a mask lets the sleep end");
                        let c = cx.checkpoint().unwrap_err();
                        first.lock().unwrap().push(("first", c.kind()));
                        Err(c)?
                    });
                    r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                        cx.sleep(MS).await?;
                        Err(Boom("second"))?
                    });
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let stop: Stop = rx.recv(cx).await.unwrap_err().into();
                        let Stop::Cancelled(c) = stop else { panic!("the channel isn't closed") };
                        third.lock().unwrap().push(("third", c.kind()));
                        Err(c)?
                    });
                    Ok("the body's value")
                })
                .await;
            assert_eq!(cx.now(), Time::ZERO + 100 * MS);
            drop(tx);
            result
        });
        assert!(matches!(result, Err(Stop::Err(Boom("second")))), "{result:?}");
        let asked = CancelKind::SiblingFailed;
        assert_eq!(*seen.lock().unwrap(), [("third", asked), ("first", asked)]);
        assert_clean(lab);
    });
}

/// A body that waits itself is cancelled with its siblings, and what it returns then is a consequence: the
/// error is returned in its place (`region.policy`, `region.escalation`).
#[test]
fn a_siblings_failure_stops_the_body_and_is_returned_in_its_place() {
    explore(0..50, |lab| {
        let result = lab.run(|cx| async {
            cx.try_region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                    cx.sleep(MS).await?;
                    Err(Boom("member"))?
                });
                r.sleep(Duration::from_secs(3600)).await?;
                Ok::<(), Stop<Boom>>(())
            })
            .await
        });
        assert!(matches!(result, Err(Stop::Err(Boom("member")))), "{result:?}");
        assert_eq!(lab.now(), Time::ZERO + MS);
        assert_clean(lab);
    });
}

/// A sibling is cancelled by the one that joins it, which looks at the outcome and goes on.
///
/// - `cancel.down`: the request on the one task reaches it and nobody else.
/// - `outcome.failure`: that task was asked, so its end is none, and nobody is cancelled because of it.
/// - `task.once`: the joiner has its outcome, which is handled with that (`region.outcome`).
#[test]
fn joining_a_cancelled_sibling_and_looking_at_its_outcome() {
    explore(0..100, |lab| {
        let result = lab.run(|cx| async {
            cx.try_region(|r| async {
                let mut idle = r.spawn(async |cx: &mut Cx| -> Res<u8> {
                    Ok(cx.sleep(3600 * 1000 * MS).await.map(|()| 1)?)
                });
                let mut joiner = r.spawn(async move |cx: &mut Cx| -> Res<CancelKind> {
                    cx.yield_now().await;
                    idle.cancel("not needed any more");
                    match idle.join(cx).await {
                        Outcome::Cancelled(c) => {
                            assert_eq!(c.origin().scope, idle.id().as_u64(), "asked of that very task");
                            Ok(c.kind())
                        }
                        other => panic!("{other:?}"),
                    }
                });
                joiner.join(r).await.ok()
            })
            .await
        });
        assert_eq!(result.unwrap(), CancelKind::Explicit);
        assert_eq!(lab.now(), Time::ZERO);
        assert_clean(lab);
    });
}

/// The same, but the joiner lets the cancellation out with `?`.
///
/// - `outcome.failure`: nobody asked the joiner to stop, so ending `Cancelled` is a failure of its own;
/// - `region.policy`: the third sibling is cancelled with `SiblingFailed`;
/// - `region.escalation`: nobody joined the joiner, and its loss is no `Boom`, so `try_region` returns a
///   `ChildFailed` cancellation with the loss as its cause.
#[test]
fn joining_a_cancelled_sibling_and_passing_its_cancellation_on() {
    explore(0..100, |lab| {
        let asked = Arc::new(Mutex::new(None));
        let third = asked.clone();
        let result: Res<(), Boom> = lab.run(|cx| async {
            cx.try_region(|r| async move {
                let mut idle = r.spawn(async |cx: &mut Cx| -> Res<u8> {
                    cx.sleep(3600 * 1000 * MS).await?;
                    Ok(1)
                });
                r.spawn(async move |cx: &mut Cx| -> Res<u8> {
                    idle.cancel("not needed any more");
                    idle.join(cx).await.ok()
                });
                r.spawn(async move |cx: &mut Cx| -> Res {
                    let c = cx.sleep(3600 * 1000 * MS).await.unwrap_err();
                    *third.lock().unwrap() = Some(c.kind());
                    Err(c)?
                });
                Ok(())
            })
            .await
        });
        let Err(Stop::Cancelled(c)) = result else { panic!("{result:?}") };
        assert_eq!(c.kind(), CancelKind::ChildFailed);
        assert!(matches!(c.cause(), Some(Cause::Failed(_))), "{c:?}");
        assert_eq!(*asked.lock().unwrap(), Some(CancelKind::SiblingFailed));
        assert_clean(lab);
    });
}

/// FailFast inside Collect inside FailFast, with a panic at the bottom.
///
/// - `region.policy`: the panic cancels its sibling in the innermost region, and there ends its reach:
/// - `region.escalation`: nobody joined it, so it is resumed where that region was awaited, and is the outcome of
///   that task, a member of the collecting region;
/// - `region.policy`: which cancels nobody and hands the outcome over, so the other collected task ends `Ok`,
///   and the outermost region never hears of any of it.
#[test]
fn fail_fast_inside_collect_inside_fail_fast_with_a_panic_at_the_bottom() {
    explore(0..100, |lab| {
        let (ends, bottom) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
        let (log, sibling) = (ends.clone(), bottom.clone());
        lab.run(|cx| async move {
            cx.region(|outer| async move {
                let (bystander, collector) = (log.clone(), log);
                outer.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep(50 * MS).await?;
                    bystander.lock().unwrap().push("bystander");
                    Ok(())
                });
                outer.spawn(async move |cx: &mut Cx| -> Res {
                    let collected = cx
                        .collect(|mid| async {
                            let other = collector.clone();
                            mid.spawn(async move |cx: &mut Cx| -> Res {
                                cx.sleep(20 * MS).await?;
                                other.lock().unwrap().push("collected");
                                Ok(())
                            });
                            mid.spawn(async move |cx: &mut Cx| {
                                cx.region(|inner| async move {
                                    inner.spawn(async |cx: &mut Cx| -> Res {
                                        cx.sleep(MS).await?;
                                        panic!("at the bottom")
                                    });
                                    inner.spawn(async move |cx: &mut Cx| -> Res {
                                        let c = cx.sleep(3600 * 1000 * MS).await.unwrap_err();
                                        assert_eq!(c.kind(), CancelKind::SiblingFailed);
                                        sibling.fetch_add(1, SeqCst);
                                        Err(c)?
                                    });
                                })
                                .await
                            });
                            7
                        })
                        .await;
                    assert_eq!((collected.value, collected.ended, collected.lost.len()), (7, 2, 1));
                    let lost = collected.lost[0].note();
                    assert!(lost.text().contains("at the bottom"), "{lost}");
                    collector.lock().unwrap().push("collector");
                    cx.checkpoint()?;
                    Ok(())
                });
            })
            .await;
            cx.checkpoint().expect("nothing escalated");
        });
        assert_eq!(bottom.load(SeqCst), 1);
        assert_eq!(*ends.lock().unwrap(), ["collected", "collector", "bystander"]);
        assert_eq!(lab.now(), Time::ZERO + 50 * MS);
        assert_clean(lab);
    });
}

/// `Ok` after the region was cancelled: nobody looked, so nobody stops.
///
/// - `cancel.acknowledged`: a body that finishes after a request completes `Ok` and keeps its value, the member's
///   and the region's own;
/// - `cancel.visible`: nobody acknowledged, so `Ok` stands, however late.
#[test]
fn ok_after_the_region_was_cancelled_stands_if_nobody_looked() {
    explore(0..100, |lab| {
        let result: Res<(u8, u8), Boom> = lab.run(|cx| async {
            cx.try_region(|r| async {
                let handle = r.handle();
                let mut member = r.spawn(async |cx: &mut Cx| -> Res<u8> {
                    for _ in 0..3 {
                        cx.yield_now().await;
                    }
                    Ok(1)
                });
                // Nobody joins this one: its `Ok` is no loss either.
                r.spawn(async |cx: &mut Cx| -> Res<u8> {
                    cx.yield_now().await;
                    Ok(2)
                });
                handle.cancel(CancelKind::Explicit, "the operator said so", None);
                while !member.is_finished() {
                    r.yield_now().await;
                }
                // `join` of a finished task is never refused, though the region is cancelled.
                let value = member.join(r).await.unwrap();
                Ok((value, 40))
            })
            .await
        });
        assert_eq!(result.unwrap(), (1, 40));
        assert_clean(lab);
    });
}

/// The same with one member that looked, below a region above that was cancelled: what was cut short must not
/// look complete (`cancel.visible`), so `try_region` returns that cancellation in place of its body's `Ok`.
#[test]
fn ok_after_a_region_above_was_cancelled_is_replaced_if_a_member_looked() {
    explore(0..100, |lab| {
        lab.run(|cx| async {
            cx.region(|above| async {
                let handle = above.handle();
                let result: Res<u8, Boom> = above
                    .try_region(|r| async {
                        r.spawn(async |cx: &mut Cx| -> Res {
                            cx.sleep(3600 * 1000 * MS).await?;
                            Ok(())
                        });
                        r.yield_now().await;
                        handle.cancel(CancelKind::Explicit, "the operator said so", None);
                        Ok(40)
                    })
                    .await;
                let Err(Stop::Cancelled(c)) = result else { panic!("{result:?}") };
                assert_eq!(
                    (c.kind(), c.origin().scope),
                    (CancelKind::Explicit, handle.id().unwrap().as_u64())
                );
                assert_eq!(c.why(), "the operator said so");
            })
            .await
        });
        assert_eq!(lab.now(), Time::ZERO);
        assert_clean(lab);
    });
}
