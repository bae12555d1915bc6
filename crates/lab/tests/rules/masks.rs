//! `cancel.masked` and `cancel.bounded`: what a request does not reach, and for how long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync_lab::{LabConfig, LabRuntime, explore};
use combinator::CombineExt;
use cx::{Cx, RegionOptions};
use time::TimeExt;
use trace::Label;
use types::{AfterGrace, Budget, CancelKind, Outcome, Res, Stop, Time};

use crate::boom::assert_clean;

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

#[test]
fn cancel_masked_hides_requests_and_delivers_them_at_its_end() {
    explore(0..50, |lab| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let l = log.clone();
        lab.run(|cx| async move {
            cx.region(|r| async {
                let handle = r.handle();
                r.masked(async |cx: &mut Cx| {
                    cx.masked(async |cx: &mut Cx| {
                        let child = l.clone();
                        cx.region(|inner| async move {
                            inner.spawn(async move |cx: &mut Cx| -> Res {
                                cx.sleep(20 * MS).await.expect("the shield stops the request");
                                child.lock().unwrap().push("child");
                                Ok(())
                            });
                            inner.sleep(MS).await.unwrap();
                            handle.cancel(CancelKind::Explicit, "stop", None);
                            inner.sleep(MS).await.expect("masked");
                        })
                        .await;
                        cx.checkpoint().expect("masked");
                    })
                    .await;
                    cx.sleep(MS).await.expect("masks nest");
                    l.lock().unwrap().push("masked");
                })
                .await;
                assert!(r.sleep(MS).await.is_err(), "delivered");
            })
            .await;
        });
        assert_eq!(*log.lock().unwrap(), ["child", "masked"]);
        assert_eq!(lab.now(), Time::ZERO + 21 * MS);
        assert_clean(lab);
    });
}

#[test]
fn cancel_masked_is_pierced_at_the_cleanup_deadline() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let handle = outer.handle();
                let mut plain = outer.spawn(async |cx: &mut Cx| -> Res {
                    Ok(cx.masked(async |cx: &mut Cx| cx.sleep(FOR_EVER).await).await?)
                });
                // What was opened behind the mask is reached as well.
                let mut shielded = outer.spawn(async |cx: &mut Cx| -> Res {
                    let end = cx
                        .masked(async |cx: &mut Cx| {
                            cx.try_region(|r| async {
                                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                                Ok::<(), Stop>(())
                            })
                            .await
                        })
                        .await;
                    assert!(matches!(&end, Err(Stop::Cancelled(_))), "{end:?}");
                    end
                });
                outer.sleep(MS).await.unwrap();
                handle.cancel(CancelKind::Explicit, "stop", Some(2000 * MS));
                while !(plain.is_finished() && shielded.is_finished()) {
                    outer.yield_now().await;
                    let _ = outer.masked(async |cx| cx.sleep(10 * MS).await).await;
                }
                for task in [&mut plain, &mut shielded] {
                    let end = task.join(outer).await;
                    assert!(matches!(&end, Outcome::Cancelled(c) if c.why() == "stop"), "{end:?}");
                }
            })
            .await;
        });
        assert!(lab.now() >= Time::ZERO + 2001 * MS && lab.now() < Time::ZERO + 2020 * MS, "{}", lab.now());
        assert_clean(lab);
    });
}

#[test]
fn cancel_bounded_by_one_deadline_for_everything_below() {
    for (after_grace, seed) in
        [AfterGrace::Wait, AfterGrace::Abandon].into_iter().flat_map(|a| (0..20).map(move |s| (a, s)))
    {
        let lab = LabRuntime::new(LabConfig::default().seed(seed).after_grace(after_grace));
        let log = Arc::new(Mutex::new(Vec::new()));
        let l = log.clone();
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let handle = outer.handle();
                outer.spawn(async move |cx: &mut Cx| {
                    let options = RegionOptions::keep_going().grace(60_000 * MS);
                    cx.region_with(options, |r| async move {
                        let deaf = r.spawn(async |cx: &mut Cx| -> Res {
                            let mut alarm = cx::Alarm::new(cx.now() + 20_000 * MS);
                            std::future::poll_fn(|context| alarm.poll(cx, context)).await;
                            Ok(())
                        });
                        while !deaf.is_finished() {
                            r.yield_now().await;
                            if r.masked(async |cx| cx.sleep(500 * MS).await).await.is_err() {
                                break;
                            }
                        }
                        let at = r.now();
                        l.lock().unwrap().push(at);
                    })
                    .await;
                });
                outer.sleep(1000 * MS).await.unwrap();
                handle.cancel(CancelKind::Explicit, "stop", Some(3000 * MS));
            })
            .await;
        });
        // One absolute deadline, 3 s after the request, though the inner region would have had a minute.
        let due = Time::ZERO + 4000 * MS;
        match after_grace {
            AfterGrace::Wait => {
                assert_eq!(
                    (log.lock().unwrap().as_slice(), lab.now()),
                    (&[due][..], Time::ZERO + 20_000 * MS)
                );
                assert!(
                    lab.reports().iter().any(|r| r.contains("cleanup deadline passed")),
                    "{:?}",
                    lab.reports()
                );
            }
            AfterGrace::Abandon => {
                assert_eq!((log.lock().unwrap().len(), lab.now()), (0, due));
                let abandoned =
                    lab.events().iter().filter(|e| matches!(e.label, Label::TaskAbandon { .. })).count();
                assert_eq!(abandoned, 2);
            }
        }
        assert_clean(&lab);
    }
}

