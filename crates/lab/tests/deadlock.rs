//! Deadlocks that timers hide: tasks that wait for each other in a circle are reported before the clock moves, and
//! nothing is reported that a timer of one of them, or somebody who is awaited otherwise, will end.
//!
//! Not here: runs in which nothing is left to happen at all (`lab.rs`).

use asupersync_lab::{LabConfig, LabFailure, LabRuntime, explore};
use combinator::CombineExt;
use cx::{Cx, TaskHandle};
use futures::FutureExt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use sync::mutex::Mutex;
use sync::semaphore::Semaphore;
use sync::{mpsc, oneshot};
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Time};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn lab(seed: u64) -> LabRuntime {
    LabRuntime::new(LabConfig::default().seed(seed))
}

/// The circle that `body` ends in at once, though a timer is set for an hour later: one line for each member.
#[track_caller]
fn circle(lab: &LabRuntime, body: impl AsyncFnOnce(&mut Cx)) -> Vec<String> {
    let run = lab.try_run(|cx| async {
        far_future(cx);
        body(cx).await
    });
    match run {
        Err(LabFailure::Deadlock { circle: Some(circle), .. }) => {
            assert_eq!(lab.now(), Time::ZERO, "the clock did not move");
            circle.lines().map(str::to_owned).collect()
        }
        other => panic!("no circle was found: {other:?}"),
    }
}

/// A task that has nothing to do with it, and whose timer would keep the run going.
fn far_future(cx: &Cx) {
    cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(HOUR).await?) });
}

