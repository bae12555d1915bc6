//! [`quiescence`] and [`no_orphans`]: nothing outlives what owns it.

use alloc::collections::{BTreeMap, BTreeSet};

use trace::{Event, FinalizerId, Label, Site};
use types::{ObligationId, RegionId, TaskId};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

/// Judges `region.quiescent`: when a region closes, below it no task lives, no region is open, no
/// finalizer is pending and no obligation is reserved; and nothing happens there ever after.
///
/// What shutdown wrote off is excepted, as its report says.
///
/// # Errors
/// A finding for each thing that was left, and for each event below a closed region.
pub fn quiescence(events: &[Event]) -> Result<(), Report> {
    let mut judge = Quiescence {
        findings: Findings::of("quiescence"),
        tree: Whereabouts::default(),
        reserved: BTreeMap::new(),
        pending: BTreeMap::new(),
    };
    for event in events {
        judge.after_the_close(event);
        judge.tree.note(event);
        judge.note(event);
    }
    judge.findings.verdict()
}

struct Quiescence {
    findings: Findings,
    tree: Whereabouts,
    reserved: BTreeMap<ObligationId, (RegionId, Site)>,
    pending: BTreeMap<FinalizerId, (RegionId, Site)>,
}

impl Quiescence {
    fn note(&mut self, event: &Event) {
        match &event.label {
            Label::ObligationReserve { obligation, region, site, .. } => {
                self.reserved.insert(*obligation, (*region, site.clone()));
            }
            Label::ObligationRehome { obligation, to } => {
                if let Some(record) = self.reserved.get_mut(obligation) {
                    record.0 = *to;
                }
            }
            Label::ObligationCommit { obligation }
            | Label::ObligationAbort { obligation }
            | Label::ObligationLeak { obligation } => {
                self.reserved.remove(obligation);
            }
            Label::FinalizerRegister { region, finalizer, site } => {
                self.pending.insert(*finalizer, (*region, site.clone()));
            }
            Label::FinalizerEnd { finalizer, .. } => {
                self.pending.remove(finalizer);
            }
            Label::RegionWriteOff { region } => self.pending.retain(|_, (owner, _)| owner != region),
            Label::RegionClose { region, .. } => self.close(event, *region),
            _ => {}
        }
    }

    fn close(&mut self, event: &Event, closed: RegionId) {
        let Self { findings, tree, reserved, pending } = self;
        let below = |at: RegionId| tree.way_up(at).any(|above| above == closed);
        let name = tree.region(closed);
        for (id, _) in tree.tasks.iter().filter(|(_, task)| !task.over && below(task.region)) {
            findings.at(event, format_args!("{name} closed while {} was alive", tree.task(*id)));
        }
        for (id, _) in tree.regions.iter().filter(|(id, region)| !region.closed && below(**id)) {
            findings.at(event, format_args!("{name} closed while {} was open", tree.region(*id)));
        }
        for (id, (_, site)) in reserved.iter().filter(|(_, (owner, _))| below(*owner)) {
            findings.at(event, format_args!("{name} closed while {id}, reserved at {site}, was outstanding"));
        }
        for (id, (_, site)) in pending.iter().filter(|(_, (owner, _))| below(*owner)) {
            findings.at(event, format_args!("{name} closed while {id}, registered at {site}, hadn't run"));
        }
    }

    /// "For ever": an event that starts or does something in a closed region.
    fn after_the_close(&mut self, event: &Event) {
        let region = match &event.label {
            Label::TaskSpawn { region, .. }
            | Label::BodyEnd { region, .. }
            | Label::RegionState { region, .. }
            | Label::FinalizerRegister { region, .. }
            | Label::FinalizerRun { region, .. }
            | Label::ObligationReserve { region, .. }
            | Label::RegionClose { region, .. } => Some(*region),
            Label::RegionOpen { parent, .. } => *parent,
            Label::ObligationRehome { to, .. } => Some(*to),
            Label::TaskPoll { task } => self.region_of(*task),
            _ => None,
        };
        let Some(region) = region else { return };
        let closed = self.tree.regions.get(&region).is_some_and(|seen| seen.closed && !seen.written_off);
        if closed {
            let name = self.tree.region(region);
            self.findings.at(event, format_args!("{name} was closed, and something happened in it"));
        }
    }

