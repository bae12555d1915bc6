//! `retry`: which failures are repeated, when, how often, and what a cancellation does to it.
use asupersync_combinator::CombineExt;
use asupersync_combinator::backoff::{Backoff, Jitter};
use asupersync_combinator::breaker::{CircuitBreaker, Trip};
use asupersync_combinator::bulkhead::Bulkhead;
use asupersync_combinator::rate::{Rate, RateLimit, TokenBucket};
use asupersync_combinator::retry::{Again, GaveUp, Retry, RetryBudget, RetryError};
use cx::{Cx, MayRandom, MayTime};
use lab::{CancelSweep, LabConfig, LabRuntime, Search, explore};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Cancelled, Error, Res, Stop, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

/// 10, 20, 40 .. ms, without jitter.
const DOUBLING: Backoff = Backoff::exponential(ms(10), 2).jitter(Jitter::None);

/// The error that a retry ended in.
fn failed<T: std::fmt::Debug, E: std::fmt::Debug>(r: Res<T, RetryError<E>>) -> RetryError<E> {
    match r {
        Err(Stop::Err(error)) => error,
        other => panic!("it did not give up: {other:?}"),
    }
}

fn cancelled<T: std::fmt::Debug, E: std::fmt::Debug>(r: Res<T, E>) -> Cancelled {
    match r {
        Err(Stop::Cancelled(c)) => c,
        other => panic!("it was not cancelled: {other:?}"),
    }
}

#[test]
fn it_waits_between_attempts_and_returns_the_first_success() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let begun = RefCell::new(Vec::new());
            let value: Res<u8, RetryError<Error>> = cx
                .retry(&Retry::new(9, DOUBLING), async |cx| {
                    begun.borrow_mut().push(cx.now());
                    if begun.borrow().len() < 4 {
                        Err(Error::msg("not yet"))?
                    }
                    Ok(7)
                })
                .await;
            assert_eq!(value.unwrap(), 7);
            assert_eq!(begun.take(), [at(0), at(10), at(30), at(70)]);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn after_the_last_attempt_it_says_what_failed_and_how_often_without_a_further_wait() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let count = Cell::new(0);
            let error = failed::<(), Error>(
                cx.retry(&Retry::new(3, DOUBLING), async |_| {
                    count.set(count.get() + 1);
                    Err(Error::msg(format!("attempt {}", count.get())))?
                })
                .await,
            );
            assert_eq!((error.attempts, error.why, cx.now()), (3, GaveUp::Attempts, at(30)));
            assert_eq!(error.to_string(), "gave up after 3 attempts (no attempts left): attempt 3");
            // And it goes where errors go.
            let as_any: Stop = error.into();
            assert!(!as_any.is_cancelled());
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn an_error_that_is_not_to_be_repeated_is_not() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let judge = |e: &std::num::ParseIntError| {
            if *e.kind() == std::num::IntErrorKind::Empty { Again::No } else { Again::Yes }
        };
        let texts = RefCell::new(vec!["", "x"]);
        let error = failed(
            cx.retry_if(&Retry::new(9, DOUBLING), judge, async |_| {
                let text = texts.borrow_mut().pop().unwrap();
                Ok(text.parse::<u8>()?)
            })
            .await,
        );
        assert_eq!((error.attempts, error.why, cx.now()), (2, GaveUp::NotRepeatable, at(10)));
    });
    lab.oracles().unwrap();
}

#[test]
fn what_a_server_asks_for_is_waited_at_least() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let begun = RefCell::new(Vec::new());
        let judge = |_: &Error| Again::After(ms(15));
        let _ = cx
            .retry_if(&Retry::new(3, DOUBLING), judge, async |cx| {
                begun.borrow_mut().push(cx.now());
                Err::<(), _>(Error::msg("busy"))?;
                Ok(())
            })
            .await;
        assert_eq!(begun.take(), [at(0), at(15), at(35)]);
    });
}

#[test]
fn no_attempt_begins_after_its_time() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let error = failed::<(), Error>(
            cx.retry(&Retry::new(9, DOUBLING).within(ms(30)), async |_| Err(Error::msg("no"))?).await,
        );
        // At 0, 10 and 30; the next one would have been at 70.
        assert_eq!((error.attempts, error.why, cx.now()), (3, GaveUp::OutOfTime, at(30)));
        let endless = Backoff::constant(Duration::MAX);
        let error =
            failed::<(), Error>(cx.retry(&Retry::new(2, endless), async |_| Err(Error::msg("no"))?).await);
        assert_eq!(
            (error.attempts, error.why),
            (1, GaveUp::OutOfTime),
            "a wait that never ends is not begun"
        );
    });
}

