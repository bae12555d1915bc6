//! `task.unclaimed`: what a task left and nobody took is dropped, and a panic of that drop is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use asupersync_lab::{LabRuntime, explore};
use combinator::CombineExt;
use cx::{Cx, RegionOptions};
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Stop};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);

/// Panics with its name when it is dropped, also while the thread unwinds: nothing but a catch saves it.
#[derive(Debug)]
struct Grenade(&'static str);

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("the drop of {}", self.0)
    }
}

/// The report of this drop, which names the place where its task was spawned.
#[track_caller]
fn told(lab: &LabRuntime, what: &str) -> String {
    let message = format!("the drop of {what}");
    let told: Vec<_> = lab.reports().into_iter().filter(|r| r.contains(&message)).collect();
    let [report] = &told[..] else { panic!("`{what}` is told once: {:#?}", lab.reports()) };
    let (_, place) = report.split_once(&format!("{}:", file!())).expect("a place in this file");
    let line: usize = place[..place.find(' ').unwrap()].parse().expect("a line");
    let there: String = include_str!("drops.rs").lines().skip(line - 1).take(4).collect();
    assert!(there.contains("spawn(") && there.contains(&format!("Grenade(\"{what}\")")), "{line}: {there}");
    report.clone()
}

/// The operator was told of these drops, and of nothing else.
#[track_caller]
fn assert_told(lab: &LabRuntime, of: &[&str]) {
    for what in of {
        told(lab, what);
    }
    assert_eq!(lab.reports().len(), of.len(), "{:#?}", lab.reports());
}

#[test]
fn task_unclaimed_a_value_that_panics_in_its_drop_is_reported_and_fails_nobody() {
    explore(0..50, |lab| {
        lab.run(|cx| async move {
            cx.region(|r| async {
                let ends_later = r.spawn(async |cx: &mut Cx| -> Res<Grenade> {
                    cx.yield_now().await;
                    Ok(Grenade("a"))
                });
                let has_ended = r.spawn(async |_: &mut Cx| -> Res<Grenade> { Ok(Grenade("b")) });
                drop(ends_later);
                r.sleep(MS).await.unwrap();
                assert!(has_ended.is_finished());
                drop(has_ended);
                r.checkpoint().expect("nobody was asked to end");
            })
            .await;
            cx.checkpoint().expect("nothing failed");
        });
        assert_told(lab, &["a", "b"]);
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_a_handle_that_outlives_its_region_still_names_the_task() {
    explore(0..30, |lab| {
        lab.run(|cx| async move {
            let mut kept = None;
            let slot = &mut kept;
            cx.region(|r| async move {
                *slot = Some(r.spawn(async |_: &mut Cx| -> Res<Grenade> { Ok(Grenade("a")) }));
            })
            .await;
            let id = kept.as_ref().unwrap().id();
            drop(kept);
            cx.trace(format!("{id}"));
        });
        assert_told(lab, &["a"]);
        let (report, notes) = (told(lab, "a"), lab.notes());
        assert!(report.contains(&notes[0]), "{report} names {notes:?}");
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_an_error_that_panics_in_its_drop_is_reported_and_moves_on_as_what_it_was() {
    explore(0..50, |lab| {
        lab.run(|cx| async move {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res {
                    cx.region(|r| async {
                        // The first is what the region's end is about, the second is told beside it.
                        r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("a"))) });
                        r.yield_now().await;
                        r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("b"))) });
                    })
                    .await;
                    let c = cx.checkpoint().unwrap_err();
                    assert_eq!(c.kind(), CancelKind::ChildFailed);
                    Err(c.into())
                });
                let end = task.join(outer).await;
                assert!(
                    matches!(&end, Outcome::Cancelled(c) if c.kind() == CancelKind::ChildFailed),
                    "{end:?}"
                );
            })
            .await;
        });
        told(lab, "a");
        told(lab, "b");
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_an_error_that_the_result_has_no_room_for_is_reported_if_its_drop_panics() {
    explore(0..50, |lab| {
        lab.run(|cx| async move {
            let result: Res<(), Boom> = cx
                .try_region(|r| async {
                    r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("a"))) });
                    Ok(())
                })
                .await;
            let Err(Stop::Cancelled(c)) = result else { panic!("{result:?}") };
            assert_eq!(c.kind(), CancelKind::ChildFailed);
        });
        assert_told(lab, &["a"]);
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_a_panic_that_is_resumed_is_not_met_by_the_drop_of_an_error() {
    explore(0..50, |lab| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| async {
                cx.region(|r| async {
                    r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("a"))) });
                    r.spawn(async |_: &mut Cx| -> Res { panic!("the worst") });
                })
                .await
            })
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the worst"));
        told(lab, "a");
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_an_isolated_failure_is_told_to_its_hook_before_its_drop_panics() {
    explore(0..30, |lab| {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let h = heard.clone();
        lab.run(|cx| async move {
            let options = RegionOptions::isolate().on_failure(move |failure| {
                h.lock().unwrap().push(failure.loss.as_ref().map(ToString::to_string));
                panic!("the hook, while it has the error")
            });
            cx.region_with(options, |r| async {
                r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("a"))) });
                r.sleep(MS).await.unwrap();
            })
            .await;
            let mut kept = None;
            let slot = &mut kept;
            cx.region_with(RegionOptions::isolate(), |r| async move {
                r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("b"))) });
                *slot =
                    Some(r.spawn(async |_: &mut Cx| -> Res<(), Grenade> { Err(Stop::Err(Grenade("c"))) }));
                r.sleep(MS).await.unwrap();
            })
            .await;
            drop(kept);
            cx.checkpoint().expect("isolated");
        });
        assert_eq!(*heard.lock().unwrap(), [Some("Grenade(\"a\")".to_string())]);
        told(lab, "a");
        told(lab, "b");
        told(lab, "c");
        let of_the_hook = lab.reports().iter().filter(|r| r.contains("`on_failure`")).count();
        assert_eq!((of_the_hook, lab.reports().len()), (1, 4), "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_a_value_that_a_childs_failure_takes_the_place_of_is_dropped_unseen() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> Res<Grenade> {
                    cx.spawn(boom);
                    Ok(Grenade("a"))
                });
                let end = task.join(outer).await;
                let Outcome::Cancelled(c) = &end else { panic!("{end:?}") };
                assert!(c.to_string().contains("the child"), "{c}");
            })
            .await;
        });
        assert_told(lab, &["a"]);
        assert_clean(lab);
    });
}

