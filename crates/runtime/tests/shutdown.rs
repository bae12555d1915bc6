//! The end of a program that cannot be stopped in time: a server with Ctrl-C, some seconds of grace, and one
//! connection that blocks for a minute; scaled down. What does not stop is named and written off, everything
//! above it closes and runs its finalizers, `run` returns, and the process is as usable as before.
// Threads outside, and workers that are stuck, are what these tests are about.
#![allow(clippy::disallowed_methods)]
#[path = "watched/watchdog.rs"]
mod watchdog;

use asupersync_runtime::{Builder, Runtime};
use cx::port::{Report, Reports};
use cx::{Cx, NoSpawn, RegionHandle};
use net::TcpListener;
use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use time::TimeExt;
use types::{CancelKind, Outcome, Res};
use watchdog::{guard, watched};

const GRACE: Duration = Duration::from_millis(200);

/// Keeps reports.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Reports for Kept {
    fn report(&self, report: Report) {
        self.0.lock().expect("never poisoned").push(report.to_string())
    }
}

impl Kept {
    fn say(&self, what: &str) -> bool {
        self.0.lock().expect("never poisoned").iter().any(|report| report.contains(what))
    }
}

fn runtime(n: usize) -> (Runtime, Kept) {
    let kept = Kept::default();
    let builder = Builder::new().workers(n).seed(1).grace(GRACE).reports(kept.clone());
    (builder.build().expect("a runtime"), kept)
}

/// What a test sees of its server.
#[derive(Clone, Default)]
struct Seen {
    finalized: Arc<AtomicUsize>,
    drained: Arc<AtomicUsize>,
}

/// A region with a finalizer, in it a task with a region with a finalizer, in it `connections` good connections
/// and a bad one.
async fn serve(cx: &mut Cx, seen: Seen, bad: impl AsyncFnOnce(&mut Cx)) {
    let all = seen.clone();
    cx.region(|cx| async {
        let outer = seen.finalized.clone();
        let registered = cx.finally(async move |_| -> Res {
            outer.fetch_add(1, SeqCst);
            Ok(())
        });
        assert!(registered.is_ok());
        cx.region(|cx| async {
            let inner = seen.finalized.clone();
            let registered = cx.finally(async move |_| -> Res {
                inner.fetch_add(1, SeqCst);
                Ok(())
            });
            assert!(registered.is_ok());
            for _ in 0..5 {
                let drained = seen.drained.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    cx.cancelled().await;
                    // A request in progress is answered within the grace.
                    cx.masked(async |cx| drop(cx.sleep(GRACE / 10).await)).await;
                    drained.fetch_add(1, SeqCst);
                });
            }
            bad(cx).await
        })
        .await
    })
    .await;
    drop(all);
}

/// Ctrl-C, a little later.
fn interrupt(handle: RegionHandle) {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        handle.cancel(CancelKind::Shutdown, "Ctrl-C", Some(GRACE));
    });
}

fn the_process_is_usable() {
    for n in [1, 2] {
        let sum = Builder::new().workers(n).build().expect("a runtime").run(async |cx| {
            let mut sum = 0;
            for i in 0..100 {
                let mut task = cx.spawn(async move |cx: &mut Cx| -> Res<i32> {
                    cx.sleep(Duration::from_micros(10)).await?;
                    Ok(i)
                });
                sum += task.join(cx).await.ok().expect("a number");
            }
            sum
        });
        assert_eq!(sum, 4950);
    }
}

