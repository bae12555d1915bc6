//! The engine with real threads: spawning, joining, regions, cancelling, blocking, ending.
#![allow(clippy::disallowed_methods)] // A test of threads starts some.

use cx::{Cx, RegionOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use types::{CancelKind, Outcome, Res};

type Never = types::Never;

#[test]
fn a_hundred_thousand_tasks_end_before_the_root_does() {
    let done = Arc::new(AtomicU64::new(0));
    let seen = done.clone();
    asupersync_runtime::run(async move |cx: &mut Cx| {
        for _ in 0..100_000 {
            let done = done.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.yield_now().await;
                done.fetch_add(1, SeqCst);
            });
        }
    });
    assert_eq!(seen.load(SeqCst), 100_000);
}

#[test]
fn joins_take_the_value() {
    let sum = asupersync_runtime::run(async |cx: &mut Cx| {
        let mut handles: Vec<_> =
            (0..1000u64).map(|i| cx.spawn(async move |_: &mut Cx| Ok::<u64, Never>(i))).collect();
        let mut sum = 0;
        for h in &mut handles {
            sum += h.join(cx).await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 499_500);
}

#[test]
fn a_failing_sibling_cancels_the_others_and_its_error_comes_back() {
    let r: Res<(), std::fmt::Error> = asupersync_runtime::run(async |cx: &mut Cx| {
        cx.try_region(|scope| async {
            for _ in 0..10 {
                scope.spawn(async |cx: &mut Cx| -> Res<(), std::fmt::Error> {
                    loop {
                        cx.checkpoint()?;
                        cx.yield_now().await;
                    }
                });
            }
            scope.spawn(async |_: &mut Cx| Err::<(), _>(std::fmt::Error));
            Ok(())
        })
        .await
    });
    assert!(matches!(r, Err(types::Stop::Err(std::fmt::Error))), "{r:?}");
}

#[test]
fn a_panic_is_an_outcome_for_whoever_joins() {
    let outcome = asupersync_runtime::run(async |cx: &mut Cx| {
        cx.region_with(RegionOptions::isolate(), |scope| async {
            let mut h = scope.spawn(async |_: &mut Cx| -> Result<(), Never> { panic!("oops") });
            h.join(scope).await
        })
        .await
    });
    assert!(matches!(outcome, Outcome::Panicked(ref p) if p.message() == "oops"), "{outcome:?}");
}

#[test]
fn a_thread_outside_cancels_through_a_handle() {
    asupersync_runtime::run(async |cx: &mut Cx| {
        cx.region(|scope| async {
            let handle = scope.handle();
            std::thread::spawn(move || handle.cancel(CancelKind::Explicit, "the thread says so", None));
            for _ in 0..8 {
                scope.spawn(async |cx: &mut Cx| {
                    while cx.checkpoint().is_ok() {
                        cx.yield_now().await;
                    }
                });
            }
        })
        .await;
    });
}

#[test]
fn blocking_closures_are_tasks() {
    let n = asupersync_runtime::run(async |cx: &mut Cx| {
        let mut hs: Vec<_> = (0..16).map(|i| cx.spawn_blocking(move |_| i * 2)).collect();
        let mut n = 0;
        for h in &mut hs {
            n += h.join(cx).await.unwrap();
        }
        n
    });
    assert_eq!(n, 240);
}
