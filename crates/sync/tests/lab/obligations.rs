//! Permits as obligations: a region waits for them, reports the ones that were forgotten, and is not harmed by one that is
//! used too late.

use std::{panic::AssertUnwindSafe, sync::Arc};

use asupersync_sync::{
    mpsc::{OwnedPermit, channel},
    oneshot,
    semaphore::Semaphore,
};
use cx::Cx;
use lab::{LabConfig, LabRuntime};
use types::Res;

use crate::{SEEDS, Shared, on_all, pause};

/// Runs a program that forgets an obligation: the report and the oracle must name `what` and the line of it.
fn leaks(what: &str, line: u32, program: impl Fn(&LabRuntime)) {
    for seed in 0..SEEDS / 4 {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        program(&lab);
        let found = lab.obligation_leak_oracle().unwrap_err().to_string();
        let place = format!("tests/lab/obligations.rs:{line}");
        assert!(found.contains(&place), "`{place}` is not in: {found}");
        let reports = lab.reports().join("\n");
        assert!(reports.contains(what) && reports.contains(&place), "{what}, {place}: {reports}");
        assert!(lab.quiescence_oracle().is_ok());
    }
}

#[test]
fn a_forgotten_send_permit_is_reported_with_its_line() {
    leaks("send permit", line!() + 5, |lab| {
        lab.run(|cx| async {
            cx.region(|cx| async {
                cx.spawn(async |cx: &mut Cx| -> Res {
                    let (tx, _rx) = channel::<u8>(1);
                    std::mem::forget(tx.reserve(cx).await?);
                    Ok(())
                });
            })
            .await;
        });
    });
}

#[test]
fn a_forgotten_acknowledgement_is_reported_and_its_value_received_again() {
    leaks("ack", line!() + 5, |lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            tx.try_send(3).unwrap();
            let mut worker = cx.spawn(async move |cx: &mut Cx| -> Res<_> {
                std::mem::forget(rx.recv_ack(cx).await?);
                Ok(rx)
            });
            let mut rx = worker.join(cx).await.unwrap();
            assert_eq!(rx.recv(cx).await.unwrap(), 3);
        });
    });
}

#[test]
fn a_forgotten_semaphore_permit_is_reported_with_its_line() {
    leaks("semaphore", line!() + 3, |lab| {
        lab.run(|cx| async {
            let slots = Semaphore::new(1);
            std::mem::forget(slots.acquire(cx, 1).await.unwrap());
            assert_eq!(slots.available(), 0);
        });
    });
}

#[test]
fn a_forgotten_answer_is_reported_with_its_line() {
    leaks("send permit", line!() + 3, |lab| {
        lab.run(|cx| async {
            let (answer, _answered) = oneshot::channel::<u8>();
            std::mem::forget(answer.reserve(cx));
        });
    });
}

/// The region's task is over, but somebody outside holds its permit: the region closes after that was used.
#[test]
fn a_region_waits_for_a_permit_that_went_elsewhere() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let handed = Arc::new(Shared::<Option<OwnedPermit<u8>>>::default());
            let slot = handed.clone();
            let outside = cx.spawn(async move |cx: &mut Cx| -> Res {
                loop {
                    cx.yield_now().await;
                    let permit = slot.get().take();
                    if let Some(permit) = permit {
                        pause(cx, 10).await;
                        permit.send(1);
                        return Ok(());
                    }
                }
            });
            drop(outside);
            let slot = handed.clone();
            cx.region(|cx| async {
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    *slot.get() = Some(tx.reserve(cx).await?.into_owned());
                    Ok(())
                });
            })
            .await;
            assert_eq!(rx.try_recv(), Ok(1));
        });
    });
}

/// As above, but the permit is made the holder's own: the region needn't wait for it.
#[test]
fn a_permit_that_moves_house_holds_up_only_its_new_region() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let handed = Arc::new(Shared::<Option<OwnedPermit<u8>>>::default());
            let slot = handed.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                loop {
                    cx.yield_now().await;
                    let permit = slot.get().take();
                    if let Some(mut permit) = permit {
                        permit.rehome(cx).unwrap();
                        pause(cx, 200).await;
                        permit.send(1);
                        return Ok(());
                    }
                }
            });
            let slot = handed.clone();
            cx.region(|cx| async {
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    *slot.get() = Some(tx.reserve(cx).await?.into_owned());
                    Ok(())
                });
            })
            .await;
            assert!(rx.is_empty());
            assert_eq!(rx.recv(cx).await.unwrap(), 1);
        });
    });
}

/// What a body reserved and still holds passes to the enclosing region.
#[test]
fn a_permit_may_leave_its_region_in_the_value() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let permit = cx.region(|cx| async { tx.reserve(cx).await.unwrap() }).await;
            permit.send(1);
            assert_eq!(rx.recv(cx).await.unwrap(), 1);
        });
    });
}

/// A region has closed over a permit and reported it. Whoever uses it then gets the value back (a panic where debug
/// assertions are on), and the room is given back exactly once.
#[test]
fn a_permit_that_is_used_too_late_sends_nothing() {
    for seed in 0..SEEDS {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let handed = Arc::new(Shared::<Option<OwnedPermit<u8>>>::default());
            let (slot, mine) = (handed.clone(), tx.clone());
            cx.region(|cx| async {
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    *slot.get() = Some(mine.reserve(cx).await?.into_owned());
                    Ok(())
                });
            })
            .await;
            let late = handed.get().take().unwrap();
            assert!(tx.try_send(1).is_err());
            let sent = std::panic::catch_unwind(AssertUnwindSafe(|| late.send(2)));
            match sent {
                Ok(sent) => assert_eq!(sent.into_undelivered(), Some(2)),
                Err(_panic) if cfg!(debug_assertions) => {}
                Err(panic) => std::panic::resume_unwind(panic),
            }
            assert!(tx.try_send(3).is_ok());
            assert_eq!(rx.recv(cx).await.unwrap(), 3);
            assert!(tx.try_send(4).is_ok() && tx.try_send(5).is_err());
        });
        assert!(lab.obligation_leak_oracle().is_err());
    }
}
