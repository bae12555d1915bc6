//! The ring: slots, how a value gets in and out, and the receiving half.
//!
//! ```text
//! slot state:   0 ──publish: swap──▶ FULL ──take──▶ 0                     (then the head moves on)
//!               0 ──the receiver sleeps here: or──▶ ASLEEP ──publish: swap, wakes──▶ FULL
//!               0 ──the receiver is gone: swap──▶ DEAD ──publish: swap, takes its value back
//! ```
//!
//! Invariants:
//! - `ring.slot-owner`: the place of ticket t belongs to whoever holds the ticket, until its swap to `FULL`; then to the
//!   receiver, until its head passes t. If that swap finds `DEAD`, the place stays the ticket holder's.
//! - `ring.lap`: ticket t is given out only after the head passed t - slots: by `ring.credit`, as capacity <= slots.
//!   The sender whose operation relied on that head read it with Acquire, and every later ticket comes from a later
//!   operation on the same word, each of them AcqRel.
//! - `ring.one-receiver`: only [`Rx`], which can't be cloned, calls `take`, `sleep` and `abandon`, each on `&mut self`.
//! - `ring.no-loss`: a value is the sender's, in a slot, or the receiver's. Whatever the order of the swaps to `FULL`
//!   and `DEAD`, one side sees the other and takes the value.
//!
//! Not here: capacity and who waits for it (`credits`).

use core::{marker::PhantomData, mem::MaybeUninit, task::Poll};

use super::credits::Credits;
use crate::{
    TryRecvError,
    gone::Gone,
    object::{Access, Object, ObjectKind},
    sync::{AcqRel, Acquire, Arc, AtomicU32, AtomicUsize, Relaxed, UnsafeCell},
    wakes::{FirstPanic, WaiterSlot, Wakes},
};

const FULL: u32 = 1;
const ASLEEP: u32 = 2;
const DEAD: u32 = 4;

struct Slot<T> {
    state: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// What the halves share.
pub(super) struct Ring<T, W: Wakes> {
    pub(super) credits: Credits<W>,
    pub(super) senders: AtomicUsize,
    receiver: WaiterSlot<W>,
    /// Senders that wait until nobody receives.
    pub(super) gone: Gone<W>,
    /// The room, and the values in order: what exploration knows the channel by.
    pub(super) room: Object,
    pub(super) values: Object,
    slots: Box<[Slot<T>]>,
    mask: u32,
}

// SAFETY: values are moved between threads by the swaps on their slots' states (`ring.slot-owner`), which asks for
// `T: Send`; no reference to a value is ever shared. Everything else in the ring is `Sync`.
unsafe impl<T: Send, W: Wakes> Sync for Ring<T, W> {}

impl<T, W: Wakes> Ring<T, W> {
    #[track_caller]
    pub(super) fn new(capacity: u32) -> Self {
        let credits = Credits::new(capacity);
        let slots = capacity.next_power_of_two();
        let empty = || Slot { state: AtomicU32::new(0), value: UnsafeCell::new(MaybeUninit::uninit()) };
        Self {
            credits,
            senders: AtomicUsize::new(1),
            receiver: WaiterSlot::new(),
            gone: Gone::new(),
            room: Object::new(ObjectKind::Slots { total: capacity }),
            values: Object::new(ObjectKind::Queue),
            slots: (0..slots).map(|_| empty()).collect(),
            mask: slots - 1,
        }
    }

    #[inline]
    fn slot(&self, ticket: u32) -> &Slot<T> {
        &self.slots[(ticket & self.mask) as usize]
    }

    /// Puts a ticket's value into its slot and wakes the receiver if it sleeps there; the value if the receiver is gone.
    ///
    /// # Safety
    /// `ticket` came from this ring's credits and is published once.
    #[inline]
    unsafe fn publish(&self, ticket: u32, value: T) -> Result<(), T> {
        let slot = self.slot(ticket);
        // SAFETY: the caller holds the ticket, and the receiver has left the slot's last lap (`ring.slot-owner`,
        // `ring.lap`).
        slot.value.with_mut(|place| unsafe { (*place).write(value) });
        let before = slot.state.swap(FULL, AcqRel);
        self.values.touch(Access::Send);
        if before & ASLEEP != 0 {
            self.receiver.wake();
        }
        if before & DEAD != 0 {
            // SAFETY: the receiver gave the slot up before our swap, so the value written above is still ours.
            return Err(slot.value.with_mut(|place| unsafe { (*place).assume_init_read() }));
        }
        Ok(())
    }

    /// Sends with a credit of this ring.
    #[inline]
    pub(super) fn commit(&self, value: T) -> Result<(), T> {
        match self.credits.commit() {
            // SAFETY: a fresh ticket of this ring.
            Some(ticket) => unsafe { self.publish(ticket, value) },
            None => Err(value),
        }
    }

