//! `cancel.acknowledged`, `cancel.visible`, `race.*`: what a request makes of results; and what an outcome hides (`region.outcome`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use asupersync_lab::explore;
use combinator::CombineExt;
use cx::Cx;
use time::TimeExt;
use trace::Label;
use types::{CancelKind, Outcome, Res, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

#[test]
fn cancel_acknowledged_a_body_that_finishes_keeps_its_value() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let mut task = r.spawn(async |cx: &mut Cx| -> Res<u8> {
                    // It looked, and finishes all the same.
                    while cx.checkpoint().is_ok() {
                        cx.yield_now().await;
                    }
                    Ok(7)
                });
                r.yield_now().await;
                task.cancel("stop");
                assert_eq!(task.join(r).await.unwrap(), 7);
            })
            .await;
            let value: Res<u8, Boom> = cx
                .timeout(MS, async |cx: &mut Cx| {
                    let _ = cx.sleep(FOR_EVER).await;
                    Ok(8)
                })
                .await;
            assert_eq!(value.unwrap(), 8);
        });
        assert_clean(lab);
    });
}

#[test]
fn cancel_visible_what_was_cut_short_does_not_look_complete() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            // A child of the timeout's own branch, a region in it, and a region in that.
            let branch: Res<u8, Boom> = cx
                .timeout(MS, async |cx: &mut Cx| {
                    cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    Ok(1)
                })
                .await;
            assert!(matches!(branch, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline));
            let nested: Res<u8, Boom> = cx
                .timeout(MS, async |cx: &mut Cx| {
                    cx.region(|a| async {
                        a.region(|b| async {
                            b.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                        })
                        .await
                    })
                    .await;
                    Ok(1)
                })
                .await;
            assert!(matches!(nested, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline));
            cx.checkpoint().expect("it was handed over");
            // Joined: handled.
            let joined: Res<u8, Boom> = cx
                .timeout(MS, async |cx: &mut Cx| {
                    let mut child = cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    while !child.is_finished() {
                        cx.yield_now().await;
                        let _ = cx.masked(async |cx| cx.sleep(MS).await).await;
                    }
                    assert!(child.join(cx).await.is_cancelled());
                    Ok(2)
                })
                .await;
            assert_eq!(joined.unwrap(), 2);
        });
        assert_clean(lab);
    });
}

#[test]
fn cancel_visible_a_plain_region_leaves_it_to_the_tasks_outcome() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let handle = outer.handle();
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res<u8> {
                    cx.region(|r| async {
                        r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    })
                    .await;
                    Ok(1)
                });
                let mut race = outer.spawn(async |cx: &mut Cx| -> Res<u8> {
                    // A lost race is excepted: the loser's child isn't news.
                    Ok(cx
                        .race(
                            async |_: &mut Cx| 1,
                            async |cx: &mut Cx| {
                                cx.region(|r| async {
                                    r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                                })
                                .await;
                                2
                            },
                        )
                        .await)
                });
                assert_eq!(race.join(outer).await.unwrap(), 1);
                handle.cancel(CancelKind::Explicit, "stop", None);
                let end = outer.masked(async |cx| task.join(cx).await).await;
                assert!(matches!(&end, Outcome::Cancelled(c) if c.why() == "stop"), "{end:?}");
            })
            .await;
        });
        assert_clean(lab);
    });
}

#[test]
fn race_winner_is_one_branch_and_the_others_are_asked() {
    explore(0..50, |lab| {
        let winner = lab.run(|cx| async {
            cx.race_all((0..4).map(|n| {
                async move |cx: &mut Cx| match cx.sleep((10 - n) * MS).await {
                    Ok(()) => n,
                    Err(c) => {
                        assert_eq!(c.kind(), CancelKind::LostRace);
                        99
                    }
                }
            }))
            .await
        });
        assert_eq!((winner, lab.now()), (3, Time::ZERO + 7 * MS));
        let won = lab.events().iter().filter(|e| matches!(e.label, Label::RaceWon { .. })).count();
        assert_eq!(won, 1);
        assert_clean(lab);
    });
}