#[test]
fn an_attempt_that_runs_into_its_own_deadline_is_repeated() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let error = failed::<(), Error>(
                cx.retry(&Retry::new(2, DOUBLING).each(ms(5)), async |cx| Ok(cx.sleep(ms(50)).await?)).await,
            );
            assert_eq!((error.attempts, error.why, cx.now()), (2, GaveUp::Attempts, at(20)));
            assert_eq!(cancelled(Err::<(), _>(error.last)).kind(), CancelKind::Deadline);
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_cancellation_of_the_caller_is_never_repeated() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let attempts = Cell::new(0);
            // The outer deadline falls into an attempt, then into a wait, then comes with an error at once.
            for (deadline, expected) in [(15, 2), (25, 2)] {
                attempts.set(0);
                let r: Res<(), RetryError<Error>> = cx
                    .timeout(ms(deadline), async |cx| {
                        cx.retry(&Retry::new(9, DOUBLING), async |cx| {
                            attempts.set(attempts.get() + 1);
                            cx.sleep(ms(5)).await?;
                            Err(Error::msg("no"))?
                        })
                        .await
                    })
                    .await;
                assert_eq!(cancelled(r).kind(), CancelKind::Deadline);
                assert_eq!(attempts.get(), expected, "an attempt began after the deadline");
            }
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn an_error_that_meets_a_request_is_returned_and_not_repeated() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let r: Res<(), RetryError<Error>> = cx
            .timeout(ms(5), async |cx| {
                cx.retry(&Retry::new(9, DOUBLING), async |cx| {
                    cx.masked(async |cx| cx.sleep(ms(9)).await).await?;
                    Err(Error::msg("while cleaning up"))?
                })
                .await
            })
            .await;
        let error = failed(r);
        assert_eq!((error.attempts, error.why, cx.now()), (1, GaveUp::Cancelled, at(9)));
    });
    lab.oracles().unwrap();
}

#[test]
fn a_panic_is_not_repeated() {
    let lab = LabRuntime::new(LabConfig::default());
    let attempts = Arc::new(AtomicU64::new(0));
    let counted = attempts.clone();
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async move {
            let _: Res<(), RetryError<Error>> = cx
                .retry(&Retry::new(9, DOUBLING), async |_| {
                    counted.fetch_add(1, Relaxed);
                    panic!("attempt")
                })
                .await;
        })
    }));
    assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"attempt"));
    assert_eq!(attempts.load(Relaxed), 1);
}

#[test]
fn what_an_attempt_spawned_has_ended_before_the_next_one_begins() {
    let found = Search::every().run("one at a time", None, async |cx| {
        let alive = Arc::new(AtomicU64::new(0));
        let _ = cx
            .retry(&Retry::new(2, Backoff::NONE), async |cx: &mut Cx| {
                assert_eq!(alive.load(Relaxed), 0, "a child of the attempt before is still there");
                let alive = alive.clone();
                alive.fetch_add(1, Relaxed);
                cx.spawn(async move |cx| {
                    cx.yield_now().await;
                    alive.fetch_sub(1, Relaxed);
                });
                cx.step().await;
                Err::<(), _>(Error::msg("no"))?;
                Ok(())
            })
            .await;
        assert_eq!(alive.load(Relaxed), 0);
    });
    assert!(found.complete, "{found}");
}

/// Laws: one attempt is the body; a retry inside of a retry makes the product of their attempts.
#[test]
fn one_attempt_is_the_body_and_nested_attempts_multiply() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let value: Res<u8, RetryError<Error>> = cx.retry(&Retry::new(1, DOUBLING), async |_| Ok(3)).await;
        assert_eq!((value.unwrap(), cx.now()), (3, at(0)));
        let error =
            failed::<(), Error>(cx.retry(&Retry::new(1, DOUBLING), async |_| Err(Error::msg("e"))?).await);
        assert_eq!((error.attempts, cx.now()), (1, at(0)), "it does not wait");
        let count = Cell::new(0);
        let inner = Retry::new(3, Backoff::NONE);
        let _ = cx
            .retry(&Retry::new(4, Backoff::NONE), async |cx| {
                cx.retry(&inner, async |_| {
                    count.set(count.get() + 1);
                    Err::<(), _>(Error::msg("no"))?;
                    Ok(())
                })
                .await
            })
            .await;
        assert_eq!(count.get(), 12);
    });
}

#[test]
fn jitter_is_the_same_under_the_same_seed() {
    let ends = |seed| {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        lab.run(|cx| async {
            let policy = Retry::new(4, Backoff::decorrelated(ms(10)));
            failed::<(), Error>(cx.retry(&policy, async |_| Err(Error::msg("no"))?).await);
        });
        lab.now()
    };
    assert_eq!(ends(1), ends(1));
    assert_ne!(ends(1), ends(2));
}

