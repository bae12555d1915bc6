//! A timer that somebody waits for: set when first polled, taken back in O(1).
//!
//! The one building block behind sleeping, deadlines and the kernel's own bounded waits. It looks for no
//! cancellation and takes nothing from the coop budget: what is built on it does both.
//!
//! Not here: the wheel (`time`, behind [`port::Timers`](crate::port::Timers)), `sleep` and `Interval`
//! (`time`).
use crate::port::{Due, TimerKey, World};
use crate::{Cx, MayTime};
use core::sync::atomic::Ordering::Relaxed;
use core::task::{Context, Poll, Waker};
use task::Waiter;
use types::Time;

/// An alarm at one instant. Make it with [`Alarm::new`], poll it, and [`disarm`](Alarm::disarm) it when it is
/// not needed any more: it is as big as two pointers and a key, holds no reference to the context, and so
/// cannot disarm itself when it is dropped (it then wakes its task once for nothing).
#[derive(Debug)]
pub struct Alarm {
    at: Time,
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    key: TimerKey,
    whose: Whose,
}

/// Which waker a timer was set for, by address. While the timer is set it holds that waker, so nobody else
/// can have the same address; once it has fired the clock says so first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Whose(usize, usize);

impl Whose {
    #[inline]
    fn of(waker: &Waker) -> Whose {
        Whose(waker.data().addr(), core::ptr::from_ref(waker.vtable()).addr())
    }
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
        self.disarm_in(cx.world())
    }

    #[inline]
    pub(crate) fn poll_in(&mut self, world: &World, context: &Context<'_>) -> Poll<()> {
        // Before the timer is set, a recent reading will do: an instant that has passed since then is a timer
        // that fires at once. Afterwards the clock itself says whether the timer was the one that woke us.
        let now = match self.armed {
            None => Time::from_nanos(world.recent.load(Relaxed)),
            Some(_) => world.clock.now(),
        };
        if now >= self.at {
            self.disarm_in(world);
            return Poll::Ready(());
        }
        let whose = Whose::of(context.waker());
        match &self.armed {
            Some(armed) if armed.whose == whose || types::seeded!("timer.stale-waker") => {
                return Poll::Pending;
            }
            Some(_) => self.disarm_in(world),
            None => {}
        }
        if self.at < Time::MAX {
            let key = world.timers.set(self.at, Due::Wake(Waiter::from_waker(context.waker())));
            self.armed = Some(Armed { key, whose });
        }
        Poll::Pending
    }

    #[inline]
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
