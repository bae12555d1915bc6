//! Pools: what is made, kept and dropped; places that come back whatever happens; leases that are overdue.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{
            AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use asupersync_sync::{
    Event,
    pool::{Health, Lease, Manage, Pool, PoolError, Recycle},
};
use cx::{Alarm, Cx};
use lab::{LabConfig, LabRuntime};
use types::{Cancelled, Error, Res, Stop};

use crate::{Done, Shared, at_every_step, on_all, on_every, pause};

/// What a manager does next; unless said otherwise all goes well.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Next {
    create_fails: bool,
    create_panics: bool,
    check_panics: bool,
    recycle_panics: bool,
    sick: bool,
    drops: bool,
}

#[derive(Clone, Default)]
struct Things(Arc<Seen>);

#[derive(Default)]
struct Seen {
    next: Shared<Next>,
    made: AtomicUsize,
    alive: AtomicUsize,
    most: AtomicUsize,
}

struct Thing {
    number: usize,
    things: Arc<Seen>,
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.things.alive.fetch_sub(1, Relaxed);
    }
}

impl Things {
    fn next(&self, next: Next) {
        *self.0.next.get() = next
    }

    fn alive(&self) -> usize {
        self.0.alive.load(Relaxed)
    }
}

impl Manage for Things {
    type Item = Thing;
    type Error = Error;

    async fn create(&self, cx: &mut Cx) -> Res<Thing> {
        cx.step().await;
        cx.checkpoint()?;
        let next = *self.0.next.get();
        if next.create_fails {
            return Err(Error::msg("nothing to make it of").into());
        }
        assert!(!next.create_panics, "create");
        self.0.most.fetch_max(self.0.alive.fetch_add(1, SeqCst) + 1, SeqCst);
        Ok(Thing { number: self.0.made.fetch_add(1, Relaxed), things: self.0.clone() })
    }

    async fn check(&self, cx: &mut Cx, _: &mut Thing) -> Result<Health, Cancelled> {
        cx.step().await;
        cx.checkpoint()?;
        let next = *self.0.next.get();
        assert!(!next.check_panics, "check");
        Ok(if next.sick { Health::Sick } else { Health::Well })
    }

    fn recycle(&self, _: &mut Thing) -> Recycle {
        let next = *self.0.next.get();
        assert!(!next.recycle_panics, "recycle");
        if next.drops { Recycle::Drop } else { Recycle::Keep }
    }
}

async fn sleep(cx: &Cx, span: Duration) -> Done {
    let mut alarm = Alarm::new(cx.now() + span);
    core::future::poll_fn(|context| match cx.poll_proceed(context) {
        core::task::Poll::Ready(Err(cancelled)) => {
            alarm.disarm(cx);
            core::task::Poll::Ready(Err(cancelled))
        }
        core::task::Poll::Ready(Ok(())) => alarm.poll(cx, context).map(Ok),
        core::task::Poll::Pending => core::task::Poll::Pending,
    })
    .await
}

const SECOND: Duration = Duration::from_secs(1);

/// Makes things with a context to itself, and leaves a task behind for each.
struct Scoped(Arc<Event>);

impl Manage for Scoped {
    type Item = u32;
    type Error = Error;

    async fn create(&self, cx: &mut Cx) -> Res<u32> {
        let parts = cx.region(|cx| async {
            let mut both = [1, 2].map(|part| cx.spawn(async move |_: &mut Cx| -> Res<u32> { Ok(part) }));
            let [a, b] = &mut both;
            a.join(cx).await.unwrap() + b.join(cx).await.unwrap()
        });
        let sum = parts.await;
        let stop = self.0.clone();
        cx.spawn(async move |cx: &mut Cx| stop.wait(cx).await);
        Ok(sum)
    }
}

/// A context that others borrow too leases, twice at once, and what a manager spawns belongs to the region around.
#[test]
fn a_context_that_is_borrowed_is_enough_to_lease() {
    on_all(|lab| {
        lab.run(|cx| async {
            let stop = Arc::new(Event::new(false));
            let pool = Pool::new(2, Scoped(stop.clone()));
            cx.region(|cx| async {
                let shared: &Cx = cx;
                let leases = futures_util::join!(pool.lease_shared(shared), pool.lease_shared(shared));
                assert_eq!((*leases.0.unwrap(), *leases.1.unwrap()), (3, 3));
                // The tasks that were left behind still wait.
                stop.set();
            })
            .await;
            assert_eq!((pool.idle(), pool.out()), (2, 0));
        });
    });
}

