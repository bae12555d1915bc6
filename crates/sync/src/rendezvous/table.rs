//! The rendezvous' core: values that are offered, oldest first, and the receiver that waits for one.
//!
//! An offer lies on the table from the first poll of its send until it's taken or withdrawn, beside its sender's place in
//! the queue; both change under one lock, so the oldest offer is the oldest sender's.
//!
//! Invariants:
//! - `table.fifo`: the oldest offer is taken first.
//! - `table.one-place`: a value is its sender's, or on the table, or in the receiver's hand, or taken. Who looks under the lock
//!   sees which.
//! - `table.hand`: a value is put into the receiver's hand only where it waits and nothing is offered. There it stays until it's
//!   received, also if that wait is given up, and after a close.
//! - `table.end`: no offer is accepted or taken after a close; the end is found then, or when nothing is offered and nobody
//!   can.
//!
//! Not here: `Cx`.

use std::{collections::VecDeque, task::Poll};

use crate::{
    TryRecvError, WaitNode, Wakes,
    gone::{Gone, Leaving},
    mpsc::TrySendError,
    wait_queue::{Settled, WaitQueue},
    wakes::FirstPanic,
};

struct State<T, W> {
    /// With the number that each sender knows its own by.
    offers: VecDeque<(u64, T)>,
    offered: u64,
    /// For the receiver alone.
    hand: Option<T>,
    receiver: Option<W>,
    senders: usize,
    closed: bool,
}

/// A send that is under way.
#[derive(Debug, Default)]
pub struct Offer {
    /// Once it lies on the table.
    number: Option<u64>,
    node: WaitNode,
}

impl Offer {
    /// Whether it lies on the table, or was taken and its sender doesn't know it yet.
    pub fn is_made(&self) -> bool {
        self.number.is_some()
    }
}

/// The meeting place of senders and one receiver. Begins with one sender.
pub struct Table<T, W: Wakes> {
    state: WaitQueue<W, State<T, W>>,
    /// Senders that wait until nobody receives.
    gone: Gone<W>,
}

impl<T, W: Wakes> Default for Table<T, W> {
    fn default() -> Self {
        let offers = VecDeque::new();
        let state = State { offers, offered: 0, hand: None, receiver: None, senders: 1, closed: false };
        Self { state: WaitQueue::with_state(state), gone: Gone::new() }
    }
}

impl<T, W: Wakes> Table<T, W> {
    /// Offers `value` (first poll: it's taken out of there) and waits until it's taken. If it's refused, it's in `value`
    /// again.
    ///
    /// An offer that returned `Pending` must be polled here again or given to [`withdraw`](Self::withdraw).
    pub fn poll_send(
        &self,
        offer: &mut Offer,
        value: &mut Option<T>,
        make: impl FnOnce() -> W,
    ) -> Poll<bool> {
        if offer.node.is_queued() {
            return self.state.poll(&mut offer.node, make).map(|settled| match settled {
                Settled::Granted => {
                    offer.number = None;
                    true
                }
                Settled::Told => {
                    *value = self.withdraw(offer);
                    value.is_none()
                }
            });
        }
        let fresh = make();
        let mut waiters = self.state.lock();
        if waiters.state.closed {
            drop(waiters);
            return Poll::Ready(false);
        }
        let number = waiters.state.offered;
        waiters.state.offered += 1;
        waiters.state.offers.push_back((number, value.take().expect("polled after it was ready")));
        offer.number = Some(number);
        waiters.push(&mut offer.node, Some(fresh), 0);
        let receiver =
            if types::seeded!("table.offer-unheard") { None } else { waiters.state.receiver.take() };
        drop(waiters);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Poll::Pending
    }

