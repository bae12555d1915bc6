//! One common job after the other, written as a user would write it, against the facade: the shapes of the API design
//! note, each with what must come of it.
//!
//! Not here: actors, which this facade does not have yet; misuse (`ui.rs`).
use asupersync::prelude::*;
use asupersync::sync::mpsc::{self, Receiver, Sender};
use asupersync::sync::{Closed, WaitError};
use asupersync::{All, EnvProvides, NarrowOf, Provides, TimeOnly, lab::explore, run};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

#[path = "shapes/authority.rs"]
mod authority;
#[path = "shapes/errors.rs"]
mod errors;
#[path = "shapes/send.rs"]
mod send;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn lab(seed: u64) -> LabRuntime {
    LabRuntime::new(LabConfig::default().seed(seed))
}

// ---- hello

#[test]
fn hello_takes_no_macro_and_no_generics() {
    run(async |cx| {
        cx.trace("hello");
    });
    let r: Res<u32> = run(async |cx| {
        cx.sleep(ms(5)).await?;
        Ok(7)
    });
    assert_eq!(r.unwrap(), 7);
}

// ---- regions

async fn task_a(cx: &mut Cx) -> Res {
    cx.sleep(ms(10)).await?;
    cx.trace("a");
    Ok(())
}

async fn task_b(cx: &mut Cx) -> Res {
    cx.checkpoint()?;
    cx.trace("b");
    Ok(())
}

#[rustfmt::skip]
async fn two(scope: &mut Cx) {
    scope.region(|sub| async { sub.spawn(task_a); sub.spawn(task_b); }).await;
    // Nothing from inside is still running.
}

#[test]
fn a_region_ends_after_its_tasks() {
    for seed in 0..32 {
        let lab = lab(seed);
        lab.run(|cx| async {
            two(cx).await;
            cx.trace("after")
        });
        assert_eq!(lab.notes(), ["b", "a", "after"]);
        assert!(lab.oracles().is_ok());
    }
}

#[test]
fn joined_outcomes_work_with_the_question_mark() {
    let r: Res<u32> = run(async |cx| {
        cx.region(|scope| async {
            let mut a = scope.spawn(async |cx| -> Res<u32> {
                cx.sleep(ms(3)).await?;
                Ok(2)
            });
            let mut b = scope.spawn(async |_| -> Res<u32> { Ok("40".parse::<u32>()?) });
            Ok(a.join(scope).await.ok()? + b.join(scope).await.ok()?)
        })
        .await
    });
    assert_eq!(r.unwrap(), 42);
}

#[test]
fn an_error_of_any_type_becomes_the_default_error() {
    let r: Res<u32> = run(async |cx| {
        cx.region(|scope| async {
            let mut task = scope.spawn(async |_| -> Result<u32, std::num::ParseIntError> { "x".parse() });
            Ok(task.join(scope).await.ok()?)
        })
        .await
    });
    assert!(r.unwrap_err().to_string().contains("invalid digit"));
}

// ---- two phases

#[rustfmt::skip]
async fn produce(cx: &mut Cx, tx: &Sender<u32>, message: u32) -> Res {
    let permit = tx.reserve(cx).await?;
    permit.send(message);
    Ok(())
}

#[test]
fn a_permit_is_reserved_and_then_sent() {
    let (tx, mut rx) = mpsc::channel(1);
    let (_, got) = run(async |cx| {
        cx.join(
            async |cx| {
                for i in 0..3 {
                    produce(cx, &tx, i).await.unwrap()
                }
            },
            async |cx| {
                let mut got = vec![];
                while got.len() < 3 {
                    got.push(rx.recv(cx).await.unwrap())
                }
                got
            },
        )
        .await
    });
    assert_eq!(got, [0, 1, 2]);
}

// ---- race, timeout, quorum

#[test]
fn a_race_drains_its_loser_and_both_borrow_locals() {
    let log = RefCell::new(vec![]); // not `Sync`, and borrowed: both run inside this task
    let lab = lab(3);
    let won = lab.run(|cx| async {
        cx.race(
            async |cx| {
                cx.sleep(ms(5)).await.ok();
                log.borrow_mut().push("fast");
                "fast"
            },
            async |cx| {
                assert!(cx.sleep(ms(500)).await.is_err());
                cx.masked(async |cx| cx.sleep(ms(50)).await.unwrap()).await;
                log.borrow_mut().push("slow cleaned up");
                "slow"
            },
        )
        .await
    });
    assert_eq!(won, "fast");
    assert_eq!(lab.now().as_nanos(), 55_000_000);
    assert!(lab.oracles().is_ok());
    assert_eq!(log.into_inner(), ["fast", "slow cleaned up"]);
}

