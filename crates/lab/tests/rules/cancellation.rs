//! `cancel.*`: how a request to stop travels, and how a task learns of it.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync_lab::explore;
use combinator::CombineExt;
use cx::Cx;
use futures::stream::{FuturesUnordered, StreamExt};
use sync::WaitError;
use sync::mpsc;
use sync::semaphore::Semaphore;
use time::TimeExt;
use trace::Label;
use types::{CancelKind, Outcome, Res, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

#[test]
fn cancel_down_a_request_reaches_everything_below_unchanged() {
    explore(0..50, |lab| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        lab.run(|cx| async move {
            cx.region(|r| async move {
                let note = |log: &Arc<Mutex<Vec<_>>>| {
                    let log = log.clone();
                    async move |cx: &mut Cx| -> Res {
                        let c = cx.sleep(FOR_EVER).await.unwrap_err();
                        log.lock().unwrap().push((c.kind(), c.origin().scope, c.why().to_string()));
                        Err(c)?
                    }
                };
                let bystander = r.spawn(async |cx: &mut Cx| -> Res {
                    cx.sleep(20 * MS).await.expect("it is beside, not below");
                    Ok(())
                });
                let ended = r
                    .try_region(|inner| async {
                        let handle = inner.handle();
                        inner.spawn(note(&log));
                        let below = log.clone();
                        inner.spawn(async move |cx: &mut Cx| -> Res {
                            cx.spawn(note(&below));
                            cx.region(|deep| async { drop(deep.spawn(note(&below))) }).await;
                            let _ = cx.masked(async |cx| cx.sleep(MS).await).await;
                            Ok(cx.checkpoint()?)
                        });
                        inner.sleep(MS).await?;
                        handle.cancel(CancelKind::Explicit, "the operator", None);
                        // A body that returned it at once would cancel its children with `BodyFailed`.
                        let _ = inner.masked(async |cx| cx.sleep(MS).await).await;
                        inner.checkpoint()?;
                        Ok::<_, Stop<Boom>>(())
                    })
                    .await;
                let Err(Stop::Cancelled(c)) = ended else { panic!("{ended:?}") };
                let one = (c.kind(), c.origin().scope, "the operator".to_string());
                assert_eq!(*log.lock().unwrap(), vec![one; 3]);
                assert!(!bystander.is_finished());
            })
            .await
        });
        assert_eq!((seen.lock().unwrap().len(), lab.now()), (3, Time::ZERO + 20 * MS));
        assert_clean(lab);
    });
}

#[test]
fn cancel_down_a_task_spawned_into_a_cancelled_region_starts_with_the_request() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let result: Res<(), Boom> = cx
                .try_region(|r| async {
                    r.handle().cancel(CancelKind::Explicit, "before", None);
                    let mut late = r.spawn(async |cx: &mut Cx| -> Res<&str> {
                        let before = "it runs to its first checkpoint";
                        assert_eq!(cx.checkpoint().unwrap_err().why(), "before");
                        Ok(before)
                    });
                    while !late.is_finished() {
                        r.yield_now().await;
                    }
                    assert!(late.join(r).await.is_ok());
                    Ok(())
                })
                .await;
            result.unwrap();
        });
        assert_clean(lab);
    });
}

#[test]
fn cancel_down_a_request_on_one_task_concerns_what_it_owns_and_nobody_else() {
    explore(0..50, |lab| {
        let told = Arc::new(AtomicU32::new(0));
        let count = told.clone();
        lab.run(|cx| async move {
            cx.region(|r| async move {
                let mut task = r.spawn(async move |cx: &mut Cx| -> Res {
                    let below = count.clone();
                    cx.spawn(async move |cx: &mut Cx| -> Res {
                        let end = cx.sleep(FOR_EVER).await;
                        below.fetch_add(1, SeqCst);
                        Ok(end?)
                    });
                    let end = cx.sleep(FOR_EVER).await;
                    count.fetch_add(1, SeqCst);
                    Ok(end?)
                });
                let mut other = r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(10 * MS).await?) });
                r.sleep(MS).await.unwrap();
                task.cancel("this one");
                assert!(task.join(r).await.is_cancelled());
                assert!(other.join(r).await.is_ok());
                r.checkpoint().expect("nor the body");
            })
            .await;
        });
        assert_eq!(told.load(SeqCst), 2);
        assert_clean(lab);
    });
}

#[test]
fn cancel_down_a_request_on_a_tasks_own_region_is_one_on_the_task() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|r| async {
                let mut task = r.spawn(async |cx: &mut Cx| -> Res {
                    cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    cx.handle().cancel(CancelKind::Explicit, "by its own handle", None);
                    Ok(cx.sleep(FOR_EVER).await?)
                });
                let end = task.join(r).await;
                assert!(matches!(&end, Outcome::Cancelled(c) if c.why() == "by its own handle"), "{end:?}");
            })
            .await;
        });
        let failures =
            lab.events().iter().filter(|e| matches!(e.label, Label::TaskEnd { failure: true, .. })).count();
        assert_eq!(failures, 0, "both were asked");
        assert_clean(lab);
    });
}

