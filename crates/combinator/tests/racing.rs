//! `race`, `race_all`, `select`: who wins, and what becomes of the others (`race.drained`).
use asupersync_combinator::{CombineExt, Either};
use cx::Cx;
use lab::{LabConfig, LabRuntime, explore, explore_with};
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use time::TimeExt;
use types::{AfterGrace, CancelKind, Cancelled, Outcome, Res, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

/// Waits until it is asked to stop, and says by what.
async fn asked(cx: &Cx) -> Cancelled {
    cx.sleep_until(Time::MAX).await.unwrap_err()
}

#[test]
pub(crate) fn the_loser_is_asked_when_the_winners_body_returns_and_not_when_its_children_end() {
    // What the lab polls for nothing would poll a forgotten loser too, and hide that nobody else does.
    // Who is polled first takes turns: with a poll more it is the other one.
    for steps in 0..2 {
        explore_with(&LabConfig::default().nudge_waiting(false), 0..50, |lab| {
            lab.run(|cx| async {
                let asked_at = Cell::new(None);
                let won = cx
                    .race(
                        async |cx| {
                            cx.spawn(async |cx| -> Res { Ok(cx.sleep(ms(40)).await?) });
                            for _ in 0..steps {
                                cx.step().await
                            }
                            cx.sleep(ms(10)).await.unwrap();
                            "won"
                        },
                        async |cx| {
                            let c = asked(cx).await;
                            assert_eq!(c.kind(), CancelKind::LostRace);
                            asked_at.set(Some(cx.now()));
                            "lost"
                        },
                    )
                    .await;
                assert_eq!((won, asked_at.get(), cx.now()), ("won", Some(at(10)), at(40)));
            });
            lab.oracles().unwrap();
        });
    }
}

#[test]
pub(crate) fn what_the_loser_returns_is_handed_over_after_its_children_have_ended() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let cleaned = Arc::new(AtomicU32::new(0));
            let mut lost = Vec::new();
            let connect = |takes: Duration| {
                let cleaned = cleaned.clone();
                async move |cx: &mut Cx| {
                    cx.spawn(async move |cx: &mut Cx| {
                        cx.masked(async |cx| cx.sleep(ms(7)).await).await.unwrap();
                        cleaned.fetch_add(1, SeqCst);
                    });
                    // The connection stands, although nobody wants it any more.
                    cx.masked(async |cx| cx.sleep(takes).await).await.unwrap();
                    takes
                }
            };
            let won = cx
                .race_with(connect(ms(3)), connect(ms(2)), |value| {
                    assert_eq!(cleaned.load(SeqCst), 2, "both are drained");
                    lost.push(value)
                })
                .await;
            assert_eq!((won, lost), (ms(2), vec![ms(3)]));
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_loser_that_panics_has_no_value_to_hand_over() {
    let lab = LabRuntime::new(LabConfig::default());
    let (_, outcome) = lab.run(|cx| async move {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            let lose = async |cx: &mut Cx| {
                asked(cx).await;
                panic!("lost its head")
            };
            cx.race_with(async |_: &mut Cx| (), lose, |()| panic!("there is no value")).await
        });
        (cx.now(), task.join(cx).await)
    });
    let Outcome::Cancelled(c) = outcome else { panic!("{outcome:?}") };
    assert_eq!(c.kind(), CancelKind::ChildFailed);
}

#[test]
pub(crate) fn the_losers_children_have_ended_when_the_race_returns() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let cleaned = Arc::new(AtomicU32::new(0));
            cx.race(
                async |cx| cx.sleep(ms(1)).await.unwrap(),
                async |cx| {
                    for _ in 0..3 {
                        let cleaned = cleaned.clone();
                        cx.spawn(async move |cx| -> Result<(), Cancelled> {
                            let c = asked(cx).await;
                            assert_eq!(c.kind(), CancelKind::LostRace);
                            cx.masked(async |cx| cx.sleep(ms(7)).await).await.unwrap();
                            cleaned.fetch_add(1, SeqCst);
                            Err(c)
                        });
                    }
                    asked(cx).await;
                },
            )
            .await;
            assert_eq!((cleaned.load(SeqCst), cx.now()), (3, at(8)));
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_loser_that_panics_while_it_drains_does_not_unwind_but_escalates() {
    explore(0..50, |lab| {
        let outcome = lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Res<u8> {
                let won = cx
                    .race(
                        async |cx| cx.sleep(ms(1)).await.map(|()| 7),
                        async |cx| {
                            asked(cx).await;
                            panic!("while draining")
                        },
                    )
                    .await
                    .unwrap();
                assert_eq!(won, 7);
                let c = cx.checkpoint().unwrap_err();
                assert_eq!(c.kind(), CancelKind::ChildFailed);
                assert!(c.to_string().contains("while draining"), "{c}");
                Ok(won)
            });
            task.join(cx).await
        });
        let Outcome::Cancelled(c) = outcome else { panic!("its outcome is at least that: {outcome:?}") };
        assert_eq!(c.kind(), CancelKind::ChildFailed);
    });
}

