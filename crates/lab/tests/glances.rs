//! Who looks without waiting: at a lock by trying to take it, at a task by asking whether it has ended. The look may come
//! before what it looks at, and after; what small programs can come to then is what a search of every schedule, one by
//! one, says.
//!
//! | file | what lives there |
//! |---|---|
//! | `check` | what is compared |
//! | `regions` | looks at regions |
//!
//! Not here: random programs (`outcomes`), requests to end (`requests`).
#![cfg(not(asupersync_seeded))]

#[path = "glances/check.rs"]
mod check;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "glances/regions.rs"]
mod regions;

use check::check;
use cx::{Cx, TaskHandle};
use std::sync::{Arc, Mutex};
use sync::rwlock::RwLock;
use sync::shared::Shared;
use types::Never;

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

#[test]
fn a_region_is_looked_at_in_each_of_its_phases() {
    regions::phases()
}

#[test]
fn who_is_let_into_a_region_and_who_comes_too_late_is_found() {
    regions::spawns()
}

#[test]
fn a_region_is_asked_for_its_failures_before_each_and_after_all() {
    regions::failures()
}

#[test]
fn a_view_is_taken_before_and_after_members_come_and_go_and_permits_are_held() {
    regions::views()
}
