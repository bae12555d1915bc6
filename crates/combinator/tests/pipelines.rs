//! `pipeline`: items keep their order and wait for room; what went in has come out, or is dropped, as was said.
#[path = "worlds.rs"]
mod worlds;

use asupersync_combinator::{CombineExt, ManyExt, OnRequest};
use cx::Cx;
use lab::{LabConfig, LabRuntime, explore};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::mpsc::{SendError, Sender};
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Stop, Time};
use worlds::{End, Failed, end, swept};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Sends on, or says why not; nobody behind is no failure of the source.
async fn send<T>(cx: &Cx, out: &Sender<T>, item: T) -> Res<bool, Failed> {
    match out.send(cx, item).await {
        Ok(()) => Ok(true),
        Err(SendError::Closed(_)) => Ok(false),
        Err(SendError::Cancelled(_, c)) => Err(Stop::Cancelled(c)),
    }
}

/// Sends 0, 1, 2 ...
async fn count_to(cx: &Cx, out: Sender<u64>, end: u64) -> Res<(), Failed> {
    for n in 0..end {
        if !send(cx, &out, n).await? {
            break;
        }
    }
    Ok(())
}

#[test]
fn stages_work_at_the_same_time_and_items_keep_their_order() {
    explore(0..20, |lab| {
        let out = RefCell::new(Vec::new());
        lab.run(|cx| {
            let out = &out;
            async move {
                cx.pipeline(OnRequest::Drain, async |cx: &mut Cx, to| count_to(cx, to, 4).await)
                    .stage(1, async |cx: &mut Cx, n: u64| {
                        cx.sleep(ms(10)).await?;
                        Ok(n * 10)
                    })
                    .stage(1, async |cx: &mut Cx, n: u64| {
                        cx.sleep(ms(10)).await?;
                        Ok(n.to_string())
                    })
                    .each(1, async |_: &mut Cx, text: String| {
                        out.borrow_mut().push(text);
                        Ok(())
                    })
                    .await
                    .unwrap()
            }
        });
        assert_eq!(out.take(), ["0", "10", "20", "30"]);
        // Two stages of 10 ms: the last of four items is through after five.
        assert_eq!(lab.now(), Time::ZERO + ms(50));
        lab.oracles().unwrap();
    });
}

#[test]
fn the_source_waits_for_a_slow_stage() {
    let lab = LabRuntime::new(LabConfig::default());
    let (sent, done, most) = (Cell::new(0), Cell::new(0), Cell::new(0));
    lab.run(|cx| {
        let (sent, done, most) = (&sent, &done, &most);
        async move {
            cx.pipeline(OnRequest::Drain, async |cx: &mut Cx, to| -> Res<(), Failed> {
                for n in 0..20 {
                    send(cx, &to, n).await?;
                    sent.set(n + 1);
                    most.set(most.get().max(sent.get() - done.get()));
                }
                Ok(())
            })
            .each(3, async |cx: &mut Cx, n: u64| {
                cx.sleep(ms(1)).await?;
                done.set(n + 1);
                Ok(())
            })
            .await
            .unwrap()
        }
    });
    // Three wait, and one is worked on.
    assert_eq!((sent.get(), done.get(), most.get()), (20, 20, 4));
}

#[test]
pub(crate) fn a_pipeline_that_is_asked_to_stop_drains_or_abandons_as_was_said() {
    for (how, through) in [(OnRequest::Drain, 4), (OnRequest::Abandon, 1)] {
        let lab = LabRuntime::new(LabConfig::default());
        let done = Cell::new(0);
        let result = lab.run(|cx| {
            let done = &done;
            async move {
                cx.timeout(ms(15), async |cx| {
                    cx.pipeline(how, async |cx: &mut Cx, to| count_to(cx, to, 100).await)
                        .stage(1, async |_: &mut Cx, n: u64| Ok(n))
                        .each(1, async |cx: &mut Cx, _| {
                            cx.sleep(ms(10)).await?;
                            done.set(done.get() + 1);
                            Ok(())
                        })
                        .await
                })
                .await
            }
        });
        assert_eq!(end(result), End::Cancelled(CancelKind::Deadline));
        assert!(done.get() >= through, "{how:?}: {} are through", done.get());
        assert_eq!(done.get() > 1, how == OnRequest::Drain, "{how:?}: {} are through", done.get());
        lab.oracles().unwrap();
    }
}

