//! `WallTime`: what a clock on the wall shows, and `Civil`: the same as a date and a time of day in UTC.
//!
//! [`Time`](crate::Time) is what deadlines are made of: it never goes back. A wall clock does, whenever somebody sets it,
//! so nothing that must not fire early may be computed from it once and for all. The two are different types so that
//! they cannot be mixed up.
//!
//! Seconds are counted as POSIX counts them: each day has 86,400, and a leap second is a second that happens twice. The
//! calendar is the proleptic Gregorian one.
//!
//! Source of the calendar arithmetic: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `days_from_civil`
//! and `civil_from_days`.
//!
//! Invariant `wall.saturates`: no arithmetic wraps or panics.
//!
//! Not here: clocks (`cx::port`), offsets from UTC and schedules (`time`).
use core::fmt;
use core::time::Duration;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Nanoseconds since 1970-01-01T00:00:00Z, from the year 1677 to 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(i64);

impl WallTime {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: WallTime = WallTime(0);
    /// The earliest instant.
    pub const MIN: WallTime = WallTime(i64::MIN);
    /// The latest instant.
    pub const MAX: WallTime = WallTime(i64::MAX);

    /// The instant this many nanoseconds after (before, if negative) the epoch.
    pub const fn from_unix_nanos(nanos: i64) -> WallTime {
        WallTime(nanos)
    }

    /// The instant this many seconds after (before) the epoch; where that does not fit, the nearest one that does.
    pub const fn from_unix_secs(secs: i64) -> WallTime {
        WallTime(secs.saturating_mul(SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// The instant `span` later, or [`WallTime::MAX`].
    pub fn saturating_add(self, span: Duration) -> WallTime {
        let nanos = i128::from(self.0) + i128::try_from(span.as_nanos()).unwrap_or(i128::MAX / 2);
        WallTime(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// The instant `span` earlier, or [`WallTime::MIN`].
    pub fn saturating_sub(self, span: Duration) -> WallTime {
        let nanos = i128::from(self.0) - i128::try_from(span.as_nanos()).unwrap_or(i128::MAX / 2);
        WallTime(i64::try_from(nanos).unwrap_or(i64::MIN))
    }

    /// How long `earlier` lies before this instant; zero where it does not.
    pub const fn saturating_since(self, earlier: WallTime) -> Duration {
        if earlier.0 > self.0 { Duration::ZERO } else { Duration::from_nanos(self.0.abs_diff(earlier.0)) }
    }

    /// Date and time of day in UTC; the part of a second is left out.
    pub const fn civil(self) -> Civil {
        Civil::from_unix_secs(self.unix_secs())
    }
}

/// As RFC 3339 writes it, in UTC: `2026-11-22T21:48:00Z`, with nine decimals if there is a part of a second.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.0.rem_euclid(SECOND) {
            0 => f.write_str("Z"),
            part => write!(f, ".{part:09}Z"),
        }
    }
}

/// A date and a time of day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl Civil {
    /// How many seconds away from the epoch dates reach: about 1.9 billion years, as years have 32 bits.
    pub const REACH: i64 = 60_000_000_000_000_000;

    /// This many seconds after (before) the epoch. More than [`Civil::REACH`] counts as that.
    pub const fn from_unix_secs(secs: i64) -> Civil {
        let secs = if secs > Civil::REACH {
            Civil::REACH
        } else if secs < -Civil::REACH {
            -Civil::REACH
        } else {
            secs
        };
        let (days, of_day) = (secs.div_euclid(DAY), secs.rem_euclid(DAY));
        // Counted from the first of March of the year 0, so that the leap day is the last one of its year.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + (month <= 2) as i64;
        Civil {
            year: year as i32,
            month: month as u8,
            day: day as u8,
            hour: (of_day / 3_600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        }
    }

    /// Seconds since the epoch. Days and times beyond their range count on: the 31st of April is the first of May.
    pub const fn unix_secs(self) -> i64 {
        let (month, day) = (self.month as i64, self.day as i64);
        let year = self.year as i64 - (month <= 2) as i64;
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let from_march = (month + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        let days = era * 146_097 + of_era - 719_468;
        days * DAY + self.hour as i64 * 3_600 + self.minute as i64 * 60 + self.second as i64
    }

    /// The instant, or the nearest one that fits.
    pub const fn wall_time(self) -> WallTime {
        WallTime::from_unix_secs(self.unix_secs())
    }

    /// The day of the week: 0 is Sunday, 6 Saturday.
    pub const fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        (self.unix_secs().div_euclid(DAY) + 4).rem_euclid(7) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    /// A calendar that counts days one by one.
    fn next_day((year, month, day): (i32, u8, u8)) -> (i32, u8, u8) {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            (_, day) if day == last => (year, month + 1, 1),
            (_, day) => (year, month, day + 1),
        }
    }

    #[test]
    fn every_day_of_six_centuries_is_the_day_after_the_one_before() {
        let mut date = (1677, 9, 22);
        let mut weekday = None;
        let (first, last) = (WallTime::MIN.unix_secs().div_euclid(DAY) + 1, WallTime::MAX.unix_secs() / DAY);
        for days in first..=last {
            let civil = Civil::from_unix_secs(days * DAY);
            assert_eq!((civil.year, civil.month, civil.day), date);
            assert_eq!(civil.unix_secs(), days * DAY);
            assert!(weekday.is_none_or(|before: u8| civil.weekday() == (before + 1) % 7));
            (weekday, date) = (Some(civil.weekday()), next_day(date));
        }
    }

    #[test]
    fn beyond_the_reach_of_dates_is_its_end() {
        for (far, end) in [(i64::MAX, Civil::REACH), (i64::MIN, -Civil::REACH)] {
            assert_eq!(Civil::from_unix_secs(far), Civil::from_unix_secs(end));
            assert_eq!(Civil::from_unix_secs(end).unix_secs(), end);
        }
    }

    #[test]
    fn it_reads_as_rfc_3339_says() {
        assert_eq!(WallTime::UNIX_EPOCH.to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(WallTime::from_unix_nanos(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(WallTime::from_unix_secs(1_795_384_080).to_string(), "2026-11-22T21:48:00Z");
        assert_eq!(WallTime::MIN.to_string(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(WallTime::MAX.to_string(), "2262-04-11T23:47:16.854775807Z");
    }

    #[test]
    fn what_does_not_fit_is_the_end() {
        assert_eq!(WallTime::from_unix_secs(i64::MAX), WallTime::MAX);
        assert_eq!(WallTime::MIN.saturating_add(Duration::MAX), WallTime::MAX);
        assert_eq!(WallTime::MAX.saturating_sub(Duration::MAX), WallTime::MIN);
        assert_eq!(WallTime::MAX.saturating_since(WallTime::MIN), Duration::from_nanos(u64::MAX));
        assert_eq!(WallTime::MIN.saturating_since(WallTime::MAX), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn adding_and_measuring_are_inverse(from in i64::MIN / 2..i64::MAX / 2, span in 0..u64::MAX / 4) {
            let (from, span) = (WallTime::from_unix_nanos(from), Duration::from_nanos(span));
            prop_assert_eq!(from.saturating_add(span).saturating_since(from), span);
            prop_assert_eq!(from.saturating_add(span).saturating_sub(span), from);
        }

        #[test]
        fn an_instant_is_its_date(secs in -9_000_000_000_i64..9_000_000_000) {
            prop_assert_eq!(Civil::from_unix_secs(secs).unix_secs(), secs);
        }
    }
}
