//! `obligation.*`: effects in two phases.

use std::{sync::Arc, time::Duration};

use asupersync_lab::explore;
use cx::Cx;
use sync::{mpsc, oneshot, semaphore::Semaphore};
use time::TimeExt;
use trace::{Label, RegionPhase};
use types::{CancelKind, Res, Stop, Time};

use crate::boom::{Boom, assert_clean};

const MS: Duration = Duration::from_millis(1);

#[test]
fn obligation_linear_each_record_is_settled_once() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel::<u8>(4);
            cx.region(|r| async move {
                for n in 0..4 {
                    let tx = tx.clone();
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let permit = tx.reserve(cx).await?;
                        cx.yield_now().await;
                        if n % 2 == 0 {
                            let _ = permit.send(n);
                        } else {
                            permit.abort();
                        }
                        Ok(())
                    });
                }
            })
            .await;
            let mut got: Vec<u8> = std::iter::from_fn(|| rx.try_recv().ok()).collect();
            got.sort_unstable();
            assert_eq!(got, [0, 2]);
        });
        let count = |find: fn(&Label) -> bool| lab.events().iter().filter(|e| find(&e.label)).count();
        assert_eq!(count(|l| matches!(l, Label::ObligationReserve { .. })), 4);
        assert_eq!(count(|l| matches!(l, Label::ObligationCommit { .. })), 2);
        assert_eq!(count(|l| matches!(l, Label::ObligationAbort { .. })), 2);
        assert_clean(lab);
    });
}

#[test]
fn obligation_balanced_a_region_waits_in_settling_for_a_permit_held_elsewhere() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            cx.region(|outer| async {
                let (tx, rx) = mpsc::channel::<u8>(1);
                let elsewhere = outer.handle();
                let (moved, mut holder) = oneshot::channel::<mpsc::OwnedPermit<u8>>();
                let spawned = elsewhere.try_spawn(async move |cx: &mut Cx| -> Res {
                    let permit = holder.recv(cx).await?;
                    cx.sleep(500 * MS).await?;
                    assert!(permit.send(1).is_delivered());
                    Ok(())
                });
                assert!(spawned.is_ok());
                let mut inner = None;
                outer
                    .region(|r| async {
                        inner = Some(r.handle());
                        // Reserved by a task, so it is that task's region's whatever the body does.
                        r.spawn(async move |cx: &mut Cx| -> Res {
                            moved.send(tx.reserve(cx).await?.into_owned()).map_err(|_| Boom("gone"))?;
                            Ok(())
                        });
                    })
                    .await;
                assert_eq!(inner.unwrap().phase(), RegionPhase::Closed);
                assert_eq!(outer.now(), Time::ZERO + 500 * MS, "it waited for the send");
                drop(rx);
            })
            .await;
        });
        assert!(lab.obligation_leak_oracle().is_ok());
        assert_clean(lab);
    });
}

#[test]
fn obligation_balanced_one_that_nobody_can_settle_is_leaked_after_a_second() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (tx, _rx) = mpsc::channel::<u8>(1);
            cx.region(|r| async move {
                r.spawn(async move |cx: &mut Cx| -> Res {
                    std::mem::forget(tx.reserve(cx).await?);
                    Ok(())
                });
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO + Duration::from_secs(1));
        let found = lab.obligation_leak_oracle().unwrap_err().to_string();
        assert!(found.contains(file!()), "{found}");
        assert!(lab.reports().iter().any(|r| r.contains(file!())), "{:?}", lab.reports());
        assert!(lab.quiescence_oracle().is_ok());
    });
}

