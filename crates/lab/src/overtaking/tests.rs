//! Explorations in eager time have as many classes as there are: all schedules and all decisions about timers, one by
//! one, say how many. (What they come to is compared in `tests/eager.rs`, by a lab that decides nothing about timers.)
#[path = "../../tests/outcomes/one_by_one.rs"]
mod one_by_one;

use crate::{Executor, Grain, LabConfig, LabRuntime, Search};
use combinator::CombineExt;
use cx::{All, Cx};
use explore::Classified;
use one_by_one::OneByOne;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::event::Event;
use sync::shared::Shared;
use time::TimeExt;
use types::Res;

const SECOND: Duration = Duration::from_secs(1);

fn run(lab: &LabRuntime, body: impl AsyncFnOnce(&mut Cx<All>)) {
    lab.run(async |cx| body(cx).await)
}

/// How many classes all schedules have.
fn all(overtakings: u32, grain: Grain, body: impl AsyncFnOnce(&mut Cx<All>) + Clone) -> u64 {
    let looking = |looks| all_looking(looks, overtakings, grain, body.clone());
    looking(false).or_else(|| looking(true)).expect("all steps look at requests")
}

/// The same; nothing if a request was made that no step looks at.
fn all_looking(
    looks: bool,
    overtakings: u32,
    grain: Grain,
    body: impl AsyncFnOnce(&mut Cx<All>) + Clone,
) -> Option<u64> {
    let mut config = LabConfig::default().traced(false).eager_time(overtakings);
    config.decides_overtakings = true;
    let executor = Executor::new(config, grain).looks(looks);
    let scheduler = Arc::new(Mutex::new(Classified::new(OneByOne::default())));
    let mut classes = BTreeSet::new();
    for _ in 0..50_000 {
        let execution = executor.execute(&scheduler, |lab| run(lab, body.clone()));
        assert!(execution.failure.is_none());
        if !execution.unlooked.is_empty() {
            return None;
        }
        let mut scheduler = scheduler.lock().unwrap();
        classes.insert(scheduler.class().0);
        if !scheduler.inner_mut().next() {
            return Some(classes.len() as u64);
        }
    }
    panic!("there are too many schedules")
}

/// For 0, 1 and 2 overtakings.
fn counted(body: impl AsyncFnOnce(&mut Cx<All>) + Clone) -> [[u64; 3]; 2] {
    [Grain::Operation, Grain::Poll].map(|grain| {
        [0, 1, 2].map(|overtakings| {
            let config = LabConfig::default().traced(false).eager_time(overtakings);
            let search = Search::every().grain(grain).config(config);
            let found = search.run_labs("counted", None, |lab| run(lab, body.clone()));
            assert!(found.complete);
            assert_eq!(found.classes, all(overtakings, grain, body.clone()), "{grain:?}, {overtakings}");
            found.classes
        })
    })
}

#[test]
fn work_in_a_timeout() {
    for steps in 2..5 {
        let counts = counted(async |cx: &mut Cx<All>| {
            let work = async |cx: &mut Cx<All>| -> Res {
                for _ in 0..steps {
                    cx.step().await;
                    cx.checkpoint()?;
                }
                Ok(())
            };
            let _ = cx.timeout(SECOND, work).await;
        });
        assert_eq!(counts, [[1, steps + 2, steps + 2]; 2]);
    }
}

#[test]
fn two_who_sleep_and_one_who_works_meet() {
    counted(async |cx: &mut Cx<All>| {
        let log = Arc::new(Shared::new(0));
        for seconds in [1, 2] {
            let log = log.clone();
            cx.spawn(async move |cx: &mut Cx<All>| {
                cx.sleep(seconds * SECOND).await.ok();
                log.write(|log| *log += seconds)
            });
        }
        cx.spawn(async move |cx: &mut Cx<All>| {
            cx.step().await;
            log.write(|log| *log *= 2)
        });
    });
}

#[test]
fn two_who_sleep_equally_long_wake_together() {
    counted(async |cx: &mut Cx<All>| {
        let log = Arc::new(Shared::new(0));
        for number in 0..2 {
            let log = log.clone();
            cx.spawn(async move |cx: &mut Cx<All>| {
                cx.sleep_until(types::Time::ZERO + SECOND).await.ok();
                log.write(|log| *log = number)
            });
        }
    });
}

#[test]
fn an_interval_and_somebody_who_ends_it() {
    counted(async |cx: &mut Cx<All>| {
        let ended = Arc::new(Event::new(false));
        let its = ended.clone();
        cx.spawn(async move |cx: &mut Cx<All>| {
            let mut interval = cx.interval(SECOND);
            for _ in 0..3 {
                let _ = interval.tick(cx).await;
                if its.is_set() {
                    break;
                }
            }
        });
        cx.spawn(async move |cx: &mut Cx<All>| {
            cx.step().await;
            ended.set()
        });
    });
}

#[test]
fn a_timer_that_is_taken_back() {
    counted(async |cx: &mut Cx<All>| {
        let set = Arc::new(Event::new(false));
        let its = set.clone();
        cx.spawn(async move |cx: &mut Cx<All>| {
            cx.step().await;
            its.set()
        });
        cx.select(async |cx| set.wait(cx).await.is_ok(), async |cx| cx.sleep(SECOND).await.is_ok()).await;
    });
}
