//! `TaskSet`: outcomes in the order of ends, each once, and none lost to a cancelled join or a dropped set.
#[path = "worlds.rs"]
mod worlds;

use asupersync_combinator::{CombineExt, TaskSet};
use cx::{Cx, RegionOptions};
use lab::{LabConfig, LabRuntime, explore};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::shared::Shared;
use time::TimeExt;
use types::{CancelKind, Cancelled, Never, Outcome, Res, Stop, Time};
use worlds::{Failed, outcomes, swept};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A task that ends after so long, with that number.
fn after(n: u64) -> impl cx::Task<Res<u64>> {
    async move |cx: &mut Cx| -> Res<u64> {
        cx.sleep(ms(n)).await?;
        Ok(n)
    }
}

#[test]
fn outcomes_come_in_the_order_of_ends_and_places_are_used_again() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let mut set = TaskSet::new();
            for n in [5, 1, 3] {
                set.spawn(cx, after(n));
            }
            assert_eq!(set.len(), 3);
            let mut ended = Vec::new();
            while let Some(outcome) = set.join_next(cx).await.unwrap() {
                let n = outcome.unwrap();
                ended.push(n);
                if n == 1 {
                    set.spawn(cx, after(10));
                    assert_eq!(set.len(), 3);
                }
            }
            assert_eq!((ended, set.is_empty(), cx.now()), (vec![1, 3, 5, 10], true, Time::ZERO + ms(11)));
            assert!(set.join_next(cx).await.unwrap().is_none() && set.try_join_next(cx).is_none());
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn each_outcome_comes_once_in_every_order_of_ends() {
    let found = outcomes(async |cx: &mut Cx| {
        let order = Arc::new(Shared::new(0));
        let mut set = TaskSet::new();
        for name in ['a', 'b', 'c'] {
            let order = order.clone();
            set.spawn(cx, async move |cx: &mut Cx| -> Result<char, Never> {
                cx.step().await;
                order.write(|n| *n += 1);
                Ok(name)
            });
        }
        let mut ended = String::new();
        while let Some(outcome) = set.join_next(cx).await.unwrap() {
            ended.push(outcome.unwrap());
        }
        ended
    });
    let all: BTreeSet<String> = ["abc", "acb", "bac", "bca", "cab", "cba"].map(String::from).into();
    assert_eq!(found, all);
}

#[test]
fn a_join_that_is_cancelled_has_taken_nothing_and_who_has_ended_is_never_refused() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let mut set = TaskSet::new();
            set.spawn(cx, after(1));
            set.spawn(cx, after(30));
            let cut: Res<Vec<Outcome<u64>>> =
                cx.timeout(ms(10), async |cx| Ok(set.join_all(cx).await?)).await;
            assert!(matches!(cut, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline));
            assert_eq!((cx.now(), set.len()), (Time::ZERO + ms(10), 2));
            // What the cancelled join had collected comes first, also where a request stands.
            let first: Res<u64> =
                cx.timeout(Duration::ZERO, async |cx| set.join_next(cx).await?.unwrap().ok()).await;
            assert_eq!(first.unwrap(), 1);
            cx.sleep(ms(40)).await.unwrap();
            let second: Res<u64> =
                cx.timeout(Duration::ZERO, async |cx| set.join_next(cx).await?.unwrap().ok()).await;
            assert_eq!(second.unwrap(), 30);
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_set_that_is_dropped_stops_its_tasks_and_their_region_awaits_them() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let cleaned = Arc::new(AtomicU32::new(0));
            cx.region(|scope| {
                let cleaned = cleaned.clone();
                async move {
                    let mut set = TaskSet::new();
                    for _ in 0..3 {
                        let cleaned = cleaned.clone();
                        set.spawn(scope, async move |cx: &mut Cx| -> Result<(), Cancelled> {
                            // It gives up by itself in the end, so that a test that fails does so quickly.
                            let Err(c) = cx.sleep(ms(1000)).await else { return Ok(()) };
                            assert_eq!(c.kind(), CancelKind::Explicit);
                            cx.masked(async |cx| cx.sleep(ms(4)).await).await?;
                            cleaned.fetch_add(1, SeqCst);
                            Err(c)
                        });
                    }
                    scope.sleep(ms(1)).await.unwrap();
                }
            })
            .await;
            assert_eq!((cleaned.load(SeqCst), cx.now()), (3, Time::ZERO + ms(5)));
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn those_with_a_key_are_stopped_and_the_others_go_on() {
    let lab = LabRuntime::new(LabConfig::default());
    let ended = lab.run(|cx| async {
        let mut set = TaskSet::keyed();
        for (key, n) in [("shard", 20), ("index", 10), ("shard", 30)] {
            set.spawn_keyed(cx, key, after(n));
        }
        assert_eq!(set.cancel_keyed(&"nobody", "no longer ours"), 0);
        assert_eq!(set.cancel_keyed(&"shard", "no longer ours"), 2);
        let all = set.join_all_keyed(cx).await.unwrap();
        all.into_iter().map(|(key, outcome)| (key, outcome.is_cancelled())).collect::<Vec<_>>()
    });
    assert_eq!(ended, [("shard", true), ("shard", true), ("index", false)]);
    assert_eq!(lab.now(), Time::ZERO + ms(10));
    lab.oracles().unwrap();
}