#[test]
fn a_timeout_says_deadline() {
    let r: Res<()> = run(async |cx| {
        cx.timeout(ms(10), async |cx| {
            cx.sleep(ms(1000)).await?;
            Ok(())
        })
        .await
    });
    let Err(Stop::Cancelled(c)) = r else { panic!("{r:?}") };
    assert_eq!(c.kind(), CancelKind::Deadline);
    assert!(c.to_string().contains("shapes.rs"), "{c}");
}

#[test]
fn a_quorum_takes_the_first_successes() {
    let replicas = [30u64, 10, 20];
    let lab = lab(5);
    let got = lab.run(|cx| async {
        let reads = replicas.iter().map(|&d| {
            async move |cx: &mut Cx| -> Res<u64> {
                cx.sleep(ms(d)).await?;
                Ok(d)
            }
        });
        cx.quorum(2, reads).await
    });
    assert_eq!(got, [10, 20]);
    assert_eq!(lab.now().as_nanos(), 20_000_000);
}

// ---- a server that stops

async fn serve(cx: &mut Cx, mut accept: Receiver<u32>, handled: Arc<AtomicU32>) -> Res {
    cx.region(|conns| async {
        // Closed or cancelled: stop accepting ...
        while let Ok(_conn) = accept.recv(conns).await {
            let handled = handled.clone();
            conns.spawn(async move |cx| -> Res {
                cx.masked(async |cx| cx.sleep(ms(5)).await).await?;
                handled.fetch_add(1, SeqCst);
                Ok(())
            });
        }
    })
    .await; // ... and drain every connection.
    Ok(())
}

#[test]
fn a_server_that_is_told_to_stop_finishes_what_it_accepted() {
    for seed in 0..32 {
        let done = Arc::new(AtomicU32::new(0));
        let (tx, rx) = mpsc::channel(8);
        let lab = lab(seed);
        lab.run(|cx| async {
            cx.join(
                async |cx| cx.timeout(ms(7), async |cx| serve(cx, rx, done.clone()).await).await,
                async |cx| {
                    for i in 0..4 {
                        tx.reserve(cx).await.unwrap().send(i);
                        cx.sleep(ms(2)).await.unwrap();
                    }
                },
            )
            .await
            .1
        });
        // Accepted at 0, 2, 4 and 6 ms; the shutdown came at 7.
        assert_eq!(done.load(SeqCst), 4, "seed {seed}");
        assert!(lab.oracles().is_ok());
    }
}

// ---- bracket

#[test]
fn a_release_runs_and_may_wait_although_its_body_was_cancelled() {
    let released = Cell::new(false);
    let r: Res<()> = run(async |cx| {
        cx.timeout(ms(5), async |cx| {
            cx.bracket(
                async |_| Ok(vec![1u8]),
                async |cx, r| {
                    r.push(2);
                    cx.sleep(ms(1000)).await?;
                    Ok(())
                },
                async |cx, r| {
                    cx.sleep(ms(1)).await.unwrap();
                    assert_eq!(r, [1, 2]);
                    released.set(true)
                },
            )
            .await
        })
        .await
    });
    assert!(matches!(r, Err(Stop::Cancelled(_))) && released.get());
}

// ---- the lab

async fn task_under_test(cx: &mut Cx) -> Res {
    let (tx, mut rx) = mpsc::channel(1);
    tx.reserve(cx).await?.send(1u8);
    assert_eq!(rx.recv(cx).await?, 1);
    Ok(())
}

#[test]
#[rustfmt::skip]
fn a_lab_test_reads_as_it_is_meant() {
    let lab = LabRuntime::new(LabConfig::default().seed(42));
    lab.run(|cx| async { cx.region(|scope| async { scope.spawn(task_under_test); }).await });
    assert!(lab.obligation_leak_oracle().is_ok());
    assert!(lab.quiescence_oracle().is_ok());
}

