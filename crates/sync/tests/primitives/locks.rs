//! Locks, permits, and cells that are filled once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use asupersync_sync::{
    mutex::Mutex,
    once_cell::{Lazy, OnceCell},
    rwlock::RwLock,
    semaphore::Semaphore,
};
use cx::Cx;
use types::{Error, Res, Stop};

async fn mutex(cx: &mut Cx) {
    let (total, done) = (Arc::new(Mutex::new(0)), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        for task in 0..3 {
            let (total, done) = (total.clone(), done.clone());
            cx.spawn(async move |cx: &mut Cx| {
                let Ok(mut guard) = total.lock(cx).await else { return };
                let before = *guard;
                if task == 0 {
                    cx.step().await;
                }
                *guard = before + 1;
                done.fetch_add(1, Relaxed);
            });
        }
    })
    .await;
    assert_eq!(total.try_lock().map(|total| *total), Some(done.load(Relaxed)), "an addition was lost");
}

/// A reader, a writer, and one who looks and then changes.
async fn rwlock(cx: &mut Cx) {
    let (value, writes) = (Arc::new(RwLock::new(0)), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        let reads = value.clone();
        cx.spawn(async move |cx: &mut Cx| {
            if let Ok(seen) = reads.read(cx).await {
                let before = *seen;
                cx.step().await;
                assert_eq!(*seen, before, "somebody wrote beside a reader");
            }
        });
        let (changes, counts) = (value.clone(), writes.clone());
        cx.spawn(async move |cx: &mut Cx| {
            if let Ok(mut value) = changes.write(cx).await {
                *value += 1;
                counts.fetch_add(1, Relaxed);
            }
        });
        if let Ok(seen) = value.upgradable(cx).await {
            let before = *seen;
            if let Ok(mut value) = seen.upgrade(cx).await {
                assert_eq!(*value, before, "somebody wrote between looking and changing");
                *value += 1;
                writes.fetch_add(1, Relaxed);
            }
        }
    })
    .await;
    assert_eq!(value.try_write().map(|value| *value), Some(writes.load(Relaxed)));
}

async fn semaphore(cx: &mut Cx) {
    let (slots, inside) = (Arc::new(Semaphore::new(2)), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        for count in [1, 2, 1] {
            let (slots, inside) = (slots.clone(), inside.clone());
            cx.spawn(async move |cx: &mut Cx| {
                if let Ok(_permit) = slots.acquire(cx, count).await {
                    assert!(inside.fetch_add(count, Relaxed) + count <= 2, "too many inside");
                    if count == 2 {
                        cx.step().await;
                    }
                    inside.fetch_sub(count, Relaxed);
                }
            });
        }
    })
    .await;
    assert_eq!(slots.available(), 2);
}

/// Two who need the value: the first to make it fails, if it's the one that does.
async fn once_cell(cx: &mut Cx) {
    let (cell, made) = (Arc::new(OnceCell::new()), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        for fails in [true, false] {
            let (cell, made) = (cell.clone(), made.clone());
            cx.spawn(async move |cx: &mut Cx| {
                let make = async |cx: &mut Cx| -> Res<u32> {
                    cx.step().await;
                    cx.checkpoint()?;
                    if fails {
                        return Err(Stop::Err(Error::msg("not this one")));
                    }
                    made.fetch_add(1, Relaxed);
                    Ok(7)
                };
                if let Ok(value) = cell.get_or_try_init(cx, make).await {
                    assert_eq!(*value, 7);
                }
            });
        }
    })
    .await;
    assert_eq!(cell.get().is_some(), made.load(Relaxed) == 1, "made {made:?} times");
    assert_eq!(cell.set(8).is_ok(), made.load(Relaxed) == 0, "whoever made it has let go of the cell");
}

pub(crate) async fn lazy(cx: &mut Cx) {
    let made = Arc::new(AtomicUsize::new(0));
    let counts = made.clone();
    let lazy = Arc::new(Lazy::new(async move |cx: &mut Cx| -> Res<usize> {
        cx.step().await;
        cx.checkpoint()?;
        Ok(counts.fetch_add(1, Relaxed))
    }));
    cx.region(|cx| async {
        for _ in 0..2 {
            let lazy = lazy.clone();
            cx.spawn(async move |cx: &mut Cx| {
                if let Ok(value) = lazy.force(cx).await {
                    assert_eq!(*value, 0);
                }
            });
        }
    })
    .await;
    assert_eq!(lazy.get().is_some(), made.load(Relaxed) == 1, "made {made:?} times");
}

proven! {
    a_mutex_loses_no_addition: "sync::mutex", mutex;
    nobody_is_beside_a_writer: "sync::rwlock", rwlock;
    permits_come_back: "sync::semaphore", semaphore;
    a_cell_is_filled_once: "sync::once_cell", once_cell;
    a_lazy_value_is_made_once: "sync::once_cell", lazy;
}
