//! A look at the tree, as text for people: who is there, what each waits for and since when, and why a
//! region that should close does not.
//!
//! ```text
//! root                             open      2m14s
//! ├─ http-server  src/main.rs:31   CLOSING   4.2s   reason: shutdown asked by signal SIGTERM
//! │  ├─ conn #812  src/http.rs:88  draining  4.2s   waits: Sender::reserve (full)
//! │  └─ conn (x37 alike)  ..
//! ```
//! Pure: a view and an instant in, text out. A task's own region is not shown as a line: what is in it hangs
//! on the task. Siblings that differ only in what follows ` #` in their names, and in how long they wait, are
//! one line.
//!
//! Not here: taking the view ([`Region::view`](crate::Region::view)), where the text goes.
use crate::inspect::{MemberView, RegionView};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use core::panic::Location;
use core::time::Duration;
use trace::{RegionKind, RegionPhase};
use types::{AfterGrace, Time};

/// So many alike siblings are one line.
const ALIKE: usize = 3;

/// One line, and what hangs below it.
struct Node {
    label: String,
    at: String,
    state: &'static str,
    age: Option<Duration>,
    detail: String,
    /// How many this line stands for.
    alike: usize,
    below: Vec<Node>,
}

/// The tree as text, one line for each region and task (alike siblings are one), then one paragraph for each
/// region that is asked to close and has not: what keeps it, and until when.
pub fn render(view: &RegionView, now: Time) -> String {
    let mut rows = Vec::new();
    lay_out(&region(view, now), "", "", &mut rows);
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let pad = width - cell.chars().count() + 2;
            line.push_str(cell);
            line.extend(core::iter::repeat_n(' ', pad));
        }
        line.push_str(&row[3]);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    why_open(view, now, &mut text);
    text
}

fn region(view: &RegionView, now: Time) -> Node {
    let label = match (&view.name, view.kind) {
        (Some(name), _) => name.to_string(),
        (None, RegionKind::Root | RegionKind::Implicit) => "root".into(),
        (None, RegionKind::Branch) => "branch".into(),
        (None, RegionKind::Frame) => "region".into(),
    };
    let mut detail = String::new();
    if let Some(request) = &view.request {
        let _ = write!(detail, "reason: {}", request.why());
    }
    let asked_at = view.request.as_ref().and_then(|request| request.when());
    // Nested frames have one body: what it waits for is said where it stands.
    let innermost = view.children.iter().all(|child| is_member(view, child));
    if view.phase == RegionPhase::Open
        && innermost
        && let Some(kind) = view.body_waits_for
    {
        separate(&mut detail);
        let _ = write!(detail, "waits: {kind}");
    }
    Node {
        label,
        at: place(view.opened_at),
        state: state(view),
        age: Some(now.saturating_since(asked_at.unwrap_or(view.opened))),
        detail,
        alike: 1,
        below: contents(view, now),
    }
}

fn state(view: &RegionView) -> &'static str {
    match view.phase {
        RegionPhase::Closed => "closed",
        RegionPhase::Finalizing => "finalizing",
        RegionPhase::Settling => "settling",
        _ if view.request.is_some() => "CLOSING",
        RegionPhase::Draining => "draining",
        RegionPhase::Open => "open",
    }
}

/// What hangs below a region: its members with what they opened, and the regions of others.
fn contents(view: &RegionView, now: Time) -> Vec<Node> {
    let mut nodes: Vec<_> = view.members.iter().rev().map(|m| member(m, view, now)).collect();
    for child in view.children.iter().filter(|child| !is_member(view, child)) {
        match child.kind {
            // Of a body that is no member (the root's): what it owns hangs where the body does.
            RegionKind::Implicit => nodes.extend(contents(child, now)),
            _ => nodes.push(region(child, now)),
        }
    }
    group(nodes)
}

/// Whether a child region was opened by a member of its parent, and not by the body.
fn is_member(view: &RegionView, child: &RegionView) -> bool {
    view.members.iter().any(|m| Some(m.task) == child.body)
}