#[test]
fn what_was_given_back_is_leased_again_and_nobody_has_it_beside_another() {
    let found = on_every("pool", async |cx| {
        let things = Things::default();
        let pool = Pool::new(1, things.clone());
        cx.region(|scope| async {
            for _ in 0..2 {
                let pool = pool.clone();
                scope.spawn(async move |cx: &mut Cx| -> Res {
                    let thing = pool.lease(cx).await?;
                    assert_eq!(thing.number, 0, "one is enough");
                    cx.step().await;
                    Ok(())
                });
            }
        })
        .await;
        assert_eq!((things.alive(), pool.idle(), pool.out()), (1, 1, 0));
        pool.close();
        assert_eq!(things.alive(), 0);
    });
    assert!(found.classes > 1, "{found}");
}

/// Three tasks, two places, one of them cancelled at every step in turn.
#[test]
fn wherever_somebody_is_cancelled_the_places_come_back() {
    for shared in [false, true] {
        places_come_back(shared);
    }
}

fn places_come_back(shared: bool) {
    let steps = at_every_step(|lab, victim| {
        lab.run(|cx| async {
            let things = Things::default();
            let pool = Pool::new(2, things.clone());
            cx.region(|scope| async {
                for n in 0..3 {
                    let (pool, victim) = (pool.clone(), victim.clone());
                    scope.spawn(async move |cx: &mut Cx| -> Res {
                        cx.try_region(|cx| async {
                            if n == 0 {
                                *victim.get() = Some(cx.handle());
                            }
                            for _ in 0..2 {
                                let _thing = if shared {
                                    pool.lease_shared(cx).await?
                                } else {
                                    pool.lease(cx).await?
                                };
                                cx.step().await;
                            }
                            Ok(())
                        })
                        .await
                        .or_else(|stop| if stop.is_cancelled() { Ok(()) } else { Err(stop) })
                    });
                }
            })
            .await;
            assert_eq!((pool.out(), pool.idle()), (0, things.alive()));
            assert!(things.0.most.load(SeqCst) <= 2, "more than the pool's size");
            let both = (pool.lease(cx).await.unwrap(), pool.lease(cx).await.unwrap());
            assert_eq!(pool.out(), 2);
            drop(both);
        });
    });
    assert!(steps > 20, "{steps}");
}

#[test]
fn a_failed_create_loses_no_place() {
    on_all(|lab| {
        lab.run(|cx| async {
            let things = Things::default();
            let pool = Pool::new(1, things.clone());
            things.next(Next { create_fails: true, ..Next::default() });
            for _ in 0..3 {
                let Err(Stop::Err(error)) = pool.lease(cx).await else { panic!("it was made") };
                assert_eq!(error.to_string(), "failed to make one for the pool: nothing to make it of");
            }
            things.next(Next::default());
            assert_eq!(pool.lease(cx).await.unwrap().number, 0);
        });
    });
}

#[test]
fn a_panic_of_the_manager_loses_no_place() {
    for (next, shared) in [
        (Next { create_panics: true, sick: true, ..Next::default() }, false),
        (Next { check_panics: true, ..Next::default() }, false),
        (Next { create_panics: true, sick: true, ..Next::default() }, true),
        (Next { check_panics: true, ..Next::default() }, true),
        (Next { recycle_panics: true, ..Next::default() }, true),
    ] {
        let things = Things::default();
        let pool = Pool::new(1, things.clone());
        let panicking = LabRuntime::new(LabConfig::default());
        let run = catch_unwind(AssertUnwindSafe(|| {
            panicking.run(|cx| async {
                drop(pool.lease(cx).await.unwrap());
                things.next(next);
                let again = if shared { pool.lease_shared(cx).await } else { pool.lease(cx).await };
                drop(again);
            })
        }));
        let text = run.unwrap_err().downcast_ref::<&str>().map(ToString::to_string);
        assert!(["create", "check", "recycle"].map(|w| Some(w.to_string())).contains(&text), "{text:?}");
        assert_eq!((pool.out(), things.alive()), (0, 0), "what nobody knows about is dropped: {next:?}");
        things.next(Next::default());
        let after = LabRuntime::new(LabConfig::default());
        after.run(|cx| async { assert_eq!(pool.lease(cx).await.unwrap().number, 1) });
    }
}