#[test]
fn a_losers_child_that_failed_unjoined_escalates() {
    explore(0..50, |lab| {
        let outcome = lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Res<u8> {
                let won = cx
                    .race(
                        async |cx| cx.sleep(ms(5)).await.map(|()| 7),
                        async |cx| {
                            cx.spawn(async |cx| -> Res {
                                asked(cx).await;
                                Err(std::fmt::Error)?
                            });
                            Err(asked(cx).await)
                        },
                    )
                    .await;
                Ok(won.unwrap())
            });
            task.join(cx).await
        });
        assert!(
            matches!(&outcome, Outcome::Cancelled(c) if c.kind() == CancelKind::ChildFailed),
            "{outcome:?}"
        );
    });
}

#[test]
fn a_panic_before_anybody_returned_stops_the_others_and_goes_on() {
    explore(0..50, |lab| {
        let drained = Cell::new(false);
        let drained = &drained;
        let run = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async move {
                cx.race(
                    async |cx| {
                        cx.sleep(ms(1)).await.unwrap();
                        panic!("first")
                    },
                    async |cx| {
                        let c = asked(cx).await;
                        assert_eq!(c.kind(), CancelKind::SiblingFailed);
                        cx.masked(async |cx| cx.sleep(ms(3)).await).await.unwrap();
                        drained.set(true)
                    },
                )
                .await
            })
        }));
        assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"first"));
        assert!(drained.get());
        assert_eq!(lab.now(), at(4));
        lab.oracles().unwrap();
    });
}

#[test]
fn a_request_from_above_reaches_both_and_the_race_still_drains() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Res<u8> {
                let kinds = Mutex::new(Vec::new());
                let result = cx
                    .race(
                        async |cx| {
                            let c = asked(cx).await;
                            kinds.lock().unwrap().push(c.kind());
                            Err(c)
                        },
                        async |cx| {
                            let c = asked(cx).await;
                            kinds.lock().unwrap().push(c.kind());
                            cx.masked(async |cx| cx.sleep(ms(9)).await).await.unwrap();
                            Err(c)
                        },
                    )
                    .await;
                assert_eq!(kinds.lock().unwrap().len(), 2);
                assert!(kinds.lock().unwrap().contains(&CancelKind::Explicit));
                result?
            });
            cx.sleep(ms(1)).await.unwrap();
            task.cancel("stop");
            assert!(task.join(cx).await.is_cancelled());
            assert_eq!(cx.now(), at(10));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_nested_race_is_lost_as_a_whole() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let told = Cell::new(0);
            cx.race(
                async |cx| cx.sleep(ms(2)).await.unwrap(),
                async |cx| {
                    cx.race(
                        async |cx| {
                            assert_eq!(asked(cx).await.kind(), CancelKind::LostRace);
                            told.set(told.get() + 1)
                        },
                        async |cx| {
                            assert_eq!(asked(cx).await.kind(), CancelKind::LostRace);
                            told.set(told.get() + 1)
                        },
                    )
                    .await
                },
            )
            .await;
            assert_eq!((told.get(), cx.now()), (2, at(2)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_branch_that_never_waits_does_not_starve_the_other() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let stop = Cell::new(false);
            cx.race(
                async |cx| {
                    while !stop.get() {
                        // Each of these is a whole operation, done at once.
                        cx.sleep(Duration::ZERO).await.unwrap_or(());
                        cx.yield_now().await;
                    }
                },
                async |cx| {
                    for _ in 0..100 {
                        cx.sleep(Duration::ZERO).await.unwrap();
                    }
                    stop.set(true)
                },
            )
            .await;
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_waiting_race_sleeps_and_lets_time_pass() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let n = cx
                .race_all((1..20).map(|n| {
                    async move |cx: &mut Cx| {
                        cx.sleep(ms(100 * n)).await.ok();
                        n
                    }
                }))
                .await;
            assert_eq!((n, cx.now()), (1, at(100)));
        });
        assert!(lab.steps() < 200, "{} polls", lab.steps());
        lab.oracles().unwrap();
    });
}

