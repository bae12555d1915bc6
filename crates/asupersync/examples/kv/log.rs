//! `Log`: one line on standard error for each event; the runtime's reports are events too.

use super::server::Journal;
use asupersync::port::Reports;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Log {
    leaks: AtomicU64,
}

impl Log {
    /// Writes a line. A log that nobody reads any more is no reason to fail.
    pub(crate) fn say(&self, text: &str) {
        use std::io::Write;
        let _ = writeln!(std::io::stderr().lock(), "kv: {text}");
    }
}

impl Journal for Log {
    fn line(&self, text: &str) {
        self.say(text);
    }

    fn leaks(&self) -> u64 {
        self.leaks.load(Relaxed)
    }
}

/// What the runtime reports.
#[derive(Clone, Debug)]
pub(crate) struct RuntimeReports(pub(crate) std::sync::Arc<Log>);

impl Reports for RuntimeReports {
    fn report(&self, text: String) {
        if text.contains("leaked") {
            self.0.leaks.fetch_add(1, Relaxed);
        }
        self.0.say(&text);
    }
}
