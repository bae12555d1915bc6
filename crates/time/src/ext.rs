//! [`TimeExt`]: what a `Cx` that may read clocks and sleep offers for it.
//!
//! Not here: `cx.now()`, which belongs to the context itself (`cx`).
use crate::{Interval, NoWallClock, Occurrences, Schedule, Sleep};
use core::time::Duration;
use cx::{Cx, MayTime, Row};
use types::Time;

/// Sleeping. Implemented for every [`Cx`]; the authority stands on the methods.
///
/// ```
/// use asupersync_time::TimeExt;
/// use core::time::Duration;
/// use cx::{Cx, MayTime};
/// use types::Cancelled;
///
/// async fn blink(cx: &Cx<impl MayTime>) -> Result<(), Cancelled> {
///     cx.sleep(Duration::from_millis(20)).await?;
///     cx.sleep_until(cx.now() + Duration::from_millis(20)).await
/// }
/// ```
pub trait TimeExt: sealed::OfRow {
    /// Waits until `span` from now has passed: never less, at most one tick of the wheel more (65.536 us in
    /// production, exact in the lab). The span counts from this call, not from the first poll. A span that
    /// reaches beyond the end of time waits for ever.
    ///
    /// # Cancel behaviour
    /// Returns `Cancelled` as soon as a request is effective, also if the time is up as well
    /// (`cancel.first`).
    ///
    /// # Cost
    /// A read of the clock here, and one timer set at the first poll and taken back when the future is
    /// dropped, both O(1). No allocation, unless it is polled through a foreign waker.
    fn sleep(&self, span: Duration) -> Sleep<'_, Self::Row>
    where
        Self::Row: MayTime;

    /// As [`TimeExt::sleep`], until an instant. One that has passed is over at the first poll.
    fn sleep_until(&self, at: Time) -> Sleep<'_, Self::Row>
    where
        Self::Row: MayTime;

    /// A tick at once, and then every `period`: awaited one by one, or as a stream. See [`Interval`]; its ticks burst when
    /// they are late, unless it is told otherwise.
    ///
    /// # Panics
    /// If the period is zero.
    #[track_caller]
    fn interval(&self, period: Duration) -> Interval
    where
        Self::Row: MayTime;

    /// As [`TimeExt::interval`], with the first tick at `start`.
    ///
    /// # Panics
    /// If the period is zero.
    #[track_caller]
    fn interval_at(&self, start: Time, period: Duration) -> Interval
    where
        Self::Row: MayTime;

    /// The occurrences of a schedule on the wall clock, from now on: never early, whatever that clock does. See
    /// [`Occurrences`].
    ///
    /// ```
    /// use asupersync_time::{Schedule, TimeExt};
    /// use cx::{Cx, MayTime};
    /// use types::Res;
    ///
    /// async fn nightly(cx: &mut Cx<impl MayTime>) -> Res {
    ///     let schedule: Schedule = "30 3 * * *".parse()?;
    ///     let mut nights = cx.schedule(schedule)?;
    ///     while let Some(_night) = nights.next(cx).await? {
    ///         // .. tidy up ..
    ///         # break;
    ///     }
    ///     Ok(())
    /// }
    /// # let lab = lab::LabRuntime::new(lab::LabConfig::default());
    /// # lab.run(async |cx| nightly(cx).await.unwrap());
    /// # assert_eq!(lab.wall().now().to_string(), "2000-01-01T03:30:00Z");
    /// ```
    ///
    /// # Errors
    /// The world has no wall clock.
    fn schedule(&self, schedule: Schedule) -> Result<Occurrences, NoWallClock>
    where
        Self::Row: MayTime;
}

mod sealed {
    /// Names the row of a context, which only contexts have.
    pub trait OfRow {
        /// What the context may do.
        type Row: cx::Row;
    }
    impl<C: cx::Row> OfRow for cx::Cx<C> {
        type Row = C;
    }
}

impl<C: Row> TimeExt for Cx<C> {
    #[inline]
    fn sleep(&self, span: Duration) -> Sleep<'_, C>
    where
        C: MayTime,
    {
        Sleep::new(self, self.now().saturating_add(span))
    }

    #[inline]
    fn sleep_until(&self, at: Time) -> Sleep<'_, C>
    where
        C: MayTime,
    {
        Sleep::new(self, at)
    }

    #[track_caller]
    fn interval(&self, period: Duration) -> Interval
    where
        C: MayTime,
    {
        Interval::new(self.now(), period)
    }

    #[track_caller]
    fn interval_at(&self, start: Time, period: Duration) -> Interval
    where
        C: MayTime,
    {
        Interval::new(start, period)
    }

    fn schedule(&self, schedule: Schedule) -> Result<Occurrences, NoWallClock>
    where
        C: MayTime,
    {
        Occurrences::new(self, schedule)
    }
}
