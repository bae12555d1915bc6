//! Permits: how many, in which order, and that they come back.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use asupersync_sync::{
    WaitError,
    semaphore::{Semaphore, TryAcquireError},
};
use cx::Cx;
use lab::{LabConfig, LabRuntime};
use types::{Never, Res};

use crate::{on_all, pause};

/// A place that is taken without waiting goes to the task that it was taken for.
#[test]
fn a_permit_taken_at_once_may_go_to_another_task() {
    on_all(|lab| {
        let slots = Arc::new(Semaphore::new(2));
        let left = lab.run(|cx| async {
            let first = slots.try_acquire_owned(cx, 1).expect("two are free");
            let second = slots.try_acquire_owned(cx, 1).expect("one is free");
            assert!(matches!(slots.try_acquire_owned(cx, 1), Err(TryAcquireError::NoPermits)));
            let mut task = cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 2).await;
                first.release();
            });
            drop(second);
            let _ = task.join(cx).await;
            slots.available()
        });
        assert_eq!(left, 2);
    });
}

/// Tasks want one or two of three permits, and some are cancelled wherever they are.
#[test]
fn permits_are_never_exceeded_and_all_come_back() {
    on_all(|lab| {
        let (most, left) = lab.run(|cx| async {
            let slots = Arc::new(Semaphore::new(3));
            let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let mut tasks = Vec::new();
            for task in 0..6 {
                let (slots, held, most) = (slots.clone(), held.clone(), most.clone());
                tasks.push(cx.spawn(async move |cx: &mut Cx| -> Res {
                    let count = task % 2 + 1;
                    for round in 0..3 {
                        let (by_reference, owned);
                        if round % 2 == 0 {
                            by_reference = slots.acquire(cx, count).await?;
                            assert_eq!(by_reference.count(), count);
                        } else {
                            owned = slots.acquire_owned(cx, count).await?;
                            assert_eq!(owned.count(), count);
                        }
                        most.fetch_max(held.fetch_add(count, Relaxed) + count, Relaxed);
                        pause(cx, 2).await;
                        held.fetch_sub(count, Relaxed);
                    }
                    Ok(())
                }));
            }
            for (n, task) in tasks.iter().enumerate() {
                pause(cx, 4).await;
                if n % 3 == 0 {
                    task.cancel("some of them go");
                }
            }
            for (n, mut task) in tasks.into_iter().enumerate() {
                let outcome = task.join(cx).await;
                assert!(outcome.is_ok() || n % 3 == 0);
            }
            (most.load(Relaxed), slots.available())
        });
        assert!(most <= 3);
        assert_eq!(left, 3);
    });
}

#[test]
fn permits_assigned_to_a_cancelled_waiter_go_to_the_next() {
    on_all(|lab| {
        lab.run(|cx| async {
            let slots = Arc::new(Semaphore::new(1));
            let held = slots.acquire(cx, 1).await.unwrap();
            let first = slots.clone();
            let mut first = cx.spawn(async move |cx: &mut Cx| -> Res {
                drop(first.acquire(cx, 1).await?);
                Ok(())
            });
            pause(cx, 30).await;
            let second = slots.clone();
            let mut second = cx.spawn(async move |cx: &mut Cx| -> Res {
                second.acquire(cx, 1).await?.release();
                Ok(())
            });
            pause(cx, 30).await;
            drop(held);
            first.cancel("at the same time");
            assert!(first.join(cx).await.is_cancelled());
            second.join(cx).await.unwrap();
            assert_eq!(slots.available(), 1);
        });
    });
}

#[test]
fn who_wants_much_is_not_overtaken() {
    on_all(|lab| {
        lab.run(|cx| async {
            let slots = Arc::new(Semaphore::new(2));
            let one = slots.acquire(cx, 1).await.unwrap();
            let much = slots.clone();
            let mut much = cx.spawn(async move |cx: &mut Cx| -> Res {
                assert_eq!(much.acquire(cx, 2).await?.count(), 2);
                Ok(())
            });
            pause(cx, 30).await;
            assert_eq!(slots.try_acquire(cx, 1).unwrap_err(), TryAcquireError::NoPermits);
            assert_eq!(slots.available(), 1);
            one.release();
            much.join(cx).await.unwrap();
            assert_eq!(slots.try_acquire(cx, 2).unwrap().count(), 2);
        });
    });
}

#[test]
fn a_closed_semaphore_refuses_and_takes_back() {
    on_all(|lab| {
        lab.run(|cx| async {
            let slots = Arc::new(Semaphore::new(1));
            let held = slots.acquire_owned(cx, 1).await.unwrap();
            let waiting = slots.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Result<bool, Never> {
                Ok(matches!(waiting.acquire(cx, 1).await, Err(WaitError::Closed)))
            });
            pause(cx, 30).await;
            slots.close();
            assert!(slots.is_closed());
            assert!(waiting.join(cx).await.unwrap(), "who waits is refused");
            assert!(matches!(slots.acquire(cx, 1).await, Err(WaitError::Closed)));
            assert_eq!(slots.try_acquire(cx, 1).unwrap_err(), TryAcquireError::Closed);
            drop(held);
            assert_eq!(slots.available(), 1);
        });
    });
}

