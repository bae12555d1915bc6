//! [`phases_forward`]: regions and tasks go through their phases in order, each once.

use alloc::collections::{BTreeMap, BTreeSet};

use trace::{Event, Label, RegionKind, RegionPhase};
use types::{RegionId, TaskId};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

/// Judges the table of phases (`region.no-admit`) and the protocol of cancellation:
///
/// - a region goes from open through draining, finalizing and settling to closed, leaving none out;
/// - a task becomes a member of an open region only, and a region is opened below one that is open or draining (so may the
///   janitor be started that closes a region whose frame is gone, and while a finalizer runs whoever waits for a closure of it);
/// - a task that is over isn't told of a request, isn't polled and doesn't end again; only one that is over is joined.
///
/// # Errors
/// A finding for each step that is out of order.
pub fn phases_forward(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("phases_forward");
    let mut tree = Whereabouts::default();
    let mut phases: BTreeMap<RegionId, RegionPhase> = BTreeMap::new();
    let mut over: BTreeSet<TaskId> = BTreeSet::new();
    let mut finalizing: BTreeSet<RegionId> = BTreeSet::new();
    for event in events {
        match &event.label {
            Label::RegionOpen { region, parent, kind, .. } => {
                phases.insert(*region, RegionPhase::Open);
                let above = parent.and_then(|parent| Some((parent, *phases.get(&parent)?)));
                // A task's own region, and a branch's, belong to a task that is there already.
                let may = |phase| phase <= RegionPhase::Draining || *kind != RegionKind::Frame;
                if let Some((parent, phase)) = above.filter(|(_, phase)| !may(*phase)) {
                    let (parent, phase) = (tree.region(parent), word(phase));
                    findings.at(event, format_args!("{region} was opened below {parent}, which is {phase}"));
                }
            }
            Label::RegionState { region, to } => {
                moved(&mut findings, &tree, &mut phases, event, *region, *to)
            }
            Label::RegionClose { region, .. } => {
                moved(&mut findings, &tree, &mut phases, event, *region, RegionPhase::Closed);
            }
            Label::RegionWriteOff { region } => {
                phases.insert(*region, RegionPhase::Closed);
            }
            Label::TaskSpawn { task, region, site, .. } => {
                let janitor = tree.regions.iter().any(|(id, seen)| {
                    let left = seen.dropped || tree.opener(*id).is_some_and(|task| tree.tasks[&task].over);
                    seen.parent == Some(*region) && seen.site == *site && !seen.closed && left
                });
                let last = match (finalizing.contains(region), janitor) {
                    (true, _) => RegionPhase::Finalizing,
                    (false, true) => RegionPhase::Draining,
                    (false, false) => RegionPhase::Open,
                };
                if let Some(phase) = phases.get(region).filter(|phase| **phase > last) {
                    let (region, phase) = (tree.region(*region), word(*phase));
                    findings.at(event, format_args!("{region} took {task} in while it was {phase}"));
                }
            }
            Label::FinalizerRun { region, .. } => {
                finalizing.insert(*region);
            }
            Label::FinalizerEnd { region, .. } => {
                finalizing.remove(region);
            }
            Label::TaskAck { task, .. } | Label::TaskPoll { task } if over.contains(task) => {
                findings.at(event, format_args!("{} was over and did something", tree.task(*task)));
            }
            Label::TaskEnd { task, .. } if !over.insert(*task) => {
                findings.at(event, format_args!("{} ended twice", tree.task(*task)));
            }
            Label::TaskJoined { task, .. } if tree.tasks.contains_key(task) && !over.contains(task) => {
                findings.at(event, format_args!("{} was joined before it had ended", tree.task(*task)));
            }
            _ => {}
        }
        tree.note(event);
    }
    findings.verdict()
}

fn moved(
    findings: &mut Findings,
    tree: &Whereabouts,
    phases: &mut BTreeMap<RegionId, RegionPhase>,
    event: &Event,
    region: RegionId,
    to: RegionPhase,
) {
    let Some(from) = phases.insert(region, to) else { return };
    if next(from) != Some(to) {
        let (name, from, to) = (tree.region(region), word(from), word(to));
        findings.at(event, format_args!("{name} went from {from} to {to}"));
    }
}

fn next(phase: RegionPhase) -> Option<RegionPhase> {
    match phase {
        RegionPhase::Open => Some(RegionPhase::Draining),
        RegionPhase::Draining => Some(RegionPhase::Finalizing),
        RegionPhase::Finalizing => Some(RegionPhase::Settling),
        RegionPhase::Settling => Some(RegionPhase::Closed),
        RegionPhase::Closed => None,
    }
}

fn word(phase: RegionPhase) -> &'static str {
    match phase {
        RegionPhase::Open => "open",
        RegionPhase::Draining => "draining",
        RegionPhase::Finalizing => "finalizing",
        RegionPhase::Settling => "settling",
        RegionPhase::Closed => "closed",
    }
}
