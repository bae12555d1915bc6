//! A runtime whose caller is no worker (`Builder::dedicated_caller`): the body has a thread for itself and everything a body
//! has; nobody else is polled there. What that is for is in `shutdown`.
// Threads outside, and what keeps them, are what these tests are about.
#![allow(clippy::disallowed_methods)]
#[path = "watched/watchdog.rs"]
mod watchdog;

use asupersync_runtime::{Builder, LocalRuntime, Runtime};
use cx::{Cx, NoSpawn};
use net::{TcpListener, TcpStream};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Never, Outcome, Res};
use watchdog::watched;

fn dedicated(workers: usize) -> Runtime {
    Builder::new().workers(workers).dedicated_caller(true).seed(1).build().expect("a runtime")
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn the_body_is_alone_on_its_thread_and_has_all_that_a_body_has() {
    for workers in [1, 2, 4] {
        let home = thread::current().id();
        let own = Rc::new(Cell::new(0));
        let sum = watched("a body alone", dedicated(workers), async |cx| {
            own.set(own.get() + 1);
            let mut sum = 0;
            for i in 0..100 {
                let mut task = cx.spawn(async move |cx: &mut Cx| -> Res<i32> {
                    assert_ne!(thread::current().id(), home, "that's the body's");
                    cx.yield_now().await;
                    assert_ne!(thread::current().id(), home, "that's the body's");
                    Ok(i)
                });
                sum += task.join(cx).await.ok().expect("a number");
                assert_eq!(thread::current().id(), home);
                cx.yield_now().await;
                assert_eq!(thread::current().id(), home);
            }
            cx.sleep(Duration::from_millis(1)).await.expect("not cancelled");
            let listener = TcpListener::bind(cx, ([127, 0, 0, 1], 0)).expect("a socket");
            let at = listener.local_addr();
            cx.spawn(async move |cx: &mut Cx| {
                let client = TcpStream::connect(cx, at).await.expect("connected");
                client.write_all(cx, b"x").await.expect("sent");
            });
            let (server, _) = listener.accept(cx).await.expect("a connection");
            let mut byte = [0];
            assert_eq!(server.read(cx, &mut byte).await.ok(), Some(1));
            let closure: Outcome<i32, Never> = cx.spawn_blocking(|_| 7).join(cx).await;
            assert_eq!(thread::current().id(), home);
            own.set(own.get() + 1);
            sum + closure.ok().expect("a number")
        });
        assert_eq!((sum, own.get()), (4957, 2));
    }
}

#[test]
fn tasks_go_on_while_the_body_keeps_its_thread() {
    watched("a body that blocks", dedicated(2), async |cx| {
        let (tx, rx) = channel();
        cx.spawn(async move |cx: &mut Cx| {
            for i in 0..10 {
                cx.sleep(Duration::from_micros(100)).await.expect("not cancelled");
                let (tx, mut task) = (tx.clone(), cx.spawn(async move |_: &mut Cx| Ok::<_, Never>(i)));
                tx.send(task.join(cx).await.ok().expect("a number")).expect("the body listens");
            }
        });
        // Blocks its thread, timers, sockets and all.
        assert_eq!(rx.iter().collect::<Vec<i32>>(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn a_request_from_outside_reaches_the_body_and_its_finalizers_run_there() {
    let runtime = dedicated(2);
    let (handle, home) = (runtime.handle(), thread::current().id());
    let finalized = Arc::new(AtomicUsize::new(0));
    let counts = finalized.clone();
    let kind = watched("a body that is cancelled", runtime, async |cx| {
        let registered = cx.finally(async move |cx: &mut Cx<NoSpawn>| -> Res {
            cx.sleep(Duration::from_millis(1)).await?;
            assert_eq!(thread::current().id(), home);
            counts.fetch_add(1, SeqCst);
            Ok(())
        });
        assert!(registered.is_ok());
        cx.spawn(async |cx: &mut Cx| drop(cx.cancelled().await));
        thread::spawn(move || handle.cancel(CancelKind::Shutdown, "Ctrl-C", None));
        cx.cancelled().await.kind()
    });
    assert_eq!((kind, finalized.load(SeqCst)), (CancelKind::Shutdown, 1));
}

#[test]
fn a_body_that_panics_ends_what_it_started_and_its_panic_comes_out() {
    let over = Arc::new(AtomicUsize::new(0));
    let counted = over.clone();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        watched("a body that panics", dedicated(2), async |cx| {
            let held = Counted(counted);
            cx.spawn(async move |cx: &mut Cx| {
                cx.cancelled().await;
                drop(held)
            });
            cx.yield_now().await;
            panic!("the body")
        })
    }));
    assert_eq!(caught.expect_err("it panicked").downcast_ref(), Some(&"the body"));
    assert_eq!(over.load(SeqCst), 1);
}

#[test]
fn one_that_never_runs_drops_what_was_spawned_into_it() {
    let over = Arc::new(AtomicUsize::new(0));
    let runtime = dedicated(2);
    let held = Counted(over.clone());
    let spawned = runtime.handle().try_spawn(async move |_: &mut Cx| drop(held));
    drop(spawned.ok().expect("it is open"));
    drop(runtime);
    assert_eq!(over.load(SeqCst), 1);
}

#[test]
fn a_local_runtime_has_one_thread_whatever_its_builder_says() {
    let home = thread::current().id();
    let ran = LocalRuntime::run_with(Builder::new().dedicated_caller(true), async |local, cx| {
        let mut task = local.spawn(cx, async move |cx| {
            cx.yield_now().await;
            Ok::<_, std::fmt::Error>(Rc::new(thread::current().id() == home))
        });
        let mut other = cx.spawn(async move |_: &mut Cx| Ok::<_, Never>(thread::current().id() == home));
        *task.join(cx).await.ok().expect("a value") && other.join(cx).await.ok().expect("a value")
    });
    assert!(ran.expect("a runtime"));
}
