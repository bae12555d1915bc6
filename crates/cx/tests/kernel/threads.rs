//! Ends, requests, joins and commits that happen on several threads at once. Few rounds under Miri, which looks
//! at every access; many otherwise.
use crate::executor::Executor;
use crate::forever;
use crate::waking::picky;
use asupersync_cx::{Cx, Reserved};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use types::{CancelKind, Never, ObligationKind, Outcome, Res, Stop};

fn rounds(round: impl Fn()) {
    let many = if cfg!(miri) { 2 } else { 300 };
    (0..many).for_each(|_| round())
}

#[test]
fn a_request_from_outside_reaches_everybody_wherever_they_are() {
    rounds(|| {
        let ended = Arc::new(AtomicU32::new(0));
        Executor::new().run_on(3, async |cx| {
            cx.region(async |r: &mut Cx| {
                for n in 0..12 {
                    let ended = ended.clone();
                    r.spawn(async move |cx: &mut Cx| {
                        match n % 4 {
                            0 => {
                                cx.spawn(async |cx: &mut Cx| drop(forever(cx).await));
                            }
                            1 => drop(cx.region(async |r: &mut Cx| forever(r).await).await),
                            2 => drop(picky(forever(cx)).await),
                            _ => drop(forever(cx).await),
                        }
                        ended.fetch_add(1, SeqCst);
                    });
                }
                let handle = r.handle();
                let outside = std::thread::spawn(move || {
                    handle.cancel(CancelKind::Explicit, "from outside", None);
                    handle.cancel(CancelKind::Shutdown, "and once more", None);
                });
                let kind = forever(r).await.kind();
                assert!(matches!(kind, CancelKind::Explicit | CancelKind::Shutdown));
                outside.join().expect("it does not panic");
            })
            .await;
        });
        assert_eq!(ended.load(SeqCst), 12);
    });
}

#[test]
fn joins_and_ends_and_dropped_handles_meet() {
    rounds(|| {
        let sum = Executor::new().run_on(3, async |cx| {
            let mut handles = Vec::new();
            for n in 0..12_u32 {
                handles.push(cx.spawn::<Result<Box<u32>, Never>, _>(async move |cx: &mut Cx| {
                    if n % 3 == 0 {
                        cx.yield_now().await
                    }
                    Ok(Box::new(n))
                }));
            }
            let mut sum = 0;
            for (n, mut handle) in handles.into_iter().enumerate() {
                match n % 3 {
                    0 => sum += *handle.join(cx).await.unwrap(),
                    1 => sum += *picky(handle.join(cx)).await.unwrap(),
                    _ => drop(handle),
                }
            }
            sum
        });
        assert_eq!(sum, (0..12).filter(|n| n % 3 != 2).sum::<u32>());
    });
}

#[test]
fn the_first_failure_cancels_the_others_and_is_what_comes_back() {
    rounds(|| {
        let result = Executor::new().run_on(3, async |cx| {
            cx.try_region(async |r: &mut Cx| -> Res<(), &'static str> {
                for _ in 0..4 {
                    r.spawn(async |cx: &mut Cx| Err::<(), Stop<&str>>(Stop::Cancelled(forever(cx).await)));
                }
                r.spawn(async |_: &mut Cx| Err::<(), Stop<&str>>(Stop::Err("the first")));
                Err(Stop::Cancelled(forever(r).await))
            })
            .await
        });
        assert!(matches!(result, Err(Stop::Err("the first"))), "{result:?}");
    });
}

#[test]
fn a_region_waits_for_permits_that_others_hold() {
    rounds(|| {
        let (give, take) = std::sync::mpsc::channel::<Reserved>();
        let committed = Arc::new(AtomicU32::new(0));
        let count = committed.clone();
        let outside = std::thread::spawn(move || {
            for permit in take.iter().take(6) {
                count.fetch_add(1, SeqCst);
                assert_eq!(permit.commit(), Ok(()));
            }
        });
        Executor::new().run_on(2, async |cx| {
            cx.region(async |r: &mut Cx| {
                for _ in 0..6 {
                    let give = give.clone();
                    r.spawn(async move |cx: &mut Cx| {
                        let permit = cx.reserve(ObligationKind::Lease, Location::caller());
                        give.send(permit).expect("it is taken");
                    });
                }
            })
            .await;
            assert_eq!(committed.load(SeqCst), 6, "closed over a permit");
        });
        outside.join().expect("every commit was in time");
    });
}

#[test]
fn a_region_is_open_to_outside_threads_until_it_is_not() {
    rounds(|| {
        let (admitted, ran) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
        Executor::new().run_on(2, async |cx| {
            let handle = cx.handle();
            let spawner = std::thread::scope(|scope| {
                let spawner = scope.spawn(|| {
                    for _ in 0..8 {
                        let ran = ran.clone();
                        let task = handle.try_spawn(async move |_: &mut Cx| {
                            ran.fetch_add(1, SeqCst);
                        });
                        admitted.fetch_add(u32::from(task.is_ok()), SeqCst);
                    }
                });
                spawner.join()
            });
            spawner.expect("it does not panic");
            let mut last = cx.spawn(async |_: &mut Cx| ());
            assert!(matches!(last.join(cx).await, Outcome::Ok(())));
        });
        assert_eq!(admitted.load(SeqCst), ran.load(SeqCst), "who was admitted was awaited");
    });
}
