//! Bugs that people had, as small programs of our own: the lab finds each and says what it is, and the same task done with
//! this runtime's own means passes in every class of schedules.
//!
//! Each program was written from a public report of the bug, not from the code that had it. Where our API leaves no room
//! for the mistake, it is made in a foreign style: a future that is dropped half-way by `futures::future::select`, a
//! primitive written by hand (`real_bugs/handed.rs`).
//!
//! Not here: mistakes in the kernel and the primitives themselves (`seeded.rs`), the algorithms' counts (`explore`).
#![cfg(not(asupersync_seeded))]

#[path = "real_bugs/handed.rs"]
mod handed;

use asupersync_lab::{Executor, Found, Grain, LabConfig, LabFailure, Search};
use combinator::CombineExt;
use cx::Cx;
use explore::{Counts, Explorer};
use futures::future::select;
use handed::Handed;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use sync::mpsc;
use sync::mutex::{Guard, Mutex};
use sync::notify::Notify;
use sync::semaphore::Semaphore;
use time::TimeExt;
use types::Res;

const MS: Duration = Duration::from_millis(1);
/// More executions than any of these programs has classes.
const ALL: u64 = 20_000;

/// Every class, with queues and wakes in the picture.
fn every() -> Search {
    Search::every().grain(Grain::Poll).config(LabConfig::default().max_steps(1000)).limit(ALL)
}

/// What the search of every class says of a program that fails.
#[track_caller]
fn report(body: impl AsyncFnOnce(&mut Cx) + Clone) -> String {
    let run = catch_unwind(AssertUnwindSafe(|| every().run("bug", None, body)));
    *run.expect_err("no schedule fails").downcast::<String>().expect("a report")
}

/// Fails unless the search finds a failure that says all of this.
#[track_caller]
fn found(says: &[&str], body: impl AsyncFnOnce(&mut Cx) + Clone) {
    let report = report(body);
    for words in says {
        assert!(report.contains(words), "the report doesn't say {words:?}: {report}");
    }
}

/// Every class passes.
#[track_caller]
fn passes(body: impl AsyncFnOnce(&mut Cx) + Clone) -> Found {
    let found = every().run("cure", None, body);
    assert!(found.complete, "{found}");
    found
}

// ---- a value that is lost with the send that a select drops

#[test]
fn a_value_that_is_lost_with_the_send_that_a_select_drops_is_found() {
    found(&["a value was lost", "left: [1]"], async |cx: &mut Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let bell = Arc::new(Notify::new());
        let ring = bell.clone();
        cx.spawn(async move |_: &mut Cx| ring.notify_one());
        cx.spawn(async move |cx: &mut Cx| {
            let cx = &*cx;
            for value in 0..2_u8 {
                // The value is in the future, and goes with it if the bell is first.
                let (rung, sent) = (pin!(bell.notified(cx)), pin!(tx.send(cx, value)));
                drop(select(rung, sent).await);
            }
        });
        let mut got = Vec::new();
        while let Ok(value) = rx.recv(cx).await {
            got.push(value)
        }
        assert_eq!(got, [0, 1], "a value was lost");
    });
}

#[test]
fn a_value_stays_with_its_sender_until_there_is_room_for_it() {
    let found = passes(async |cx: &mut Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let bell = Arc::new(Notify::new());
        let ring = bell.clone();
        cx.spawn(async move |_: &mut Cx| ring.notify_one());
        cx.spawn(async move |cx: &mut Cx| {
            for value in 0..2_u8 {
                let room = loop {
                    let room = cx.race(
                        async |cx: &mut Cx| tx.reserve(cx).await.ok(),
                        async |cx: &mut Cx| bell.notified(cx).await.err().and(None),
                    );
                    if let Some(room) = room.await {
                        break room;
                    }
                };
                assert!(room.send(value).is_delivered());
            }
        });
        let mut got = Vec::new();
        while let Ok(value) = rx.recv(cx).await {
            got.push(value)
        }
        assert_eq!(got, [0, 1], "a value was lost");
    });
    assert!(found.classes > 1, "{found}");
}

