//! Explored runs: what the kernel and the primitives report of their steps, which classes there are, and what a failing
//! schedule is told as.
//!
//! Not here: the algorithms (`explore`), the table of programs (`examples/conformance`).
use ::explore::{Ended, Point, Scheduler, Step};
use asupersync_lab::{Executor, Found, Grain, LabConfig, Schedule, Search};
use cx::{Access, Cx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::mutex::Mutex as Lock;
use sync::semaphore::Semaphore;
use sync::shared::Shared;
use trace::Choice;
use types::Res;

/// Production's order, and what each step did.
#[derive(Default)]
struct Told(Vec<Vec<Access>>);

impl Scheduler for Told {
    fn begin(&mut self) {}
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        Some(point.usual)
    }
    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }
    fn ran(&mut self, step: &Step<'_>) {
        // What the kernel says of tasks and regions is the same in all of these programs.
        let own = step.touches.iter().map(|t| t.access);
        self.0.push(own.filter(|a| !matches!(a, Access::Happen | Access::Observe)).collect())
    }
    fn ended(&mut self, how: &Ended<'_>) {
        assert!(how.stuck.is_empty())
    }
}

/// What the steps of the program's only child did, without those that did nothing.
fn told(grain: Grain, body: impl AsyncFnOnce(&mut Cx) -> Res + Send + Clone + 'static) -> Vec<Vec<Access>> {
    let told = Arc::new(Mutex::new(Told::default()));
    let executor = Executor::new(LabConfig::default().traced(false), grain);
    let execution = executor.execute(&told, |lab| lab.run(|cx| async { assert!(body(cx).await.is_ok()) }));
    assert!(execution.failure.is_none());
    let steps = std::mem::take(&mut told.lock().unwrap().0);
    // The root region's books are closed at the end.
    steps.into_iter().filter(|s| !s.is_empty() && *s != [Access::Write]).collect()
}

#[test]
fn a_channel_reports_room_and_values() {
    let steps = told(Grain::Operation, async |cx| {
        let (tx, mut rx) = sync::mpsc::channel(2);
        tx.send(cx, 1).await?;
        tx.reserve(cx).await?.send(2);
        rx.recv(cx).await?;
        cx.step_to(rx.object(), Access::TryReceive).await;
        assert!(rx.try_recv().is_ok() && rx.try_recv().is_err());
        drop(tx);
        assert!(rx.recv(cx).await.is_err());
        Ok(())
    });
    let all: Vec<_> =
        steps.concat().into_iter().filter(|a| *a != Access::Read && *a != Access::Write).collect();
    use Access::*;
    let (sent, taken) = ([Send, Acquire(1)], [Receive, Release(1)]);
    let tried = [TryReceive, Release(1), Empty, Close, Ended];
    assert_eq!(all[..9], [&sent[..], &[Acquire(1), Send], &taken, &tried[..3]].concat());
    assert_eq!(all[9..11], tried[3..]);
}

#[test]
fn a_lock_reports_who_takes_it_and_gives_it_back() {
    use Access::*;
    let steps = told(Grain::Operation, async |cx| {
        let lock = Lock::new(0);
        *lock.lock(cx).await? += 1;
        cx.step().await;
        let guard = lock.try_lock();
        assert!(guard.is_some() && lock.try_lock().is_none());
        Ok(())
    });
    assert_eq!(steps, [vec![Acquire(1), Release(1)], vec![TryAcquire(1), Refused(1), Release(1)]]);
}

/// Two tasks that each add 1 by a look and a change.
async fn adds(cx: &mut Cx) {
    let sum = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for _ in 0..2 {
            let sum = sum.clone();
            scope.spawn(async move |cx| {
                cx.step().await;
                let seen = sum.get();
                cx.step().await;
                sum.set(seen + 1)
            });
        }
    })
    .await;
    assert_eq!(sum.get(), 2, "an addition was lost");
}

