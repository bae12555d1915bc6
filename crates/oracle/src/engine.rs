//! [`lost_wakeup`], [`livelock`] and [`futurelock`]: what only the engine can see (it polls, it counts steps, it knows what
//! is held) and says in the trace.

use trace::{Event, Label};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

/// Judges that nobody could go on who was not woken: at quiescence the engine polls those who wait, once, and says who
/// went on.
///
/// # Errors
/// A finding for each task that was not woken.
pub fn lost_wakeup(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("lost_wakeup");
    let mut tree = Whereabouts::default();
    for event in events {
        tree.note(event);
        if let Label::LostWakeup { task, what } = &event.label {
            let task = tree.task(*task);
            findings.at(event, format_args!("{task} waited for {what}, could go on, and nobody woke it"));
        }
    }
    findings.verdict()
}

/// Judges that the run did not end going round in a loop.
///
/// # Errors
/// The loop, once.
pub fn livelock(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("livelock");
    for event in events {
        if let Label::Livelock { steps, period, what } = &event.label {
            findings.at(
                event,
                format_args!("after {steps} steps the run repeats the same {period} of them: {what}"),
            );
        }
    }
    findings.verdict()
}

/// Judges that nobody waits for what is held by a future that isn't polled: one that a `select!` has left aside, or that
/// its task keeps while it awaits something else (Oxide's RFD 609).
///
/// # Errors
/// A finding for each that waits.
pub fn futurelock(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("futurelock");
    let mut tree = Whereabouts::default();
    for event in events {
        tree.note(event);
        if let Label::Futurelock { task, holder, what } = &event.label {
            let (task, holder) = (tree.task(*task), tree.task(*holder));
            findings.at(event, format_args!("{task} waits for {what}, held in {holder}"));
        }
    }
    findings.verdict()
}