// ---- a guard that is dropped in the middle of its critical section

/// Moves one coin from one account to the other, a step between.
async fn transfer(cx: &Cx, accounts: &Mutex<(i32, i32)>) {
    let Ok(mut both) = accounts.lock(cx).await else { return };
    both.0 -= 1;
    cx.yield_now().await;
    both.1 += 1;
}

/// A task that begins a transfer and is told to stop it, in one style or the other.
async fn stops_a_transfer(
    cx: &mut Cx,
    stopping: impl AsyncFnOnce(&mut Cx, &Mutex<(i32, i32)>, &Notify) + Send,
) {
    let (accounts, stop) = (Mutex::new((0, 0)), Arc::new(Notify::new()));
    let stopper = stop.clone();
    cx.spawn(async move |_: &mut Cx| stopper.notify_one());
    stopping(cx, &accounts, &stop).await;
    let both = accounts.try_lock().expect("nobody has it any more");
    assert_eq!(both.0 + both.1, 0, "a coin is gone");
}

#[test]
fn a_guard_that_a_select_drops_in_the_middle_of_its_section_is_found() {
    found(&["a coin is gone"], async |cx: &mut Cx| {
        stops_a_transfer(cx, async |cx: &mut Cx, accounts: &Mutex<_>, stop: &Notify| {
            let cx = &*cx;
            drop(select(pin!(stop.notified(cx)), pin!(transfer(cx, accounts))).await);
        })
        .await
    });
}

#[test]
fn the_loser_of_a_race_leaves_its_section_by_its_own_way() {
    let found = passes(async |cx: &mut Cx| {
        stops_a_transfer(cx, async |cx: &mut Cx, accounts: &Mutex<_>, stop: &Notify| {
            cx.race(
                async |cx: &mut Cx| transfer(cx, accounts).await,
                async |cx: &mut Cx| drop(stop.notified(cx).await),
            )
            .await
        })
        .await
    });
    assert!(found.classes > 1, "{found}");
}

// ---- a pool that gets a connection back in the middle of a transaction

/// A connection to some database.
#[derive(Default)]
struct Connection {
    in_transaction: bool,
}

/// Begins a transaction, which takes the server a while, and rolls it back.
async fn transact(cx: &Cx, connection: &mut Connection) -> Res {
    connection.in_transaction = true;
    cx.sleep(MS).await?;
    connection.in_transaction = false;
    Ok(())
}

#[track_caller]
fn assert_usable(pool: &Mutex<Connection>) {
    let connection = pool.try_lock().expect("it is back");
    assert!(!connection.in_transaction, "the pool is poisoned: its connection is in somebody's transaction");
}

#[test]
fn a_pool_that_is_poisoned_by_a_begin_that_was_given_up_is_found() {
    found(&["the pool is poisoned"], async |cx: &mut Cx| {
        let (cx, pool) = (&*cx, Mutex::new(Connection::default()));
        let begins = async {
            let mut connection = pool.lock(cx).await?;
            transact(cx, &mut connection).await
        };
        // A timeout that drops what takes too long.
        drop(select(pin!(cx.sleep(MS)), pin!(begins)).await);
        assert_usable(&pool)
    });
}

#[test]
fn a_release_runs_however_its_use_ends() {
    passes(async |cx: &mut Cx| {
        let pool = Mutex::new(Connection::default());
        let timed = cx.timeout(MS, async |cx: &mut Cx| -> Res {
            cx.bracket(
                async |cx: &mut Cx| Ok(pool.lock(cx).await?),
                async |cx: &mut Cx, connection: &mut Guard<'_, Connection>| transact(cx, connection).await,
                async |_: &mut Cx, mut connection: Guard<'_, Connection>| connection.in_transaction = false,
            )
            .await
        });
        drop(timed.await);
        assert_usable(&pool)
    });
}

