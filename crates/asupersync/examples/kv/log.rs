//! `Log`: one line on standard error for each event, with the time in UTC; the runtime's reports are events
//! too.
//!
//! Not here: what the server has to say (`server`), errors of the command line (`main`).

use super::server::Journal;
use asupersync::port::{Report, Reports};
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Log {
    leaks: AtomicU64,
}

impl Log {
    /// Writes a line. A log that nobody reads any more is no reason to fail.
    #[allow(clippy::disallowed_methods, reason = "the log of a process tells the machine's time")]
    pub(crate) fn say(&self, text: &dyn fmt::Display) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let _ = writeln!(std::io::stderr().lock(), "{} kv: {text}", Utc(since));
    }
}

impl Journal for Log {
    fn line(&self, text: &str) {
        self.say(&text);
    }

    fn leaks(&self) -> u64 {
        self.leaks.load(Relaxed)
    }
}

/// What the runtime reports.
#[derive(Clone, Debug)]
pub(crate) struct RuntimeReports(pub(crate) std::sync::Arc<Log>);

impl Reports for RuntimeReports {
    fn report(&self, report: Report) {
        if let Report::Leak { leaked, .. } = &report {
            self.0.leaks.fetch_add(leaked.len() as u64, Relaxed);
        }
        self.0.say(&report);
    }
}

/// A time since 1970, as ISO 8601 writes it to the second: `2026-11-22T18:48:43Z`.
struct Utc(Duration);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Years that begin in March put the leap day last, and then the lengths of the months follow a pattern
        // (31 30 31 30 31, twice and a bit). Day 0 here is 0000-03-01, which 1970-01-01 is 719468 days after; 400
        // years have 146097 days.
        let day = days + 719_468;
        let (era, of_era) = (day / 146_097, day % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let date = of_year - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = 400 * era + year + next;
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Utc(Duration::from_secs(seconds)).to_string(), text);
        }
    }
}
