//! What the list of waiters keeps. Delivery is tested in a process of its own, `tests/signals.rs`.

mod raw;

use super::*;
use std::sync::atomic::AtomicUsize;

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, AcqRel);
    }
}

fn hub() -> Arc<Hub> {
    Hub::open(Arc::new(Reactor::new(1).expect("a driver"))).expect("a pipe")
}

#[test]
fn a_waiter_that_asks_twice_is_stored_once() {
    let (hub, waker) = (hub(), Waker::from(Arc::new(Counter::default())));
    hub.remember(Signal::User1, &waker);
    hub.remember(Signal::User1, &waker);
    assert_eq!(hub.state().waiting[index(Signal::User1)].len(), 1);
}

#[test]
fn only_those_are_woken_whose_signal_came() {
    let hub = hub();
    let [interrupt, user] = [(); 2].map(|()| Arc::new(Counter::default()));
    hub.remember(Signal::Interrupt, &Waker::from(interrupt.clone()));
    hub.remember(Signal::User1, &Waker::from(user.clone()));
    hub.line.deliver(Signal::User1);
    while user.0.load(Acquire) == 0 {
        hub.source.reactor().driver(0).turn(None, 8).expect("a turn");
    }
    assert_eq!(interrupt.0.load(Acquire), 0);
}

#[test]
fn more_signals_than_the_pipe_holds_are_all_counted() {
    let hub = hub();
    let user = Arc::new(Counter::default());
    for round in 1..=2 {
        hub.remember(Signal::User1, &Waker::from(user.clone()));
        for _ in 0..10_000 {
            hub.line.deliver(Signal::User1);
        }
        while user.0.load(Acquire) < round {
            hub.source.reactor().driver(0).turn(None, 8).expect("a turn");
        }
    }
    assert_eq!(hub.line.counts[index(Signal::User1)].load(Acquire), 20_000);
}

#[test]
fn a_hub_that_is_gone_leaves_its_driver() {
    let reactor = Arc::new(Reactor::new(1).expect("a driver"));
    let hub = Hub::open(reactor.clone()).expect("a pipe");
    assert_eq!(reactor.sources(0), 1);
    drop(hub);
    assert_eq!((reactor.sources(0), Arc::strong_count(&reactor)), (0, 1));
}

#[test]
fn a_waker_may_ask_for_the_signal_when_it_is_cloned() {
    let hub = hub();
    let asks = hub.clone();
    let again = Waker::from(Arc::new(Counter::default()));
    let waker = raw::calls_when_cloned(Arc::new(move || asks.remember(Signal::User1, &again)));
    hub.remember(Signal::User1, &waker);
    assert_eq!(hub.state().waiting[index(Signal::User1)].len(), 2);
    hub.line.deliver(Signal::User1);
    while !hub.state().waiting[index(Signal::User1)].is_empty() {
        hub.source.reactor().driver(0).turn(None, 8).expect("a turn");
    }
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_leaves_the_list_as_it_was() {
    let hub = hub();
    let bad = raw::calls_when_cloned(Arc::new(|| panic!("cloned")));
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hub.remember(Signal::User1, &bad)));
    assert!(asked.is_err(), "whoever polls hears of it");
    assert!(!hub.state.is_poisoned(), "no lock was held");
    hub.remember(Signal::User1, Waker::noop());
    assert_eq!(hub.state().waiting[index(Signal::User1)].len(), 1);
}