/// Has every seed run `body` to its end.
#[track_caller]
fn never_reported(body: impl AsyncFn(&mut Cx)) {
    explore(0..60, |lab| {
        lab.run(|cx| async {
            far_future(cx);
            body(cx).await
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn two_mutexes_in_opposite_order_are_found_in_exactly_those_schedules_where_it_happens() {
    let (mut dead, mut fine) = (0, 0);
    for n in 0..200 {
        let lab = lab(n);
        let first = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let second = Arc::new(AtomicBool::new(false));
        // Both have their first lock, and none its second one.
        let crossed = Arc::new(AtomicBool::new(false));
        let run = lab.try_run(|cx| async {
            far_future(cx);
            let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
            for i in 0..2 {
                let (locks, first, second, crossed) =
                    (locks.clone(), first.clone(), second.clone(), crossed.clone());
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let _mine = locks[i].lock(cx).await?;
                    first[i].store(true, Relaxed);
                    if first[1 - i].load(Relaxed) && !second.load(Relaxed) {
                        crossed.store(true, Relaxed)
                    }
                    let _other = locks[1 - i].lock(cx).await?;
                    second.store(true, Relaxed);
                    Ok(())
                });
            }
        });
        match run {
            Ok(()) => {
                assert!(!crossed.load(Relaxed), "seed {n}: a deadlock that nobody noticed");
                assert_eq!(lab.now(), Time::ZERO + HOUR);
                lab.oracles().unwrap();
                fine += 1
            }
            Err(LabFailure::Deadlock { circle: Some(circle), .. }) => {
                assert!(crossed.load(Relaxed), "seed {n}: a false alarm: {circle}");
                assert_eq!(lab.now(), Time::ZERO, "it is found before the clock moves");
                assert_eq!(circle.lines().count(), 2, "{circle}");
                dead += 1
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(dead > 10 && fine > 10, "{dead} deadlocks, {fine} runs without");
}

#[test]
fn the_report_says_who_waits_for_what_and_who_holds_it() {
    let lab = lab(0);
    let (mut ids, mut lines) = (Vec::new(), Vec::new());
    let run = lab.try_run(|cx| async {
        let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
        let (ready, mut both) = mpsc::channel(2);
        let (go, mut gone) = (Arc::new(Semaphore::new(0)), Vec::new());
        for i in 0..2 {
            let (locks, ready, go) = (locks.clone(), ready.clone(), go.clone());
            lines.push(line!() + 1);
            gone.push(cx.spawn(async move |cx: &mut Cx| -> Res {
                let _mine = locks[i].lock(cx).await?;
                let _ = ready.send(cx, ()).await;
                let _ = go.acquire(cx, 1).await;
                let _other = locks[1 - i].lock(cx).await?;
                Ok(())
            }));
        }
        both.recv(cx).await.unwrap();
        both.recv(cx).await.unwrap();
        go.add(2);
        ids = gone.iter().map(TaskHandle::id).collect();
        let _ = cx.sleep(HOUR).await;
    });
    let failure = run.unwrap_err();
    let LabFailure::Deadlock { circle: Some(circle), .. } = &failure else { panic!("{failure}") };
    ids.sort();
    let name = |i: usize| format!("{} (spawned at {}:{})", ids[i], file!(), lines[0]);
    let (a, b) = (name(0), name(1));
    assert_eq!(*circle, format!("{a} waits for the mutex held by {b}\n{b} waits for the mutex held by {a}"));
    let whole = failure.to_string();
    assert!(
        whole.starts_with(&format!("deadlock: tasks wait for each other\n{circle}\neverybody:\n")),
        "{whole}"
    );
    assert!(whole.contains("the root body waits for"), "{whole}");
    assert_eq!(lab.deadlock_oracle().unwrap_err().to_string(), whole);
    // The trace says it as well, by itself.
    let found = lab.oracles().unwrap_err().to_string();
    assert!(found.contains("waits for the mutex held by"), "{found}");
    let trace = lab.trace();
    assert_eq!(trace.lines().filter(|line| line.contains("wait-for")).count(), 2, "{trace}");
    assert_eq!(trace.lines().filter(|line| line.contains(" deadlock task=")).count(), 1, "{trace}");
}

#[test]
fn three_philosophers_starve_with_a_report_when_each_has_a_fork() {
    let mut starved = 0;
    for n in 0..200 {
        let lab = lab(n);
        let run = lab.try_run(|cx| async {
            far_future(cx);
            let forks: Arc<Vec<_>> = Arc::new((0..3).map(Mutex::new).collect());
            for i in 0..3 {
                let forks = forks.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let _left = forks[i].lock(cx).await?;
                    cx.yield_now().await;
                    let _right = forks[(i + 1) % 3].lock(cx).await?;
                    Ok(())
                });
            }
        });
        if let Err(failure) = run {
            let LabFailure::Deadlock { circle: Some(circle), .. } = failure else { panic!("{failure}") };
            assert_eq!(circle.lines().count(), 3, "{circle}");
            assert_eq!(lab.now(), Time::ZERO);
            starved += 1;
        }
    }
    assert!(starved > 10 && starved < 190, "{starved}");
}

#[test]
fn a_task_that_locks_what_it_holds_waits_for_itself() {
    let found = circle(&lab(0), async |cx| {
        let lock = Mutex::new(());
        let _once = lock.lock(cx).await.unwrap();
        let _again = lock.lock(cx).await;
    });
    assert_eq!(found, ["the root body waits for the mutex held by the root body"]);
}

#[test]
fn two_tasks_that_join_each_other() {
    let found = circle(&lab(3), async |cx| {
        let (sender, mut receiver) = oneshot::channel::<TaskHandle<(), types::Error>>();
        let mut one = cx.spawn(async move |cx: &mut Cx| -> Res {
            let Ok(mut other) = receiver.recv(cx).await else { return Ok(()) };
            let _ = other.join(cx).await;
            Ok(())
        });
        let two = cx.spawn(async move |cx: &mut Cx| -> Res {
            let _ = one.join(cx).await;
            Ok(())
        });
        assert!(sender.send(two).is_ok());
    });
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|line| line.contains("waits for the end of")), "{found:?}");
}

#[test]
fn a_child_that_joins_its_parent_which_waits_for_its_children() {
    let found = circle(&lab(1), async |cx| {
        let (sender, mut receiver) = oneshot::channel::<TaskHandle<(), types::Error>>();
        let parent = cx.spawn(async move |cx: &mut Cx| -> Res {
            let Ok(mut myself) = receiver.recv(cx).await else { return Ok(()) };
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let _ = myself.join(cx).await;
                Ok(())
            });
            Ok(())
        });
        assert!(sender.send(parent).is_ok());
    });
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found.iter().filter(|line| line.contains("is a member")).count(), 1, "{found:?}");
}

#[test]
fn a_region_that_is_awaited_with_the_lock_held_that_its_member_wants() {
    for n in 0..20 {
        let found = circle(&lab(n), async |cx| {
            let lock = Arc::new(Mutex::new(()));
            let _held = lock.lock(cx).await.unwrap();
            cx.region(async |cx| {
                let lock = lock.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let _mine = lock.lock(cx).await?;
                    Ok(())
                });
            })
            .await;
        });
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found.iter().any(|line| line.ends_with("waits for the mutex held by the root body")),
            "{found:?}"
        );
        assert!(
            found.iter().any(|line| line.starts_with("the root body waits for the end of the region")),
            "{found:?}"
        );
    }
}

