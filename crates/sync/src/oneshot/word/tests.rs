//! What the oneshot's core promises to one thread at a time.

use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use super::*;
use crate::{
    Closed, TryRecvError,
    wakes::counter::{Counter, Random},
};

fn pair<T>() -> (Tx<T, Waker>, Rx<T, Waker>) {
    channel()
}

#[test]
fn a_sent_value_is_received_once() {
    let (tx, mut rx) = pair();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(tx.send(7), Ok(()));
    assert_eq!(rx.try_recv(), Ok(7));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_waiting_receiver_is_woken_through_its_last_waker() {
    let ((tx, mut rx), stale, fresh) = (pair(), Counter::new(), Counter::new());
    assert!(rx.poll_recv(|| stale.waker()).is_pending() && rx.poll_recv(|| fresh.waker()).is_pending());
    assert_eq!(stale.stored(), 0);
    tx.send(7).unwrap();
    assert_eq!((stale.wakes(), fresh.wakes(), fresh.stored()), (0, 1, 0));
    assert_eq!(rx.poll_recv(|| fresh.waker()), Poll::Ready(Ok(7)));
}

#[test]
fn a_dropped_sender_wakes_and_closes() {
    let ((tx, mut rx), counter) = (pair::<()>(), Counter::new());
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    drop(tx);
    assert_eq!(counter.wakes(), 1);
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Err(Closed)));
    assert_eq!(rx.poll_recv(|| counter.waker()), Poll::Ready(Err(Closed)));
}

#[test]
fn the_value_comes_back_when_the_receiver_is_gone_or_closed() {
    let (tx, rx) = pair();
    drop(rx);
    assert!(tx.is_closed());
    assert_eq!(tx.send(7), Err(7));
    let (tx, mut rx) = pair();
    rx.close();
    assert_eq!((tx.is_closed(), tx.send(8), rx.try_recv()), (true, Err(8), Err(TryRecvError::Closed)));
}

#[test]
fn a_value_sent_before_the_close_is_still_received() {
    let (tx, mut rx) = pair();
    tx.send(7).unwrap();
    rx.close();
    assert_eq!(rx.try_recv(), Ok(7));
}

#[test]
fn an_unreceived_value_and_a_waiter_left_behind_are_dropped_once() {
    let (value, counter) = (Arc::new(()), Counter::new());
    let (tx, rx) = pair();
    tx.send(value.clone()).unwrap();
    drop(rx);
    assert_eq!(Arc::strong_count(&value), 1);
    let (tx, mut rx) = pair::<Arc<()>>();
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    drop(rx);
    assert_eq!((counter.stored(), counter.wakes()), (0, 0));
    drop(tx);
}

#[test]
fn a_waiter_left_behind_can_be_taken_back() {
    let counter = Counter::new();
    let (tx, mut rx) = pair();
    assert!(rx.poll_recv(|| counter.waker()).is_pending());
    rx.forget_waiter();
    rx.forget_waiter();
    assert_eq!(counter.stored(), 0);
    assert_eq!(tx.send(1), Ok(()));
    rx.forget_waiter();
    assert_eq!((rx.try_recv(), counter.wakes()), (Ok(1), 0));
    rx.forget_waiter();
}

/// What a channel is, as far as anybody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nothing,
    Sent,
    /// The value was received or given back, or will never come.
    Over,
}

/// A channel beside what it must be.
struct Trial {
    tx: Option<Tx<Arc<()>, Waker>>,
    rx: Option<Rx<Arc<()>, Waker>>,
    token: Arc<()>,
    place: Place,
    receiver: Waits,
    sender: Waits,
}

/// One side's waits.
struct Waits {
    counter: Counter,
    /// The last one is still to be answered.
    waits: bool,
    answered: usize,
}

impl Waits {
    fn new() -> Waits {
        Waits { counter: Counter::new(), waits: false, answered: 0 }
    }

    fn answer(&mut self) {
        self.answered += usize::from(std::mem::take(&mut self.waits));
    }
}

impl Trial {
    fn new() -> Trial {
        let (tx, rx) = pair();
        let (receiver, sender) = (Waits::new(), Waits::new());
        Trial { tx: Some(tx), rx: Some(rx), token: Arc::new(()), place: Place::Nothing, receiver, sender }
    }

    fn is_refused(&self) -> bool {
        self.rx.is_none() || self.place == Place::Over
    }

    fn sender_does(&mut self, what: u64) {
        let refused = self.is_refused();
        let Some(tx) = &mut self.tx else { return };
        match what {
            0 => {
                let sent = self.tx.take().map(|tx| tx.send(self.token.clone()));
                assert_eq!(sent, Some(if refused { Err(self.token.clone()) } else { Ok(()) }));
                self.place = if refused { Place::Over } else { Place::Sent };
                self.receiver.answer();
                self.sender.waits = false;
            }
            1 => {
                self.tx = None;
                self.place = Place::Over;
                self.receiver.answer();
                self.sender.waits = false;
            }
            2 => assert_eq!(tx.is_closed(), refused),
            3 => {
                tx.forget_closed();
                self.sender.waits = false;
            }
            _ => {
                assert_eq!(tx.poll_closed(|| self.sender.counter.waker()).is_ready(), refused);
                self.sender.waits = !refused;
            }
        }
    }

    fn receiver_does(&mut self, what: u64) {
        let Some(rx) = &mut self.rx else { return };
        let value = match self.place {
            Place::Nothing => Err(TryRecvError::Empty),
            Place::Sent => Ok(self.token.clone()),
            Place::Over => Err(TryRecvError::Closed),
        };
        match what {
            0 | 1 => {
                if what == 0 {
                    self.rx = None;
                } else {
                    rx.close();
                }
                // A value that was sent before a close is still there.
                if what == 0 || self.place == Place::Nothing {
                    self.place = Place::Over;
                    self.receiver.waits = false;
                    self.sender.answer();
                }
            }
            2 => {
                rx.forget_waiter();
                self.receiver.waits = false;
            }
            3 => assert_eq!(rx.try_recv(), value),
            _ => {
                let polled = rx.poll_recv(|| self.receiver.counter.waker());
                self.receiver.waits = polled.is_pending();
                match polled {
                    Poll::Pending => assert_eq!(value, Err(TryRecvError::Empty)),
                    Poll::Ready(got) => assert_eq!(got, value.clone().map_err(|_| Closed)),
                }
            }
        }
        if what > 2 && value.is_ok() {
            self.place = Place::Over;
        }
    }

    fn check(&self) {
        assert_eq!(Arc::strong_count(&self.token), 1 + usize::from(self.place == Place::Sent));
        for (side, is_there) in [(&self.receiver, self.rx.is_some()), (&self.sender, self.tx.is_some())] {
            assert_eq!(side.counter.wakes(), side.answered, "whoever waits is woken once");
            if is_there {
                assert_eq!(side.counter.stored(), usize::from(side.waits));
            }
        }
    }
}

#[test]
fn whatever_both_sides_do_the_value_is_in_one_place_and_whoever_waits_is_woken() {
    for seed in 0..2_000 {
        let (mut random, mut trial) = (Random(seed), Trial::new());
        for _ in 0..24 {
            let what = random.below(8);
            if random.below(2) == 0 {
                trial.sender_does(what)
            } else {
                trial.receiver_does(what)
            }
            trial.check();
        }
        let Trial { tx, rx, token, receiver, sender, .. } = trial;
        drop((tx, rx));
        assert_eq!(
            (Arc::strong_count(&token), receiver.counter.stored(), sender.counter.stored()),
            (1, 0, 0)
        );
    }
}
