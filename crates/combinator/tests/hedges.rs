//! `hedge`: when the next attempt begins, who wins, and what becomes of the others.
#[path = "worlds.rs"]
mod worlds;

use asupersync_combinator::{CombineExt, Hedge, ManyExt};
use cx::Cx;
use lab::{LabConfig, LabRuntime, explore};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Stop, Time};
use worlds::{Census, End, Failed, arrival, arrivals, end, outcomes, swept};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

/// Runs a hedge of attempts, each of which answers after so many milliseconds or fails then: who won, when it returned,
/// and when each attempt began.
fn hedged(how: Hedge, attempts: &[Result<u64, u64>]) -> (Res<usize, Failed>, u64, Vec<u64>) {
    let lab = LabRuntime::new(LabConfig::default());
    let began = RefCell::new(Vec::new());
    let result = lab.run(|cx| {
        let began = &began;
        async move {
            let attempts = attempts.iter().enumerate().map(|(index, attempt)| {
                async move |cx: &mut Cx| -> Res<usize, Failed> {
                    began.borrow_mut().push(cx.now().as_nanos() / 1_000_000);
                    match *attempt {
                        Ok(after) => cx.sleep(ms(after)).await.map(|()| index).map_err(Stop::Cancelled),
                        Err(after) => {
                            cx.sleep(ms(after)).await?;
                            Err(Stop::Err(Failed(char::from(b'a' + index as u8))))
                        }
                    }
                }
            });
            cx.hedge(how, attempts).await
        }
    });
    lab.oracles().unwrap();
    (result, lab.now().as_nanos() / 1_000_000, began.take())
}

#[track_caller]
fn check(how: Hedge, attempts: &[Result<u64, u64>], winner: End<usize>, returned: u64, began: &[u64]) {
    let (result, when, starts) = hedged(how, attempts);
    assert_eq!((end(result), when, &*starts), (winner, returned, began));
}

#[test]
pub(crate) fn the_second_attempt_begins_when_the_first_is_late_and_not_before() {
    check(Hedge::after(ms(10)), &[Ok(5), Ok(1)], End::Ok(0), 5, &[0]);
    check(Hedge::after(ms(10)), &[Ok(50), Ok(7)], End::Ok(1), 17, &[0, 10]);
    check(Hedge::after(ms(10)), &[Ok(15), Ok(7)], End::Ok(0), 15, &[0, 10]);
    check(Hedge::after(ms(10)), &[Ok(50), Ok(50), Ok(50), Ok(3)], End::Ok(3), 33, &[0, 10, 20, 30]);
}

#[test]
fn a_failure_begins_the_next_attempt_at_once_and_counts_only_if_all_fail() {
    check(Hedge::after(ms(10)), &[Err(2), Ok(4)], End::Ok(1), 6, &[0, 2]);
    check(Hedge::after(ms(10)), &[Err(2), Ok(15), Ok(1)], End::Ok(2), 13, &[0, 2, 12]);
    check(Hedge::after(ms(10)), &[Err(12), Err(1), Err(20)], End::Failed('b'), 31, &[0, 10, 11]);
    check(Hedge::after(Duration::MAX), &[Err(3), Err(3), Ok(3)], End::Ok(2), 9, &[0, 3, 6]);
}

#[test]
fn no_more_attempts_than_allowed_run_at_a_time() {
    check(Hedge::after(ms(1)).at_most(2), &[Ok(50), Err(10), Ok(20), Ok(1)], End::Ok(2), 31, &[0, 1, 11]);
    check(Hedge::after(ms(1)).at_most(1), &[Err(10), Ok(10)], End::Ok(1), 20, &[0, 10]);
}

