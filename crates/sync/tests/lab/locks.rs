//! Read-write lock, barrier, latch, event, cells that are filled once, and guards that move, on every schedule of small
//! programs and with a cancellation at every step.

use std::{
    cell::Cell,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use asupersync_sync::{
    barrier::Barrier,
    event::Event,
    latch::Latch,
    mutex::{Guard, Mutex, PartGuard},
    once_cell::{Lazy, OnceCell},
    rwlock::{MappedWriteGuard, ReadGuard, RwLock, UpgradableGuard, WriteGuard},
    shared::Shared as Value,
};
use cx::Cx;
use lab::{LabConfig, LabRuntime};
use types::{Error, Res, Stop};

use crate::{Done, Shared, at_every_step, on_all, on_every, pause};

#[test]
fn nobody_is_beside_a_writer_and_no_change_is_lost() {
    let found = on_every("rwlock", async |cx| {
        let lock = Arc::new(RwLock::new(0));
        for task in 0..3 {
            let lock = lock.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                if task == 0 {
                    let seen = lock.read(cx).await?;
                    let before = *seen;
                    cx.step().await;
                    assert_eq!(*seen, before);
                } else {
                    let mut value = lock.write(cx).await?;
                    let before = *value;
                    cx.step().await;
                    *value = before + 1;
                }
                Ok(())
            });
        }
        cx.step().await;
        let seen = lock.upgradable(cx).await.unwrap();
        let before = *seen;
        let mut value = seen.upgrade(cx).await.unwrap();
        assert_eq!(*value, before, "somebody wrote between looking and changing");
        *value += 1;
        drop(value);
    });
    assert!(found.classes > 6, "{found}");
}

/// Reader, writer and upgrade are each cancelled at each step in turn; whoever is left gets the lock.
#[test]
fn a_cancelled_party_costs_nobody_the_lock() {
    for victim_is in 0..3 {
        let steps = at_every_step(|lab, victim| {
            lab.run(|cx| async {
                let lock = Arc::new(RwLock::new(0_u64));
                let mut tasks = Vec::new();
                for task in 0..3 {
                    let (lock, victim) = (lock.clone(), victim.clone());
                    tasks.push(cx.spawn(async move |cx: &mut Cx| -> Res {
                        cx.region(|cx| async {
                            if task == victim_is {
                                *victim.get() = Some(cx.handle());
                            }
                            let _: Done = async {
                                for _ in 0..2 {
                                    match task {
                                        0 => {
                                            let seen = lock.read(cx).await?;
                                            cx.yield_now().await;
                                            assert!(*seen < 9);
                                        }
                                        1 => *lock.write(cx).await? += 1,
                                        _ => *lock.upgradable(cx).await?.upgrade(cx).await? += 1,
                                    }
                                }
                                Ok(())
                            }
                            .await;
                        })
                        .await;
                        Ok(())
                    }));
                }
                for mut task in tasks {
                    task.join(cx).await.unwrap();
                }
                let total = *lock.try_write().expect("nobody holds it");
                assert!(if victim_is == 0 { total == 4 } else { (2..=4).contains(&total) }, "{total}");
            });
        });
        assert!(steps > 10, "{steps}");
    }
}

#[test]
fn guards_show_parts_move_to_other_tasks_and_change_their_mode() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(RwLock::new((1, [2, 3])));
            let part = WriteGuard::map(lock.write(cx).await.unwrap(), |(_, tail)| &mut tail[1]);
            assert!(lock.try_read().is_none());
            drop(part);
            let mut whole = lock.write_owned(cx).await.unwrap();
            whole.0 = 10;
            let looks = WriteGuard::downgrade(whole);
            assert!(lock.try_read().is_some() && lock.try_write().is_none());
            let tail = ReadGuard::map(looks, |(_, tail)| tail);
            let mut elsewhere = cx.spawn(async move |cx: &mut Cx| -> Res<i32> {
                pause(cx, 2).await;
                Ok(tail[0])
            });
            assert_eq!(elsewhere.join(cx).await.unwrap(), 2);
            let own = lock.read_owned(cx).await.unwrap();
            let seen = UpgradableGuard::settle_for_reading(lock.upgradable(cx).await.unwrap());
            assert_eq!((seen.0, own.0), (10, 10));
            drop((seen, own));
            assert_eq!(format!("{lock:?}"), "RwLock { value: (10, [2, 3]) }");

            let mutex = Arc::new(Mutex::new((1, 2)));
            let mut part = Guard::map(mutex.lock(cx).await.unwrap(), |pair| &mut pair.1);
            *part += 5;
            drop(part);
            let mut owned = mutex.lock_owned(cx).await.unwrap();
            let mut elsewhere = cx.spawn(async move |_: &mut Cx| -> Res<i32> {
                owned.0 += 1;
                Ok(owned.0)
            });
            assert_eq!(*mutex.lock(cx).await.unwrap(), (2, 7));
            assert_eq!(elsewhere.join(cx).await.unwrap(), 2);
            assert!(mutex.try_lock_owned().is_some_and(|owned| owned.1 == 7) && !mutex.is_locked());
        });
    });
}

