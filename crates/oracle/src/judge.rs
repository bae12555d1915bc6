//! The list of the oracles, and asking them all.
//!
//! Not here: what each of them looks for.
use crate::{
    Report, bounded_cleanup, budget_monotone, cancel_forward, deadlock, finalizers_once_in_order, futurelock,
    livelock, losers_drained, lost_wakeup, no_foreign_calls, no_orphans, obligation_leaks, phases_forward,
    quiescence, region_tree,
};
use alloc::vec::Vec;
use trace::Event;

/// A judge of one promise.
pub type Oracle = fn(&[Event]) -> Result<(), Report>;

/// Every oracle that is always asked, and its name.
pub const ALL: &[(&str, Oracle)] = &[
    ("quiescence", quiescence),
    ("no_orphans", no_orphans),
    ("obligation_leaks", obligation_leaks),
    ("losers_drained", losers_drained),
    ("finalizers_once_in_order", finalizers_once_in_order),
    ("cancel_forward", cancel_forward),
    ("phases_forward", phases_forward),
    ("region_tree", region_tree),
    ("bounded_cleanup", bounded_cleanup),
    ("budget_monotone", budget_monotone),
    ("deadlock", deadlock),
    ("lost_wakeup", lost_wakeup),
    ("livelock", livelock),
    ("futurelock", futurelock),
    ("no_foreign_calls", no_foreign_calls),
];

/// Asks every oracle.
///
/// # Errors
/// The reports of those that found something, in the order of [`ALL`].
pub fn judge(events: &[Event]) -> Result<(), Vec<Report>> {
    let reports: Vec<Report> = ALL.iter().filter_map(|(_, oracle)| oracle(events).err()).collect();
    if reports.is_empty() { Ok(()) } else { Err(reports) }
}
