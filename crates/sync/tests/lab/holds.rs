//! Who holds what, in words: circles through the read-write lock, and guards that keep others waiting because nobody polls
//! or drops them, are told with the place where they were taken and the one where they are waited for.
//!
//! Not here: circles through mutexes and semaphores, and what is no circle (`crates/lab/tests`).

use std::{
    future::pending,
    panic::Location,
    pin::{Pin, pin},
    sync::Arc,
};

use asupersync_sync::{
    mpsc,
    mutex::{Guard, Mutex},
    rwlock::{ReadGuard, RwLock, UpgradableGuard, WriteGuard},
    semaphore::Semaphore,
};
use cx::Cx;
use lab::{LabConfig, LabFailure, LabRuntime, Schedule};
use types::Res;

use crate::{on_all, pause};

fn lab() -> LabRuntime {
    LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo))
}

/// What is said about a program that gets stuck.
#[track_caller]
fn stuck(program: impl AsyncFnOnce(&mut Cx)) -> String {
    let failure = lab().try_run(async |cx| program(cx).await).unwrap_err();
    assert!(matches!(failure, LabFailure::Deadlock { .. }), "{failure}");
    failure.to_string()
}

/// Both places are in what was said: where it was taken, and where it is waited for.
#[track_caller]
fn names(said: &str, what: &str, taken: u32, wanted: u32) {
    let place = |line: u32| format!("{}:{line}", file!());
    let expected = [format!("waits for {what} at {}", place(wanted)), format!("took it at {}", place(taken))];
    for words in expected {
        assert!(said.contains(&words), "`{words}` is not in: {said}");
    }
}

fn line(at: &'static Location<'static>) -> u32 {
    at.line()
}

/// This very line.
#[track_caller]
fn here() -> u32 {
    line(Location::caller())
}

#[test]
fn two_read_write_locks_in_opposite_order_are_a_circle_of_readers_and_writers() {
    let mut dead = 0;
    for seed in 0..100 {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        let run = lab.try_run(async |cx: &mut Cx| {
            let locks = Arc::new([RwLock::new(0), RwLock::new(0)]);
            for i in 0..2 {
                let locks = locks.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let seen = locks[i].read(cx).await?;
                    cx.yield_now().await;
                    *locks[1 - i].write(cx).await? += *seen;
                    Ok(())
                });
            }
        });
        if let Err(failure) = run {
            let LabFailure::Deadlock { circle: Some(circle), .. } = &failure else { panic!("{failure}") };
            assert_eq!(circle.lines().count(), 2, "{circle}");
            assert!(circle.contains("waits for the lock held by task#"), "{circle}");
            dead += 1;
        }
    }
    assert!((10..100).contains(&dead), "{dead}");
}

#[test]
fn a_reader_that_becomes_a_writer_waits_for_itself() {
    let said = stuck(async |cx| {
        let lock = RwLock::new(0);
        let _seen = lock.read(cx).await.unwrap();
        let _never = lock.write(cx).await;
    });
    assert!(said.contains("the root body waits for the lock held by the root body"), "{said}");
}

#[test]
fn two_who_look_and_want_to_change_wait_for_each_other_unless_they_ask_upgradably() {
    let said = stuck(async |cx| {
        let lock = Arc::new(RwLock::new(0));
        let other = lock.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let mine = other.upgradable(cx).await?;
            pause(cx, 3).await;
            *mine.upgrade(cx).await? += 1;
            Ok(())
        });
        pause(cx, 2).await;
        let _seen = lock.read(cx).await.unwrap();
        let _changes = lock.write(cx).await;
    });
    // The reader waits for the upgradable one, which waits for the reader, and neither for itself alone.
    assert!(said.contains("waits for the lock held by"), "{said}");
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(RwLock::new(0));
            for _ in 0..2 {
                let lock = lock.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    let mine = lock.upgradable(cx).await?;
                    cx.yield_now().await;
                    *mine.upgrade(cx).await? += 1;
                    Ok(())
                });
            }
        });
    });
}

