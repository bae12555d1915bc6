//! A run's judges: the oracles, each by itself and all together.
//!
//! Not here: what they look for (`oracle`, `own`), the model, which a run asks itself.
use super::LabRuntime;
use crate::own::asked;
use crate::verdict::{LabFailure, OracleReport};
use crate::world::locked;
use trace::Event;

impl LabRuntime {
    /// Nothing is left: the root is closed, and everything below it.
    ///
    /// # Errors
    /// What is left.
    pub fn quiescence_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::quiescence)
    }

    /// No obligation was leaked.
    ///
    /// # Errors
    /// Which were, and where they were reserved.
    pub fn obligation_leak_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::obligation_leaks)
    }

    /// Every task had an owner that outlived it.
    ///
    /// # Errors
    /// Which had not.
    pub fn no_orphan_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::no_orphans)
    }

    /// Every loser of a race had ended before the race returned.
    ///
    /// # Errors
    /// Which had not.
    pub fn losers_drained_oracle(&self) -> Result<(), OracleReport> {
        self.judge(oracle::losers_drained)
    }

    /// The run did not end in a deadlock.
    ///
    /// # Errors
    /// Who waits for what.
    pub fn deadlock_oracle(&self) -> Result<(), OracleReport> {
        match self.failure.get() {
            Some(f @ LabFailure::Deadlock { .. }) => Err(OracleReport(vec![f.to_string()])),
            _ => self.judge(oracle::deadlock),
        }
    }

    /// All oracles, those of [`LabConfig::oracle`](crate::LabConfig::oracle) included.
    ///
    /// # Errors
    /// Everything they found; and which of them panicked.
    pub fn oracles(&self) -> Result<(), OracleReport> {
        let events = self.events();
        let built_in = oracle::ALL.iter().filter_map(|(name, judge)| {
            let found = asked(name, || judge(&events))?;
            Some(((*name).to_string(), found))
        });
        let own = self.config.oracles.iter().filter_map(|own| {
            let found = own.asked(&events, self.config.traced)?;
            Some((own.name(), found))
        });
        let (names, found): (Vec<String>, Vec<String>) = built_in.chain(own).unzip();
        *locked(&self.findings) = names;
        if found.is_empty() { Ok(()) } else { Err(OracleReport(found)) }
    }

    /// The first frame that was left before its end, in words, if the run was traced. Costs nothing where none was.
    pub(crate) fn left(&self) -> Option<String> {
        if !self.engine.recorder.as_ref().is_some_and(|recorder| recorder.left_a_frame()) {
            return None;
        }
        let report = oracle::bodies_abandoned(&self.events()).err()?;
        report.findings.into_iter().next().map(|finding| finding.what)
    }

    /// The names of the oracles that found something, if they were asked.
    pub(crate) fn findings(&self) -> Vec<String> {
        locked(&self.findings).clone()
    }

    fn judge(&self, oracle: fn(&[Event]) -> Result<(), oracle::Report>) -> Result<(), OracleReport> {
        oracle(&self.events()).map_err(|r| OracleReport(vec![r.to_string()]))
    }
}
