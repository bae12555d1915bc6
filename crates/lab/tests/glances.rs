//! Who looks without waiting: at a lock by trying to take it, at a task by asking whether it has ended. The look may come
//! before what it looks at, and after; what small programs can come to then is what a search of every schedule, one by
//! one, says.
//!
//! Not here: random programs (`outcomes`), requests to end (`requests`).
#![cfg(not(asupersync_seeded))]

#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use asupersync_lab::{Executor, Grain, LabConfig, LabRuntime, Search};
use cx::{Cx, TaskHandle};
use one_by_one::OneByOne;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use sync::rwlock::RwLock;
use sync::shared::Shared;
use types::Never;

/// A program that returns what it came to.
trait Body: AsyncFnOnce(&mut Cx) -> u32 + Clone {}
impl<B: AsyncFnOnce(&mut Cx) -> u32 + Clone> Body for B {}

type Notes = BTreeSet<u32>;

fn note(lab: &LabRuntime, notes: &Mutex<Notes>, body: impl Body) {
    if let Ok(came_to) = lab.try_run(async |cx| body(cx).await) {
        notes.lock().unwrap().insert(came_to);
    }
}

fn by_brute_force(grain: Grain, body: impl Body) -> Notes {
    let executor = Executor::new(LabConfig::default().traced(false), grain).looks(true);
    let (scheduler, notes) = (Arc::new(Mutex::new(OneByOne::default())), Mutex::default());
    for _ in 0..20_000 {
        let execution = executor.execute(&scheduler, |lab| note(lab, &notes, body.clone()));
        assert!(execution.failure.is_none());
        if !scheduler.lock().unwrap().next() {
            return notes.into_inner().unwrap();
        }
    }
    panic!("there are too many schedules")
}

fn searched(search: Search, body: impl Body) -> Notes {
    let notes = Mutex::default();
    let search = search.config(LabConfig::default().traced(false));
    let found = search.run_labs("glances", None, |lab| note(lab, &notes, body.clone()));
    assert!(found.complete, "{found}");
    notes.into_inner().unwrap()
}

/// All searches find these, in production's order and in others.
fn check(expected: &[u32], body: impl Body) {
    let expected: Notes = expected.iter().copied().collect();
    for grain in [Grain::Poll, Grain::Operation] {
        assert_eq!(by_brute_force(grain, body.clone()), expected, "{grain:?}, one by one");
        assert_eq!(searched(Search::every().grain(grain), body.clone()), expected, "{grain:?}");
        for order in 0..12 {
            let search = Search::every().grain(grain).in_random_order(order);
            assert_eq!(searched(search, body.clone()), expected, "{grain:?}, order {order}");
        }
    }
    assert_eq!(searched(Search::within_delays(8), body), expected, "within 8 delays");
}

#[test]
fn a_writer_that_tries_comes_before_who_looks_and_meanwhile_and_after() {
    for upgradable in [false, true] {
        let body = async |cx: &mut Cx| {
            let lock = Arc::new(RwLock::new(()));
            let (one, two) = (lock.clone(), lock);
            let got = Arc::new(Shared::new(0));
            let noted = got.clone();
            cx.region(|s| async {
                s.spawn(async move |cx: &mut Cx| {
                    if upgradable {
                        let guard = one.upgradable_owned(cx).await;
                        cx.yield_now().await;
                        drop(guard)
                    } else {
                        let guard = one.read_owned(cx).await;
                        cx.yield_now().await;
                        drop(guard)
                    }
                });
                s.spawn(async move |cx: &mut Cx| {
                    cx.step().await;
                    let taken =
                        if upgradable { two.try_upgradable().is_some() } else { two.try_write().is_some() };
                    noted.set(1 + u32::from(taken))
                });
            })
            .await;
            got.get()
        };
        check(&[1, 2], body)
    }
}

/// A task of a step and one that glances at it, whichever is spawned first.
async fn glanced(cx: &mut Cx, first: bool, glance: fn(&mut TaskHandle<(), Never>, &Cx) -> bool) -> u32 {
    let slot = Arc::new(Mutex::new(None));
    let got = Arc::new(Mutex::new(0));
    let (its, noted) = (slot.clone(), got.clone());
    cx.region(|s| async {
        let looks = async move |cx: &mut Cx| {
            cx.step().await;
            let mut slot = its.lock().unwrap();
            let handle: &mut TaskHandle<(), Never> =
                slot.as_mut().expect("it was spawned before anything ran");
            *noted.lock().unwrap() = 1 + u32::from(glance(handle, cx))
        };
        let ends = async |cx: &mut Cx| cx.step().await;
        if first {
            s.spawn(looks);
            *slot.lock().unwrap() = Some(s.spawn(ends));
        } else {
            *slot.lock().unwrap() = Some(s.spawn(ends));
            s.spawn(looks);
        }
    })
    .await;
    *got.lock().unwrap()
}

#[test]
fn a_task_is_asked_whether_it_has_ended_before_that_and_after() {
    for first in [false, true] {
        check(&[1, 2], async |cx: &mut Cx| glanced(cx, first, |task, _| task.is_finished()).await)
    }
}

#[test]
fn a_task_is_joined_without_waiting_before_it_ends_and_after() {
    for first in [false, true] {
        check(&[1, 2], async |cx: &mut Cx| glanced(cx, first, |task, cx| task.try_join(cx).is_some()).await)
    }
}
