//! Monitors on a running program: a drift that was planted is seen and named, a healthy program raises hardly any alarm, and
//! the events go on to whoever else wants them.
//!
//! What is observed is decided by the programs here, not by how fast the machine is.
//!
//! Not here: the statistics (`monitor`).
// Threads that are held on purpose.
#![allow(clippy::disallowed_methods)]

#[expect(dead_code, reason = "shared with tests that ask it more")]
#[path = "labels/recorder.rs"]
mod recorder;

use asupersync_runtime::{Builder, Watch};
use cx::port::{Report, Reports};
use cx::{Cx, Reserved};
use monitor::readers::Notes;
use monitor::{AtMost, Level, Limits, Panel, Question, Rate};
use recorder::Recorder;
use std::panic::Location;
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, ObligationKind};

struct Nobody;

impl Reports for Nobody {
    fn report(&self, _: Report) {}
}

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600);

fn one_in(n: f64) -> Level {
    Level::new(1.0 / n).unwrap()
}

fn builder() -> Builder {
    Builder::new().workers(2).seed(7).reports(Nobody)
}

fn kernel(level: Level) -> Watch {
    Watch::new(Panel::kernel(Limits::default()), level)
}

fn reserve(cx: &Cx) -> Reserved {
    cx.reserve(ObligationKind::Lease, Location::caller())
}

/// So many tasks, each with a permit; it forgets it if it draws one in `leaks`.
async fn leases(cx: &mut Cx, tasks: u64, leaks: u64) {
    cx.region(|scope| async {
        for _ in 0..tasks {
            scope.spawn(async move |cx: &mut Cx| {
                let permit = reserve(cx);
                if cx.random().is_multiple_of(leaks) {
                    std::mem::forget(permit)
                } else {
                    permit.commit().unwrap()
                }
            });
        }
    })
    .await;
}

#[test]
fn leaks_that_begin_after_a_long_peace_are_seen_and_named() {
    let watch = kernel(one_in(1e6));
    builder().watch(&watch).build().unwrap().run(async |cx: &mut Cx| {
        leases(cx, 2000, u64::MAX).await;
        assert_eq!(watch.take_alarms(), [], "nothing has leaked so far");
        leases(cx, 100, 3).await;
    });
    let alarms = watch.take_alarms();
    assert!(!alarms.is_empty() && alarms.iter().all(|alarm| alarm.question == Question::LEAKS), "{alarms:?}");
    let first = &alarms[0];
    assert!((2000..2100).contains(&first.seen) && first.value >= 1e6, "{first}");
    assert!(first.to_string().starts_with("leaks: no longer 'at most 0.1 % of obligations leak'"), "{first}");
    // The account since the start says how many there were, and that all others are as they should be.
    let report = watch.report();
    assert!(report.contains("leaks: ") && report.contains("panics: no evidence against"), "{report}");
    // Each of its own, after which the detector began anew: not one for each leak.
    assert!(alarms.len() < 15, "{}", alarms.len());
}

#[test]
fn drains_that_overrun_their_budget_are_seen_and_those_in_time_are_not() {
    // The request comes while the task hides from it; it is late if it hides for longer than the budget.
    let drains = |grace: Duration, hides: Duration| {
        let watch = kernel(one_in(1e4));
        let builder = builder().grace(grace).report_slow_drains(false);
        builder.watch(&watch).build().unwrap().run(async |cx: &mut Cx| {
            for _ in 0..30 {
                cx.region(|scope| async {
                    let region = scope.handle();
                    scope.spawn(async move |cx: &mut Cx| {
                        cx.masked(async |cx| cx.sleep(hides).await).await.ok();
                    });
                    region.cancel(CancelKind::Explicit, "enough", None);
                })
                .await;
            }
        });
        watch
    };
    let in_time = drains(FOR_EVER, 2 * MS);
    assert_eq!(in_time.take_alarms(), []);
    let late = drains(Duration::from_nanos(1), 20 * MS);
    let alarms = late.take_alarms();
    assert!(alarms.iter().any(|alarm| alarm.question == Question::DRAINS), "{alarms:?}\n{}", late.report());
}

#[test]
fn who_keeps_a_watch_is_handed_alarms_and_notices_that_tasks_starve() {
    let watch = Watch::new(Panel::new().told(Question::STARVATION), one_in(1e4));
    let mut told = Vec::new();
    builder().workers(1).watch(&watch).build().unwrap().run(async |cx: &mut Cx| {
        let keeps = watch.clone();
        let (tell, alarms) = std::sync::mpsc::channel();
        let mut keeper =
            cx.spawn(async move |cx: &mut Cx| keeps.keep(cx, MS, 5 * MS, |alarm| _ = tell.send(alarm)).await);
        // Each poll holds the only worker for longer than a tick may be late.
        for _ in 0..40 {
            std::thread::sleep(20 * MS);
            cx.sleep(MS / 10).await.unwrap();
        }
        keeper.cancel("the end");
        let _ = keeper.join(cx).await;
        told = alarms.try_iter().collect();
    });
    assert!(told.iter().any(|alarm| alarm.question == Question::STARVATION), "{}", watch.report());
}

/// The claim is just true, which is the worst case. A detector's value exceeds the number of observations by 0 on average,
/// so that it reaches 1/level within n of them with a probability of n times the level at most (Doob).
#[test]
fn a_rate_that_is_just_as_claimed_raises_hardly_any_alarm_and_four_times_as_much_does() {
    let (runs, requests, level) = (100, 100, one_in(1000.0));
    // One request in `fails` does, drawn by the task; the program says of each how it went.
    let alarmed = |fails: u64| {
        let raises_alarm = |seed: &u64| {
            let claim = AtMost(Rate::new(0.125).unwrap());
            let claim = Question::new("requests", claim, "requests", "fail");
            let panel = Panel::new().reading(claim, Notes::new("served", "failed"));
            let watch = Watch::new(panel, level);
            builder().seed(*seed).workers(1).watch(&watch).build().unwrap().run(async |cx: &mut Cx| {
                for _ in 0..requests {
                    let failed = cx.random().is_multiple_of(fails);
                    cx.trace(if failed { "failed" } else { "served" })
                }
            });
            assert!(watch.report().contains("after 100 requests"), "{}", watch.report());
            !watch.take_alarms().is_empty()
        };
        (0..runs).filter(raises_alarm).count()
    };
    // 100 observations at 1/1000 are one alarm in ten runs at most; 21 or more of 100 have a probability below 0.001 then
    // (exact binomial tail).
    let healthy = alarmed(8);
    assert!(healthy < 21, "{healthy} of {runs} healthy runs raised an alarm");
    let drifted = alarmed(2);
    assert!(drifted > 90, "{drifted} of {runs} runs in which half of the requests failed raised one");
}

#[test]
fn another_sink_gets_the_same_events_and_the_model_agrees_with_their_order() {
    let (watch, recorder) = (kernel(one_in(1e6)), Recorder::new());
    builder().sink(recorder.clone()).watch(&watch).build().unwrap().run(async |cx: &mut Cx| {
        leases(cx, 50, u64::MAX).await;
        let mut waits = cx.spawn(async |cx: &mut Cx| cx.sleep(FOR_EVER).await);
        waits.cancel("no more");
        let _ = waits.join(cx).await;
    });
    let events = recorder.events();
    model::replay(&events).unwrap_or_else(|why| panic!("{why}"));
    let settled = events.iter().filter(|e| matches!(e.label, trace::Label::ObligationCommit { .. })).count();
    assert_eq!(settled, 50);
    assert!(watch.report().contains("after 50 obligations, 0 of them bad"), "{}", watch.report());
}
