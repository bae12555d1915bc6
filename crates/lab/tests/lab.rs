//! The lab itself: the same decisions give the same run, other decisions another one; time is virtual; what waits for
//! ever is an error with a report, never a hang.
//!
//! Not here: the rules of the kernel (`programs.rs`, `rules.rs`), the simulated network (`net.rs`) and signals
//! (`signals.rs`).
#![allow(clippy::disallowed_methods, reason = "threads stand for what is outside the lab")]

use ::explore::Decisions;
use asupersync_lab as lab;
use cx::Cx;
use lab::{LabConfig, LabFailure, LabRuntime, Schedule, explore, explore_with};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;
use time::TimeExt;
use types::{Res, Time};

const HOUR: Duration = Duration::from_secs(3600);

/// Tasks that give way, sleep, draw numbers, hold permits and send to each other.
async fn varied(cx: &mut Cx) {
    let (sender, mut receiver) = sync::mpsc::channel(2);
    let permits = Arc::new(sync::semaphore::Semaphore::new(2));
    for i in 0..3_u64 {
        let (sender, permits) = (sender.clone(), permits.clone());
        cx.spawn(async move |cx: &mut Cx| -> Res {
            for n in 0..3 {
                let _permit = permits.acquire(cx, 1).await?;
                cx.trace(format!("{i} sends {n}, draws {}", cx.random()));
                sender.reserve(cx).await?.send(n);
                cx.sleep(Duration::from_millis(i)).await?;
            }
            Ok(())
        });
    }
    drop(sender);
    while let Ok(n) = receiver.recv(cx).await {
        cx.trace(format!("got {n}"));
        cx.yield_now().await;
    }
}

fn ran(config: LabConfig) -> LabRuntime {
    let lab = LabRuntime::new(config);
    lab.run(varied);
    lab.oracles().unwrap();
    lab
}

fn seed(seed: u64) -> LabConfig {
    LabConfig::default().seed(seed)
}

/// The traces are the same, byte for byte. Says where they part, rather than print both.
#[track_caller]
fn assert_same(a: &LabRuntime, b: &LabRuntime) {
    for (a, b) in a.trace().lines().zip(b.trace().lines()) {
        assert_eq!(a, b)
    }
    assert!(a.trace() == b.trace(), "one is longer");
}

/// What went wrong in a run that cannot end.
fn failure<T>(lab: &LabRuntime, body: impl AsyncFnOnce(&mut Cx) -> T) -> LabFailure {
    match lab.try_run(|cx| body(cx)) {
        Ok(_) => panic!("it ought to fail"),
        Err(failure) => failure,
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    for n in 0..20 {
        let (first, again) = (ran(seed(n)), ran(seed(n)));
        assert_same(&first, &again);
        assert_eq!(first.decisions(), again.decisions());
        assert_eq!(first.steps(), again.steps());
        assert!(first.trace().starts_with("asupersync-trace 1\n"));
    }
}

#[test]
fn labs_in_several_threads_do_not_disturb_each_other() {
    let alone = ran(seed(5)).trace();
    std::thread::scope(|threads| {
        let running: Vec<_> = (0..4).map(|_| threads.spawn(|| ran(seed(5)).trace())).collect();
        for trace in running {
            assert_eq!(trace.join().unwrap(), alone);
        }
    });
}

#[test]
fn the_seeds_reach_every_interleaving_of_two_tasks() {
    let orders = Mutex::new(BTreeSet::new());
    explore(0..300, |lab| {
        lab.run(|cx| async {
            for name in ["a", "b"] {
                cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..3 {
                        cx.trace(name);
                        cx.yield_now().await;
                    }
                });
            }
        });
        orders.lock().unwrap().insert(lab.notes().concat());
    });
    // 6 choose 3.
    assert_eq!(orders.into_inner().unwrap().len(), 20);
}

#[test]
fn the_recorded_decisions_give_the_same_run_again() {
    for n in 0..20 {
        let first = ran(seed(n));
        let again = ran(seed(n).schedule(Schedule::Replay(first.decisions())));
        assert_same(&first, &again);
        assert_eq!(first.decisions(), again.decisions());
    }
}

