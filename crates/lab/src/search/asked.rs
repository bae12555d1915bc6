//! [`Asked`]: what a search was asked for that labs have to know too.
//!
//! Such a setting stands in the configuration of the labs, and the configuration may be replaced, before or after:
//! `LabTest` gives each search its own. Without this memory the search would then go on without what it was asked for,
//! and pass.
//!
//! Not here: what else a search is asked for, which labs need not know.
use crate::config::LabConfig;

/// See the module. `None` where the configuration decides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// `Search::eager_time`.
    pub(super) overtakings: Option<u32>,
    /// `Search::branch_on_random`.
    pub(super) numbers_below: Option<u32>,
    /// `Search::faults`.
    pub(super) faults_one_in: Option<u32>,
}

impl Asked {
    /// The configuration with what was asked for.
    pub(super) fn of(self, mut config: LabConfig) -> LabConfig {
        if let Some(overtakings) = self.overtakings {
            config = config.eager_time(overtakings)
        }
        if let Some(below) = self.numbers_below {
            config = config.decide_numbers(below)
        }
        if let Some(n) = self.faults_one_in {
            // The rest of the network is as the configuration has it: how slow it is, how much it holds.
            config.net = config.net.reset_one_in(n).accept_fails_one_in(n)
        }
        config
    }
}
