//! `Time`: an instant, as nanoseconds since the world began.
//!
//! The world begins when a runtime starts (monotonic clock) or when a laboratory run does (virtual
//! clock), so instants of two worlds must not be compared. A plain `u64` rather than
//! `std::time::Instant`, because virtual time has to be made out of nothing and an instant has to
//! fit an atomic word. 64 bits of nanoseconds last for 584 years.
//!
//! Invariant `time.saturates`: no arithmetic wraps or panics. What lies beyond the end is `MAX`,
//! which means "never" wherever an instant is a deadline.
//!
//! Not here: clocks and timers. Durations are `core::time::Duration`.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// An instant: nanoseconds since the world began. Eight bytes, `Copy`, totally ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The instant at which the world began.
    pub const ZERO: Time = Time(0);
    /// The last instant there is. As a deadline it means "never".
    pub const MAX: Time = Time(u64::MAX);

    /// The instant `nanos` nanoseconds after the world began.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the world began.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The instant `span` later, or [`Time::MAX`] where that lies beyond the end.
    pub fn saturating_add(self, span: Duration) -> Time {
        self.checked_add(span).unwrap_or(Time::MAX)
    }

    /// The instant `span` later, or `None` where that lies beyond [`Time::MAX`].
    pub fn checked_add(self, span: Duration) -> Option<Time> {
        let nanos = u64::try_from(span.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Time)
    }

    /// How long `earlier` lies before this instant; zero where it doesn't.
    pub const fn saturating_since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The same as [`Time::saturating_add`].
impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, span: Duration) -> Time {
        self.saturating_add(span)
    }
}

/// The same as [`Time::saturating_add`].
impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, span: Duration) {
        *self = self.saturating_add(span);
    }
}

/// The same as [`Time::saturating_since`]: zero where the right side is the later one.
impl Sub for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        self.saturating_since(earlier)
    }
}

/// In the largest unit that keeps the number at least one, exact to the nanosecond: `1.5s`,
/// `20ms`, `0ns`; [`Time::MAX`] is `never`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Time::MAX {
            return f.pad("never");
        }
        fmt::Debug::fmt(&Duration::from_nanos(self.0), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    #[test]
    fn beyond_the_end_is_never() {
        let late = Time::from_nanos(u64::MAX - 1);
        assert_eq!(late.checked_add(Duration::from_nanos(1)), Some(Time::MAX));
        assert_eq!(late.checked_add(Duration::from_nanos(2)), None);
        assert_eq!(late + Duration::from_nanos(2), Time::MAX);
        // More nanoseconds than fit 64 bits: the narrowing itself must not wrap.
        assert_eq!(Time::ZERO + Duration::MAX, Time::MAX);
        assert_eq!(Time::ZERO.checked_add(Duration::MAX), None);
    }

    #[test]
    fn an_instant_lies_no_time_after_a_later_one() {
        assert_eq!(Time::from_nanos(3) - Time::from_nanos(5), Duration::ZERO);
        assert_eq!(Time::from_nanos(5) - Time::from_nanos(3), Duration::from_nanos(2));
    }

    #[test]
    fn prints_in_a_readable_unit() {
        assert_eq!(format!("{}", Time::from_nanos(1_500_000_000)), "1.5s");
        assert_eq!(format!("{}", Time::from_nanos(20_000_000)), "20ms");
        assert_eq!(format!("{}", Time::ZERO), "0ns");
        assert_eq!(format!("{:>7}", Time::MAX), "  never");
    }

    proptest! {
        #[test]
        fn adding_and_measuring_are_inverse_unless_saturated(start: u64, nanos: u64) {
            let (from, span) = (Time::from_nanos(start), Duration::from_nanos(nanos));
            match from.checked_add(span) {
                Some(to) => prop_assert_eq!(to - from, span),
                None => prop_assert_eq!(from + span, Time::MAX),
            }
        }
    }
}
