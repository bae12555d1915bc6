//! Small programs about regions: who is waited for, what a failure does, whose outcome counts.
//!
//! One for each bug of the table in `seeded.rs`. A program is content with a correct kernel under every schedule.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::Poll;

use asupersync_lab::LabRuntime;
use cx::Cx;
use time::TimeExt;
use trace::RegionPhase;
use types::{CancelKind, Outcome, Res, Stop};

use super::boom::{Boom, assert_clean};
use super::{FOR_EVER, MS};

/// A member fails; its sibling is asked to stop.
pub(crate) fn a_sibling_of_a_failure_is_asked(lab: &LabRuntime) {
    lab.run(|cx| async {
        let result: Res<(), Boom> = cx
            .try_region(|r| async {
                r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("first"))? });
                let mut sibling = r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(100 * MS).await?) });
                let end = r.masked(async |cx| sibling.join(cx).await).await;
                assert!(end.is_cancelled(), "the sibling went on to its end");
                Ok(())
            })
            .await;
        assert!(result.is_err());
    });
    assert_clean(lab);
}

/// A member fails and nobody joins it: `try_region` returns its error.
pub(crate) fn an_error_that_nobody_took_is_returned(lab: &LabRuntime) {
    lab.run(|cx| async {
        let result: Res<(), Boom> = cx
            .try_region(|r| async {
                r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("member"))? });
                Ok(())
            })
            .await;
        assert!(matches!(result, Err(Stop::Err(Boom("member")))), "the member's error is lost: {result:?}");
    });
    assert_clean(lab);
}

/// A task's handle is gone, and the drop of what it returns panics: the operator is told.
pub(crate) fn a_drop_that_panics_is_told(lab: &LabRuntime) {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("dropped")
        }
    }
    lab.run(|cx| async {
        cx.spawn(async |_: &mut Cx| -> Res<Grenade> { Ok(Grenade) });
    });
    assert_eq!(lab.reports().len(), 1, "nobody was told of the drop");
    assert_clean(lab);
}

/// A member fails and its sibling ends by the request that followed: the error is the region's outcome.
pub(crate) fn a_consequence_does_not_count(lab: &LabRuntime) {
    lab.run(|cx| async {
        let result: Res<(), Boom> = cx
            .try_region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                r.spawn(async |_: &mut Cx| -> Res<(), Boom> { Err(Boom("cause"))? });
                Ok(())
            })
            .await;
        assert!(matches!(result, Err(Stop::Err(Boom("cause")))), "the error is buried: {result:?}");
    });
    assert_clean(lab);
}

/// A region with a member that takes its time: it is not closed before.
pub(crate) fn a_region_waits_for_its_member(lab: &LabRuntime) {
    let ended = Arc::new(AtomicU32::new(0));
    let count = ended.clone();
    lab.run(|cx| async {
        cx.region(|r| async move {
            r.spawn(async move |cx: &mut Cx| -> Res {
                cx.sleep(MS).await?;
                count.fetch_add(1, SeqCst);
                Ok(())
            });
        })
        .await;
        assert_eq!(ended.load(SeqCst), 1, "closed over a live task");
    });
    assert_clean(lab);
}

/// A region whose body is over is spawned into from outside: refused.
pub(crate) fn a_region_whose_body_is_over_admits_nobody(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let handle = r.handle();
            r.spawn(async move |cx: &mut Cx| -> Res {
                while handle.phase() == RegionPhase::Open {
                    cx.yield_now().await;
                }
                assert!(handle.try_spawn(async |_: &mut Cx| ()).is_err(), "a closing region admitted a task");
                Ok(())
            });
        })
        .await
    });
    assert_clean(lab);
}

/// A body fails: its child is asked to stop.
pub(crate) fn the_child_of_a_failed_body_is_asked(lab: &LabRuntime) {
    lab.run(|cx| async {
        let result: Res<(), Boom> = cx
            .try_region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(100 * MS).await?) });
                Err(Boom("body"))?
            })
            .await;
        assert!(result.is_err());
        assert!(cx.now() == types::Time::ZERO, "the child went on to its end");
    });
    assert_clean(lab);
}

/// A region's frame is dropped half-way: its child is asked to stop.
pub(crate) fn the_child_of_a_dropped_frame_is_asked(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|outer| async move {
            let mut region = pin!(outer.region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(100 * MS).await?) });
                r.sleep(FOR_EVER).await
            }));
            let poll = std::future::poll_fn(|context| Poll::Ready(region.as_mut().poll(context)));
            assert!(poll.await.is_pending());
        })
        .await;
        assert!(cx.now() == types::Time::ZERO, "the child went on to its end");
    });
    assert_clean(lab);
}

/// A cancelled task joins one that has ended: it gets the outcome.
pub(crate) fn a_cancelled_joiner_gets_an_outcome_that_is_there(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let handle = r.handle();
            let mut task = r.spawn(async |_: &mut Cx| -> Res<u8> { Ok(7) });
            r.sleep(MS).await.unwrap();
            assert!(task.is_finished());
            handle.cancel(CancelKind::Explicit, "stop", None);
            let end = task.join(r).await;
            assert!(matches!(end, Outcome::Ok(7)), "an outcome was refused: {end:?}");
        })
        .await;
    });
    assert_clean(lab);
}

/// A task fails while a child of its own takes its time: who joins it is told how it failed.
pub(crate) fn a_joiner_gets_the_outcome_that_cancelled_it(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let mut task = r.spawn(async |cx: &mut Cx| -> Res<(), Boom> {
                cx.spawn(async |cx: &mut Cx| cx.masked(async |cx| cx.sleep(MS).await).await);
                Err(Boom("first"))?
            });
            let end = task.join(r).await;
            assert!(matches!(end, Outcome::Err(Boom("first"))), "the joiner got the consequence: {end:?}");
        })
        .await;
    });
    assert_clean(lab);
}

/// A task drops a region whose child takes its time: the task ends after it.
pub(crate) fn a_task_waits_for_what_it_dropped(lab: &LabRuntime) {
    lab.run(|cx| async {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            let mut region = Box::pin(cx.region(|r| async {
                r.spawn(async |cx: &mut Cx| cx.masked(async |cx| cx.sleep(MS).await).await);
                r.sleep(FOR_EVER).await
            }));
            let poll = std::future::poll_fn(|context| Poll::Ready(region.as_mut().poll(context)));
            assert!(poll.await.is_pending());
        });
        let _ = task.join(cx).await;
        assert!(cx.now() != types::Time::ZERO, "it ended before its child");
    });
    assert_clean(lab);
}

/// A task wakes itself while it runs: it runs again.
pub(crate) fn a_task_that_is_woken_while_it_runs_runs_again(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            for _ in 0..2 {
                r.spawn(async |cx: &mut Cx| -> Res {
                    cx.yield_now().await;
                    Ok(())
                });
            }
        })
        .await;
    });
    assert_clean(lab);
}