    /// Sends with a ticket taken by `try_ticket`, in one step, so that no ticket is ever left unpublished.
    #[inline]
    pub(super) fn try_send(&self, value: T) -> Result<(), (super::TryReserveError, T)> {
        match self.credits.try_ticket() {
            // SAFETY: a fresh ticket of this ring.
            Ok(ticket) => unsafe { self.publish(ticket, value) }
                .map_err(|value| (super::TryReserveError::Closed, value)),
            Err(error) => Err((error, value)),
        }
    }

    /// Wakes the receiver, wherever it sleeps.
    pub(super) fn wake_receiver(&self) {
        self.receiver.wake();
    }
}

/// The receiving half.
///
/// Dropping it closes the channel, drops what is in it, and lets later commits have their values back.
pub struct Rx<T, W: Wakes> {
    ring: Arc<Ring<T, W>>,
    head: u32,
}

impl<T, W: Wakes> Rx<T, W> {
    pub(super) fn new(ring: Arc<Ring<T, W>>) -> Self {
        Self { ring, head: 0 }
    }

    /// Takes the oldest value. Never waits. One atomic operation.
    ///
    /// # Errors
    /// There is none now, or there will be none.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.take(Access::TryReceive) {
            Some(value) => Ok(value),
            // Who sent last may have gone between the two looks; a value it left makes the channel unfinished.
            None if self.ring.credits.is_finished(self.head) => {
                self.finds_none(Access::Read);
                Err(TryRecvError::Closed)
            }
            None => {
                self.finds_none(Access::Empty);
                Err(TryRecvError::Empty)
            }
        }
    }

    /// Waits for a value; `None` when none will come.
    #[inline]
    pub fn poll_recv(&mut self, make: impl FnOnce() -> W) -> Poll<Option<T>> {
        if let Some(value) = self.take(Access::Receive) {
            return Poll::Ready(Some(value));
        }
        if self.sleeps(make) { Poll::Pending } else { Poll::Ready(self.take_or_end()) }
    }

    /// Waits for a value without taking it; `None` when none will come.
    pub fn poll_head(&mut self, make: impl FnOnce() -> W) -> Poll<Option<Head<'_, T, W>>> {
        if !self.is_filled() && self.sleeps(make) {
            return Poll::Pending;
        }
        match self.is_filled() {
            true => self.ring.values.touch(Access::Read),
            false => self.finds_none(Access::Ended),
        }
        Poll::Ready(self.head())
    }

    /// The oldest value, while it stays in the channel.
    pub fn head(&mut self) -> Option<Head<'_, T, W>> {
        if self.is_filled() { Some(Head { rx: self, shares: PhantomData }) } else { None }
    }

    /// Takes back the waiter that a `Pending` left behind, so that the channel doesn't keep its task's cell alive.
    pub fn forget_waiter(&mut self) {
        drop(self.ring.receiver.take());
    }

    /// Gives out no more credits and refuses those who wait for one. Values sent and credits given out before still
    /// arrive.
    pub fn close(&mut self) {
        self.shut(false).1.go_on();
    }

    /// Closes the channel, for good or but for what was reserved, and tells everybody: see [`Credits::close`].
    fn shut(&mut self, gone: bool) -> (u32, FirstPanic) {
        let mut first = FirstPanic::default();
        let end = self.ring.credits.close(gone, &mut first);
        first.keep(|| self.ring.gone.tell());
        self.ring.room.touch(Access::Close);
        self.ring.values.touch(Access::Close);
        (end, first)
    }

    /// Values sent and not received.
    pub fn len(&self) -> usize {
        self.ring.values.touch(Access::Read);
        self.ring.credits.len() as usize
    }

    /// Whether nothing is there to receive now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The channel's capacity.
    pub fn capacity(&self) -> u32 {
        self.ring.credits.capacity()
    }

    /// What exploration knows the channel's values by.
    #[cfg(not(loom))]
    pub(in crate::mpsc) fn values(&self) -> &Object {
        &self.ring.values
    }

    /// Whether the slot at the head belongs to us (`ring.slot-owner`), until the head passes it.
    #[inline]
    fn is_filled(&self) -> bool {
        self.ring.slot(self.head).state.load(Acquire) & FULL != 0
    }

    /// A value, or the end that was just found.
    fn take_or_end(&mut self) -> Option<T> {
        let value = self.take(Access::Receive);
        if value.is_none() {
            self.finds_none(Access::Ended)
        }
        value
    }

    /// Says that there was no value. In a channel that was closed before its senders left, what was reserved by then decides
    /// whether one may come.
    fn finds_none(&self, access: Access) {
        self.ring.values.touch(access);
        if self.ring.room.is_watched() && self.ring.credits.is_closed() {
            self.ring.room.touch(Access::Read)
        }
    }

    #[inline]
    fn take(&mut self, access: Access) -> Option<T> {
        if !self.is_filled() {
            return None;
        }
        let slot = self.ring.slot(self.head);
        // SAFETY: the state says the value is ours (`ring.slot-owner`), and the state is reset before anybody looks
        // again: this is its only read.
        let value = slot.value.with_mut(|place| unsafe { (*place).assume_init_read() });
        // Seen by the slot's next sender through the head (`ring.lap`), before which it doesn't come here.
        slot.state.store(0, Relaxed);
        self.head = self.head.wrapping_add(1);
        self.ring.credits.advance();
        self.ring.values.touch(access);
        self.ring.room.touch(Access::Release(1));
        Some(value)
    }

    /// Leaves a waiter, unless a look after that finds a value or the end.
    fn sleeps(&mut self, make: impl FnOnce() -> W) -> bool {
        let filled = self.sleep(make());
        if !filled && !self.ring.credits.is_finished(self.head) {
            self.finds_none(Access::Empty);
            return true;
        }
        self.forget_waiter();
        false
    }

    /// Leaves a waiter for whoever fills the slot at the head; true if it's filled already.
    fn sleep(&mut self, waiter: W) -> bool {
        let slot = self.ring.slot(self.head);
        if types::seeded!("mpsc.waiter-after-flag") {
            let full = slot.state.fetch_or(ASLEEP, AcqRel) & FULL != 0;
            drop(self.ring.receiver.put(waiter));
            return full;
        }
        // The waiter first: whoever sees the flag must find it.
        drop(self.ring.receiver.put(waiter));
        // Also if the flag is set from before: the operation is what orders this waiter with the sender's swap.
        slot.state.fetch_or(ASLEEP, AcqRel) & FULL != 0
    }

    /// Gives up the next slot before `end`: true if it's behind us, with its value dropped by us or left to its sender.
    fn abandon(&mut self, end: u32) -> bool {
        if self.head == end {
            return false;
        }
        let slot = self.ring.slot(self.head);
        self.head = self.head.wrapping_add(1);
        let before = if types::seeded!("mpsc.drop-skips-unpublished") {
            slot.state.load(Acquire)
        } else {
            slot.state.swap(DEAD, AcqRel)
        };
        if before & FULL != 0 {
            // SAFETY: published before our swap, so the value is ours (`ring.slot-owner`); the head has moved on and
            // nobody receives any more: this is its only read.
            drop(slot.value.with_mut(|place| unsafe { (*place).assume_init_read() }));
        }
        true
    }
}