#[test]
fn obligation_balanced_a_leak_lets_nobody_in_before_the_holder_is_out() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let one = Arc::new(Semaphore::new(1));
            let (give, mut holder) = oneshot::channel();
            cx.region(|outer| async {
                outer.spawn(async move |cx: &mut Cx| -> Res {
                    let permit = holder.recv(cx).await?;
                    cx.sleep(3000 * MS).await?;
                    drop(permit);
                    Ok(())
                });
                let mine = one.clone();
                outer
                    .region(|r| async move {
                        r.spawn(async move |cx: &mut Cx| -> Res {
                            let _ = give.send(mine.acquire_owned(cx, 1).await?);
                            Ok(())
                        });
                    })
                    .await;
                assert_eq!(outer.now(), Time::ZERO + 1000 * MS, "the inner region gave it up");
                one.acquire(outer, 1).await.unwrap().release();
                assert_eq!(outer.now(), Time::ZERO + 3000 * MS, "the holder was in there until now");
            })
            .await;
        });
        assert!(lab.obligation_leak_oracle().is_err());
        assert_eq!(lab.reports().iter().filter(|r| r.contains("1 obligation(s) leaked")).count(), 1);
        assert!(lab.quiescence_oracle().is_ok());
    });
}

#[test]
fn obligation_balanced_a_forgotten_permit_keeps_its_room() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (tx, _rx) = mpsc::channel::<u8>(1);
            let lost = tx.clone();
            cx.region(|r| async move {
                r.spawn(async move |cx: &mut Cx| -> Res {
                    std::mem::forget(lost.reserve(cx).await?);
                    Ok(())
                });
            })
            .await;
            assert!(matches!(tx.try_send(1), Err(mpsc::TrySendError::Full(1))));
        });
        assert!(lab.obligation_leak_oracle().is_err());
    });
}

#[test]
fn obligation_owner_is_the_nearest_region_and_what_a_body_still_holds_passes_up() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (tx, _rx) = mpsc::channel::<u8>(4);
            cx.region(|outer| async {
                let handle = outer.handle();
                let held = || handle.view().unwrap().obligations.len();
                let mut inner_held = None;
                let permit = outer
                    .region(|inner| async {
                        let permit = tx.reserve(inner).await.unwrap();
                        inner_held = Some(inner.handle().view().unwrap().obligations.len());
                        assert_eq!(held(), 0, "the nearest region's");
                        permit
                    })
                    .await;
                assert_eq!((inner_held, held()), (Some(1), 1), "it left in the body's value");
                assert!(permit.send(1).is_delivered());
                assert_eq!(held(), 0);

                // Moved by hand, out of a region whose body then fails.
                let mut moved = outer.region(|inner| async { tx.reserve(inner).await.unwrap() }).await;
                let failed: Res<(), Boom> = outer
                    .try_region(|inner| async {
                        moved.rehome(inner).unwrap();
                        assert_eq!((held(), inner.handle().view().unwrap().obligations.len()), (0, 1));
                        moved.abort();
                        Err(Stop::Err(Boom("after all")))
                    })
                    .await;
                assert!(failed.is_err() && held() == 0);
            })
            .await;
        });
        assert_eq!(lab.now(), Time::ZERO);
        assert_clean(lab);
    });
}

#[test]
fn obligation_no_loss_a_value_is_in_one_place() {
    explore(0..100, |lab| {
        let (sent, received, back) = lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel::<u8>(2);
            let (mut received, mut back) = (Vec::new(), Vec::new());
            cx.region(|r| async {
                let handle = r.handle();
                let mut sender = r.spawn(async move |cx: &mut Cx| -> Res<Vec<u8>> {
                    let mut back = Vec::new();
                    for n in 0..8 {
                        let Ok(permit) = tx.reserve(cx).await else {
                            back.extend(n..8);
                            break;
                        };
                        cx.yield_now().await;
                        back.extend(permit.send(n).into_undelivered());
                    }
                    Ok(back)
                });
                for _ in 0..3 {
                    received.push(rx.recv(r).await.unwrap());
                }
                handle.cancel(CancelKind::Explicit, "enough", None);
                rx.close();
                back = r.masked(async |cx| sender.join(cx).await).await.unwrap();
                while let Ok(value) = rx.try_recv() {
                    received.push(value);
                }
            })
            .await;
            (8, received, back)
        });
        let all: Vec<u8> = received.into_iter().chain(back).collect();
        assert_eq!(all, (0..sent).collect::<Vec<u8>>());
        assert_clean(lab);
    });
}