fn member(m: &MemberView, within: &RegionView, now: Time) -> Node {
    let waited = waited(m, now);
    let mut below = Vec::new();
    for opened in within.children.iter().filter(|c| c.body == Some(m.task)) {
        match opened.kind {
            RegionKind::Implicit => below.extend(contents(opened, now)),
            _ => below.push(region(opened, now)),
        }
    }
    let mut detail = String::new();
    if let Some(kind) = m.waits_for.filter(|_| !m.runnable) {
        let _ = write!(detail, "waits: {kind}");
    }
    if m.told != 0 && !m.acknowledged {
        separate(&mut detail);
        detail.push_str("has not seen the request yet");
    }
    Node {
        label: name(m),
        at: place(m.spawned_at),
        state: match m {
            m if m.told != 0 => "draining",
            m if m.runnable => "running",
            _ => "waiting",
        },
        age: waited,
        detail,
        alike: 1,
        below: group(below),
    }
}

/// Its own name, or that of the function its body was written in.
fn name(m: &MemberView) -> String {
    if let Some(name) = &m.name {
        return name.to_string();
    }
    let path = m.type_name.split('<').next().unwrap_or(m.type_name);
    let named = path.rsplit("::").find(|part| !part.starts_with('{') && !part.is_empty());
    let name = named.unwrap_or("task").to_string();
    if m.daemon { format!("{name} (daemon)") } else { name }
}

/// How long it has waited; the tick counts units of 2^20 ns, and wraps.
fn waited(m: &MemberView, now: Time) -> Option<Duration> {
    if m.runnable || m.waits_for.is_none() {
        return None;
    }
    let ticks = ((now.as_nanos() >> 20) as u32).wrapping_sub(m.wait_since);
    // The tick may have moved between the two looks.
    let ticks = if ticks > u32::MAX / 2 { 0 } else { ticks };
    Some(Duration::from_nanos(u64::from(ticks) << 20))
}

/// The file's name in its last two directories: enough to find it, and no registry's path.
fn place(at: &Location<'_>) -> String {
    let file = at.file();
    let start = file.rmatch_indices(['/', '\\']).nth(2).map_or(0, |(i, _)| i + 1);
    format!("{}:{}", &file[start..], at.line())
}

fn separate(detail: &mut String) {
    if !detail.is_empty() {
        detail.push_str("; ");
    }
}

/// What alike siblings have in common: everything but the number and the time.
fn likeness(node: &Node) -> String {
    let mut key = format!("{}\0{}\0{}\0{}", base(&node.label), node.at, node.state, node.detail);
    for below in &node.below {
        let _ = write!(key, "\u{1}{}\u{2}", likeness(below));
    }
    key
}

/// A name without what tells it from alike ones.
fn base(label: &str) -> &str {
    label.split_once(" #").map_or(label, |(base, _)| base)
}

/// Makes one line of alike siblings, where the first of them stands.
fn group(nodes: Vec<Node>) -> Vec<Node> {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let keys: Vec<_> = nodes.iter().map(likeness).collect();
    for key in &keys {
        *sizes.entry(key.clone()).or_default() += 1;
    }
    let mut grouped: Vec<Node> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (mut node, key) in nodes.into_iter().zip(keys) {
        if sizes[&key] < ALIKE {
            grouped.push(node);
        } else if let Some(&place) = places.get(&key) {
            grouped[place].alike += 1;
            grouped[place].age = grouped[place].age.max(node.age);
        } else {
            node.label = base(&node.label).to_string();
            places.insert(key, grouped.len());
            grouped.push(node);
        }
    }
    grouped
}