/// Also those to whom permits were assigned, if they have not taken them yet.
#[test]
fn nobody_acquires_once_close_has_returned() {
    on_all(|lab| {
        lab.run(|cx| async {
            let slots = Arc::new(Semaphore::new(1));
            let held = slots.acquire_owned(cx, 1).await.unwrap();
            let waiting = slots.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Result<bool, Never> {
                Ok(matches!(waiting.acquire(cx, 1).await, Err(WaitError::Closed)))
            });
            pause(cx, 30).await;
            drop(held);
            slots.close();
            assert!(
                waiting.join(cx).await.unwrap(),
                "the permit came before the close, and was taken after it"
            );
            assert_eq!(slots.available(), 1);
        });
    });
}

/// What is held has room to come back to.
#[test]
fn no_more_permits_are_added_than_there_is_room_for_beside_those_that_are_held() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let slots = Semaphore::new(2);
        let held = slots.acquire(cx, 1).await.unwrap();
        let add = |permits| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slots.add(permits)));
        assert!(add(Semaphore::MAX).is_err() && add(Semaphore::MAX - 1).is_err());
        assert_eq!(slots.available(), 1, "nothing was added");
        slots.acquire(cx, 1).await.unwrap().retire();
        slots.add(Semaphore::MAX - 1);
        drop(held);
        assert_eq!(slots.available(), Semaphore::MAX);
    });
}

#[test]
fn permits_can_be_retired_and_added() {
    on_all(|lab| {
        lab.run(|cx| async {
            let slots = Semaphore::new(3);
            slots.acquire(cx, 2).await.unwrap().retire();
            assert_eq!(slots.available(), 1);
            slots.add(4);
            assert_eq!(slots.available(), 5);
        });
    });
}

/// Parts of what is held are given back by themselves, and what was acquired in parts together. Each is one obligation.
#[test]
fn permits_are_split_and_merged() {
    on_all(|lab| {
        let slots = Arc::new(Semaphore::new(5));
        let left = lab.run(|cx| async {
            let mut held = slots.acquire_owned(cx, 3).await.unwrap();
            let part = held.split(cx, 2).expect("three are held");
            assert_eq!((held.count(), part.count(), slots.available()), (1, 2, 2));
            assert!(held.split(cx, 2).is_none());
            let mut task = cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 2).await;
                part.release();
            });
            held.merge(slots.acquire_owned(cx, 2).await.unwrap());
            let _ = task.join(cx).await;
            assert_eq!((held.count(), slots.available()), (3, 2));
            held.split(cx, 1).unwrap().retire();
            drop(held);
            slots.available()
        });
        assert_eq!(left, 4);
    });
}

/// A part that is forgotten is reported with the line that split it off, and nothing else is.
#[test]
fn a_forgotten_part_of_a_permit_is_reported_with_its_line() {
    let lab = LabRuntime::new(LabConfig::default());
    let line = lab.run(|cx| async {
        let slots = Semaphore::new(3);
        let mut held = slots.acquire(cx, 2).await.unwrap();
        held.merge(slots.try_acquire(cx, 1).unwrap());
        let line = line!() + 1;
        std::mem::forget(held.split(cx, 1));
        drop(held);
        line
    });
    let leaks = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(
        leaks.contains(&format!("semaphore.rs:{line}")) && leaks.matches("leaked").count() == 1,
        "{leaks}"
    );
}

#[test]
#[should_panic(expected = "two semaphores")]
fn permits_of_two_semaphores_are_not_merged() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let (one, other) = (Semaphore::new(1), Semaphore::new(1));
        one.acquire(cx, 1).await.unwrap().merge(other.acquire(cx, 1).await.unwrap());
    });
}

/// A thread's permit is nobody's obligation, until a task takes it over.
#[test]
#[expect(clippy::disallowed_methods, reason = "this test is about threads")]
fn a_forgotten_permit_of_a_thread_is_an_obligation_where_it_was_taken_to() {
    let slots = Arc::new(Semaphore::new(3));
    let taken = slots.clone();
    let mut given = std::thread::spawn(move || {
        let mut permit = taken.blocking_acquire_owned(1).unwrap();
        permit.merge(taken.blocking_acquire_owned(1).unwrap());
        permit
    })
    .join()
    .unwrap();
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        given.rehome(cx).unwrap();
        std::mem::forget(given);
    });
    assert_eq!(slots.available(), 1);
    assert!(lab.obligation_leak_oracle().is_err());
}
