//! What users write, as `docs` show it, run in the lab: bodies borrow locals, `?` works, nothing is boxed by
//! hand.
use asupersync_combinator::CombineExt;
use cx::Cx;
use lab::{LabConfig, LabRuntime, explore};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Res, Stop};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn a_race_borrows_locals_and_drains_its_loser() {
    explore(0..50, |lab| {
        let log = RefCell::new(vec![]);
        let won = lab.run(|cx| {
            let log = &log;
            async move {
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
            }
        });
        assert_eq!((won, log.take()), ("fast", vec!["fast", "slow cleaned up"]));
        lab.oracles().unwrap();
    });
}

#[test]
fn a_timeout_says_that_it_was_the_deadline_and_where() {
    explore(0..20, |lab| {
        let r: Res<()> = lab.run(|cx| async {
            cx.timeout(ms(10), async |cx| {
                cx.sleep(ms(1000)).await?;
                Ok(())
            })
            .await
        });
        let Err(Stop::Cancelled(c)) = r else { panic!("{r:?}") };
        assert_eq!(c.kind(), CancelKind::Deadline);
        assert_eq!(c.why(), "deadline of 10ms passed");
        assert!(c.location().unwrap().file().ends_with("tests/shapes.rs"));
        assert_eq!(lab.now().as_nanos(), 10_000_000);
    });
}

#[test]
fn a_quorum_is_the_first_values() {
    explore(0..20, |lab| {
        let replicas = [30u64, 10, 20];
        lab.run(|cx| async move {
            let got = cx
                .quorum(
                    2,
                    replicas.iter().map(|&d| {
                        async move |cx: &mut Cx| -> Res<u64> {
                            cx.sleep(ms(d)).await?;
                            Ok(d)
                        }
                    }),
                )
                .await;
            assert_eq!(got, [10, 20]);
            assert_eq!(got.ok().unwrap(), [10, 20]);
            assert_eq!(cx.now().as_nanos(), 20_000_000);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_server_stops_accepting_and_drains_its_connections() {
    async fn serve(cx: &mut Cx, handled: Arc<AtomicU32>) -> Res {
        cx.region(|conns| async {
            // A connection arrives every 2 ms.
            while conns.sleep(ms(2)).await.is_ok() {
                let handled = handled.clone();
                conns.spawn(async move |cx| -> Res {
                    cx.masked(async |cx| cx.sleep(ms(5)).await).await?;
                    handled.fetch_add(1, SeqCst);
                    Ok(())
                });
            }
        })
        .await;
        Ok(())
    }
    explore(0..50, |lab| {
        let handled = Arc::new(AtomicU32::new(0));
        lab.run(|cx| {
            let handled = handled.clone();
            async move { cx.timeout(ms(7), async |cx| serve(cx, handled).await).await }
        })
        .unwrap();
        assert_eq!(handled.load(SeqCst), 3, "connections that were accepted were drained, not dropped");
        lab.oracles().unwrap();
    });
}

#[test]
fn a_bracket_releases_when_it_is_cut_short() {
    explore(0..20, |lab| {
        let released = Cell::new(false);
        let r: Res<()> = lab.run(|cx| {
            let released = &released;
            async move {
                cx.timeout(ms(5), async |cx| {
                    cx.bracket(
                        async |_| Ok(vec![1u8]),
                        async |cx, r| {
                            r.push(2);
                            cx.sleep(ms(100)).await?;
                            Ok(())
                        },
                        async |cx, _r| {
                            cx.sleep(ms(1)).await.unwrap();
                            released.set(true)
                        },
                    )
                    .await
                })
                .await
            }
        });
        assert!(matches!(r, Err(Stop::Cancelled(_))) && released.get());
        assert_eq!(lab.now().as_nanos(), 6_000_000);
        lab.oracles().unwrap();
    });
}

#[test]
fn a_join_borrows_the_document_twice() {
    let lab = LabRuntime::new(LabConfig::default());
    let doc = String::from("to be or not");
    let n = lab.run(|cx| {
        let doc = &doc;
        async move {
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
        }
    });
    assert_eq!(n, 16);
}

struct Pool(Arc<Mutex<Vec<String>>>);
impl Pool {
    async fn get(&self, cx: &Cx, key: &str) -> Res<String> {
        cx.sleep(ms(1)).await?;
        self.0.lock().unwrap().push(key.to_string());
        Ok(key.to_string())
    }
}

#[test]
fn every_combinator_runs_in_a_spawned_task_with_captured_locals() {
    explore(0..30, |lab| {
        let total = lab.run(|cx| async {
            let pool = Pool(Arc::default());
            let mut task = cx.spawn(async move |cx| -> Res<usize> {
                let local = String::from("x");
                let keys = ["a".to_string(), "b".into(), "c".into()];
                let n = cx
                    .race(
                        async |cx| pool.get(cx, &local).await,
                        async |cx| {
                            cx.sleep(ms(9)).await?;
                            Ok(local.clone())
                        },
                    )
                    .await?
                    .len();
                let (a, b) = cx
                    .join(async |cx| pool.get(cx, &keys[0]).await, async |cx| pool.get(cx, &keys[1]).await)
                    .await;
                let q = cx.quorum(2, keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await;
                let t = cx
                    .timeout(ms(50), async |cx| {
                        cx.region(|s| async {
                            let mut h = s.spawn(async |_| -> Res<u8> { Ok(1) });
                            h.join(s).await.ok()
                        })
                        .await?;
                        pool.get(cx, &local).await
                    })
                    .await?;
                let m = cx
                    .masked(async |cx| {
                        cx.race(async |cx| pool.get(cx, &local).await.map(|s| s.len()), async |_| Ok(0)).await
                    })
                    .await?;
                let br: Res<usize> = cx
                    .bracket(
                        async |cx| pool.get(cx, &local).await,
                        async |cx, r| {
                            cx.sleep(ms(1)).await?;
                            Ok(r.len())
                        },
                        async |_, _| {},
                    )
                    .await;
                let all = cx.join_all(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await;
                let tried =
                    cx.try_join_all(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await?;
                Ok(n + a?.len() + b?.len() + q.len() + t.len() + m + br? + all.len() + tried.len())
            });
            task.join(cx).await.ok()
        });
        // 1 (race) + 2 (join) + 2 (quorum) + 1 (timeout) + 0 (masked race) + 1 (bracket) + 3 + 3
        assert_eq!(total.unwrap(), 13);
        lab.oracles().unwrap();
    });
}