fn lay_out(node: &Node, first: &str, rest: &str, rows: &mut Vec<[String; 4]>) {
    let mut label = format!("{first}{}", node.label);
    if node.alike > 1 {
        let _ = write!(label, " (x{} alike)", node.alike);
    }
    let longest = if node.alike > 1 { "up to " } else { "" };
    let age = node.age.map(|age| format!("{longest}{}", span(age))).unwrap_or_default();
    rows.push([format!("{label}  {}", node.at), node.state.to_string(), age, node.detail.clone()]);
    let last = node.below.len().wrapping_sub(1);
    for (i, below) in node.below.iter().enumerate() {
        let (branch, trunk) = if i == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lay_out(below, &format!("{rest}{branch}"), &format!("{rest}{trunk}"), rows);
    }
}

/// `850ms`, `4.2s`, `2m14s`, `3h05m`, `12d04h`.
fn span(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0 => format!("{}ms", d.as_millis()),
        1..60 => format!("{}.{}s", s, d.subsec_millis() / 100),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86_400, s / 3600 % 24),
    }
}

/// A paragraph for each topmost region that was asked to close or whose body is over.
fn why_open(view: &RegionView, now: Time, text: &mut String) {
    let closing = view.request.is_some() || view.phase != RegionPhase::Open;
    if !closing {
        for child in &view.children {
            why_open(child, now, text);
        }
        return;
    }
    let mut keep = Keep::default();
    keep.collect(view, now);
    let label = view.name.as_deref().unwrap_or("region");
    let _ = write!(text, "region `{label}` opened at {} cannot close: ", place(view.opened_at));
    let mut reasons = Vec::new();
    if view.phase == RegionPhase::Open {
        reasons.push("its body has not returned".to_string());
    }
    for (n, what) in [
        (keep.tasks.len(), "task still draining"),
        (keep.finalizers, "finalizer still to run"),
        (keep.obligations.len(), "obligation outstanding"),
    ] {
        match n {
            0 => {}
            1 => reasons.push(format!("1 {what}")),
            n => {
                let (noun, state) = what.split_once(' ').unwrap_or((what, ""));
                reasons.push(format!("{n} {noun}s {state}"));
            }
        }
    }
    if reasons.is_empty() {
        reasons.push("nothing: it is about to".to_string());
    }
    let _ = writeln!(text, "{}", reasons.join(", "));
    for node in group(keep.tasks) {
        let alike = if node.alike > 1 { format!(" (x{} alike)", node.alike) } else { String::new() };
        let what = if node.detail.is_empty() { "runs" } else { &node.detail };
        let since = node.age.map(|age| format!(", for {}", span(age))).unwrap_or_default();
        let _ = writeln!(text, "  {}{alike} {what}{since}", node.label);
    }
    for (line, n) in keep.obligations.iter().fold(BTreeMap::<_, usize>::new(), |mut all, line| {
        *all.entry(line).or_default() += 1;
        all
    }) {
        let times = if n > 1 { format!(" (x{n})") } else { String::new() };
        let _ = writeln!(text, "  {line}{times}");
    }
    if let Some(deadline) = view.cleanup_deadline {
        let policy = match view.after_grace {
            AfterGrace::Abandon => "then what is left is dropped (policy: abandon)",
            _ => "then masks are pierced and who is left is reported (policy: wait)",
        };
        if deadline > now {
            let _ =
                writeln!(text, "  cleanup deadline in {}, {policy}", span(deadline.saturating_since(now)));
        } else {
            let _ = writeln!(text, "  cleanup deadline passed {} ago", span(now.saturating_since(deadline)));
        }
    }
}

/// What keeps a region from closing.
#[derive(Default)]
struct Keep {
    tasks: Vec<Node>,
    obligations: Vec<String>,
    finalizers: usize,
}

impl Keep {
    fn collect(&mut self, view: &RegionView, now: Time) {
        for m in view.members.iter().rev() {
            let mut node = member(m, view, now);
            node.below.clear();
            self.tasks.push(node);
        }
        for o in &view.obligations {
            self.obligations.push(format!("{} reserved at {} is outstanding", o.kind, place(o.site)));
        }
        self.finalizers += view.finalizers;
        for child in &view.children {
            self.collect(child, now);
        }
    }
}

#[cfg(test)]
mod tests;
