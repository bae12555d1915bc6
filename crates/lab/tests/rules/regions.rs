//! `region.*`, `scope.tree`, `task.once`: who owns what, and when it's over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use asupersync_lab::{LabRuntime, explore};
use combinator::CombineExt;
use cx::{Cx, RegionOptions};
use time::TimeExt;
use trace::{Label, RegionPhase};
use types::{CancelKind, Cause, Outcome, RegionId, Res, Severity, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

fn labels(lab: &LabRuntime) -> Vec<Label> {
    lab.events().into_iter().map(|event| event.label).collect()
}

#[test]
fn region_tree_a_task_hangs_on_the_region_around_its_spawn() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let outer = r.handle();
                let a = r.spawn(async |cx: &mut Cx| -> Res {
                    cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(5 * MS).await?) });
                    Ok(cx.sleep(5 * MS).await?)
                });
                r.sleep(MS).await.unwrap();
                let view = outer.view().unwrap();
                let [member] = &view.members[..] else { panic!("{view:?}") };
                assert_eq!(member.task, a.id());
                let [of_a] = &view.children[..] else { panic!("{view:?}") };
                assert_eq!((of_a.members.len(), of_a.body), (1, Some(a.id())));
            })
            .await
        });
        assert_clean(lab);
    });
}

#[test]
fn region_no_admit_a_region_whose_body_is_over_admits_nobody() {
    explore(0..50, |lab| {
        let tried = Arc::new(AtomicU32::new(0));
        let t = tried.clone();
        lab.run(|cx| async move {
            cx.region(|r| async {
                let handle = r.handle();
                r.spawn(async move |cx: &mut Cx| -> Res {
                    while handle.phase() == RegionPhase::Open {
                        cx.yield_now().await;
                    }
                    assert!(handle.try_spawn(async |_: &mut Cx| ()).is_err(), "{:?}", handle.phase());
                    // Its live tasks may still open regions of their own.
                    let mut own = cx.spawn(async |_: &mut Cx| -> Res<u8> { Ok(1) });
                    assert_eq!(own.join(cx).await.unwrap(), 1);
                    t.fetch_add(1, SeqCst);
                    Ok(())
                });
            })
            .await
        });
        assert_eq!(tried.load(SeqCst), 1);
        assert_clean(lab);
    });
}

#[test]
fn region_no_admit_a_context_kept_past_its_region_is_refused() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let mut kept = None;
            cx.region(|r| {
                kept = Some(&*r);
                async {}
            })
            .await;
            let kept = kept.unwrap();
            let mut refused = kept.spawn(async |_: &mut Cx| -> Res<u8> { Ok(1) });
            let end = refused.join(kept).await;
            assert!(matches!(&end, Outcome::Cancelled(c) if c.kind() == CancelKind::SpawnRefused), "{end:?}");
            assert!(kept.try_spawn(async |_: &mut Cx| ()).is_err());
            assert!(kept.finally(async |_: &mut Cx<_>| Ok(())).is_err());
        });
        assert_clean(lab);
    });
}

#[test]
fn region_phases_each_comes_once_and_in_order() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res {
                    cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(MS).await?) });
                    Ok(())
                });
                r.finally(async |_: &mut Cx<_>| Ok(())).unwrap();
            })
            .await
        });
        let all = labels(lab);
        let regions: Vec<RegionId> = all
            .iter()
            .filter_map(|label| match label {
                Label::RegionOpen { region, .. } => Some(*region),
                _ => None,
            })
            .collect();
        assert_eq!(regions.len(), 3);
        for of in regions {
            let phases: Vec<RegionPhase> = all
                .iter()
                .filter_map(|label| match label {
                    Label::RegionState { region, to } if *region == of => Some(*to),
                    Label::RegionClose { region, .. } if *region == of => Some(RegionPhase::Closed),
                    _ => None,
                })
                .collect();
            use RegionPhase::*;
            assert_eq!(phases, [Draining, Finalizing, Settling, Closed]);
        }
        assert_clean(lab);
    });
}

#[test]
fn region_body_ends_once_and_a_body_that_returned_cancels_nobody() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res {
                    cx.sleep(20 * MS).await.expect("a body that returned never cancels its children");
                    Ok(())
                });
            })
            .await
        });
        let ends = labels(lab).iter().filter(|l| matches!(l, Label::BodyEnd { .. })).count();
        assert_eq!((ends, lab.now()), (2, Time::ZERO + 20 * MS));
        assert_clean(lab);
    });
}

