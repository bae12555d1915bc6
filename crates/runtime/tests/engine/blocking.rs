//! `blocking.owned`: a closure that blocks belongs to a region, and whoever stops waiting for it does not end it.
use super::watchdog::watched;
use super::{Kept, kept_by};
use asupersync_runtime::{Builder, Runtime};
use cx::{Cx, NoSpawn, RegionOptions};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::time::Duration;
use time::TimeExt;
use types::{AfterGrace, CancelKind, Never, Outcome, Res};

const MS: Duration = Duration::from_millis(1);

fn hasty() -> (Runtime, Kept) {
    kept_by(Builder::new().workers(2).seed(1).grace(20 * MS))
}

/// Says when it is dropped.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, SeqCst)
    }
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped")
    }
}

/// Waits until it is so.
async fn until(cx: &Cx, it: &AtomicBool) {
    while !it.load(SeqCst) {
        cx.sleep(MS).await.expect("nobody asked this to end")
    }
}

/// Polls it once.
async fn is_pending(mut future: Pin<&mut impl Future>) {
    let pending = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await;
    assert!(pending, "it waits")
}

/// Runs a closure in a task that is abandoned meanwhile; its region must be open until the closure has ended.
fn outlives_its_task<T: Send + 'static>(returns: fn() -> T) -> (Outcome<(), types::Error>, Kept) {
    let (runtime, kept) = hasty();
    let outcome = watched("a closure whose task is abandoned", runtime, async |cx| {
        let (over, wait) = channel::<()>();
        let (gone, closed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (given_up, is_closed) = (gone.clone(), closed.clone());
        let collected = cx
            .collect(|outer| async move {
                let mut task = outer.spawn(async move |cx: &mut Cx| -> Res {
                    let options = RegionOptions::fail_fast().after_grace(AfterGrace::Abandon);
                    let ended = cx.try_region_with(options, |r| async {
                        r.spawn(async move |cx: &mut Cx| -> Res {
                            // Dropped after the wait for the closure.
                            let _gone = Gone(given_up);
                            let closure = move |_: &cx::BlockingCx| {
                                let _ = wait.recv();
                                returns()
                            };
                            drop(cx.run_blocking::<_, Never>(closure).await);
                            Ok(())
                        });
                        r.sleep(5 * MS).await?;
                        r.handle().cancel(CancelKind::Explicit, "the test says so", None);
                        Ok(())
                    });
                    let _closed = Gone(is_closed);
                    ended.await
                });
                until(outer, &gone).await;
                outer.sleep(30 * MS).await.expect("nobody asked this to end");
                assert!(!closed.load(SeqCst), "the region closed over a closure that runs");
                drop(over);
                task.join(outer).await
            })
            .await;
        collected.value
    });
    (outcome, kept)
}

#[test]
fn a_closure_that_runs_holds_its_region_open_though_its_task_was_given_up() {
    let (outcome, kept) = outlives_its_task(|| ());
    assert!(
        matches!(&outcome, Outcome::Panicked(p) if p.message() == "its cleanup deadline had passed"),
        "{outcome:?}"
    );
    assert!(kept.say("waits for: a blocking closure") > 0);
}

#[test]
fn what_it_returns_then_is_nobodys_and_a_drop_of_that_which_panics_is_reported() {
    let (_, kept) = outlives_its_task(|| Grenade);
    assert_eq!(kept.say("left and nobody took panicked when it was dropped: dropped"), 1);
}

#[test]
fn what_it_panics_with_then_is_reported_beside_the_abandoned_task() {
    let (outcome, kept) = outlives_its_task(|| panic!("too late"));
    assert!(
        matches!(&outcome, Outcome::Panicked(p) if p.message() == "its cleanup deadline had passed"),
        "{outcome:?}"
    );
    assert_eq!(kept.say("too late"), 1, "{:#?}", kept.0);
}

