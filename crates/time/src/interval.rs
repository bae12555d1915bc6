//! [`Interval`]: a tick every period, and [`MissedTicks`]: what becomes of the ticks nobody took in time.
//!
//! ```text
//! period 10, the third tick is taken 25 late:
//!   due      0   10   20   30   40   50   60   70
//!   Burst    0   10                45 45 45 50   60   70     catches up, then is on the grid again
//!   Delay    0   10                45        55        65    a period after the late one, off the grid
//!   Skip     0   10                45        50   60   70    leaves out what is past, stays on the grid
//! ```
//! Not here: when a tick fires relative to its deadline (`sleep`).
use crate::Sleep;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use cx::{Cx, MayTime};
use types::{Cancelled, Stream, Time};

/// What becomes of ticks that were due before anybody took them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissedTicks {
    /// They come one after the other without a pause, until the interval has caught up: the number of ticks
    /// is right.
    #[default]
    Burst,
    /// The next one comes a whole period after the late one: the distance is never less.
    Delay,
    /// They are left out: the next one comes at the first multiple of the period that lies ahead.
    Skip,
}

/// Ticks at regular instants. Made by [`TimeExt::interval`](crate::TimeExt::interval).
///
/// It counts from where it should have ticked, not from when it was asked, so it does not drift.
#[derive(Debug)]
pub struct Interval<'a, C = cx::All> {
    sleep: Sleep<'a, C>,
    period: Duration,
    missed: MissedTicks,
}

impl<'a, C: MayTime> Interval<'a, C> {
    /// Ticks at `start`, and then every `period`.
    ///
    /// # Panics
    /// If the period is zero.
    #[track_caller]
    pub fn new(cx: &'a Cx<C>, start: Time, period: Duration) -> Interval<'a, C> {
        assert!(!period.is_zero(), "an interval of no length would tick all the time");
        Interval { sleep: Sleep::new(cx, start), period, missed: MissedTicks::default() }
    }

    /// Chooses what becomes of ticks that were missed.
    #[must_use]
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Interval<'a, C> {
        self.missed = missed;
        self
    }

    /// Waits for the next tick and returns the instant it was due at.
    ///
    /// # Cancel behaviour
    /// A tick that is refused or whose future is dropped is not lost: the next call returns it.
    pub async fn tick(&mut self) -> Result<Time, Cancelled> {
        poll_fn(|context| self.poll_tick(context)).await
    }

    /// As [`Interval::tick`], for hand-written futures.
    pub fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Result<Time, Cancelled>> {
        ready!(Pin::new(&mut self.sleep).poll(context))?;
        Poll::Ready(Ok(self.taken()))
    }

    /// The tick that has come was taken: when it was due.
    fn taken(&mut self) -> Time {
        let due = self.sleep.at();
        let next = next(self.missed, due, self.sleep.cx().now(), self.period);
        self.sleep.reset(next);
        due
    }

    /// Begins anew: the next tick comes a period from now.
    pub fn restart(&mut self) {
        let at = self.sleep.cx().now().saturating_add(self.period);
        self.sleep.reset(at);
    }
}

/// The ticks as a stream without an end, of the instants they were due at. It is no cancellation point: whoever consumes the
/// stream is (`combinator`'s `next(cx)`), and a tick that was not taken comes with the next poll.
///
/// ```
/// use core::time::Duration;
/// use asupersync_time::TimeExt;
/// use types::Stream;
///
/// fn beats(cx: &cx::Cx) -> impl Stream<Item = types::Time> {
///     cx.interval(Duration::from_millis(100)) // `interval.take(3)`, `jobs.merge(interval.map(..))`, ..
/// }
/// ```
impl<C: MayTime> Stream for Interval<'_, C> {
    type Item = Time;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Time>> {
        let this = self.get_mut();
        ready!(this.sleep.poll_alarm(context));
        Poll::Ready(Some(this.taken()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl<C> Interval<'_, C> {
    /// The distance between ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// When the next tick is due.
    pub fn next_tick(&self) -> Time {
        self.sleep.at()
    }
}

/// The instant of the tick after the one that was due at `due` and taken at `now`.
fn next(missed: MissedTicks, due: Time, now: Time, period: Duration) -> Time {
    let regular = due.saturating_add(period);
    if regular > now {
        return regular;
    }
    match missed {
        MissedTicks::Burst => regular,
        MissedTicks::Delay => now.saturating_add(period),
        MissedTicks::Skip => {
            // A tick is overdue, so the period is at most the time that passed and fits 64 bits.
            let late = now.saturating_since(due).as_nanos();
            let ahead = period.as_nanos() - late % period.as_nanos();
            now.saturating_add(Duration::from_nanos(ahead.try_into().unwrap_or(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// The instants at which ticks are taken by somebody who is busy for `busy[i]` after tick `i`, and the
    /// instants they were due at.
    fn run(missed: MissedTicks, busy: &[u64]) -> Vec<(u64, u64)> {
        let (mut now, mut due) = (0, Time::ZERO);
        let mut seen = Vec::new();
        for busy in busy {
            now = due.as_nanos().max(now);
            seen.push((due.as_nanos(), now));
            due = next(missed, due, Time::from_nanos(now), Duration::from_nanos(10));
            now += busy;
        }
        seen
    }

    fn taken(missed: MissedTicks) -> Vec<u64> {
        run(missed, &[0, 35, 0, 0, 0, 0, 0]).into_iter().map(|(_, taken)| taken).collect()
    }

    #[test]
    fn burst_catches_up_and_is_on_the_grid_again() {
        assert_eq!(taken(MissedTicks::Burst), [0, 10, 45, 45, 45, 50, 60]);
    }

    #[test]
    fn delay_waits_a_whole_period_after_the_late_tick() {
        assert_eq!(taken(MissedTicks::Delay), [0, 10, 45, 55, 65, 75, 85]);
    }

    #[test]
    fn skip_leaves_out_what_is_past_and_stays_on_the_grid() {
        assert_eq!(taken(MissedTicks::Skip), [0, 10, 45, 50, 60, 70, 80]);
    }

    #[test]
    fn the_end_of_time_is_never() {
        let late = Time::from_nanos(u64::MAX - 3);
        for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
            assert_eq!(next(missed, late, late, Duration::from_nanos(10)), Time::MAX);
            assert_eq!(next(missed, Time::ZERO, late, Duration::MAX), Time::MAX);
        }
    }

    proptest! {
        #[test]
        fn no_policy_ticks_early_or_goes_back(busy in proptest::collection::vec(0..50_u64, 1..40)) {
            for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
                let seen = run(missed, &busy);
                prop_assert!(seen.iter().all(|(due, taken)| taken >= due));
                prop_assert!(seen.is_sorted_by(|a, b| a.0 < b.0));
            }
        }

        #[test]
        fn burst_and_skip_stay_on_the_grid(busy in proptest::collection::vec(0..50_u64, 1..40)) {
            for missed in [MissedTicks::Burst, MissedTicks::Skip] {
                prop_assert!(run(missed, &busy).iter().all(|(due, _)| due % 10 == 0));
            }
            let burst = run(MissedTicks::Burst, &busy);
            prop_assert!(burst.is_sorted_by(|a, b| a.0 + 10 == b.0), "burst leaves no tick out");
        }

        #[test]
        fn delay_keeps_its_distance(busy in proptest::collection::vec(0..50_u64, 1..40)) {
            let seen = run(MissedTicks::Delay, &busy);
            // From the instant a tick was due, or taken if it was late by a period.
            prop_assert!(seen.is_sorted_by(|a, b| b.0 >= a.0 + 10));
        }
    }
}