#[test]
fn region_frame_a_dropped_frame_cancels_its_children_and_its_finalizers_run() {
    explore(0..50, |lab| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let l = log.clone();
        lab.run(|cx| async move {
            let (child, finalizer) = (l.clone(), l.clone());
            cx.region(|outer| async move {
                {
                    let mut region = pin!(outer.region(|r| async {
                        r.finally(async move |cx: &mut Cx<_>| {
                            cx.yield_now().await;
                            finalizer.lock().unwrap().push("finalizer");
                            Ok(())
                        })
                        .unwrap();
                        r.spawn(async move |cx: &mut Cx| -> Res {
                            let c = cx.sleep(FOR_EVER).await.unwrap_err();
                            assert_eq!(c.kind(), CancelKind::BodyDropped);
                            child.lock().unwrap().push("child");
                            Err(c)?
                        });
                        r.sleep(FOR_EVER).await
                    }));
                    std::future::poll_fn(|context| {
                        assert!(region.as_mut().poll(context).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                }
                outer.checkpoint().expect("nobody asked the opener");
                l.lock().unwrap().push("goes on");
            })
            .await;
        });
        assert_eq!(*log.lock().unwrap(), ["goes on", "child", "finalizer"]);
        let dropped = labels(lab).iter().filter(|l| matches!(l, Label::BodyDropped { .. })).count();
        assert_eq!((dropped, lab.now()), (1, Time::ZERO));
        assert_clean(lab);
    });
}

/// A task's body opens a region whose child fails on its way out, drops it, and returns `Ok`.
#[test]
fn region_frame_a_task_ends_after_what_it_dropped_and_answers_for_it() {
    explore(0..50, |lab| {
        let ended = Arc::new(AtomicU32::new(0));
        let count = ended.clone();
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let of_child = count.clone();
                let mut task = outer.spawn(async move |cx: &mut Cx| -> Res {
                    let mut region = Box::pin(cx.region(|r| async move {
                        r.spawn(async move |cx: &mut Cx| -> Res<(), Boom> {
                            let _ = cx.sleep(FOR_EVER).await;
                            cx.masked(async |cx| cx.sleep(MS).await).await.unwrap();
                            of_child.fetch_add(1, SeqCst);
                            Err(Boom("late"))?
                        });
                    }));
                    std::future::poll_fn(|context| {
                        assert!(region.as_mut().poll(context).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    Ok(())
                });
                let end = task.join(outer).await;
                assert_eq!(count.load(SeqCst), 1, "the task has ended before what it owned");
                let Outcome::Cancelled(c) = end else { panic!("what it dropped failed: {end:?}") };
                assert_eq!(c.kind(), CancelKind::ChildFailed);
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + MS);
        assert_clean(lab);
    });
}

#[test]
fn region_waits_for_every_task_and_region_below() {
    explore(0..50, |lab| {
        let ended = Arc::new(AtomicU32::new(0));
        let count = ended.clone();
        lab.run(|cx| async move {
            let all = count.clone();
            cx.region(|r| async move {
                for depth in 1..4 {
                    let count = count.clone();
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let below = count.clone();
                        cx.spawn(async move |cx: &mut Cx| -> Res {
                            cx.sleep(depth * 10 * MS).await?;
                            below.fetch_add(1, SeqCst);
                            Ok(())
                        });
                        count.fetch_add(1, SeqCst);
                        Ok(())
                    });
                }
            })
            .await;
            assert_eq!((all.load(SeqCst), cx.now()), (6, Time::ZERO + 30 * MS));
        });
        assert_clean(lab);
    });
}

#[test]
fn region_policy_fail_fast_cancels_siblings_though_the_handle_is_held() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let result: Res<(), Boom> = cx
                .try_region(|r| async {
                    let mut failing = r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                        cx.sleep(MS).await?;
                        Err(Boom("first"))?
                    });
                    let mut sibling = r.spawn(async |cx: &mut Cx| -> Res {
                        let c = cx.sleep(FOR_EVER).await.unwrap_err();
                        assert_eq!(c.kind(), CancelKind::SiblingFailed);
                        Err(c)?
                    });
                    while !sibling.is_finished() || !failing.is_finished() {
                        r.yield_now().await;
                        let _ = r.masked(async |cx| cx.sleep(MS).await).await;
                    }
                    assert!(failing.join(r).await.is_err() && sibling.join(r).await.is_cancelled());
                    assert_eq!(r.checkpoint().unwrap_err().kind(), CancelKind::SiblingFailed, "the body too");
                    Ok(())
                })
                .await;
            result.expect("what was joined is handled");
        });
        assert_clean(lab);
    });
}

