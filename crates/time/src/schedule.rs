//! [`Schedule`]: a cron expression at an offset from UTC, and which instant of a wall clock is its next one. Pure.
//!
//! Offsets are explicit and fixed: there is no time zone and no summer time here, so no hour is missing and none comes
//! twice. A day is 86,400 seconds long ([`types::WallTime`]).
//!
//! Laws (tested against a calendar that counts): the next occurrence lies strictly after the instant asked about; no
//! occurrence lies in between.
//!
//! Not here: waiting for it (`occurrences`).
use crate::cron::{Cron, CronError};
use core::fmt;
use core::str::FromStr;
use types::{Civil, WallTime};

const DAY: i64 = 86_400;
/// Any four years have a leap day but for those around a century: the 29th of February is at most eight years away.
const FARTHEST: i64 = 8 * 366;

/// How far local time is ahead of UTC (east) or behind it (west).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UtcOffset {
    seconds: i32,
}

impl UtcOffset {
    /// No offset.
    pub const UTC: UtcOffset = UtcOffset { seconds: 0 };

    /// So many minutes ahead of UTC; behind it, if negative. Central European winter is 60.
    ///
    /// # Panics
    /// If it is a day or more.
    #[must_use]
    #[track_caller]
    pub const fn minutes(minutes: i32) -> UtcOffset {
        assert!(minutes > -24 * 60 && minutes < 24 * 60, "an offset from UTC is less than a day");
        UtcOffset { seconds: minutes * 60 }
    }
}

/// `Z`, or as RFC 3339 writes it: `+01:00`.
impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = match self.seconds {
            0 => return f.write_str("Z"),
            seconds if seconds > 0 => ('+', seconds / 60),
            seconds => ('-', -seconds / 60),
        };
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Instants that come again: see [`Cron`] for what can be said.
///
/// ```
/// use asupersync_time::{Schedule, UtcOffset};
/// use types::Civil;
///
/// // Nine o'clock in Berlin in winter, Monday to Friday.
/// let schedule: Schedule = "0 9 * * MON-FRI".parse::<Schedule>()?.at(UtcOffset::minutes(60));
/// let sunday = Civil { year: 2026, month: 11, day: 22, hour: 21, minute: 48, second: 0 }.wall_time();
/// assert_eq!(schedule.next_after(sunday).unwrap().to_string(), "2026-11-23T08:00:00Z");
/// # Ok::<(), asupersync_time::CronError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    cron: Cron,
    offset: UtcOffset,
}

impl Schedule {
    /// The same times of day, in local time at this offset.
    #[must_use]
    pub const fn at(mut self, offset: UtcOffset) -> Schedule {
        self.offset = offset;
        self
    }

    /// The first occurrence strictly after `after`; `None` where that lies beyond the end of wall time (the year 2262).
    ///
    /// # Cost
    /// A step for each month, and for each day of a month it occurs in, on the way there: a few, and never more than
    /// 3,000.
    #[must_use]
    pub fn next_after(&self, after: WallTime) -> Option<WallTime> {
        let local = after.unix_secs() + 1 + i64::from(self.offset.seconds);
        let (mut day, mut from) = (local.div_euclid(DAY), local.rem_euclid(DAY) as u32);
        let farthest = day + FARTHEST;
        while day <= farthest {
            let date = Civil::from_unix_secs(day * DAY);
            if self.cron.months & 1 << date.month == 0 {
                (day, from) = (day + days_left(date), 0);
                continue;
            }
            if self.cron.has_day(date.day, date.weekday())
                && let Some(at) = self.cron.time_of_day(from)
            {
                let unix = day * DAY + i64::from(at) - i64::from(self.offset.seconds);
                let nanos = unix.checked_mul(1_000_000_000)?;
                return Some(WallTime::from_unix_nanos(nanos));
            }
            (day, from) = (day + 1, 0);
        }
        None
    }
}