/// The oldest value, looked at where it is. Dropping this leaves it there.
pub struct Head<'a, T, W: Wakes> {
    rx: &'a mut Rx<T, W>,
    /// A shared `Head` gives out `&T`, so it's `Sync` only if `T` is.
    shares: PhantomData<T>,
}

impl<T, W: Wakes> Head<'_, T, W> {
    /// Takes the value out.
    pub fn take(self) -> T {
        self.rx.take(Access::Receive).expect("a value stays at the head until it's taken")
    }
}

impl<T, W: Wakes> core::ops::Deref for Head<'_, T, W> {
    type Target = T;

    fn deref(&self) -> &T {
        let slot = self.rx.ring.slot(self.rx.head);
        // SAFETY: the slot was found filled and is the receiver's (`ring.slot-owner`). Its only receiver is borrowed
        // mutably by this guard (`ring.one-receiver`), so nobody takes the value while the reference lives.
        slot.value.with_mut(|place| unsafe { (*place).assume_init_ref() })
    }
}

impl<T: core::fmt::Debug, W: Wakes> core::fmt::Debug for Head<'_, T, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Head").field(&**self).finish()
    }
}

impl<T, W: Wakes> Drop for Rx<T, W> {
    fn drop(&mut self) {
        /// Goes on with the rest if a value's destructor panics.
        struct Rest<'a, T, W: Wakes>(&'a mut Rx<T, W>, u32);
        impl<T, W: Wakes> Drop for Rest<'_, T, W> {
            fn drop(&mut self) {
                while self.0.abandon(self.1) {}
            }
        }
        self.forget_waiter();
        let (end, first) = self.shut(true);
        let rest = Rest(self, end);
        while rest.0.abandon(rest.1) {}
        first.go_on();
    }
}

impl<T, W: Wakes> core::fmt::Debug for Rx<T, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Rx").field("len", &self.len()).field("capacity", &self.capacity()).finish()
    }
}