/// The first number of a list, if there is one.
#[expect(clippy::ptr_arg, reason = "it is given the content of a lock")]
fn first(list: &mut Vec<u32>) -> Option<&mut u32> {
    list.first_mut()
}

/// The lock stays held whether the part is there or not, and is given up once.
#[test]
fn a_part_that_is_not_there_leaves_the_guard_as_it_was() {
    on_all(|lab| {
        lab.run(|cx| async {
            let mutex = Arc::new(Mutex::new(Vec::new()));
            let mut whole = Guard::try_map(mutex.lock(cx).await.unwrap(), first).unwrap_err();
            assert!(mutex.try_lock().is_none());
            whole.push(1);
            let part = Guard::try_map(whole, first).unwrap();
            let Err(part) = PartGuard::try_map(part, |_| None::<&mut u32>) else {
                panic!("it was not there")
            };
            assert!(*part == 1 && mutex.try_lock().is_none());
            drop(part);
            let owned = mutex.lock_owned(cx).await.unwrap();
            *PartGuard::try_map(owned, first).unwrap() += 1;
            assert_eq!(*mutex.try_lock().unwrap(), [2]);

            let lock = Arc::new(RwLock::new(Vec::new()));
            let looks = ReadGuard::try_map(lock.read(cx).await.unwrap(), |list| list.first()).unwrap_err();
            assert!(looks.is_empty() && lock.try_write().is_none());
            drop(looks);
            let mut whole = WriteGuard::try_map(lock.write_owned(cx).await.unwrap(), first).unwrap_err();
            whole.push(1);
            assert!(lock.try_read().is_none());
            let part = WriteGuard::try_map(whole, first).unwrap();
            let Err(mut part) = MappedWriteGuard::try_map(part, |_| None::<&mut u32>) else {
                panic!("it was not there")
            };
            *part += 1;
            let same = MappedWriteGuard::try_map(part, |part| Some(part)).unwrap();
            assert!(*same == 2 && lock.try_read().is_none());
            drop(same);
            assert!(
                ReadGuard::try_map(lock.read(cx).await.unwrap(), |list| list.first())
                    .is_ok_and(|one| *one == 2)
            );
        });
    });
}

#[test]
fn a_barrier_is_passed_together_and_each_round_has_a_last() {
    let found = on_every("barrier", async |cx| {
        let (barrier, before, last) =
            (Arc::new(Barrier::new(2)), Arc::new(Value::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = Vec::new();
        for _ in 0..2 {
            let (barrier, before, last) = (barrier.clone(), before.clone(), last.clone());
            tasks.push(cx.spawn(async move |cx: &mut Cx| -> Res {
                before.write(|n| *n += 1);
                last.fetch_add(usize::from(barrier.wait(cx).await?.is_last()), Relaxed);
                assert_eq!(before.get(), 2);
                Ok(())
            }));
        }
        for mut task in tasks {
            task.join(cx).await.unwrap();
        }
        assert_eq!(last.load(Relaxed), 1);
    });
    assert!(found.classes >= 2, "{found}");
}

/// One of three is cancelled at each step in turn: either all three pass, or a fourth takes its place.
#[test]
fn a_cancelled_arrival_does_not_count() {
    let steps = at_every_step(|lab, victim| {
        lab.run(|cx| async {
            let barrier = Arc::new(Barrier::new(2));
            let mine = barrier.clone();
            let mut other = cx.spawn(async move |cx: &mut Cx| -> Res {
                pause(cx, 4).await;
                mine.wait(cx).await?;
                Ok(())
            });
            let passed = cx
                .region(|cx| async {
                    *victim.get() = Some(cx.handle());
                    barrier.wait(cx).await.is_ok()
                })
                .await;
            if !passed && !other.is_finished() {
                // Either the other one has passed with it before it was cancelled, or it waits for us.
                pause(cx, 30).await;
                if !other.is_finished() {
                    assert!(barrier.wait(cx).await.unwrap().is_last());
                }
            }
            other.join(cx).await.unwrap();
        });
    });
    assert!(steps > 5, "{steps}");
}

#[test]
fn a_latch_opens_once_and_an_event_lets_go_who_waited() {
    let found = on_every("latch", async |cx| {
        let (latch, event) = (Arc::new(Latch::new(2)), Arc::new(Event::new(false)));
        for _ in 0..2 {
            let (latch, event) = (latch.clone(), event.clone());
            cx.spawn(async move |cx: &mut Cx| -> Res {
                cx.step().await;
                if latch.count_down() {
                    event.set();
                }
                Ok(())
            });
        }
        latch.wait(cx).await.unwrap();
        assert!(latch.is_open() && latch.count_down());
        event.wait(cx).await.unwrap();
        event.reset();
        assert!(!event.is_set());
    });
    assert!(found.classes >= 2, "{found}");
}

#[test]
fn a_wait_for_a_latch_or_an_event_may_be_cancelled_at_any_step() {
    let steps = at_every_step(|lab, victim| {
        lab.run(|cx| async {
            let (latch, event) = (Arc::new(Latch::new(1)), Arc::new(Event::new(false)));
            let (opens, sets) = (latch.clone(), event.clone());
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 3).await;
                opens.count_down();
                pause(cx, 2).await;
                sets.set();
            });
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                let _ = latch.wait(cx).await;
                let _ = event.wait(cx).await;
            })
            .await;
            latch.wait(cx).await.unwrap();
            event.wait(cx).await.unwrap();
        });
    });
    assert!(steps > 5, "{steps}");
}

