//! [`deadlock`]: circles of tasks that wait for each other; and calls from outside a closed world.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use trace::{Event, Label, Text, TimerId};
use types::TaskId;

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

/// One edge of a wait-for graph: a task that waits for what another one holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wait {
    /// The waiting task.
    pub task: TaskId,
    /// The task that holds what it waits for.
    pub holder: TaskId,
    /// What it waits for.
    pub what: Text,
}

/// A circle in a wait-for graph, starting at its smallest task; `None` if there is none.
///
/// Each task waits for at most one holder here (the last edge given for it counts), so the walk is
/// linear in the number of edges.
#[must_use]
pub fn cycle(waits: &[Wait]) -> Option<Vec<Wait>> {
    let edges: BTreeMap<TaskId, &Wait> = waits.iter().map(|wait| (wait.task, wait)).collect();
    let mut done: BTreeSet<TaskId> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<TaskId> = Vec::new();
        let mut at = *start;
        while let Some(wait) = edges.get(&at).filter(|_| !done.contains(&at)) {
            if let Some(from) = path.iter().position(|seen| *seen == at) {
                let mut circle: Vec<Wait> = path[from..].iter().map(|task| edges[task].clone()).collect();
                let least = (0..circle.len()).min_by_key(|i| circle[*i].task)?;
                circle.rotate_left(least);
                return Some(circle);
            }
            path.push(at);
            at = wait.holder;
        }
        done.extend(path);
    }
    None
}

/// Judges that no tasks wait for each other in a circle: by the `WaitFor` events (each holds until
/// its task is polled, woken or over; a task with an armed timer may still wake by itself), and by
/// the `Deadlock` and `Stuck` events in which the engine said so itself.
///
/// # Errors
/// One finding per circle, naming every task on it and what it waits for.
pub fn deadlock(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("deadlock");
    let mut tree = Whereabouts::default();
    let mut waits: BTreeMap<TaskId, Wait> = BTreeMap::new();
    let mut timers: BTreeMap<TimerId, TaskId> = BTreeMap::new();
    let mut reported: BTreeSet<TaskId> = BTreeSet::new();
    for event in events {
        tree.note(event);
        match &event.label {
            Label::WaitFor { task, holder, what } => {
                match holder {
                    Some(holder) => {
                        let (task, holder, what) = (*task, *holder, what.clone());
                        waits.insert(task, Wait { task, holder, what });
                    }
                    None => drop(waits.remove(task)),
                }
                let asleep: BTreeSet<TaskId> = timers.values().copied().collect();
                let stuck: Vec<Wait> =
                    waits.values().filter(|wait| !asleep.contains(&wait.task)).cloned().collect();
                let circle = cycle(&stuck).filter(|circle| !reported.contains(&circle[0].task));
                if let Some(circle) = circle {
                    findings.at(event, format_args!("{}", describe(&tree, &circle)));
                    reported.extend(circle.iter().map(|wait| wait.task));
                }
            }
            Label::TaskPoll { task } | Label::TaskWake { task, .. } | Label::TaskEnd { task, .. } => {
                waits.remove(task);
                reported.remove(task);
            }
            Label::TimerArm { timer, task: Some(task), .. } => {
                timers.insert(*timer, *task);
            }
            Label::TimerFire { timer } | Label::TimerDisarm { timer } => {
                timers.remove(timer);
            }
            Label::Deadlock { task } if !reported.contains(task) => {
                findings.at(event, format_args!("{} is deadlocked, said the engine", tree.task(*task)));
            }
            Label::Stuck { steps } => {
                findings.at(event, format_args!("the run got nowhere for {steps} steps"));
            }
            _ => {}
        }
    }
    findings.verdict()
}

fn describe(tree: &Whereabouts, circle: &[Wait]) -> String {
    let mut words = format!("deadlock: {} waits for", tree.task(circle[0].task));
    for (at, wait) in circle.iter().enumerate() {
        let link = if at == 0 { "" } else { ", which waits for" };
        words += &format!("{link} {} held by {}", wait.what, tree.task(wait.holder));
    }
    words
}

/// Judges that in the lab nobody called in from a thread that isn't the lab's: such a call comes at a
/// moment no seed controls.
///
/// # Errors
/// A finding for each call.
pub fn no_foreign_calls(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("no_foreign_calls");
    for event in events {
        if let Label::ForeignCall { what } = &event.label {
            findings.at(event, format_args!("{what} was called from a thread outside the lab"));
        }
    }
    findings.verdict()
}
