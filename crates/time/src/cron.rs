//! [`Cron`]: a cron expression, as sets of numbers. Pure.
//!
//! ```text
//! ┌───────── second        0-59       only where there are six fields; otherwise 0
//! │ ┌─────── minute        0-59
//! │ │ ┌───── hour          0-23
//! │ │ │ ┌─── day of month  1-31
//! │ │ │ │ ┌─ month         1-12 or JAN-DEC
//! │ │ │ │ │ ┌ day of week  0-7 or SUN-SAT; 0 and 7 are Sunday
//! 0 0 9 * * MON-FRI
//! ```
//! A field is `*` (or `?`), or a list of numbers, ranges `a-b` and steps `*/n`, `a/n`, `a-b/n`. `@yearly`, `@annually`,
//! `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly` stand for expressions.
//!
//! Day of month and day of week: where both are restricted, either is enough, as POSIX says (IEEE Std 1003.1-2017,
//! `crontab`); restricted is what does not allow everything, however it is written.
//!
//! Not here: dates and offsets (`schedule`).
use core::fmt;
use core::str::FromStr;

/// A cron expression that comes true at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cron {
    /// A bit for each number that is allowed.
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u64,
    pub(crate) days: u64,
    pub(crate) months: u64,
    pub(crate) weekdays: u64,
}

/// A field of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// What it is called.
    pub name: &'static str,
    /// The least number.
    pub least: u8,
    /// The greatest number.
    pub most: u8,
    words: &'static [&'static str],
}

const SECOND: Field = Field { name: "second", least: 0, most: 59, words: &[] };
const MINUTE: Field = Field { name: "minute", least: 0, most: 59, words: &[] };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, words: &[] };
const DAY: Field = Field { name: "day of month", least: 1, most: 31, words: &[] };
const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH: Field = Field { name: "month", least: 1, most: 12, words: MONTHS };
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const WEEKDAY: Field = Field { name: "day of week", least: 0, most: 7, words: WEEKDAYS };

/// What is wrong with an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CronError {
    /// There are not five or six fields.
    Fields(usize),
    /// It begins with `@` and is none of those known.
    UnknownWord,
    /// Something in this field is no number of its range, nor one of its words.
    NotInRange(Field),
    /// A range in this field goes backwards.
    Backwards(Field),
    /// A step in this field is 0, or no number.
    Step(Field),
    /// No month of it has any of its days: it would never come true.
    Never,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CronError::Fields(n) => write!(f, "a cron expression has 5 or 6 fields, not {n}"),
            CronError::UnknownWord => f.write_str("no cron expression has this name"),
            CronError::NotInRange(Field { name, least, most, .. }) => {
                write!(f, "the {name} of a cron expression is between {least} and {most}")
            }
            CronError::Backwards(field) => write!(f, "a range of the {} goes backwards", field.name),
            CronError::Step(field) => write!(f, "a step of the {} is a number from 1", field.name),
            CronError::Never => f.write_str("no month of this cron expression has any of its days"),
        }
    }
}

impl core::error::Error for CronError {}

/// Every second.
const ALWAYS: Cron = Cron {
    seconds: all(SECOND),
    minutes: all(MINUTE),
    hours: all(HOUR),
    days: all(DAY),
    months: all(MONTH),
    weekdays: 0b111_1111,
};

/// The longest months there are, January first.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Cron, CronError> {
        if let Some(word) = text.trim().strip_prefix('@') {
            return named(word);
        }
        let count = text.split_whitespace().count();
        let mut fields = text.split_whitespace();
        let mut field = |field: Field| set(fields.next().unwrap_or_default(), field);
        let cron = match count {
            5 => Cron { seconds: 1, ..ALWAYS },
            6 => Cron { seconds: field(SECOND)?, ..ALWAYS },
            n => return Err(CronError::Fields(n)),
        };
        let (minutes, hours, days, months) = (field(MINUTE)?, field(HOUR)?, field(DAY)?, field(MONTH)?);
        let weekdays = field(WEEKDAY)?;
        // Sunday has two numbers.
        let weekdays = (weekdays | weekdays >> 7) & ALWAYS.weekdays;
        let cron = Cron { minutes, hours, days, months, weekdays, ..cron };
        if cron.comes_true() { Ok(cron) } else { Err(CronError::Never) }
    }
}