#[test]
fn cancel_bounded_also_for_a_region_that_was_opened_after_its_branch_was_asked() {
    for seed in 0..30 {
        let config = LabConfig::default().seed(seed).after_grace(AfterGrace::Abandon).grace(4 * MS);
        let lab = LabRuntime::new(config);
        lab.run(|cx| async {
            cx.race(
                async |cx: &mut Cx| drop(cx.sleep(MS).await),
                async |cx: &mut Cx| {
                    cx.cancelled().await;
                    // Asked already, and dropped at the deadline; so are those who are left behind then.
                    cx.region(|late| async {
                        late.spawn(async |cx: &mut Cx| {
                            cx.masked(async |cx: &mut Cx| {
                                let mut alarm = cx::Alarm::new(cx.now() + FOR_EVER);
                                std::future::poll_fn(|context| alarm.poll(cx, context)).await;
                            })
                            .await
                        });
                        std::future::pending::<()>().await
                    })
                    .await;
                },
            )
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + 5 * MS, "one after the race was won, four for cleanup");
        assert_clean(&lab);
    }
}

#[test]
fn cancel_bounded_also_for_one_task_that_was_asked_alone() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let mut task = r.spawn(async |cx: &mut Cx| -> Res {
                    Ok(cx.masked(async |cx: &mut Cx| cx.sleep(FOR_EVER).await).await?)
                });
                r.sleep(MS).await.unwrap();
                task.cancel("stop");
                let end = task.join(r).await;
                assert!(matches!(&end, Outcome::Cancelled(c) if c.why() == "stop"), "{end:?}");
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + MS + Duration::from_secs(10));
        assert_clean(lab);
    });
}

#[test]
fn cancel_bounded_by_the_nearest_regions_grace_whoever_asks() {
    /// Hears of no request, for ever.
    async fn deaf(cx: &mut Cx) -> Res {
        cx.masked(async |_: &mut Cx| std::future::pending().await).await
    }
    for asker in ["the region's handle", "the task's handle", "a timeout", "a charge"] {
        explore(0..10, |lab| {
            lab.run(|cx| async {
                let options = RegionOptions::keep_going().grace(200 * MS).after_grace(AfterGrace::Abandon);
                cx.region_with(options, |r| async {
                    match asker {
                        "a timeout" => {
                            let _: Res = r.timeout(Duration::ZERO, async |cx: &mut Cx| deaf(cx).await).await;
                        }
                        "a charge" => {
                            let _: Res = r
                                .budgeted(Budget::UNLIMITED.cost(1), async |cx: &mut Cx| {
                                    cx.charge(5);
                                    deaf(cx).await
                                })
                                .await;
                        }
                        _ => {
                            // Deeper down: the grace is that of the nearest region that has one.
                            let handle = r.handle();
                            r.region_with(RegionOptions::isolate(), |inner| async move {
                                let task = inner.spawn(async |cx: &mut Cx| deaf(cx).await);
                                inner.yield_now().await;
                                match asker {
                                    "the task's handle" => task.cancel("stop"),
                                    _ => handle.cancel(CancelKind::Explicit, "stop", None),
                                }
                            })
                            .await;
                        }
                    }
                })
                .await;
            });
            assert_eq!(lab.now(), Time::ZERO + 200 * MS, "asked by {asker}");
            assert_clean(lab);
        });
    }
}