#[test]
fn a_first_in_first_out_run_can_be_replayed_too() {
    let first = ran(seed(1).schedule(Schedule::Fifo));
    let again = ran(seed(1).schedule(Schedule::Replay(first.decisions())));
    assert_same(&first, &again);
}

#[test]
fn where_a_recording_ends_the_run_goes_on_first_in_first_out() {
    let fifo = ran(seed(1).schedule(Schedule::Fifo));
    assert_same(&ran(seed(1).schedule(Schedule::Replay(Decisions::default()))), &fifo);
    let half = Decisions::usual(fifo.decisions().len() / 2);
    assert_same(&ran(seed(1).schedule(Schedule::Replay(half))), &fifo);
}

/// Two tasks that wake each other without end of their turn, and one that would like to run too.
fn crowded(schedule: Schedule) -> LabRuntime {
    let lab = LabRuntime::new(LabConfig::default().schedule(schedule));
    lab.run(|cx| async {
        let table = Arc::new(Mutex::new([None::<Waker>, None]));
        for i in 0..2 {
            let table = table.clone();
            cx.spawn(async move |cx: &mut Cx| {
                let mut turns = 0;
                std::future::poll_fn(|context| {
                    turns += 1;
                    cx.trace("p");
                    let mut seats = table.lock().unwrap();
                    seats[i] = Some(context.waker().clone());
                    let other = seats[1 - i].take();
                    drop(seats);
                    other.into_iter().for_each(Waker::wake);
                    if turns < 50 { Poll::Pending } else { Poll::Ready(()) }
                })
                .await
            });
        }
        cx.spawn(async |cx: &mut Cx| {
            cx.yield_now().await;
            cx.trace("Q");
        });
    });
    lab
}

#[test]
fn first_in_first_out_keeps_the_production_engines_bounds() {
    let fifo = crowded(Schedule::Fifo);
    let notes = fifo.notes().concat();
    let before = notes.find('Q').unwrap();
    assert!((5..=40).contains(&before), "it waits for the slot's run of 16, not for the end: {notes}");
    assert!(fifo.decisions().deviations().is_empty(), "what production picks is what is usual");
    assert_same(&crowded(Schedule::Replay(Decisions::default())), &fifo);
    assert_same(&crowded(Schedule::Replay(fifo.decisions())), &fifo);
}

#[test]
fn first_in_first_out_the_timers_of_one_instant_go_as_they_were_set() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    lab.run(|cx| async {
        for name in ["a", "b", "c"] {
            cx.spawn(async move |cx: &mut Cx| -> Res {
                cx.trace(name);
                cx.sleep_until(Time::from_nanos(1000)).await?;
                cx.trace(name);
                Ok(())
            });
        }
    });
    assert_eq!(lab.notes().concat(), "abcabc");
}

#[test]
fn a_changed_decision_changes_the_run_from_there_on() {
    let first = ran(seed(3));
    let decisions = first.decisions();
    let mut deviations = decisions.deviations().to_vec();
    let dropped = deviations.remove(1);
    let changed = ran(seed(3).schedule(Schedule::Replay(Decisions::new(decisions.len(), deviations))));
    assert!(first.trace() != changed.trace());
    let same = |lab: &LabRuntime| lab.decisions().deviations().iter().filter(|d| d.at < dropped.at).count();
    assert_eq!((same(&first), same(&changed)), (1, 1));
}

#[test]
fn a_recording_of_another_program_is_named_as_such() {
    let lab = ran(seed(3).schedule(Schedule::Replay(
        (0..50).map(seed).map(ran).map(|lab| lab.decisions()).max_by_key(|d| d.deviations().len()).unwrap(),
    )));
    assert!(lab.divergence().is_none(), "a replay of the same program");
    let other = LabRuntime::new(LabConfig::default().schedule(Schedule::Replay(lab.decisions())));
    other.run(|cx| async { cx.yield_now().await });
    let divergence = other.divergence().expect("it is another program").to_string();
    assert!(divergence.contains("the recording"), "{divergence}");
}

