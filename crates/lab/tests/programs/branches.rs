//! Race, timeout and bracket: branches that are cut short, and what gets out of them.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync_lab::explore;
use combinator::CombineExt;
use cx::{Alarm, Cx};
use sync::semaphore::Semaphore;
use time::TimeExt;
use types::{CancelKind, Cause, Outcome, Res, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

/// Waits without looking for a cancellation, as a body does that computes or calls something foreign.
async fn deaf(cx: &Cx, span: Duration) {
    let mut alarm = Alarm::new(cx.now() + span);
    poll_fn(|context| alarm.poll(cx, context)).await;
}

/// A race whose branches spawned children; the loser's child panics while it drains.
///
/// - `race.drained`: the loser is asked when the winner's body returns, and the race returns when the children of
///   both have ended, the winner's at 30 ms without being asked;
/// - `region.escalation`: it returns the winner's value, without unwinding; the panic that nobody joined moves to
///   the awaiting scope as `ChildFailed`: the next checkpoint returns it, with the panic as its cause, and the
///   task's outcome is at least that, though its body returns `Ok`.
#[test]
fn a_race_whose_losers_child_panics_while_it_drains() {
    explore(0..100, |lab| {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let log = ended.clone();
        lab.run(|cx| async move {
            cx.collect(|r| async move {
                let mut racer = r.spawn(async move |cx: &mut Cx| -> Res<&'static str> {
                    let (of_winner, of_loser) = (log.clone(), log.clone());
                    let value = cx
                        .race(
                            async move |cx: &mut Cx| {
                                cx.spawn(async move |cx: &mut Cx| -> Res {
                                    cx.sleep(30 * MS).await?;
                                    of_winner.lock().unwrap().push("the winner's child");
                                    Ok(())
                                });
                                let _ = cx.sleep(10 * MS).await;
                                "winner"
                            },
                            async move |cx: &mut Cx| {
                                cx.spawn(async move |cx: &mut Cx| -> Res {
                                    let c = cx.sleep(FOR_EVER).await.unwrap_err();
                                    assert_eq!(c.kind(), CancelKind::LostRace);
                                    let _ = cx.masked(async |cx| cx.sleep(5 * MS).await).await;
                                    of_loser.lock().unwrap().push("the loser's child");
                                    panic!("while draining")
                                });
                                let _ = cx.sleep(FOR_EVER).await;
                                "loser"
                            },
                        )
                        .await;
                    assert_eq!((value, cx.now()), ("winner", Time::ZERO + 30 * MS));
                    assert_eq!(*log.lock().unwrap(), ["the loser's child", "the winner's child"]);
                    let c = cx.checkpoint().unwrap_err();
                    assert_eq!(c.kind(), CancelKind::ChildFailed);
                    Ok(value)
                });
                let end = racer.join(r).await;
                let Outcome::Cancelled(c) = end else { panic!("{end:?}") };
                assert_eq!(c.kind(), CancelKind::ChildFailed);
                assert!(c.causes().any(|cause| cause.to_string().contains("while draining")), "{c:?}");
            })
            .await;
        });
        assert_eq!(ended.lock().unwrap().len(), 2);
        assert_clean(lab);
    });
}

/// A timeout around a child that ignores checkpoints for a minute, and a body that waits for it.
///
/// - the body is told at 10 ms (`cancel.effective`), and its own `Cancelled` is the result;
/// - `race.drained`: the timeout returns only after the child has, at 60 s;
/// - `cancel.bounded`: at the cleanup deadline, 10.01 s, who is still there is reported, and waited for.
#[test]
fn a_timeout_around_a_child_that_ignores_checkpoints_for_long() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let result: Res<u8, Boom> = cx
                .timeout(10 * MS, async |cx: &mut Cx| {
                    let mut child = cx.spawn(async |cx: &mut Cx| -> Res<u8, Boom> {
                        deaf(cx, Duration::from_secs(60)).await;
                        Ok(7)
                    });
                    let value = child.join(cx).await.ok();
                    assert_eq!(cx.now(), Time::ZERO + 10 * MS, "the body is told in time");
                    value
                })
                .await;
            let Err(Stop::Cancelled(c)) = result else { panic!("{result:?}") };
            assert_eq!((c.kind(), c.why()), (CancelKind::Deadline, "deadline of 10ms passed"));
            assert!(cx.checkpoint().is_ok(), "the deadline was the branch's alone");
        });
        assert_eq!(lab.now(), Time::ZERO + Duration::from_secs(60));
        let late = lab.reports().into_iter().filter(|r| r.contains(file!())).collect::<Vec<_>>();
        assert!(!late.is_empty(), "the cleanup deadline has passed, and nobody said so");
        assert_clean(lab);
    });
}

