//! Circuit breakers around real calls: what counts as a failure, who is let in meanwhile, and what a cancellation leaves.
use asupersync_combinator::CombineExt;
use asupersync_combinator::breaker::{Change, CircuitBreaker, Ended, Refused, State, Trip, Window};
use cx::Cx;
use lab::{CancelSweep, LabConfig, LabRuntime, Search, explore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use time::TimeExt;
use types::{Error, Res, Stop, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

/// Opens after two failures in a row, for 100 ms; one probe.
fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(Trip::after_failures(2).pause(ms(100)))
}

async fn fails(cx: &mut Cx, breaker: &CircuitBreaker) {
    let r: Res = breaker.run(cx, async |_| Err(Error::msg("down"))?).await;
    assert!(matches!(r, Err(Stop::Err(e)) if e.to_string() == "down"));
}

async fn works(cx: &mut Cx, breaker: &CircuitBreaker) -> Res<u8> {
    breaker.run(cx, async |_| Ok(1)).await
}

#[test]
fn after_failures_callers_fail_fast_until_a_probe_succeeds() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let breaker = breaker();
            fails(cx, &breaker).await;
            assert_eq!(works(cx, &breaker).await.unwrap(), 1, "one failure is none");
            fails(cx, &breaker).await;
            fails(cx, &breaker).await;
            assert_eq!(breaker.state(cx), State::Open { until: at(100) });
            let Err(Stop::Err(refused)) = works(cx, &breaker).await else { panic!("it was let in") };
            assert_eq!(refused.to_string(), "circuit breaker open until 100ms");
            cx.sleep(ms(100)).await.unwrap();
            fails(cx, &breaker).await;
            assert_eq!(breaker.state(cx), State::Open { until: at(200) });
            cx.sleep(ms(100)).await.unwrap();
            assert_eq!(works(cx, &breaker).await.unwrap(), 1);
            assert_eq!(breaker.state(cx), State::Closed);
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_deadline_inside_is_a_failure_and_the_callers_own_is_not() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let breaker = breaker();
            for _ in 0..2 {
                let r: Res = cx
                    .timeout(ms(5), async |cx| breaker.run(cx, async |cx| Ok(cx.sleep(ms(50)).await?)).await)
                    .await;
                assert!(r.unwrap_err().is_cancelled());
            }
            assert_eq!(breaker.state(cx), State::Closed, "a caller's impatience is no failure");
            for _ in 0..2 {
                let slow =
                    async |cx: &mut Cx| cx.timeout(ms(5), async |cx| Ok(cx.sleep(ms(50)).await?)).await;
                let r: Res = breaker.run(cx, slow).await;
                assert!(r.unwrap_err().is_cancelled());
            }
            assert_eq!(breaker.state(cx), State::Open { until: at(120) });
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn losers_of_a_race_count_for_nothing() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let breaker = breaker();
            for _ in 0..3 {
                let won: Res<u8> = cx
                    .race(
                        async |cx| {
                            breaker
                                .run(cx, async |cx| {
                                    cx.sleep(ms(50)).await?;
                                    Ok(1)
                                })
                                .await
                        },
                        async |cx| {
                            cx.sleep(ms(1)).await?;
                            Ok(2)
                        },
                    )
                    .await;
                assert_eq!(won.unwrap(), 2);
            }
            assert_eq!(breaker.state(cx), State::Closed);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_panic_is_a_failure() {
    let lab = LabRuntime::new(LabConfig::default());
    let breaker = Arc::new(CircuitBreaker::new(Trip::after_failures(1)));
    let shared = breaker.clone();
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async move {
            let _: Res = shared.run(cx, async |_| panic!("the call")).await;
        })
    }));
    assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"the call"));
    let after = LabRuntime::new(LabConfig::default());
    after.run(|cx| async { assert!(matches!(breaker.state(cx), State::Open { .. })) });
}

#[test]
fn an_error_may_be_an_answer() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let breaker = CircuitBreaker::new(Trip::after_failures(1));
        let judge = |_: &Error| Ended::Well;
        let r: Res = breaker.run_if(cx, judge, async |_| Err(Error::msg("not found"))?).await;
        assert!(r.is_err());
        assert_eq!(breaker.state(cx), State::Closed);
    });
}

