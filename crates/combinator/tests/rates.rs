//! Rate limits that tasks wait for: the law in virtual time, order, and what a cancellation leaves.
use asupersync_combinator::rate::{
    Gcra, Limit, Limited, Rate, RateError, RateLimit, TokenBucket, TryRateError,
};
use cx::Cx;
use lab::{CancelSweep, LabConfig, LabRuntime, Search, explore};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::TimeExt;
use types::{Res, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

/// One in 10 ms, two at once.
const RATE: Rate = Rate::every(ms(10));

#[test]
fn waiters_go_when_their_tokens_are_there_and_in_their_order() {
    fn program(lab: &LabRuntime, limit: RateLimit<impl Limit + Send + 'static>) {
        let seen = lab.run(|cx| async {
            let (limit, seen) = (Arc::new(limit), Arc::new(Mutex::new(Vec::new())));
            cx.region(|scope| async {
                for n in 0..5 {
                    let (limit, seen) = (limit.clone(), seen.clone());
                    scope.spawn(async move |cx| -> Res {
                        // So that they come in this order, on every schedule.
                        cx.sleep(Duration::from_micros(n)).await?;
                        limit.acquire(cx, 1).await?.spend();
                        seen.lock().unwrap().push((n, cx.now().as_nanos() / 1_000_000));
                        Ok(())
                    });
                }
            })
            .await;
            std::mem::take(&mut *seen.lock().unwrap())
        });
        assert_eq!(seen, [(0, 0), (1, 0), (2, 10), (3, 20), (4, 30)]);
        lab.oracles().unwrap();
    }
    explore(0..20, |lab| program(lab, RateLimit::new(Gcra::new(RATE, 2))));
    explore(0..20, |lab| program(lab, RateLimit::new(TokenBucket::new(RATE, 2))));
}

#[test]
fn more_than_a_burst_is_refused_at_once_and_a_small_one_does_not_overtake() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let limit = Arc::new(RateLimit::new(Gcra::new(RATE, 2)));
        let too_many = Limited::TooMany { burst: 2 };
        assert!(matches!(limit.acquire(cx, 3).await, Err(RateError::Limited(l)) if l == too_many));
        assert_eq!(limit.try_acquire(cx, 3).unwrap_err(), TryRateError::Limited(too_many));
        limit.acquire(cx, 1).await.unwrap().spend();
        let wants_two = limit.clone();
        let mut wants_two = cx.spawn(async move |cx| -> Res {
            wants_two.acquire(cx, 2).await?.spend();
            assert_eq!(cx.now(), at(10));
            Ok(())
        });
        cx.sleep(ms(5)).await.unwrap();
        assert_eq!(limit.try_acquire(cx, 1).unwrap_err(), TryRateError::InLine);
        assert!(matches!(limit.acquire(cx, 3).await, Err(RateError::Limited(l)) if l == too_many));
        assert_eq!(cx.now(), at(5), "it does not wait in line to be told so");
        limit.acquire(cx, 1).await.unwrap().spend();
        assert_eq!(cx.now(), at(20));
        wants_two.join(cx).await.unwrap();
        assert_eq!(limit.try_acquire(cx, 1).unwrap_err(), TryRateError::Limited(Limited::Until(at(30))));
    });
    lab.oracles().unwrap();
}

#[test]
pub(crate) fn what_is_not_used_goes_back_if_nobody_was_granted_anything_since() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let limit = RateLimit::new(TokenBucket::new(RATE, 2));
        drop(limit.acquire(cx, 2).await.unwrap());
        let first = limit.try_acquire(cx, 1).expect("two tokens went back");
        let second = limit.try_acquire(cx, 1).unwrap();
        assert!(!first.give_back(), "others were granted tokens since");
        assert!(second.give_back());
        assert_eq!(limit.try_acquire(cx, 1).unwrap().tokens(), 1);
    });
    lab.oracles().unwrap();
}

#[test]
pub(crate) fn what_was_out_while_the_bucket_ran_over_is_gone() {
    let mut bucket = TokenBucket::new(RATE, 1);
    let unused = bucket.take(1, at(0)).unwrap();
    bucket.take(1, at(10)).unwrap();
    bucket.give_back(unused);
    assert!(bucket.take(1, at(10)).is_err(), "two at once at a burst of one");
}

/// One in an hour: who waits for the instant that was computed first waits for long.
const RARE: Rate = Rate::every(Duration::from_secs(3600));

#[test]
pub(crate) fn tokens_that_go_back_are_taken_at_once_by_who_is_first_in_line() {
    fn program(lab: &LabRuntime, limit: RateLimit<impl Limit + Send + 'static>) {
        let seen = lab.run(|cx| async {
            let (limit, seen) = (Arc::new(limit), Arc::new(Mutex::new(Vec::new())));
            cx.region(|scope| async {
                let unused = limit.try_acquire(scope, 1).unwrap();
                for n in 1..4 {
                    let (limit, seen) = (limit.clone(), seen.clone());
                    let mut waits = scope.spawn(async move |cx| -> Res {
                        cx.sleep(Duration::from_micros(n)).await?;
                        limit.acquire(cx, 1).await?.spend();
                        seen.lock().unwrap().push((n, cx.now().as_nanos() / 1_000_000));
                        Ok(())
                    });
                    if n == 1 {
                        // The first in line leaves it before anything goes back.
                        scope.sleep(Duration::from_micros(500)).await.unwrap();
                        waits.cancel("it leaves the line");
                        assert!(waits.join(scope).await.is_cancelled(), "it waited");
                    }
                }
                scope.sleep(ms(1)).await.unwrap();
                assert!(unused.give_back());
            })
            .await;
            std::mem::take(&mut *seen.lock().unwrap())
        });
        assert_eq!(seen, [(2, 1), (3, 3_600_001)]);
        lab.oracles().unwrap();
    }
    explore(0..20, |lab| program(lab, RateLimit::new(Gcra::new(RARE, 1))));
    explore(0..20, |lab| program(lab, RateLimit::new(TokenBucket::new(RARE, 1))));
}