// ---- a permit that is lost when its waiter gives up

#[test]
fn a_permit_that_is_handed_to_a_waiter_that_gave_up_is_found() {
    found(&["deadlock: nothing can run", "the root body waits"], async |cx: &mut Cx| {
        let slots = Arc::new(Handed::new(0));
        let holder = slots.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(MS).await?;
            holder.hand_on();
            Ok(())
        });
        // The timeout and the permit come at the same time.
        if let futures::future::Either::Left(_) = select(pin!(cx.sleep(MS)), pin!(slots.take())).await {
            slots.take().await;
        }
    });
}

#[test]
fn a_permit_of_ours_is_there_again_when_its_waiter_gave_up() {
    let found = passes(async |cx: &mut Cx| {
        let slots = Arc::new(Semaphore::new(0));
        let holder = slots.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(MS).await?;
            holder.add(1);
            Ok(())
        });
        let taken = cx.timeout(MS, async |cx: &mut Cx| -> Res {
            drop(slots.acquire(cx, 1).await);
            Ok(cx.checkpoint()?)
        });
        drop(taken.await);
        drop(slots.acquire(cx, 1).await);
        assert_eq!(slots.available(), 1);
    });
    assert!(found.classes > 1, "{found}");
}

// ---- futurelock: a future that was left aside has what its own task waits for

#[test]
fn a_future_that_is_left_aside_with_its_place_in_the_queue_is_found() {
    found(&["it was handed to a future of the root body", "is not polled any more"], async |cx: &mut Cx| {
        let lock = Arc::new(Semaphore::new(1));
        let held = lock.clone().acquire_owned(cx, 1).await.expect("it is free");
        cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(MS).await?;
            drop(held);
            Ok(())
        });
        let cx = &*cx;
        let mut first = pin!(lock.acquire(cx, 1));
        drop(select(&mut first, pin!(cx.sleep(MS))).await);
        // It stands in the queue still, or has been given the permit: this waits behind it for ever.
        let _second = lock.acquire(cx, 1).await;
    });
}

#[test]
fn the_loser_of_a_race_stands_in_no_queue() {
    passes(async |cx: &mut Cx| {
        let lock = Arc::new(Semaphore::new(1));
        let held = lock.clone().acquire_owned(cx, 1).await.expect("it is free");
        cx.spawn(async move |cx: &mut Cx| -> Res {
            cx.sleep(MS).await?;
            drop(held);
            Ok(())
        });
        cx.race(
            async |cx: &mut Cx| drop(lock.acquire(cx, 1).await),
            async |cx: &mut Cx| drop(cx.sleep(MS).await),
        )
        .await;
        assert!(lock.acquire(cx, 1).await.is_ok());
    });
}

// ---- a notification that is lost with the waiter it went to

/// Two tasks wait, the first one in one way or the other; one is notified, and the first gives up at the same time.
#[test]
fn a_notification_that_is_lost_with_its_waiter_is_found() {
    found(&["deadlock", "waits for something that is no operation of this runtime"], async |cx: &mut Cx| {
        let something = Arc::new(Handed::new(0));
        let (first, second) = (something.clone(), something.clone());
        cx.spawn(async move |cx: &mut Cx| {
            drop(select(pin!(cx.sleep(MS)), pin!(first.take())).await);
        });
        cx.spawn(async move |_: &mut Cx| second.take().await);
        cx.sleep(MS).await.expect("nobody cancels");
        something.hand_on();
        // If the first has it, the second gets one of its own.
        cx.sleep(MS).await.expect("nobody cancels");
        if something.taken() == 1 && something.waiting() > 0 {
            something.hand_on()
        }
    });
}

