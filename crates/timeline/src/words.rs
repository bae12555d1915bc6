//! A row of the model as a sentence: who, did what, where.
//!
//! Plain words for somebody who wrote the program and not the runtime: "asks R2 to stop (deadline)", not
//! `region-request`. Whatever came from the program is clean when it leaves here (`timeline.harmless`).
//!
//! Not here: how it is laid out and escaped.
use crate::model::{RowOf, Settled, Timeline, Trouble};
use crate::plain::{LONGEST, clean, count, place, span};
use crate::run::TouchRow;
use std::collections::BTreeMap;
use trace::{
    Choice, End, Escalation, FinalizerEnd, Label, ObjectId, ObjectKind, Refused, RegionKind, RegionPhase,
};
use trace::{ScopeEnd, ScopeKind, Site};
use types::{CancelKind, RegionId, Severity, TaskId, Time};

pub(crate) mod label;
pub(crate) use label::{is_bad, scope};

/// A sentence in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// The verb and what follows.
    pub(crate) did: String,
    /// Where in the source.
    pub(crate) site: Option<String>,
}

/// What a row says, without its subject.
pub(crate) fn phrase(line: &Timeline<'_>, row: usize) -> Phrase {
    match line.rows[row].of {
        RowOf::Events { first, count } => label::events(line, first, count),
        RowOf::Touch(at) => {
            let touch = &line.run.steps[at.step].touches[at.touch];
            let did = format!("{} {}", touch.access.verb(), object(line, touch));
            Phrase { did, site: touch.site.as_ref().map(place) }
        }
        RowOf::Wait(index) => {
            let wait = &line.run.waits[index];
            let held =
                wait.holder.map(|holder| format!(", held by {}", by_id(line, holder))).unwrap_or_default();
            let did = format!("waits for {}{held}", clean(&wait.what, LONGEST));
            Phrase { did, site: wait.site.as_ref().map(place) }
        }
    }
}

/// What an object is called: its name, or its kind with its number in the run.
fn object(line: &Timeline<'_>, touch: &TouchRow) -> String {
    if let Some(name) = line.run.object_names.get(&touch.object) {
        return clean(name, LONGEST);
    }
    let kind = match touch.kind {
        ObjectKind::Value => "value",
        ObjectKind::Lock => "lock",
        ObjectKind::SharedLock { .. } => "shared lock",
        ObjectKind::Permits { .. } => "semaphore",
        ObjectKind::Slots { .. } => "room of channel",
        ObjectKind::Queue => "queue",
        ObjectKind::Moment => "moment",
    };
    format!("{kind} {}", number(line, touch.object))
}

fn number(line: &Timeline<'_>, object: ObjectId) -> usize {
    line.objects.iter().position(|seen| *seen == object).map_or(0, |place| place + 1)
}

/// A task as the subject or object of a sentence: its path, and its name if it has one.
pub(crate) fn task(line: &Timeline<'_>, index: usize) -> String {
    let task = &line.tasks[index];
    if task.name.is_empty() { task.path.clone() } else { format!("{} “{}”", task.path, task.name) }
}

fn by_id(line: &Timeline<'_>, id: TaskId) -> String {
    // Linear, but only rows that are shown are said.
    match line.tasks.iter().position(|task| task.id == id) {
        Some(index) => task(line, index),
        None => id.to_string(),
    }
}

/// What a region is called in a sentence.
pub(crate) fn region(line: &Timeline<'_>, index: usize) -> String {
    let region = &line.regions[index];
    match (region.kind, region.body) {
        (RegionKind::Root, _) => "the root".into(),
        (RegionKind::Implicit, Some(body)) => format!("{}'s region", line.tasks[body].path),
        _ => region.name.clone(),
    }
}

fn region_by_id(line: &Timeline<'_>, id: RegionId) -> String {
    line.regions
        .iter()
        .position(|region| region.id == id)
        .map_or_else(|| id.to_string(), |at| region(line, at))
}

/// How a task ended.
pub(crate) fn end(end: End) -> String {
    match end {
        End::Ok => "ok".into(),
        End::Err => "error".into(),
        End::Panicked => "panicked".into(),
        End::Cancelled { kind, .. } => format!("cancelled ({})", cancel(kind)),
    }
}

/// A kind of request.
pub(crate) fn cancel(kind: CancelKind) -> &'static str {
    match kind {
        CancelKind::Explicit => "asked for",
        CancelKind::Deadline => "deadline",
        CancelKind::BudgetExhausted => "budget used up",
        CancelKind::LostRace => "lost a race",
        CancelKind::SiblingFailed => "a sibling failed",
        CancelKind::BodyFailed => "the body failed",
        CancelKind::ChildFailed => "a child failed",
        CancelKind::SpawnRefused => "spawn refused",
        CancelKind::BodyDropped => "the body was dropped",
        CancelKind::Shutdown => "shutdown",
        #[allow(unreachable_patterns, reason = "kinds may come")]
        _ => "another reason",
    }
}

/// How a permit was settled.
pub(crate) fn settled(how: Settled) -> &'static str {
    match how {
        Settled::Committed => "used",
        Settled::Aborted => "given back",
        Settled::Leaked => "leaked",
    }
}

/// The lines of a trouble.
pub(crate) fn trouble(trouble: &Trouble) -> impl Iterator<Item = String> {
    trouble.what.lines().map(|line| clean(line.trim_end(), 4 * LONGEST))
}

/// A text of the engine or an oracle, with `task#123` and `region#123` replaced by what they are called here, and made
/// harmless line by line.
pub(crate) fn with_paths(
    text: &str,
    line: &Timeline<'_>,
    tasks: &BTreeMap<TaskId, usize>,
    regions: &BTreeMap<RegionId, usize>,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(hash) = rest.find('#') {
        let (before, after) = (&rest[..hash], &rest[hash + 1..]);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let number = after[..digits].parse::<u64>().ok();
        let named = number.and_then(|number| {
            if let Some(before) = before.strip_suffix("task") {
                let index = *tasks.get(&TaskId::from_u64(number))?;
                let path = task(line, index);
                return Some((
                    before,
                    if path == "main" { "the root body".into() } else { format!("task {path}") },
                ));
            }
            let before = before.strip_suffix("region")?;
            Some((before, region(line, *regions.get(&RegionId::from_u64(number))?)))
        });
        match named {
            Some((before, name)) => {
                out.push_str(before);
                out.push_str(&name);
                rest = &after[digits..];
            }
            None => {
                out.push_str(before);
                out.push('#');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    let lines: Vec<String> = out.lines().take(64).map(|line| clean(line.trim_end(), 4 * LONGEST)).collect();
    lines.join("\n")
}

/// An instant.
pub(crate) fn time(at: Time) -> String {
    span(at.as_nanos())
}
