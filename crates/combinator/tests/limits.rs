//! `timeout`, `deadline`, `budgeted`: what is asked when a ceiling is reached, and what the caller gets.
use asupersync_combinator::CombineExt;
use cx::Cx;
use lab::{LabConfig, LabRuntime, explore};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use time::TimeExt;
use types::{AfterGrace, Budget, CancelKind, Cancelled, Res, Stop, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

fn kind<T: std::fmt::Debug>(r: Res<T>) -> CancelKind {
    match r {
        Err(Stop::Cancelled(c)) => c.kind(),
        other => panic!("it was not cancelled: {other:?}"),
    }
}

#[test]
fn a_body_in_time_keeps_its_value_and_its_error() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let r: Res<u8> = cx
                .timeout(ms(5), async |cx| {
                    cx.sleep(ms(4)).await?;
                    Ok(1)
                })
                .await;
            assert_eq!(r.unwrap(), 1);
            let r: Res<u8> = cx.timeout(ms(5), async |_| Err(std::fmt::Error)?).await;
            assert!(matches!(r, Err(Stop::Err(_))));
            cx.sleep(ms(50)).await.unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_body_that_can_finish_at_the_very_instant_does() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let r: Res<u8> = cx
                .timeout(ms(5), async |cx| {
                    cx.sleep(ms(5)).await?;
                    Ok(1)
                })
                .await;
            // Whose timer is served first is the schedule's choice; the body is polled first in any case.
            assert_eq!(r.unwrap(), 1);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_body_that_finishes_without_having_acknowledged_is_ok_however_late() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let r: Res<u8> = cx
                .timeout(ms(5), async |cx| {
                    cx.masked(async |cx| cx.sleep(ms(50)).await).await?;
                    Ok(1)
                })
                .await;
            assert_eq!((r.unwrap(), cx.now()), (1, at(50)));
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_child_that_acknowledged_the_deadline_makes_ok_a_cancellation() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let r: Res<u8> = cx
                .timeout(ms(5), async |cx| {
                    cx.spawn(async |cx| -> Res { Ok(cx.sleep(ms(500)).await?) });
                    Ok(1)
                })
                .await;
            assert_eq!((kind(r), cx.now()), (CancelKind::Deadline, at(5)));
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_child_in_a_region_of_the_body_that_acknowledged_shows_as_well() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let r: Res<u8> = cx
                .timeout(ms(5), async |cx| {
                    cx.try_region(|scope| async {
                        scope.spawn(async |cx| -> Res { Ok(cx.sleep(ms(500)).await?) });
                        Ok(1)
                    })
                    .await
                })
                .await;
            assert_eq!((kind(r), cx.now()), (CancelKind::Deadline, at(5)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_child_that_finished_all_the_same_leaves_ok() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let r: Res<u8> = cx
                .timeout(ms(5), async |cx| {
                    cx.spawn(async |cx| -> Res { Ok(cx.masked(async |cx| cx.sleep(ms(9)).await).await?) });
                    Ok(1)
                })
                .await;
            assert_eq!((r.unwrap(), cx.now()), (1, at(9)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn with_no_time_at_all_the_body_runs_to_its_first_checkpoint() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let began = Cell::new(false);
            let r: Res = cx
                .timeout(Duration::ZERO, async |cx| {
                    began.set(true);
                    cx.checkpoint()?;
                    unreachable!("the checkpoint was refused")
                })
                .await;
            assert!(began.get());
            assert_eq!(kind(r), CancelKind::Deadline);
            assert_eq!(
                kind(cx.deadline(Time::ZERO, async |cx| Ok(cx.sleep(ms(1)).await?)).await),
                CancelKind::Deadline
            );
        });
        assert_eq!(lab.now(), Time::ZERO);
        lab.oracles().unwrap();
    });
}

#[test]
fn the_inner_of_two_deadlines_says_which_one_it_was() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let outer: Res<u8> = cx
                .timeout(ms(10), async |cx| {
                    let inner: Res = cx.timeout(ms(5), async |cx| Ok(cx.sleep(ms(100)).await?)).await;
                    let Err(Stop::Cancelled(c)) = &inner else { panic!("{inner:?}") };
                    assert_eq!((c.why(), cx.now()), ("deadline of 5ms passed", at(5)));
                    cx.sleep(ms(100)).await?;
                    Ok(1)
                })
                .await;
            let Err(Stop::Cancelled(c)) = &outer else { panic!("{outer:?}") };
            assert_eq!((c.why(), cx.now()), ("deadline of 10ms passed", at(10)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn an_outer_deadline_cuts_an_inner_body_short() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let r: Res = cx
                .timeout(ms(5), async |cx| cx.timeout(ms(10), async |cx| Ok(cx.sleep(ms(100)).await?)).await)
                .await;
            let Err(Stop::Cancelled(c)) = &r else { panic!("{r:?}") };
            assert_eq!((c.why(), cx.now()), ("deadline of 5ms passed", at(5)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_panic_in_a_timeout_goes_on_when_the_children_have_ended() {
    explore(0..20, |lab| {
        let run = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                let _: Res = cx
                    .timeout(ms(50), async |cx| {
                        cx.spawn(async |cx| -> Result<(), Cancelled> {
                            let c = cx.sleep(ms(100)).await.unwrap_err();
                            assert_eq!(c.kind(), CancelKind::BodyFailed);
                            cx.masked(async |cx| cx.sleep(ms(3)).await).await.unwrap();
                            Err(c)
                        });
                        cx.sleep(ms(1)).await?;
                        panic!("body")
                    })
                    .await;
            })
        }));
        assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"body"));
        assert_eq!(lab.now(), at(4));
        lab.oracles().unwrap();
    });
}

