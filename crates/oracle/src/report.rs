//! [`Report`]: what an oracle found, in words.
//!
//! A finding is one sentence about the user's program, with the source lines the trace carries,
//! followed by the event that gave it away. Reports never hold more than [`Report::MOST`] findings:
//! after the first few, more of the same help nobody.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt;

use trace::Event;

/// One thing that went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What, in words.
    pub what: String,
    /// The event that showed it; `None` if the end of the trace did.
    pub event: Option<Box<Event>>,
}

/// What one oracle has to say against a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The oracle's name.
    pub oracle: &'static str,
    /// What it found, in the order of the trace; at least one, at most [`Report::MOST`].
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub more: usize,
}

impl Report {
    /// The most findings one report holds.
    pub const MOST: usize = 16;

    /// A report of one finding, for oracles of one's own. `event` is what gave it away, if one event did.
    #[must_use]
    pub fn new(oracle: &'static str, what: impl fmt::Display, event: Option<&Event>) -> Self {
        let mut findings = Findings::of(oracle);
        findings.add(format_args!("{what}"), event);
        Self { oracle, findings: findings.found, more: 0 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.oracle)?;
        for finding in &self.findings {
            write!(f, "\n  {}", finding.what)?;
            if let Some(event) = &finding.event {
                write!(f, "\n    at event {event}")?;
            }
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl core::error::Error for Report {}

/// Gathers findings and turns them into a verdict.
pub(crate) struct Findings {
    oracle: &'static str,
    found: Vec<Finding>,
    more: usize,
}

impl Findings {
    pub(crate) fn of(oracle: &'static str) -> Self {
        Self { oracle, found: Vec::new(), more: 0 }
    }

    /// Adds a finding shown by `event`.
    pub(crate) fn at(&mut self, event: &Event, what: fmt::Arguments<'_>) {
        self.add(what, Some(event));
    }

    /// Adds a finding shown by the trace's end.
    pub(crate) fn in_the_end(&mut self, what: fmt::Arguments<'_>) {
        self.add(what, None);
    }

    fn add(&mut self, what: fmt::Arguments<'_>, event: Option<&Event>) {
        if self.found.len() == Report::MOST {
            self.more += 1;
            return;
        }
        let event = event.map(|event| Box::new(event.clone()));
        self.found.push(Finding { what: format!("{what}"), event });
    }

    pub(crate) fn verdict(self) -> Result<(), Report> {
        if self.found.is_empty() {
            return Ok(());
        }
        Err(Report { oracle: self.oracle, findings: self.found, more: self.more })
    }
}