#[test]
fn an_upgrade_is_told_which_reader_it_waits_for_and_not_of_itself() {
    let mut lines = (0, 0);
    let said = stuck(async |cx| {
        let lock = RwLock::new(0);
        let mut reads = pin!(async {
            lines.0 = here() + 1;
            let _seen = lock.read(cx).await.unwrap();
            pending::<()>().await
        });
        for _ in 0..3 {
            assert!(futures_util::poll!(reads.as_mut()).is_pending());
            cx.yield_now().await;
        }
        let mine = lock.upgradable(cx).await.unwrap();
        lines.1 = here() + 1;
        let _never = mine.upgrade(cx).await;
    });
    names(&said, "the lock", lines.0, lines.1);
    assert_eq!(said.matches("took it at").count(), 1, "{said}");
}

/// Any guard.
trait Guarding {}
impl<T> Guarding for T {}

/// The same for every guard that can be left in a future that nobody polls.
#[test]
fn whatever_guard_was_left_aside_both_places_are_told() {
    enum Left {
        Reads,
        Writes,
        MayWrite,
        Part,
        PartOfMutex,
        OwnedMutex,
        Owned,
        Downgraded,
    }
    use Left::*;
    for left in [Reads, Writes, MayWrite, Part, PartOfMutex, OwnedMutex, Owned, Downgraded] {
        let of_mutex = matches!(left, PartOfMutex | OwnedMutex);
        let mut lines = (0, 0);
        let said = stuck(async |cx| {
            let (lock, mutex) = (Arc::new(RwLock::new((0, 0))), Arc::new(Mutex::new((0, 0))));
            let mut holds = pin!(async {
                let taken: (u32, Box<dyn Guarding + '_>) = match left {
                    Reads => (here(), Box::new(lock.read(cx).await.unwrap())),
                    Writes => (here(), Box::new(lock.write(cx).await.unwrap())),
                    MayWrite => (here(), Box::new(lock.upgradable(cx).await.unwrap())),
                    Owned => (here(), Box::new(lock.read_owned(cx).await.unwrap())),
                    OwnedMutex => (here(), Box::new(mutex.lock_owned(cx).await.unwrap())),
                    Part => {
                        let (at, whole) = (here(), lock.write(cx).await.unwrap());
                        (at, Box::new(WriteGuard::map(whole, |pair| &mut pair.1)))
                    }
                    PartOfMutex => {
                        let (at, whole) = (here(), mutex.lock(cx).await.unwrap());
                        (at, Box::new(Guard::map(whole, |pair| &mut pair.1)))
                    }
                    Downgraded => {
                        let (at, whole) = (here(), lock.write(cx).await.unwrap());
                        (at, Box::new(WriteGuard::downgrade(whole)))
                    }
                };
                lines.0 = taken.0;
                pending::<()>().await
            });
            for _ in 0..3 {
                assert!(futures_util::poll!(holds.as_mut()).is_pending());
                cx.yield_now().await;
            }
            lines.1 = here() + 1;
            let _never = if of_mutex { mutex.lock(cx).await.is_ok() } else { lock.write(cx).await.is_ok() };
        });
        names(&said, if of_mutex { "the mutex" } else { "the lock" }, lines.0, lines.1);
    }
}

#[test]
fn a_forgotten_guard_is_told_with_its_line_when_somebody_waits_for_it() {
    let mut lines = (0, 0);
    let said = stuck(async |cx| {
        let lock = Arc::new(Mutex::new(0));
        let mine = lock.clone();
        lines.0 = here() + 2;
        let mut forgets = cx.spawn(async move |cx: &mut Cx| -> Res {
            std::mem::forget(mine.lock(cx).await?);
            Ok(())
        });
        forgets.join(cx).await.unwrap();
        lines.1 = here() + 1;
        let _never = lock.lock(cx).await;
    });
    names(&said, "the mutex", lines.0, lines.1);
    assert!(said.contains("was its guard forgotten?"), "{said}");
}