#[test]
fn semaphores_are_a_circle_when_all_their_holders_are_in_it() {
    let mut dead = 0;
    for n in 0..100 {
        let lab = lab(n);
        let run = lab.try_run(|cx| async {
            far_future(cx);
            // Two may have the first one; whoever has it wants the lock of the other side.
            let (slots, lock) = (Arc::new(Semaphore::new(2)), Arc::new(Mutex::new(())));
            for _ in 0..2 {
                let (slots, lock) = (slots.clone(), lock.clone());
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let _slot = slots.acquire(cx, 1).await.unwrap();
                    cx.yield_now().await;
                    let _locked = lock.lock(cx).await?;
                    Ok(())
                });
            }
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let _locked = lock.lock(cx).await?;
                cx.yield_now().await;
                let _slots = slots.acquire(cx, 1).await.unwrap();
                Ok(())
            });
        });
        if let Err(failure) = run {
            let LabFailure::Deadlock { circle: Some(circle), .. } = failure else { panic!("{failure}") };
            assert!(circle.contains("waits for permits of the semaphore held by"), "{circle}");
            assert!(circle.contains("and 1 more, who are stuck as well"), "{circle}");
            assert_eq!(lab.now(), Time::ZERO);
            dead += 1;
        }
    }
    assert!(dead > 5, "{dead}");
}

#[test]
fn a_semaphore_with_one_holder_that_a_timer_wakes_is_none() {
    never_reported(async |cx| {
        let (slots, lock) = (Arc::new(Semaphore::new(2)), Arc::new(Mutex::new(())));
        for rests in [true, false] {
            let (slots, lock) = (slots.clone(), lock.clone());
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let _slot = slots.acquire(cx, 1).await.unwrap();
                cx.sleep(SECOND).await?;
                if rests {
                    return Ok(cx.sleep(SECOND).await?);
                }
                let _locked = lock.lock(cx).await?;
                Ok(())
            });
        }
        cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(SECOND / 2).await?;
            let _locked = lock.lock(cx).await?;
            let _slot = slots.acquire(cx, 1).await.unwrap();
            Ok(())
        });
    });
}

#[test]
fn a_permit_that_was_handed_to_another_task_is_not_held_by_the_one_that_took_it() {
    never_reported(async |cx| {
        let slots = Arc::new(Semaphore::new(1));
        for _ in 0..3 {
            let slot = slots.acquire_owned(cx, 1).await.unwrap();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let _slot = slot;
                Ok(cx.sleep(SECOND).await?)
            });
        }
        assert_eq!(cx.now(), Time::ZERO + 2 * SECOND);
    });
}

#[test]
fn who_waits_behind_somebody_who_wants_more_may_be_let_through_when_that_one_leaves() {
    never_reported(async |cx| {
        let (slots, lock) = (Arc::new(Semaphore::new(2)), Arc::new(Mutex::new(())));
        let (s, l) = (slots.clone(), lock.clone());
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let one = s.acquire(cx, 1).await.unwrap();
            let _other = s.acquire(cx, 1).await.unwrap();
            cx.sleep(3 * SECOND).await?;
            drop(one);
            let _locked = l.lock(cx).await?;
            Ok(())
        });
        let s = slots.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(SECOND).await?;
            let _ = cx
                .timeout(4 * SECOND, async |cx: &mut Cx| -> Res {
                    drop(s.acquire(cx, 2).await);
                    Ok(())
                })
                .await;
            Ok(())
        });
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _locked = lock.lock(cx).await?;
            cx.sleep(2 * SECOND).await?;
            let _slot = slots.acquire(cx, 1).await.unwrap();
            Ok(())
        });
    });
}

#[test]
fn a_member_with_a_timeout_is_not_stuck() {
    never_reported(async |cx| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        for i in 0..2 {
            let locks = locks.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let _mine = locks[i].lock(cx).await?;
                cx.yield_now().await;
                if i == 0 {
                    let _ = cx
                        .timeout(SECOND, async |cx: &mut Cx| -> Res {
                            drop(locks[1].lock(cx).await?);
                            Ok(())
                        })
                        .await;
                } else {
                    drop(locks[0].lock(cx).await?);
                }
                Ok(())
            });
        }
    });
}

#[test]
fn a_holder_that_waits_for_a_channel_which_a_timer_feeds_is_not_stuck() {
    never_reported(async |cx| {
        let lock = Arc::new(Mutex::new(()));
        let (sender, mut receiver) = mpsc::channel(1);
        let l = lock.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _held = l.lock(cx).await?;
            let _ = receiver.recv(cx).await;
            Ok(())
        });
        cx.spawn(async move |cx: &mut Cx| -> Res {
            drop(lock.lock(cx).await?);
            Ok(())
        });
        cx.sleep(SECOND).await.unwrap();
        let _ = sender.send(cx, ()).await;
    });
}

