//! Several runtimes in one process: inside each other, after each other, and one that never runs.
use super::guard::guarded;
use super::watchdog::watched;
use super::workers;
use cx::{Cx, TaskHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use sync::mpsc;
use time::TimeExt;
use types::Never;

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A runtime's work that needs another runtime's help: it gets numbers from there and sends them back.
async fn relay(cx: &mut Cx, mut from: mpsc::Receiver<u64>, to: mpsc::Sender<u64>) {
    cx.spawn(async move |cx: &mut Cx| {
        while let Ok(n) = from.recv(cx).await {
            cx.yield_now().await;
            if to.send(cx, n + 1).await.is_err() {
                return;
            }
        }
    });
}

async fn ask_around(cx: &mut Cx, to: mpsc::Sender<u64>, mut from: mpsc::Receiver<u64>) {
    for i in 0..500 {
        to.send(cx, i).await.expect("the other runtime is there");
        assert_eq!(from.recv(cx).await.ok(), Some(i + 1));
    }
}

#[test]
fn a_runtime_inside_a_blocking_closure_of_another_talks_to_it() {
    for (outer, inner) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        watched("a runtime in a blocking closure", workers(outer), async |cx| {
            let (to_inner, from_outer) = mpsc::channel(1);
            let (to_outer, from_inner) = mpsc::channel(1);
            let mut closure = cx.spawn_blocking(move |_| {
                workers(inner).run(async |cx| relay(cx, from_outer, to_outer).await);
                7
            });
            ask_around(cx, to_inner, from_inner).await;
            assert_eq!(closure.join(cx).await.ok().ok(), Some(7));
        });
    }
}

#[test]
fn a_runtime_inside_a_task_of_another_runs_on_its_worker() {
    watched("a runtime in a task", workers(2), async |cx| {
        let mut outer = cx.spawn(async |_: &mut Cx| {
            let sum = workers(2).run(async |cx| {
                let mut tasks: Vec<_> = (0..100u64)
                    .map(|i| {
                        cx.spawn(async move |cx: &mut Cx| {
                            let _ = cx.sleep(Duration::from_micros(i)).await;
                            Ok::<_, Never>(i)
                        })
                    })
                    .collect();
                let mut sum = 0;
                for task in &mut tasks {
                    sum += task.join(cx).await.unwrap();
                }
                sum
            });
            Ok::<_, Never>(sum)
        });
        assert_eq!(outer.join(cx).await.unwrap(), 4950);
        // The worker is its own runtime's again.
        let mut after = cx.spawn(async |cx: &mut Cx| cx.yield_now().await);
        after.join(cx).await.ok().expect("ran");
    });
}

#[test]
fn two_runtimes_side_by_side_wake_each_other_s_tasks() {
    guarded("two runtimes", None, || {
        let (to_other, from_one) = mpsc::channel(1);
        let (to_one, from_other) = mpsc::channel(1);
        let other = std::thread::spawn(move || workers(2).run(async |cx| relay(cx, from_one, to_one).await));
        workers(2).run(async |cx| ask_around(cx, to_other, from_other).await);
        other.join().expect("it ends when the channel does");
    });
}

#[test]
fn a_runtime_that_never_runs_drops_what_was_spawned_into_it() {
    guarded("a runtime that never runs", None, || {
        let dropped = Arc::new(AtomicUsize::new(0));
        let runtime = super::quiet(2);
        let handle = runtime.handle();
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let counted = Counted(dropped.clone());
                let body = async move |cx: &mut Cx| {
                    cx.yield_now().await;
                    drop(counted);
                    panic!("never polled")
                };
                handle.try_spawn::<(), _>(body).ok().expect("the region is open")
            })
            .collect();
        assert_eq!(dropped.load(SeqCst), 0);
        drop(runtime);
        assert_eq!(dropped.load(SeqCst), 10);
        assert!(tasks.iter().all(|task| task.is_finished()));
        assert!(handle.try_spawn(async |_: &mut Cx| ()).is_err());
        handle.cancel(types::CancelKind::Shutdown, "too late", None);
        tasks.iter().for_each(|task| task.cancel("too late"));
    });
}

#[test]
fn a_runtime_that_never_runs_may_be_empty() {
    for n in [1, 4] {
        drop(workers(n));
    }
}

#[test]
fn runtimes_one_after_another_leave_no_place_taken() {
    guarded("many runtimes", None, || {
        for i in 0..task::engine::MAX_ENGINES + 100 {
            let runtime = workers(1);
            if i % 2 == 0 {
                assert!(runtime.run(async |cx| cx.spawn(async |_: &mut Cx| {}).join(cx).await.is_ok()))
            }
        }
    });
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped too late")
    }
}

/// A handle on a task that has ended, whose runtime is gone.
fn left_behind() -> TaskHandle<Grenade, Never> {
    let mut left = None;
    let slot = &mut left;
    workers(1).run(async move |cx: &mut Cx| {
        let task = cx.spawn(async |_: &mut Cx| Ok::<_, Never>(Grenade));
        while !task.is_finished() {
            cx.yield_now().await
        }
        *slot = Some(task);
    });
    left.expect("the body has run")
}

#[test]
fn what_is_dropped_after_its_runtime_is_no_news_of_the_next_one() {
    guarded("a handle that outlives its runtime", None, || {
        let left = left_behind();
        let (next, kept) = super::kept(1);
        drop(left);
        next.run(async |_| {});
        assert_eq!(kept.say("dropped too late"), 0, "{:?}", kept.0);
    });
}

/// A second panic would end the process.
#[test]
fn the_drop_of_a_handle_after_its_runtime_panics_into_nobody_not_even_who_unwinds() {
    guarded("a handle that is dropped by a panic", None, || {
        let left = left_behind();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _left = left;
            panic!("the first one")
        }));
        let payload = caught.expect_err("it panicked");
        assert_eq!(payload.downcast_ref(), Some(&"the first one"));
    });
}
