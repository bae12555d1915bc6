//! Sleeping in the lab: exact instants, cancellation, foreign wakers, and intervals, over many seeds.
use asupersync_time::{MissedTicks, Sleep, TimeExt};
use cx::Cx;
use lab::explore;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use types::{CancelKind, Cancelled, Res, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

/// A waker of somebody else's: counts, and passes the wake on.
struct Foreign {
    woken: AtomicUsize,
    behind: Waker,
}

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Relaxed);
        self.behind.wake_by_ref();
    }
}

/// Awaits `future` in the manner of `FuturesUnordered`: through a waker of its own, and only when that was
/// woken.
async fn unordered<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut own: Option<(Arc<Foreign>, usize)> = None;
    poll_fn(|context| {
        if let Some((foreign, seen)) = &own
            && foreign.woken.load(Relaxed) == *seen
        {
            return Poll::Pending;
        }
        let foreign = match own.take() {
            Some((foreign, _)) => foreign,
            None => Arc::new(Foreign { woken: AtomicUsize::new(0), behind: context.waker().clone() }),
        };
        let seen = foreign.woken.load(Relaxed);
        let polled = future.as_mut().poll(&mut Context::from_waker(&Waker::from(foreign.clone())));
        own = Some((foreign, seen));
        polled
    })
    .await
}

#[test]
fn a_sleep_is_over_at_its_instant_and_not_before() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            cx.sleep(ms(30)).await.unwrap();
            assert_eq!(cx.now(), at(30));
            cx.sleep_until(at(45)).await.unwrap();
            assert_eq!(cx.now(), at(45));
        });
        assert_eq!(lab.now(), at(45));
        lab.oracles().unwrap();
    });
}

#[test]
fn an_instant_that_has_passed_is_no_wait() {
    explore(0..4, |lab| {
        lab.run(|cx| async {
            cx.sleep(Duration::ZERO).await.unwrap();
            cx.sleep(ms(5)).await.unwrap();
            cx.sleep_until(at(5)).await.unwrap();
            cx.sleep_until(at(1)).await.unwrap();
        });
        assert_eq!(lab.now(), at(5));
    });
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines_whatever_the_schedule() {
    explore(0..50, |lab| {
        let woken = Arc::new(Mutex::new(Vec::new()));
        lab.run(|cx| async {
            cx.region(|scope| async {
                for n in [70_u64, 10, 40, 10, 90, 30] {
                    let woken = woken.clone();
                    scope.spawn(async move |cx| -> Res {
                        cx.sleep(ms(n)).await?;
                        woken.lock().unwrap().push((n, cx.now()));
                        Ok(())
                    });
                }
            })
            .await;
        });
        let woken = woken.lock().unwrap();
        assert_eq!(woken.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [10, 10, 30, 40, 70, 90]);
        assert!(woken.iter().all(|(n, now)| *now == at(*n)));
        lab.oracles().unwrap();
    });
}

#[test]
fn a_request_ends_a_sleep_at_once() {
    explore(0..50, |lab| {
        let ended = lab.run(|cx| async {
            let mut sleeper = cx.spawn(async |cx| -> Result<(), Cancelled> { cx.sleep(ms(1_000_000)).await });
            cx.sleep(ms(3)).await.unwrap();
            sleeper.cancel("no longer needed");
            (sleeper.join(cx).await, cx.now())
        });
        let (types::Outcome::Cancelled(c), now) = ended else { panic!("it was not cancelled: {ended:?}") };
        assert_eq!((c.kind(), now), (CancelKind::Explicit, at(3)));
        assert_eq!(lab.now(), at(3), "its timer was taken back");
        lab.oracles().unwrap();
    });
}

#[test]
fn a_sleep_polled_through_a_foreign_waker_is_woken_and_cancelled_through_it() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let mut sleeper = cx.spawn(async |cx| -> Result<(), Cancelled> {
                unordered(cx.sleep(ms(10))).await?;
                assert_eq!(cx.now(), at(10));
                unordered(cx.sleep(ms(1_000))).await
            });
            cx.sleep(ms(50)).await.unwrap();
            sleeper.cancel("enough");
            assert!(sleeper.join(cx).await.is_cancelled());
            assert_eq!(cx.now(), at(50));
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn the_waker_of_the_latest_poll_is_the_one_that_is_woken() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            // A task's first operation gives way, by the waker that it is polled with.
            cx.yield_now().await;
            let mut sleep = Sleep::new(cx, at(20));
            let old = Arc::new(Foreign { woken: AtomicUsize::new(0), behind: Waker::noop().clone() });
            let polled = {
                let waker = Waker::from(old.clone());
                std::pin::Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker))
            };
            assert!(polled.is_pending());
            sleep.await.unwrap();
            assert_eq!(cx.now(), at(20));
            assert_eq!(old.woken.load(Relaxed), 0);
        });
    });
}