#[test]
fn where_the_region_keeps_going_a_failure_or_a_panic_is_an_outcome_like_any_other() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            cx.region_with(RegionOptions::keep_going(), |scope| async {
                let mut set: TaskSet<u8, Failed> = TaskSet::new();
                for n in 0..3_u8 {
                    set.spawn(scope, async move |cx: &mut Cx| -> Res<u8, Failed> {
                        cx.sleep(ms(n.into())).await?;
                        match n {
                            0 => Err(Stop::Err(Failed('a'))),
                            1 => panic!("the second"),
                            _ => Ok(n),
                        }
                    });
                }
                let all = set.join_all(scope).await.unwrap();
                let [Outcome::Err(Failed('a')), Outcome::Panicked(_), Outcome::Ok(2)] = &all[..] else {
                    panic!("{all:?}")
                };
            })
            .await;
            cx.checkpoint().unwrap();
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_set_of_thousands_is_joined_one_by_one() {
    let lab = LabRuntime::new(LabConfig::default());
    let sum = lab.run(|cx| async {
        let mut set = TaskSet::new();
        for n in 0..2000_u64 {
            set.spawn(cx, after(1 + n % 7));
        }
        let mut sum = 0;
        while let Some(outcome) = set.join_next(cx).await.unwrap() {
            sum += outcome.unwrap();
        }
        sum
    });
    assert_eq!(sum, (0..2000).map(|n| 1 + n % 7).sum::<u64>());
    assert!(lab.steps() < 2000 * 8, "{} polls", lab.steps());
    lab.oracles().unwrap();
}

#[test]
fn every_outcome_is_joined_or_its_regions_wherever_it_is_cancelled() {
    swept(async |cx: &mut Cx| {
        let counts = Arc::new(Mutex::new((0, 0)));
        let began = Arc::new(AtomicU32::new(0));
        let (log, inside) = (counts.clone(), began.clone());
        let mut task = cx.spawn(async move |cx: &mut Cx| {
            let mut set = TaskSet::new();
            for n in 1..=2 {
                let began = inside.clone();
                set.spawn(cx, async move |cx: &mut Cx| -> Res {
                    began.fetch_add(1, SeqCst);
                    Ok(cx.sleep(ms(n)).await?)
                });
            }
            let (mut joined, mut refused) = (0, 0);
            while !set.is_empty() && refused < 2 {
                match set.join_next(cx).await {
                    Ok(outcome) => joined += u32::from(outcome.is_some()),
                    Err(_) => {
                        refused += 1;
                        // A second try, with the request still standing, takes only who has ended.
                        cx.yield_now().await;
                    }
                }
            }
            *log.lock().unwrap() = (joined, set.len() as u32);
        });
        if let Outcome::Ok(()) = task.join(cx).await {
            let (joined, left) = *counts.lock().unwrap();
            assert_eq!(joined + left, 2, "an outcome is lost");
        }
    });
}

#[test]
fn a_task_that_keeps_a_set_is_send() {
    let lab = LabRuntime::new(LabConfig::default());
    let sum = lab.run(|cx| async {
        let mut task = cx.spawn(async move |cx| -> Res<u64> {
            let mut set = TaskSet::new();
            set.spawn(cx, after(2));
            let first = set.join_next(cx).await?.unwrap().ok()?;
            set.spawn(cx, after(3));
            let rest: Vec<u64> = set.join_all(cx).await?.into_iter().map(Outcome::unwrap).collect();
            Ok(first + rest[0])
        });
        task.join(cx).await.ok()
    });
    assert_eq!(sum.unwrap(), 5);
}

/// Tasks that were spawned by a region's handle are joined, counted and cancelled with the others.
#[test]
fn tasks_that_were_spawned_elsewhere_are_adopted() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let mut set = TaskSet::keyed();
            let elsewhere = cx.handle().try_spawn(after(2)).ok().unwrap();
            let id = elsewhere.id();
            assert_eq!(set.adopt_keyed("elsewhere", elsewhere), id);
            set.spawn_keyed(cx, "here", after(1));
            let over = cx.spawn(after(0));
            while !over.is_finished() {
                cx.sleep(Duration::from_micros(1)).await.unwrap();
            }
            set.adopt_keyed("over", over);
            assert_eq!(set.len(), 3);
            let mut ended = Vec::new();
            while let Some((key, outcome)) = set.join_next_keyed(cx).await.unwrap() {
                ended.push((key, outcome.unwrap()));
            }
            assert_eq!(ended, [("over", 0), ("here", 1), ("elsewhere", 2)]);

            let mut plain = TaskSet::new();
            plain.adopt(cx.spawn(after(3_600_000)));
            plain.cancel_all("enough");
            assert!(plain.join_next(cx).await.unwrap().unwrap().is_cancelled());
        });
        lab.oracles().unwrap();
    });
}
