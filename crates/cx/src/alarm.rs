//! A timer that somebody waits for: set when first polled, taken back in O(1).
//!
//! The one building block behind sleeping, deadlines and the kernel's own bounded waits. It looks for no
//! cancellation and takes nothing from the coop budget: what is built on it does both.
//!
//! Not here: the wheel (`time`, behind [`port::Timers`](crate::port::Timers)), `sleep` and `Interval`
//! (`time`).
use crate::port::{Due, TimerKey, Timers, World};
use crate::{Cx, MayTime};
use core::sync::atomic::Ordering::Relaxed;
use core::task::{Context, Poll};
use task::{Party, Waiter};
use types::Time;

/// An alarm at one instant. Make it with [`Alarm::new`], poll it, and [`disarm`](Alarm::disarm) it when it is
/// not needed any more: it is as big as two words and a key, holds no reference to the context, and so
/// cannot disarm itself when it is dropped (it then wakes its task once for nothing).
#[derive(Debug)]
pub struct Alarm {
    at: Time,
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    key: TimerKey,
    /// Whose waker it was set with. While the timer is set it holds that waker, so nobody else is taken for its party;
    /// once it has fired the clock says so first.
    whose: Party,
}

impl Alarm {
    /// An alarm at `at`; at [`Time::MAX`] it never goes off. Nothing is set before the first poll.
    #[inline]
    pub const fn new(at: Time) -> Alarm {
        Alarm { at, armed: None }
    }

    /// When it goes off.
    #[inline]
    pub const fn at(&self) -> Time {
        self.at
    }

    /// Ready once the clock has reached the instant, and ever after. Sets the timer if need be, and sets it
    /// anew if the waker is another one than before.
    #[inline]
    pub fn poll<C: MayTime>(&mut self, cx: &Cx<C>, context: &Context<'_>) -> Poll<()> {
        self.poll_in(cx.world(), context)
    }

    /// Takes the timer back, if it is set. O(1).
    #[inline]
    pub fn disarm<C>(&mut self, cx: &Cx<C>) {
        if self.armed.is_some() {
            self.disarm_in(cx.world())
        }
    }

    #[inline]
    pub(crate) fn poll_in(&mut self, world: &World, context: &Context<'_>) -> Poll<()> {
        self.poll_set_by(world, context, |timers, at, due| timers.set(at, due))
    }

    /// As [`Alarm::poll_in`], for a bound on how long a cleanup takes.
    pub(crate) fn poll_bound(&mut self, world: &World, context: &Context<'_>) -> Poll<()> {
        self.poll_set_by(world, context, |timers, at, due| timers.set_bound(at, due))
    }

    #[inline]
    fn poll_set_by(
        &mut self,
        world: &World,
        context: &Context<'_>,
        set: impl FnOnce(&dyn Timers, Time, Due) -> TimerKey,
    ) -> Poll<()> {
        // A recent reading is never behind a timer that has fired, so it mostly knows. Before the timer is set it
        // will do in any case: an instant that has passed since then is a timer that fires at once. Afterwards the
        // clock itself has the last word.
        let recent = Time::from_nanos(world.recent.load(Relaxed));
        if recent >= self.at {
            // The timer has fired, or is about to, as the engine knows what time it is: then it wakes once for
            // nothing, which costs less than to look for it every time.
            self.armed = None;
            crate::object::looked_at_time();
            return Poll::Ready(());
        }
        if self.armed.is_some() && world.clock.now() >= self.at {
            self.disarm_in(world);
            return Poll::Ready(());
        }
        let waker = context.waker();
        match &self.armed {
            Some(armed) if armed.whose.is_behind(waker) || types::seeded!("timer.stale-waker") => {
                return Poll::Pending;
            }
            Some(_) => self.disarm_in(world),
            None => {}
        }
        if self.at < Time::MAX {
            let key = set(&*world.timers, self.at, Due::wake(Waiter::from_waker(waker)));
            self.armed = Some(Armed { key, whose: Party::of(waker) });
        }
        Poll::Pending
    }

    /// Polls a bound at `at`, which may be another instant than the last time: then the alarm before is taken back.
    pub(crate) fn poll_bound_at(
        slot: &mut Option<Alarm>,
        at: Time,
        world: &World,
        context: &Context<'_>,
    ) -> Poll<()> {
        if let Some(mut other) = slot.take_if(|alarm| alarm.at != at) {
            other.disarm_in(world)
        }
        slot.get_or_insert_with(|| Alarm::new(at)).poll_bound(world, context)
    }

    /// Not inlined, so that dropping what was never set is a look at one word: then what is made and moved at once (a
    /// sleep into a box) needs no place of its own to be dropped from, should the move fail.
    #[inline(never)]
    pub(crate) fn disarm_in(&mut self, world: &World) {
        if types::seeded!("timer.kept") {
            return;
        }
        if let Some(armed) = self.armed.take() {
            // It may have fired already; then the key is stale, and this finds nothing.
            drop(world.timers.take(armed.key));
        }
    }
}