/// The same, but the body doesn't wait for its child: it returns `Ok`, and so does the child, a minute later. Nobody
/// acknowledged, so `Ok` stands, however late (`cancel.visible`, `cancel.acknowledged`).
#[test]
fn a_timeout_whose_child_ends_ok_after_the_deadline_is_ok() {
    explore(0..50, |lab| {
        let result: Res<u8, Boom> = lab.run(|cx| async {
            cx.timeout(10 * MS, async |cx: &mut Cx| {
                cx.spawn(async |cx: &mut Cx| -> Res {
                    deaf(cx, Duration::from_secs(60)).await;
                    Ok(())
                });
                Ok(7)
            })
            .await
        });
        assert_eq!(result.unwrap(), 7);
        assert_eq!(lab.now(), Time::ZERO + Duration::from_secs(60));
        assert_clean(lab);
    });
}

/// A task is cancelled inside a bracket's release, which has a timeout of its own that passes.
///
/// - `cancel.masked`: the release doesn't see the task's cancellation; the timeout inside works as anywhere;
/// - the bracket's own rule: `Ok` use and a failed release is the release's failure, here `Deadline`;
/// - `outcome.failure`: that deadline wasn't asked of the task, so letting it out is a failure of the task, not the
///   cancellation that it was asked for.
#[test]
fn a_task_cancelled_inside_a_release_that_times_out_by_itself() {
    explore(0..100, |lab| {
        let released = Arc::new(AtomicU32::new(0));
        let count = released.clone();
        lab.run(|cx| async move {
            let collected = cx
                .collect(|r| async move {
                    let task = r.spawn(async move |cx: &mut Cx| -> Res<(), Boom> {
                        cx.bracket(
                            async |_: &mut Cx| Ok(1_u8),
                            async |_: &mut Cx, _: &mut u8| Ok(()),
                            async |cx: &mut Cx, _: u8| {
                                let end = cx
                                    .timeout(50 * MS, async |cx: &mut Cx| Ok(cx.sleep(FOR_EVER).await?))
                                    .await;
                                count.fetch_add(1, SeqCst);
                                end
                            },
                        )
                        .await
                    });
                    r.sleep(10 * MS).await.unwrap();
                    task.cancel("while it releases");
                })
                .await;
            let [lost] = &collected.lost[..] else { panic!("{:?}", collected.lost) };
            let task::Loss::Cancelled(c) = &lost.loss else { panic!("{lost:?}") };
            assert_eq!(c.kind(), CancelKind::Deadline);
        });
        assert_eq!(released.load(SeqCst), 1);
        assert_eq!(lab.now(), Time::ZERO + 50 * MS);
        assert_clean(lab);
    });
}

