//! Runs that get nowhere: wakes that were lost, also where a timeout hides it; futures that keep others waiting because
//! nobody polls them; loops. Each planted mistake is told with its task and its lines, and the same program without it
//! passes.
//!
//! Not here: circles of tasks (`deadlock.rs`).

use asupersync_lab::{Grain, LabConfig, LabFailure, LabRuntime, Schedule, Search, explore, explore_with};
use cx::Cx;
use futures::FutureExt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;
use sync::semaphore::Semaphore;
use time::TimeExt;
use types::{Res, Time};

const SECOND: Duration = Duration::from_secs(1);

/// A flag somebody waits for; `forgets` is the mistake.
#[derive(Default)]
struct Flag {
    up: AtomicBool,
    waker: Mutex<Option<Waker>>,
    forgets: bool,
}

impl Flag {
    fn new(forgets: bool) -> Arc<Flag> {
        Arc::new(Flag { forgets, ..Flag::default() })
    }

    async fn wait(&self) {
        poll_fn(|context| {
            *self.waker.lock().unwrap() = Some(context.waker().clone());
            if self.up.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    }

    fn raise(&self) {
        self.up.store(true, Relaxed);
        let waker = self.waker.lock().unwrap().take();
        if !self.forgets {
            waker.into_iter().for_each(Waker::wake)
        }
    }
}

fn lost(failure: &LabFailure) -> &str {
    match failure {
        LabFailure::LostWakeup { lost, .. } => lost,
        other => panic!("not a lost wake: {other}"),
    }
}

/// One waits for the flag, the other raises it; the first one's line.
async fn raised(cx: &Cx, flag: &Arc<Flag>) -> u32 {
    let (waits, raises) = (flag.clone(), flag.clone());
    let line = line!() + 1;
    cx.spawn(async move |_: &mut Cx| waits.wait().await);
    cx.spawn(async move |cx: &mut Cx| {
        cx.yield_now().await;
        raises.raise()
    });
    line
}

#[test]
fn a_wake_that_was_lost_is_told_with_who_waited_and_who_ran_last() {
    let (mut found, mut fine) = (0, 0);
    for seed in 0..40 {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        let mut line = 0;
        match lab.try_run(async |cx: &mut Cx| line = raised(cx, &Flag::new(true)).await) {
            Ok(()) => fine += 1,
            Err(failure) => {
                let text = lost(&failure);
                assert!(text.contains(&format!("(spawned at {}:{line}) waits for", file!())), "{text}");
                assert!(text.contains("polled once more it went on, and nobody had woken it"), "{text}");
                assert!(
                    text.contains("last ran task#") && text.contains(&format!(":{}", line + 1)),
                    "{text}"
                );
                let oracles = lab.oracles().unwrap_err().to_string();
                assert!(oracles.contains("lost_wakeup:"), "{oracles}");
                found += 1
            }
        }
    }
    // The second one may raise the flag before the first one looks.
    assert!(found > 5 && fine > 5, "{found} found, {fine} fine");
}

#[test]
fn whoever_wakes_is_never_accused() {
    explore(0..40, |lab| {
        lab.run(async |cx: &mut Cx| _ = raised(cx, &Flag::new(false)).await);
        lab.oracles().unwrap();
    });
}

#[test]
fn a_lost_wake_that_a_timer_of_somebody_else_hides_is_found_before_the_clock_moves() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    let run = lab.try_run(async |cx: &mut Cx| {
        raised(cx, &Flag::new(true)).await;
        cx.sleep(SECOND).await
    });
    lost(&run.unwrap_err());
    assert_eq!(lab.now(), Time::ZERO);
}

/// Waits for the flag for a second at most.
fn hidden_by_its_own_timeout(config: LabConfig) -> Result<Time, LabFailure> {
    let lab = LabRuntime::new(config.schedule(Schedule::Fifo));
    let run = lab.try_run(async |cx: &mut Cx| {
        let flag = Flag::new(true);
        let raises = flag.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.yield_now().await;
            cx.yield_now().await;
            raises.raise()
        });
        futures::select_biased! {
            () = flag.wait().fuse() => {}
            _ = cx.sleep(SECOND).fuse() => {}
        }
    });
    run.map(|()| lab.now())
}