#[test]
fn cancel_down_daemons_are_asked_with_all_they_own_once_only_they_are_left() {
    explore(0..50, |lab| {
        let told = Arc::new(AtomicU32::new(0));
        let count = told.clone();
        lab.run(|cx| async move {
            cx.region(|r| async move {
                r.spawn_daemon(async move |cx: &mut Cx| -> Res {
                    cx.finally(async |_: &mut Cx<_>| Ok(())).unwrap();
                    let helper = count.clone();
                    cx.spawn(async move |cx: &mut Cx| -> Res {
                        let end = cx.sleep(FOR_EVER).await;
                        helper.fetch_add(1, SeqCst);
                        Ok(end?)
                    });
                    cx.region(|own| async move {
                        let end = own.sleep(FOR_EVER).await;
                        count.fetch_add(1, SeqCst);
                        Ok(end?)
                    })
                    .await
                });
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(5 * MS).await?) });
            })
            .await;
        });
        assert_eq!((told.load(SeqCst), lab.now()), (2, Time::ZERO + 5 * MS));
        assert_clean(lab);
    });
}

#[test]
fn cancel_effective_the_most_severe_below_the_first_mask() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let handle = r.handle();
                let result: Res<(), Boom> = r
                    .timeout(MS, async |cx: &mut Cx| {
                        assert_eq!(cx.sleep(FOR_EVER).await.unwrap_err().kind(), CancelKind::Deadline);
                        handle.cancel(CancelKind::Explicit, "weaker, and further up", None);
                        assert_eq!(cx.checkpoint().unwrap_err().kind(), CancelKind::Deadline);
                        handle.cancel(CancelKind::Shutdown, "stronger, and further up", None);
                        assert_eq!(cx.checkpoint().unwrap_err().kind(), CancelKind::Shutdown);
                        cx.masked(async |cx: &mut Cx| {
                            cx.checkpoint().expect("a mask hides it all");
                            let inner: Res<(), Boom> =
                                cx.timeout(MS, async |cx: &mut Cx| Ok(cx.sleep(FOR_EVER).await?)).await;
                            assert!(
                                matches!(inner, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline)
                            );
                            cx.checkpoint().expect("that was the inner branch's");
                        })
                        .await;
                        cx.checkpoint()?;
                        Ok(())
                    })
                    .await;
                assert!(matches!(result, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Shutdown));
                assert_eq!(r.checkpoint().unwrap_err().kind(), CancelKind::Shutdown);
            })
            .await;
            cx.checkpoint().expect("the region's request ended with it");
        });
        assert_clean(lab);
    });
}

#[test]
fn cancel_strengthen_raises_the_kind_and_never_lowers_it() {
    explore(0..50, |lab| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        lab.run(|cx| async move {
            cx.collect(|r| async move {
                let handle = r.handle();
                r.spawn(async move |cx: &mut Cx| -> Res {
                    loop {
                        let why = cx.checkpoint().err().map_or("-".to_string(), |c| c.why().to_string());
                        if log.lock().unwrap().last() != Some(&why) {
                            log.lock().unwrap().push(why.clone());
                        }
                        if why == "shutdown" {
                            return Ok(());
                        }
                        let _ = cx.masked(async |cx| cx.sleep(MS).await).await;
                    }
                });
                for (kind, why) in [
                    (CancelKind::BudgetExhausted, "budget"),
                    (CancelKind::Explicit, "weaker"),
                    (CancelKind::BudgetExhausted, "the same again"),
                    (CancelKind::Shutdown, "shutdown"),
                ] {
                    let _ = r.masked(async |cx| cx.sleep(10 * MS).await).await;
                    handle.cancel(kind, why, None);
                }
            })
            .await;
        });
        assert_eq!(*seen.lock().unwrap(), ["-", "budget", "shutdown"]);
        assert_clean(lab);
    });
}

#[test]
fn cancel_strengthen_the_cleanup_deadline_only_comes_nearer() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let handle = r.handle();
                let deadline = || handle.view().unwrap().cleanup_deadline;
                for (grace, expected) in [(5000, 5000), (9000, 5000), (2000, 2000), (3000, 2000)] {
                    handle.cancel(CancelKind::Explicit, "stop", Some(grace * MS));
                    assert_eq!(deadline(), Some(Time::ZERO + expected * MS));
                }
            })
            .await;
        });
        assert_clean(lab);
    });
}

