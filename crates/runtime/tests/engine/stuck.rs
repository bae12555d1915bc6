//! A task that blocks its worker does not stop the others. In each test it blocks until what its worker had in
//! hand has been served by somebody else, so that these pass only if it is.
use super::watchdog::watched;
use super::workers;
use cx::{Cx, RegionOptions};
use net::TcpListener;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Res};

const LIMIT: Duration = Duration::from_secs(30);

/// Spawns ten tasks and blocks until all have run: one is in the LIFO slot, the others are in the local queue.
async fn spawn_and_block(cx: &mut Cx) {
    let (ran, all) = channel();
    for i in 0..10 {
        let ran = ran.clone();
        cx.spawn(async move |_: &mut Cx| ran.send(i).expect("the blocked task waits"));
    }
    drop(ran);
    let mut seen: Vec<_> =
        (0..10).map(|_| all.recv_timeout(LIMIT).expect("served by another worker")).collect();
    seen.sort_unstable();
    assert_eq!(seen, Vec::from_iter(0..10));
}

#[test]
fn what_a_stuck_worker_has_queued_is_run_by_another() {
    for n in [2, 3, 4] {
        watched("queue of a stuck worker", workers(n), async |cx| {
            for _ in 0..5 {
                let mut task = cx.spawn(spawn_and_block);
                task.join(cx).await.ok().expect("served");
            }
        });
    }
}

#[test]
fn so_it_is_when_everybody_had_slept_long_before() {
    for n in [2, 4] {
        watched("stuck after a doze", workers(n), async |cx| {
            for _ in 0..3 {
                // Long enough for the sentinel to sleep without a limit.
                cx.sleep(Duration::from_millis(200)).await.expect("not cancelled");
                let tasks: Vec<_> = (0..n as u64 - 1)
                    .map(|i| {
                        cx.spawn(async move |cx: &mut Cx| -> Res {
                            cx.sleep(Duration::from_millis(5 + i)).await?;
                            spawn_and_block(cx).await;
                            Ok(())
                        })
                    })
                    .collect();
                for mut task in tasks {
                    task.join(cx).await.ok().expect("served");
                }
            }
        });
    }
}

#[test]
fn so_it_is_when_nobody_sleeps() {
    watched("stuck beside a busy worker", workers(2), async |cx| {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..8 {
            let over = over.clone();
            cx.spawn(async move |cx: &mut Cx| {
                while !over.load(SeqCst) {
                    cx.yield_now().await
                }
            });
        }
        for _ in 0..3 {
            let mut task = cx.spawn(spawn_and_block);
            task.join(cx).await.ok().expect("served");
        }
        over.store(true, SeqCst);
    });
}

/// Where a task was polled last.
#[derive(Clone, Default)]
struct Home(Arc<Mutex<Option<ThreadId>>>);

impl Home {
    fn note(&self) {
        *self.0.lock().expect("never poisoned") = Some(thread::current().id());
    }
    fn is_here(&self) -> bool {
        *self.0.lock().expect("never poisoned") == Some(thread::current().id())
    }
    fn is_known(&self) -> bool {
        self.0.lock().expect("never poisoned").is_some()
    }
}

#[test]
fn the_timers_of_a_stuck_worker_fire() {
    watched("timers of a stuck worker", workers(2), async |cx| {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            loop {
                let (home, (fires, fired)) = (Home::default(), channel());
                let its = home.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    its.note();
                    cx.sleep(Duration::from_millis(30)).await?;
                    // Nobody listens if it was set on another worker.
                    let _ = fires.send(());
                    Ok(())
                });
                while !home.is_known() {
                    cx.yield_now().await
                }
                // This is one poll: whoever is at home here was polled by this worker, and is not now.
                if home.is_here() {
                    return fired.recv_timeout(LIMIT).expect("fired by another worker");
                }
            }
        });
        task.join(cx).await.ok().expect("served");
    });
}

#[test]
fn the_sockets_of_a_stuck_worker_are_served() {
    watched("sockets of a stuck worker", workers(2), async |cx| {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            loop {
                let listener = TcpListener::bind(cx, ([127, 0, 0, 1], 0)).expect("a socket");
                let mut client = TcpStream::connect(listener.local_addr()).expect("loopback");
                let (server, _) = listener.accept(cx).await.expect("a connection");
                let (home, (reads, read)) = (Home::default(), channel());
                let its = home.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    its.note();
                    let mut byte = [0];
                    let n = server.read(cx, &mut byte).await.expect("a byte or the end");
                    let _ = reads.send((n, byte));
                });
                while !home.is_known() {
                    cx.yield_now().await
                }
                if home.is_here() {
                    client.write_all(b"x").expect("sent");
                    let got = read.recv_timeout(LIMIT).expect("read by another worker");
                    return assert_eq!(got, (1, *b"x"));
                }
            }
        });
        task.join(cx).await.ok().expect("served");
    });
}

#[test]
fn the_root_body_stays_on_its_thread_whatever_wakes_it() {
    watched("the root body's thread", workers(4), async |cx| {
        let home = thread::current().id();
        let turns = Arc::new(AtomicU64::new(0));
        for _ in 0..4 {
            let turns = turns.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for _ in 0..50 {
                    cx.sleep(Duration::from_micros(300)).await?;
                    turns.fetch_add(1, SeqCst);
                    thread::sleep(Duration::from_micros(500));
                }
                Ok(())
            });
        }
        while turns.load(SeqCst) < 200 {
            assert_eq!(thread::current().id(), home);
            cx.yield_now().await;
            cx.sleep(Duration::from_micros(100)).await.expect("not cancelled");
        }
        assert_eq!(thread::current().id(), home);
    });
}

#[test]
fn the_root_body_stays_on_its_thread_when_that_is_stuck_and_it_is_cancelled() {
    for _ in 0..10 {
        watched("the root body's thread, cancelled", super::quiet(2), async |cx| {
            let home = thread::current().id();
            cx.region_with(RegionOptions::isolate(), |cx| async move {
                let region = cx.handle();
                let (asks, asked) = channel();
                let ask = move || {
                    assert_eq!(thread::current().id(), home);
                    region.cancel(CancelKind::Explicit, "the test says so", None);
                    // The root body is woken, on this worker; nobody else may run it.
                    thread::sleep(Duration::from_millis(30));
                    asks.send(()).expect("somebody waits, or the channel is kept");
                };
                cx.spawn(async move |cx: &mut Cx| {
                    if thread::current().id() == home {
                        return ask();
                    }
                    // The other worker was quicker. What it has queued while it is stuck is run by the first one.
                    cx.spawn(async move |_: &mut Cx| ask());
                    asked.recv_timeout(LIMIT).expect("served by the root body's worker");
                });
                cx.cancelled().await;
                assert_eq!(thread::current().id(), home);
            })
            .await;
        });
    }
}