/// The same without a timeout of its own: the release outlasts the cleanup deadline.
///
/// - `cancel.bounded`: a release has until the cleanup deadline, 10 s after the request, then its mask is pierced and
///   it learns of the request;
/// - the bracket returns what the release did, and the task has acknowledged what was asked of it, so its end is a
///   cancellation and no failure.
#[test]
fn a_release_that_outlasts_the_cleanup_deadline_is_told_then() {
    explore(0..50, |lab| {
        lab.run(|cx| async move {
            cx.region(|r| async move {
                let mut task = r.spawn(async move |cx: &mut Cx| -> Res<(), Boom> {
                    cx.bracket(
                        async |_: &mut Cx| Ok(1_u8),
                        async |_: &mut Cx, _: &mut u8| Ok(()),
                        async |cx: &mut Cx, _: u8| -> Res<(), Boom> { Ok(cx.sleep(FOR_EVER).await?) },
                    )
                    .await
                });
                r.sleep(10 * MS).await.unwrap();
                task.cancel("while it releases");
                let end = task.join(r).await;
                let Outcome::Cancelled(c) = end else { panic!("{end:?}") };
                assert_eq!((c.kind(), c.why()), (CancelKind::Explicit, "while it releases"));
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + 10 * MS + Duration::from_secs(10));
        assert_clean(lab);
    });
}

/// `timeout(.., sem.acquire)` whose permit leaves the branch.
///
/// - `obligation.owner`: a branch owns no obligation, so the permit is the task's region's and may leave;
/// - the deadline that passes afterwards concerns nobody (`cancel.down`: it's on the branch alone);
/// - `cancel.first`: one that is cut short has taken nothing, so what was held can be acquired later.
#[test]
fn a_permit_acquired_under_a_timeout_leaves_the_branch() {
    explore(0..100, |lab| {
        let slots = Arc::new(Semaphore::new(1));
        let all = slots.clone();
        lab.run(|cx| async move {
            cx.region(|r| async move {
                let (first, second) = (slots.clone(), slots.clone());
                r.spawn(async move |cx: &mut Cx| -> Res {
                    let permit = cx
                        .timeout(10 * MS, async |cx: &mut Cx| {
                            Ok::<_, Stop>(first.acquire_owned(cx, 1).await?)
                        })
                        .await?;
                    assert_eq!(first.available(), 0);
                    cx.sleep(50 * MS).await?;
                    permit.release();
                    Ok(())
                });
                r.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep(MS).await?;
                    let short = cx
                        .timeout(10 * MS, async |cx: &mut Cx| Ok::<_, Stop>(second.acquire(cx, 1).await?))
                        .await;
                    let Err(Stop::Cancelled(c)) = short else { panic!("there was none") };
                    assert_eq!((c.kind(), cx.now()), (CancelKind::Deadline, Time::ZERO + 11 * MS));
                    let permit = cx
                        .timeout(100 * MS, async |cx: &mut Cx| Ok::<_, Stop>(second.acquire(cx, 1).await?))
                        .await?;
                    assert_eq!(cx.now(), Time::ZERO + 50 * MS);
                    drop(permit);
                    Ok(())
                });
            })
            .await;
        });
        assert_eq!(all.available(), 1);
        assert_clean(lab);
    });
}

/// An upload in a region under a timeout that is cut short: the caller must see it.
///
/// - `cancel.visible`: the uploader acknowledged a request made above its region, and nobody joined it, so the
///   region leaves that on the scope it was awaited in, and the timeout returns it in place of its body's `Ok`;
/// - the caller has it now: its own checkpoints and its task's end know nothing of that deadline.
#[test]
fn an_upload_in_a_region_under_a_timeout_is_seen_to_be_cut_short() {
    for in_try_region in [false, true] {
        explore(0..100, |lab| {
            let parts = Arc::new(AtomicU32::new(0));
            let sent = parts.clone();
            lab.run(|cx| async move {
                cx.region(|r| async move {
                    let mut caller = r.spawn(async move |cx: &mut Cx| -> Res<&'static str, Boom> {
                        let result: Res<&str, Boom> = cx
                            .timeout(10 * MS, async |cx: &mut Cx| {
                                let upload = async move |cx: &mut Cx| -> Res {
                                    for _ in 0..10 {
                                        cx.sleep(4 * MS).await?;
                                        sent.fetch_add(1, SeqCst);
                                    }
                                    Ok(())
                                };
                                if in_try_region {
                                    cx.try_region(|r| async {
                                        r.spawn(upload);
                                        Ok::<_, Stop<Boom>>(())
                                    })
                                    .await?;
                                } else {
                                    cx.region(|r| async { drop(r.spawn(upload)) }).await;
                                }
                                Ok("uploaded")
                            })
                            .await;
                        let Err(Stop::Cancelled(c)) = result else { panic!("it wasn't: {result:?}") };
                        assert_eq!(c.kind(), CancelKind::Deadline);
                        cx.checkpoint().expect("the caller itself was asked nothing");
                        Ok("tell the user")
                    });
                    assert_eq!(caller.join(r).await.unwrap(), "tell the user");
                })
                .await;
            });
            assert_eq!(parts.load(SeqCst), 2);
            assert_eq!(lab.now(), Time::ZERO + 10 * MS);
            assert_clean(lab);
        });
    }
}

/// A race's branch awaits a region whose child failed: the `ChildFailed` is on that branch alone
/// (`region.escalation`: on the awaiting scope), so the other branch goes on and wins.
#[test]
fn a_childs_failure_in_one_branch_is_no_business_of_the_other() {
    explore(0..100, |lab| {
        lab.run(|cx| async {
            cx.collect(|r| async {
                let mut racer = r.spawn(async |cx: &mut Cx| -> Res<&'static str> {
                    cx.first_ok::<_, types::Error, _>([true, false].map(|fails| {
                        async move |cx: &mut Cx| -> Res<&'static str> {
                            if fails {
                                cx.region(|r| async {
                                    r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("a child"))? });
                                })
                                .await;
                                assert!(cx.checkpoint().is_err());
                                cx.checkpoint()?;
                            } else {
                                cx.sleep(10 * MS).await?;
                                cx.checkpoint()?;
                            }
                            Ok("the other one")
                        }
                    }))
                    .await
                });
                // "and its task's outcome is at least that"
                let end = racer.join(r).await;
                let Outcome::Cancelled(c) = end else { panic!("{end:?}") };
                assert!(matches!(c.cause(), Some(Cause::Failed(_))), "{c:?}");
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + 10 * MS);
        assert_clean(lab);
    });
}
