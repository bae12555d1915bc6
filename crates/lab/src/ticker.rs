//! [`Ticker`]: tells on standard error how far a long test has come, and ends it when its time is over.
//!
//! It writes to the stream itself and not through `eprint!`, which the test harness would keep until the end. On a
//! terminal it rewrites one line, which only one test of the process has at a time; elsewhere it writes a line now and then.
//!
//! Not here: clocks. Somebody hands one in.
use crate::progress::Go;
use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::Duration;

/// How long a test is silent, and then between two lines: on a terminal, and elsewhere.
const REWRITE: Duration = Duration::from_millis(200);
const LINES: Duration = Duration::from_secs(10);

/// Whether some test has the terminal's line.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// See the module.
pub(crate) struct Ticker {
    name: &'static str,
    clock: Box<dyn FnMut() -> Duration + Send>,
    limit: Option<Duration>,
    terminal: bool,
    /// Whether the terminal's line is ours.
    ours: bool,
    next: Duration,
    ticks: u64,
    over: bool,
}

impl Ticker {
    pub(crate) fn new(
        name: &'static str,
        clock: Box<dyn FnMut() -> Duration + Send>,
        terminal: bool,
        limit: Option<Duration>,
    ) -> Ticker {
        let next = if terminal { 4 * REWRITE } else { LINES };
        Ticker { name, clock, limit, terminal, ours: false, next, ticks: 0, over: false }
    }

    /// One more run is done; `what` is how far it has come.
    pub(crate) fn tick(&mut self, what: &dyn Display) -> Go {
        self.ticks += 1;
        let now = (self.clock)();
        if self.limit.is_some_and(|limit| now >= limit) {
            self.over = true;
            return Go::Stop;
        }
        if now >= self.next {
            self.say(what, now);
            self.next = now + if self.terminal { REWRITE } else { LINES };
        }
        Go::On
    }

    fn say(&mut self, what: &dyn Display, now: Duration) {
        self.ours = self.ours || self.terminal && !TAKEN.swap(true, AcqRel);
        if self.terminal && !self.ours {
            return;
        }
        let rate = self.ticks as f64 / now.as_secs_f64().max(1e-3);
        let (before, after) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let name = self.name;
        let text =
            format!("{before}lab: {name}: {what}, {} s, {rate:.0} runs a second{after}", now.as_secs());
        say(&text)
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// The test has passed; `last` is what has to be said whoever captures output: that it did not run to its end.
    pub(crate) fn close(self, last: Option<String>) {
        if let Some(last) = last {
            let limit = self.limit.unwrap_or_default().as_secs();
            let clear = if self.terminal { "\r\x1b[K" } else { "" };
            say(&format!("{clear}lab: {}: the time of {limit} s is over: {last}\n", self.name))
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if self.ours {
            say("\r\x1b[K");
            TAKEN.store(false, Release)
        }
    }
}

/// Writes to standard error itself.
pub(crate) fn say(text: &str) {
    // Nobody is helped by a test that fails because nobody reads its progress.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticker(seconds: Option<u64>) -> Ticker {
        let mut now = 0;
        let clock = move || {
            now += 1;
            Duration::from_secs(now)
        };
        Ticker::new("t", Box::new(clock), false, seconds.map(Duration::from_secs))
    }

    #[test]
    fn the_time_limit_ends_it_once_it_is_reached() {
        let mut limited = ticker(Some(3));
        assert_eq!([limited.tick(&"a"), limited.tick(&"b"), limited.tick(&"c")], [Go::On, Go::On, Go::Stop]);
        assert!(limited.is_over());
        let mut free = ticker(None);
        assert!((0..100).all(|_| free.tick(&"a") == Go::On) && !free.is_over());
    }
}
