//! Tasks that do not get as far as a future, and outcomes that nobody wants.
use crate::executor::Executor;
use crate::{Log, a_while};
use asupersync_cx::{Cx, RegionOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use types::{CancelKind, Res, Stop};

static CHILD_RAN: AtomicBool = AtomicBool::new(false);

/// Spawns a child of the task it is to be the body of, then panics.
fn half_made(cx: &mut Cx) -> impl Future<Output = ()> + Send + '_ {
    cx.spawn(async |cx: &mut Cx| {
        cx.yield_now().await;
        CHILD_RAN.store(true, SeqCst)
    });
    if CHILD_RAN.load(SeqCst) == cx.checkpoint().is_ok() {
        return async {};
    }
    panic!("before the future")
}

#[test]
fn a_body_that_panics_before_it_is_a_future_is_a_task_that_panicked() {
    let lost = Executor::new().run(async |cx| {
        let collected = cx
            .collect(|r| async {
                let spawned = catch_unwind(AssertUnwindSafe(|| r.spawn(half_made)));
                assert!(spawned.is_err(), "the panic goes on in whoever spawns");
            })
            .await;
        collected.lost.len()
    });
    assert_eq!(lost, 1, "and its region knows of it");
    assert!(CHILD_RAN.load(SeqCst), "what it had spawned was awaited");
}

/// A value that says when it is dropped.
struct Loud(Log);
impl Drop for Loud {
    fn drop(&mut self) {
        self.0.say("value dropped")
    }
}

#[test]
fn a_value_that_nobody_wants_is_dropped_before_its_region_closes() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        cx.region(|r| async {
            let mine = log.clone();
            drop(r.spawn::<Result<Loud, types::Never>, _>(async move |_: &mut Cx| Ok(Loud(mine))));
        })
        .await;
        log.say("region closed");
    });
    assert_eq!(log.all(), ["value dropped", "region closed"]);
}

struct Explosive;
impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("in a drop")
    }
}

#[test]
fn a_value_whose_drop_panics_does_not_keep_its_task_in_the_region() {
    Executor::new().run(async |cx| {
        cx.region(|r| async {
            drop(r.spawn::<Result<Explosive, types::Never>, _>(async |_: &mut Cx| Ok(Explosive)));
        })
        .await;
    });
}

#[test]
fn a_hook_that_panics_is_reported_and_the_failed_task_leaves_once() {
    let executor = Executor::new();
    let failures = executor.run(async |cx| {
        let options = RegionOptions::isolate().on_failure(|_| panic!("the hook"));
        cx.region_with(options, |r| async {
            let failing = r.spawn(async |_: &mut Cx| -> Res<(), &'static str> { Err(Stop::Err("no")) });
            drop(r.spawn(async |_: &mut Cx| -> Res<(), &'static str> { Err(Stop::Err("nor this")) }));
            a_while(r).await;
            assert!(failing.is_finished());
            r.handle().failures()
        })
        .await
    });
    assert_eq!(failures, 2);
    assert!(executor.reported().contains("`on_failure`"), "{}", executor.reported());
}

#[test]
fn the_body_of_a_task_hears_that_a_child_of_its_own_failed() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let mine = log.clone();
        let outcome = cx
            .spawn(async move |cx: &mut Cx| -> Res<(), &'static str> {
                cx.spawn(async |_: &mut Cx| -> Res<(), &'static str> { Err(Stop::Err("broken")) });
                let cancelled = crate::forever(cx).await;
                mine.say(format!("{:?}", cancelled.kind()));
                Err(Stop::Cancelled(cancelled))
            })
            .join(cx)
            .await;
        let types::Outcome::Cancelled(c) = outcome else { panic!("{outcome:?}") };
        assert_eq!(c.kind(), CancelKind::ChildFailed, "the failure, not its consequence");
        assert!(c.to_string().contains("broken"), "{c}");
    });
    assert_eq!(log.all(), ["SiblingFailed"]);
}
