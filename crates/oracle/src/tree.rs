//! [`region_tree`] and [`bodies_abandoned`]: who owns whom stays a tree, and frames are left by returning.

use alloc::collections::BTreeSet;

use trace::{Event, Label};
use types::{RegionId, TaskId};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

/// Judges the shape that `region.tree` promises: from every region a way leads up to the root and never comes round; a
/// region whose frame was dropped goes to one that enclosed it; a region that a task opened lies below the one that owns
/// the task.
///
/// # Errors
/// A finding for each region that hangs elsewhere.
pub fn region_tree(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("region_tree");
    let mut tree = Whereabouts::default();
    for event in events {
        match &event.label {
            Label::RegionOpen { region, parent: Some(parent), within, .. } => {
                if tree.way_up(*parent).any(|above| above == *region) {
                    findings.at(event, format_args!("{region} was opened below itself"));
                }
                let opener = within.and_then(|scope| tree.task_of(scope));
                let owner = opener.and_then(|task| Some((task, tree.tasks.get(&task)?.region)));
                let lost = owner.filter(|(_, owner)| !tree.way_up(*parent).any(|above| above == *owner));
                if let Some((task, owner)) = lost {
                    let (task, owner) = (tree.task(task), tree.region(owner));
                    findings.at(
                        event,
                        format_args!("{region} was opened by {task} and isn't below {owner}, which owns it"),
                    );
                }
            }
            Label::BodyDropped { region, to, .. } => {
                let enclosed = tree.way_up(*region).skip(1).any(|above| above == *to);
                if tree.regions.contains_key(region) && !enclosed {
                    let (region, to) = (tree.region(*region), tree.region(*to));
                    findings.at(event, format_args!("{region} went to {to}, which doesn't enclose it"));
                }
            }
            _ => {}
        }
        tree.note(event);
        if let Label::RegionOpen { region, .. } | Label::BodyDropped { region, .. } = &event.label
            && comes_round(&tree, *region)
        {
            findings.at(event, format_args!("the way up from {} comes round", tree.region(*region)));
        }
    }
    findings.verdict()
}

fn comes_round(tree: &Whereabouts, from: RegionId) -> bool {
    let mut seen = BTreeSet::new();
    !tree.way_up(from).all(|region| seen.insert(region))
}

/// Judges that whoever opens a region, or a bracket, awaits it to its end: no frame is dropped with its body unfinished,
/// by a `select!` that isn't ours or a future that is forgotten.
///
/// What the runtime itself dropped is excepted: tasks that were abandoned at their cleanup deadline, and losers dropped
/// alone. Not one of the oracles that are always asked, as the kernel copes with it and a program may mean it: a
/// lab test whose runs pass says how often there was one, and does not fail by it.
///
/// # Errors
/// A finding for each dropped frame, and for each release that will never run.
pub fn bodies_abandoned(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("bodies_abandoned");
    let mut tree = Whereabouts::default();
    let mut abandoned: BTreeSet<TaskId> = BTreeSet::new();
    for event in events {
        tree.note(event);
        match &event.label {
            Label::TaskAbandon { task } => {
                abandoned.insert(*task);
            }
            Label::BodyDropped { region, site, .. } => {
                let task = tree.opener(*region);
                if task.is_none_or(|task| !abandoned.contains(&task)) {
                    findings.at(event, format_args!("the body of the region at {site} was abandoned"));
                }
            }
            Label::ReleaseSkipped { scope, site }
                if tree.task_of(*scope).is_none_or(|task| !abandoned.contains(&task)) =>
            {
                findings.at(event, format_args!("the bracket at {site} was dropped, its release never ran"));
            }
            _ => {}
        }
    }
    findings.verdict()
}