async fn boom(cx: &mut Cx) -> Res<(), Boom> {
    cx.yield_now().await;
    Err(Boom("the child"))?
}

/// A body that panics, and whose own drop panics again. (What an `async` body holds is dropped while it unwinds: there
/// a second panic ends the process, as everywhere in Rust.)
struct Twice(#[allow(dead_code, reason = "it is there to be dropped")] Grenade);

impl Future for Twice {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("the body")
    }
}

#[test]
fn task_unclaimed_a_bodys_second_panic_is_reported_beside_its_outcome() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(|_: &mut Cx| Twice(Grenade("a")));
                let end = task.join(outer).await;
                assert!(matches!(&end, Outcome::Panicked(p) if p.message() == "the body"), "{end:?}");
            })
            .await;
        });
        assert_told(lab, &["a"]);
        assert_clean(lab);
    });
}

/// Tells the operator of its drop's panic, once. Its message is the name.
#[track_caller]
fn assert_drop_told(lab: &LabRuntime, what: &str) {
    let message = format!("the drop of {what}");
    let told = lab.reports().iter().filter(|r| r.contains(&message)).count();
    assert_eq!(told, 1, "`{what}` is told once: {:#?}", lab.reports());
}

/// An error that panics when it is dropped.
#[derive(Debug)]
struct Sour(#[allow(dead_code, reason = "it is there to be dropped")] Grenade);

impl std::fmt::Display for Sour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sour")
    }
}
impl std::error::Error for Sour {}