/// Whoever makes the value fails, panics or is cancelled at each step in turn; the next one makes it.
#[test]
fn a_cell_is_filled_once_whoever_fails() {
    let steps = at_every_step(|lab, victim| {
        lab.run(|cx| async {
            let (cell, made) = (Arc::new(OnceCell::new()), Arc::new(Shared::<usize>::default()));
            let (mine, counts) = (cell.clone(), made.clone());
            let mut other = cx.spawn(async move |cx: &mut Cx| -> Res<u32> {
                pause(cx, 2).await;
                let make = async |cx: &mut Cx| -> Res<u32> {
                    pause(cx, 2).await;
                    *counts.get() += 1;
                    Ok(7)
                };
                Ok(*mine.get_or_try_init(cx, make).await?)
            });
            cx.region(|cx| async {
                *victim.get() = Some(cx.handle());
                let failed: Res<&u32> = cell
                    .get_or_try_init(cx, async |cx| {
                        pause(cx, 3).await;
                        Err(Stop::Err(Error::msg("not this time")))
                    })
                    .await;
                assert!(failed.is_err() || *failed.unwrap() == 7);
            })
            .await;
            assert_eq!(other.join(cx).await.unwrap(), 7);
            assert_eq!((*made.get(), cell.get(), cell.set(8)), (1, Some(&7), Err(8)));
        });
    });
    assert!(steps > 5, "{steps}");
}

#[test]
fn a_lazy_value_is_made_once_for_all() {
    on_all(|lab| {
        lab.run(|cx| async {
            let made = Arc::new(AtomicUsize::new(0));
            let counts = made.clone();
            let lazy = Arc::new(Lazy::new(async move |cx: &mut Cx| -> Res<usize> {
                cx.yield_now().await;
                Ok(counts.fetch_add(1, Relaxed))
            }));
            assert!(lazy.get().is_none());
            assert_eq!((*lazy.force(cx).await.unwrap(), *lazy.force(cx).await.unwrap()), (0, 0));
            assert_eq!((made.load(Relaxed), lazy.get()), (1, Some(&0)));
        });
    });
}

/// A look at a cell that is filled is all that its finder does: whether it comes before or after the filling makes two
/// schedules of it.
#[test]
fn whoever_finds_a_cell_filled_has_come_after_it_was() {
    let found = on_every("once_cell", async |cx| {
        let cell = Arc::new(OnceCell::new());
        for value in 0..2 {
            let cell = cell.clone();
            cx.spawn(async move |cx: &mut Cx| {
                let filled: Res<&u32> = cell.get_or_try_init(cx, async |_| Ok(value)).await;
                assert!(*filled.unwrap() < 2);
            });
        }
    });
    assert_eq!(found.classes, 4, "{found}");
}