#[test]
fn race_drained_before_it_returns() {
    explore(0..50, |lab| {
        let ended = Arc::new(AtomicU32::new(0));
        let count = ended.clone();
        lab.run(|cx| async move {
            let all = count.clone();
            let winner = cx
                .race(
                    async |cx: &mut Cx| cx.sleep(MS).await.map(|()| "fast").unwrap_or("cut"),
                    async move |cx: &mut Cx| {
                        let child = count.clone();
                        cx.spawn(async move |cx: &mut Cx| -> Res {
                            let end = cx.sleep(FOR_EVER).await;
                            let _ = cx.masked(async |cx| cx.sleep(20 * MS).await).await;
                            child.fetch_add(1, SeqCst);
                            Ok(end?)
                        });
                        let _ = cx.sleep(FOR_EVER).await;
                        let _ = cx.masked(async |cx| cx.sleep(10 * MS).await).await;
                        count.fetch_add(1, SeqCst);
                        "slow"
                    },
                )
                .await;
            assert_eq!((winner, all.load(SeqCst)), ("fast", 2));
        });
        assert_eq!((ended.load(SeqCst), lab.now()), (2, Time::ZERO + 21 * MS));
        assert!(lab.losers_drained_oracle().is_ok());
        assert_clean(lab);
    });
}

#[test]
fn task_once_who_joins_a_task_is_told_how_it_failed_and_not_that_it_did() {
    // With a child of its own that takes its time, the task's siblings hear of the failure long before its handle can.
    for (child, wanted) in [(false, 0), (true, 1)] {
        explore(0..50, move |lab| {
            lab.run(|cx| async move {
                cx.region(|r| async {
                    let mut task = r.spawn(async move |cx: &mut Cx| -> Res<(), Boom> {
                        if child {
                            cx.spawn(async |cx: &mut Cx| cx.masked(async |cx| cx.sleep(MS).await).await);
                        }
                        Err(Boom("early"))?
                    });
                    let end = task.join(r).await;
                    assert!(matches!(end, Outcome::Err(Boom(_))), "the outcome was refused: {end:?}");
                    let asked = r.checkpoint().expect_err("the region was asked to end all the same");
                    assert_eq!(asked.kind(), CancelKind::SiblingFailed);
                })
                .await;
            });
            assert_eq!(lab.now(), Time::ZERO + wanted * MS);
            assert_clean(lab);
        });
    }
}

#[test]
fn race_drained_who_joins_a_task_that_failed_does_not_wait_for_its_children_once_it_is_late_itself() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let mut task = r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                    cx.spawn(async |cx: &mut Cx| cx.masked(async |cx| cx.sleep(60 * MS).await).await);
                    Err(Boom("early"))?
                });
                let joins = async |cx: &mut Cx| -> Res<()> {
                    let end = task.join(cx).await;
                    assert!(matches!(end, Outcome::Cancelled(_)), "the timeout waits: {end:?}");
                    Ok(())
                };
                let _ = r.timeout(MS, joins).await;
                assert_eq!(r.now(), Time::ZERO + MS);
                assert!(matches!(task.join(r).await, Outcome::Err(Boom(_))), "the handle is still good");
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + 60 * MS);
        assert_clean(lab);
    });
}

#[test]
fn region_outcome_what_a_child_hides_of_its_task_is_reported() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut fails = outer.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                    cx.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("of the child"))? });
                    Err(Boom("of the task"))?
                });
                let outcome = fails.join(outer).await;
                assert!(matches!(&outcome, Outcome::Cancelled(c) if c.to_string().contains("of the child")));
                let mut panics = outer.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                    cx.spawn(async |_: &mut Cx| -> Res<(), Boom> { panic!("in the child") });
                    panic!("in the task")
                });
                let outcome = panics.join(outer).await;
                assert!(matches!(&outcome, Outcome::Panicked(p) if p.message() == "in the task"));
            })
            .await;
        });
        let reports = lab.reports();
        for hidden in ["of the task", "in the child"] {
            assert_eq!(reports.iter().filter(|r| r.contains(hidden)).count(), 1, "{hidden}: {reports:#?}");
        }
        assert_eq!(reports.len(), 2, "{reports:#?}");
        assert_clean(lab);
    });
}