#[test]
fn a_lost_wake_that_its_own_timeout_hides_is_found_unless_nudging_is_switched_off() {
    lost(&hidden_by_its_own_timeout(LabConfig::default()).unwrap_err());
    let hidden = hidden_by_its_own_timeout(LabConfig::default().nudge_waiting(false));
    assert_eq!(hidden.unwrap(), Time::ZERO + SECOND, "it went on a second late");
}

#[test]
fn a_task_that_drops_its_waker_is_found_in_every_schedule() {
    explore_with(&LabConfig::default(), 0..20, |lab| {
        let run = lab.try_run(async |cx: &mut Cx| {
            let mut polled = false;
            cx.spawn(async move |_: &mut Cx| {
                poll_fn(
                    |_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending },
                )
                .await
            });
        });
        assert!(lost(&run.unwrap_err()).contains("something that is no operation of this runtime"));
    });
}

#[test]
fn a_search_tells_a_lost_wake_with_its_smallest_schedule() {
    for grain in [Grain::Operation, Grain::Poll] {
        let search = Search::every().grain(grain);
        let run = catch_unwind(AssertUnwindSafe(|| {
            search.run("loses", None, async |cx: &mut Cx| _ = raised(cx, &Flag::new(true)).await)
        }));
        let text = *run.unwrap_err().downcast::<String>().unwrap();
        assert!(text.contains("lost wake-up: ") && text.contains(file!()), "{text}");
        search.run("keeps", None, async |cx: &mut Cx| _ = raised(cx, &Flag::new(false)).await);
    }
}

/// A flag that exploration sees, and whose waiter is never woken.
#[derive(Default)]
struct SeenFlag(sync::shared::Shared<bool>);

impl SeenFlag {
    async fn wait(&self) {
        poll_fn(|_| if self.0.read(|up| *up) { Poll::Ready(()) } else { Poll::Pending }).await
    }
}

#[test]
fn an_explored_lost_wake_is_told_with_who_changed_what_was_waited_for() {
    let search = Search::every();
    let mut line = 0;
    let lines = &mut line;
    let run = catch_unwind(AssertUnwindSafe(|| {
        let at = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let stored = at.clone();
        let run = catch_unwind(AssertUnwindSafe(|| {
            search.run("unseen", None, async move |cx: &mut Cx| {
                let flag = Arc::new(SeenFlag::default());
                let raises = flag.clone();
                cx.spawn(async move |_: &mut Cx| flag.wait().await);
                at.store(line!() + 1, Relaxed);
                cx.spawn(async move |cx: &mut Cx| {
                    cx.step().await;
                    raises.0.write(|up| *up = true)
                });
            })
        }));
        *lines = stored.load(Relaxed);
        std::panic::resume_unwind(run.unwrap_err())
    }));
    let text = *run.map(drop).unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("last to change what it waits on: task#"), "{text}");
    assert!(text.contains(&format!("(spawned at {}:{line}) writes the value created at", file!())), "{text}");
}

#[test]
fn without_a_trace_nobody_is_saved_by_being_polled() {
    let hidden = hidden_by_its_own_timeout(LabConfig::default().traced(false));
    assert_eq!(hidden.unwrap(), Time::ZERO + SECOND, "it went on a second late, as it would have");
}

#[test]
fn who_waits_for_what_never_comes_is_a_deadlock_and_no_lost_wake() {
    let lab = LabRuntime::new(LabConfig::default());
    let never = Flag::new(false);
    let run = lab.try_run(async |cx: &mut Cx| {
        let (_sender, mut receiver) = sync::mpsc::channel::<u8>(1);
        let waits = never.clone();
        cx.spawn(async move |_: &mut Cx| waits.wait().await);
        let _ = receiver.recv(cx).await;
    });
    assert!(matches!(run, Err(LabFailure::Deadlock { .. })), "{run:?}");
}