#[test]
fn a_share_of_failures_within_a_span_opens_it() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let trip = Trip::at_percent(50, 4, Window::Within(ms(100))).pause(ms(10));
        let breaker = CircuitBreaker::new(trip);
        for _ in 0..3 {
            fails(cx, &breaker).await;
        }
        cx.sleep(ms(200)).await.unwrap();
        fails(cx, &breaker).await;
        assert_eq!(breaker.state(cx), State::Closed, "what is long ago does not count");
        works(cx, &breaker).await.unwrap();
        works(cx, &breaker).await.unwrap();
        assert_eq!(breaker.state(cx), State::Closed);
        fails(cx, &breaker).await;
        assert_eq!(breaker.state(cx), State::Open { until: at(210) });
        breaker.close();
        works(cx, &breaker).await.unwrap();
        breaker.open_for(cx, ms(5));
        assert_eq!(breaker.enter(cx).unwrap_err(), Refused { until: Some(at(205)) });
    });
    lab.oracles().unwrap();
}

/// Three callers when the pause is over: exactly one is a probe on every schedule, the others are refused or come after it.
#[test]
fn one_probe_at_a_time_is_let_in_on_every_schedule() {
    let found = Search::every().run("probes", None, async |cx| {
        let breaker = Arc::new(breaker());
        breaker.open_for(cx, Duration::ZERO);
        let (inside, called) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        cx.region(|scope| async {
            for _ in 0..3 {
                let (breaker, inside, called) = (breaker.clone(), inside.clone(), called.clone());
                scope.spawn(async move |cx| -> Res {
                    let call = async |cx: &mut Cx| {
                        called.fetch_add(1, Relaxed);
                        if breaker.state(cx) != State::Closed {
                            assert_eq!(inside.fetch_add(1, Relaxed), 0, "two probes at once");
                            cx.step().await;
                            inside.fetch_sub(1, Relaxed);
                        }
                        Ok::<_, Stop>(())
                    };
                    let r = breaker.run(cx, call).await;
                    match r {
                        Err(Stop::Err(e)) if e.downcast_ref() == Some(&Refused { until: None }) => Ok(()),
                        other => other,
                    }
                });
            }
        })
        .await;
        assert!(called.load(Relaxed) >= 1);
        assert_eq!(breaker.state(cx), State::Closed);
    });
    assert!(found.complete && found.classes > 5, "{found}");
}

/// Wherever a probe is cancelled, the breaker is not left half open with nobody inside.
#[test]
pub(crate) fn a_cancelled_probe_leaves_room_for_another() {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("probes", None, async |cx| {
        let breaker = Arc::new(breaker());
        breaker.open_for(cx, Duration::ZERO);
        cx.region(|scope| async {
            for _ in 0..2 {
                let breaker = breaker.clone();
                scope.spawn(async move |cx| -> Res {
                    let call = async |cx: &mut Cx| Ok::<_, Stop>(cx.sleep(ms(5)).await?);
                    match breaker.run(cx, call).await {
                        Err(Stop::Err(e)) if e.downcast_ref::<Refused>().is_some() => Ok(()),
                        other => other,
                    }
                });
            }
        })
        .await;
        let left = breaker.state(cx);
        let calm = matches!(left, State::Closed | State::HalfOpen { out: 0, .. });
        assert!(calm, "a probe was lost: {left:?}");
    });
    assert!(swept.complete && swept.acknowledged > 5, "{swept}");
}

#[test]
pub(crate) fn a_pass_that_is_dropped_gives_its_probe_up() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let breaker = breaker();
        breaker.open_for(cx, Duration::ZERO);
        let pass = breaker.enter(cx).unwrap();
        assert!(pass.is_probe());
        assert_eq!(breaker.enter(cx).unwrap_err(), Refused { until: None });
        drop(pass);
        breaker.enter(cx).expect("the probe was given up").settle(cx, Ended::Well);
        assert_eq!(breaker.state(cx), State::Closed);
    });
    lab.oracles().unwrap();
}

#[test]
pub(crate) fn a_call_from_before_the_pause_says_nothing_after_it() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let breaker = breaker();
        let old = breaker.enter(cx).unwrap();
        breaker.open_for(cx, Duration::ZERO);
        let probe = breaker.enter(cx).unwrap();
        old.settle(cx, Ended::Badly);
        assert!(matches!(breaker.state(cx), State::HalfOpen { .. }), "an old call failed the probe");
        probe.settle(cx, Ended::Well);
        assert_eq!(breaker.state(cx), State::Closed);
    });
}