#[test]
fn a_closure_that_blocks_for_long_is_written_off() {
    for n in [1, 2] {
        let (runtime, kept) = runtime(n);
        interrupt(runtime.handle());
        let seen = Seen::default();
        let (its, over) = (seen.clone(), Arc::new(AtomicBool::new(false)));
        let (began, ended) = (Instant::now(), over.clone());
        let (release, released) = channel::<()>();
        let ran = watched("shutdown beside a closure", runtime, async |cx| {
            serve(cx, its, async |cx| {
                cx.spawn_blocking(move |_| {
                    // Long enough that nobody would wait for it, and ended by the test.
                    let _ = released.recv_timeout(Duration::from_secs(60));
                    ended.store(true, SeqCst);
                });
            })
            .await;
            7
        });
        assert_eq!(ran, 7);
        assert!(!over.load(SeqCst), "the runtime did not wait for the closure");
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!((seen.finalized.load(SeqCst), seen.drained.load(SeqCst)), (2, 5));
        assert!(kept.say("waits for: a blocking closure"), "{kept:?}");
        assert!(kept.say("tests/shutdown.rs"), "{kept:?}");
        assert!(kept.say("wrote off 1 task"), "{kept:?}");
        the_process_is_usable();
        // The closure ends after its runtime: it finds what it needs.
        drop(release);
        while !over.load(SeqCst) {
            thread::yield_now()
        }
        thread::sleep(Duration::from_millis(20));
        the_process_is_usable();
    }
}

#[test]
fn a_closure_of_a_finalizer_is_written_off_as_any_other_is() {
    let (runtime, kept) = runtime(2);
    interrupt(runtime.handle());
    let (release, released) = channel::<()>();
    let outer = Arc::new(AtomicBool::new(false));
    let finalized = outer.clone();
    watched("shutdown beside a finalizer's closure", runtime, async |cx| {
        let registered = cx.finally(async move |_: &mut Cx<NoSpawn>| -> Res {
            finalized.store(true, SeqCst);
            Ok(())
        });
        assert!(registered.is_ok());
        cx.region(|cx| async {
            let registered = cx.finally(async move |cx: &mut Cx<NoSpawn>| -> Res {
                cx.run_blocking::<_, types::Error>(move |_| {
                    let _ = released.recv_timeout(Duration::from_secs(60));
                })
                .await
            });
            assert!(registered.is_ok());
            cx.cancelled().await
        })
        .await
    });
    assert!(outer.load(SeqCst), "what is above it closes as ever");
    assert!(kept.say("was ended at its bound of time"), "{kept:?}");
    assert!(kept.say("wrote off 1 task") && kept.say("waits for: a blocking closure"), "{kept:?}");
    drop(release);
    the_process_is_usable();
}

/// Starts a closure that outlasts the test's shutdown, and ends once that has begun. The sender keeps it waiting.
async fn leave_a_closure(cx: &mut Cx, released: std::sync::mpsc::Receiver<()>) -> u8 {
    cx.spawn_blocking(move |_| {
        let _ = released.recv_timeout(Duration::from_secs(60));
    });
    cx.cancelled().await;
    7
}

#[test]
fn an_end_that_wrote_tasks_off_is_no_clean_one_and_names_them() {
    let (runtime, kept) = runtime(2);
    interrupt(runtime.handle());
    let (release, released) = channel::<()>();
    let end = runtime.try_run(async |cx| leave_a_closure(cx, released).await);
    let report = end.expect_err("a task was given up");
    assert_eq!((report.value, report.written_off.len()), (7, 1));
    assert_eq!(report.written_off[0].waits_for.map(|kind| kind.what), Some("a blocking closure"));
    assert!(report.cause.kind() == CancelKind::Shutdown && report.cause.why() == "Ctrl-C", "{report:?}");
    let text = report.to_string();
    assert!(text.contains("wrote off 1 task") && text.contains(file!()) && text.contains("Ctrl-C"), "{text}");
    assert!(kept.say("wrote off 1 task"), "{kept:?}");
    drop(release);
}

#[test]
fn a_plain_run_reports_what_was_written_off_once_and_returns_its_value() {
    let (runtime, kept) = runtime(2);
    interrupt(runtime.handle());
    let (release, released) = channel::<()>();
    assert_eq!(runtime.run(async |cx| leave_a_closure(cx, released).await), 7);
    let told =
        kept.0.lock().expect("never poisoned").iter().filter(|r| r.contains("wrote off 1 task")).count();
    assert!(told == 1 && !kept.say("did not end cleanly"), "{kept:?}");
    drop(release);
}