#[test]
fn long_runs_are_not_slowed_by_looking() {
    let lab = LabRuntime::new(LabConfig::default());
    let polls = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = polls.clone();
    lab.run(async |cx: &mut Cx| {
        let idle = cx.spawn(async move |cx: &mut Cx| {
            let mut forever = pin!(cx.cancelled());
            let _ = poll_fn(|context| {
                counted.fetch_add(1, Relaxed);
                forever.as_mut().poll(context)
            })
            .await;
        });
        for _ in 0..5000 {
            cx.sleep(SECOND).await.unwrap();
        }
        idle.cancel("enough");
    });
    let (nudged, steps) = (polls.load(Relaxed), lab.steps());
    assert!((100..300 + steps / 4).contains(&nudged), "{nudged} in {steps} steps");
}

/// The classic: a future that stands in the lock's queue is left aside, and the task asks for the lock again.
async fn left_aside(cx: &mut Cx, lock: &Arc<Semaphore>) -> Res {
    let held = lock.acquire(cx, 1).await?;
    let other = lock.clone();
    let mut first = pin!(other.acquire(cx, 1));
    // Polled once: it stands in the queue from here on.
    assert!(futures::poll!(first.as_mut()).is_pending());
    // In a lab every poll does one operation; and this is the second one of this poll.
    cx.yield_now().await;
    assert!(futures::poll!(first.as_mut()).is_pending());
    cx.yield_now().await;
    drop(held);
    let _again = lock.acquire(cx, 1).await?;
    Ok(())
}

#[test]
fn a_lock_that_is_handed_to_a_future_that_nobody_polls_is_told_with_both_lines() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    let lock = Arc::new(Semaphore::new(1));
    let run = lab.try_run(async |cx: &mut Cx| {
        cx.spawn(async move |cx: &mut Cx| left_aside(cx, &lock).await);
    });
    let failure = run.unwrap_err().to_string();
    assert!(failure.contains("it was handed to a future of task#"), "{failure}");
    assert!(failure.contains("is not polled any more: that task awaits `acquire (no permits)`"), "{failure}");
    let oracles = lab.oracles().unwrap_err().to_string();
    assert!(oracles.contains("futurelock:"), "{oracles}");
}

#[test]
fn a_lock_that_a_future_holds_that_was_left_aside_is_told_with_both_lines() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    let mut lines = (0, 0);
    let run = lab.try_run(async |cx: &mut Cx| {
        let lock = sync::mutex::Mutex::new(0);
        let mut holds = pin!(async {
            let _guard = lock.lock(cx).await.unwrap();
            lines.0 = line!() - 1;
            std::future::pending::<()>().await
        });
        for _ in 0..3 {
            assert!(futures::poll!(holds.as_mut()).is_pending());
            cx.yield_now().await;
        }
        lines.1 = line!() + 1;
        let _ = lock.lock(cx).await;
    });
    let failure = run.unwrap_err().to_string();
    let (held, wanted) = (format!("{}:{}", file!(), lines.0), format!("{}:{}", file!(), lines.1));
    let expected = format!(
        "the root body waits for the mutex at {wanted}; it took it at {held}, in a future that it does not poll now, or \
         in this one"
    );
    assert!(failure.contains(&expected), "{failure}\nexpected {expected}");
}

#[test]
fn a_holder_that_awaits_what_never_comes_is_told_with_what_it_awaits() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    let (sender, mut receiver) = sync::mpsc::channel::<u8>(1);
    let run = lab.try_run(async |cx: &mut Cx| {
        let lock = Arc::new(sync::mutex::Mutex::new(0));
        let other = lock.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _guard = other.lock(cx).await?;
            let _ = receiver.recv(cx).await;
            Ok(())
        });
        cx.yield_now().await;
        cx.yield_now().await;
        let _ = lock.lock(cx).await;
    });
    let failure = run.unwrap_err().to_string();
    assert!(failure.contains("the root body waits for the mutex at"), "{failure}");
    assert!(failure.contains("took it at") && failure.contains("and awaits `recv"), "{failure}");
    drop(sender);
}