#[test]
fn a_forgotten_probe_is_reported_with_its_line() {
    let lab = LabRuntime::new(LabConfig::default());
    let line = lab.run(|cx| async {
        let breaker = breaker();
        breaker.open_for(cx, Duration::ZERO);
        let line = line!() + 1;
        std::mem::forget(breaker.enter(cx).unwrap());
        line
    });
    let leak = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(leak.contains(&format!("breakers.rs:{line}")), "{leak}");
}

#[test]
fn senseless_trips_are_refused() {
    for make in [
        || Trip::at_percent(0, 1, Window::Calls(1)),
        || Trip::at_percent(101, 1, Window::Calls(1)),
        || Trip::at_percent(50, 0, Window::Calls(1)),
        || Trip::at_percent(50, 2, Window::Calls(1)),
        || Trip::at_percent(50, 2, Window::Calls(u32::MAX)),
        || Trip::at_percent(50, 2, Window::Within(Duration::ZERO)),
        || Trip::after_failures(0),
        || Trip::after_failures(1).probes(0),
        || Trip::after_failures(1).slow(0, ms(1)),
        || Trip::after_failures(1).slow(101, ms(1)),
        || Trip::after_failures(1).slow(50, Duration::ZERO),
    ] {
        assert!(catch_unwind(make).is_err());
    }
}

#[test]
pub(crate) fn calls_that_are_slow_open_it_and_a_slow_probe_keeps_it_open() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let trip = Trip::at_percent(50, 4, Window::Calls(4)).slow(75, ms(20)).pause(ms(100));
            let breaker = CircuitBreaker::new(trip);
            let takes = async |cx: &mut Cx, span: Duration| -> Res {
                breaker.run(cx, async |cx| Ok(cx.sleep(span).await?)).await
            };
            for span in [20, 19, 30] {
                takes(cx, ms(span)).await.unwrap();
            }
            // Given up, however slow: it counts for nothing.
            let late: Res = cx.timeout(ms(25), async |cx| takes(cx, ms(90)).await).await;
            assert!(late.unwrap_err().is_cancelled());
            let report = breaker.report(cx);
            assert_eq!((report.state, report.calls, report.slow), (State::Closed, 3, 2));
            takes(cx, ms(21)).await.unwrap();
            assert!(matches!(breaker.state(cx), State::Open { .. }), "three of four were slow");
            cx.sleep(ms(100)).await.unwrap();
            takes(cx, ms(20)).await.unwrap();
            assert!(matches!(breaker.state(cx), State::Open { .. }), "a slow probe has failed");
            cx.sleep(ms(100)).await.unwrap();
            takes(cx, ms(19)).await.unwrap();
            assert_eq!(breaker.state(cx), State::Closed);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_breaker_says_what_it_has_seen_and_how_often_it_opened() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let breaker = breaker();
        let mut changes = breaker.changes();
        fails(cx, &breaker).await;
        assert!(!changes.has_changed());
        fails(cx, &breaker).await;
        assert!(works(cx, &breaker).await.is_err());
        let report = breaker.report(cx);
        assert_eq!((report.calls, report.failures, report.opened, report.refused), (2, 2, 1, 1));
        let said = "open until 100ms; 2 of 2 calls failed, 0 slow; opened 1 times, 1 calls refused";
        assert_eq!(report.to_string(), said);
        changes.changed(cx).await.unwrap();
        assert_eq!(*changes.borrow(), Change { number: 1, state: State::Open { until: at(100) } });
        cx.sleep(ms(100)).await.unwrap();
        assert!(!changes.has_changed(), "nobody has called yet");
        let pass = breaker.enter(cx).unwrap();
        assert_eq!(breaker.state(cx).to_string(), "half open, 1 probes under way and 0 succeeded");
        assert_eq!(
            *changes.borrow_and_update(),
            Change { number: 2, state: State::HalfOpen { out: 1, succeeded: 0 } }
        );
        pass.settle(cx, Ended::Well);
        assert_eq!(*changes.borrow(), Change { number: 3, state: State::Closed });
        let report = breaker.report(cx);
        assert_eq!((report.calls, report.opened, report.refused), (0, 1, 1));
        breaker.open_for(cx, Duration::MAX);
        assert_eq!(breaker.state(cx).to_string(), "open");
        cx.sleep(Duration::from_secs(10_000)).await.unwrap();
        assert!(breaker.enter(cx).is_err(), "until it is closed by hand");
        breaker.close();
        assert!(breaker.enter(cx).is_ok());
    });
    lab.oracles().unwrap();
}
