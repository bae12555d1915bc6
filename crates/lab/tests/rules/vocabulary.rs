//! `outcome.*`, `scope.numbering`, `time.*`, `event.*`: what the other rules are said in.

use std::collections::BTreeSet;
use std::time::Duration;

use asupersync_lab::{LabRuntime, explore};
use combinator::CombineExt;
use cx::Cx;
use sync::mpsc;
use time::TimeExt;
use trace::{Label, ScopeId};
use types::{CancelKind, Res, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::from_secs(3600 * 1000);

#[test]
fn outcome_failure_is_an_error_a_panic_or_a_cancellation_that_was_not_asked_of_the_task() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.collect(|r| async {
                // Asked of the task: no failure.
                let asked = r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                // An inner timeout that is let out: a failure.
                r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                    cx.timeout(MS, async |cx: &mut Cx| Ok(cx.sleep(FOR_EVER).await?)).await
                });
                r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("an error"))? });
                r.spawn(async |_: &mut Cx| -> Res { panic!("a panic") });
                r.spawn(async |_: &mut Cx| -> Res { Ok(()) });
                r.sleep(5 * MS).await.unwrap();
                asked.cancel("stop");
            })
            .await;
        });
        let failures: Vec<bool> = lab
            .events()
            .into_iter()
            .filter_map(|event| match event.label {
                Label::TaskEnd { failure, .. } => Some(failure),
                _ => None,
            })
            .collect();
        assert_eq!((failures.len(), failures.iter().filter(|f| **f).count()), (5, 3));
        assert_clean(lab);
    });
}

#[test]
fn outcome_consequential_is_what_the_region_itself_asked_for() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let result: Res<(), Boom> = cx
                .try_region(|r| async {
                    for _ in 0..2 {
                        r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                    }
                    r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                        cx.sleep(MS).await?;
                        Err(Boom("the error"))?
                    });
                    Ok(r.sleep(FOR_EVER).await?)
                })
                .await;
            // The body's own `Cancelled` and both siblings' are consequences.
            assert!(matches!(result, Err(Stop::Err(Boom("the error")))));
        });
        let consequences = lab
            .events()
            .iter()
            .filter(|e| matches!(e.label, Label::TaskEnd { consequential: true, .. }))
            .count();
        assert_eq!(consequences, 2);
        assert_clean(lab);
    });
}

#[test]
fn scope_numbering_no_two_things_have_one_number() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            for _ in 0..3 {
                cx.region(|r| async {
                    for _ in 0..3 {
                        r.spawn(async |cx: &mut Cx| -> Res {
                            cx.spawn(async |_: &mut Cx| ());
                            cx.masked(async |_: &mut Cx| ()).await;
                            cx.race(async |_: &mut Cx| (), async |_: &mut Cx| ()).await;
                            Ok(())
                        });
                    }
                })
                .await;
            }
        });
        let mut numbers = BTreeSet::new();
        let mut count = 0;
        for event in lab.events() {
            let number = match event.label {
                Label::RegionOpen { region, .. } => region.as_u64(),
                Label::TaskSpawn { task, .. } => task.as_u64(),
                Label::ScopeOpen { scope: ScopeId(scope), .. } => scope,
                _ => continue,
            };
            count += 1;
            assert!(number != 0 && numbers.insert(number), "{number} is taken");
        }
        assert!(count > 50, "{count}");
        assert_clean(lab);
    });
}

#[test]
fn time_monotone_the_clock_never_falls_and_moves_only_when_nothing_can_run() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                for n in [3, 1, 2] {
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        for round in 1..4 {
                            let before = cx.now();
                            for _ in 0..5 {
                                cx.yield_now().await;
                            }
                            assert_eq!(cx.now(), before, "others were runnable all the time");
                            cx.sleep(n * MS).await?;
                            assert_eq!(cx.now(), Time::ZERO + round * n * MS);
                        }
                        Ok(())
                    });
                }
            })
            .await;
        });
        assert!(lab.events().windows(2).all(|two| two[0].time <= two[1].time));
        assert_eq!(lab.now(), Time::ZERO + 9 * MS);
        assert_clean(lab);
    });
}

#[test]
fn time_timer_fires_when_it_is_due_and_one_that_is_dropped_never() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            for n in 1..4 {
                let winner = cx
                    .race(
                        async |cx: &mut Cx| cx.sleep(n * MS).await.is_ok(),
                        async |cx: &mut Cx| cx.sleep(FOR_EVER).await.is_ok(),
                    )
                    .await;
                assert!(winner);
            }
        });
        assert_eq!(lab.now(), Time::ZERO + 6 * MS, "a timer that was taken back moves no clock");
        assert_clean(lab);
    });
}

#[test]
fn event_linear_the_trace_replays_and_reads_back() {
    for seed in 0..20 {
        let lab = LabRuntime::new(asupersync_lab::LabConfig::default().seed(seed).check_model(false));
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel::<u8>(1);
            let _: Res<(), Boom> = cx
                .try_region(|r| async {
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        for n in 0..3 {
                            tx.reserve(cx).await?.send(n);
                        }
                        cx.trace("sent");
                        Ok(())
                    });
                    r.finally(async |_: &mut Cx<_>| Ok(())).unwrap();
                    for n in 0..3 {
                        assert_eq!(rx.recv(r).await.unwrap(), n);
                    }
                    r.timeout(MS, async |cx: &mut Cx| Ok(cx.sleep(FOR_EVER).await?)).await
                })
                .await;
        });
        let events = trace::parse_lines(&lab.trace()).unwrap();
        assert_eq!(events, lab.events());
        let summary = model::replay(&events).unwrap_or_else(|divergence| panic!("{divergence}"));
        assert!(summary.closed && summary.obligations == 3, "{summary:?}");
    }
}

#[test]
fn event_wait_site_a_dump_says_what_a_task_waits_for() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                let handle = r.handle();
                let (_tx, mut rx) = mpsc::channel::<u8>(1);
                r.spawn(async move |cx: &mut Cx| -> Res<u8> { Ok(rx.recv(cx).await?) });
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                r.sleep(MS).await.unwrap();
                let view = handle.view().unwrap();
                let mut waits: Vec<_> =
                    view.members.iter().filter_map(|m| m.waits_for).map(|w| w.what).collect();
                waits.sort_unstable();
                assert_eq!(waits, ["a timer", "recv (channel empty)"]);
                assert!(view.members.iter().all(|m| m.spawned_at.file() == file!() && !m.runnable));
                handle.cancel(CancelKind::Explicit, "stop", None);
            })
            .await;
        });
        assert_clean(lab);
    });
}