/// One has the token and gives it back, beside another who wants it: nobody ever waits for the hour, on any schedule.
#[test]
fn whenever_tokens_go_back_who_waits_for_them_hears_of_it() {
    let found = Search::every().run("rate", None, async |cx| {
        let limit = Arc::new(RateLimit::new(TokenBucket::new(RARE, 1)));
        cx.region(|scope| async {
            for _ in 0..2 {
                let limit = limit.clone();
                scope.spawn(async move |cx| -> Res {
                    let permit = limit.acquire(cx, 1).await?;
                    assert_eq!(cx.now(), Time::ZERO);
                    cx.step().await;
                    assert!(permit.give_back());
                    Ok(())
                });
            }
        })
        .await;
    });
    assert!(found.complete && found.classes > 1, "{found}");
}

/// Two tasks and one token: on every schedule both get one, 10 ms apart.
#[test]
fn two_who_want_one_token_get_it_a_period_apart_on_every_schedule() {
    let found = Search::every().run("rate", None, async |cx| {
        let limit = Arc::new(RateLimit::new(Gcra::new(RATE, 1)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        cx.region(|scope| async {
            for _ in 0..2 {
                let (limit, seen) = (limit.clone(), seen.clone());
                scope.spawn(async move |cx| -> Res {
                    limit.acquire(cx, 1).await?.spend();
                    seen.lock().unwrap().push(cx.now());
                    Ok(())
                });
            }
        })
        .await;
        seen.lock().unwrap().sort();
        assert_eq!(*seen.lock().unwrap(), [at(0), at(10)]);
    });
    assert!(found.complete && found.classes > 1, "{found}");
}

/// Wherever somebody is cancelled: the line moves on, tokens are gone exactly for those who had them, and the law holds.
#[test]
pub(crate) fn wherever_somebody_is_cancelled_tokens_are_conserved() {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("rate", None, async |cx: &mut Cx| {
        let limit = Arc::new(RateLimit::new(TokenBucket::new(RATE, 1)));
        let spent = Arc::new(Mutex::new(Vec::new()));
        cx.region(|scope| async {
            for _ in 0..3 {
                let (limit, spent) = (limit.clone(), spent.clone());
                scope.spawn(async move |cx| -> Res {
                    let permit = limit.acquire(cx, 1).await?;
                    // Whoever is asked to stop here gives the token back on the way out.
                    cx.step().await;
                    cx.checkpoint()?;
                    permit.spend();
                    spent.lock().unwrap().push(cx.now());
                    Ok(())
                });
            }
        })
        .await;
        let spent = spent.lock().unwrap().clone();
        assert!(spent.is_sorted_by(|a, b| *b - *a >= ms(10)), "too fast: {spent:?}");
        let free_at = spent.last().map_or(Time::ZERO, |last| *last + ms(10));
        let now = cx.now();
        let refused = limit.try_acquire(cx, 1).map(|permit| permit.spend());
        match refused {
            Ok(()) => assert!(free_at <= now, "a token too many"),
            Err(why) => assert_eq!(why, TryRateError::Limited(Limited::Until(free_at)), "a token was lost"),
        }
    });
    assert!(swept.complete && swept.acknowledged > 10, "{swept}");
}

/// What is held does not borrow the context: regions may be opened meanwhile.
#[test]
fn with_a_permit_regions_may_be_opened() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let limit = RateLimit::new(Gcra::new(RATE, 1));
        let permit = limit.acquire(cx, 1).await.unwrap();
        cx.region(|scope| async {
            scope.spawn(async |cx| cx.yield_now().await);
        })
        .await;
        assert!(permit.give_back());
    });
    lab.oracles().unwrap();
}

#[test]
fn a_rate_that_never_comes_round_is_refused_and_not_waited_for() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let limit = RateLimit::new(Gcra::new(Rate::every(Duration::from_nanos(u64::MAX)), 1));
        limit.acquire(cx, 1).await.unwrap().spend();
        let never = Limited::Until(Time::MAX);
        assert!(matches!(limit.acquire(cx, 1).await, Err(RateError::Limited(l)) if l == never));
    });
    lab.oracles().unwrap();
}

#[test]
fn a_forgotten_permit_is_reported_with_its_line() {
    let lab = LabRuntime::new(LabConfig::default());
    let line = lab.run(|cx| async {
        let limit = Arc::new(RateLimit::new(Gcra::new(RATE, 1)));
        let line = line!() + 1;
        std::mem::forget(limit.acquire(cx, 1).await.unwrap());
        line
    });
    let leak = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(leak.contains(&format!("rates.rs:{line}")), "{leak}");
}