fn named(word: &str) -> Result<Cron, CronError> {
    let hourly = Cron { seconds: 1, minutes: 1, ..ALWAYS };
    let daily = Cron { hours: 1, ..hourly };
    let known = [
        ("hourly", hourly),
        ("daily", daily),
        ("midnight", daily),
        ("weekly", Cron { weekdays: 1, ..daily }),
        ("monthly", Cron { days: 1 << 1, ..daily }),
        ("yearly", Cron { days: 1 << 1, months: 1 << 1, ..daily }),
        ("annually", Cron { days: 1 << 1, months: 1 << 1, ..daily }),
    ];
    let found = known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, cron)| cron).ok_or(CronError::UnknownWord)
}

/// Every number of a field.
const fn all(field: Field) -> u64 {
    range(field.least, field.most)
}

const fn range(least: u8, most: u8) -> u64 {
    (u64::MAX >> (63 - most)) & (u64::MAX << least)
}

/// The numbers that a field allows.
fn set(text: &str, field: Field) -> Result<u64, CronError> {
    text.split(',').try_fold(0, |set, part| Ok(set | part_of(part, field)?))
}

fn part_of(part: &str, field: Field) -> Result<u64, CronError> {
    let (span, step) = match part.split_once('/') {
        None => (part, None),
        Some((span, step)) => {
            let step = step.parse::<u8>().ok().filter(|step| *step > 0 && is_digits(part_after(part)));
            (span, Some(step.ok_or(CronError::Step(field))?))
        }
    };
    let (from, to) = match span.split_once('-') {
        _ if span == "*" || span == "?" => (field.least, field.most),
        Some((from, to)) => (number(from, field)?, number(to, field)?),
        // `a/n` begins with a and goes to the end.
        None => {
            let from = number(span, field)?;
            (from, if step.is_some() { field.most } else { from })
        }
    };
    if from > to {
        return Err(CronError::Backwards(field));
    }
    let step = usize::from(step.unwrap_or(1));
    Ok((from..=to).step_by(step).fold(0, |set, n| set | 1 << n))
}

/// What follows the first slash.
fn part_after(part: &str) -> &str {
    part.split_once('/').map_or("", |(_, step)| step)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str, field: Field) -> Result<u8, CronError> {
    if let Some(at) = field.words.iter().position(|word| word.eq_ignore_ascii_case(text)) {
        return Ok(at as u8 + field.least);
    }
    let in_range = |n: &u8| is_digits(text) && (field.least..=field.most).contains(n);
    text.parse().ok().filter(in_range).ok_or(CronError::NotInRange(field))
}

impl Cron {
    fn comes_true(&self) -> bool {
        let months = (1..=12_u32).filter(|month| self.months & 1 << month != 0);
        self.weekdays != ALWAYS.weekdays
            || months.into_iter().any(|month| {
                let length = LENGTHS.get(month as usize - 1).copied().unwrap_or(0);
                self.days & range(1, length as u8) != 0
            })
    }

    /// Whether a day of this month, which is that day of the week, is one of its days.
    pub(crate) fn has_day(&self, day: u8, weekday: u8) -> bool {
        let (by_day, by_weekday) = (self.days & 1 << day != 0, self.weekdays & 1 << weekday != 0);
        match (self.days != ALWAYS.days, self.weekdays != ALWAYS.weekdays) {
            (true, true) => by_day || by_weekday,
            _ => by_day && by_weekday,
        }
    }

    /// The first time of day, in seconds since midnight, that is not before `from`.
    pub(crate) fn time_of_day(&self, from: u32) -> Option<u32> {
        let (hour, minute, second) = (from / 3_600, from / 60 % 60, from % 60);
        let (first_minute, first_second) = (next(self.minutes, 0)?, next(self.seconds, 0)?);
        let mut at = next(self.hours, hour)?;
        if at == hour {
            let here = next(self.minutes, minute).and_then(|m| match next(self.seconds, second) {
                Some(second) if m == minute => Some((m, second)),
                None if m == minute => Some((next(self.minutes, minute + 1)?, first_second)),
                _ => Some((m, first_second)),
            });
            match here {
                Some((minute, second)) => return Some(hour * 3_600 + minute * 60 + second),
                None => at = next(self.hours, hour + 1)?,
            }
        }
        Some(at * 3_600 + first_minute * 60 + first_second)
    }
}

