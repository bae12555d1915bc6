//! Eager time: the clock overtakes tasks that could run. What small programs can come to then is what a search of every
//! schedule, one by one, says; how many classes there are is known for a few; and what fails comes again.
//!
//! Not here: random programs (`outcomes`), random numbers as decisions (`numbers`), time that moves only when nothing can run (`lab`).
#![cfg(not(asupersync_seeded))]

#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use asupersync_lab::{Grain, LabConfig, LabRuntime, Schedule, Search};
use combinator::{CombineExt, Either};
use cx::Cx;
use every_schedule::every_schedule;
use one_by_one::OneByOne;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::shared::Shared;
use time::TimeExt;
use types::{Res, Time};

const SECOND: Duration = Duration::from_secs(1);

/// What it panics with.
fn failure<T>(f: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("it ought to fail") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
    }
}

/// What a program noted, in all its runs.
type Notes = BTreeSet<String>;

/// A program that returns what it came to.
trait Body: AsyncFnOnce(&mut Cx) -> String + Clone {}
impl<B: AsyncFnOnce(&mut Cx) -> String + Clone> Body for B {}

fn config(overtakings: u32) -> LabConfig {
    LabConfig::default().traced(false).eager_time(overtakings)
}

fn come_to(lab: &LabRuntime, body: impl Body) -> Option<String> {
    lab.try_run(async |cx| body(cx).await).ok()
}

fn by_brute_force(overtakings: u32, grain: Grain, body: impl Body) -> Notes {
    let all = every_schedule(config(overtakings), grain, OneByOne::default(), 20_000, |lab| {
        come_to(lab, body.clone())
    });
    all.expect("there are few schedules").0
}

/// What all classes come to, and how many there are.
fn explored(overtakings: u32, grain: Grain, body: impl Body) -> (Notes, u64) {
    let notes = Mutex::new(Notes::new());
    let search = Search::every().grain(grain).config(config(overtakings));
    let run = |lab: &LabRuntime| notes.lock().unwrap().extend(come_to(lab, body.clone()));
    let found = search.run_labs("eager", None, run);
    assert!(found.complete, "{found}");
    (notes.into_inner().unwrap(), found.classes)
}

/// Both searches agree on all that the program can come to, which is returned with the numbers of classes for 0, 1 and 2
/// overtakings.
fn compared(body: impl Body) -> (Notes, [u64; 3]) {
    let (mut all, mut classes) = (Notes::new(), [0; 3]);
    for grain in [Grain::Poll, Grain::Operation] {
        for (overtakings, classes) in (0..).zip(&mut classes) {
            let (found, counted) = explored(overtakings, grain, body.clone());
            assert_eq!(found, by_brute_force(overtakings, grain, body.clone()), "{grain:?}, {overtakings}");
            *classes = counted;
            all.extend(found)
        }
    }
    (all, classes)
}

fn notes(all: &[&str]) -> Notes {
    all.iter().map(ToString::to_string).collect()
}

/// Work of so many steps, which a timeout of a second bounds.
async fn bounded_work(cx: &mut Cx, steps: u32) -> String {
    let mut done = 0;
    let work = async |cx: &mut Cx| -> Res<u32> {
        for _ in 0..steps {
            cx.step().await;
            cx.checkpoint()?;
            done += 1;
        }
        Ok(done)
    };
    let ended = cx.timeout(SECOND, work).await;
    format!("{} {done}", ended.is_ok())
}

#[test]
fn a_timeout_comes_at_each_step_of_the_work_that_it_bounds() {
    // It is set after the first poll, in which nothing is done yet, and seen after the next: the work does a step at least.
    for steps in 1..7 {
        let (all, classes) = compared(async |cx: &mut Cx| bounded_work(cx, steps).await);
        let late = (1..steps).map(|done| format!("false {done}"));
        assert_eq!(all, late.chain([format!("true {steps}")]).collect());
        // Not fast; and fast, before each poll after the first, or not before the end.
        let eager = 2 + u64::from(steps);
        assert_eq!(classes, [1, eager, eager], "there is one timer");
    }
}

#[test]
fn a_timer_whose_time_is_not_up_yet_overtakes_nobody() {
    let (all, _) = compared(async |cx: &mut Cx| {
        let order = Arc::new(Shared::new(Vec::new()));
        for seconds in [2, 1] {
            let order = order.clone();
            cx.spawn(async move |cx: &mut Cx| {
                if cx.sleep(seconds * SECOND).await.is_ok() {
                    order.write(|order| order.push(seconds))
                }
            });
        }
        cx.step().await;
        cx.sleep(3 * SECOND).await.ok();
        order.read(|order| format!("{order:?}"))
    });
    assert!(all.contains("[1, 2]"), "{all:?}");
}

#[test]
fn who_sleeps_may_come_before_who_works() {
    let (all, classes) = compared(async |cx: &mut Cx| {
        let log = Arc::new(Shared::new(String::new()));
        let (slept, worked) = (log.clone(), log.clone());
        cx.region(|scope| async {
            scope.spawn(async move |cx: &mut Cx| {
                if cx.sleep(SECOND).await.is_ok() {
                    slept.write(|log| log.push('s'))
                }
            });
            scope.spawn(async move |cx: &mut Cx| {
                for _ in 0..2 {
                    cx.step().await;
                    worked.write(|log| log.push('w'))
                }
            });
        })
        .await;
        log.read(String::clone)
    });
    assert_eq!(all, notes(&["wws", "wsw", "sww"]));
    // The timer that is not fast; the fast one, with the sleeper's write at each of three places.
    assert_eq!(classes, [1, 4, 4]);
}

