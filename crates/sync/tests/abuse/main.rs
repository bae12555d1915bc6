//! Primitives in the hands of those who misuse them: waits that are dropped, forgotten or polled when they are over, wakers
//! that call back, peers that are gone, guards and permits that are kept too long or for ever, numbers that make no sense.
//! Each has a result, stated in `docs/primitives.md`; nothing hangs that isn't said to, and nothing loses a value.
//!
//! Not here: crowds and storms of wakes (`tests/crowds`), foreign combinators (`tests/lab/foreign.rs`).
#![cfg(not(loom))]

use cx::Cx;
use lab::{LabConfig, LabRuntime, explore};

/// Runs a program on some schedules; nothing may be left or leaked.
fn on_all(program: impl Fn(&LabRuntime)) {
    explore(0..20, |lab| {
        program(lab);
        if let Err(report) = lab.oracles() {
            panic!("{report}\n{}", lab.trace());
        }
    });
}

/// Runs a program that leaves something behind: what the lab says of it.
fn left_behind(program: impl AsyncFnOnce(&mut Cx)) -> String {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(async |cx| program(cx).await);
    lab.oracles().map_or_else(|report| report.to_string(), |()| String::new())
}

/// Every wait of this crate, one after the other, each in a state in which it is not over: `$wait` is the future in `$then`.
/// After that the primitive has to work as if nobody had ever waited.
macro_rules! every_wait {
    ($cx:ident, $name:ident, $wait:ident => $then:expr) => {{
        use asupersync_sync::{
            barrier::Barrier, broadcast, event::Event, latch::Latch, mpsc, mutex::Mutex, notify::Notify,
            oneshot, rendezvous, rwlock::RwLock, semaphore::Semaphore, session, watch,
        };
        use std::sync::Arc;
        macro_rules! case {
            ($what:literal, $future:expr) => {{
                let $name = $what;
                let $wait = $future;
                $then
            }};
        }
        {
            let (tx, mut rx) = mpsc::channel(2);
            (0..2).for_each(|value| tx.try_send(value).unwrap());
            case!("mpsc reserve", tx.reserve($cx));
            case!("mpsc send", tx.send($cx, 9));
            case!("mpsc reserve_many", tx.reserve_many($cx, 2));
            case!("mpsc closed", tx.closed($cx));
            assert_eq!((rx.try_recv(), tx.try_send(2)), (Ok(0), Ok(())), "room is given as before");
            let (tx, mut rx) = mpsc::channel(1);
            case!("mpsc recv", rx.recv($cx));
            case!("mpsc recv_ack", rx.recv_ack($cx));
            let mut all = Vec::new();
            case!("mpsc recv_many", rx.recv_many($cx, &mut all, 2));
            assert_eq!((tx.try_send(1), rx.try_recv()), (Ok(()), Ok(1)));
            let (tx, mut rx) = mpsc::unbounded();
            case!("unbounded recv", rx.recv($cx));
            case!("unbounded recv_ack", rx.recv_ack($cx));
            case!("unbounded recv_many", rx.recv_many($cx, &mut all, 2));
            case!("unbounded closed", tx.closed($cx));
            assert_eq!((tx.send(1), rx.try_recv()), (Ok(()), Ok(1)));
        }
        {
            let (mut tx, mut rx) = oneshot::channel();
            case!("oneshot recv", rx.recv($cx));
            case!("oneshot closed", tx.closed($cx));
            assert_eq!((tx.send(1), rx.try_recv()), (Ok(()), Ok(1)));
            let (tx, mut rx) = broadcast::channel(1);
            case!("broadcast recv", rx.recv($cx));
            case!("broadcast closed", tx.closed($cx));
            assert_eq!((tx.send(1), rx.try_recv()), (Ok(1), Ok(1)));
            let (tx, mut rx) = watch::channel(0);
            case!("watch changed", rx.changed($cx));
            case!("watch closed", tx.closed($cx));
            case!("watch wait_for", Box::pin(rx.wait_for($cx, |value| *value > 0)));
            tx.send(1);
            assert!(rx.has_changed());
        }
        {
            let (tx, mut rx) = rendezvous::channel();
            case!("rendezvous send", tx.send($cx, 1));
            assert!(rx.try_recv().is_err(), "the offer was withdrawn");
            case!("rendezvous recv", rx.recv($cx));
            case!("rendezvous closed", tx.closed($cx));
            let (client, mut server) = session::pair::<u8, u8>();
            case!("session ask", client.ask($cx, 1));
            case!("session next", server.next($cx));
            assert_eq!(server.waiting(), 0, "the request was withdrawn");
        }
        {
            let slots = Arc::new(Semaphore::new(0));
            case!("semaphore acquire", slots.acquire($cx, 1));
            case!("semaphore acquire_owned", slots.acquire_owned($cx, 1));
            slots.add(1);
            assert!(slots.try_acquire($cx, 1).is_ok());
            let lock = Arc::new(Mutex::new(0));
            let held = lock.try_lock();
            case!("mutex lock", lock.lock($cx));
            case!("mutex lock_owned", lock.lock_owned($cx));
            drop(held);
            assert!(lock.try_lock().is_some());
        }
        {
            let lock = Arc::new(RwLock::new(0));
            let held = lock.try_write();
            case!("rwlock read", lock.read($cx));
            case!("rwlock write", lock.write($cx));
            case!("rwlock upgradable", lock.upgradable($cx));
            case!("rwlock write_owned", lock.write_owned($cx));
            drop(held);
            let (held, may) = (lock.try_read(), lock.try_upgradable().unwrap());
            case!("rwlock upgrade", may.upgrade($cx));
            drop(held);
            assert!(lock.try_write().is_some());
        }
        {
            let something = Notify::new();
            case!("notify notified", something.notified($cx));
            something.notify_one();
            assert!(something.notified($cx).enable(), "the notification was stored");
            let (event, latch, barrier) = (Event::new(false), Latch::new(1), Barrier::new(2));
            case!("event wait", event.wait($cx));
            case!("latch wait", latch.wait($cx));
            case!("barrier wait", barrier.wait($cx));
            assert!(latch.count_down());
        }
    }};
}

mod executors;
mod forgotten;
mod kept;
mod order;
mod reentrant;
mod refused;
mod streams;
mod waits;
mod wakers;
