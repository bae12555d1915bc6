//! [`Drains`]: whether a region that was asked to stop is closed by its cleanup deadline.

use std::collections::BTreeMap;

use trace::{Event, Label};
use types::{RegionId, Time};

use super::Reader;

/// Regions that are asked to stop and take longer than their cleanup budget.
///
/// Counted at their close. One that was written off counts as overrun. One whose deadline is "never" has no budget to
/// overrun and isn't counted, unless it was written off.
#[derive(Clone, Debug, Default)]
pub struct Drains {
    /// The earliest deadline of each region that was asked and isn't closed.
    asked: BTreeMap<RegionId, Time>,
}

impl Reader for Drains {
    fn read(&mut self, event: &Event) -> Option<bool> {
        match event.label {
            Label::RegionRequest { region, deadline, .. } => {
                let earliest = self.asked.entry(region).or_insert(deadline);
                *earliest = deadline.min(*earliest);
                None
            }
            Label::RegionClose { region, .. } => {
                let deadline = self.asked.remove(&region)?;
                (deadline != Time::MAX).then_some(event.time > deadline)
            }
            Label::RegionWriteOff { region } => {
                self.asked.remove(&region)?;
                // The mistake: only what closes is counted, so the worst drains look like none.
                (!types::seeded!("drains.survivors-only")).then_some(true)
            }
            _ => None,
        }
    }

    fn begin(&mut self) {
        self.asked.clear();
    }
}
