//! Which events share a row, and which have none.
//!
//! A region that ends says so in up to five events, a request has one for everybody it reaches, a combinator one for
//! every branch. To a reader each of these is one thing.
//!
//! Not here: what the events mean (`build/fold`), how a row of several is said (`words`).
use crate::model::{RowOf, Timeline};
use trace::{Label, ScopeKind};
use types::RegionId;

/// Events that shape spans and arrows but are no line: how the engine ran.
pub(super) fn is_quiet(label: &Label) -> bool {
    matches!(
        label,
        Label::Decision { .. }
            | Label::Checkpoint { .. }
            | Label::TaskPoll { .. }
            | Label::TimerArm { .. }
            | Label::TimerDisarm { .. }
    )
}

/// Whether the event belongs to the last row.
pub(super) fn joins(line: &Timeline<'_>, index: usize) -> bool {
    let Some(RowOf::Events { first, count }) = line.rows.last().map(|row| row.of) else { return false };
    let events = line.run.events;
    // Nothing may stand between them, not even what has no line.
    if first + count != index {
        return false;
    }
    let (head, last, next) = (&events[first].label, &events[index - 1].label, &events[index].label);
    match (last, next) {
        (Label::BodyEnd { region: a, .. } | Label::RegionState { region: a, .. }, _) => {
            ends(next) == Some(*a)
        }
        (Label::ScopeOpen { .. }, Label::ScopeOpen { parent, kind: ScopeKind::Branch, .. }) => {
            matches!(head, Label::ScopeOpen { scope, kind: ScopeKind::Combinator, .. } if scope == parent)
        }
        _ => match (request(last), request(next)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

/// The region whose last phases a label is about.
fn ends(label: &Label) -> Option<RegionId> {
    match label {
        Label::RegionState { region, .. } | Label::RegionClose { region, .. } => Some(*region),
        _ => None,
    }
}

/// The request that a label is a part of.
fn request(label: &Label) -> Option<(types::CancelKind, types::Origin)> {
    match label {
        Label::RegionRequest { kind, origin, .. }
        | Label::TaskRequest { kind, origin, .. }
        | Label::ScopeRequest { kind, origin, .. } => Some((*kind, *origin)),
        _ => None,
    }
}
