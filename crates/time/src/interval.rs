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
/// It counts from where it should have ticked, not from when it was asked, so it does not drift. It borrows nothing: each
/// wait is made with the `cx` of whoever waits, which is another one in a branch.
///
/// ```
/// use core::time::Duration;
/// use asupersync_time::{Interval, TimeExt};
/// use types::Res;
///
/// async fn beat(cx: &mut cx::Cx, mut each_second: Interval) -> Res {
///     loop {
///         let due = each_second.tick(cx).await?;
///         cx.trace(format!("it was due at {due}"));
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Interval {
    next: Time,
    period: Duration,
    missed: MissedTicks,
}

impl Interval {
    /// Ticks at `start`, and then every `period`.
    ///
    /// # Panics
    /// If the period is zero.
    #[track_caller]
    pub const fn new(start: Time, period: Duration) -> Interval {
        assert!(!period.is_zero(), "an interval of no length would tick all the time");
        Interval { next: start, period, missed: MissedTicks::Burst }
    }

    /// Chooses what becomes of ticks that were missed.
    #[must_use]
    pub const fn missed_ticks(mut self, missed: MissedTicks) -> Interval {
        self.missed = missed;
        self
    }

    /// Waits for the next tick and returns the instant it was due at.
    ///
    /// # Errors
    /// Cancelled.
    ///
    /// # Cancel behaviour
    /// A tick that is refused or whose future is dropped is not lost: the next call returns it.
    ///
    /// # Cost
    /// A timer for each wait.
    pub async fn tick<C: MayTime>(&mut self, cx: &Cx<C>) -> Result<Time, Cancelled> {
        Sleep::new(cx, self.next).await?;
        Ok(self.taken(cx.now()))
    }

    /// The ticks as a stream, in the context of whoever makes it.
    pub fn stream<'i, 'a, C: MayTime>(&'i mut self, cx: &'a Cx<C>) -> Ticks<'i, 'a, C> {
        Ticks { sleep: Sleep::new(cx, self.next), interval: self }
    }

    /// The tick that has come is taken at `now`: when it was due.
    fn taken(&mut self, now: Time) -> Time {
        let due = self.next;
        self.next = next(self.missed, due, now, self.period);
        due
    }

    /// Begins anew: the next tick comes a period from now.
    pub fn restart<C: MayTime>(&mut self, cx: &Cx<C>) {
        self.next = cx.now().saturating_add(self.period)
    }

    /// The distance between ticks.
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// When the next tick is due.
    pub const fn next_tick(&self) -> Time {
        self.next
    }
}

/// Ticks as a stream without an end, of the instants they were due at. Made by [`Interval::stream`].
///
/// It is no cancellation point: whoever consumes the stream is (`combinator`'s `next(cx)`), and a tick that was not taken
/// comes with the next poll, or with the interval itself.
///
/// ```
/// use core::time::Duration;
/// use asupersync_time::{Interval, TimeExt};
/// use types::Stream;
///
/// fn beats(interval: &mut Interval, cx: &cx::Cx) -> impl Stream<Item = types::Time> {
///     interval.stream(cx) // `.take(3)`, `jobs.merge(ticks.map(..))`, ..
/// }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Ticks<'i, 'a, C = cx::All> {
    interval: &'i mut Interval,
    sleep: Sleep<'a, C>,
}

impl<C: MayTime> Stream for Ticks<'_, '_, C> {
    type Item = Time;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Time>> {
        let this = self.get_mut();
        ready!(this.sleep.poll_alarm(context));
        let due = this.interval.taken(this.sleep.cx().now());
        this.sleep.reset(this.interval.next);
        Poll::Ready(Some(due))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
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