#[test]
fn first_in_first_out_spawned_tasks_and_those_that_give_way_go_in_turn() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    lab.run(|cx| async {
        for name in ["a", "b", "c"] {
            cx.spawn(async move |cx: &mut Cx| {
                cx.trace(name);
                cx.yield_now().await;
                cx.trace(name);
            });
        }
    });
    // Both go behind the queue; the slot holds only the last one that was woken.
    assert_eq!(lab.notes().concat(), "abcabc");
}

#[test]
fn a_tasks_random_numbers_are_the_seeds_whatever_the_schedule() {
    let drawn = |config: LabConfig| {
        let lab = LabRuntime::new(config);
        lab.run(|cx| async {
            for name in ["a", "b", "c"] {
                cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..3 {
                        cx.trace(format!("{name} {}", cx.random()));
                        cx.yield_now().await;
                    }
                });
            }
        });
        let mut notes = lab.notes();
        notes.sort();
        notes
    };
    let usual = drawn(seed(9).schedule(Schedule::Fifo));
    assert_eq!(usual.iter().collect::<BTreeSet<_>>().len(), 9, "all different");
    assert_eq!(drawn(seed(9)), usual);
    assert_eq!(drawn(seed(9).schedule(Schedule::RoundRobin)), usual);
    assert_ne!(drawn(seed(10)), usual);
}

#[test]
fn sleeping_costs_no_time_and_the_clock_shows_it() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        assert_eq!(cx.now(), Time::ZERO);
        cx.sleep(5 * HOUR).await.unwrap();
        assert_eq!(cx.now(), Time::ZERO + 5 * HOUR);
        cx.sleep(Duration::from_nanos(1)).await.unwrap();
        assert_eq!(cx.now(), Time::ZERO + 5 * HOUR + Duration::from_nanos(1));
    });
    assert_eq!(lab.now(), Time::ZERO + 5 * HOUR + Duration::from_nanos(1));
}

#[test]
fn timers_go_off_in_order_and_exactly_in_time() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            for span in [700, 3, 90_000_000, 3_000, 86_000_000_000_000, 255, 65_536] {
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep(Duration::from_nanos(span)).await?;
                    assert_eq!(cx.now().as_nanos(), span);
                    cx.trace(span.to_string());
                    Ok(())
                });
            }
        });
        assert_eq!(lab.notes(), ["3", "255", "700", "3000", "65536", "90000000", "86000000000000"]);
    });
}

#[test]
fn the_clock_stands_while_anything_can_run() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let slept = Arc::new(AtomicBool::new(false));
            let done = slept.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                cx.sleep(Duration::from_nanos(1)).await?;
                done.store(true, Relaxed);
                Ok(())
            });
            for _ in 0..100 {
                cx.yield_now().await;
                assert!(!slept.load(Relaxed));
            }
        });
        assert_eq!(lab.now().as_nanos(), 1);
    });
}

#[test]
fn the_timers_of_one_instant_become_runnable_together() {
    let orders = Mutex::new(BTreeSet::new());
    explore(0..100, |lab| {
        lab.run(|cx| async {
            for name in ["a", "b", "c"] {
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep_until(Time::from_nanos(1000)).await?;
                    cx.trace(name);
                    Ok(())
                });
            }
        });
        orders.lock().unwrap().insert(lab.notes().concat());
    });
    assert_eq!(orders.into_inner().unwrap().len(), 6);
}

#[test]
fn a_task_that_waits_for_a_sender_that_does_nothing_is_a_deadlock() {
    explore(0..10, |lab| {
        let dropped = Arc::new(());
        let (sender, mut receiver) = sync::mpsc::channel::<u8>(1);
        let held = dropped.clone();
        let found = failure(lab, async move |cx: &mut Cx| {
            cx.spawn(async move |cx: &mut Cx| {
                let _held = held;
                let _ = receiver.recv(cx).await;
            });
        });
        let LabFailure::Deadlock { waits, .. } = &found else { panic!("{found}") };
        assert!(waits.contains("recv"), "what it waits for: {waits}");
        assert!(waits.contains(file!()), "where it was spawned: {waits}");
        let oracle = lab.deadlock_oracle().unwrap_err();
        assert!(oracle.to_string().starts_with("deadlock: nothing can run and no timer is set"), "{oracle}");
        assert_eq!(Arc::strong_count(&dropped), 1, "what the task held was dropped");
        drop(sender);
    });
}

