//! What the notification's core promises to one thread at a time.

use std::task::Waker;

use super::*;
use crate::wakes::counter::Counter;

fn waits(wait: &mut Notified<'_, Waker>, counter: &Counter) -> bool {
    wait.poll(|| counter.waker()).is_pending()
}

#[test]
fn notifications_nobody_waits_for_are_stored_once() {
    let (signal, counter) = (Signal::<Waker>::new(), Counter::new());
    signal.notify_one();
    signal.notify_one();
    let mut wait = Notified::new(&signal);
    assert!(!waits(&mut wait, &counter) && waits(&mut wait, &counter));
}

#[test]
fn one_notification_lets_the_oldest_go() {
    let (signal, first, second) = (Signal::<Waker>::new(), Counter::new(), Counter::new());
    let (mut one, mut two) = (Notified::new(&signal), Notified::new(&signal));
    assert!(waits(&mut one, &first) && waits(&mut two, &second));
    signal.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert!(waits(&mut two, &second) && !waits(&mut one, &first));
}

#[test]
fn everybody_who_waits_is_let_go_and_nothing_is_stored() {
    let (signal, counter) = (Signal::<Waker>::new(), Counter::new());
    signal.notify_waiters();
    let mut crowd: Vec<_> = (0..50).map(|_| Notified::new(&signal)).collect();
    assert!(crowd.iter_mut().all(|one| waits(one, &counter)));
    signal.notify_waiters();
    assert_eq!((counter.wakes(), counter.stored()), (50, 0));
    assert!(crowd.iter_mut().all(|one| !waits(one, &counter)));
    assert!(waits(&mut crowd[0], &counter));
}

#[test]
fn a_cancelled_waiter_passes_a_single_notification_on() {
    let (signal, first, second) = (Signal::<Waker>::new(), Counter::new(), Counter::new());
    let (mut one, mut two) = (Notified::new(&signal), Notified::new(&signal));
    assert!(waits(&mut one, &first) && waits(&mut two, &second));
    signal.notify_one();
    drop(one);
    assert_eq!(second.wakes(), 1);
    drop(two);
    assert!(!waits(&mut Notified::new(&signal), &first), "with nobody left it is stored");
}

#[test]
fn a_cancelled_waiter_does_not_pass_a_broadcast_on() {
    let (signal, counter) = (Signal::<Waker>::new(), Counter::new());
    let mut one = Notified::new(&signal);
    assert!(waits(&mut one, &counter));
    signal.notify_waiters();
    drop(one);
    assert!(waits(&mut Notified::new(&signal), &counter));
}

#[test]
fn an_enabled_wait_receives_what_comes_before_its_first_poll() {
    let (signal, counter) = (Signal::<Waker>::new(), Counter::new());
    let mut wait = Notified::new(&signal);
    assert!(!wait.enable());
    signal.notify_waiters();
    assert!(!waits(&mut wait, &counter));
    signal.notify_one();
    assert!(wait.enable(), "a stored permit is taken at once");
}
