//! The nouns of the model, one object each.
use super::*;
use crate::model::Settled;

/// Every list of nouns.
pub(super) fn all(line: &Timeline<'_>, window: &Window, out: &mut Writer) {
    let near = |from: usize, to: Option<usize>| window.span(from, to).is_some();
    out.list(
        "troubles",
        line.troubles.iter().map(|t| {
            object(&[
                ("by", quoted(t.by)),
                ("what", quoted(&t.what)),
                ("row", optional(t.row)),
                ("tasks", numbers(&t.tasks)),
            ])
        }),
    );
    out.list("tasks", (0..line.tasks.len().min(MOST)).map(|index| task(line, index)));
    out.field("order", &numbers(&line.order[..line.order.len().min(MOST)]));
    out.list("regions", (0..line.regions.len().min(MOST)).map(|index| region(line, index)));
    out.list("scopes", line.scopes.iter().filter(|s| near(s.from, s.to)).map(scope));
    out.list(
        "requests",
        line.requests.iter().filter(|r| near(r.row, Some(r.row))).map(|r| {
            object(&[
                ("kind", quoted(words::cancel(r.kind))),
                ("row", r.row.to_string()),
                ("tasks", numbers(&r.tasks)),
                ("regions", numbers(&r.regions)),
                ("seen", pairs(r.seen.iter().map(|(task, row)| (task.to_string(), *row)))),
            ])
        }),
    );
    let permits = line.obligations.iter().filter(|o| near(o.from, o.settled.map(|s| s.1)));
    out.list("permits", permits.map(permit));
    out.list(
        "waits",
        line.waits.iter().filter(|w| near(w.from, w.to)).map(|w| {
            object(&[
                ("task", w.task.to_string()),
                ("what", quoted(&w.what)),
                ("holder", optional(w.holder)),
                ("from", w.from.to_string()),
                ("to", optional(w.to)),
                ("site", site(w.site.as_ref())),
            ])
        }),
    );
    out.list(
        "timers",
        line.timers.iter().filter(|t| near(t.from, t.to)).map(|t| {
            object(&[
                ("task", optional(t.task)),
                ("due", quoted(&t.due.as_nanos().to_string())),
                ("from", t.from.to_string()),
                ("to", optional(t.to)),
                ("fired", t.fired.to_string()),
            ])
        }),
    );
    let arrows = line.arrows.iter().filter(|a| near(a.from, Some(a.from)) || near(a.to, Some(a.to)));
    out.list(
        "arrows",
        arrows.map(|a| {
            object(&[
                ("kind", quoted(a.kind.name())),
                ("from", a.from.to_string()),
                ("from_task", a.from_task.to_string()),
                ("to", a.to.to_string()),
                ("to_task", a.to_task.to_string()),
            ])
        }),
    );
}

fn task(line: &Timeline<'_>, index: usize) -> String {
    let t = &line.tasks[index];
    object(&[
        ("path", quoted(&t.path)),
        ("name", quoted(&t.name)),
        ("id", quoted(&t.id.as_u64().to_string())),
        ("site", site(t.site.as_ref())),
        ("parent", optional(t.parent)),
        ("region", optional(t.region)),
        ("daemon", t.daemon.to_string()),
        ("from", t.from.to_string()),
        ("to", optional(t.to)),
        ("end", t.end.map_or("null".into(), |end| quoted(&words::end(end)))),
        ("failure", t.failure.to_string()),
        ("lost", t.lost.to_string()),
    ])
}

fn region(line: &Timeline<'_>, index: usize) -> String {
    let r = &line.regions[index];
    let kind = match r.kind {
        RegionKind::Root => "root",
        RegionKind::Frame => "frame",
        RegionKind::Implicit => "implicit",
        RegionKind::Branch => "branch",
    };
    let phase = |phase: RegionPhase| match phase {
        RegionPhase::Open => "\"open\"",
        RegionPhase::Draining => "\"draining\"",
        RegionPhase::Finalizing => "\"finalizing\"",
        RegionPhase::Settling => "\"settling\"",
        RegionPhase::Closed => "\"closed\"",
    };
    object(&[
        ("name", quoted(&words::region(line, index))),
        ("id", quoted(&r.id.as_u64().to_string())),
        ("kind", quoted(kind)),
        ("parent", optional(r.parent)),
        ("body", optional(r.body)),
        ("site", site(Some(&r.site))),
        ("from", r.from.to_string()),
        ("to", optional(r.to)),
        ("outcome", r.outcome.map_or("null".into(), |outcome| quoted(&outcome.to_string()))),
        ("phases", pairs(r.phases.iter().map(|(p, row)| (phase(*p).into(), *row)))),
    ])
}

fn scope(s: &crate::Scope) -> String {
    let end = s.end.map(|end| match end {
        ScopeEnd::Returned => "returned",
        ScopeEnd::Dropped => "dropped",
        ScopeEnd::Forced => "forced",
    });
    object(&[
        ("task", optional(s.task)),
        ("kind", quoted(words::scope(s.kind))),
        ("parent", optional(s.parent)),
        ("from", s.from.to_string()),
        ("to", optional(s.to)),
        ("end", end.map_or("null".into(), quoted)),
        ("won", s.won.to_string()),
    ])
}

fn permit(o: &crate::Obligation) -> String {
    let settled = o.settled.map(|(how, _)| match how {
        Settled::Committed => "committed",
        Settled::Aborted => "aborted",
        Settled::Leaked => "leaked",
    });
    object(&[
        ("kind", quoted(&o.kind.to_string())),
        ("region", optional(o.region)),
        ("by", optional(o.by)),
        ("site", site(Some(&o.site))),
        ("from", o.from.to_string()),
        ("settled", settled.map_or("null".into(), quoted)),
        ("to", optional(o.settled.map(|(_, row)| row))),
    ])
}

fn object(fields: &[(&str, String)]) -> String {
    let mut out = Writer::default();
    out.open('{');
    fields.iter().for_each(|(name, value)| out.field(name, value));
    out.close('}');
    out.text
}

fn site(site: Option<&trace::Site>) -> String {
    site.map_or("null".into(), |site| quoted(&place(site)))
}

fn numbers(list: &[usize]) -> String {
    format!("[{}]", list.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
}

fn pairs(list: impl Iterator<Item = (String, usize)>) -> String {
    format!("[{}]", list.map(|(a, b)| format!("[{a},{b}]")).collect::<Vec<_>>().join(","))
}
