//! Combinators around one body: what they take for it is back, whatever became of it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use asupersync_combinator::{
    CombineExt,
    backoff::Backoff,
    breaker::{CircuitBreaker, Refused, State, Trip},
    bulkhead::{Bulkhead, Turned},
    rate::{Gcra, Rate, RateLimit},
    retry::{Retry, RetryBudget},
};
use cx::Cx;
use lab::prove;
use sync::semaphore::{Permit, Semaphore};
use time::TimeExt;
use types::{Error, Res, Stop};

use crate::{Bodies, SECOND, holds};

#[test]
fn a_bracket_releases_what_it_acquired() {
    holds(prove("combinator::bracket", async |cx: &mut Cx| {
        let slots = Arc::new(Semaphore::new(1));
        let (acquired, released) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        cx.region(|cx| async {
            for _ in 0..2 {
                let (slots, acquired, released) = (slots.clone(), acquired.clone(), released.clone());
                cx.spawn(async move |cx: &mut Cx| {
                    let _used: Res = cx
                        .bracket(
                            async |cx: &mut Cx| {
                                let slot =
                                    slots.acquire_owned(cx, 1).await.map_err(|_| Error::msg("closed"))?;
                                acquired.fetch_add(1, Relaxed);
                                Ok(slot)
                            },
                            async |cx: &mut Cx, _: &mut Permit<Arc<Semaphore>>| {
                                cx.step().await;
                                Ok(cx.checkpoint()?)
                            },
                            async |_: &mut Cx, _slot: Permit<Arc<Semaphore>>| {
                                released.fetch_add(1, Relaxed);
                            },
                        )
                        .await;
                });
            }
        })
        .await;
        assert_eq!(acquired.load(Relaxed), released.load(Relaxed));
        assert_eq!(slots.available(), 1);
    }));
}

#[test]
fn attempts_have_ended_and_their_tokens_are_accounted_for() {
    holds(prove("combinator::retry", async |cx: &mut Cx| {
        let (bodies, budget) = (Bodies::default(), Arc::new(RetryBudget::new(1, 50)));
        let before = budget.available();
        cx.region(|cx| async {
            for _ in 0..2 {
                let (bodies, budget) = (bodies.clone(), budget.clone());
                cx.spawn(async move |cx: &mut Cx| {
                    let policy = Retry::new(2, Backoff::constant(SECOND)).budget(&budget);
                    let first = AtomicU32::new(0);
                    let _tried = cx
                        .retry(&policy, async |cx: &mut Cx| -> Res {
                            let attempt = async {
                                cx.step().await;
                                cx.checkpoint()?;
                                match first.fetch_add(1, Relaxed) {
                                    0 => Err(Stop::from(Error::msg("not yet"))),
                                    _ => Ok(()),
                                }
                            };
                            bodies.run(attempt).await
                        })
                        .await;
                });
            }
        })
        .await;
        bodies.all_returned();
        assert!(budget.available() <= before + 2, "{} tokens of {before}", budget.available());
    }));
}

#[test]
fn places_in_a_bulkhead_come_back() {
    holds(prove("combinator::bulkhead", async |cx: &mut Cx| {
        let (bulkhead, bodies) = (Arc::new(Bulkhead::new(1, 1)), Bodies::default());
        cx.region(|cx| async {
            for _ in 0..3 {
                let (bulkhead, bodies) = (bulkhead.clone(), bodies.clone());
                cx.spawn(async move |cx: &mut Cx| {
                    let _entered: Res<(), Turned> = bulkhead
                        .run(cx, async |cx| {
                            bodies.run(cx.step()).await;
                            Ok(())
                        })
                        .await;
                });
            }
        })
        .await;
        bodies.all_returned();
        assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0));
    }));
}

/// Open for a second, then two who would be the probe: one is let in, and what becomes of it decides.
#[test]
fn a_breaker_gets_its_probe_back() {
    holds(prove("combinator::breaker", async |cx: &mut Cx| {
        let (breaker, bodies) =
            (Arc::new(CircuitBreaker::new(Trip::after_failures(1).pause(SECOND))), Bodies::default());
        cx.region(|cx| async {
            let _fails: Res<(), BreakerError> =
                breaker.run(cx, async |_| Err(Stop::Err(BreakerError::Down))).await;
            for _ in 0..2 {
                let (breaker, bodies) = (breaker.clone(), bodies.clone());
                cx.spawn(async move |cx: &mut Cx| {
                    let _ = cx.sleep(SECOND).await;
                    let probe = async |cx: &mut Cx| {
                        let works = async {
                            cx.step().await;
                            Ok(cx.checkpoint()?)
                        };
                        bodies.run(works).await
                    };
                    let _probed: Res<(), BreakerError> = breaker.run(cx, probe).await;
                });
            }
        })
        .await;
        bodies.all_returned();
        // Whoever was cancelled as the probe has given it back: it's closed, open again, or lets the next one in.
        let entered = breaker.enter(cx).is_ok();
        assert!(entered || matches!(breaker.state(cx), State::Open { .. }), "a probe is missing");
    }));
}

#[derive(Debug)]
enum BreakerError {
    Down,
    Refused,
}

impl std::fmt::Display for BreakerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            BreakerError::Down => "down",
            BreakerError::Refused => "refused",
        })
    }
}

impl std::error::Error for BreakerError {}

impl From<Refused> for BreakerError {
    fn from(_: Refused) -> Self {
        BreakerError::Refused
    }
}

#[test]
fn tokens_are_spent_a_period_apart_or_given_back() {
    holds(prove("combinator::rate", async |cx: &mut Cx| {
        let limit = Arc::new(RateLimit::new(Gcra::new(Rate::every(SECOND), 1)));
        let spent = Arc::new(AtomicU32::new(0));
        cx.region(|cx| async {
            for _ in 0..2 {
                let (limit, spent) = (limit.clone(), spent.clone());
                cx.spawn(async move |cx: &mut Cx| {
                    if let Ok(permit) = limit.acquire(cx, 1).await {
                        permit.spend();
                        // One a second, the first at once.
                        let nth = spent.fetch_add(1, Relaxed);
                        assert!(cx.now() >= types::Time::ZERO + nth * SECOND, "too fast");
                    }
                });
            }
        })
        .await;
        assert!(spent.load(Relaxed) <= 2);
    }));
}
