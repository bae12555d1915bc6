//! Panics in every place that runs somebody's code. None of them takes another task along.
use super::watchdog::watched;
use super::{kept, quiet};
use cx::{Cx, RegionOptions, TaskHandle};
use net::TcpListener;
use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Never, Outcome, Res, TaskOutput};

/// Panics when it is dropped.
struct Grenade;
impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped")
    }
}

/// Runs `bad` and a crowd on runtimes of several sizes: the crowd must end whatever the others do.
fn among_others(what: &'static str, bad: impl AsyncFn(&mut Cx)) {
    for n in [1, 2, 4] {
        watched(what, quiet(n), async |cx| {
            let ended = Arc::new(AtomicUsize::new(0));
            let count = ended.clone();
            cx.region_with(RegionOptions::isolate(), |cx| async {
                for i in 0..200 {
                    let count = count.clone();
                    cx.spawn(async move |cx: &mut Cx| -> Res {
                        for _ in 0..10 {
                            cx.yield_now().await;
                        }
                        cx.sleep(Duration::from_micros(i * 20)).await?;
                        count.fetch_add(1, SeqCst);
                        Ok(())
                    });
                }
                bad(cx).await
            })
            .await;
            assert_eq!(ended.load(SeqCst), 200);
        });
    }
}

async fn panics<T: std::fmt::Debug>(cx: &Cx, task: &mut TaskHandle<T, Never>) {
    let outcome = task.join(cx).await;
    assert!(matches!(outcome, Outcome::Panicked(_)), "{outcome:?}");
}

#[test]
fn in_a_poll() {
    among_others("panics in polls", async |cx| {
        for i in 0..50 {
            let mut task = cx.spawn(async move |cx: &mut Cx| -> Result<(), Never> {
                for _ in 0..i % 3 {
                    cx.yield_now().await
                }
                panic!("polled")
            });
            if i % 2 == 0 {
                panics(cx, &mut task).await
            }
        }
    });
}

#[test]
fn in_the_drop_of_a_future_s_locals() {
    among_others("panics in drops", async |cx| {
        for i in 0..50 {
            let grenade = Grenade;
            let mut task = cx.spawn(async move |cx: &mut Cx| -> Result<(), Never> {
                let _grenade = grenade;
                cx.yield_now().await;
                Ok(())
            });
            if i % 2 == 0 {
                panics(cx, &mut task).await
            }
        }
    });
}

#[test]
fn in_the_drop_of_a_future_that_has_panicked() {
    among_others("panics twice", async |cx| {
        struct Twice;
        impl Future for Twice {
            type Output = ();
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                panic!("polled")
            }
        }
        impl Drop for Twice {
            fn drop(&mut self) {
                if !std::thread::panicking() {
                    panic!("dropped")
                }
            }
        }
        for _ in 0..20 {
            let mut task = cx.spawn(async move |_: &mut Cx| -> Result<(), Never> {
                Twice.await;
                Ok(())
            });
            panics(cx, &mut task).await
        }
    });
}

#[test]
fn in_the_drop_of_an_output_that_nobody_wants() {
    among_others("panics in outputs", async |cx| {
        for i in 0..50 {
            // The handle is gone before the end, or after it: whoever drops the value is not the same.
            let task = cx.spawn(async move |cx: &mut Cx| {
                for _ in 0..i % 3 {
                    cx.yield_now().await
                }
                Ok::<_, Never>(Grenade)
            });
            if i % 2 == 0 {
                while !task.is_finished() {
                    cx.yield_now().await
                }
                // It is nobody's, so it is not the dropper's concern either.
                drop(task)
            }
        }
    });
}

#[test]
fn each_drop_that_panics_is_reported_once_with_its_task_s_line() {
    for n in [1, 2, 4] {
        let (runtime, kept) = kept(n);
        watched("panics in outputs are told", runtime, async |cx| {
            for i in 0..100 {
                let task = cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..i % 3 {
                        cx.yield_now().await
                    }
                    Ok::<_, Never>(Grenade)
                });
                while i % 2 == 0 && !task.is_finished() {
                    cx.yield_now().await
                }
            }
        });
        assert_eq!(kept.say("left and nobody took panicked when it was dropped: dropped"), 100);
        assert_eq!(kept.say(&format!("the task spawned at {}:", file!())), 100);
    }
}

