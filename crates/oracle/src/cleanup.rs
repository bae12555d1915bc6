//! [`bounded_cleanup`], [`cleanup_in_time`] and [`budget_monotone`]: whoever is asked to stop does so in time, and nobody below has more time
//! than who is above.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use trace::{Event, FinalizerId, Label, ScopeId, ScopeKind};
use types::{Origin, RegionId, TaskId, Time};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

/// Judges `cancel.bounded` where the runtime answers for it: a task of a region that abandons (`AfterGrace::Abandon`)
/// and that was asked to stop is over by the earliest cleanup deadline that it was given.
///
/// The clock has to have moved past the deadline with the task still there. While a finalizer runs below the task, or it or
/// somebody below it acquires or releases in a bracket, nothing is said: those have bounds of their own.
///
/// # Errors
/// A finding for each task that outlived its deadline, at the first event that shows it.
pub fn bounded_cleanup(events: &[Event]) -> Result<(), Report> {
    overdue("bounded_cleanup", events, |tree, task| {
        tree.tasks
            .get(&task)
            .and_then(|seen| tree.regions.get(&seen.region))
            .is_some_and(|seen| seen.abandons)
    })
}

/// As [`bounded_cleanup`], also for tasks that nobody drops: those of regions that wait, and report who is late.
///
/// Not one of the oracles that are always asked: a program may mean to take its time.
///
/// # Errors
/// As there.
pub fn cleanup_in_time(events: &[Event]) -> Result<(), Report> {
    overdue("cleanup_in_time", events, |_, _| true)
}

fn overdue(
    oracle: &'static str,
    events: &[Event],
    concerns: impl Fn(&Whereabouts, TaskId) -> bool,
) -> Result<(), Report> {
    let mut findings = Findings::of(oracle);
    let mut tree = Whereabouts::default();
    let mut deadlines: BTreeMap<TaskId, Time> = BTreeMap::new();
    let mut running: BTreeMap<FinalizerId, RegionId> = BTreeMap::new();
    let mut brackets: BTreeMap<ScopeId, TaskId> = BTreeMap::new();
    let mut now = Time::ZERO;
    for event in events {
        if event.time > now {
            now = event.time;
            let late: Vec<(TaskId, Time)> =
                deadlines.iter().filter(|(_, by)| **by < now).map(|(task, by)| (*task, *by)).collect();
            for (task, by) in late {
                deadlines.remove(&task);
                if concerns(&tree, task) && !own_bound(&tree, &running, &brackets, task) {
                    let name = tree.task(task);
                    findings.at(
                        event,
                        format_args!("{name} was asked to stop, had until {by} and is still there"),
                    );
                }
            }
        }
        tree.note(event);
        match &event.label {
            Label::TaskRequest { task, deadline, .. } => {
                let by = deadlines.entry(*task).or_insert(*deadline);
                *by = (*by).min(*deadline);
            }
            Label::TaskEnd { task, .. } | Label::TaskWriteOff { task } => {
                deadlines.remove(task);
            }
            Label::FinalizerRun { region, finalizer } => {
                running.insert(*finalizer, *region);
            }
            Label::FinalizerEnd { finalizer, .. } => {
                running.remove(finalizer);
            }
            Label::ScopeOpen { scope, task, kind: ScopeKind::Phase { masked: true }, .. } => {
                brackets.insert(*scope, *task);
            }
            Label::ScopeClose { scope, .. } => {
                brackets.remove(scope);
            }
            _ => {}
        }
    }
    findings.verdict()
}

/// Whether the task waits for a finalizer or for a masked phase of a bracket.
fn own_bound(
    tree: &Whereabouts,
    running: &BTreeMap<FinalizerId, RegionId>,
    brackets: &BTreeMap<ScopeId, TaskId>,
    task: TaskId,
) -> bool {
    let waits_for = |region: RegionId| tree.way_up(region).any(|above| tree.opener(above) == Some(task));
    let finalizes = running.values().any(|region| waits_for(*region));
    let within =
        |other: &TaskId| *other == task || tree.tasks.get(other).is_some_and(|seen| waits_for(seen.region));
    finalizes || brackets.values().any(within)
}

#[derive(Default)]
struct Given {
    /// The cleanup deadline that each request gave the region.
    regions: BTreeMap<RegionId, BTreeMap<Origin, Time>>,
    shielded: BTreeSet<RegionId>,
}

impl Given {
    /// What the same request gave the nearest region from `from` on upwards, if a mask isn't in between.
    fn above(&self, tree: &Whereabouts, from: RegionId, origin: Origin) -> Option<(RegionId, Time)> {
        for region in tree.way_up(from) {
            if let Some(by) = self.regions.get(&region).and_then(|given| given.get(&origin)) {
                return Some((region, *by));
            }
            if self.shielded.contains(&region) {
                return None;
            }
        }
        None
    }
}

/// Judges that time to clean up only gets shorter on its way down: a region or task that a request reaches through a
/// region above it gets no later deadline than that region had.
///
/// This is the part of "a child's budget is never looser than its parent's" that a trace can show: poll and cost quotas
/// are ceilings that scopes keep for themselves.
///
/// # Errors
/// A finding for each that was given more.
pub fn budget_monotone(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("budget_monotone");
    let mut tree = Whereabouts::default();
    let mut given = Given::default();
    for event in events {
        tree.note(event);
        match &event.label {
            Label::RegionOpen { region, shielded: true, .. } => {
                given.shielded.insert(*region);
            }
            Label::RegionRequest { region, origin, deadline, .. } => {
                let parent = tree.regions.get(region).and_then(|seen| seen.parent);
                let above = parent.filter(|_| !given.shielded.contains(region));
                let above = above.and_then(|parent| given.above(&tree, parent, *origin));
                if let Some((above, by)) = above.filter(|(_, by)| *by < *deadline) {
                    let (name, above) = (tree.region(*region), tree.region(above));
                    findings.at(
                        event,
                        format_args!(
                            "{name} was given until {deadline}, and {above} above it only until {by}"
                        ),
                    );
                }
                given.regions.entry(*region).or_default().insert(*origin, *deadline);
            }
            Label::TaskRequest { task, origin, deadline, .. } => {
                let region = tree.tasks.get(task).map(|seen| seen.region);
                let above = region.and_then(|region| given.above(&tree, region, *origin));
                if let Some((above, by)) = above.filter(|(_, by)| *by < *deadline) {
                    let (name, above) = (tree.task(*task), tree.region(above));
                    findings.at(
                        event,
                        format_args!(
                            "{name} was given until {deadline}, and {above} above it only until {by}"
                        ),
                    );
                }
            }
            _ => {}
        }
    }
    findings.verdict()
}