/// The least number of a set that is not below `from`.
fn next(set: u64, from: u32) -> Option<u32> {
    let left = set.checked_shr(from)?;
    (left != 0).then(|| from + left.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(text: &str, field: Field) -> std::vec::Vec<u32> {
        let set = set(text, field).unwrap();
        (0..64).filter(|n| set & 1 << n != 0).collect()
    }

    #[test]
    fn fields_are_lists_of_numbers_ranges_and_steps() {
        assert_eq!(numbers("5", MINUTE), [5]);
        assert_eq!(numbers("1,3-5,50/4", MINUTE), [1, 3, 4, 5, 50, 54, 58]);
        assert_eq!(numbers("*/20", SECOND), [0, 20, 40]);
        assert_eq!(numbers("2-10/3", DAY), [2, 5, 8]);
        assert_eq!(numbers("jan,Mar-MAY", MONTH), [1, 3, 4, 5]);
        assert_eq!(numbers("?", HOUR).len(), 24);
        assert_eq!("0 0 * * 7".parse::<Cron>(), "0 0 * * SUN".parse());
        assert_eq!("0 0 * * 5-7".parse::<Cron>(), "0 0 * * fri,sat,0".parse());
        assert_eq!("@Weekly".parse::<Cron>(), "0 0 0 * * 0".parse());
        assert_eq!("@yearly".parse::<Cron>(), "0 0 1 1 *".parse());
        assert_eq!(" @hourly ".parse::<Cron>(), "0 * * * *".parse());
        assert_eq!("@monthly".parse::<Cron>(), "0 0 1 * ?".parse());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let parse = |text: &str| text.parse::<Cron>().unwrap_err();
        assert_eq!(parse(""), CronError::Fields(0));
        assert_eq!(parse("* * * *"), CronError::Fields(4));
        assert_eq!(parse("* * * * * * *"), CronError::Fields(7));
        assert_eq!(parse("@reboot"), CronError::UnknownWord);
        assert_eq!(parse("60 * * * *"), CronError::NotInRange(MINUTE));
        assert_eq!(parse("* 24 * * *"), CronError::NotInRange(HOUR));
        assert_eq!(parse("* * 0 * *"), CronError::NotInRange(DAY));
        assert_eq!(parse("* * * 13 *"), CronError::NotInRange(MONTH));
        assert_eq!(parse("* * * foo *"), CronError::NotInRange(MONTH));
        assert_eq!(parse("* * * * 8"), CronError::NotInRange(WEEKDAY));
        for junk in ["-1", "1-", "-", ",", "1,,2", "+5", "1.5", "٣", "999999999999"] {
            assert_eq!(set(junk, MINUTE), Err(CronError::NotInRange(MINUTE)), "{junk}");
        }
        assert_eq!(parse("5-3 * * * *"), CronError::Backwards(MINUTE));
        for step in ["*/0", "*/", "*/x", "1/2/3", "*/+2", "*/-1", "*/256"] {
            assert_eq!(set(step, MINUTE), Err(CronError::Step(MINUTE)), "{step}");
        }
        for never in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *"] {
            assert_eq!(parse(never), CronError::Never);
        }
        assert!("0 0 30 2 1".parse::<Cron>().is_ok(), "every Monday of February");
        assert_eq!(parse("99 * * * *").to_string(), "the minute of a cron expression is between 0 and 59");
    }

    use std::string::ToString;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9*/,\\-@a-z? ]{0,40}") {
            let _ = text.parse::<Cron>();
        }

        #[test]
        fn the_next_time_of_day_is_the_first_that_matches(
            seconds in 1..1_u64 << 60, minutes in 1..1_u64 << 60, hours in 1..1_u64 << 24, from in 0..86_400_u32,
        ) {
            let cron = Cron { seconds, minutes, hours, ..ALWAYS };
            let matches = |at: &u32| {
                seconds & 1 << (at % 60) != 0 && minutes & 1 << (at / 60 % 60) != 0 && hours & 1 << (at / 3_600) != 0
            };
            prop_assert_eq!(cron.time_of_day(from), (from..86_400).find(matches));
        }

        /// Sparse sets, where the search has to go round.
        #[test]
        fn so_it_is_for_single_numbers(s in 0..60_u32, m in 0..60_u32, h in 0..24_u32, from in 0..86_400_u32) {
            let cron = Cron { seconds: 1 << s, minutes: 1 << m, hours: 1 << h, ..ALWAYS };
            let at = h * 3_600 + m * 60 + s;
            prop_assert_eq!(cron.time_of_day(from), (at >= from).then_some(at));
        }
    }
}