#[test]
fn a_guard_that_may_have_moved_is_told_with_who_took_it() {
    let mut lines = (0, 0);
    let said = stuck(async |cx| {
        let lock = Arc::new(RwLock::new(0));
        lines.0 = here() + 1;
        let guard = lock.write_owned(cx).await.unwrap();
        cx.spawn(async move |_: &mut Cx| {
            let _kept = guard;
            pending::<()>().await
        });
        lines.1 = here() + 1;
        let _never = lock.read(cx).await;
    });
    names(&said, "the lock", lines.0, lines.1);
    assert!(said.contains("with a guard that may be somebody else's by now"), "{said}");
}

#[test]
fn permits_left_aside_are_told_with_both_places() {
    let mut lines = (0, 0);
    let said = stuck(async |cx| {
        let slots = Semaphore::new(2);
        let mut holds = pin!(async {
            lines.0 = here() + 1;
            let _two = slots.acquire(cx, 2).await.unwrap();
            pending::<()>().await
        });
        for _ in 0..3 {
            assert!(futures_util::poll!(holds.as_mut()).is_pending());
            cx.yield_now().await;
        }
        lines.1 = here() + 1;
        let _never = slots.acquire(cx, 1).await;
    });
    names(&said, "permits of the semaphore", lines.0, lines.1);
}

/// Room of a channel is held as permits are: whoever wants some, in whatever way, is told with who has it.
#[test]
fn room_left_aside_is_told_with_both_places() {
    for wants in ["send", "reserve", "reserve_many"] {
        let mut lines = (0, 0);
        let said = stuck(async |cx| {
            let (tx, _rx) = mpsc::channel::<u8>(2);
            let mut holds = pin!(async {
                lines.0 = here() + 1;
                let _permits = tx.reserve_many(cx, 2).await.unwrap();
                pending::<()>().await
            });
            stand(cx, holds.as_mut()).await;
            lines.1 = here() + 2;
            let _never = match wants {
                "send" => (line!(), tx.send(cx, 1).await.is_ok()).1,
                "reserve" => tx.reserve(cx).await.is_ok(),
                _ => tx.reserve_many(cx, 1).await.is_ok(),
            };
        });
        lines.1 += ["send", "reserve", "reserve_many"].iter().position(|one| *one == wants).unwrap() as u32;
        names(&said, "room in the channel", lines.0, lines.1);
    }
}

/// Polls a wait until it stands in its queue.
async fn stand(cx: &Cx, mut wait: Pin<&mut impl Future>) {
    for _ in 0..3 {
        assert!(futures_util::poll!(wait.as_mut()).is_pending());
        cx.yield_now().await;
    }
}

/// What was sent is nobody's room any more; what was given back may be in the hands of a future that nobody polls.
#[test]
fn room_that_was_used_is_nobodys_and_room_that_was_given_back_is_told_with_who_got_it() {
    for sends in [true, false] {
        let said = stuck(async |cx| {
            let (tx, _rx) = mpsc::channel::<u8>(1);
            let permit = tx.reserve(cx).await.unwrap();
            let mut aside = pin!(tx.reserve(cx));
            stand(cx, aside.as_mut()).await;
            if sends {
                permit.send(1);
            } else {
                permit.abort();
            }
            let _never = tx.send(cx, 2).await;
        });
        assert!(!said.contains("took it at"), "{said}");
        let was = if sends { "may have been" } else { "was" };
        assert!(said.contains(&format!("it {was} handed to a future of the root body")), "{said}");
    }
}

