//! Exclusion, and what becomes of a lock whose waiter goes away.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use asupersync_sync::mutex::Mutex;
use cx::Cx;
use types::Res;

use crate::{Done, on_all, pause};

#[test]
fn no_increment_of_many_tasks_is_lost() {
    on_all(|lab| {
        let total = lab.run(|cx| async {
            let total = Arc::new(Mutex::new(0_u64));
            let mut tasks = Vec::new();
            for _ in 0..16 {
                let total = total.clone();
                tasks.push(cx.spawn(async move |cx: &mut Cx| -> Done {
                    for _ in 0..3 {
                        let mut guard = total.lock(cx).await?;
                        let before = *guard;
                        cx.yield_now().await;
                        *guard = before + 1;
                    }
                    Ok(())
                }));
            }
            for mut task in tasks {
                task.join(cx).await.unwrap();
            }
            Arc::into_inner(total).unwrap().into_inner()
        });
        assert_eq!(total, 48);
    });
}

/// Half of the tasks are cancelled wherever they are: waiting, handed the lock, holding it.
#[test]
fn a_cancelled_waiter_costs_nobody_the_lock() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (lock, inside) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
            let mut tasks = Vec::new();
            for _ in 0..6 {
                let (lock, inside) = (lock.clone(), inside.clone());
                tasks.push(cx.spawn(async move |cx: &mut Cx| -> Done {
                    for _ in 0..4 {
                        let guard = lock.lock(cx).await?;
                        assert_eq!(inside.fetch_add(1, Relaxed), 0);
                        pause(cx, 2).await;
                        inside.fetch_sub(1, Relaxed);
                        drop(guard);
                    }
                    Ok(())
                }));
            }
            for (n, task) in tasks.iter().enumerate() {
                pause(cx, 5).await;
                if n % 2 == 0 {
                    task.cancel("half of them go");
                }
            }
            for (n, mut task) in tasks.into_iter().enumerate() {
                let outcome = task.join(cx).await;
                assert!(outcome.is_ok() || n % 2 == 0);
            }
            assert!(!lock.is_locked());
        });
    });
}

#[test]
fn a_wait_that_is_cancelled_does_not_take_a_free_lock() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(Mutex::new(1));
            let guard = lock.try_lock().unwrap();
            assert!(lock.try_lock().is_none());
            let waiting = lock.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Done {
                let _guard = waiting.lock(cx).await?;
                panic!("cancelled before the lock was free");
            });
            pause(cx, 20).await;
            waiting.cancel("at the same time");
            drop(guard);
            assert!(waiting.join(cx).await.is_cancelled());
            assert_eq!(*lock.lock(cx).await.unwrap(), 1);
        });
    });
}

/// An unlock wakes the oldest waiter, which is cancelled: it owes that wake to the one behind it, before it's dropped.
#[test]
fn a_cancelled_waiter_passes_its_wake_on() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (lock, served) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
            let guard = lock.try_lock().unwrap();
            let (mine, others) = (lock.clone(), served.clone());
            let mut first = cx.spawn(async move |cx: &mut Cx| -> Done {
                let mut wait = mine.lock(cx);
                let cancelled = (&mut wait).await.map(drop);
                while others.load(Relaxed) == 0 {
                    cx.yield_now().await;
                }
                cancelled
            });
            pause(cx, 30).await;
            let (mine, counted) = (lock.clone(), served.clone());
            let mut second = cx.spawn(async move |cx: &mut Cx| -> Done {
                let _guard = mine.lock(cx).await?;
                counted.fetch_add(1, Relaxed);
                Ok(())
            });
            pause(cx, 30).await;
            drop(guard);
            first.cancel("at the same time");
            second.join(cx).await.unwrap();
            assert!(first.join(cx).await.is_cancelled());
        });
    });
}

#[test]
fn a_panic_unlocks_and_the_value_is_as_it_was_left() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(Mutex::new(0));
            let broken = std::panic::catch_unwind(AssertUnwindSafe(|| {
                *lock.try_lock().unwrap() = 1;
                let mut guard = lock.try_lock().unwrap();
                *guard = 2;
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
            assert!(broken.is_err());
            assert_eq!(*lock.lock(cx).await.unwrap(), 2);
        });
    });
}

#[test]
fn a_guard_may_be_kept_across_other_waits() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (outer, inner) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
            let (a, b) = (outer.clone(), inner.clone());
            let mut other = cx.spawn(async move |cx: &mut Cx| -> Res {
                let mut first = a.lock(cx).await?;
                let mut second = b.lock(cx).await?;
                core::mem::swap(&mut *first, &mut *second);
                Ok(())
            });
            let sum = {
                let first = outer.lock(cx).await.unwrap();
                let second = inner.lock(cx).await.unwrap();
                *first + *second
            };
            other.join(cx).await.unwrap();
            assert_eq!((sum, *outer.lock(cx).await.unwrap(), *inner.lock(cx).await.unwrap()), (3, 2, 1));
        });
    });
}

#[test]
fn unsized_values_and_debug_output() {
    let lock: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2]));
    assert_eq!(format!("{lock:?}"), "Mutex { value: [1, 2] }");
    let guard = lock.try_lock().unwrap();
    assert_eq!(format!("{lock:?} {guard:?}"), "Mutex { value: <locked> } [1, 2]");
}

/// A lock may be shared wherever its value may be sent; a guard's value only where it may be shared.
#[test]
fn what_may_move_between_threads() {
    fn is_sync<T: Sync>() {}
    fn is_send<T: Send>() {}
    is_sync::<Mutex<std::cell::Cell<u8>>>();
    is_send::<asupersync_sync::mutex::Guard<'_, std::cell::Cell<u8>>>();
    is_sync::<asupersync_sync::mutex::Guard<'_, u8>>();
    is_send::<asupersync_sync::mutex::Lock<'_, '_, u8, cx::All>>();
}