#[test]
fn region_policy_collect_and_isolate_cancel_nobody() {
    explore(0..50, |lab| {
        let isolated = Arc::new(Mutex::new(Vec::new()));
        let heard = isolated.clone();
        lab.run(|cx| async move {
            let collected = cx
                .collect(|r| async {
                    r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("one"))? });
                    r.spawn(async |_: &mut Cx| -> Res { panic!("two") });
                    r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(10 * MS).await?) });
                    "value"
                })
                .await;
            assert_eq!((collected.value, collected.lost.len(), collected.ended), ("value", 2, 3));

            let options = RegionOptions::isolate().on_failure(move |failure| {
                heard.lock().unwrap().push(failure.spawned_at.line());
            });
            cx.region_with(options, |r| async {
                let handle = r.handle();
                r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("one"))? });
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(10 * MS).await?) });
                r.sleep(5 * MS).await.unwrap();
                assert_eq!(handle.failures(), 1);
                r.spawn(async |cx: &mut Cx| -> Res { cx.checkpoint().map_err(Stop::from) });
            })
            .await;
            cx.checkpoint().expect("neither policy lets a failure out");
        });
        assert_eq!((isolated.lock().unwrap().len(), lab.now()), (1, Time::ZERO + 20 * MS));
        assert_clean(lab);
    });
}

#[test]
fn region_policy_a_body_that_fails_cancels_its_children() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                for panics in [false, true] {
                    let mut task = outer.spawn(async move |cx: &mut Cx| -> Res<(), Boom> {
                        cx.spawn(async |cx: &mut Cx| -> Res {
                            let c = cx.sleep(FOR_EVER).await.unwrap_err();
                            assert_eq!(c.kind(), CancelKind::BodyFailed);
                            Err(c)?
                        });
                        cx.try_region(|r| async {
                            r.spawn(async |cx: &mut Cx| -> Res {
                                let c = cx.sleep(FOR_EVER).await.unwrap_err();
                                assert_eq!(c.kind(), CancelKind::BodyFailed);
                                Err(c)?
                            });
                            r.yield_now().await;
                            if panics { panic!("the body") } else { Err(Boom("the body"))? }
                        })
                        .await
                    });
                    match task.join(outer).await {
                        Outcome::Err(boom) => assert!(!panics && boom == Boom("the body")),
                        Outcome::Panicked(panic) => assert!(panics && panic.message() == "the body"),
                        other => panic!("{other:?}"),
                    }
                }
            })
            .await;
        });
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_is_the_worst_that_nobody_took_and_no_consequence() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            // A member's error, and a consequence of it: the error.
            let failed: Res<(), Boom> = cx
                .try_region(|r| async {
                    r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("member"))? });
                    Ok(())
                })
                .await;
            assert!(matches!(failed, Err(Stop::Err(Boom("member")))));
            // A member's error that was joined: none.
            cx.region(|r| async {
                let mut task = r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("joined"))? });
                assert!(task.join(r).await.is_err());
            })
            .await;
            // The body's own.
            let own: Res<(), Boom> = cx.try_region(|_| async { Err(Boom("body"))? }).await;
            assert!(own.is_err());
        });
        let outcomes: Vec<Severity> = labels(lab)
            .iter()
            .filter_map(|label| match label {
                Label::RegionClose { outcome, .. } => Some(*outcome),
                _ => None,
            })
            .collect();
        assert_eq!(outcomes, [Severity::Err, Severity::Ok, Severity::Err, Severity::Ok]);
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_what_the_worst_hides_is_reported() {
    explore(0..30, |lab| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                cx.region(|r| async {
                    r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("the hidden error"))? });
                    r.spawn(async |_: &mut Cx| -> Res { panic!("the worst") });
                })
                .await
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the worst"));
        assert!(lab.reports().iter().any(|r| r.contains("the hidden error")), "{:?}", lab.reports());
    });
}

#[test]
fn region_escalation_an_error_stays_on_the_awaiting_scope() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res<&'static str> {
                    cx.region(|r| async {
                        r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("nobody joined me"))? });
                    })
                    .await;
                    let c = cx.checkpoint().unwrap_err();
                    assert_eq!(c.kind(), CancelKind::ChildFailed);
                    let Some(Cause::Failed(note)) = c.cause() else { panic!("{c:?}") };
                    assert!(note.text().contains("nobody joined me"));
                    // A child of this task isn't asked anything by that.
                    let mut child =
                        cx.spawn(async |cx: &mut Cx| -> Res<bool> { Ok(cx.checkpoint().is_ok()) });
                    while !child.is_finished() {
                        cx.yield_now().await;
                    }
                    assert!(child.join(cx).await.unwrap());
                    Ok("the body's own value")
                });
                let end = task.join(outer).await;
                assert!(
                    matches!(&end, Outcome::Cancelled(c) if c.kind() == CancelKind::ChildFailed),
                    "{end:?}"
                );
            })
            .await;
        });
        assert_clean(lab);
    });
}