#[test]
fn a_program_that_wrote_tasks_off_does_not_end_in_success() {
    let kept = Kept::default();
    let builder = Builder::new().workers(2).seed(1).grace(GRACE).reports(kept.clone());
    let (release, released) = channel::<()>();
    let code = asupersync_runtime::program(builder, async |cx: &mut Cx| -> Res {
        interrupt(cx.handle());
        leave_a_closure(cx, released).await;
        Ok(())
    });
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::from(1)));
    assert!(kept.say("wrote off 1 task"), "{kept:?}");
    drop(release);
}

#[test]
fn a_childs_failure_beside_the_programs_own_is_reported() {
    let kept = Kept::default();
    let builder = Builder::new().workers(1).seed(1).reports(kept.clone());
    let code = asupersync_runtime::program(builder, async |cx: &mut Cx| -> Res {
        cx.spawn(async |cx: &mut Cx| -> Res {
            cx.cancelled().await;
            Err(types::Error::msg("of the child").into())
        });
        Err(types::Error::msg("of the body").into())
    });
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::from(1)));
    assert!(kept.say("of the child"), "{kept:?}");
}

#[test]
fn a_task_that_never_looks_at_a_checkpoint_is_written_off() {
    for n in [1, 2] {
        let (runtime, kept) = runtime(n);
        interrupt(runtime.handle());
        let seen = Seen::default();
        let its = seen.clone();
        watched("shutdown beside a task that goes on", runtime, async |cx| {
            serve(cx, its, async |cx| {
                cx.spawn(async |cx: &mut Cx| {
                    loop {
                        // Yields, but never asks.
                        cx.yield_now().await
                    }
                });
            })
            .await
        });
        assert_eq!((seen.finalized.load(SeqCst), seen.drained.load(SeqCst)), (2, 5));
        assert!(kept.say("wrote off 1 task"), "{kept:?}");
        the_process_is_usable();
    }
}

#[test]
fn a_task_that_keeps_its_worker_for_itself_is_written_off_with_it() {
    let (runtime, kept) = runtime(2);
    interrupt(runtime.handle());
    let seen = Seen::default();
    let (its, over) = (seen.clone(), Arc::new(AtomicBool::new(false)));
    let (stuck, ended) = (Arc::new(AtomicBool::new(false)), over.clone());
    let now = stuck.clone();
    watched("shutdown beside a stuck worker", runtime, async |cx| {
        let home = thread::current().id();
        serve(cx, its, async move |cx| {
            cx.spawn(async move |cx: &mut Cx| {
                while thread::current().id() == home {
                    // The home thread runs the root body: whoever blocks that, blocks the end.
                    let _ = cx.sleep(Duration::from_micros(100)).await;
                    cx.yield_now().await;
                }
                now.store(true, SeqCst);
                while !ended.load(SeqCst) {
                    thread::sleep(Duration::from_millis(1))
                }
            });
        })
        .await
    });
    assert!(stuck.load(SeqCst), "this test came to its point");
    assert_eq!((seen.finalized.load(SeqCst), seen.drained.load(SeqCst)), (2, 5));
    assert!(kept.say("wrote off 1 task"), "{kept:?}");
    the_process_is_usable();
    // It ends after its runtime, on a worker that was left behind.
    over.store(true, SeqCst);
    thread::sleep(Duration::from_millis(20));
    the_process_is_usable();
}

/// Spawns tasks until one runs on this thread, which is worker 0. That one spins until it is `released`.
async fn spin_at_home(cx: &mut Cx, released: Arc<AtomicBool>) {
    let home = thread::current().id();
    let spun = Arc::new(AtomicBool::new(false));
    while !spun.load(SeqCst) {
        let (here, released) = (spun.clone(), released.clone());
        cx.spawn(async move |_: &mut Cx| {
            if thread::current().id() == home && !here.swap(true, SeqCst) {
                while !released.load(SeqCst) {
                    std::hint::spin_loop()
                }
            }
        });
        cx.yield_now().await
    }
}