#[test]
fn cancel_strengthen_the_nearer_of_a_tasks_and_its_regions_deadline_holds() {
    for region_first in [false, true] {
        explore(0..20, |lab| {
            lab.run(|cx| async move {
                cx.collect(|r| async move {
                    let handle = r.handle();
                    let task = r.spawn(async |cx: &mut Cx| -> Res {
                        Ok(cx.masked(async |cx: &mut Cx| cx.sleep(FOR_EVER).await).await?)
                    });
                    let ask_region = || handle.cancel(CancelKind::Explicit, "the region", Some(5000 * MS));
                    if region_first {
                        ask_region()
                    }
                    task.cancel("the task");
                    if !region_first {
                        ask_region()
                    }
                })
                .await;
            });
            assert_eq!(lab.now(), Time::ZERO + 5000 * MS);
            assert_clean(lab);
        });
    }
}

#[test]
fn cancel_cooperative_a_task_learns_of_it_at_a_checkpoint_only() {
    explore(0..50, |lab| {
        let rounds = Arc::new(AtomicU32::new(0));
        let count = rounds.clone();
        lab.run(|cx| async move {
            cx.region(|r| async move {
                let handle = r.handle();
                r.spawn(async move |cx: &mut Cx| -> Res {
                    for _ in 0..5 {
                        cx.yield_now().await;
                        count.fetch_add(1, SeqCst);
                    }
                    cx.checkpoint()?;
                    unreachable!("asked before it began")
                });
                handle.cancel(CancelKind::Explicit, "stop", None);
            })
            .await
        });
        assert_eq!(rounds.load(SeqCst), 5);
        assert_clean(lab);
    });
}

#[test]
fn cancel_wakes_whatever_a_task_waits_for() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel::<u8>(1);
            tx.try_send(1).unwrap();
            let none = Arc::new(Semaphore::new(0));
            let collected = cx
                .collect(|r| async {
                    let handle = r.handle();
                    let mut sleeper = r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    r.spawn(async move |cx: &mut Cx| -> Res { sleeper.join(cx).await.ok() });
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        rx.recv(cx).await?;
                        rx.recv(cx).await?;
                        unreachable!("there is one value only")
                    });
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let _none = none.acquire(cx, 1).await?;
                        unreachable!("there is none")
                    });
                    // Through wakers of others.
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let cx = &*cx;
                        let sleeps: FuturesUnordered<_> = (0..3).map(|_| cx.sleep(FOR_EVER)).collect();
                        let ends: Vec<_> = sleeps.collect().await;
                        assert!(ends.len() == 3 && ends.iter().all(Result::is_err));
                        Ok(ends.into_iter().collect::<Result<(), _>>()?)
                    });
                    // Below a combinator.
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let (a, b) = cx
                            .join(
                                async |cx: &mut Cx| cx.sleep(FOR_EVER).await,
                                async |cx: &mut Cx| cx.sleep(FOR_EVER).await,
                            )
                            .await;
                        Ok(a.and(b)?)
                    });
                    r.sleep(MS).await.unwrap();
                    handle.cancel(CancelKind::Explicit, "stop", None);
                    let _ = tx;
                })
                .await;
            assert_eq!(collected.ended, 6);
        });
        assert_eq!(lab.now(), Time::ZERO + MS);
        assert_clean(lab);
    });
}

#[test]
fn cancel_first_item_that_was_ready_stays_in_the_queue() {
    explore(0..50, |lab| {
        let left = lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel::<u8>(2);
            tx.try_send(1).unwrap();
            cx.region(|r| async {
                r.handle().cancel(CancelKind::Explicit, "stop", None);
                assert!(matches!(rx.recv(r).await, Err(WaitError::Cancelled(_))));
                assert!(matches!(tx.reserve(r).await, Err(WaitError::Cancelled(_))), "though there's room");
                assert!(r.sleep(Duration::ZERO).await.is_err(), "though its time is up");
            })
            .await;
            (rx.try_recv(), tx.try_send(2).is_ok(), tx.try_send(3).is_ok())
        });
        assert_eq!(left, (Ok(1), true, true));
        assert_clean(lab);
    });
}

#[test]
fn cancel_first_grant_that_was_assigned_is_passed_on() {
    explore(0..100, |lab| {
        let slots = Arc::new(Semaphore::new(1));
        let all = slots.clone();
        lab.run(|cx| async move {
            cx.collect(|r| async {
                let held = slots.acquire_owned(r, 1).await.unwrap();
                let (a, b) = (slots.clone(), slots.clone());
                let mut first =
                    r.spawn(async move |cx: &mut Cx| -> Res<bool> { Ok(a.acquire(cx, 1).await.is_ok()) });
                r.sleep(MS).await.unwrap();
                let mut second =
                    r.spawn(async move |cx: &mut Cx| -> Res<bool> { Ok(b.acquire(cx, 1).await.is_ok()) });
                r.sleep(MS).await.unwrap();
                // Granted to the first and asked to stop, in one step.
                drop(held);
                first.cancel("it is not to have it");
                assert!(!first.join(r).await.unwrap(), "the request is effective, so it gets nothing");
                assert!(second.join(r).await.unwrap(), "and what it had been assigned goes on");
            })
            .await;
        });
        assert_eq!(all.available(), 1);
        assert_clean(lab);
    });
}