/// Whoever looks beside it, an upgrade that is tried is had or the guard comes back, and nobody wrote in between.
#[test]
fn an_upgrade_that_is_tried_is_had_or_the_guard_comes_back() {
    let tried = Arc::new(Shared::<(usize, usize)>::default());
    let found = on_every("try_upgrade", async |cx| {
        let lock = Arc::new(RwLock::new(0));
        let reads = lock.clone();
        cx.spawn(async move |cx: &mut Cx| -> Done {
            let looks = reads.read(cx).await?;
            cx.step().await;
            drop(looks);
            Ok(())
        });
        let seen = lock.upgradable(cx).await.unwrap();
        cx.step().await;
        match seen.try_upgrade() {
            Ok(mut value) => {
                *value += 1;
                tried.get().0 += 1;
            }
            Err(seen) => {
                assert_eq!(*seen, 0);
                tried.get().1 += 1;
                *seen.upgrade(cx).await.unwrap() += 1;
            }
        }
        assert_eq!(*lock.read(cx).await.unwrap(), 1);
    });
    let (had, came_back) = *tried.get();
    assert!(found.classes > 2 && had > 0 && came_back > 0, "{found}: {had} had, {came_back} came back");
}

#[test]
fn a_latch_that_is_counted_down_by_more_than_is_left_opens_once() {
    on_all(|lab| {
        lab.run(|cx| async {
            let latch = Arc::new(Latch::new(5));
            let waits = latch.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| waits.wait(cx).await.unwrap());
            assert!(!latch.count_down_by(0) && !latch.count_down_by(3));
            assert_eq!(latch.left(), 2);
            cx.yield_now().await;
            assert!(latch.count_down_by(7) && latch.is_open() && latch.count_down_by(0));
            waiting.join(cx).await.unwrap();
        });
    });
}

/// The future is awaited by who needs it, and only then; one that fails leaves the cell to the next one.
#[test]
fn a_future_for_a_cell_is_awaited_by_one_who_needs_it() {
    let found = on_every("get_or_await", async |cx| {
        let (cell, made) = (Arc::new(OnceCell::new()), Arc::new(Shared::<Vec<u32>>::default()));
        let mut tasks = Vec::new();
        for value in [1, 2, 3] {
            let (cell, made) = (cell.clone(), made.clone());
            tasks.push(cx.spawn(async move |cx: &mut Cx| {
                let cx = &*cx;
                let got: Res<&u32> = cell
                    .get_or_await(cx, async {
                        cx.step().await;
                        made.get().push(value);
                        if value == 2 { Err(types::Error::msg("not this one").into()) } else { Ok(value) }
                    })
                    .await;
                match got {
                    Ok(got) => assert!([1, 3].contains(got)),
                    Err(stop) => assert!(value == 2 && !stop.is_cancelled()),
                }
            }));
        }
        for mut task in tasks {
            task.join(cx).await.unwrap();
        }
        let well = made.get().iter().filter(|value| **value != 2).count();
        assert_eq!(well, 1, "it was made twice");
    });
    assert!(found.classes >= 3, "{found}");
}

#[test]
fn a_barrier_for_nobody_is_refused() {
    assert!(catch_unwind(AssertUnwindSafe(|| Barrier::new(0))).is_err());
}

/// A lock may be shared only where its value may be looked at from several threads; guards go where their part may.
#[test]
fn what_may_move_between_threads() {
    fn is_sync<T: Sync>() {}
    fn is_send<T: Send>() {}
    is_sync::<RwLock<u8>>();
    is_send::<RwLock<Cell<u8>>>();
    is_send::<ReadGuard<Arc<RwLock<u8>>, u8>>();
    is_send::<WriteGuard<&RwLock<u8>, u8>>();
}

/// Somebody makes a value and never comes to an end with it: who is kept from the cell, and by whom, is told with the lines
/// of the program, not with those of the cell.
#[test]
fn who_waits_for_a_cell_and_who_keeps_it_are_told_with_their_own_lines() {
    let lab = LabRuntime::new(LabConfig::default());
    let run = lab.try_run(async |cx: &mut Cx| {
        let cells = Arc::new([OnceCell::<u32>::new(), OnceCell::new()]);
        let lazy = Arc::new(Lazy::new(async |_: &mut Cx| -> Res<u32> { pending().await }));
        for _ in 0..2 {
            let (tries, awaits, forces) = (cells.clone(), cells.clone(), lazy.clone());
            cx.spawn(async move |cx: &mut Cx| -> Res {
                tries[0].get_or_try_init(cx, async |_| pending().await).await.map(drop)
            });
            cx.spawn(async move |cx: &mut Cx| -> Res {
                awaits[1].get_or_await(cx, pending()).await.map(drop) //
            });
            cx.spawn(async move |cx: &mut Cx| -> Res {
                forces.force(cx).await.map(drop) //
            });
        }
    });
    let failure = run.unwrap_err().to_string();
    assert!(!failure.contains("once_cell.rs"), "{failure}");
    for line in [line!() - 12, line!() - 9, line!() - 6] {
        let at = format!("{}:{line}", file!());
        assert!(failure.matches(&at).count() >= 2, "{at} is not in {failure}");
    }
}