#[test]
fn what_is_charged_beyond_the_budget_stops_the_body_and_everything_in_it() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let r: Res = cx
                .budgeted(Budget::UNLIMITED.cost(10), async |cx| {
                    let (sleeper, spender) = cx
                        .join(
                            async |cx| cx.sleep(ms(1_000)).await,
                            async |cx| -> Result<(), Cancelled> {
                                for _ in 0..4 {
                                    cx.sleep(ms(1)).await?;
                                    cx.charge(3);
                                }
                                cx.sleep(ms(100)).await
                            },
                        )
                        .await;
                    sleeper?;
                    spender?;
                    Ok(())
                })
                .await;
            assert_eq!((kind(r), cx.now()), (CancelKind::BudgetExhausted, at(4)));
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_quota_of_polls_is_kept() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let polled = Cell::new(0);
            let r: Res = cx
                .budgeted(Budget::UNLIMITED.polls(3), async |cx| {
                    loop {
                        polled.set(polled.get() + 1);
                        cx.yield_now().await;
                        cx.checkpoint()?;
                    }
                })
                .await;
            assert_eq!((kind(r), polled.get()), (CancelKind::BudgetExhausted, 3));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn the_deadline_of_a_budget_is_kept() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let budget = Budget::UNLIMITED.deadline(at(7)).cost(5);
            let r: Res = cx.budgeted(budget, async |cx: &mut Cx| Ok(cx.sleep(ms(100)).await?)).await;
            assert_eq!((kind(r), cx.now()), (CancelKind::Deadline, at(7)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn where_the_region_says_so_a_body_that_does_not_stop_is_dropped() {
    let config = LabConfig::default().after_grace(AfterGrace::Abandon).grace(ms(100));
    let lab = LabRuntime::new(config);
    lab.run(|cx| async {
        let r: Res = cx.timeout(ms(5), async |_| std::future::pending().await).await;
        assert_eq!((kind(r), cx.now()), (CancelKind::Deadline, at(105)));
    });
    assert!(lab.reports().iter().any(|r| r.contains("it is dropped")), "{:?}", lab.reports());
    lab.oracles().unwrap();
}

/// Counts its polls, and says that it was dropped.
struct Watched<'a> {
    polls: &'a Cell<u32>,
    dropped: &'a Cell<bool>,
    ready_at: u32,
}

impl Future for Watched<'_> {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        self.polls.set(self.polls.get() + 1);
        if self.polls.get() >= self.ready_at {
            return Poll::Ready(self.polls.get());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.dropped.set(true)
    }
}

#[test]
pub(crate) fn a_foreign_future_is_awaited_until_there_is_a_request_and_dropped_then() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let (polls, dropped) = (Cell::new(0), Cell::new(false));
            let foreign = |ready_at| Watched { polls: &polls, dropped: &dropped, ready_at };
            assert_eq!(cx.until_cancelled(foreign(5)).await.unwrap(), 5);

            dropped.set(false);
            let late: Res = cx
                .timeout(ms(5), async |cx| {
                    let never = std::future::pending::<()>();
                    let held = foreign(0);
                    let both = async move {
                        let _held = held;
                        never.await
                    };
                    let stopped = cx.until_cancelled(both).await;
                    assert!(dropped.get(), "it was dropped before its caller went on");
                    Ok(stopped?)
                })
                .await;
            assert_eq!((kind(late), cx.now()), (CancelKind::Deadline, at(5)));

            // A request that stands: nothing is begun. Masked, it is not seen.
            polls.set(0);
            let refused: Res = cx
                .timeout(Duration::ZERO, async |cx| {
                    let value = cx.masked(async |cx| cx.until_cancelled(foreign(3)).await).await?;
                    assert_eq!((value, polls.get()), (3, 3));
                    cx.until_cancelled(foreign(9)).await?;
                    Ok(())
                })
                .await;
            assert_eq!((kind(refused), polls.get()), (CancelKind::Deadline, 3));
        });
        lab.oracles().unwrap();
    });
}