#[test]
fn a_root_body_that_waits_for_ever_is_a_deadlock() {
    let lab = LabRuntime::new(LabConfig::default());
    let (sender, mut receiver) = sync::mpsc::channel::<u8>(1);
    let found = failure(&lab, async |cx: &mut Cx| receiver.recv(cx).await);
    assert!(found.to_string().contains("the root body waits for"), "{found}");
    assert!(found.to_string().contains("recv"), "{found}");
    drop(sender);
}

#[test]
fn a_wait_that_is_no_operation_of_ours_is_a_deadlock_too() {
    let lab = LabRuntime::new(LabConfig::default());
    let found = failure(&lab, async |_: &mut Cx| std::future::pending::<()>().await);
    assert!(matches!(found, LabFailure::Deadlock { .. }), "{found}");
}

#[test]
fn two_tasks_that_wait_for_each_others_lock_are_a_deadlock_under_some_seed_only() {
    let (mut dead, mut fine) = (0, 0);
    for n in 0..60 {
        let lab = LabRuntime::new(seed(n));
        let run = lab.try_run(|cx| async {
            let locks = Arc::new([sync::semaphore::Semaphore::new(1), sync::semaphore::Semaphore::new(1)]);
            for i in 0..2 {
                let locks = locks.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let _first = locks[i].acquire(cx, 1).await?;
                    let _second = locks[1 - i].acquire(cx, 1).await?;
                    Ok(())
                });
            }
        });
        match run {
            Ok(()) => fine += 1,
            Err(LabFailure::Deadlock { waits, .. }) => {
                assert_eq!(waits.matches("spawned at").count(), 2, "{waits}");
                dead += 1
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(dead > 5 && fine > 5, "{dead} deadlocks, {fine} runs without");
}

#[test]
fn run_panics_with_the_report_and_the_seed() {
    let lab = LabRuntime::new(seed(77));
    let run = catch_unwind(AssertUnwindSafe(|| lab.run(|_| std::future::pending::<()>())));
    let text = *run.unwrap_err().downcast::<String>().unwrap();
    assert!(text.starts_with("deadlock"), "{text}");
    assert!(text.contains("seed 77"), "{text}");
}

#[test]
fn a_run_without_end_is_stopped_at_the_limit_on_steps() {
    let lab = LabRuntime::new(LabConfig::default().max_steps(500));
    let found = failure(&lab, async |cx: &mut Cx| {
        cx.spawn(async |cx: &mut Cx| {
            loop {
                cx.yield_now().await;
            }
        });
    });
    let LabFailure::Stuck { steps: 500, why } = found else { panic!("{found}") };
    assert!(why.contains(file!()), "who was still there: {why}");
    assert!(lab.oracles().is_err());
}

#[test]
fn a_root_body_without_end_is_stopped_at_the_limit_too() {
    let lab = LabRuntime::new(LabConfig::default().max_steps(500));
    let found = failure(&lab, async |cx: &mut Cx| {
        loop {
            cx.yield_now().await;
        }
    });
    assert!(matches!(found, LabFailure::Stuck { steps: 500, .. }), "{found}");
}

#[test]
fn a_run_that_only_ticks_is_stopped_after_a_virtual_day() {
    let lab = LabRuntime::new(LabConfig::default());
    let found = failure(&lab, async |cx: &mut Cx| {
        loop {
            cx.sleep(HOUR / 2).await.unwrap();
        }
    });
    assert!(matches!(found, LabFailure::Stuck { .. }), "{found}");
    assert!((23 * HOUR..=25 * HOUR).contains(&(lab.now() - Time::ZERO)), "{}", lab.now());
}

#[test]
fn a_timer_beyond_the_limit_is_not_waited_for() {
    let lab = LabRuntime::new(LabConfig::default().max_idle(HOUR));
    let found = failure(&lab, async |cx: &mut Cx| cx.sleep(2 * HOUR).await);
    assert!(matches!(found, LabFailure::Stuck { .. }), "{found}");
    let lab = LabRuntime::new(LabConfig::default().max_idle(2 * HOUR));
    lab.run(|cx| async { cx.sleep(2 * HOUR).await.unwrap() });
}

#[test]
fn work_between_timers_is_no_idleness() {
    let lab = LabRuntime::new(LabConfig::default().max_idle(HOUR));
    lab.run(|cx| async {
        for _ in 0..5 {
            cx.sleep(HOUR / 2).await.unwrap();
            for _ in 0..10 {
                cx.yield_now().await;
            }
        }
    });
}

#[test]
fn explore_runs_every_seed_once_and_ends_with_the_first_failure() {
    let runs = Mutex::new(Vec::new());
    explore(3..9, |lab| {
        lab.run(varied);
        runs.lock().unwrap().push(lab.decisions());
    });
    let expected: Vec<_> = (3..9).map(|n| ran(seed(n)).decisions()).collect();
    assert_eq!(runs.into_inner().unwrap(), expected);

    let runs = AtomicUsize::new(0);
    let run = catch_unwind(AssertUnwindSafe(|| {
        explore(0..100, |_| assert!(runs.fetch_add(1, Relaxed) < 5, "the sixth fails"))
    }));
    assert!(run.is_err());
    assert_eq!(runs.into_inner(), 6);
}

#[test]
fn explore_with_keeps_the_rest_of_the_configuration() {
    explore_with(&LabConfig::default().max_steps(20), 0..5, |lab| {
        let found = failure(lab, async |cx: &mut Cx| {
            loop {
                cx.yield_now().await;
            }
        });
        assert!(matches!(found, LabFailure::Stuck { steps: 20, .. }), "{found}");
    });
}

#[test]
fn panics_of_the_program_come_out_as_they_are() {
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async {
            cx.spawn(async |_: &mut Cx| -> Res { std::panic::panic_any(41_u8) });
        })
    }));
    assert_eq!(*run.unwrap_err().downcast::<u8>().unwrap(), 41);
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| lab.run(|_| async { std::panic::panic_any(42_u8) })));
    assert_eq!(*run.unwrap_err().downcast::<u8>().unwrap(), 42);
}

