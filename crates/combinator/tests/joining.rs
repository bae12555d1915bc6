//! `join`, `join_all`, `try_join`, `try_join_all`, `first_ok`, `quorum`: everybody, or enough of them.
use asupersync_combinator::CombineExt;
use cx::Cx;
use lab::explore;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Cancelled, Outcome, Res, Stop, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

#[derive(Debug, PartialEq)]
struct Lost(u64);
impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replica {} is lost", self.0)
    }
}
impl std::error::Error for Lost {}

/// Answers after `after` ms: with the number if it is positive, else with a failure.
async fn replica(cx: &Cx, after: u64, answer: i64) -> Res<i64, Lost> {
    cx.sleep(ms(after)).await?;
    if answer > 0 { Ok(answer) } else { Err(Stop::Err(Lost(answer.unsigned_abs()))) }
}

#[test]
fn join_waits_for_both_and_keeps_their_order() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let log = RefCell::new(Vec::new());
            let both = cx
                .join(
                    async |cx| {
                        cx.sleep(ms(9)).await.unwrap();
                        log.borrow_mut().push('a');
                        1
                    },
                    async |cx| {
                        cx.sleep(ms(3)).await.unwrap();
                        log.borrow_mut().push('b');
                        "two"
                    },
                )
                .await;
            assert_eq!((both, log.take(), cx.now()), ((1, "two"), vec!['b', 'a'], at(9)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn join_awaits_what_its_bodies_spawned() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.join(
                async |cx| {
                    cx.spawn(async |cx| -> Res { Ok(cx.sleep(ms(30)).await?) });
                },
                async |_| (),
            )
            .await;
            assert_eq!(cx.now(), at(30));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_panic_in_a_join_stops_the_other_and_goes_on_when_it_has_ended() {
    explore(0..50, |lab| {
        let run = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                cx.join(
                    async |cx| {
                        let c = cx.sleep(ms(100)).await.unwrap_err();
                        assert_eq!(c.kind(), CancelKind::SiblingFailed);
                        cx.masked(async |cx| cx.sleep(ms(5)).await).await.unwrap();
                    },
                    async |cx| {
                        cx.sleep(ms(1)).await.unwrap();
                        panic!("oops")
                    },
                )
                .await
            })
        }));
        assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"oops"));
        assert_eq!(lab.now(), at(6));
        lab.oracles().unwrap();
    });
}

#[test]
fn join_all_keeps_the_order_of_the_bodies() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let got = cx
                .join_all([5_u64, 1, 3].map(|n| {
                    async move |cx: &mut Cx| {
                        cx.sleep(ms(n)).await.unwrap();
                        n
                    }
                }))
                .await;
            assert_eq!((got, cx.now()), (vec![5, 1, 3], at(5)));
            let none: Vec<()> = cx.join_all(Vec::<fn(&mut Cx) -> std::future::Ready<()>>::new()).await;
            assert!(none.is_empty());
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn the_first_failure_of_a_try_join_stops_the_other_and_is_returned() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let r = cx
                .try_join(
                    async |cx| replica(cx, 1, -7).await,
                    async |cx| {
                        let c = cx.sleep(ms(50)).await.unwrap_err();
                        assert_eq!(c.kind(), CancelKind::SiblingFailed);
                        cx.masked(async |cx| cx.sleep(ms(2)).await).await?;
                        Err::<(), _>(c.into())
                    },
                )
                .await;
            assert!(matches!(r, Err(Stop::Err(Lost(7)))), "{r:?}");
            assert_eq!(cx.now(), at(3));
            cx.checkpoint().unwrap();
        });
        assert!(lab.reports().is_empty());
        lab.oracles().unwrap();
    });
}

#[test]
fn a_second_error_of_a_try_join_is_reported() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let r = cx
                .try_join_all([(9, -2), (1, -1), (5, 3)].map(|(after, answer)| {
                    async move |cx: &mut Cx| cx.masked(async |cx| replica(cx, after, answer).await).await
                }))
                .await;
            assert!(matches!(r, Err(Stop::Err(Lost(1)))), "{r:?}");
        });
        assert!(lab.reports().iter().any(|r| r.contains("Lost(2)")), "{:?}", lab.reports());
        lab.oracles().unwrap();
    });
}

#[test]
fn a_body_that_fails_cancels_its_own_children() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let r: Res<((), ()), Lost> = cx
                .try_join(
                    async |_| Ok(()),
                    async |cx| {
                        cx.spawn(async |cx| -> Result<(), Cancelled> {
                            let c = cx.sleep(ms(1_000)).await.unwrap_err();
                            assert!(c.kind() >= CancelKind::SiblingFailed, "{c}");
                            Err(c)
                        });
                        cx.sleep(ms(1)).await?;
                        Err(Stop::Err(Lost(1)))
                    },
                )
                .await;
            assert!(r.is_err());
            assert_eq!(cx.now(), at(1));
        });
        lab.oracles().unwrap();
    });
}