    /// Puts `value` into the receiver's hand, if it waits for one. Never waits.
    ///
    /// # Errors
    /// It doesn't wait ([`TrySendError::Full`]), or takes nothing any more.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut waiters = self.state.lock();
        let State { closed, offers, hand, receiver, .. } = &mut waiters.state;
        if *closed {
            return Err(TrySendError::Closed(value));
        }
        let receiver = match receiver.take_if(|_| offers.is_empty() && hand.is_none()) {
            Some(receiver) => receiver,
            None => return Err(TrySendError::Full(value)),
        };
        *hand = Some(value);
        drop(waiters);
        if !types::seeded!("table.hand-unheard") {
            receiver.wake();
        }
        Ok(())
    }

    /// Takes an offer back: its value, or `None` if it was taken (or never made).
    pub fn withdraw(&self, offer: &mut Offer) -> Option<T> {
        let number = offer.number.take()?;
        // Declared before the lock, so that it's dropped after it (`queue.unlocked-wake`).
        let _waiter;
        let mut waiters = self.state.lock();
        _waiter = if offer.node.is_queued() { waiters.remove(&mut offer.node).1 } else { None };
        let offers = &mut waiters.state.offers;
        // Sorted by number.
        let place = offers.binary_search_by_key(&number, |(number, _)| *number);
        let place = if types::seeded!("table.withdraws-oldest") { 0 } else { place.ok()? };
        let value = offers.remove(place).map(|(_, value)| value);
        drop(waiters);
        value
    }

    /// Takes what is in the receiver's hand, or the oldest offer, unless it was refused by a [`close`](Self::close).
    ///
    /// # Errors
    /// There is none now, or there will be none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut waiters = self.state.lock();
        if let Some(value) = waiters.state.hand.take() {
            return Ok(value);
        }
        // What lies there after a close is its sender's, who was told to take it back.
        if waiters.state.closed && !types::seeded!("table.refused-taken") {
            return Err(TryRecvError::Closed);
        }
        let Some((_, value)) = waiters.state.offers.pop_front() else {
            let ended = waiters.state.senders == 0;
            return Err(if ended { TryRecvError::Closed } else { TryRecvError::Empty });
        };
        waiters.settle_front(Settled::Granted);
        self.state.wake_settled(waiters);
        Ok(value)
    }

    /// Waits for an offer and takes it; `None` when none will come.
    pub fn poll_recv(&self, make: impl FnOnce() -> W) -> Poll<Option<T>> {
        match self.try_recv() {
            Ok(value) => return Poll::Ready(Some(value)),
            Err(TryRecvError::Closed) => return Poll::Ready(None),
            Err(TryRecvError::Empty) => {}
        }
        let fresh = make();
        let stale = self.state.with(|state| state.receiver.replace(fresh));
        drop(stale);
        // An offer between the two looks found no waiter.
        if types::seeded!("table.no-second-look") {
            return Poll::Pending;
        }
        let found = match self.try_recv() {
            Ok(value) => Some(value),
            Err(TryRecvError::Closed) => None,
            Err(TryRecvError::Empty) => return Poll::Pending,
        };
        self.forget_receiver();
        Poll::Ready(found)
    }

    /// Takes back the waiter that a `Pending` left behind.
    pub fn forget_receiver(&self) {
        drop(self.state.with(|state| state.receiver.take()));
        if types::seeded!("table.hand-forgotten") {
            drop(self.state.with(|state| state.hand.take()));
        }
    }

    /// The receiver is gone: as a [`close`](Self::close), and what is in its hand is dropped.
    pub fn leave_receiver(&self) {
        let left = self.state.with(|state| (state.receiver.take(), state.hand.take()));
        self.close();
        drop(left);
    }

    /// Refuses what is offered and not taken, now and later.
    pub fn close(&self) {
        let mut waiters = self.state.lock();
        waiters.state.closed = true;
        // The values stay on the table until their senders withdraw them, who are told here.
        waiters.settle_all(Settled::Told);
        let mut first = FirstPanic::default();
        first.keep(|| self.state.wake_settled(waiters));
        first.keep(|| self.gone.tell());
        first.go_on();
    }

    /// That offers are refused, to be waited for.
    pub fn leaving(&self) -> Leaving<'_, W, impl Fn() -> bool> {
        self.gone.once(|| self.is_closed())
    }

    /// How many values are offered and neither taken nor withdrawn.
    pub fn offers(&self) -> usize {
        self.state.with(|state| state.offers.len())
    }

    /// Whether offers are refused.
    pub fn is_closed(&self) -> bool {
        self.state.with(|state| state.closed)
    }

    /// One more sender.
    pub fn join_senders(&self) {
        self.state.with(|state| state.senders += 1);
    }

    /// One more sender, unless the last one is gone: an end is final.
    pub fn rejoin_senders(&self) -> bool {
        self.state.with(|state| {
            let lives = state.senders != 0 || types::seeded!("table.upgrade-of-the-dead");
            state.senders += usize::from(lives);
            lives
        })
    }

    /// One sender fewer. The receiver hears of the last one.
    pub fn leave_senders(&self) {
        let receiver = self.state.with(|state| {
            state.senders -= 1;
            if state.senders == 0 { state.receiver.take() } else { None }
        });
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