#[test]
fn in_a_blocking_closure_and_what_it_returns() {
    among_others("panics in closures", async |cx| {
        for _ in 0..10 {
            let mut task: TaskHandle<(), Never> = cx.spawn_blocking(|_| panic!("blocking"));
            panics(cx, &mut task).await;
            drop(cx.spawn_blocking(|_| Grenade));
        }
    });
}

#[test]
fn in_a_finalizer() {
    among_others("panics in finalizers", async |cx| {
        for _ in 0..20 {
            cx.spawn(async |cx: &mut Cx| {
                cx.region(|cx| async {
                    let registered = cx.finally(async |_| -> Res { panic!("finalizer") });
                    assert!(registered.is_ok());
                })
                .await
            });
        }
    });
}

struct Bad;
impl Wake for Bad {
    fn wake(self: Arc<Self>) {
        panic!("woken")
    }
}

/// Polls `future` once through a waker that panics when it is called, and forgets the future only after
/// `then`.
async fn with_bad_waker(future: impl Future, then: impl AsyncFnOnce()) {
    let bad: Waker = Arc::new(Bad).into();
    let mut future = pin!(future);
    let polled = future.as_mut().poll(&mut Context::from_waker(&bad));
    assert!(polled.is_pending());
    then().await
}

#[test]
fn in_a_waker_that_a_timer_calls() {
    among_others("panics in a timer's waker", async |cx| {
        for i in 0..20 {
            cx.spawn(async move |cx: &mut Cx| {
                let short = cx.sleep(Duration::from_millis(1 + i % 3));
                with_bad_waker(short, async || {
                    let _ = cx.sleep(Duration::from_millis(8)).await;
                })
                .await
            });
        }
    });
}

#[test]
fn in_a_waker_that_a_socket_calls() {
    among_others("panics in a socket's waker", async |cx| {
        for _ in 0..5 {
            cx.spawn(async |cx: &mut Cx| {
                let listener = TcpListener::bind(cx, ([127, 0, 0, 1], 0)).expect("a socket");
                let mut client = std::net::TcpStream::connect(listener.local_addr()).expect("loopback");
                let (server, _) = listener.accept(cx).await.expect("a connection");
                let mut byte = [0];
                with_bad_waker(server.read(cx, &mut byte), async || {
                    client.write_all(b"x").expect("sent");
                    let _ = cx.sleep(Duration::from_millis(5)).await;
                })
                .await;
                assert_eq!(server.read(cx, &mut byte).await.ok(), Some(1));
            });
        }
    });
}

#[test]
fn in_a_waker_that_a_request_calls() {
    among_others("panics in a waker under cancellation", async |cx| {
        for _ in 0..10 {
            cx.spawn(async |cx: &mut Cx| {
                cx.region(|cx| async {
                    for _ in 0..10 {
                        cx.spawn(async |cx: &mut Cx| {
                            with_bad_waker(cx.cancelled(), async || drop(cx.cancelled().await)).await
                        });
                    }
                    for _ in 0..5 {
                        cx.yield_now().await
                    }
                    cx.handle().cancel(CancelKind::Explicit, "the test says so", None);
                })
                .await
            });
        }
    });
}

#[test]
fn in_a_waker_that_a_task_s_end_calls() {
    among_others("panics in a joiner's waker", async |cx| {
        for _ in 0..20 {
            let joined = Arc::new(AtomicBool::new(false));
            let (joins, until) = (joined.clone(), joined);
            let mut task = cx.spawn(async move |cx: &mut Cx| {
                // Not before somebody waits for it: another worker may take it at once.
                while !until.load(SeqCst) {
                    cx.yield_now().await;
                }
                Ok::<_, Never>(5)
            });
            let ended = with_bad_waker(task.join(cx), async || {
                joins.store(true, SeqCst);
                let _ = cx.sleep(Duration::from_millis(1)).await;
            });
            ended.await;
            assert_eq!(task.join(cx).await.into_outcome().ok().ok(), Some(5));
        }
    });
}

#[test]
fn in_the_root_body_once_everything_has_ended() {
    let ended = Arc::new(AtomicUsize::new(0));
    let count = ended.clone();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        watched("a panic in the root body", quiet(2), async |cx| {
            for _ in 0..10 {
                let count = count.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    cx.cancelled().await;
                    count.fetch_add(1, SeqCst);
                });
            }
            let mut turns = 0;
            poll_fn(|context| {
                turns += 1;
                context.waker().wake_by_ref();
                if turns > 20 { panic!("root") } else { Poll::<()>::Pending }
            })
            .await
        })
    }));
    assert!(caught.is_err());
    assert_eq!(ended.load(SeqCst), 10);
}