fn failure(search: &Search, replay: Option<&str>, body: impl AsyncFnOnce(&mut Cx) + Clone) -> String {
    let run = catch_unwind(AssertUnwindSafe(|| search.run("adds", replay, body)));
    *run.expect_err("it ought to fail").downcast::<String>().expect("a message")
}

/// The line that repeats a failure.
fn line(report: &str) -> String {
    report.split("LAB_REPLAY=").nth(1).unwrap().split(' ').next().unwrap().to_string()
}

#[test]
fn a_lost_update_is_found_made_small_told_and_repeated() {
    let report = failure(&Search::every(), None, adds);
    assert!(report.contains("an addition was lost"), "{report}");
    assert!(report.contains("smallest schedule: departs from production's order once"), "{report}");
    assert!(report.contains("racing pair: the task spawned at crates/lab/tests/explored.rs"), "{report}");
    assert!(report.contains("writes the value created at crates/lab/tests/explored.rs"), "{report}");
    let line = line(&report);
    let again = failure(&Search::every(), Some(&line), adds);
    assert!(again.contains("an addition was lost"), "{again}");
    // The same line under another search of the same program.
    let again = failure(&Search::sample(Schedule::Pos, 10), Some(&line), adds);
    assert!(again.contains("an addition was lost"), "{again}");
}

#[test]
fn samplers_find_it_too() {
    for schedule in [Schedule::Random, Schedule::Pos, Schedule::Urw, Schedule::Pct { depth: 2, steps: 20 }] {
        let report = failure(&Search::sample(schedule, 200), None, adds);
        assert!(report.contains("departs from production's order once"), "{report}");
    }
}

#[test]
fn a_replay_of_something_else_says_so() {
    let line = line(&failure(&Search::every(), None, adds));
    let other = failure(&Search::every(), Some(&line), async |cx| cx.step().await);
    assert!(other.contains("no longer follows the replay"), "{other}");
    let cut = failure(&Search::every(), Some(&line[..line.len() - 3]), adds);
    assert!(cut.contains("failed to read the replay"), "{cut}");
    let run = catch_unwind(AssertUnwindSafe(|| Search::every().run("multiplies", Some(&line), adds)));
    let name = *run.expect_err("another program").downcast::<String>().unwrap();
    assert!(name.contains("the recording is of `adds`, and this is `multiplies`"), "{name}");
}

fn every(body: impl AsyncFnOnce(&mut Cx) + Clone) -> Found {
    let found = Search::every().run("every", None, body);
    assert!(found.complete);
    found
}

#[test]
fn critical_sections_are_explored_once_for_each_order() {
    let found = every(async |cx| {
        let lock = Arc::new(Lock::new(()));
        for _ in 0..3 {
            let lock = lock.clone();
            cx.spawn(async move |cx| -> Res {
                for _ in 0..2 {
                    let _guard = lock.lock(cx).await?;
                }
                Ok(())
            });
        }
    });
    assert_eq!(found.classes, 90);
}

#[test]
fn a_semaphore_lets_pairs_in_whoever_they_are() {
    let found = every(async |cx| {
        let permits = Arc::new(Semaphore::new(2));
        for _ in 0..3 {
            let permits = permits.clone();
            cx.spawn(async move |cx| -> Res {
                let _permit = permits.acquire(cx, 1).await?;
                cx.step().await;
                Ok(())
            });
        }
    });
    assert!(found.classes >= 6, "{found}");
}

#[test]
fn a_deadlock_is_a_failure_with_its_schedule() {
    let report = failure(&Search::every(), None, async |cx: &mut Cx| {
        let locks = Arc::new([Lock::new(()), Lock::new(())]);
        for mine in 0..2 {
            let locks = locks.clone();
            cx.spawn(async move |cx| -> Res {
                let _one = locks[mine].lock(cx).await?;
                let _other = locks[1 - mine].lock(cx).await?;
                Ok(())
            });
        }
    });
    assert!(report.contains("deadlock"), "{report}");
    assert!(
        report.contains("waits until it takes the lock created at crates/lab/tests/explored.rs"),
        "{report}"
    );
    assert!(report.contains("racing pair"), "{report}");
}

