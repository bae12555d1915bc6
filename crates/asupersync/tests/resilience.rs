//! What protects a service, on real threads: limits hold, and nothing is lost, while callers give up all the time.
#![cfg(feature = "runtime")]
use asupersync::combinator::backoff::Backoff;
use asupersync::combinator::breaker::{CircuitBreaker, State, Trip};
use asupersync::combinator::bulkhead::Bulkhead;
use asupersync::combinator::rate::{Gcra, Rate, RateLimit};
use asupersync::combinator::retry::{Retry, RetryBudget};
use asupersync::prelude::*;
use asupersync::sync::pool::{Manage, Pool};
use asupersync::{Builder, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

const TASKS: u64 = 32;
const ROUNDS: u64 = 50;

/// Counts those who are inside, and the most there ever were.
#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    async fn stay(&self, cx: &Cx) -> Result<(), Cancelled> {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        let slept = cx.sleep(Duration::from_micros(cx.random() % 200)).await;
        self.now.fetch_sub(1, SeqCst);
        slept
    }
}

/// Runs a round often, in many tasks on four threads. Callers give up before they are served, meanwhile, or not at all; what
/// a round returns does not matter then.
macro_rules! storm {
    (|$cx:ident, $shared:ident| $round:expr) => {
        Builder::new().workers(4).build().unwrap().run(async |cx: &mut Cx| {
            cx.region(|scope| async {
                for _ in 0..TASKS {
                    let $shared = $shared.clone();
                    scope.spawn(async move |cx: &mut Cx| {
                        for _ in 0..ROUNDS {
                            let patience = Duration::from_micros(cx.random() % 1_000);
                            let _: Res = cx.timeout(patience, async |$cx: &mut Cx| $round).await;
                        }
                    });
                }
            })
            .await;
        })
    };
}

struct Things(Arc<Inside>);
struct Thing(Arc<Inside>);

impl Drop for Thing {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

impl Manage for Things {
    type Item = Thing;
    type Error = Error;

    async fn create(&self, cx: &mut Cx) -> Res<Thing> {
        cx.yield_now().await;
        cx.checkpoint()?;
        if cx.random().is_multiple_of(8) {
            return Err(Error::msg("nothing to make it of").into());
        }
        self.0.most.fetch_max(self.0.now.fetch_add(1, SeqCst) + 1, SeqCst);
        Ok(Thing(self.0.clone()))
    }
}

#[test]
fn a_pool_never_has_more_than_its_size_and_all_places_come_back() {
    let alive = Arc::new(Inside::default());
    let pool = Pool::new(3, Things(alive.clone()));
    storm!(|cx, pool| {
        let thing = pool.lease(cx).await?;
        cx.sleep(Duration::from_micros(cx.random() % 100)).await?;
        if cx.random().is_multiple_of(16) {
            thing.discard()
        } else {
            drop(thing)
        }
        Ok(())
    });
    assert!((1..=3).contains(&alive.most.load(SeqCst)), "{:?}", alive.most);
    assert_eq!((pool.out(), pool.idle()), (0, alive.now.load(SeqCst)));
    pool.close();
    assert_eq!(alive.now.load(SeqCst), 0);
}

#[test]
fn a_bulkhead_lets_no_more_in_than_it_says() {
    let shared = Arc::new((Bulkhead::new(4, 8), Inside::default()));
    storm!(|cx, shared| {
        let (bulkhead, inside) = &*shared;
        assert!(bulkhead.waiting() <= 8);
        bulkhead.run(cx, async |cx| Ok(inside.stay(cx).await?)).await
    });
    let (bulkhead, inside) = &*shared;
    assert!((1..=4).contains(&inside.most.load(SeqCst)), "{:?}", inside.most);
    assert_eq!((bulkhead.inside(), bulkhead.waiting(), inside.now.load(SeqCst)), (0, 0, 0));
}

#[test]
fn a_rate_takes_its_time_for_what_it_grants() {
    let shared = Arc::new((RateLimit::new(Gcra::new(Rate::per_second(20_000), 10)), AtomicU64::new(0)));
    let took = {
        let shared = shared.clone();
        Builder::new().workers(4).build().unwrap().run(async |cx: &mut Cx| {
            let began = cx.now();
            cx.region(|scope| async {
                for _ in 0..TASKS {
                    let shared = shared.clone();
                    scope.spawn(async move |cx: &mut Cx| -> Res {
                        for _ in 0..ROUNDS {
                            let permit = shared.0.acquire(cx, 1).await?;
                            shared.1.fetch_add(1, SeqCst);
                            permit.spend();
                        }
                        Ok(())
                    });
                }
            })
            .await;
            cx.now() - began
        })
    };
    assert_eq!(shared.1.load(SeqCst), TASKS * ROUNDS);
    // All but the burst have waited for theirs; how much longer it took is the machine's business.
    assert!(took >= Duration::from_micros((TASKS * ROUNDS - 10) * 50), "{took:?}");
}

#[test]
fn retries_stay_within_their_budget_and_a_breaker_is_never_left_half_open() {
    let breaker = CircuitBreaker::new(Trip::after_failures(3).pause(Duration::from_micros(300)).probes(2));
    let shared = Arc::new((breaker, RetryBudget::new(10, 50), AtomicU64::new(0), AtomicU64::new(0)));
    storm!(|cx, shared| {
        let (breaker, budget, calls, attempts) = &*shared;
        let policy = Retry::new(4, Backoff::decorrelated(Duration::from_micros(20))).budget(budget);
        let first = AtomicU64::new(0);
        let attempt = async |cx: &mut Cx| {
            calls.fetch_add(u64::from(first.fetch_add(1, SeqCst) == 0), SeqCst);
            attempts.fetch_add(1, SeqCst);
            breaker
                .run(cx, async |cx| {
                    cx.yield_now().await;
                    cx.checkpoint()?;
                    if cx.random().is_multiple_of(2) { Err(Error::msg("no").into()) } else { Ok(()) }
                })
                .await
        };
        Ok(cx.retry(&policy, attempt).await?)
    });
    let (breaker, budget, calls, attempts) = &*shared;
    let (calls, attempts) = (calls.load(SeqCst), attempts.load(SeqCst));
    assert!(calls > 0 && attempts - calls + budget.available() <= 10 + calls / 2, "{attempts} for {calls}");
    let state = Builder::new().workers(1).build().unwrap().run(async |cx| breaker.state(cx));
    assert!(!matches!(state, State::HalfOpen { out: 1.., .. }), "{state:?}");
}