#[test]
fn a_future_that_was_dropped_keeps_nobody_waiting() {
    explore(0..40, |lab| {
        lab.run(async |cx: &mut Cx| {
            let lock = Arc::new(Semaphore::new(1));
            for _ in 0..2 {
                let lock = lock.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let other = lock.clone();
                    let held = lock.acquire(cx, 1).await?;
                    {
                        let mut dropped = pin!(other.acquire(cx, 1));
                        assert!(futures::poll!(dropped.as_mut()).is_pending());
                        cx.yield_now().await;
                    }
                    drop(held);
                    let _again = lock.acquire(cx, 1).await?;
                    Ok(())
                });
            }
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_loop_is_told_once_with_who_goes_round() {
    for schedule in [Schedule::Fifo, Schedule::Random, Schedule::RoundRobin] {
        let lab = LabRuntime::new(LabConfig::default().schedule(schedule).max_steps(3000));
        let mut lines = Vec::new();
        let run = lab.try_run(async |cx: &mut Cx| {
            for name in ["after you", "no, after you"] {
                lines.push(line!() + 1);
                cx.spawn(async move |cx: &mut Cx| {
                    loop {
                        cx.trace(name);
                        cx.yield_now().await;
                    }
                });
            }
        });
        let failure = run.unwrap_err();
        let LabFailure::Stuck { why, .. } = &failure else { panic!("{failure}") };
        assert!(why.contains("livelock: a loop of 2 steps repeats: "), "{why}");
        assert!(why.contains("notes `after you`") && why.contains("notes `no, after you`"), "{why}");
        assert!(why.contains(&format!("(spawned at {}:{})", file!(), lines[0])), "{why}");
        let oracles = lab.oracles().unwrap_err().to_string();
        assert!(oracles.contains("livelock:"), "{oracles}");
    }
}

#[test]
fn a_run_that_is_only_long_is_no_loop() {
    let lab = LabRuntime::new(LabConfig::default().max_steps(3000));
    let run = lab.try_run(async |cx: &mut Cx| {
        for n in 0.. {
            cx.trace(format!("{n}"));
            cx.yield_now().await;
        }
    });
    let LabFailure::Stuck { why, .. } = run.unwrap_err() else { panic!("it is stuck") };
    assert!(!why.contains("livelock"), "{why}");
}

#[test]
fn an_explored_loop_says_what_it_does_to_what() {
    let search = Search::every().config(LabConfig::default().max_steps(500)).shrink(0);
    let run = catch_unwind(AssertUnwindSafe(|| {
        search.run("spins", None, async |cx: &mut Cx| {
            let flag = sync::shared::Shared::new(0);
            loop {
                cx.step().await;
                if flag.read(|n| *n) > 0 {
                    break;
                }
            }
        })
    }));
    let text = *run.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("livelock: a loop of one step repeats: the root body reads the value"), "{text}");
}

/// What a search says of a task that asks again and again for a flag, which another task sets if `sets`.
fn spinning(sets: bool, search: Search) -> String {
    let run = catch_unwind(AssertUnwindSafe(|| {
        search.run("spins", None, async move |cx: &mut Cx| {
            let flag = Arc::new(sync::shared::Shared::new(false));
            let its = flag.clone();
            cx.spawn(async move |cx: &mut Cx| {
                while !its.get() {
                    cx.step().await
                }
            });
            cx.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                if sets {
                    flag.set(true)
                }
            });
        })
    }));
    *run.expect_err("it spins").downcast::<String>().expect("a report")
}

