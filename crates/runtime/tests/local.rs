//! `LocalRuntime`: tasks that are not `Send`, on one thread.
// Threads outside, and workers that are stuck, are what these tests are about.
#![allow(clippy::disallowed_methods)]
#[path = "watched/guard.rs"]
mod guard;

use asupersync_runtime::{Builder, LocalRuntime};
use combinator::TaskSet;
use cx::{Cx, Provides, RegionOptions};
use guard::guarded;
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;
use sync::mpsc;
use time::TimeExt;
use types::{AfterGrace, CancelKind, Never, Outcome, Res};

fn local<T>(what: &'static str, body: impl AsyncFnOnce(&asupersync_runtime::Local, &mut Cx) -> T) -> T {
    guarded(what, None, || LocalRuntime::run_with(Builder::new().seed(1), body).expect("a runtime"))
}

#[test]
fn tasks_share_what_cannot_leave_the_thread_across_awaits() {
    let total = local("shared cells", async |local, cx| {
        let home = thread::current().id();
        let log = Rc::new(RefCell::new(Vec::new()));
        let mut tasks: Vec<_> = (0..10u32)
            .map(|i| {
                let log = log.clone();
                local.spawn(cx, async move |cx| -> Res<u32, Never> {
                    for round in 0..5 {
                        log.borrow_mut().push((round, i));
                        cx.yield_now().await;
                        cx.sleep(Duration::from_micros(50)).await?;
                        assert_eq!(thread::current().id(), home);
                    }
                    Ok(i)
                })
            })
            .collect();
        let mut total = 0;
        for task in &mut tasks {
            total += task.join(cx).await.unwrap();
            assert!(task.is_finished());
        }
        drop(tasks);
        let entries = log.borrow().len();
        assert_eq!((entries, Rc::strong_count(&log)), (50, 1), "what ended has let go");
        total
    });
    assert_eq!(total, 45);
}

#[test]
fn a_cancelled_local_task_ends_and_lets_go_of_what_it_held() {
    local("a cancelled local task", async |local, cx| {
        let held = Rc::new(Cell::new(0));
        let its = held.clone();
        let mut task = local.spawn(cx, async move |cx| -> Res<(), Never> {
            its.set(1);
            let cancelled = cx.cancelled().await;
            its.set(2);
            Err(cancelled.into())
        });
        while held.get() == 0 {
            cx.yield_now().await
        }
        task.cancel("the test says so");
        let outcome = task.join(cx).await;
        assert!(
            matches!(outcome, Outcome::Cancelled(ref c) if c.kind() == CancelKind::Explicit),
            "{outcome:?}"
        );
        assert_eq!((held.get(), Rc::strong_count(&held)), (2, 1));
    });
}

#[test]
fn a_region_waits_for_local_tasks_and_cancels_them() {
    local("local tasks in a region", async |local, cx| {
        let ended = Rc::new(Cell::new(0));
        let count = ended.clone();
        cx.region(|cx| async move {
            for _ in 0..100 {
                let count = count.clone();
                local.spawn(cx, async move |cx| {
                    cx.cancelled().await;
                    count.set(count.get() + 1);
                });
            }
            let handle = cx.handle();
            thread::spawn(move || handle.cancel(CancelKind::Explicit, "the thread says so", None));
        })
        .await;
        assert_eq!((ended.get(), Rc::strong_count(&ended)), (100, 1));
    });
}