#[test]
fn a_member_that_waits_for_something_else_as_well_is_not_stuck() {
    never_reported(async |cx| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let (sender, mut receiver) = mpsc::channel(1);
        let l = locks.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _mine = l[0].lock(cx).await?;
            cx.yield_now().await;
            cx.race(
                async |cx: &mut Cx| drop(l[1].lock(cx).await),
                async |cx: &mut Cx| drop(receiver.recv(cx).await),
            )
            .await;
            Ok(())
        });
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _mine = locks[1].lock(cx).await?;
            cx.yield_now().await;
            drop(locks[0].lock(cx).await?);
            Ok(())
        });
        cx.sleep(SECOND).await.unwrap();
        let _ = sender.send(cx, ()).await;
    });
}

#[test]
fn a_member_whose_waker_foreign_code_has_is_not_stuck() {
    never_reported(async |cx| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let (sender, mut receiver) = futures::channel::oneshot::channel::<()>();
        let l = locks.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _mine = l[0].lock(cx).await?;
            cx.yield_now().await;
            let mut lock = pin!(l[1].lock(cx).fuse());
            futures::select_biased! {
                _ = lock => {}
                _ = &mut receiver => {}
            }
            Ok(())
        });
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _mine = locks[1].lock(cx).await?;
            cx.yield_now().await;
            drop(locks[0].lock(cx).await?);
            Ok(())
        });
        cx.sleep(SECOND).await.unwrap();
        let _ = sender.send(());
    });
}

#[test]
fn a_member_that_was_asked_to_end_is_not_stuck_its_cleanup_deadline_comes() {
    explore(0..60, |lab| {
        lab.run(|cx| async {
            far_future(cx);
            let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
            let mut tasks = Vec::new();
            for i in 0..2 {
                let locks = locks.clone();
                tasks.push(cx.spawn(async move |cx: &mut Cx| -> Res {
                    cx.masked(async |cx| {
                        let _mine = locks[i].lock(cx).await?;
                        cx.sleep(SECOND).await?;
                        drop(locks[1 - i].lock(cx).await?);
                        Ok(())
                    })
                    .await
                }));
            }
            tasks[0].cancel("a test");
            for (i, task) in tasks.iter_mut().enumerate() {
                let kind = match task.join(cx).await {
                    Outcome::Cancelled(c) => Some(c.kind()),
                    _ => None,
                };
                assert_eq!(kind, (i == 0).then_some(CancelKind::Explicit));
            }
        });
    });
}

#[test]
fn members_of_a_region_that_was_asked_to_end_are_not_stuck_either() {
    never_reported(async |cx| {
        let end = cx
            .timeout(SECOND, async |cx: &mut Cx| -> Res {
                let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
                for i in 0..2 {
                    let locks = locks.clone();
                    cx.spawn(async move |cx: &mut Cx| -> Res {
                        cx.masked(async |cx| {
                            let _mine = locks[i].lock(cx).await?;
                            cx.sleep(2 * SECOND).await?;
                            drop(locks[1 - i].lock(cx).await?);
                            Ok(())
                        })
                        .await
                    });
                }
                Ok(cx.sleep(HOUR).await?)
            })
            .await;
        assert!(end.is_err());
        assert!(cx.now() < Time::ZERO + 60 * SECOND, "{}", cx.now());
    });
}

#[test]
fn what_a_test_has_planned_may_still_break_the_circle() {
    let lab = lab(0);
    let slots = Arc::new(Semaphore::new(1));
    let planned = slots.clone();
    lab.at_step(1000, move || planned.close());
    lab.run(|cx| async {
        far_future(cx);
        let _once = slots.acquire(cx, 1).await.unwrap();
        assert!(slots.acquire(cx, 1).await.is_err());
    });
    assert_eq!(lab.now(), Time::ZERO + HOUR);
}

#[test]
fn a_lock_that_is_given_back_and_taken_by_another_has_a_new_holder() {
    never_reported(async |cx| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let l = locks.clone();
        // Has held both, and waits for the first one again, which the next one has.
        cx.spawn(async move |cx: &mut Cx| -> Res {
            drop(l[0].lock(cx).await?);
            let _second = l[1].lock(cx).await?;
            cx.sleep(SECOND).await?;
            drop(l[0].lock(cx).await?);
            Ok(())
        });
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let held = locks[0].lock(cx).await?;
            cx.sleep(2 * SECOND).await?;
            drop(held);
            drop(locks[1].lock(cx).await?);
            Ok(())
        });
    });
}