/// `cancel.visible`: what a combinator asked of a branch shows in its own result, and in nothing else.
#[test]
fn what_a_combinator_asked_of_a_branch_does_not_fail_the_task_that_handled_its_result() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res<u64, Lost> {
                    let r: Res<((), ()), Lost> = cx
                        .try_join(
                            async |cx| {
                                cx.sleep(ms(1)).await?;
                                Err(Stop::Err(Lost(1)))
                            },
                            async |cx| {
                                // This one acknowledges, and the body around it does not.
                                cx.spawn(async |cx| -> Result<(), Cancelled> {
                                    let c = cx.sleep(ms(1_000)).await.unwrap_err();
                                    assert_eq!(c.kind(), CancelKind::SiblingFailed, "{c}");
                                    Err(c)
                                });
                                let _ = cx.sleep(ms(2)).await;
                                Ok(())
                            },
                        )
                        .await;
                    let Err(Stop::Err(Lost(number))) = r else { panic!("{r:?}") };
                    Ok(number)
                });
                let outcome = task.join(outer).await;
                assert!(matches!(outcome, Outcome::Ok(1)), "the combinator's own request is in {outcome:?}");
            })
            .await;
        });
        lab.oracles().unwrap();
    });
}

/// `cancel.visible`: what was asked from above and acknowledged in a branch is left to the task's outcome.
#[test]
fn what_was_asked_from_above_and_acknowledged_in_a_branch_shows_in_the_task_s_outcome() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| {
                    cx.join(
                        async |cx| {
                            cx.spawn(async |cx: &mut Cx| cx.sleep(ms(1_000)).await);
                        },
                        async |_| (),
                    )
                    .await;
                });
                outer.sleep(ms(1)).await.unwrap();
                task.cancel("enough");
                let outcome = task.join(outer).await;
                assert!(
                    matches!(&outcome, Outcome::Cancelled(c) if c.kind() == CancelKind::Explicit),
                    "a child was cut short, and the task looks complete: {outcome:?}"
                );
            })
            .await;
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn try_join_returns_both_values() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let r = cx.try_join(async |cx| replica(cx, 1, 1).await, async |cx| replica(cx, 2, 2).await).await;
            assert_eq!(r.unwrap(), (1, 2));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn first_ok_passes_over_failures() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let answers = [(1, -1), (2, -2), (3, 3), (9, 4)];
            let r = cx
                .first_ok(answers.map(|(after, n)| async move |cx: &mut Cx| replica(cx, after, n).await))
                .await;
            assert_eq!((r.unwrap(), cx.now()), (3, at(3)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn first_ok_of_failures_only_is_the_first_failure() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let answers = [(4, -1), (2, -2), (3, -3)];
            let r = cx
                .first_ok(answers.map(|(after, n)| async move |cx: &mut Cx| replica(cx, after, n).await))
                .await;
            assert!(matches!(r, Err(Stop::Err(Lost(2)))), "{r:?}");
            assert_eq!(cx.now(), at(4));
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_quorum_out_of_reach_stops_waiting() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let answers = [(1, 1), (2, -2), (3, -3), (900, 4)];
            let q = cx
                .quorum(3, answers.map(|(after, n)| async move |cx: &mut Cx| replica(cx, after, n).await))
                .await;
            assert!(!q.is_reached());
            assert_eq!(q, [1]);
            assert!(matches!(q.failures(), [Stop::Err(Lost(2)), Stop::Err(Lost(3))]));
            assert!(matches!(q.ok(), Err(Stop::Err(Lost(3)))));
            assert_eq!(cx.now(), at(3));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_quorum_tolerates_failures_and_asks_the_rest() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let answers = [(1, -1), (2, 2), (3, 3), (900, 4)];
            let q = cx
                .quorum(2, answers.map(|(after, n)| async move |cx: &mut Cx| replica(cx, after, n).await))
                .await;
            assert_eq!((q.ok().unwrap(), cx.now()), (vec![2, 3], at(3)));
            let none =
                cx.quorum(0, answers.map(|(a, n)| async move |cx: &mut Cx| replica(cx, a, n).await)).await;
            assert!(none.is_reached() && none.is_empty());
            assert_eq!(cx.now(), at(3));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_child_that_failed_unjoined_in_a_join_reaches_the_task_and_the_other_branch() {
    explore(0..50, |lab| {
        let outcome = lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Res {
                cx.join(
                    async |cx| {
                        cx.spawn(async |_| -> Res<(), Lost> { Err(Stop::Err(Lost(5))) });
                    },
                    async |cx| {
                        let c = cx.sleep(ms(1_000)).await.unwrap_err();
                        assert_eq!(c.kind(), CancelKind::ChildFailed);
                    },
                )
                .await;
                Ok(())
            });
            let outcome = task.join(cx).await;
            assert_eq!(cx.now(), Time::ZERO);
            outcome
        });
        assert!(
            matches!(&outcome, Outcome::Cancelled(c) if c.to_string().contains("Lost(5)")),
            "{outcome:?}"
        );
    });
}