#[test]
fn a_value_stays_on_its_thread_and_is_joined_or_dropped_there() {
    /// Knows where it was made, and is dropped there.
    struct Here(thread::ThreadId, Rc<Cell<u32>>);
    impl Drop for Here {
        fn drop(&mut self) {
            assert_eq!(thread::current().id(), self.0);
            self.1.set(self.1.get() + 1)
        }
    }
    local("values that stay", async |local, cx| {
        let dropped = Rc::new(Cell::new(0));
        let value = |rounds: u32| {
            let dropped = dropped.clone();
            async move |cx: &mut Cx| -> Res<Here> {
                for _ in 0..rounds {
                    cx.yield_now().await
                }
                Ok(Here(thread::current().id(), dropped))
            }
        };
        let mut joined = local.spawn(cx, value(3));
        drop(joined.join(cx).await.unwrap());
        assert_eq!(dropped.get(), 1);
        drop(local.spawn(cx, value(2)));
        let kept = local.spawn(cx, value(0));
        while !kept.is_finished() {
            cx.yield_now().await
        }
        drop(kept);
        assert_eq!(dropped.get(), 2, "whoever drops the handle last drops the value");
        // Of a region that has closed, and of one whose task was asked to end after its wakers went to another thread.
        let outlives = cx.region(|cx| async { local.spawn(cx, value(1)) }).await;
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let theirs = waker.clone();
        let woken = local.spawn(cx, async move |_: &mut Cx| -> Res<Rc<u8>> {
            poll_fn(|context| {
                let mut slot = theirs.lock().expect("never poisoned");
                if slot.replace(context.waker().clone()).is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            Ok(Rc::new(7))
        });
        while waker.lock().expect("never poisoned").is_none() {
            cx.yield_now().await
        }
        let clone = waker.lock().expect("never poisoned").clone().expect("just seen");
        thread::spawn(move || clone.wake()).join().expect("it only wakes");
        while !woken.is_finished() {
            cx.yield_now().await
        }
        // The last reference but the handle's goes on another thread, and finds nothing.
        let last = waker.lock().expect("never poisoned").take();
        drop(woken);
        thread::spawn(move || drop(last)).join().expect("it only drops");
        assert_eq!(dropped.get(), 3, "the first of the two was dropped as it ended");
        drop(outlives);
        assert_eq!(dropped.get(), 4);
    });
}

#[test]
fn a_thread_wakes_a_local_task_on_the_task_s_own_thread() {
    local("a local task woken by a thread", async |local, cx| {
        let waiter: Arc<Mutex<(u32, Option<Waker>)>> = Arc::default();
        let theirs = waiter.clone();
        let thread = thread::spawn(move || {
            let mut rings = 0;
            while rings < 1000 {
                let mut state = theirs.lock().expect("never poisoned");
                let Some(waker) = state.1.take() else {
                    drop(state);
                    thread::yield_now();
                    continue;
                };
                rings += 1;
                state.0 = rings;
                drop(state);
                // Another thread's clone dropped there, and one that is woken by value.
                drop(waker.clone());
                waker.wake()
            }
        });
        let home = thread::current().id();
        let seen = Rc::new(Cell::new(0));
        let its = seen.clone();
        let mut task = local.spawn(cx, async move |_| {
            poll_fn(|context| {
                assert_eq!(thread::current().id(), home);
                let mut state = waiter.lock().expect("never poisoned");
                its.set(state.0);
                state.1 = Some(context.waker().clone());
                if state.0 < 1000 { Poll::Pending } else { Poll::Ready(()) }
            })
            .await
        });
        task.join(cx).await.ok().expect("it ends");
        assert_eq!(seen.get(), 1000);
        thread.join().expect("it only wakes");
    });
}

#[test]
fn a_local_task_and_ordinary_ones_talk() {
    local("local and ordinary tasks", async |local, cx| {
        let (sender, mut receiver) = mpsc::channel::<u64>(2);
        cx.spawn(async move |cx: &mut Cx| {
            for i in 0..1000 {
                sender.send(cx, i).await.expect("the receiver is there");
            }
        });
        let sum = Rc::new(Cell::new(0));
        let its = sum.clone();
        let mut task = local.spawn(cx, async move |cx| {
            while let Ok(i) = receiver.recv(cx).await {
                its.set(its.get() + i);
            }
        });
        task.join(cx).await.ok().expect("it ends with the channel");
        assert_eq!(sum.get(), 499_500);
        let mut closure = cx.spawn_blocking(|_| thread::current().id());
        assert_ne!(closure.join(cx).await.unwrap(), thread::current().id());
    });
}

#[test]
fn a_local_task_s_panic_is_its_outcome_and_drops_what_it_held_here() {
    local("a local panic", async |local, cx| {
        let held = Rc::new(());
        let its = held.clone();
        let outcome = cx
            .region_with(RegionOptions::isolate(), |cx| async {
                let mut task = local.spawn(cx, async move |cx| -> Res<(), Never> {
                    cx.yield_now().await;
                    let _its = its;
                    panic!("local")
                });
                task.join(cx).await
            })
            .await;
        assert!(matches!(outcome, Outcome::Panicked(ref p) if p.message() == "local"), "{outcome:?}");
        assert_eq!(Rc::strong_count(&held), 1);
    });
}

/// Local tasks are joined and cancelled as a set; neither they nor their values are `Send`.
#[test]
fn local_tasks_are_joined_as_a_set() {
    let (order, left) = local("a set of local tasks", async |local, cx| {
        let mut set = TaskSet::adopting();
        let shared = Rc::new(RefCell::new(Vec::new()));
        for n in [3, 1, 2] {
            let shared = shared.clone();
            set.adopt(local.spawn(cx, async move |cx: &mut Cx| -> Res<Rc<usize>> {
                cx.sleep(Duration::from_millis(n)).await?;
                shared.borrow_mut().push(n);
                Ok(Rc::new(shared.borrow().len()))
            }));
        }
        let mut order = Vec::new();
        while let Some(outcome) = set.join_next(cx).await.unwrap() {
            order.push(*outcome.unwrap());
        }
        let held = shared.clone();
        set.adopt(local.spawn(cx, async move |cx: &mut Cx| -> Res<Rc<usize>> {
            cx.sleep(Duration::from_secs(3600)).await?;
            Ok(Rc::new(held.borrow().len()))
        }));
        set.cancel_all("enough");
        assert!(set.join_next(cx).await.unwrap().unwrap().is_cancelled());

        let mut keyed = TaskSet::adopting();
        keyed.adopt_keyed("seven", local.spawn(cx, async |_: &mut Cx| -> Res<Rc<usize>> { Ok(Rc::new(7)) }));
        let (key, outcome) = keyed.join_next_keyed(cx).await.unwrap().unwrap();
        assert_eq!((key, *outcome.unwrap()), ("seven", 7));
        (order, Rc::strong_count(&shared))
    });
    assert_eq!((order, left), (vec![1, 2, 3], 1));
}

#[test]
fn a_local_task_has_the_user_value_that_is_within_reach_where_it_is_spawned() {
    struct Db {
        rows: u8,
    }
    struct App {
        db: Db,
    }
    impl Provides<Db> for App {
        fn provide(&self) -> &Db {
            &self.db
        }
    }
    let rows = local("a user value", async |local, cx| {
        cx.with(App { db: Db { rows: 9 } }, async |cx| {
            let mut task =
                local.spawn(cx, async |cx: &mut Cx<_>| -> Res<u8, Never> { Ok(cx.env::<Db>().rows) });
            task.join(cx).await.unwrap()
        })
        .await
    });
    assert_eq!(rows, 9);
}

#[test]
fn a_local_task_that_is_given_up_says_that_it_was_abandoned() {
    let (reports, ended) = guarded("an abandoned local task", None, || {
        let kept = Kept::default();
        let builder = Builder::new().seed(1).grace(Duration::from_millis(20)).reports(kept.clone());
        let ended = LocalRuntime::run_with(builder, async |local, cx| {
            let collected = cx
                .collect(|outer| async {
                    let options = RegionOptions::keep_going().after_grace(AfterGrace::Abandon);
                    outer
                        .region_with(options, |r| async {
                            let mut task = local.spawn(r, async |_| -> Res<(), Never> { pending().await });
                            r.yield_now().await;
                            task.cancel("the test says so");
                            task.join(r).await
                        })
                        .await
                })
                .await;
            collected.value
        });
        (kept, ended.expect("a runtime"))
    });
    let reports = reports.0.lock().expect("never poisoned");
    assert!(matches!(&ended, Outcome::Panicked(p) if p.is_abandoned()), "{ended:?} {reports:#?}");
    assert_eq!(reports.len(), 1, "its deadline is told once: {reports:#?}");
}

/// Reports, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl cx::port::Reports for Kept {
    fn report(&self, report: cx::port::Report) {
        self.0.lock().expect("never poisoned").push(report.to_string())
    }
}