#[test]
fn an_explored_spin_loop_is_told_whether_or_not_somebody_ends_it() {
    // If nobody does, nobody else could come, and it is given more time to end.
    for (sets, times, steps) in [(false, 10_000, 10_200), (true, 500, 700)] {
        let text = spinning(sets, Search::every().shrink(50));
        let times = format!("a spin loop: {times} steps in a row repeat a look, and nothing changes: ");
        for words in [
            times.as_str(),
            "`LabConfig::max_spins(2000)` allows it more steps",
            "reads the value created at crates/lab/tests/liveness.rs:",
            "wait for the change",
            "to run exactly this again: ",
        ] {
            assert!(text.contains(words), "`{words}` is not in: {text}");
        }
        let stuck = text.split("stuck after ").nth(1).and_then(|rest| rest.split(' ').next());
        assert!(stuck.and_then(|n| n.parse().ok()).is_some_and(|n: u64| n < steps), "{text}");
    }
    let few = Search::every().config(LabConfig::default().max_spins(20)).shrink(50);
    assert!(spinning(true, few).contains("a spin loop: 20 steps in a row"));
}

#[test]
fn a_search_of_every_class_bounds_its_runs_though_nobody_said_so() {
    let run = catch_unwind(AssertUnwindSafe(|| {
        Search::every().shrink(0).run("counts", None, async |cx: &mut Cx| {
            let counts = sync::shared::Shared::new(0);
            loop {
                cx.step().await;
                counts.write(|n| *n += 1)
            }
        })
    }));
    let text = *run.expect_err("it never ends").downcast::<String>().expect("a report");
    assert!(text.contains("stuck after 100000 steps: the limit on steps was reached"), "{text}");
}

#[test]
fn a_loop_that_awaits_nothing_is_told_with_its_line_by_searches_and_sweeps() {
    let body = async |_: &mut Cx| {
        let flag = sync::shared::Shared::new(false);
        while !flag.get() {}
    };
    let searched = catch_unwind(AssertUnwindSafe(|| _ = Search::every().run("spins", None, body)));
    let swept = catch_unwind(AssertUnwindSafe(|| asupersync_lab::sweep("spins", 0..3, body)));
    for run in [searched, swept] {
        let text = *run.expect_err("it never ends").downcast::<String>().expect("a report");
        assert!(text.contains("a step that does not end: "), "{text}");
        assert!(text.contains(" at crates/lab/tests/liveness.rs:"), "{text}");
    }
}

/// Asks so often, and no more, for what never comes; if `beside`, another task could take a step each time.
fn asks(times: u32, beside: bool) -> Result<u64, String> {
    let run = catch_unwind(AssertUnwindSafe(|| {
        Search::every().shrink(0).run("asks", None, async move |cx: &mut Cx| {
            let flag = Arc::new(sync::shared::Shared::new(false));
            let both = [flag.clone(), flag];
            for flag in both.into_iter().skip(usize::from(!beside)) {
                cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..times {
                        cx.step_to(flag.object(), cx::Access::Read).await;
                        assert!(!flag.get())
                    }
                });
            }
        })
    }));
    run.map(|found| found.classes).map_err(|text| *text.downcast::<String>().expect("a report"))
}

#[test]
fn a_bounded_loop_that_nobody_else_could_interrupt_is_no_spin_loop() {
    assert_eq!(asks(700, false), Ok(1));
    assert_eq!(asks(9_000, false), Ok(1));
    assert_eq!(asks(200, true), Ok(1));
    assert!(asks(700, true).is_err_and(|text| text.contains("a spin loop: ")));
}

#[test]
fn a_loop_that_asks_a_bounded_number_of_times_is_explored_to_its_end() {
    let found = Search::every().run("asks", None, async |cx: &mut Cx| {
        let flag = Arc::new(sync::shared::Shared::new(false));
        let its = flag.clone();
        cx.spawn(async move |cx: &mut Cx| {
            for _ in 0..150 {
                cx.step().await;
                if its.get() {
                    break;
                }
            }
        });
        cx.spawn(async move |_: &mut Cx| flag.set(true));
    });
    assert!(found.complete, "{found}");
    assert_eq!(found.classes, 151);
}