#[test]
fn a_lab_test_catches_a_leak() {
    let lab = lab(42);
    lab.run(|cx| async {
        cx.region(|scope| async {
            scope.spawn(async |cx| -> Res {
                let (tx, _rx) = mpsc::channel::<u8>(1);
                std::mem::forget(tx.reserve(cx).await?);
                Ok(())
            });
        })
        .await
    });
    let report = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(report.contains("shapes.rs"), "{report}");
}

#[test]
fn seeds_give_different_orders_of_the_same_tasks() {
    let seen = Mutex::new(BTreeSet::new());
    explore(1..40, |lab| {
        lab.run(|cx| async {
            cx.region(|s| async {
                for n in ["x", "y", "z"] {
                    s.spawn(async move |cx| cx.trace(n));
                }
            })
            .await
        });
        seen.lock().unwrap().insert(lab.notes().concat());
        assert!(lab.quiescence_oracle().is_ok());
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 6, "all orders of three: {seen:?}");
}

// ---- borrowed data

#[test]
fn bodies_inside_the_task_borrow_its_locals() {
    let doc = String::from("to be or not");
    let n = run(async |cx| {
        let (a, b) = cx
            .join(
                async |cx| {
                    cx.sleep(ms(1)).await.ok();
                    doc.len()
                },
                async |_| doc.split(' ').count(),
            )
            .await;
        a + b
    });
    assert_eq!(n, 16);
}

#[test]
fn parallel_tasks_borrow_what_their_region_owns() {
    let total: Res<usize> = run(async |cx| {
        cx.region(|scope| async {
            let words = Arc::new(vec![String::from("aa"), "b".into()]);
            let mut tasks: Vec<_> = (0..2)
                .map(|i| {
                    scope.spawn_with(&words, async move |cx, w: &Vec<String>| -> Res<usize> {
                        cx.sleep(ms(1)).await?;
                        Ok(w[i].len())
                    })
                })
                .collect();
            let mut total = 0;
            for task in &mut tasks {
                total += task.join(scope).await.ok()?
            }
            Ok(total)
        })
        .await
    });
    assert_eq!(total.unwrap(), 3);
}

// ---- reasons, panics

#[test]
fn a_cancellation_says_who_asked_where_and_why() {
    let why = run(async |cx| {
        cx.region(|outer| async {
            outer.handle().cancel(CancelKind::Explicit, "operator pressed ctrl-c", None);
            outer.region(|inner| async { inner.checkpoint().unwrap_err().to_string() }).await
        })
        .await
    });
    assert!(why.contains("operator pressed ctrl-c") && why.contains("shapes.rs"), "{why}");
}

#[test]
fn a_panic_is_an_outcome() {
    let outcome = run(async |cx| {
        cx.region(|s| async { s.spawn(async |_| -> Res { panic!("oops") }).join(s).await }).await
    });
    let Outcome::Panicked(panic) = outcome else { panic!("{outcome:?}") };
    assert_eq!(panic.message(), "oops");
}

// ---- a task that does everything, with the signature people write

#[rustfmt::skip]
async fn my_task(cx: &mut Cx) {
    cx.spawn(task_b);
    cx.sleep_until(Time::from_nanos(20_000_000)).await.ok();
    cx.trace("my_task");
}

#[test]
fn a_task_s_own_children_end_before_it() {
    for seed in 0..32 {
        let lab = lab(seed);
        lab.run(|cx| async {
            cx.region(|s| async {
                s.spawn(my_task);
            })
            .await;
            cx.trace("after");
        });
        assert_eq!(lab.notes(), ["b", "my_task", "after"]);
        assert!(lab.oracles().is_ok());
    }
}

// ---- loops

async fn looped(cx: &mut Cx) -> Res<u32> {
    let mut n = 0;
    for _ in 0..3 {
        n += cx
            .region(|s| async {
                s.region(|t| async {
                    let mut h = t.spawn(async |c: &mut Cx| -> Res<u32> {
                        c.checkpoint()?;
                        Ok(1)
                    });
                    h.join(t).await.ok()
                })
                .await
            })
            .await?;
        if n > 10 {
            return Ok(n);
        }
    }
    Ok(n)
}

#[test]
fn regions_nest_and_loop_inside_spawned_tasks() {
    let r = run(async |cx| {
        cx.region(|s| async {
            let mut task = s.spawn(looped);
            task.join(s).await.ok()
        })
        .await
    });
    assert_eq!(r.unwrap(), 3);
}