#[test]
fn a_wait_that_is_dropped_by_somebody_elses_combinator_leaves_the_closure_to_the_region() {
    let (runtime, _kept) = hasty();
    watched("a closure nobody waits for", runtime, async |cx| {
        let (over, wait) = channel::<()>();
        let (begun, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (begins, ends) = (begun.clone(), ended.clone());
        let still = ended.clone();
        cx.region(|r| async move {
            let mut wanted = Box::pin(r.run_blocking::<_, Never>(move |_| {
                begins.store(true, SeqCst);
                let _ = wait.recv();
                ends.store(true, SeqCst);
            }));
            is_pending(wanted.as_mut()).await;
            until(r, &begun).await;
            drop(wanted);
            assert!(!still.load(SeqCst));
            drop(over);
        })
        .await;
        assert!(ended.load(SeqCst), "the region closed over a closure that runs");
    });
}

#[test]
fn one_that_has_not_begun_is_dropped_with_the_wait_and_holds_nobody() {
    let (runtime, _kept) = kept_by(Builder::new().workers(2).blocking_threads(1).seed(1));
    watched("a closure that never begins", runtime, async |cx| {
        let (over, wait) = channel::<()>();
        let begun = Arc::new(AtomicBool::new(false));
        let begins = begun.clone();
        let mut first = cx.spawn_blocking(move |_| {
            begins.store(true, SeqCst);
            let _ = wait.recv();
        });
        until(cx, &begun).await;
        cx.region(|r| async move {
            let gone = Arc::new(AtomicBool::new(false));
            let inside = Gone(gone.clone());
            {
                let mut queued = pin!(r.run_blocking::<_, Never>(move |_| drop(inside)));
                is_pending(queued.as_mut()).await;
            }
            assert!(gone.load(SeqCst), "it was dropped with the wait for it");
        })
        .await;
        drop(over);
        first.join(cx).await.ok().expect("it ends");
    });
}

/// Runs a closure in a finalizer that is ended at its bound; the finalizer's region must be open until the closure has
/// ended. Nobody else waits for the closure.
fn outlives_its_finalizer(returns: fn()) -> (Option<Outcome<(), types::Error>>, Kept) {
    let (runtime, kept) = hasty();
    let mut outcome = None;
    let slot = &mut outcome;
    watched("a closure whose finalizer is ended", runtime, async move |cx| {
        let (over, wait) = channel::<()>();
        let (begun, closed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (begins, is_closed) = (begun.clone(), closed.clone());
        let collected = cx
            .collect(|outer| async move {
                let mut task = outer.spawn(async move |cx: &mut Cx| -> Res {
                    let ended = cx.try_region(|r| async {
                        let finalizer = async move |cx: &mut Cx<NoSpawn>| -> Res {
                            let closure = move |_: &cx::BlockingCx| {
                                begins.store(true, SeqCst);
                                let _ = wait.recv();
                                returns()
                            };
                            let mut closure = pin!(cx.run_blocking::<_, types::Error>(closure));
                            closure.as_mut().await
                        };
                        r.finally(finalizer).expect("the region is open");
                        r.handle().cancel(CancelKind::Explicit, "the test says so", None);
                        Ok(())
                    });
                    let ended = ended.await;
                    is_closed.store(true, SeqCst);
                    ended
                });
                until(outer, &begun).await;
                // The finalizer's bound is a second.
                outer.sleep(1300 * MS).await.expect("nobody asked this to end");
                assert!(!closed.load(SeqCst), "the region closed over a closure that runs");
                drop(over);
                task.join(outer).await
            })
            .await;
        *slot = Some(collected.value);
    });
    (outcome, kept)
}

#[test]
fn a_closure_that_runs_holds_its_region_open_though_its_finalizer_was_ended() {
    let (outcome, kept) = outlives_its_finalizer(|| ());
    assert!(matches!(&outcome, Some(Outcome::Ok(()))), "{outcome:?}");
    assert_eq!(kept.say("was ended at its bound of time"), 1, "{:#?}", kept.0);
}

#[test]
fn what_it_panics_with_after_its_finalizer_is_a_members_panic() {
    let (outcome, kept) = outlives_its_finalizer(|| panic!("after the finalizer"));
    assert!(
        matches!(&outcome, Some(Outcome::Panicked(p)) if p.message() == "after the finalizer"),
        "{outcome:?} {:#?}",
        kept.0
    );
}

/// Waits for a closure until it has ended, and looks no more: the wait is dropped with the result in it.
fn ends_before_its_wait_is_dropped<T: Send + 'static>(
    returns: fn() -> T,
) -> (Outcome<(), types::Error>, Kept) {
    let (runtime, kept) = hasty();
    let outcome = watched("a wait that looks too late", runtime, async |cx| {
        let ended = Arc::new(AtomicBool::new(false));
        let (ends, has_ended) = (Gone(ended.clone()), ended.clone());
        let collected = cx
            .collect(|outer| async move {
                let mut task = outer.spawn(async move |cx: &mut Cx| -> Res {
                    let (over, wait) = channel::<()>();
                    let mut wanted = Box::pin(cx.run_blocking::<_, Never>(move |_| {
                        // Dropped after the call.
                        let _ends = ends;
                        let _ = wait.recv();
                        returns()
                    }));
                    is_pending(wanted.as_mut()).await;
                    drop(over);
                    until(cx, &has_ended).await;
                    cx.sleep(20 * MS).await?;
                    drop(wanted);
                    Ok(())
                });
                task.join(outer).await
            })
            .await;
        collected.value
    });
    (outcome, kept)
}

#[test]
fn a_panic_that_came_before_the_wait_was_dropped_is_a_members_all_the_same() {
    let (outcome, kept) = ends_before_its_wait_is_dropped(|| -> () { panic!("just in time") });
    assert!(
        matches!(&outcome, Outcome::Panicked(p) if p.message() == "just in time"),
        "{outcome:?} {:#?}",
        kept.0
    );
}

#[test]
fn a_value_that_came_before_the_wait_was_dropped_is_nobodys() {
    let (outcome, kept) = ends_before_its_wait_is_dropped(|| Grenade);
    assert!(matches!(&outcome, Outcome::Ok(())), "{outcome:?}");
    assert_eq!(kept.say("left and nobody took panicked when it was dropped: dropped"), 1, "{:#?}", kept.0);
}

#[test]
fn the_finalizers_after_one_whose_frame_was_dropped_need_not_wait_for_its_closure() {
    let (runtime, kept) = hasty();
    watched("a closure whose finalizer is dropped", runtime, async |cx| {
        let (over, wait) = channel::<()>();
        let (begun, after) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (begins, ended) = (begun.clone(), Arc::new(AtomicBool::new(false)));
        let (runs, ends, still) = (after.clone(), ended.clone(), ended.clone());
        cx.region(|outer| async move {
            let mut inner = Box::pin(outer.region(|r| async {
                let last = async move |_: &mut Cx<NoSpawn>| -> Res {
                    runs.store(true, SeqCst);
                    Ok(())
                };
                r.finally(last).expect("the region is open");
                let first = async move |cx: &mut Cx<NoSpawn>| -> Res {
                    cx.run_blocking(move |_| {
                        begins.store(true, SeqCst);
                        let _ = wait.recv();
                        ends.store(true, SeqCst);
                    })
                    .await
                };
                r.finally(first).expect("the region is open");
            }));
            is_pending(inner.as_mut()).await;
            while !begun.load(SeqCst) {
                std::thread::yield_now()
            }
            drop(inner);
            until(outer, &after).await;
            assert!(!still.load(SeqCst), "it ran while the closure did");
            drop(over);
        })
        .await;
        assert!(ended.load(SeqCst), "the region closed over a closure that runs");
    });
    assert_eq!(kept.say("was dropped while it ran"), 1, "{:#?}", kept.0);
}
