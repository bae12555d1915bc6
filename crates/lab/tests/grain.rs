//! `lab.grain`: the await point is where schedules differ, and nothing finer is.
//!
//! A step holds one asynchronous leaf operation at most: the next one lets others run before its effect, though it would
//! not have to wait. An operation that isn't asynchronous belongs to the step it happens in.
#![cfg(not(asupersync_seeded))]

use std::collections::BTreeSet;
use std::sync::Arc;

use asupersync_lab::{LabConfig, LabRuntime};
use cx::Cx;
use sync::mutex::Mutex;
use sync::notify::Notify;
use sync::semaphore::Semaphore;
use sync::{mpsc, oneshot};
use time::TimeExt;
use types::Time;

/// What two tasks write under many schedules: one does some operation, notes `<`, does the one in question, notes `>`; the
/// other one notes `!`.
macro_rules! orders {
    (|$cx:ident| $operation:expr) => {
        (0..200)
            .map(|seed| {
                let lab = LabRuntime::new(LabConfig::default().seed(seed));
                lab.run(|cx| async {
                    cx.spawn(async |$cx: &mut Cx| {
                        drop(Semaphore::new(1).acquire($cx, 1).await);
                        $cx.trace("<");
                        $operation;
                        $cx.trace(">");
                    });
                    cx.spawn(async |cx: &mut Cx| cx.trace("!"));
                });
                lab.notes().concat()
            })
            .collect::<BTreeSet<String>>()
    };
}

/// Fails unless the other task may run before, between and after.
#[track_caller]
fn assert_lets_others_run(what: &str, orders: &BTreeSet<String>) {
    let all = ["!<>", "<!>", "<>!"].map(str::to_string);
    assert!(orders.iter().eq(&all), "{what} passes no point where others may run: {orders:?}");
}

#[test]
fn lab_grain_every_operation_that_may_wait_lets_others_run_before_its_effect() {
    assert_lets_others_run("yield_now", &orders!(|cx| cx.yield_now().await));
    assert_lets_others_run("sleep", &orders!(|cx| cx.sleep_until(Time::ZERO).await.unwrap()));
    assert_lets_others_run("lock", &orders!(|cx| drop(Mutex::new(()).lock(cx).await.unwrap())));
    assert_lets_others_run("acquire", &orders!(|cx| drop(Semaphore::new(1).acquire(cx, 1).await.unwrap())));
    assert_lets_others_run("join", &orders!(|cx| cx.spawn(async |_: &mut Cx| ()).join(cx).await.unwrap()));
    assert_lets_others_run(
        "notified",
        &orders!(|cx| {
            let something = Notify::new();
            something.notify_one();
            something.notified(cx).await.unwrap()
        }),
    );
    assert_lets_others_run(
        "reserve",
        &orders!(|cx| {
            let (tx, _rx) = mpsc::channel::<u8>(1);
            tx.reserve(cx).await.unwrap().abort()
        }),
    );
    assert_lets_others_run(
        "send",
        &orders!(|cx| {
            let (tx, _rx) = mpsc::channel::<u8>(1);
            tx.send(cx, 1).await.unwrap()
        }),
    );
    assert_lets_others_run(
        "recv",
        &orders!(|cx| {
            let (tx, mut rx) = mpsc::channel::<u8>(1);
            tx.try_send(1).unwrap();
            rx.recv(cx).await.unwrap()
        }),
    );
    assert_lets_others_run(
        "the answer of a oneshot",
        &orders!(|cx| {
            let (tx, mut rx) = oneshot::channel::<u8>();
            tx.send(1).unwrap();
            rx.recv(cx).await.unwrap()
        }),
    );
}

#[test]
fn lab_grain_what_does_not_wait_belongs_to_its_step() {
    let orders = orders!(|cx| {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        tx.try_send(1).unwrap();
        assert_eq!(rx.try_recv(), Ok(1));
        let lock = Arc::new(Mutex::new(()));
        drop(lock.try_lock());
        cx.checkpoint().unwrap();
        drop(cx.handle());
    });
    assert!(orders.iter().eq(&["!<>", "<>!"].map(str::to_string)), "{orders:?}");
}