#[test]
fn a_select_prefers_its_first_body_and_knows_who_won() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let both_ready = cx.select(async |_| 1_u8, async |_| "two").await;
            assert_eq!(both_ready, Either::First(1));
            let second = cx
                .select(async |cx| cx.sleep(ms(2)).await.is_err(), async |cx| cx.sleep(ms(1)).await.is_ok())
                .await;
            assert_eq!(second, Either::Second(true));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_race_that_is_dropped_leaves_its_children_to_the_region_around() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let ended = Arc::new(AtomicU32::new(0));
            let child = |ended: Arc<AtomicU32>| {
                async move |cx: &mut Cx| -> Result<(), Cancelled> {
                    let c = asked(cx).await;
                    assert_eq!(c.kind(), CancelKind::BodyDropped);
                    cx.masked(async |cx| cx.sleep(ms(20)).await).await.unwrap();
                    ended.fetch_add(1, SeqCst);
                    Err(c)
                }
            };
            cx.region(|scope| {
                let ended = ended.clone();
                async move {
                    let clock = scope.now();
                    {
                        let race = scope.race(
                            async |cx| {
                                cx.spawn(child(ended.clone()));
                                asked(cx).await;
                            },
                            async |cx| {
                                cx.spawn(child(ended.clone()));
                                asked(cx).await;
                            },
                        );
                        let mut race = std::pin::pin!(race);
                        // Polled once, then dropped, as a foreign `select!` does.
                        poll_fn(|context| {
                            assert!(race.as_mut().poll(context).is_pending());
                            Poll::Ready(())
                        })
                        .await;
                    }
                    clock
                }
            })
            .await;
            assert_eq!((ended.load(SeqCst), cx.now()), (2, at(20)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_masked_loser_finishes_first() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let steps = Cell::new(0);
            cx.race(
                async |_| (),
                async |cx| {
                    cx.masked(async |cx| {
                        for _ in 0..3 {
                            cx.sleep(ms(1)).await.unwrap();
                            steps.set(steps.get() + 1);
                        }
                    })
                    .await;
                    assert_eq!(cx.checkpoint().unwrap_err().kind(), CancelKind::LostRace);
                },
            )
            .await;
            assert_eq!((steps.get(), cx.now()), (3, at(3)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_race_of_none_panics_and_names_the_place() {
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async { cx.race_all(Vec::<fn(&mut Cx) -> std::future::Ready<()>>::new()).await })
    }));
    let message = run.unwrap_err().downcast_ref::<String>().cloned().unwrap();
    assert!(message.contains("tests/racing.rs"), "{message}");
}

#[test]
fn at_the_cleanup_deadline_the_masks_of_a_loser_are_pierced() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            cx.race(
                async |cx| cx.sleep(ms(1)).await.unwrap(),
                async |cx| {
                    // The grace of the lab is ten seconds, and this mask means to stay for longer.
                    let c = cx.masked(async |cx| cx.sleep(ms(60_000)).await).await.unwrap_err();
                    assert_eq!((c.kind(), cx.now()), (CancelKind::LostRace, at(10_001)));
                    cx.masked(async |cx| assert!(cx.checkpoint().is_err(), "no mask holds any more")).await;
                },
            )
            .await;
            assert_eq!(cx.now(), at(10_001));
            cx.masked(async |cx| cx.sleep(ms(5)).await).await.unwrap();
        });
        assert!(lab.reports().iter().any(|r| r.contains("cleanup deadline")), "{:?}", lab.reports());
        lab.oracles().unwrap();
    });
}

#[test]
fn where_the_region_says_so_a_loser_that_does_not_end_is_dropped_alone() {
    struct Guard<'a>(&'a Cell<bool>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.set(true)
        }
    }
    for seed in 0..20 {
        let config = LabConfig::default().seed(seed).after_grace(AfterGrace::Abandon).grace(ms(100));
        let lab = LabRuntime::new(config);
        lab.run(|cx| async {
            let dropped = Cell::new(false);
            let won = cx
                .race(
                    async |cx| {
                        cx.sleep(ms(1)).await.unwrap();
                        "won"
                    },
                    async |_| {
                        let _guard = Guard(&dropped);
                        std::future::pending().await
                    },
                )
                .await;
            assert_eq!((won, dropped.get(), cx.now()), ("won", true, at(101)));
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    }
}