#[test]
fn what_is_sick_or_unwanted_is_dropped_and_another_one_made() {
    on_all(|lab| {
        lab.run(|cx| async {
            let things = Things::default();
            let pool = Pool::new(2, things.clone());
            let (a, b) = (pool.lease(cx).await.unwrap(), pool.lease(cx).await.unwrap());
            drop((a, b));
            things.next(Next { sick: true, ..Next::default() });
            assert_eq!(pool.lease(cx).await.unwrap().number, 2, "both idle ones were sick");
            assert_eq!((things.alive(), pool.idle()), (1, 1));
            things.next(Next { drops: true, ..Next::default() });
            drop(pool.lease(cx).await.unwrap());
            assert_eq!((things.alive(), pool.idle()), (0, 0));
            things.next(Next::default());
            pool.lease(cx).await.unwrap().discard();
            assert_eq!((things.alive(), pool.idle(), pool.out()), (0, 0, 0));
            let mine = pool.lease(cx).await.unwrap().into_inner();
            assert_eq!((things.alive(), pool.out(), mine.number), (1, 0, 4));
        });
    });
}

#[test]
fn who_waits_is_not_overtaken() {
    on_all(|lab| {
        lab.run(|cx| async {
            let pool = Pool::new(1, Things::default());
            let first = pool.lease(cx).await.unwrap();
            let second = pool.clone();
            let mut second = cx.spawn(async move |cx: &mut Cx| -> Res {
                assert_eq!(second.lease(cx).await?.number, 0);
                Ok(())
            });
            pause(cx, 30).await;
            assert!(pool.try_lease(cx).is_none());
            drop(first);
            assert!(pool.try_lease(cx).is_none() || pool.out() == 1);
            second.join(cx).await.unwrap();
            assert_eq!(pool.try_lease(cx).unwrap().number, 0);
        });
    });
}

#[test]
fn a_closed_pool_refuses_who_waits_and_drains() {
    on_all(|lab| {
        lab.run(|cx| async {
            let things = Things::default();
            let pool = Pool::new(1, things.clone());
            let held = pool.lease(cx).await.unwrap();
            let waiting = pool.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Res {
                let refused = waiting.lease(cx).await;
                assert!(matches!(refused, Err(Stop::Err(PoolError::Closed))));
                Ok(())
            });
            pause(cx, 30).await;
            let draining = pool.clone();
            let mut draining = cx.spawn(async move |cx: &mut Cx| -> Done { draining.drain(cx).await });
            waiting.join(cx).await.unwrap();
            pause(cx, 30).await;
            assert!(pool.is_closed() && !draining.is_finished(), "something is out");
            drop(held);
            draining.join(cx).await.unwrap();
            assert_eq!((things.alive(), pool.out(), pool.idle()), (0, 0, 0));
            pool.drain(cx).await.unwrap();
            assert!(pool.try_lease(cx).is_none());
        });
    });
}

/// Also to whom a place was assigned and who has not leased yet.
#[test]
fn a_drained_pool_leases_nothing_more() {
    on_all(|lab| {
        lab.run(|cx| async {
            let things = Things::default();
            let pool = Pool::new(1, things.clone());
            let held = pool.lease(cx).await.unwrap();
            let waiting = pool.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Res {
                let refused = waiting.lease(cx).await;
                assert!(matches!(refused, Err(Stop::Err(PoolError::Closed))), "leased from a drained pool");
                Ok(())
            });
            pause(cx, 30).await;
            drop(held);
            pool.drain(cx).await.unwrap();
            assert_eq!((things.alive(), pool.out(), pool.idle()), (0, 0, 0));
            waiting.join(cx).await.unwrap();
            assert_eq!((things.alive(), pool.out(), pool.idle()), (0, 0, 0));
        });
    });
}

#[test]
#[should_panic(expected = "lease time")]
fn a_lease_time_of_nothing_is_refused() {
    let _ = Pool::with_lease_time(1, Things::default(), Duration::ZERO);
}