/// What a receive gives room to, nobody is told; so it's said that a future which nobody polls may have it, and where that is.
#[test]
fn room_that_a_receive_gave_to_a_future_left_aside_is_told_with_both_places() {
    let mut lines = (0, 0);
    let said = stuck(async |cx| {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        tx.try_send(0).unwrap();
        lines.0 = here() + 1;
        let mut aside = pin!(tx.send(cx, 1));
        stand(cx, aside.as_mut()).await;
        assert_eq!(rx.recv(cx).await.unwrap(), 0);
        lines.1 = here() + 1;
        let _never = tx.send(cx, 2).await;
    });
    let place = |line: u32| format!("{}:{line}", file!());
    let waits = format!(
        "the root body waits for `send (channel full)` at {}; it may have been handed",
        place(lines.1)
    );
    assert!(said.contains(&waits), "{waits}\n{said}");
    assert!(
        said.contains(&format!("which asked for it at {} and is not polled any more", place(lines.0))),
        "{said}"
    );
}

/// Waits that were given up, refused or served stand nowhere.
#[test]
fn who_waited_for_room_and_waits_no_more_is_not_told() {
    let said = stuck(async |cx| {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        tx.try_send(0).unwrap();
        {
            let (mut one, mut other) = (pin!(tx.reserve(cx)), pin!(tx.send(cx, 1)));
            stand(cx, one.as_mut()).await;
            stand(cx, other.as_mut()).await;
            assert_eq!(rx.try_recv(), Ok(0));
            drop(one.await.unwrap());
            other.await.unwrap();
            stand(cx, pin!(tx.send(cx, 2))).await;
        }
        assert_eq!(rx.try_recv(), Ok(1));
        let held = tx.reserve(cx).await.unwrap();
        let mut waits = pin!(tx.reserve(cx));
        stand(cx, waits.as_mut()).await;
        rx.close();
        assert!(waits.await.is_err());
        held.abort();
        pending::<()>().await
    });
    assert!(!said.contains("room in the channel"), "{said}");
}

/// Whoever is kept out only by somebody in line, who may leave, is in no circle.
#[test]
fn a_reader_behind_a_writer_in_line_may_still_go_on_when_that_one_leaves() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(RwLock::new(0));
            let seen = lock.read(cx).await.unwrap();
            let writes = lock.clone();
            let writer = cx.spawn(async move |cx: &mut Cx| -> Res {
                *writes.write(cx).await? += 1;
                Ok(())
            });
            pause(cx, 30).await;
            let reads = lock.clone();
            let mut reader = cx.spawn(async move |cx: &mut Cx| -> Res<u32> { Ok(*reads.read(cx).await?) });
            // The root body waits for the reader, which waits for the writer's place in line.
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 60).await;
                writer.cancel("it has waited long enough");
            });
            assert_eq!(reader.join(cx).await.unwrap(), *seen);
        });
    });
}

/// A lock that was given back is nobody's: what a guard was turned into is what counts.
#[test]
fn a_guard_that_was_turned_lets_in_who_it_should_and_is_no_circle() {
    on_all(|lab| {
        lab.run(|cx| async {
            let lock = Arc::new(RwLock::new(0));
            let looks = WriteGuard::downgrade(lock.write(cx).await.unwrap());
            let also = lock.clone();
            let mut reads = cx.spawn(async move |cx: &mut Cx| -> Res<u32> {
                let seen = also.read(cx).await?;
                Ok(*seen)
            });
            assert_eq!(reads.join(cx).await.unwrap(), 0);
            drop(looks);
            let may = lock.upgradable_owned(cx).await.unwrap();
            assert!(lock.try_upgradable().is_none() && lock.try_upgradable_owned().is_none());
            let read: ReadGuard<_, _> = UpgradableGuard::settle_for_reading(may);
            let next = lock.try_upgradable_owned().expect("nobody is upgradable");
            assert!(lock.try_write_owned().is_none() && lock.try_read_owned().is_some());
            drop(read);
            let mut alone = next.upgrade(cx).await.unwrap();
            *alone += 1;
            assert!(lock.try_read_owned().is_none());
            drop(alone);
            assert!(lock.try_write_owned().is_some_and(|value| *value == 1));
        });
    });
}
