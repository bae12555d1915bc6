//! The end of the server: asking for it, counting how each connection ended, the report.

use super::Serving;
use super::config::Journal;
use super::connection::Ended;
use super::shared::{Client, locked};
use asupersync::types::{CancelKind, TaskId};
use asupersync::{RegionHandle, Time};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// Connections that are named when they were abandoned; the others are counted.
const NAMED: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Drain(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    connections: Option<RegionHandle<Serving>>,
    asked: Option<Asked>,
    report: Report,
    /// Whose handlers have failed, until that is reported.
    failed: BTreeMap<TaskId, String>,
}

/// Somebody asked for the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) why: &'static str,
    /// How long requests in progress may take.
    pub(super) grace: Duration,
    pub(super) at: Time,
    /// Clients at that moment.
    pub(super) connected: usize,
}

/// How the drain went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Connections that ended between two requests.
    pub(crate) idle: usize,
    /// Connections that ended after their last answer.
    pub(crate) answered: usize,
    /// Connections that ended with part of a request: nothing was promised to them.
    pub(crate) unfinished: usize,
    /// Connections that ended by themselves meanwhile.
    pub(crate) left: usize,
    /// Connections that ended with something undone.
    pub(crate) abandoned: usize,
    /// The first of them, and what was not done.
    pub(crate) names: Vec<String>,
    /// From the request to the last connection's end.
    pub(crate) took: Duration,
    /// Obligations that were not resolved: places of clients, permits of any kind.
    pub(crate) leaked: u64,
}

impl Report {
    /// Whether nothing was abandoned and nothing leaked.
    pub(crate) fn is_clean(&self) -> bool {
        self.abandoned == 0 && self.leaked == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { idle, answered, unfinished, left, abandoned, names, took, leaked } = self;
        let drained = idle + answered + unfinished + left;
        let s = if drained == 1 { "" } else { "s" };
        write!(f, "drained {drained} connection{s} in {:.1?}", took)?;
        if drained > 0 {
            write!(f, " ({idle} idle, {answered} after a last answer, {unfinished} with half a request, ")?;
            write!(f, "{left} closed by themselves)")?;
        }
        match leaked {
            0 => f.write_str("; obligations balanced")?,
            n => write!(f, "; {n} obligations LEAKED")?,
        }
        if *abandoned == 0 {
            return f.write_str("; nothing abandoned");
        }
        write!(f, "; abandoned {abandoned}: {}", names.join(", "))?;
        match abandoned - names.len() {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

impl Drain {
    /// The region whose end is the end of the server.
    pub(super) fn attach(&self, connections: RegionHandle<Serving>) {
        let mut inner = locked(&self.0);
        inner.connections = Some(connections.clone());
        let asked = inner.asked;
        drop(inner);
        // Somebody was faster than the start.
        if let Some(asked) = asked {
            connections.cancel(CancelKind::Shutdown, asked.why, Some(asked.grace));
        }
    }

    /// Asks for the end. False if that was done before; a shorter grace counts nevertheless.
    pub(super) fn ask(&self, asked: Asked) -> bool {
        let mut inner = locked(&self.0);
        let first = inner.asked.is_none();
        inner.asked.get_or_insert(asked);
        let connections = inner.connections.clone();
        drop(inner);
        if let Some(connections) = connections {
            connections.cancel(CancelKind::Shutdown, asked.why, Some(asked.grace));
        }
        first
    }

    /// Nobody is let in any more.
    pub(super) fn begin(&self, now: Time, connected: usize, journal: &dyn Journal) {
        let mut inner = locked(&self.0);
        let asked = *inner.asked.get_or_insert(Asked {
            why: "asked from outside the server",
            grace: Duration::ZERO,
            at: now,
            connected,
        });
        drop(inner);
        let connected = asked.connected;
        let s = if connected == 1 { "" } else { "s" };
        let within = match asked.grace {
            Duration::ZERO => String::new(),
            grace => format!(", within {grace:?}"),
        };
        journal.line(&format!("{}: draining {connected} connection{s}{within}", asked.why));
    }

    /// A connection has ended.
    pub(super) fn count(&self, client: &Client, ended: Ended) {
        let mut inner = locked(&self.0);
        let asked = inner.asked.is_some();
        let report = &mut inner.report;
        match ended {
            Ended::Idle => report.idle += 1,
            Ended::Answered => report.answered += 1,
            Ended::Unfinished => report.unfinished += 1,
            Ended::Left | Ended::Closed | Ended::Lost | Ended::TooSlow if asked => report.left += 1,
            Ended::Failed if !asked => {}
            Ended::Abandoned(_) | Ended::Failed => {
                report.abandoned += 1;
                if report.names.len() < NAMED {
                    let what = match ended {
                        Ended::Abandoned(what) => what,
                        _ => "its handler failed",
                    };
                    report.names.push(format!("connection #{} {} ({what})", client.id, client.address));
                }
            }
            Ended::Left | Ended::Closed | Ended::Lost | Ended::TooSlow => {}
        }
    }

    /// The handler of this client has failed; the runtime reports with what in a moment.
    pub(super) fn failed(&self, task: TaskId, client: &Client) {
        let name = format!("connection #{} {}", client.id, client.address);
        locked(&self.0).failed.insert(task, name);
    }

    /// The client whose handler has failed.
    pub(super) fn who_failed(&self, task: TaskId) -> Option<String> {
        locked(&self.0).failed.remove(&task)
    }

    /// The last connection has ended.
    pub(super) fn end(&self, now: Time) {
        let mut inner = locked(&self.0);
        let began = inner.asked.map_or(now, |asked| asked.at);
        inner.report.took = now.saturating_since(began);
    }

    /// The report. `unreturned` are the places of clients that were not given back.
    pub(super) fn report(&self, journal: &dyn Journal, unreturned: usize) -> Report {
        let mut report = locked(&self.0).report.clone();
        report.leaked = journal.leaks() + unreturned as u64;
        report
    }
}