/// From this day to the first of the next month.
fn days_left(date: Civil) -> i64 {
    let (year, month) = if date.month == 12 { (date.year + 1, 1) } else { (date.year, date.month + 1) };
    (Civil { year, month, day: 1, ..date }.unix_secs() - date.unix_secs()) / DAY
}

impl From<Cron> for Schedule {
    fn from(cron: Cron) -> Schedule {
        Schedule { cron, offset: UtcOffset::UTC }
    }
}

/// A cron expression, in UTC.
impl FromStr for Schedule {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Schedule, CronError> {
        text.parse::<Cron>().map(Schedule::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn wall(text: &str) -> WallTime {
        let n = |range: core::ops::Range<usize>| text[range].parse::<u32>().unwrap();
        Civil {
            year: n(0..4) as i32,
            month: n(5..7) as u8,
            day: n(8..10) as u8,
            hour: n(11..13) as u8,
            minute: n(14..16) as u8,
            second: n(17..19) as u8,
        }
        .wall_time()
    }

    /// The next few occurrences.
    fn next(cron: &str, from: &str, count: usize) -> Vec<String> {
        let schedule: Schedule = cron.parse().unwrap();
        let mut at = wall(from);
        let step = |_| {
            at = schedule.next_after(at).unwrap();
            at.to_string()
        };
        (0..count).map(step).collect()
    }

    #[test]
    fn occurrences_are_where_people_expect_them() {
        assert_eq!(
            next("@hourly", "2026-11-22T21:48:00", 2),
            ["2026-11-22T22:00:00Z", "2026-11-22T23:00:00Z"]
        );
        assert_eq!(
            next("*/15 * * * *", "2026-12-31T23:45:00", 2),
            ["2027-01-01T00:00:00Z", "2027-01-01T00:15:00Z"]
        );
        assert_eq!(
            next("30 5 4 * * *", "2026-01-01T04:05:29", 2),
            ["2026-01-01T04:05:30Z", "2026-01-02T04:05:30Z"]
        );
        assert_eq!(
            next("0 0 29 2 *", "2096-02-29T00:00:00", 2),
            ["2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"]
        );
        // The thirteenth, and every Friday.
        assert_eq!(
            next("0 0 13 * FRI", "2026-11-01T00:00:00", 3),
            ["2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]
        );
        assert_eq!(
            next("0 0 31 * *", "2026-01-31T00:00:00", 2),
            ["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]
        );
        assert_eq!(next("@yearly", "1969-06-01T00:00:00", 1), ["1970-01-01T00:00:00Z"]);
    }

    #[test]
    fn local_days_begin_at_their_offset() {
        let schedule: Schedule = "0 0 1 * *".parse().unwrap();
        let from = wall("2026-11-22T00:00:00");
        for (minutes, offset, expected) in [
            (330, "+05:30", "2026-11-30T18:30:00Z"),
            (-480, "-08:00", "2026-12-01T08:00:00Z"),
            (0, "Z", "2026-12-01T00:00:00Z"),
        ] {
            let offset_ = UtcOffset::minutes(minutes);
            assert_eq!(offset_.to_string(), offset);
            assert_eq!(schedule.at(offset_).next_after(from).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn beyond_the_end_of_wall_time_there_is_none() {
        let daily: Schedule = "@daily".parse().unwrap();
        assert_eq!(daily.next_after(WallTime::MAX), None);
        assert_eq!(daily.next_after(WallTime::MIN).unwrap().to_string(), "1677-09-22T00:00:00Z");
        let secondly: Schedule = "* * * * * *".parse().unwrap();
        assert_eq!(secondly.next_after(WallTime::MAX), None);
        let part = WallTime::from_unix_nanos(1);
        assert_eq!(secondly.next_after(part), Some(WallTime::from_unix_secs(1)));
        assert_eq!(secondly.next_after(WallTime::from_unix_nanos(-1)), Some(WallTime::UNIX_EPOCH));
    }

    #[test]
    #[should_panic(expected = "less than a day")]
    fn an_offset_of_a_day_is_refused() {
        let _ = UtcOffset::minutes(24 * 60);
    }

    /// A calendar that counts minutes, days and weekdays, from Saturday, 2000-01-01 on.
    struct Counted {
        year: u32,
        month: u32,
        day: u32,
        weekday: u32,
        minute: u32,
    }

    impl Counted {
        fn start() -> Counted {
            Counted { year: 2000, month: 1, day: 1, weekday: 6, minute: 0 }
        }

        fn next_day(&mut self) {
            let leap = self.year.is_multiple_of(4)
                && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
            let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            self.weekday = (self.weekday + 1) % 7;
            self.day += 1;
            if self.day > lengths[self.month as usize - 1] {
                (self.day, self.month) = (1, self.month + 1);
            }
            if self.month > 12 {
                (self.month, self.year) = (1, self.year + 1);
            }
        }

        fn next_minute(&mut self) {
            self.minute += 1;
            if self.minute == 24 * 60 {
                self.minute = 0;
                self.next_day();
            }
        }
    }

    /// Every number on its own; the least one is there in any case.
    fn list(least: u32, most: u32) -> impl Strategy<Value = Vec<u32>> {
        prop_oneof![Just((least..=most).collect::<Vec<_>>()), proptest::collection::vec(least..=most, 1..4),]
    }

    fn text(list: &[u32]) -> String {
        list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// A calendar that counts finds the same occurrence, minute by minute.
        #[test]
        fn the_next_occurrence_is_the_first_minute_that_matches(
            minutes in list(0, 59), hours in list(0, 23), days in list(1, 28), months in list(1, 12),
            weekdays in list(0, 6), skip in 0..400_u32, of_day in 0..1_440_u32,
        ) {
            let cron = format!("{} {} {} {} {}", text(&minutes), text(&hours), text(&days), text(&months), text(&weekdays));
            let schedule: Schedule = cron.parse().unwrap();
            let mut counted = Counted::start();
            (0..skip).for_each(|_| counted.next_day());
            counted.minute = of_day;
            let mut wall = i64::from(skip) * DAY + i64::from(of_day) * 60 + 946_684_800;
            let found = schedule.next_after(WallTime::from_unix_secs(wall)).unwrap();
            // Days are 1 to 28, so `days` is a restriction always.
            let all_week = (0..7).all(|day| weekdays.contains(&day));
            loop {
                counted.next_minute();
                wall += 60;
                let (by_day, by_week) = (days.contains(&counted.day), weekdays.contains(&counted.weekday));
                let day = if all_week { by_day } else { by_day || by_week };
                let matches = months.contains(&counted.month) && day
                    && hours.contains(&(counted.minute / 60)) && minutes.contains(&(counted.minute % 60));
                prop_assert!(wall <= found.unix_secs(), "{cron}: found {found}, too late");
                if matches {
                    prop_assert_eq!(found, WallTime::from_unix_secs(wall), "{}", cron);
                    break;
                }
                prop_assert!(wall < found.unix_secs(), "{cron}: found {found}, which does not match");
            }
        }

        /// An offset moves occurrences, and does nothing else.
        #[test]
        fn an_offset_moves_everything(from in -9_000_000_000_i64..9_000_000_000, offset in -1439..1440_i32) {
            for cron in ["7 3 * * 2", "0 0 29 2 *", "*/7 */5 1-9 */2 *", "13 59 23 31 12 *"] {
                let schedule: Schedule = cron.parse().unwrap();
                let moved = schedule.at(UtcOffset::minutes(offset)).next_after(WallTime::from_unix_secs(from));
                let plain = schedule.next_after(WallTime::from_unix_secs(from + i64::from(offset) * 60));
                prop_assert_eq!(moved.map(|at| at.unix_secs() + i64::from(offset) * 60), plain.map(WallTime::unix_secs));
            }
        }
    }
}