#[test]
fn who_waits_reports_once_who_is_overdue_and_where_he_leased() {
    let lab = LabRuntime::new(LabConfig::default());
    let line = lab.run(|cx| async {
        let pool = Pool::with_lease_time(1, Things::default(), SECOND);
        let line = line!() + 1;
        let held = pool.lease(cx).await.unwrap();
        let waiting = pool.clone();
        let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Res {
            let _thing = waiting.lease(cx).await?;
            Ok(())
        });
        sleep(cx, SECOND / 2).await.unwrap();
        assert_eq!(pool.overdue(cx), []);
        sleep(cx, 5 * SECOND).await.unwrap();
        let [overdue] = pool.overdue(cx)[..] else { panic!("one is overdue") };
        assert_eq!((overdue.leased_at.line(), overdue.by), (line, cx.task_id()));
        drop(held);
        waiting.join(cx).await.unwrap();
        assert_eq!(pool.overdue(cx), []);
        line
    });
    let reports: Vec<String> = lab.reports().into_iter().filter(|r| r.contains("leased")).collect();
    let [report] = &reports[..] else { panic!("one report: {reports:?}") };
    assert!(report.contains(&format!("pool.rs:{line} has been out for 1.0s")), "{report}");
    lab.oracles().unwrap();
}

#[test]
fn a_watcher_reports_where_nobody_waits() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let pool = Pool::with_lease_time(2, Things::default(), SECOND);
        let watching = pool.clone();
        cx.spawn_daemon(async move |cx: &mut Cx| -> Done { Err(watching.watch(cx).await) });
        sleep(cx, SECOND * 3 / 2).await.unwrap();
        let held = pool.lease(cx).await.unwrap();
        sleep(cx, SECOND * 9 / 10).await.unwrap();
        assert!(!lab.reports().iter().any(|r| r.contains("leased")), "it's too early");
        sleep(cx, SECOND * 2 / 10).await.unwrap();
        assert!(lab.reports().iter().any(|r| r.contains("has been out for 1.0s")), "{:?}", lab.reports());
        drop(held);
        sleep(cx, 5 * SECOND).await.unwrap();
        assert_eq!(lab.reports().iter().filter(|r| r.contains("leased")).count(), 1);
    });
}

#[test]
fn without_a_lease_time_there_is_nothing_to_watch() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let pool = Pool::new(1, Things::default());
        let watching = pool.clone();
        cx.spawn_daemon(async move |cx: &mut Cx| -> Done { Err(watching.watch(cx).await) });
        let _held = pool.lease(cx).await.unwrap();
        sleep(cx, 9 * SECOND).await.unwrap();
        assert_eq!(pool.overdue(cx), []);
    });
    assert!(!lab.reports().iter().any(|r| r.contains("leased")));
}

#[test]
fn a_lease_may_go_to_another_task() {
    on_all(|lab| {
        lab.run(|cx| async {
            let pool = Pool::new(1, Things::default());
            let mut lease: Lease<Things> = pool.lease(cx).await.unwrap();
            let mut task = cx.spawn(async move |cx: &mut Cx| -> Res {
                lease.rehome(cx)?;
                cx.step().await;
                drop(lease);
                Ok(())
            });
            task.join(cx).await.unwrap();
            assert_eq!((pool.idle(), pool.out()), (1, 0));
        });
    });
}

#[test]
fn a_forgotten_lease_is_a_leak_with_its_line() {
    let lab = LabRuntime::new(LabConfig::default());
    let line = lab.run(|cx| async {
        let pool = Pool::new(1, Things::default());
        let line = line!() + 1;
        core::mem::forget(pool.lease(cx).await.unwrap());
        assert_eq!(pool.out(), 1, "its place stays taken");
        line
    });
    let leak = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(leak.contains(&format!("pool.rs:{line}")) && leak.contains("lease"), "{leak}");
}

#[test]
fn who_leases_twice_from_a_pool_of_one_is_a_deadlock_that_names_both_lines() {
    let lab = LabRuntime::new(LabConfig::default());
    let pool = Pool::with_lease_time(1, Things::default(), SECOND);
    let first = line!() + 2;
    let failed = lab.try_run(|cx| async {
        let _first = pool.lease(cx).await.unwrap();
        let _second = pool.lease(cx).await;
    });
    let failed = failed.unwrap_err().to_string();
    assert!(failed.starts_with("deadlock"), "{failed}");
    assert!(failed.contains(&format!("pool.rs:{}; it took it at", first + 1)), "{failed}");
    assert!(failed.contains(&format!("pool.rs:{first}, with")), "{failed}");
    assert!(
        lab.reports().iter().any(|r| r.contains("has been out for 1.0s")),
        "its overdue lease was told before"
    );
}

#[test]
#[should_panic(expected = "no size")]
fn a_pool_of_no_size_is_refused() {
    let _ = Pool::new(0, Things::default());
}