#[test]
fn a_notification_of_ours_goes_on_to_the_next_waiter() {
    let found = passes(async |cx: &mut Cx| {
        let something = Arc::new(Notify::new());
        let (first, second) = (something.clone(), something.clone());
        let mut gives_up =
            cx.spawn(async move |cx: &mut Cx| -> Res<bool> { Ok(first.notified(cx).await.is_ok()) });
        let mut waits = cx.spawn(async move |cx: &mut Cx| -> Res { Ok(second.notified(cx).await?) });
        cx.sleep(MS).await.expect("nobody cancels");
        something.notify_one();
        gives_up.cancel("at the same time");
        if gives_up.join(cx).await.unwrap() {
            something.notify_one()
        }
        waits.join(cx).await.unwrap();
    });
    assert!(found.classes > 1, "{found}");
}

// ---- locks in opposite orders

/// Two tasks take two locks, in the orders given.
async fn two_locks(cx: &mut Cx, orders: [[usize; 2]; 2]) {
    let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
    for [one, other] in orders {
        let locks = locks.clone();
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _one = locks[one].lock(cx).await?;
            let _other = locks[other].lock(cx).await?;
            Ok(())
        });
    }
}

#[test]
fn two_locks_in_opposite_orders_are_found() {
    let says = ["deadlock: tasks wait for each other", "waits for the mutex held by"];
    found(&says, async |cx: &mut Cx| two_locks(cx, [[0, 1], [1, 0]]).await);
}

#[test]
fn two_locks_in_one_order_pass() {
    passes(async |cx: &mut Cx| two_locks(cx, [[0, 1], [0, 1]]).await);
}

// ---- dining philosophers

/// Each takes the fork to the left, then the one to the right; the last the other way round if `last_is_polite`.
async fn dine(cx: &mut Cx, philosophers: usize, last_is_polite: bool) {
    let forks: Arc<Vec<Mutex<()>>> = Arc::new((0..philosophers).map(|_| Mutex::new(())).collect());
    for seat in 0..philosophers {
        let forks = forks.clone();
        let (mut one, mut other) = (seat, (seat + 1) % philosophers);
        if last_is_polite && seat + 1 == philosophers {
            (one, other) = (other, one)
        }
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let _one = forks[one].lock(cx).await?;
            let _other = forks[other].lock(cx).await?;
            Ok(())
        });
    }
}

/// How many classes of executions there are, and in how many somebody waits for ever.
fn dinners(philosophers: usize, last_is_polite: bool) -> (u64, u64) {
    let executor = Executor::new(LabConfig::default().traced(false), Grain::Operation);
    let explorer = Arc::new(StdMutex::new(Explorer::new()));
    let locked = || explorer.lock().unwrap_or_else(PoisonError::into_inner);
    while locked().next_execution() {
        let run = executor.execute(&explorer, |lab| {
            match lab.try_run(|cx| dine(cx, philosophers, last_is_polite)) {
                Ok(()) | Err(LabFailure::Deadlock { .. } | LabFailure::Redundant) => {}
                Err(other) => panic!("{other}"),
            }
        });
        assert!(run.failure.is_none());
    }
    let Counts { explored, stuck, .. } = locked().counts();
    (explored, stuck)
}

#[test]
fn philosophers_starve_in_exactly_one_class_for_each_size_of_the_table() {
    for philosophers in 2..=5 {
        assert_eq!(dinners(philosophers, false), ((1 << philosophers) - 1, 1), "{philosophers} philosophers");
    }
}

#[test]
fn philosophers_do_not_starve_if_one_takes_the_other_fork_first() {
    for philosophers in 2..=5 {
        let (classes, starve) = dinners(philosophers, true);
        assert!(classes > 1 && starve == 0, "{philosophers} philosophers: {starve} of {classes}");
    }
}

#[test]
fn the_report_of_a_starving_table_names_everybody() {
    let report = report(async |cx: &mut Cx| dine(cx, 3, false).await);
    assert!(report.contains("deadlock: tasks wait for each other"), "{report}");
    assert_eq!(report.matches("waits for the mutex held by").count(), 3, "{report}");
}
