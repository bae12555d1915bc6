//! Programs in which somebody looks at a region from outside, through a handle.
//!
//! Not here: what is compared (`check`).
use crate::check::check;
use cx::{Cx, RegionHandle, RegionOptions};
use std::panic::Location;
use std::sync::{Arc, Mutex};
use trace::RegionPhase;
use types::{ObligationKind, Res, Stop};

/// A region with two members of a step each, who fail, and a body that holds a lease for a step; beside it a task that looks at it
/// once, spawned before the members or after them.
async fn seen(cx: &mut Cx, looker_first: bool, look: fn(&RegionHandle) -> u32) -> u32 {
    let got = Arc::new(Mutex::new(0));
    let noted = got.clone();
    cx.region(|outer| async move {
        let around = outer.handle();
        outer
            .region_with(RegionOptions::isolate(), |inner| async move {
                let handle = inner.handle();
                let looks = async move |cx: &mut Cx| {
                    cx.step().await;
                    *noted.lock().unwrap() = look(&handle)
                };
                if looker_first {
                    assert!(around.try_spawn(looks).is_ok());
                    fails(inner)
                } else {
                    fails(inner);
                    assert!(around.try_spawn(looks).is_ok())
                }
                let lease = inner.reserve(ObligationKind::Lease, Location::caller());
                inner.yield_now().await;
                lease.abort().expect("it is nobody else's")
            })
            .await
    })
    .await;
    *got.lock().unwrap()
}

fn fails(cx: &mut Cx) {
    for _ in 0..2 {
        let body = async |cx: &mut Cx| -> Res<(), &'static str> {
            cx.step().await;
            Err(Stop::Err("it fails"))
        };
        drop(cx.spawn(body))
    }
}

fn both(expected: &[u32], look: fn(&RegionHandle) -> u32) {
    for first in [false, true] {
        check(expected, async |cx: &mut Cx| seen(cx, first, look).await)
    }
}

pub(crate) fn phases() {
    both(&[1, 2, 3], |region| match region.phase() {
        RegionPhase::Open => 1,
        RegionPhase::Draining => 2,
        RegionPhase::Closed => 3,
        RegionPhase::Finalizing | RegionPhase::Settling => 4,
    })
}

pub(crate) fn spawns() {
    both(&[1, 2], |region| 1 + u32::from(region.try_spawn(async |_: &mut Cx| ()).is_err()))
}

pub(crate) fn failures() {
    both(&[0, 1, 2], |region| region.failures() as u32)
}

pub(crate) fn views() {
    both(&[1, 2, 11, 12, 21, 22], |region| match region.view() {
        Some(view) => 1 + 10 * view.members.len() as u32 + view.obligations.len() as u32,
        None => 0,
    })
}
