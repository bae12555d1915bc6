//! Statistics of runs that are claimed to be rare, and the panel that puts them to the test.
//!
//! Invariant `claims.drawn`: claims are put to runs that were drawn, never to an enumeration.
//!
//! Not here: the tests (`monitor`), what a run's failure is (`hunt`).
use super::Search;
use crate::runtime::LabRuntime;
use monitor::{Panel, Question};
use std::fmt;
use std::sync::Arc;

type Statistic = dyn Fn(&LabRuntime) -> Option<bool> + Send + Sync;

/// A question, and who answers it for each run.
#[derive(Clone)]
pub(super) struct Claim {
    question: Question,
    statistic: Arc<Statistic>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&self.question.to_string()).finish()
    }
}

impl Claim {
    pub(super) fn new(
        question: Question,
        statistic: impl Fn(&LabRuntime) -> Option<bool> + Send + Sync + 'static,
    ) -> Claim {
        Claim { question, statistic: Arc::new(statistic) }
    }
}

impl Search {
    /// A panel of the claims, if there are any.
    ///
    /// # Panics
    /// If there are, and nothing is drawn.
    pub(super) fn panel(&self, test: &str) -> Option<Panel> {
        if self.claims.is_empty() {
            return None;
        }
        self.draws(test);
        Some(self.claims.iter().fold(Panel::new(), |panel, claim| panel.told(claim.question.clone())))
    }

    /// # Panics
    /// If the search draws nothing.
    pub(super) fn draws(&self, test: &str) {
        assert!(
            self.sampled().is_some(),
            "lab: `{test}` makes a claim about a rate, but this search draws none of its schedules, so there is no rate; take \
             a sampler: random, pct:DEPTH, pos or urw"
        )
    }

    /// What the claims' statistics say of the run.
    pub(super) fn observations(&self, lab: &LabRuntime) -> Vec<Option<bool>> {
        self.claims.iter().map(|claim| (claim.statistic)(lab)).collect()
    }

    /// Puts them to the panel.
    pub(super) fn observe(&self, panel: &mut Panel, observations: &[Option<bool>]) {
        for (monitor, seen) in panel.monitors_mut().zip(observations) {
            if let Some(violated) = seen {
                monitor.observe(*violated)
            }
        }
    }
}