#[test]
pub(crate) fn the_losers_are_asked_and_have_ended_when_a_hedge_returns() {
    explore(0..30, |lab| {
        let drained = Cell::new(0);
        lab.run(|cx| {
            let drained = &drained;
            async move {
                let attempts = (0..3_u64).map(|index| {
                    async move |cx: &mut Cx| -> Res<u64> {
                        if index == 2 {
                            cx.sleep(ms(1)).await?;
                            return Ok(index);
                        }
                        let c = cx.cancelled().await;
                        assert_eq!(c.kind(), CancelKind::LostRace);
                        cx.masked(async |cx| cx.sleep(ms(5)).await).await?;
                        drained.set(drained.get() + 1);
                        Err(Stop::Cancelled(c))
                    }
                });
                assert_eq!(cx.hedge(Hedge::after(ms(10)), attempts).await.unwrap(), 2);
                assert_eq!((drained.get(), cx.now()), (2, at(26)));
            }
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_hedge_of_one_is_that_attempt_and_one_without_delay_is_the_first_success() {
    for bits in 0..8_u8 {
        let arriving = move |at: u8, name| if bits >> at & 1 == 0 { Ok(name) } else { Err(Failed(name)) };
        let values = [arriving(0, 'a'), arriving(1, 'b'), arriving(2, 'c')];
        let hedge = outcomes(async move |cx: &mut Cx| {
            let from = arrivals(cx, values);
            let attempts = from.map(|rx| async |cx: &mut Cx| arrival(cx, rx).await);
            end(cx.hedge(Hedge::after(Duration::ZERO), attempts).await)
        });
        let first_ok = outcomes(async move |cx: &mut Cx| {
            let from = arrivals(cx, values);
            end(cx.first_ok(from.map(|rx| async |cx: &mut Cx| arrival(cx, rx).await)).await)
        });
        assert_eq!(hedge, first_ok);
        let one = outcomes(async move |cx: &mut Cx| {
            let [rx, ..] = arrivals(cx, values);
            end(cx.hedge(Hedge::after(ms(1)), [async |cx: &mut Cx| arrival(cx, rx).await]).await)
        });
        let expected = values[0].map_or_else(|Failed(who)| End::Failed(who), End::Ok);
        assert_eq!(one.into_iter().collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn nobody_is_abandoned_and_nobody_begins_after_a_request_wherever_it_is_made() {
    swept(async |cx: &mut Cx| {
        let seen = Arc::new(Mutex::new(None));
        let log = seen.clone();
        let mut task = cx.spawn(async move |cx: &mut Cx| {
            let census = Census::default();
            let asked = AtomicBool::new(false);
            let attempts = (0..3).map(|index| {
                let (census, asked) = (&census, &asked);
                async move |cx: &mut Cx| {
                    assert!(!asked.load(SeqCst), "an attempt begins after one has seen the request");
                    census
                        .counted(async {
                            let slept = cx.sleep(ms(10)).await;
                            if cx.checkpoint().is_err_and(|c| c.kind() != CancelKind::LostRace) {
                                asked.store(true, SeqCst)
                            }
                            slept.map(|()| index).map_err(Stop::<Failed>::Cancelled)
                        })
                        .await
                }
            });
            let result = cx.hedge(Hedge::after(ms(4)), attempts).await;
            census.all_returned();
            *log.lock().unwrap() = Some((end(result), census.began()));
        });
        if let Outcome::Ok(()) = task.join(cx).await {
            match seen.lock().unwrap().take().unwrap() {
                (End::Ok(0), began) => assert_eq!(began, 3),
                (End::Cancelled(CancelKind::Explicit), _) => {}
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn nobody_begins_when_the_delay_passes_while_those_who_were_asked_clean_up() {
    let lab = LabRuntime::new(LabConfig::default());
    let began = Cell::new(0);
    let result: Res<(), Failed> = lab.run(|cx| {
        let began = &began;
        async move {
            let attempts = (0..2).map(|_| {
                async |cx: &mut Cx| -> Res<(), Failed> {
                    began.set(began.get() + 1);
                    let c = cx.cancelled().await;
                    cx.masked(async |cx| cx.sleep(ms(20)).await).await?;
                    Err(Stop::Cancelled(c))
                }
            });
            cx.timeout(ms(5), async |cx| cx.hedge(Hedge::after(ms(10)), attempts).await).await
        }
    });
    assert_eq!((end(result), began.get(), lab.now()), (End::Cancelled(CancelKind::Deadline), 1, at(25)));
}

#[test]
fn the_delay_of_a_percentile_is_the_nearest_rank() {
    let samples: Vec<Duration> = [30, 10, 20, 40].map(ms).to_vec();
    let delay = |percent| Hedge::at_percentile(&samples, percent).unwrap().delay();
    assert_eq!([delay(1), delay(25), delay(26), delay(75), delay(100)], [10, 10, 20, 30, 40].map(ms));
    assert_eq!(Hedge::at_percentile(&[], 50), None);
    assert!(catch_unwind(|| Hedge::at_percentile(&[ms(1)], 0)).is_err());
}

#[test]
fn a_hedge_of_nothing_panics_and_names_the_place() {
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async {
            let none = (0..0).map(|n| async move |_: &mut Cx| -> Res<u8> { Ok(n) });
            cx.hedge(Hedge::after(ms(1)), none).await
        })
    }));
    let message = run.unwrap_err().downcast_ref::<String>().cloned().unwrap();
    assert!(message.contains("tests/hedges.rs") && message.contains("no attempts"), "{message}");
}

#[test]
fn a_task_that_hedges_is_send_and_its_attempts_borrow() {
    let lab = LabRuntime::new(LabConfig::default());
    let length = lab.run(|cx| async {
        let mut task = cx.spawn(async move |cx| -> Res<usize> {
            let mirrors = ["far away".to_string(), "near".into()];
            let ask = mirrors.iter().map(|mirror| {
                async |cx: &mut Cx| -> Res<usize> {
                    cx.sleep(ms(mirror.len() as u64)).await?;
                    Ok(mirror.len())
                }
            });
            cx.hedge(Hedge::after(ms(3)), ask).await
        });
        task.join(cx).await.ok()
    });
    assert_eq!((length.unwrap(), lab.now()), (4, at(7)));
}