#[test]
fn an_interval_ticks_before_work_as_often_as_it_may() {
    let body = async |cx: &mut Cx| {
        let log = Arc::new(Shared::new(String::new()));
        let (ticked, worked) = (log.clone(), log.clone());
        let mut ticker = cx.spawn(async move |cx: &mut Cx| {
            let mut interval = cx.interval(SECOND);
            for _ in 0..3 {
                if interval.tick(cx).await.is_ok() {
                    ticked.write(|log| log.push('t'))
                }
            }
        });
        let mut worker = cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            worked.write(|log| log.push('w'))
        });
        let _ = (ticker.join(cx).await, worker.join(cx).await);
        log.read(String::clone)
    };
    let come_to = |overtakings| explored(overtakings, Grain::Operation, body).0;
    assert_eq!(come_to(0), notes(&["wttt", "twtt"]));
    assert_eq!(come_to(1), notes(&["wttt", "twtt", "ttwt"]));
    assert_eq!(come_to(2), notes(&["wttt", "twtt", "ttwt", "tttw"]));
    compared(body);
}

#[test]
fn a_timer_that_is_taken_back_could_have_gone_off_before() {
    let (all, _) = compared(async |cx: &mut Cx| {
        let set = Arc::new(sync::event::Event::new(false));
        let its = set.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            its.set()
        });
        let first =
            cx.select(async |cx| set.wait(cx).await.is_ok(), async |cx| cx.sleep(SECOND).await.is_ok()).await;
        format!("{} {}", matches!(first, Either::First(_)), cx.now() > Time::ZERO)
    });
    assert!(all.contains("true false") && all.contains("false true"), "{all:?}");
}

#[test]
fn who_only_looks_at_the_clock_sees_it_before_and_after() {
    let (all, classes) = compared(async |cx: &mut Cx| {
        let seen = Arc::new(Mutex::new(None));
        let its = seen.clone();
        cx.region(|scope| async {
            scope.spawn(async |cx: &mut Cx| {
                cx.sleep(SECOND).await.ok();
            });
            scope.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                *its.lock().unwrap() = Some(cx.now() > Time::ZERO)
            });
        })
        .await;
        format!("{:?}", *seen.lock().unwrap())
    });
    assert_eq!(all, notes(&["Some(false)", "Some(true)"]));
    assert_eq!(classes, [1, 3, 3]);
}

async fn never_late(cx: &mut Cx) {
    assert_eq!(bounded_work(cx, 3).await, "true 3", "it was late")
}

#[test]
fn a_failure_comes_again_by_its_line_and_says_what_overtook_whom() {
    let found = Search::every().run("late", None, never_late);
    assert!(found.complete);
    let searches = [
        Search::every().eager_time(1),
        Search::every().eager_time(1).grain(Grain::Poll),
        Search::within_delays(1).eager_time(1),
        Search::sample(Schedule::Random, 200).eager_time(1),
        Search::sample(Schedule::pct(2), 200).eager_time(1),
        Search::sample(Schedule::Pos, 200).eager_time(1),
        Search::sample(Schedule::Urw, 200).eager_time(1),
    ];
    for search in searches {
        let text = failure(|| search.run("late", None, never_late));
        assert!(text.contains("it was late"), "{text}");
        let line = text.split("LAB_REPLAY=").nth(1).expect("a line").split(' ').next().expect("a word");
        let again = failure(|| search.run("late", Some(line), never_late));
        assert!(again.contains("it was late") && again.contains(line), "{again}");
    }
    let text = failure(|| Search::every().eager_time(1).run("late", None, never_late));
    assert!(text.contains("the clock writes the time\n  came before"), "{text}");
}

#[test]
fn a_lab_on_its_own_overtakes_by_its_seed_and_never_in_productions_order() {
    let late = |config: LabConfig| {
        let lab = LabRuntime::new(config);
        let late = lab.run(async |cx| bounded_work(cx, 4).await) != "true 4";
        let decisions = lab.decisions();
        (late, decisions)
    };
    let eager = |seed| LabConfig::default().seed(seed).eager_time(1);
    let found = (0..50).map(eager).map(late).find(|(late, _)| *late).expect("one of these seeds");
    let replayed = late(eager(0).schedule(Schedule::Replay(found.1.clone())));
    assert_eq!(replayed, found);
    assert!((0..50).all(|seed| !late(LabConfig::default().seed(seed)).0), "without it nobody is late");
    assert!(!late(eager(0).schedule(Schedule::Fifo)).0);
}

#[test]
fn the_bound_of_a_cleanup_overtakes_nobody() {
    let body = async |cx: &mut Cx| {
        let mut slow = cx.spawn(async |cx: &mut Cx| {
            let _ = cx.cancelled().await;
            cx.masked(async |cx| {
                for _ in 0..2 {
                    cx.step().await
                }
            })
            .await
        });
        cx.step().await;
        slow.cancel("enough");
        let _ = slow.join(cx).await;
    };
    let search = Search::every().eager_time(2);
    let found = search.run_labs("cleanup", None, |lab| {
        lab.run(async |cx| body(cx).await);
        assert!(lab.reports().is_empty() && lab.now() == Time::ZERO, "{:?}", lab.reports());
    });
    assert!(found.complete);
}
