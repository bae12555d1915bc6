//! `finalizer.order` and its kin: what runs when a region's tasks are gone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync_lab::explore;
use cx::{Cx, NoSpawn};
use time::TimeExt;
use trace::{FinalizerEnd, Label};
use types::{CancelKind, Outcome, Res, Stop, Time};

use crate::boom::assert_clean;

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

#[test]
fn finalizer_order_last_in_first_out_masked_each_once() {
    explore(0..50, |lab| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let l = log.clone();
        lab.run(|cx| async move {
            let result: Res<(), types::Error> = cx
                .try_region(|r| async {
                    for n in 0..3 {
                        let l = l.clone();
                        r.finally(async move |cx: &mut Cx<NoSpawn>| {
                            cx.sleep(MS).await.expect("masked");
                            l.lock().unwrap().push(n);
                            Ok(())
                        })
                        .unwrap();
                    }
                    let l = l.clone();
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let end = cx.sleep(FOR_EVER).await;
                        l.lock().unwrap().push(10);
                        Ok(end?)
                    });
                    r.sleep(MS).await?;
                    r.handle().cancel(CancelKind::Explicit, "stop", None);
                    r.checkpoint()?;
                    Ok(())
                })
                .await;
            assert!(matches!(result, Err(Stop::Cancelled(_))));
        });
        assert_eq!(*log.lock().unwrap(), [10, 2, 1, 0]);
        assert_clean(lab);
    });
}

#[test]
fn finalizer_order_one_that_panics_or_takes_too_long_is_ended_alone() {
    explore(0..30, |lab| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let l = log.clone();
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let mut task = outer.spawn(async move |cx: &mut Cx| -> Res {
                    let note = |l: &Arc<Mutex<Vec<_>>>, what| {
                        let l = l.clone();
                        async move |_: &mut Cx<NoSpawn>| {
                            l.lock().unwrap().push(what);
                            Ok(())
                        }
                    };
                    cx.finally(async |cx: &mut Cx<NoSpawn>| Ok(cx.sleep(FOR_EVER).await?)).unwrap();
                    cx.finally(note(&l, "first")).unwrap();
                    cx.finally(async |cx: &mut Cx<NoSpawn>| Ok(cx.sleep(FOR_EVER).await?)).unwrap();
                    cx.finally(note(&l, "second")).unwrap();
                    cx.finally(async |_: &mut Cx<NoSpawn>| -> Res { panic!("a finalizer") }).unwrap();
                    cx.finally(note(&l, "third")).unwrap();
                    Ok(())
                });
                task.cancel("stop");
                let end = task.join(outer).await;
                assert!(matches!(&end, Outcome::Panicked(p) if p.message().contains("finalizer")), "{end:?}");
            })
            .await;
        });
        assert_eq!(*log.lock().unwrap(), ["third", "second", "first"]);
        assert_eq!(
            lab.now(),
            Time::ZERO + Duration::from_secs(10 + 1),
            "one until the cleanup deadline; past it each has a second of its own, and no more"
        );
        let ends: Vec<_> = lab
            .events()
            .into_iter()
            .filter_map(|event| match event.label {
                Label::FinalizerEnd { end, .. } => Some(end),
                _ => None,
            })
            .collect();
        use FinalizerEnd as E;
        assert_eq!(ends, [E::Ok, E::Panicked, E::Ok, E::TimedOut, E::Ok, E::TimedOut]);
        assert_eq!(lab.reports().len(), 4, "{:?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn finalizer_order_a_body_that_panics_has_its_finalizers_run() {
    explore(0..30, |lab| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let l = log.clone();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async move {
                cx.region(|r| async move {
                    r.finally(async move |cx: &mut Cx<NoSpawn>| {
                        cx.yield_now().await;
                        l.lock().unwrap().push("ran");
                        Ok(())
                    })
                    .unwrap();
                    r.yield_now().await;
                    panic!("the body")
                })
                .await
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the body"));
        assert_eq!(*log.lock().unwrap(), ["ran"]);
        assert_clean(lab);
    });
}

#[test]
fn finalizer_order_one_that_nobody_hurries_takes_the_time_it_needs() {
    explore(0..30, |lab| {
        lab.run(|cx| async move {
            cx.region(|r| async {
                r.finally(async |cx: &mut Cx<NoSpawn>| {
                    cx.sleep(60 * 1000 * MS).await?;
                    cx.trace("flushed");
                    Ok(())
                })
                .unwrap();
            })
            .await;
        });
        assert_eq!((lab.notes().join(""), lab.now()), ("flushed".to_string(), Time::ZERO + 60 * 1000 * MS));
        assert_clean(lab);
    });
}

#[test]
fn finalizer_order_a_request_that_comes_while_one_runs_bounds_it() {
    explore(0..30, |lab| {
        lab.run(|cx| async move {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async move |cx: &mut Cx| {
                    cx.finally(async |cx: &mut Cx<NoSpawn>| Ok(cx.sleep(FOR_EVER).await?)).unwrap();
                });
                outer.sleep(5 * 1000 * MS).await.unwrap();
                task.cancel("it takes too long");
                let _ = task.join(outer).await;
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + Duration::from_secs(5 + 10));
        assert_clean(lab);
    });
}