#[test]
pub(crate) fn a_sleep_that_is_dropped_wakes_nobody_and_holds_nothing() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let foreign = Arc::new(Foreign { woken: AtomicUsize::new(0), behind: Waker::noop().clone() });
            let waker = Waker::from(foreign.clone());
            cx.yield_now().await;
            let mut sleep = cx.sleep(ms(5));
            assert!(std::pin::Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending());
            drop(sleep);
            cx.sleep(ms(10)).await.unwrap();
            assert_eq!(foreign.woken.load(Relaxed), 0, "a timer outlived its sleep");
        });
    });
}

#[test]
fn an_interval_does_not_drift_and_its_policies_differ_only_when_late() {
    async fn ticks(cx: &Cx, missed: MissedTicks) -> Vec<u64> {
        let start = cx.now();
        let mut interval = cx.interval(ms(10)).missed_ticks(missed);
        let mut taken = Vec::new();
        for n in 0..7 {
            interval.tick(cx).await.unwrap();
            taken.push((cx.now() - start).as_millis() as u64);
            // Busy for longer than a period, once.
            cx.sleep(ms(if n == 1 { 35 } else { 3 })).await.unwrap();
        }
        taken
    }
    explore(0..10, |lab| {
        lab.run(|cx| async {
            assert_eq!(ticks(cx, MissedTicks::Burst).await, [0, 10, 45, 48, 51, 54, 60]);
            assert_eq!(ticks(cx, MissedTicks::Delay).await, [0, 10, 45, 55, 65, 75, 85]);
            assert_eq!(ticks(cx, MissedTicks::Skip).await, [0, 10, 45, 50, 60, 70, 80]);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_tick_that_was_refused_is_not_lost() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Result<(), Cancelled> {
                let start = cx.now();
                let mut interval = cx.interval_at(start + ms(10), ms(10));
                let refused = interval.tick(cx).await.unwrap_err();
                assert_eq!(interval.next_tick(), start + ms(10));
                Err(refused)
            });
            cx.sleep(ms(2)).await.unwrap();
            task.cancel("stop");
            assert!(task.join(cx).await.is_cancelled());
        });
    });
}

#[test]
fn the_same_seed_sleeps_the_same_trace() {
    let trace = |seed| {
        let lab = lab::LabRuntime::new(lab::LabConfig::default().seed(seed));
        lab.run(|cx| async {
            for n in 1..5 {
                cx.spawn(async move |cx| -> Res { Ok(cx.sleep(ms(n % 2)).await?) });
            }
        });
        lab.trace()
    };
    assert_eq!(trace(7), trace(7));
}

/// For `select!` of the futures crate: a sleep is over once it was ready, whatever it said, until it's set again.
#[cfg(feature = "futures")]
#[test]
fn a_sleep_says_when_it_is_over() {
    use futures_core::FusedFuture;
    explore(0..20, |lab| {
        lab.run(|cx| async {
            {
                let mut sleep = cx.sleep(ms(5));
                assert!(!sleep.is_terminated());
                (&mut sleep).await.unwrap();
                assert!(sleep.is_terminated());
                sleep.reset(at(10));
                assert!(!sleep.is_terminated());
                (&mut sleep).await.unwrap();
                assert!(sleep.is_terminated() && cx.now() == at(10));
            }
            cx.region(|cx| async {
                let mut refused = cx.sleep(ms(5));
                cx.handle().cancel(CancelKind::Explicit, "no more", None);
                assert!((&mut refused).await.is_err() && refused.is_terminated());
            })
            .await;
        });
    });
}
