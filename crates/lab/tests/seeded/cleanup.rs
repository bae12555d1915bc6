//! Small programs about what runs and what is given back at the end: finalizers, obligations, releases, timers.
//!
//! One for each bug of the table in `seeded.rs`. A program is content with a correct kernel under every schedule.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use asupersync_lab::LabRuntime;
use combinator::CombineExt;
use cx::{Cx, NoSpawn};
use sync::mpsc;
use sync::oneshot;
use time::{Sleep, TimeExt};
use types::{Res, Time};

use super::boom::{Boom, assert_clean};
use super::{FOR_EVER, MS};

/// Two finalizers run, the later one first.
pub(crate) fn the_last_finalizer_runs_first(lab: &LabRuntime) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let l = log.clone();
    lab.run(|cx| async move {
        cx.region(|r| async move {
            for n in 1..3 {
                let l = l.clone();
                r.finally(async move |_: &mut Cx<NoSpawn>| {
                    l.lock().unwrap().push(n);
                    Ok(())
                })
                .unwrap();
            }
        })
        .await;
    });
    assert_eq!(*log.lock().unwrap(), [2, 1], "finalizers out of order");
    assert_clean(lab);
}

/// A finalizer runs.
pub(crate) fn a_finalizer_runs(lab: &LabRuntime) {
    let ran = Arc::new(AtomicU32::new(0));
    let count = ran.clone();
    lab.run(|cx| async move {
        cx.region(|r| async move {
            r.finally(async move |_: &mut Cx<NoSpawn>| {
                count.fetch_add(1, SeqCst);
                Ok(())
            })
            .unwrap();
        })
        .await;
    });
    assert_eq!(ran.load(SeqCst), 1, "a finalizer was skipped");
    assert_clean(lab);
}

/// A permit of a region is held elsewhere: the region does not close before it is used.
pub(crate) fn a_region_waits_for_its_permit(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.region(|outer| async {
            let (tx, rx) = mpsc::channel::<u8>(1);
            let (moved, mut holder) = oneshot::channel::<mpsc::OwnedPermit<u8>>();
            outer.spawn(async move |cx: &mut Cx| -> Res {
                let permit = holder.recv(cx).await?;
                cx.sleep(500 * MS).await?;
                assert!(permit.send(1).is_delivered());
                Ok(())
            });
            outer
                .region(|r| async {
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        moved.send(tx.reserve(cx).await?.into_owned()).map_err(|_| Boom("gone"))?;
                        Ok(())
                    });
                })
                .await;
            assert_eq!(outer.now(), Time::ZERO + 500 * MS, "closed over an obligation");
            drop(rx);
        })
        .await;
    });
    assert_clean(lab);
}

/// A permit leaves a region in its body's value: it passes to the region around.
pub(crate) fn a_permit_passes_up_with_its_body(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        cx.region(|outer| async {
            let permit = outer.region(|inner| async { tx.reserve(inner).await.unwrap() }).await;
            assert_eq!(outer.now(), Time::ZERO, "the region waited for what had left it");
            assert!(permit.send(1).is_delivered());
        })
        .await;
        assert_eq!(rx.try_recv(), Ok(1));
    });
    assert_clean(lab);
}

/// A permit that is dropped is settled: nothing is leaked.
pub(crate) fn a_dropped_permit_is_settled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (tx, _rx) = mpsc::channel::<u8>(1);
        cx.region(|r| async {
            r.spawn(async move |cx: &mut Cx| -> Res {
                drop(tx.reserve(cx).await?);
                Ok(())
            });
        })
        .await;
    });
    assert_clean(lab);
}

/// The release of a bracket is masked.
pub(crate) fn a_release_is_not_cut_short(lab: &LabRuntime) {
    let released = Arc::new(AtomicU32::new(0));
    let count = released.clone();
    lab.run(|cx| async move {
        let mut task = cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.bracket(
                async |_: &mut Cx| Ok(()),
                async |cx: &mut Cx, _: &mut ()| Ok(cx.sleep(FOR_EVER).await?),
                async move |cx: &mut Cx, ()| {
                    if cx.sleep(MS).await.is_ok() {
                        count.fetch_add(1, SeqCst);
                    }
                },
            )
            .await
        });
        cx.sleep(MS).await.unwrap();
        task.cancel("stop");
        assert!(task.join(cx).await.is_cancelled());
    });
    assert_eq!(released.load(SeqCst), 1, "the release was cut short");
    assert_clean(lab);
}

/// A bracket is dropped half-way: its release does not run, and that is reported.
pub(crate) fn a_lost_release_is_reported(lab: &LabRuntime) {
    lab.run(|cx| async move {
        let bracket = cx.bracket(
            async |_: &mut Cx| Ok(()),
            async |cx: &mut Cx, _: &mut ()| Ok(cx.sleep(FOR_EVER).await?),
            async |_: &mut Cx, ()| -> Res { Ok(()) },
        );
        let mut bracket: Pin<Box<dyn Future<Output = Res>>> = Box::pin(bracket);
        let poll = std::future::poll_fn(|context| Poll::Ready(bracket.as_mut().poll(context)));
        assert!(poll.await.is_pending());
    });
    let reports = lab.reports();
    assert!(reports.iter().any(|r| r.contains("did not run")), "nobody heard of the release: {reports:?}");
    assert_clean(lab);
}

/// Counts its wakes.
struct Counting(AtomicU32);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A sleep that was dropped wakes nobody.
pub(crate) fn a_dropped_sleep_wakes_nobody(lab: &LabRuntime) {
    lab.run(|cx| async {
        let counting = Arc::new(Counting(AtomicU32::new(0)));
        let waker = Waker::from(counting.clone());
        // The first operation of a task gives way, by its waker; after this there is one to do.
        cx.yield_now().await;
        let mut sleep = cx.sleep(MS);
        assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(sleep);
        cx.sleep(2 * MS).await.unwrap();
        assert_eq!(counting.0.load(SeqCst), 0, "a timer outlived its sleep");
    });
    assert_clean(lab);
}

/// A sleep that was polled by somebody else first wakes who polled it last.
pub(crate) fn a_sleep_wakes_who_polled_it_last(lab: &LabRuntime) {
    lab.run(|cx| async {
        // The first operation of a task gives way, and arms nothing.
        cx.yield_now().await;
        let mut sleep = Sleep::new(cx, Time::ZERO + MS);
        assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        sleep.await.unwrap();
    });
    assert_clean(lab);
}
