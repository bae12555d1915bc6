//! `blocking.*` in a lab, where a closure is one step of its task. On threads: `runtime/tests/engine/blocking.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use asupersync_lab::explore;
use cx::Cx;
use types::{Never, Outcome, Time};

use crate::boom::assert_clean;

#[test]
fn blocking_owned_in_a_lab_a_closure_is_one_step_that_takes_no_time() {
    explore(0..50, |lab| {
        let inside = Arc::new(AtomicBool::new(false));
        lab.run(|cx| async move {
            cx.region(|r| async {
                for _ in 0..3 {
                    let inside = inside.clone();
                    r.spawn_blocking(move |cx| {
                        assert!(!inside.swap(true, SeqCst), "another one runs meanwhile");
                        assert!(!cx.is_cancelled());
                        inside.store(false, SeqCst);
                    });
                }
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO);
        assert_clean(lab);
    });
}

#[test]
fn blocking_owned_one_that_was_asked_before_it_began_is_dropped_and_says_so() {
    explore(0..50, |lab| {
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let (ran, dropped) = (Arc::new(AtomicBool::new(false)), Arc::new(()));
                let (runs, held) = (ran.clone(), dropped.clone());
                let mut task = outer.spawn_blocking(move |_| {
                    let _held = held;
                    runs.store(true, SeqCst)
                });
                task.cancel("not wanted");
                let outcome = task.join(outer).await;
                assert!(matches!(outcome, Outcome::Cancelled(_)) && !ran.load(SeqCst), "{outcome:?}");
                assert_eq!(Arc::strong_count(&dropped), 1, "whoever sees it ended knows that it is gone");
            })
            .await;
        });
        assert_clean(lab);
    });
}

#[test]
fn blocking_owned_its_value_and_its_panic_are_its_tasks_outcome() {
    explore(0..10, |lab| {
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let mut value = outer.spawn_blocking(|_| 7);
                assert!(matches!(value.join(outer).await, Outcome::Ok(7)));
                let mut panics = outer.spawn_blocking(|_| -> u8 { panic!("in the closure") });
                let outcome: Outcome<u8, Never> = panics.join(outer).await;
                assert!(
                    matches!(&outcome, Outcome::Panicked(p) if p.message() == "in the closure"),
                    "{outcome:?}"
                );
                // The same without a task of its own.
                let mut waits =
                    outer.spawn(async |cx: &mut Cx| -> types::Res<u8> { cx.run_blocking(|_| 8).await });
                assert!(matches!(waits.join(outer).await, Outcome::Ok(8)));
            })
            .await;
        });
        assert_clean(lab);
    });
}