/// Two callers share two tokens: on every schedule at most two retries, and none is left lying about.
#[test]
fn callers_share_a_budget_on_every_schedule() {
    let found = Search::every().run("retry budget", None, async |cx| {
        let budget = Arc::new(RetryBudget::new(2, 0));
        let begun = Arc::new(AtomicU64::new(0));
        cx.region(|scope| async {
            for _ in 0..2 {
                let (budget, begun) = (budget.clone(), begun.clone());
                scope.spawn(async move |cx| {
                    let policy = Retry::new(3, Backoff::NONE).budget(&budget);
                    let r = cx
                        .retry(&policy, async |_| {
                            begun.fetch_add(1, Relaxed);
                            Err::<(), _>(Error::msg("no"))?;
                            Ok(())
                        })
                        .await;
                    let error = failed::<(), Error>(r);
                    let expected = if error.attempts == 3 { GaveUp::Attempts } else { GaveUp::Throttled };
                    assert_eq!(error.why, expected);
                });
            }
        })
        .await;
        assert_eq!((begun.load(Relaxed), budget.available()), (4, 0));
    });
    assert!(found.complete && found.classes > 3, "{found}");
}

/// Wherever a caller is cancelled: no attempt begins afterwards, and a token is gone exactly for each retry that began.
#[test]
pub(crate) fn a_token_is_spent_exactly_by_an_attempt_that_begins() {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("retry tokens", None, async |cx| {
        let budget = Arc::new(RetryBudget::new(3, 0));
        let begun = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        cx.region(|scope| async {
            for n in 0..2 {
                let (budget, begun) = (budget.clone(), begun.clone());
                scope.spawn(async move |cx| -> Res {
                    let policy = Retry::new(3, Backoff::constant(ms(5))).budget(&budget);
                    cx.retry(&policy, async |cx| {
                        cx.checkpoint().expect("an attempt began after a request");
                        begun[n].fetch_add(1, Relaxed);
                        cx.sleep(ms(1)).await?;
                        if begun[n].load(Relaxed) < 3 {
                            Err(Error::msg("no"))?
                        }
                        Ok(())
                    })
                    .await
                    .or_else(|stop| match stop {
                        Stop::Err(_) => Ok(()),
                        Stop::Cancelled(c) => Err(c.into()),
                    })
                });
            }
        })
        .await;
        let retries: u64 = begun.iter().map(|n| n.load(Relaxed).saturating_sub(1)).sum();
        assert_eq!(budget.available() + retries, 3, "a token was lost");
    });
    assert!(swept.complete && swept.acknowledged > 20, "{swept}");
}

/// All of them together, in whatever row may sleep and draw, with bodies that borrow.
async fn guarded<C: MayTime + MayRandom>(
    cx: &mut Cx<C>,
    (bulkhead, breaker, limit): &(Bulkhead, CircuitBreaker, RateLimit<TokenBucket>),
    text: &str,
) -> Res<u64> {
    let length = AtomicU64::new(0);
    let policy = Retry::new(3, DOUBLING).each(ms(50)).within(ms(500));
    let attempt = async |cx: &mut Cx<C>| -> Res {
        let tokens = limit.acquire(cx, 1).await?;
        bulkhead
            .run(cx, async |cx| {
                breaker
                    .run(cx, async |cx| {
                        cx.sleep(ms(1)).await?;
                        let done = length.fetch_add(text.len() as u64, Relaxed);
                        if done < 2 * text.len() as u64 {
                            Err(Error::msg("not yet"))?
                        }
                        Ok::<_, Stop>(())
                    })
                    .await
            })
            .await?;
        tokens.spend();
        Ok(())
    };
    cx.retry(&policy, attempt).await?;
    Ok(length.load(Relaxed))
}

#[test]
fn guards_nest_in_spawned_tasks_and_in_narrower_rows() {
    cx::row! { Waits: Time, Random; }
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let guards = Arc::new((
                Bulkhead::new(1, 4),
                CircuitBreaker::new(Trip::after_failures(5)),
                RateLimit::new(TokenBucket::new(Rate::per_second(1_000), 2)),
            ));
            cx.region(|scope| async {
                for _ in 0..2 {
                    let guards = guards.clone();
                    scope.spawn(async move |cx| -> Res {
                        assert_eq!(guarded(cx.narrow::<Waits>(), &guards, "abc").await?, 9);
                        Ok(())
                    });
                }
            })
            .await;
            assert_eq!(guards.0.inside(), 0);
        });
        lab.oracles().unwrap();
    });
}

#[test]
#[should_panic(expected = "no attempts")]
fn a_policy_of_no_attempts_is_refused() {
    let _ = Retry::new(0, Backoff::NONE);
}