#[test]
fn a_request_meets_every_checkpoint_once() {
    for checkpoints in 1..5_u64 {
        let found = every(async move |cx| {
            let mut worker = cx.spawn(async move |cx| -> Res {
                for _ in 0..checkpoints {
                    cx.step().await;
                    cx.checkpoint()?;
                }
                Ok(())
            });
            // The first step is the one that spawns.
            cx.step().await;
            worker.cancel("enough");
            let _ = worker.join(cx).await;
        });
        // Before it begins, too.
        assert_eq!(found.classes, checkpoints + 2, "{found}");
    }
}

#[test]
fn a_task_may_end_in_the_step_in_which_it_announced_something() {
    let found = every(async |cx| {
        let event = Arc::new(sync::event::Event::new(false));
        let waits = event.clone();
        cx.spawn(async move |cx: &mut Cx| {
            // Polled once and dropped, as by a race whose other branch returns at once.
            let mut wait = std::pin::pin!(waits.wait(cx));
            std::future::poll_fn(|context| {
                assert!(wait.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await
        });
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            event.set()
        });
    });
    assert_eq!(found.classes, 1, "the one does nothing that the other could notice");
}

#[test]
fn a_task_that_announced_something_and_gave_way_in_the_same_step_is_queued_once() {
    every(async |cx| {
        let event = Arc::new(sync::event::Event::new(false));
        let waits = event.clone();
        cx.spawn(async move |cx: &mut Cx| {
            let mut wait = std::pin::pin!(waits.wait(cx));
            let mut twice = std::pin::pin!(async {
                cx.step().await;
                cx.step().await
            });
            // Waits for the one, and spends the budget of a poll on the other.
            let mut came = false;
            std::future::poll_fn(|context| {
                came = came || wait.as_mut().poll(context).is_ready();
                twice.as_mut().poll(context)
            })
            .await
        });
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            event.set()
        });
    });
}

/// Everything that a scheduler is told, and a random choice at each step.
struct Everything {
    random: ::explore::Random,
    told: Vec<String>,
}

impl Scheduler for Everything {
    fn begin(&mut self) {
        self.random.begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.told.push(format!("{point:?}"));
        self.random.pick(point)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.random.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.told.push(format!("{step:?}"))
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.told.push(format!("{how:?}"))
    }
}

/// Tasks, a lock, random numbers, timers, a child that is left running.
async fn busy(cx: &mut Cx) -> String {
    let lock = Arc::new(Lock::new(String::new()));
    for n in 0..3_u64 {
        let lock = lock.clone();
        cx.spawn(async move |cx| -> Res {
            time::TimeExt::sleep(cx, Duration::from_millis(n)).await?;
            let text = format!("{n}: {:?} {} ", cx.now(), cx.random());
            lock.lock(cx).await?.push_str(&text);
            Ok(())
        });
    }
    let _ = time::TimeExt::sleep(cx, Duration::from_secs(1)).await;
    let Ok(said) = lock.lock(cx).await else { unreachable!("nobody asks this task to end") };
    format!("{} {:?}", *said, cx.now())
}

