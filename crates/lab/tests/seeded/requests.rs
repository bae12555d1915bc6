//! Small programs about requests to stop: whom they reach, what hides them, what they leave behind.
//!
//! One for each bug of the table in `seeded.rs`. A program is content with a correct kernel under every schedule.

use asupersync_lab::LabRuntime;
use combinator::CombineExt;
use cx::Cx;
use futures::stream::{FuturesUnordered, StreamExt};
use sync::WaitError;
use sync::mpsc;
use time::TimeExt;
use types::{CancelKind, Res, Stop, Time};

use super::boom::{Boom, assert_clean};
use super::{FOR_EVER, MS};

/// A request on a region reaches a task of a region below.
pub(crate) fn a_request_goes_all_the_way_down(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let handle = r.handle();
            r.spawn(async |cx: &mut Cx| -> Res {
                cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(100 * MS).await?) });
                Ok(())
            });
            r.sleep(MS).await.unwrap();
            handle.cancel(CancelKind::Explicit, "stop", None);
        })
        .await;
        assert_eq!(cx.now(), Time::ZERO + MS, "somebody below went on to the end");
    });
    assert_clean(lab);
}

/// A task spawned into a region that was asked to stop is asked from the start.
pub(crate) fn a_late_task_starts_with_the_request(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            r.handle().cancel(CancelKind::Explicit, "stop", None);
            let mut late = r.spawn(async |cx: &mut Cx| -> Res<bool> { Ok(cx.checkpoint().is_err()) });
            let end = r.masked(async |cx| late.join(cx).await).await;
            assert!(end.unwrap(), "the late task was not asked");
        })
        .await;
    });
    assert_clean(lab);
}

/// A task that waits is woken by a request.
pub(crate) fn a_request_wakes_a_task_that_waits(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let handle = r.handle();
            r.spawn(async move |cx: &mut Cx| -> Res { Ok(cx.sleep(100 * MS).await?) });
            r.sleep(MS).await.unwrap();
            handle.cancel(CancelKind::Explicit, "stop", None);
        })
        .await;
        assert_eq!(cx.now(), Time::ZERO + MS, "the wait went on to its end");
    });
    assert_clean(lab);
}

/// As before, with the wait inside somebody else's combinator, which has wakers of its own.
pub(crate) fn a_request_wakes_through_a_foreign_waker(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let mut task = r.spawn(async |cx: &mut Cx| -> Res<usize> {
                let cx = &*cx;
                let waits: FuturesUnordered<_> = (0..2).map(|_| cx.sleep(100 * MS)).collect();
                Ok(waits.filter(|end| std::future::ready(end.is_err())).count().await)
            });
            r.sleep(MS).await.unwrap();
            task.cancel("stop");
            assert_eq!(task.join(r).await.unwrap(), 2);
            assert_eq!(r.now(), Time::ZERO + MS, "the waits went on to their end");
        })
        .await;
    });
    assert_clean(lab);
}

/// A weaker request after a stronger one changes nothing.
pub(crate) fn a_request_is_not_weakened(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let handle = r.handle();
            handle.cancel(CancelKind::Shutdown, "the strong one", None);
            handle.cancel(CancelKind::Explicit, "the weak one", None);
            let seen = r.checkpoint().unwrap_err();
            assert_eq!(seen.why(), "the strong one", "a request was weakened");
        })
        .await;
    });
    assert_clean(lab);
}

/// A mask hides a request until it ends.
pub(crate) fn a_mask_hides_a_request(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|r| async {
            let handle = r.handle();
            r.masked(async |cx: &mut Cx| {
                handle.cancel(CancelKind::Explicit, "stop", None);
                assert!(cx.checkpoint().is_ok(), "the mask let a request through");
            })
            .await;
            assert!(r.checkpoint().is_err(), "it is delivered at the end");
        })
        .await;
    });
    assert_clean(lab);
}

/// A receive by a task that was asked to stop leaves the item where it is.
pub(crate) fn a_cancelled_receive_takes_nothing(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        tx.try_send(1).unwrap();
        cx.region(|r| async {
            r.handle().cancel(CancelKind::Explicit, "stop", None);
            let end = rx.recv(r).await;
            assert!(matches!(end, Err(WaitError::Cancelled(_))), "it took effect after a request: {end:?}");
        })
        .await;
        assert_eq!(rx.try_recv(), Ok(1));
    });
    assert_clean(lab);
}

/// A member of a region is cut short by a request on the task around it: the task's value does not stand.
pub(crate) fn what_was_cut_short_does_not_look_complete(lab: &LabRuntime) {
    lab.run(|cx| async {
        let mut task = cx.spawn(async |cx: &mut Cx| -> Res<u8> {
            cx.region(|r| async {
                r.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
            })
            .await;
            Ok(1)
        });
        cx.sleep(MS).await.unwrap();
        task.cancel("stop");
        let end = task.join(cx).await;
        assert!(end.is_cancelled(), "what was cut short looks complete: {end:?}");
    });
    assert_clean(lab);
}

/// A masked task is asked to stop with a grace: after it the mask is pierced.
pub(crate) fn a_cleanup_deadline_comes(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.collect(|r| async {
            r.spawn(async |cx: &mut Cx| -> Res {
                Ok(cx.masked(async |cx: &mut Cx| cx.sleep(500 * MS).await).await?)
            });
            r.sleep(MS).await.unwrap();
            r.handle().cancel(CancelKind::Explicit, "stop", Some(10 * MS));
        })
        .await;
        assert_eq!(cx.now(), Time::ZERO + 11 * MS, "the cleanup deadline did not come");
    });
    assert_clean(lab);
}

/// A child of a timed body is cut short by the deadline: the body's value does not stand.
pub(crate) fn a_timed_body_whose_child_was_cut_short_is_cancelled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let result: Res<u8, Boom> = cx
            .timeout(MS, async |cx: &mut Cx| {
                cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(FOR_EVER).await?) });
                Ok(1)
            })
            .await;
        assert!(matches!(result, Err(Stop::Cancelled(_))), "what was cut short looks complete: {result:?}");
    });
    assert_clean(lab);
}