#[test]
fn a_task_that_keeps_the_thread_of_run_for_itself_is_reported_and_run_waits_for_it() {
    let (runtime, kept) = runtime(2);
    interrupt(runtime.handle());
    let (released, returned) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (releases, has_returned, told) = (released.clone(), returned.clone(), kept.clone());
    let releaser = thread::spawn(move || {
        while !told.say("wrote off 1 task") {
            thread::sleep(Duration::from_millis(1))
        }
        let held = !has_returned.load(SeqCst);
        releases.store(true, SeqCst);
        held
    });
    let end = runtime.try_run(async |cx| spin_at_home(cx, released).await);
    returned.store(true, SeqCst);
    let report = end.expect_err("a task was given up");
    assert_eq!(report.written_off.len(), 1);
    assert!(releaser.join().is_ok_and(|held| held), "it was told while the thread was held");
    assert!(kept.say("if that is the one that called `run`, `run` returns after it"), "{kept:?}");
    the_process_is_usable();
}

/// Spins on every worker but one, which is left to look after the others.
#[test]
fn a_caller_that_is_no_worker_is_held_up_by_no_task() {
    for workers in [1, 2, 4] {
        let kept = Kept::default();
        let builder = Builder::new().workers(workers).dedicated_caller(true).seed(1);
        let runtime = builder.grace(GRACE).reports(kept.clone()).build().expect("a runtime");
        let handle = runtime.handle();
        let spinning = workers.max(2) - 1;
        let (released, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let seen = Seen::default();
        let (its, release, began) = (seen.clone(), released.clone(), begun.clone());
        let end = guard::guarded("a caller that is no worker", Some(runtime.handle()), || {
            runtime.try_run(async |cx| {
                let home = thread::current().id();
                serve(cx, its, async |cx| {
                    for _ in 0..spinning {
                        let (release, began) = (release.clone(), began.clone());
                        cx.spawn(async move |_: &mut Cx| {
                            assert_ne!(thread::current().id(), home, "it polls the body alone");
                            began.fetch_add(1, SeqCst);
                            while !release.load(SeqCst) {
                                std::hint::spin_loop()
                            }
                        });
                    }
                    // The body goes on beside them, and so do its timers.
                    while began.load(SeqCst) < spinning {
                        cx.sleep(Duration::from_millis(1)).await.expect("nobody has asked yet");
                    }
                    interrupt(handle.clone());
                    let _ = cx.sleep(Duration::from_secs(3600)).await;
                    assert_eq!(thread::current().id(), home);
                })
                .await
            })
        });
        let report = end.expect_err("tasks were given up");
        assert_eq!(report.written_off.len(), spinning);
        assert!(!released.load(SeqCst), "they still spin");
        assert_eq!((seen.finalized.load(SeqCst), seen.drained.load(SeqCst)), (2, 5));
        the_process_is_usable();
        released.store(true, SeqCst);
        thread::sleep(Duration::from_millis(20));
        the_process_is_usable();
    }
}

#[test]
fn whoever_stops_in_time_leaves_nothing_to_report() {
    for n in [1, 2] {
        let (runtime, kept) = runtime(n);
        interrupt(runtime.handle());
        let seen = Seen::default();
        let its = seen.clone();
        let cut = runtime_result(runtime, its);
        assert!(cut, "what was cut short does not look complete");
        assert_eq!((seen.finalized.load(SeqCst), seen.drained.load(SeqCst)), (2, 5));
        assert!(!kept.say("wrote off") && !kept.say("cleanup deadline"), "{kept:?}");
    }
}

/// Counts threads that have run a task and ended since.
struct Thread(Arc<AtomicUsize>);

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

thread_local! {
    static THREAD: RefCell<Option<Thread>> = const { RefCell::new(None) };
}

/// What the last finalizer can still do: wait for a timer, and talk over the network.
async fn echo_and_sleep(cx: &mut Cx<NoSpawn>) -> Res {
    cx.sleep(Duration::from_millis(2)).await?;
    let listener = TcpListener::bind(cx, ([127, 0, 0, 1], 0)).expect("a socket");
    let mut client = std::net::TcpStream::connect(listener.local_addr()).expect("loopback");
    let (server, _) = listener.accept(cx).await.expect("a connection");
    client.write_all(b"x").expect("sent");
    let mut byte = [0];
    assert_eq!(server.read(cx, &mut byte).await.ok(), Some(1));
    Ok(())
}

#[test]
fn the_end_comes_in_order_requests_drain_finalizers_and_then_the_machinery_they_used() {
    for n in [1, 2] {
        let (runtime, kept) = runtime(n);
        let handle = runtime.handle();
        interrupt(handle.clone());
        let log = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let log = log.clone();
            move || log.lock().expect("never poisoned").push(what)
        };
        let (asked, drained, inner, outer) = (note("asked"), note("drained"), note("inner"), note("outer"));
        let workers = Arc::new(AtomicUsize::new(0));
        let count = workers.clone();
        watched("an orderly end", runtime, async |cx| {
            let home = thread::current().id();
            let root = handle.clone();
            let registered = cx.finally(async move |cx: &mut Cx<NoSpawn>| -> Res {
                assert!(root.try_spawn(async |_: &mut Cx| ()).is_err(), "nothing is admitted any more");
                echo_and_sleep(cx).await?;
                outer();
                Ok(())
            });
            assert!(registered.is_ok());
            for _ in 0..50 {
                let count = count.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    cx.yield_now().await;
                    if thread::current().id() != home {
                        THREAD.with(|here| {
                            here.borrow_mut().get_or_insert_with(|| {
                                count.fetch_add(1, SeqCst);
                                Thread(count.clone())
                            });
                        })
                    }
                });
            }
            cx.region(|cx| async move {
                let registered = cx.finally(async move |cx: &mut Cx<NoSpawn>| -> Res {
                    cx.yield_now().await;
                    inner();
                    Ok(())
                });
                assert!(registered.is_ok());
                cx.spawn(async move |cx: &mut Cx| {
                    cx.cancelled().await;
                    asked();
                    cx.masked(async |cx| drop(cx.sleep(GRACE / 20).await)).await;
                    drained();
                });
            })
            .await;
        });
        let log = log.lock().expect("never poisoned");
        assert_eq!(*log, ["asked", "drained", "inner", "outer"]);
        assert_eq!(workers.load(SeqCst), 0, "a worker is left behind");
        assert!(!kept.say("wrote off") && !kept.say("cleanup deadline"), "{kept:?}");
    }
}