#[test]
fn an_executor_that_has_run_others_runs_a_program_as_a_fresh_one_does() {
    let fresh = || Executor::new(LabConfig::default().traced(false).seed(3), Grain::Operation);
    let run = |executor: &Executor| {
        let everything =
            Arc::new(Mutex::new(Everything { random: ::explore::Random::new(7), told: Vec::new() }));
        let said = Mutex::new(String::new());
        let execution = executor.execute(&everything, |lab| {
            let text = lab.run(|cx| async move { busy(cx).await });
            *said.lock().unwrap() = format!("{text}, {} steps until {:?}", lab.steps(), lab.now());
        });
        assert!(execution.failure.is_none());
        let told = std::mem::take(&mut everything.lock().unwrap().told);
        (said.into_inner().unwrap(), told)
    };
    let first = run(&fresh());
    assert!(first.1.len() > 20);
    let executor = fresh();
    for _ in 0..5 {
        assert_eq!(run(&executor), first);
        // Another program in between, and one that fails.
        let production = Arc::new(Mutex::new(Told::default()));
        executor.execute(&production, |lab| lab.run(|cx| async { cx.yield_now().await }));
        let failing = executor.execute(&Arc::new(Mutex::new(::explore::Fifo)), |lab| {
            lab.run(|_| async { panic!("as planned") })
        });
        assert!(failing.failure.is_some());
        assert_eq!(run(&executor), first);
    }
}

/// Whoever fails in one run only, by what the lab does not see, fails: also in the first run, whose panic makes requests
/// that the search begins anew for.
#[test]
fn a_failure_that_does_not_come_again_is_not_forgotten() {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    for bad in [0, 2] {
        let runs = AtomicU64::new(0);
        let met = catch_unwind(AssertUnwindSafe(|| {
            Search::every().run("only once", None, async |cx: &mut Cx| {
                let value = Arc::new(Shared::new(0));
                for n in 0..3 {
                    let value = value.clone();
                    cx.spawn(async move |cx: &mut Cx| {
                        cx.step_to(value.object(), Access::Write).await;
                        value.set(n);
                    });
                }
                assert!(runs.fetch_add(1, SeqCst) != bad, "it failed once");
            })
        }));
        let text = *met.expect_err("it failed once").downcast::<String>().expect("a report");
        assert!(text.contains("it failed once") || text.contains("does not repeat"), "{bad}: {text}");
    }
}

#[test]
fn a_search_without_a_run_does_not_pass() {
    for search in [Search::every().limit(0), Search::sample(Schedule::Random, 0)] {
        let none = catch_unwind(AssertUnwindSafe(|| search.run("nothing", None, async |_: &mut Cx| {})));
        let text = *none.expect_err("nothing was run").downcast::<String>().expect("a message");
        assert!(text.contains("was not run at all"), "{text}");
    }
}

/// A child waits for an event, which one task sets while another asks the child to end: how it can end.
#[test]
fn whoever_wakes_a_task_first_is_no_reason_that_the_other_had_to_be_there() {
    use sync::event::Event;
    for grain in [Grain::Operation, Grain::Poll] {
        let seen = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
        let ways = seen.clone();
        let body = async move |cx: &mut Cx| {
            let event = Arc::new(Event::new(false));
            let (waits, ways) = (event.clone(), ways.clone());
            let mut child = cx.spawn(async move |cx: &mut Cx| -> Res {
                waits.wait(cx).await?;
                Ok(())
            });
            cx.spawn(async move |_: &mut Cx| event.set());
            cx.spawn(async move |cx: &mut Cx| {
                child.cancel("it is no longer needed");
                let end = child.join(cx).await;
                ways.lock().unwrap().insert(if end.is_ok() { "ok" } else { "cancelled" });
            });
        };
        let found = Search::every().grain(grain).run("either", None, body);
        assert!(found.complete);
        let seen: Vec<_> = seen.lock().unwrap().iter().copied().collect();
        assert_eq!(seen, ["cancelled", "ok"], "{grain:?}, {} classes", found.classes);
    }
}

