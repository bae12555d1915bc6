//! The list of the oracles, and asking them all.
//!
//! Not here: what each of them looks for.
use crate::{
    Report, cancel_forward, deadlock, finalizers_once_in_order, losers_drained, no_foreign_calls, no_orphans,
    obligation_leaks, quiescence,
};
use alloc::vec::Vec;
use trace::Event;

/// A judge of one promise.
pub type Oracle = fn(&[Event]) -> Result<(), Report>;

/// Every oracle and its name, in the order of the table above.
pub const ALL: &[(&str, Oracle)] = &[
    ("quiescence", quiescence),
    ("no_orphans", no_orphans),
    ("obligation_leaks", obligation_leaks),
    ("losers_drained", losers_drained),
    ("finalizers_once_in_order", finalizers_once_in_order),
    ("cancel_forward", cancel_forward),
    ("deadlock", deadlock),
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