#[test]
fn region_escalation_a_panic_is_resumed_after_the_close() {
    explore(0..50, |lab| {
        let ended = Arc::new(AtomicU32::new(0));
        let count = ended.clone();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async move {
                cx.region(|r| async move {
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let end = cx.sleep(FOR_EVER).await;
                        let _ = cx.masked(async |cx| cx.sleep(20 * MS).await).await;
                        count.fetch_add(1, SeqCst);
                        Ok(end?)
                    });
                    r.spawn(async |_: &mut Cx| -> Res { panic!("a member") });
                })
                .await;
                unreachable!("the member's panic goes on here")
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"a member"));
        assert_eq!((ended.load(SeqCst), lab.now()), (1, Time::ZERO + 20 * MS));
        assert_clean(lab);
    });
}

#[test]
fn region_escalation_implicit_regions_raise_their_tasks_outcome() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut failing = outer.spawn(async |cx: &mut Cx| -> Res<u8> {
                    cx.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("child"))? });
                    Ok(1)
                });
                let mut panicking = outer.spawn(async |cx: &mut Cx| -> Res<u8> {
                    cx.spawn(async |_: &mut Cx| -> Res { panic!("child") });
                    Ok(1)
                });
                let end = failing.join(outer).await;
                assert!(
                    matches!(&end, Outcome::Cancelled(c) if c.kind() == CancelKind::ChildFailed),
                    "{end:?}"
                );
                let end = panicking.join(outer).await;
                assert!(matches!(&end, Outcome::Panicked(p) if p.message() == "child"), "{end:?}");
            })
            .await;
        });
        assert_clean(lab);
    });
}

#[test]
fn region_quiescent_nothing_is_left_below_a_closed_region() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.region(|outer| async {
                let mut inner = None;
                outer
                    .try_region(|r| async {
                        inner = Some(r.handle());
                        for n in 0..4 {
                            r.spawn(async move |cx: &mut Cx| -> Res { Ok(cx.sleep(n * MS).await?) });
                        }
                        r.finally(async |cx: &mut Cx<_>| Ok(cx.sleep(MS).await?)).unwrap();
                        Ok::<_, Stop>(())
                    })
                    .await
                    .unwrap();
                assert_eq!(inner.unwrap().phase(), RegionPhase::Closed);
                let left = outer.handle().view().unwrap();
                assert!(left.children.is_empty() && left.members.is_empty(), "{left:?}");
            })
            .await;
        });
        assert!(lab.quiescence_oracle().is_ok());
        assert_clean(lab);
    });
}

#[test]
fn scope_tree_scopes_close_before_what_is_around_them() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                r.race(
                    async |cx: &mut Cx| drop(cx.masked(async |cx| cx.sleep(MS).await).await),
                    async |cx: &mut Cx| {
                        drop(cx.timeout(FOR_EVER, async |cx| Ok::<_, Stop>(cx.sleep(FOR_EVER).await?)).await)
                    },
                )
                .await
            })
            .await
        });
        let mut open = Vec::new();
        let mut seen = 0;
        for label in labels(lab) {
            match label {
                Label::ScopeOpen { scope, parent, .. } => {
                    seen += 1;
                    open.push((scope, parent))
                }
                Label::ScopeClose { scope, .. } => {
                    open.retain(|(id, _)| *id != scope);
                    let inside = open.iter().find(|(_, parent)| *parent == scope);
                    assert!(inside.is_none(), "{scope} closed around {inside:?}");
                }
                _ => {}
            }
        }
        assert!(seen >= 5 && open.is_empty(), "{seen} {open:?}");
        assert_clean(lab);
    });
}

#[test]
fn task_once_an_outcome_is_taken_once_and_never_refused() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let handle = r.handle();
                let mut task = r.spawn(async |_: &mut Cx| -> Res<u8> { Ok(7) });
                while !task.is_finished() {
                    r.yield_now().await;
                }
                handle.cancel(CancelKind::Explicit, "stop", None);
                assert!(r.checkpoint().is_err());
                assert_eq!(task.join(r).await.unwrap(), 7, "a finished task's outcome is never refused");
                assert!(task.join(r).await.is_cancelled(), "it was taken");

                // A cancelled joiner's handle is still good.
                let mut slow = r.spawn(async |cx: &mut Cx| -> Res<u8> {
                    let _ = cx.masked(async |cx| cx.sleep(MS).await).await;
                    Ok(8)
                });
                assert!(slow.join(r).await.is_cancelled(), "the joiner is");
                let again = r.masked(async |cx| slow.join(cx).await).await;
                assert_eq!(again.unwrap(), 8);
            })
            .await;
        });
        assert_clean(lab);
    });
}