/// The same with two events: a child that waits for either is woken by both, one or the other first.
#[test]
fn a_task_that_waits_for_either_of_two_goes_on_after_one_of_them() {
    use combinator::CombineExt;
    use sync::event::Event;
    for grain in [Grain::Operation, Grain::Poll] {
        let seen = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
        let ways = seen.clone();
        let body = async move |cx: &mut Cx| {
            let events = [(); 2].map(|()| Arc::new(Event::new(false)));
            for event in events.clone() {
                cx.spawn(async move |_: &mut Cx| event.set());
            }
            let [a, b] = &events;
            let first = cx
                .select(
                    async |cx: &mut Cx| a.wait(cx).await.map(|()| b.is_set()),
                    async |cx: &mut Cx| b.wait(cx).await.map(|()| a.is_set()),
                )
                .await;
            ways.lock().unwrap().insert(match first {
                combinator::Either::First(both) => ("a", both.ok()),
                combinator::Either::Second(both) => ("b", both.ok()),
            });
        };
        let found = Search::every().grain(grain).run("either", None, body);
        assert!(found.complete);
        let seen: Vec<_> = seen.lock().unwrap().iter().copied().collect();
        let all = [("a", Some(false)), ("a", Some(true)), ("b", Some(false))];
        assert!(all.iter().all(|way| seen.contains(way)), "{grain:?}, {} classes: {seen:?}", found.classes);
    }
}

/// What a search and a sweep say of a program in which a thread does something to what tasks share, and wakes nobody.
#[allow(clippy::disallowed_methods, reason = "a thread is what is to be found")]
#[test]
fn a_thread_that_touches_what_tasks_share_is_told_by_searches_and_sweeps_though_it_wakes_nobody() {
    let told = |body: fn(Arc<Shared<u8>>)| {
        let program = async move |cx: &mut Cx| {
            let value = Arc::new(Shared::new(0));
            let mut child = cx.spawn({
                let value = value.clone();
                async move |cx: &mut Cx| {
                    cx.step().await;
                    value.set(1)
                }
            });
            body(value);
            let _ = child.join(cx).await;
        };
        let searched = catch_unwind(AssertUnwindSafe(|| Search::every().run("meets", None, program)));
        let swept = catch_unwind(AssertUnwindSafe(|| asupersync_lab::sweep("meets", 0..3, program)));
        let text = |found: Box<dyn std::any::Any + Send>| *found.downcast::<String>().expect("a report");
        [searched.map(drop), swept].map(|found| text(found.expect_err("a thread touches it")))
    };
    fn on_a_thread(f: impl FnOnce() + Send + 'static) {
        std::thread::Builder::new().name("outsider".into()).spawn(f).unwrap().join().unwrap()
    }
    let reports = told(|value| on_a_thread(move || value.set(7)));
    let looks = told(|value| on_a_thread(move || assert_eq!(value.get(), 0)));
    for (text, does) in
        reports.iter().map(|text| (text, "writes")).chain(looks.iter().map(|text| (text, "reads")))
    {
        for words in [
            "touched from outside the lab: the thread `outsider`, which is not the lab's, ",
            does,
            " the value created at crates/lab/tests/explored.rs:",
            ", at crates/lab/tests/explored.rs:",
            "have a task do it",
        ] {
            assert!(text.contains(words), "`{words}` is not in: {text}");
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread stands for what is outside the lab")]
#[test]
fn what_is_left_of_a_run_may_be_looked_at_and_dropped_anywhere() {
    let left: Mutex<Vec<Arc<Shared<u8>>>> = Mutex::default();
    let program = async |cx: &mut Cx| {
        let value = Arc::new(Shared::new(0));
        let (own, (sender, mut receiver)) = (value.clone(), sync::mpsc::channel::<u8>(1));
        cx.spawn(async move |cx: &mut Cx| {
            own.set(1);
            let _ = sender.send(cx, 1).await;
        });
        assert!(matches!(receiver.recv(cx).await, Ok(1)));
        left.lock().unwrap().push(value);
    };
    for _ in 0..3 {
        Search::every().run("left", None, program);
        asupersync_lab::sweep("left", 0..3, program);
        let values = std::mem::take(&mut *left.lock().unwrap());
        assert!(values.iter().all(|value| value.get() == 1));
        // On a thread that has never run a lab, between two runs that call their objects the same.
        std::thread::scope(|scope| {
            _ = scope.spawn(move || assert!(values.iter().all(|value| value.get() == 1)))
        });
    }
}