#[test]
fn task_unclaimed_a_finalizers_error_that_panics_in_its_drop_leaves_no_region_open() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let of_a_task = async |cx: &mut Cx| {
                cx.finally(async |_: &mut Cx<_>| Err(Stop::Err(types::Error::from(Sour(Grenade("a"))))))
                    .unwrap();
            };
            let end = cx.spawn(of_a_task).join(cx).await;
            assert!(matches!(end, Outcome::Ok(())), "{end:?}");
            let of_a_frame: Res = cx
                .try_region(async |cx: &mut Cx| {
                    cx.finally(async |_: &mut Cx<_>| Err(Stop::Err(types::Error::from(Sour(Grenade("b"))))))
                        .unwrap();
                    Ok(())
                })
                .await;
            assert!(of_a_frame.is_ok(), "{of_a_frame:?}");
        });
        assert_drop_told(lab, "a");
        assert_drop_told(lab, "b");
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_what_a_finalizer_holds_at_its_bound_leaves_no_region_open() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let mut task = cx.spawn(async |cx: &mut Cx| {
                cx.finally(async |cx: &mut Cx<_>| {
                    let _held = Grenade("a");
                    cx.masked(async |cx: &mut Cx<_>| cx.sleep(100_000 * MS).await).await?;
                    Ok(())
                })
                .unwrap();
                cx.handle().cancel(CancelKind::Explicit, "enough", Some(50 * MS));
            });
            let end = task.join(cx).await;
            assert!(!matches!(end, Outcome::Panicked(_)), "{end:?}");
        });
        assert_drop_told(lab, "a");
        assert!(
            lab.reports().iter().any(|r| r.contains("a finalizer registered at")),
            "{:#?}",
            lab.reports()
        );
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_the_payloads_of_finalizers_that_panic_are_dropped_outside_of_the_close() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                // Of three the first is the outcome; the member's panic came before any.
                for member in [false, true] {
                    let mut task = outer.spawn(async move |cx: &mut Cx| {
                        for name in ["a", "b", "c"] {
                            cx.finally(async move |_: &mut Cx<_>| std::panic::panic_any(Grenade(name)))
                                .unwrap();
                        }
                        if member {
                            cx.spawn(async |_: &mut Cx| -> () { panic!("a member") });
                        }
                    });
                    let Outcome::Panicked(panic) = task.join(outer).await else { panic!("it panicked") };
                    let first = if member { "a member" } else { "(a payload that isn't text)" };
                    assert_eq!(panic.message(), first);
                    std::mem::forget(panic);
                }
            })
            .await;
        });
        let told =
            |what: &str| lab.reports().iter().filter(|r| r.contains(&format!("the drop of {what}"))).count();
        // Last registered first.
        assert_eq!([told("a"), told("b"), told("c")], [2, 2, 1], "{:#?}", lab.reports());
        let lost = lab.reports().iter().filter(|r| r.contains("(a payload that isn't text)")).count();
        assert_eq!(lost, 5, "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

#[test]
fn task_unclaimed_a_childs_panic_beside_the_bodys_own_is_dropped_and_told() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                let mut task = outer.spawn(async |cx: &mut Cx| -> () {
                    cx.spawn(async |_: &mut Cx| -> () { std::panic::panic_any(Grenade("a")) });
                    cx.yield_now().await;
                    panic!("the body")
                });
                let end = task.join(outer).await;
                let Outcome::Panicked(panic) = &end else { panic!("{end:?}") };
                assert_eq!(panic.message(), "the body");
            })
            .await;
        });
        assert_drop_told(lab, "a");
        assert_clean(lab);
    });
}

/// A loser: asked to end, it does, with something that panics when it is dropped.
async fn asked(cx: &mut Cx) -> Result<u8, Grenade> {
    let _ = cx.sleep(1000 * MS).await;
    Err(Grenade("a"))
}

#[test]
fn race_winner_keeps_its_value_when_the_losers_panics_in_its_drop() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|outer| async {
                for how in 0..3 {
                    let mut task = outer.spawn(async move |cx: &mut Cx| {
                        let wins = async |cx: &mut Cx| {
                            cx.yield_now().await;
                            Ok::<u8, Grenade>(1)
                        };
                        let won = match how {
                            0 => cx.race(wins, asked).await,
                            1 => {
                                cx.race_all([false, true].map(|loses| {
                                    async move |cx: &mut Cx| {
                                        if loses { asked(cx).await } else { wins(cx).await }
                                    }
                                }))
                                .await
                            }
                            _ => {
                                let panics = async |cx: &mut Cx| {
                                    let _ = cx.sleep(1000 * MS).await;
                                    std::panic::panic_any(Grenade("b"))
                                };
                                cx.race(wins, panics).await
                            }
                        };
                        assert!(matches!(won, Ok(1)));
                    });
                    // The loser's panic is escalated.
                    let end = task.join(outer).await;
                    assert!(
                        matches!(&end, Outcome::Cancelled(c) if c.kind() == CancelKind::ChildFailed),
                        "{end:?}"
                    );
                }
            })
            .await;
        });
        assert_drop_told(lab, "b");
        assert_clean(lab);
    });
}
