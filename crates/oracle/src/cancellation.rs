//! [`cancel_forward`]: requests only grow, reach what is below, and are named truthfully.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use trace::{End, Event, Label, ScopeId};
use types::{CancelKind, RegionId, TaskId, Time};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

#[derive(Default)]
struct Asked {
    kind: Option<CancelKind>,
    deadline: Option<Time>,
    by_handle: bool,
}

impl Asked {
    /// Takes a request in; gives the deadline that would have moved away, if one would.
    fn merge(&mut self, kind: CancelKind, deadline: Time) -> Option<Time> {
        self.kind = self.kind.max(Some(kind));
        let before = self.deadline.replace(self.deadline.map_or(deadline, |before| before.min(deadline)));
        before.filter(|before| deadline > *before)
    }
}

/// Judges `cancel.strengthen`, `cancel.down`, `cancel.effective` and `cancel.acknowledged`, as far as
/// they can be seen without masks: a cleanup deadline never moves away, a task is told nothing that
/// nobody asked and never less than before, nothing is asked of a task that is over, nobody ends
/// cancelled by a request that was never made, and at the end of the trace every task that lives
/// below a region that was asked has been asked too.
///
/// The last one leaves out tasks below a region that was opened inside a mask, and a trace that was
/// cut off while a request was on its way down.
///
/// # Errors
/// A finding for each step backwards and each task that was passed over.
pub fn cancel_forward(events: &[Event]) -> Result<(), Report> {
    let mut judge = Forward::new();
    for event in events {
        judge.step(event);
        judge.tree.note(event);
    }
    let under_way = events.last().is_some_and(|last| {
        use Label as L;
        let label = &last.label;
        matches!(label, L::RegionRequest { .. } | L::TaskRequest { .. } | L::TaskWake { .. })
            || matches!(label, L::RegionOpen { .. } | L::TaskSpawn { .. })
    });
    if !under_way {
        judge.passed_over();
    }
    judge.findings.verdict()
}

struct Forward {
    findings: Findings,
    tree: Whereabouts,
    tasks: BTreeMap<TaskId, Asked>,
    regions: BTreeMap<RegionId, Asked>,
    /// The most severe kind each scope was told.
    told: BTreeMap<ScopeId, CancelKind>,
    shielded: BTreeSet<RegionId>,
    /// Numbers of scopes, regions and tasks on which a request or a refusal was made.
    origins: BTreeSet<u64>,
}

impl Forward {
    fn new() -> Self {
        Self {
            findings: Findings::of("cancel_forward"),
            tree: Whereabouts::default(),
            tasks: BTreeMap::new(),
            regions: BTreeMap::new(),
            told: BTreeMap::new(),
            shielded: BTreeSet::new(),
            origins: BTreeSet::from([0]),
        }
    }

    fn step(&mut self, event: &Event) {
        match &event.label {
            Label::RegionOpen { region, shielded: true, .. } => {
                self.shielded.insert(*region);
            }
            Label::RegionRequest { region, kind, origin, deadline } => {
                self.origins.insert(origin.scope);
                if let Some(before) = self.regions.entry(*region).or_default().merge(*kind, *deadline) {
                    let name = self.tree.region(*region);
                    self.findings
                        .at(event, format_args!("the cleanup deadline of {name} moved away from {before}"));
                }
            }
            Label::TaskRequest { task, kind, origin, deadline } => {
                self.origins.insert(origin.scope);
                if self.tree.tasks.get(task).is_some_and(|seen| seen.over) {
                    let name = self.tree.task(*task);
                    self.findings.at(event, format_args!("{name} is over and was asked to stop"));
                }
                // A walk brings its region's deadline, and knows nothing of an earlier one that the task's
                // handle gave it, nor the other way round.
                let asked = self.tasks.entry(*task).or_default();
                asked.by_handle |= origin.scope == task.as_u64();
                let before = asked.merge(*kind, *deadline).filter(|_| !asked.by_handle);
                if let Some(before) = before {
                    let name = self.tree.task(*task);
                    self.findings
                        .at(event, format_args!("the cleanup deadline of {name} moved away from {before}"));
                }
            }
            Label::ScopeRequest { origin, .. } | Label::SpawnRefused { origin, .. } => {
                self.origins.insert(origin.scope);
            }
            Label::Escalate { region, .. } => {
                // Where the body is gone already, nothing is placed: the task's end is the first to name it.
                self.origins.insert(region.as_u64());
            }
            Label::TaskAck { task, scope, kind, origin } => {
                if !self.origins.contains(&origin.scope) {
                    let name = self.tree.task(*task);
                    self.findings.at(
                        event,
                        format_args!("{name} was told of a request ({kind:?}) that nobody has made"),
                    );
                }
                let told = self.told.entry(*scope).or_insert(*kind);
                if *told > *kind {
                    let name = self.tree.task(*task);
                    self.findings
                        .at(event, format_args!("{name} was told of less ({kind:?}) than before ({told:?})"));
                }
                *told = (*told).max(*kind);
            }
            Label::TaskEnd { task, end: End::Cancelled { kind, origin }, .. }
                if !self.origins.contains(&origin.scope) =>
            {
                let name = self.tree.task(*task);
                self.findings.at(
                    event,
                    format_args!("{name} ended cancelled ({kind:?}) by a request that nobody has made"),
                );
            }
            Label::TaskJoined { task, .. } => {
                // A second join is answered in the task's name.
                self.origins.insert(task.as_u64());
            }
            _ => {}
        }
    }

    /// Every live task whose region, or a region above it that no shield cuts off, was asked.
    fn passed_over(&mut self) {
        let Self { findings, tree, tasks, regions, shielded, .. } = self;
        for (id, seen) in tree.tasks.iter().filter(|(_, seen)| !seen.over) {
            let mut way: Vec<RegionId> = Vec::new();
            for region in tree.way_up(seen.region) {
                way.push(region);
                if shielded.contains(&region) {
                    break;
                }
            }
            let asked =
                way.iter().filter_map(|region| regions.get(region)).filter_map(|asked| asked.kind).max();
            let got = tasks.get(id).and_then(|asked| asked.kind);
            if let Some(asked) = asked.filter(|asked| got < Some(*asked)) {
                let name = tree.task(*id);
                findings.in_the_end(format_args!(
                    "{name} was passed over by a request ({asked:?}) on a region above it"
                ));
            }
        }
    }
}