#[test]
fn a_stage_that_fails_ends_the_source_and_what_has_passed_it_goes_on() {
    for how in [OnRequest::Drain, OnRequest::Abandon] {
        let lab = LabRuntime::new(LabConfig::default());
        let done = RefCell::new(Vec::new());
        let result = lab.run(|cx| {
            let done = &done;
            async move {
                cx.pipeline(how, async |cx: &mut Cx, to| count_to(cx, to, 100).await)
                    .stage(
                        1,
                        async |_: &mut Cx, n: u64| if n == 2 { Err(Stop::Err(Failed('s'))) } else { Ok(n) },
                    )
                    .each(2, async |cx: &mut Cx, n| {
                        cx.sleep(ms(10)).await?;
                        done.borrow_mut().push(n);
                        Ok(())
                    })
                    .await
            }
        });
        assert_eq!(end(result), End::Failed('s'));
        assert_eq!(done.take(), if how == OnRequest::Drain { vec![0, 1] } else { vec![] });
        lab.oracles().unwrap();
    }
}

#[test]
fn drained_what_went_in_has_come_out_wherever_it_is_cancelled() {
    swept(async |cx: &mut Cx| {
        let seen = Arc::new(Mutex::new(None));
        let log = seen.clone();
        let mut task = cx.spawn(async move |cx: &mut Cx| {
            let (sent, through) = (AtomicU32::new(0), AtomicU32::new(0));
            let result = cx
                .pipeline(OnRequest::Drain, async |cx: &mut Cx, to| -> Res<(), Failed> {
                    for n in 0..2_u64 {
                        send(cx, &to, n).await?;
                        sent.fetch_add(1, SeqCst);
                    }
                    Ok(())
                })
                .stage(1, async |cx: &mut Cx, n: u64| {
                    cx.sleep(ms(1)).await?;
                    Ok(n)
                })
                .each(1, async |_: &mut Cx, _| {
                    through.fetch_add(1, SeqCst);
                    Ok(())
                })
                .await;
            *log.lock().unwrap() = Some((end(result), sent.into_inner(), through.into_inner()));
        });
        if let Outcome::Ok(()) = task.join(cx).await {
            let (ended, sent, through) = seen.lock().unwrap().take().unwrap();
            assert_eq!(sent, through, "an item is lost: {ended:?}");
            assert_eq!(ended == End::Ok(()), sent == 2, "{ended:?} with {sent}");
        }
    });
}

#[test]
fn a_pipeline_of_many_stages_runs_in_a_spawned_task_and_borrows() {
    let lab = LabRuntime::new(LabConfig::default());
    let total = lab.run(|cx| async {
        let mut task = cx.spawn(async move |cx: &mut Cx| -> Res<u64, Failed> {
            let (step, total) = (String::from("+"), Mutex::new(0));
            cx.pipeline(OnRequest::Abandon, async |cx: &mut Cx, to| count_to(cx, to, 3).await)
                .stage(1, async |_: &mut Cx, n: u64| Ok(n + step.len() as u64))
                .stage(2, async |_: &mut Cx, n: u64| Ok(n + step.len() as u64))
                .stage(3, async |_: &mut Cx, n: u64| Ok(n + step.len() as u64))
                .each(1, async |_: &mut Cx, n| {
                    *total.lock().unwrap() += n;
                    Ok(())
                })
                .await?;
            Ok(total.into_inner().unwrap())
        });
        task.join(cx).await.ok()
    });
    assert_eq!(total.unwrap(), 3 * 3 + 3);
}