    /// The region of a task that isn't written off.
    fn region_of(&self, task: TaskId) -> Option<RegionId> {
        self.tree.tasks.get(&task).filter(|task| !task.written_off).map(|task| task.region)
    }
}

/// Judges `region.tree` and `region.waits`: every task and region is started below a known, open
/// region; none starts, ends or closes twice; and when the root has closed, everything is over.
///
/// # Errors
/// A finding for each orphan, each doubled start or end, and each thing the root didn't wait for.
pub fn no_orphans(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("no_orphans");
    let mut tree = Whereabouts::default();
    let mut roots = BTreeSet::new();
    for event in events {
        match &event.label {
            Label::RegionOpen { region, parent, .. } => {
                if tree.regions.contains_key(region) {
                    findings.at(event, format_args!("{} was opened twice", tree.region(*region)));
                }
                match parent {
                    None => {
                        roots.insert(*region);
                        if roots.len() > 1 {
                            findings.at(event, format_args!("{region} is a second root"));
                        }
                    }
                    Some(parent) => owner_waits(&mut findings, &tree, event, *parent),
                }
            }
            Label::TaskSpawn { task, region, .. } => {
                if tree.tasks.contains_key(task) {
                    findings.at(event, format_args!("{} was spawned twice", tree.task(*task)));
                }
                owner_waits(&mut findings, &tree, event, *region);
            }
            Label::BodyDropped { to, .. } => owner_waits(&mut findings, &tree, event, *to),
            Label::TaskEnd { task, .. } => match tree.tasks.get(task) {
                None => findings.at(event, format_args!("{task} ended and was never spawned")),
                Some(seen) if seen.over => {
                    findings.at(event, format_args!("{} ended twice", tree.task(*task)));
                }
                Some(_) => children_first(&mut findings, &tree, event, *task),
            },
            Label::RegionClose { region, .. } => match tree.regions.get(region) {
                None => findings.at(event, format_args!("{region} closed and was never opened")),
                Some(seen) if seen.closed => {
                    findings.at(event, format_args!("{} closed twice", tree.region(*region)));
                }
                Some(_) => {}
            },
            _ => {}
        }
        tree.note(event);
    }
    if roots.iter().any(|root| tree.regions[root].closed) {
        for (id, _) in tree.tasks.iter().filter(|(_, task)| !task.over) {
            findings.in_the_end(format_args!("the root closed, and {} never ended", tree.task(*id)));
        }
        for (id, _) in tree.regions.iter().filter(|(_, region)| !region.closed) {
            findings.in_the_end(format_args!("the root closed, and {} never did", tree.region(*id)));
        }
    }
    findings.verdict()
}

fn owner_waits(findings: &mut Findings, tree: &Whereabouts, event: &Event, owner: RegionId) {
    match tree.regions.get(&owner) {
        None => findings.at(event, format_args!("{owner} was never opened, nobody waits for what it owns")),
        Some(seen) if seen.closed => {
            let owner = tree.region(owner);
            findings.at(event, format_args!("{owner} was closed already, nobody waits for what it owns"));
        }
        Some(_) => {}
    }
}

/// A task isn't over before the tasks of its implicit region, and of the regions opened in its frame
/// unless that was dropped, are.
fn children_first(findings: &mut Findings, tree: &Whereabouts, event: &Event, task: TaskId) {
    let own = tree
        .regions
        .iter()
        .filter(|(_, region)| !region.closed && !region.dropped && region.within == Some(task.into()));
    for child in own.flat_map(|(id, _)| tree.live_in(*id)) {
        let (task, child) = (tree.task(task), tree.task(child));
        findings.at(event, format_args!("{task} ended before its child {child}"));
    }
}
