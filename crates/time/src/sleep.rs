//! [`Sleep`]: a future that is over at an instant.
//!
//! States: nothing set (never polled, or over) and set in the wheel. The first poll that has to wait sets
//! the timer; being over, cancelled or dropped takes it back.
//!
//! Not here: the timer itself ([`cx::Alarm`]).
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use cx::{Alarm, Cx, MayTime};
use types::{Cancelled, Time, WaitKind};

static SLEEPING: WaitKind = WaitKind::new("a timer");

/// Waits until an instant; made by [`TimeExt::sleep`](crate::TimeExt::sleep) and its kin, or by
/// [`Sleep::new`] to be kept for as long as the context lives.
///
/// It is `Unpin`, sets its timer when first polled, and takes it back in O(1) when dropped. It may be polled
/// through any waker, and through a different one each time. Once it was `Ready`, with whatever answer, a
/// further poll looks again: a sleep that is over stays over.
// The context is last so that a sleep which is moved before it is polled (into a box) has it at hand: words that were
// just written one by one are slow to read as pairs, in which all but the last are moved.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
#[repr(C)]
pub struct Sleep<'a, C = cx::All> {
    alarm: Alarm,
    cx: &'a Cx<C>,
    /// Whether it was `Ready` since it was set.
    #[cfg(feature = "futures")]
    over: bool,
}

impl<'a, C: MayTime> Sleep<'a, C> {
    /// A sleep until `at`; [`Time::MAX`] is never.
    #[inline]
    pub fn new(cx: &'a Cx<C>, at: Time) -> Sleep<'a, C> {
        Sleep {
            cx,
            alarm: Alarm::new(at),
            #[cfg(feature = "futures")]
            over: false,
        }
    }

    /// Sleeps until `at` instead. A timer that was set is taken back, so the sleep can be used again.
    #[inline]
    pub fn reset(&mut self, at: Time) {
        // Dropping what it was takes the timer back.
        *self = Sleep::new(self.cx, at);
    }

    /// Whether the instant has come, without waiting for it.
    pub fn is_over(&self) -> bool {
        self.cx.now() >= self.alarm.at()
    }

    /// Whether it is over, for streams, which look for no request.
    pub(crate) fn poll_alarm(&mut self, context: &Context<'_>) -> Poll<()> {
        self.alarm.poll(self.cx, context)
    }

    /// The context it sleeps in.
    pub(crate) fn cx(&self) -> &'a Cx<C> {
        self.cx
    }
}

impl<C> Sleep<'_, C> {
    /// When it is over.
    pub fn at(&self) -> Time {
        self.alarm.at()
    }
}

impl<C: MayTime> Future for Sleep<'_, C> {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.poll_sleep(context);
        #[cfg(feature = "futures")]
        {
            self.over = polled.is_ready();
        }
        polled
    }
}

impl<C: MayTime> Sleep<'_, C> {
    #[inline]
    fn poll_sleep(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        let cx = self.cx;
        if let Err(cancelled) = ready!(cx.poll_proceed(context)) {
            self.alarm.disarm(cx);
            return Poll::Ready(Err(cancelled));
        }
        if self.alarm.poll(cx, context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        cx.poll_wait(context, &SLEEPING);
        Poll::Pending
    }
}

/// For `select!` of the futures crate: a sleep that was `Ready` is not polled again before it is [reset](Sleep::reset), although it
/// could be.
#[cfg(feature = "futures")]
impl<C: MayTime> futures_core::FusedFuture for Sleep<'_, C> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<C> Drop for Sleep<'_, C> {
    #[inline]
    fn drop(&mut self) {
        self.alarm.disarm(self.cx)
    }
}