/// Runs a server of good connections; whether the shutdown is visible in the root body.
fn runtime_result(runtime: Runtime, seen: Seen) -> bool {
    watched("a clean shutdown", runtime, async |cx| {
        serve(cx, seen, async |cx| {
            let mut closure = cx.spawn_blocking(|cx| {
                while !cx.is_cancelled() {
                    thread::yield_now()
                }
            });
            let outcome = closure.join(cx).await;
            assert!(matches!(outcome, Outcome::Cancelled(_) | Outcome::Ok(())), "{outcome:?}");
        })
        .await;
        cx.checkpoint().is_err()
    })
}

#[test]
fn closures_that_have_not_begun_are_dropped_with_the_request() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let kept = Kept::default();
    let builder = Builder::new().workers(2).blocking_threads(1).grace(GRACE).reports(kept);
    let dropped = Arc::new(AtomicUsize::new(0));
    watched("closures in a queue", builder.build().expect("a runtime"), async |cx| {
        let (holds, held) = channel::<()>();
        let (begins, begun) = channel::<()>();
        let mut first = cx.spawn_blocking(move |_| {
            begins.send(()).expect("the test waits");
            let _ = held.recv();
        });
        while begun.try_recv().is_err() {
            cx.yield_now().await
        }
        let mut wait = cx.spawn_blocking(|_| {});
        let mut queued: Vec<_> = (0..10)
            .map(|_| {
                let counted = Counted(dropped.clone());
                cx.spawn_blocking(move |_| drop(counted))
            })
            .collect();
        cx.sleep(Duration::from_millis(5)).await.expect("not cancelled");
        for task in &mut queued {
            task.cancel("the test says so");
            let outcome = task.join(cx).await;
            assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
        }
        // The only thread is taken all the while.
        assert_eq!(dropped.load(SeqCst), 10, "whoever sees the task ended knows that its closure is gone");
        drop(holds);
        first.join(cx).await.ok().expect("it ends");
        wait.join(cx).await.ok().expect("it had its turn");
    });
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.lock().expect("never poisoned").iter()).finish()
    }
}
