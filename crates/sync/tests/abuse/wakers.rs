//! Wakers that panic: whoever else is to be woken is, and the first panic goes on in the operation that woke them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Poll, Wake, Waker},
};

use asupersync_sync::{
    WaitNode,
    mpsc::ring,
    notify::signal::Signal,
    rendezvous::table::{Offer, Table},
};
use cx::Waiter;

/// Counts, or panics with its number.
struct Woken {
    panics: Option<usize>,
    others: Arc<AtomicUsize>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if let Some(number) = self.panics {
            panic!("waker {number}");
        }
        self.others.fetch_add(1, Relaxed);
    }
}

/// Wakers, some of which panic, and how many of the others were woken.
#[derive(Default)]
struct Wakers(Arc<AtomicUsize>);

impl Wakers {
    fn good(&self) -> Waker {
        Arc::new(Woken { panics: None, others: self.0.clone() }).into()
    }

    fn bad(&self, number: usize) -> Waker {
        Arc::new(Woken { panics: Some(number), others: self.0.clone() }).into()
    }

    fn woken(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// What it panics with.
fn panic_of(run: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("a waker panics");
    *panic.downcast::<String>().expect("with a text")
}

/// Of so many that wait, the bad ones panic: all others are woken at once, and the oldest panic goes on.
fn all_but(bad: &[usize], count: usize) {
    let (signal, wakers) = (Signal::<Waker>::new(), Wakers::default());
    let mut nodes: Vec<WaitNode> = (0..count).map(|_| WaitNode::new()).collect();
    for (number, node) in nodes.iter_mut().enumerate() {
        let waker = if bad.contains(&number) { wakers.bad(number) } else { wakers.good() };
        assert!(signal.poll_notified(node, || waker).is_pending());
    }
    assert_eq!(panic_of(|| signal.notify_waiters()), format!("waker {}", bad[0]));
    assert_eq!(wakers.woken(), count - bad.len(), "the others of {count} were woken, with {bad:?} bad");
    for node in &mut nodes {
        assert!(signal.poll_notified(node, || Waker::noop().clone()).is_ready(), "it was told all the same");
    }
    signal.notify_one();
    assert!(signal.poll_notified(&mut nodes[0], || Waker::noop().clone()).is_ready(), "and is as it was");
}

pub(crate) fn one_bad_waker_in_crowds() {
    for count in [2, 16, 17, 40] {
        for bad in [0, 1, count / 2, count - 1] {
            all_but(&[bad], count);
        }
    }
}

#[test]
fn a_waker_that_panics_costs_nobody_else_a_wake() {
    one_bad_waker_in_crowds();
}

#[test]
fn of_wakers_that_panic_the_first_one_is_heard() {
    all_but(&[0, 1], 4);
    all_but(&[3, 15, 16, 39], 40);
    all_but(&[0, 1, 2, 3], 4);
}

#[test]
fn a_close_tells_those_who_wait_for_it_though_one_in_line_panics() {
    let (tx, mut rx) = ring::channel::<u8, Waker>(1);
    let wakers = Wakers::default();
    assert!(tx.try_send(1).is_ok());
    let (mut line, mut closed) = (WaitNode::new(), WaitNode::new());
    assert!(tx.poll_permit(&mut line, || wakers.bad(0)).is_pending());
    assert!(tx.leaving().poll(&mut closed, || wakers.good()).is_pending());
    assert_eq!(panic_of(|| rx.close()), "waker 0");
    assert_eq!(wakers.woken(), 1);
    assert!(tx.leaving().poll(&mut closed, || wakers.good()).is_ready());
    assert!(matches!(tx.poll_permit(&mut line, || wakers.good()), Poll::Ready(Err(_))));

    let (table, wakers) = (Table::<u8, Waker>::default(), Wakers::default());
    let (mut offer, mut value, mut closed) = (Offer::default(), Some(1), WaitNode::new());
    assert!(table.poll_send(&mut offer, &mut value, || wakers.bad(0)).is_pending());
    assert!(table.leaving().poll(&mut closed, || wakers.good()).is_pending());
    assert_eq!(panic_of(|| table.close()), "waker 0");
    assert_eq!(wakers.woken(), 1);
    assert!(table.leaving().poll(&mut closed, || wakers.good()).is_ready());
    assert_eq!(table.poll_send(&mut offer, &mut value, || wakers.good()), Poll::Ready(false));
    assert_eq!(value, Some(1), "it came back");
}

/// What tasks and futures store is a [`Waiter`], which has no panic to go on: whoever wakes keeps what it took.
#[test]
pub(crate) fn a_value_that_was_taken_outlives_the_panic_of_the_waker_that_it_made_room_for() {
    let (tx, mut rx) = ring::channel::<u8, Waiter>(1);
    let (wakers, mut line) = (Wakers::default(), WaitNode::new());
    assert_eq!(tx.try_send(1), Ok(()));
    assert!(tx.poll_permit(&mut line, || Waiter::from_waker(&wakers.bad(0))).is_pending());
    let received = catch_unwind(AssertUnwindSafe(|| rx.try_recv()));
    tx.cancel(&mut line);
    assert!(matches!(received, Ok(Ok(1))), "a value was lost to a waker: {received:?}");
}

/// What is in a channel is dropped with its receiver, whoever panics on the way.
#[test]
fn a_receiver_drops_what_it_has_though_a_waker_panics() {
    let (tx, rx) = ring::channel::<Arc<()>, Waker>(1);
    let (wakers, value) = (Wakers::default(), Arc::new(()));
    assert!(tx.try_send(value.clone()).is_ok());
    let mut line = WaitNode::new();
    assert!(tx.poll_permit(&mut line, || wakers.bad(0)).is_pending());
    assert_eq!(panic_of(|| drop(rx)), "waker 0");
    assert_eq!(Arc::strong_count(&value), 1);
    tx.cancel(&mut line);
}

/// Two panics at once would end the process.
#[test]
fn a_waker_that_panics_while_its_thread_unwinds_is_not_heard() {
    struct Notifies<'s>(&'s Signal<Waker>);
    impl Drop for Notifies<'_> {
        fn drop(&mut self) {
            self.0.notify_waiters();
        }
    }
    for count in [1, 3] {
        let (signal, wakers) = (Signal::<Waker>::new(), Wakers::default());
        let mut nodes: Vec<WaitNode> = (0..count).map(|_| WaitNode::new()).collect();
        for (number, node) in nodes.iter_mut().enumerate() {
            let waker = if number == 0 { wakers.bad(number) } else { wakers.good() };
            assert!(signal.poll_notified(node, || waker).is_pending());
        }
        let unwinds = || {
            let _notifies = Notifies(&signal);
            panic!("{}", "the first one".to_string());
        };
        assert_eq!(panic_of(unwinds), "the first one");
        assert_eq!(wakers.woken(), count - 1);
        nodes.iter_mut().for_each(|node| signal.cancel(node));
    }
}

#[cfg(asupersync_seeded)]
mutants::mistakes! {
    a_panic_that_ends_a_batch: "wakes.panic-costs-neighbours" breaks one_bad_waker_in_crowds, says "were woken";
    a_panic_of_a_foreign_waker_that_goes_on: "waiter.uncontained"
        breaks a_value_that_was_taken_outlives_the_panic_of_the_waker_that_it_made_room_for, says "was lost to a waker";
}
