//! [`Faults`]: what was really done to a run, as against what it was configured to suffer. A test that injects faults and
//! of which none fires tests nothing; it can say here which ones it counts on.
//!
//! Not here: doing it (`net`, `signals`, `cancel_sweep`).
use crate::net::NetStats;
use std::fmt;

/// What was done to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// What the simulated network did; its injected faults are counted below, the rest is traffic.
    pub net: NetStats,
    /// Tasks that were asked to end by the lab itself, in words: which one, before which of its steps.
    pub cancelled: Vec<String>,
    /// Signals that were raised.
    pub signals: u64,
    /// What was planned with [`LabRuntime::at_step`](crate::LabRuntime::at_step) and done.
    pub planned: u64,
}

impl Faults {
    /// How many there were: connections reset, accepts failed, reads and writes cut short, cancellations, signals, and
    /// what was planned.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.counts().iter().map(|(n, _)| n).sum()
    }

    fn counts(&self) -> [(u64, &'static str); 7] {
        [
            (self.net.resets_injected, "connections reset"),
            (self.net.accepts_failed, "accepts failed"),
            (self.net.partial_reads, "reads cut short"),
            (self.net.partial_writes, "writes cut short"),
            (self.cancelled.len() as u64, "cancellations"),
            (self.signals, "signals"),
            (self.planned, "planned acts"),
        ]
    }
}

impl fmt::Display for Faults {
    /// "faults that fired: 2 connections reset, 1 cancellations (..)", or that none did.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fired() == 0 {
            return f.write_str("no fault fired");
        }
        f.write_str("faults that fired:")?;
        let mut between = " ";
        for (n, what) in self.counts().into_iter().filter(|(n, _)| *n > 0) {
            write!(f, "{between}{n} {what}")?;
            between = ", ";
        }
        if !self.cancelled.is_empty() {
            write!(f, " ({})", self.cancelled.join("; "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_fire_is_not_listed() {
        assert_eq!(Faults::default().to_string(), "no fault fired");
        let faults =
            Faults { cancelled: vec!["task#1 before its 2nd step".into()], signals: 2, ..Faults::default() };
        assert_eq!(
            faults.to_string(),
            "faults that fired: 1 cancellations, 2 signals (task#1 before its 2nd step)"
        );
        assert_eq!(faults.fired(), 3);
    }
}