#[test]
#[should_panic(expected = "a lab runs one program")]
fn a_lab_runs_once() {
    let lab = ran(seed(0));
    lab.run(|_| async {});
}

#[test]
fn without_a_trace_a_run_is_the_same() {
    let (traced, not) = (ran(seed(4)), ran(seed(4).traced(false)));
    assert_eq!(not.events(), []);
    assert_eq!(not.decisions(), traced.decisions());
    assert_eq!(not.steps(), traced.steps());
}

#[test]
fn a_wake_from_another_thread_is_found() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let stored = Arc::new(Mutex::new(None::<Waker>));
        let waker = stored.clone();
        cx.spawn(async move |cx: &mut Cx| {
            while waker.lock().unwrap().is_none() {
                cx.yield_now().await;
            }
            let waker = waker.lock().unwrap().take().unwrap();
            std::thread::spawn(move || waker.wake()).join().unwrap();
        });
        let mut stores = true;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut stores, false) {
                *stored.lock().unwrap() = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await
    });
    let found = lab.oracles().unwrap_err().to_string();
    assert!(found.contains("from a thread outside the lab"), "{found}");
}

#[test]
fn a_lab_may_be_made_in_one_thread_and_run_in_another() {
    let lab = LabRuntime::new(seed(2));
    std::thread::scope(|threads| {
        threads.spawn(|| lab.run(varied)).join().unwrap();
    });
    lab.oracles().unwrap();
    assert_eq!(lab.decisions(), ran(seed(2)).decisions());
    assert_eq!(lab.notes(), ran(seed(2)).notes());
}

#[test]
fn a_lab_that_runs_refuses_another_program_in_words() {
    let lab = LabRuntime::new(LabConfig::default());
    let again = AssertUnwindSafe(|| lab.run(async |_: &mut Cx| lab.run(async |cx: &mut Cx| cx.step().await)));
    let payload = catch_unwind(again).expect_err("it ought to refuse");
    assert!(payload.downcast_ref::<&str>().is_some_and(|said| said.contains("one program")));
}
