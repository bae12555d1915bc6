//! `region.outcome`: a failure that no outcome and no result shows is reported, once, under every policy.
//!
//! Not here: what an outcome shows (`regions`, `results`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use asupersync_lab::{LabRuntime, explore};
use combinator::CombineExt;
use cx::{Cx, NoSpawn, RegionOptions};
use task::Loss;
use time::TimeExt;
use types::{CancelKind, Cause, Outcome, Res, Stop};

use super::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

/// How many reports say this.
fn told(lab: &LabRuntime, what: &str) -> usize {
    lab.reports().iter().filter(|report| report.contains(what)).count()
}

async fn fails(cx: &mut Cx, after: Duration, with: &'static str) -> Res<(), Boom> {
    cx.masked(async |cx| cx.sleep(after).await).await?;
    Err(Boom(with))?
}

#[test]
fn region_outcome_a_region_that_keeps_going_escalates_one_failure_and_reports_the_others() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res {
                    cx.region_with(RegionOptions::keep_going(), |r| async {
                        r.spawn(async |cx: &mut Cx| fails(cx, MS, "the first").await);
                        r.spawn(async |cx: &mut Cx| fails(cx, 2 * MS, "the second").await);
                        r.spawn(async |cx: &mut Cx| fails(cx, 3 * MS, "the third").await);
                    })
                    .await;
                    Ok(())
                });
                let end = task.join(outer).await;
                assert!(
                    matches!(&end, Outcome::Cancelled(c) if c.to_string().contains("the first")),
                    "{end:?}"
                );
            })
            .await;
        });
        let counts = ["the first", "the second", "the third"].map(|what| told(lab, what));
        assert_eq!(counts, [0, 1, 1], "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_a_failure_beside_a_panic_is_reported_where_the_others_kept_going() {
    explore(0..30, |lab| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                let kept: Res<(), Boom> = cx
                    .try_region_with(RegionOptions::keep_going(), |r| async {
                        r.spawn(async |_: &mut Cx| -> Res { panic!("the worst") });
                        r.spawn(async |cx: &mut Cx| fails(cx, MS, "the failure").await);
                        Ok(())
                    })
                    .await;
                unreachable!("{kept:?}")
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the worst"));
        assert_eq!(told(lab, "the failure"), 1, "{:#?}", lab.reports());
    });
}

#[test]
fn region_outcome_what_is_collected_is_handed_over_and_not_reported() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let collected = cx
                .collect(|r| async {
                    r.spawn(async |cx: &mut Cx| fails(cx, MS, "an error").await);
                    r.spawn(async |cx: &mut Cx| fails(cx, 2 * MS, "another one").await);
                    r.spawn(async |_: &mut Cx| -> Res { panic!("a panic") });
                    r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) })
                        .cancel("not wanted");
                })
                .await;
            let mut lost: Vec<_> = collected.lost.iter().map(|lost| lost.loss.to_string()).collect();
            lost.sort();
            let asked = |lost: &&region::Lost| matches!(&lost.loss, Loss::Cancelled(_));
            assert_eq!(collected.lost.iter().filter(asked).count(), 1, "{lost:?}");
            assert_eq!((collected.ended, lost.len()), (4, 4), "{lost:?}");
        });
        assert_eq!(lab.reports(), [""; 0]);
        assert_clean(lab);
    });
}

#[test]
pub(crate) fn region_outcome_a_bodys_own_error_beside_a_members_panic_is_reported() {
    explore(0..30, |lab| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                let ended: Res<(), Boom> = cx
                    .try_region(|r| async {
                        r.spawn(async |_: &mut Cx| -> Res { panic!("the worst") });
                        r.masked(async |cx| cx.sleep(MS).await).await?;
                        Err(Boom("of the body"))?
                    })
                    .await;
                unreachable!("{ended:?}")
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the worst"));
        assert_eq!(told(lab, "of the body"), 1, "nobody heard of the body's error: {:#?}", lab.reports());
    });
}

#[test]
fn region_outcome_a_childs_failure_beside_its_tasks_own_cancellation_is_reported() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res {
                    cx.spawn(async |cx: &mut Cx| {
                        cx.cancelled().await;
                        fails(cx, MS, "in the child").await
                    });
                    Ok(cx.sleep(FOR_EVER).await?)
                });
                outer.sleep(MS).await.expect("not asked");
                task.cancel("enough");
                let end = task.join(outer).await;
                assert!(matches!(&end, Outcome::Cancelled(c) if c.kind() == CancelKind::Explicit), "{end:?}");
            })
            .await;
        });
        assert_eq!(told(lab, "in the child"), 1, "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_a_second_failure_that_escalates_to_one_task_is_reported() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| {
                    for which in ["the first", "the second"] {
                        cx.region(|r| async move {
                            r.spawn(async move |cx: &mut Cx| fails(cx, MS, which).await);
                        })
                        .await;
                    }
                });
                let Outcome::Cancelled(c) = task.join(outer).await else { panic!("nothing escalated") };
                assert!(matches!(c.cause(), Some(Cause::Failed(note)) if note.text().contains("the first")));
            })
            .await;
        });
        assert_eq!((told(lab, "the first"), told(lab, "the second")), (0, 1), "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_a_failure_that_escalated_is_reported_if_the_task_panics_after_it() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res {
                    cx.region(|r| async {
                        r.spawn(async |cx: &mut Cx| fails(cx, MS, "before the panic").await);
                    })
                    .await;
                    panic!("the worst")
                });
                let end = task.join(outer).await;
                assert!(matches!(&end, Outcome::Panicked(p) if p.message() == "the worst"), "{end:?}");
            })
            .await;
        });
        assert_eq!(told(lab, "before the panic"), 1, "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_a_second_member_that_was_cut_short_from_inside_is_reported() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let ended: Res<(), Boom> = cx
                .try_region_with(RegionOptions::keep_going(), |r| async {
                    for n in 1..3 {
                        r.spawn(async move |cx: &mut Cx| -> Res {
                            cx.timeout(n * MS, async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) })
                                .await
                        });
                    }
                    Ok(())
                })
                .await;
            assert!(matches!(ended, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::ChildFailed));
        });
        assert_eq!((lab.reports().len(), told(lab, "ended in")), (1, 1), "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_a_second_finalizers_panic_is_reported_as_a_finalizers() {
    explore(0..10, |lab| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                cx.region_with(RegionOptions::isolate(), |r| async {
                    r.finally(async |_: &mut Cx<NoSpawn>| -> Res { panic!("the last to run") }).unwrap();
                    r.finally(async |_: &mut Cx<NoSpawn>| -> Res { panic!("the first to run") }).unwrap();
                })
                .await
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the first to run"));
        let words = "ended in `panicked: the last to run`, which no outcome shows";
        let reports = lab.reports();
        let report = reports.iter().find(|report| report.contains(words));
        let report = report.unwrap_or_else(|| panic!("nobody heard of it: {reports:#?}"));
        assert!(report.starts_with("a finalizer registered at ") && report.contains(file!()), "{report}");
    });
}

#[test]
fn cancel_visible_what_was_asked_from_outside_shows_in_a_try_region_that_keeps_going() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let ended: Res<u8, Boom> = cx
                .try_region_with(RegionOptions::keep_going(), |r| async {
                    r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    r.handle().cancel(CancelKind::Explicit, "enough", None);
                    Ok(7)
                })
                .await;
            assert!(
                matches!(&ended, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Explicit),
                "{ended:?}"
            );
        });
        assert_eq!(lab.reports(), [""; 0]);
        assert_clean(lab);
    });
}
