//! The tree of regions and tasks at one row, as lines.
//!
//! It looks like the live tree (`region::render`): a task's own region is no line of its own, what is in it hangs on
//! the task; leaves that differ in nothing but their number are one line. A tree that has too many lines is folded: what
//! is below a task stays out, but for the way down to the tasks that the failure is about.
//!
//! Not here: the live tree.
use crate::model::Timeline;
use crate::plain::{cells, fit, place};
use crate::words;
use std::fmt::Write;
use trace::{RegionKind, RegionPhase};

/// So many alike siblings are one line.
const ALIKE: usize = 3;
/// Deeper than this nothing is shown.
const DEEPEST: usize = 24;

struct Node {
    label: String,
    site: String,
    state: String,
    below: Vec<Node>,
    /// Tasks below that are over.
    over: usize,
}

/// The tree at a row, folded if it has more than `most` lines.
pub(super) fn at(line: &Timeline<'_>, row: usize, most: usize) -> Vec<String> {
    let mut hang = Hang::of(line, row);
    let whole = hang.lines();
    if whole.len() <= most {
        return aligned(&whole);
    }
    let mut way = vec![false; line.tasks.len()];
    for suspect in line.suspects() {
        let mut at = Some(suspect);
        while let Some(task) = at.filter(|&task| !std::mem::replace(&mut way[task], true)) {
            at = line.tasks[task].region.and_then(|region| line.regions[region].body);
        }
    }
    hang.folded = Some(way);
    aligned(&hang.lines())
}

fn aligned(lines: &[[String; 3]]) -> Vec<String> {
    let width = |column: usize| lines.iter().map(|line| cells(&line[column])).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let pad = |text: &str, width: usize| format!("{text}{}", " ".repeat(width - cells(text) + 2));
    let write =
        |cells: &[String; 3]| format!("{}{}{}", pad(&cells[0], first), pad(&cells[1], second), cells[2]);
    lines.iter().map(|cells| write(cells).trim_end().to_string()).collect()
}

/// What hangs where at a row.
struct Hang<'a> {
    line: &'a Timeline<'a>,
    row: usize,
    /// Members of each region, and regions inside it with the same body.
    members: Vec<Vec<usize>>,
    inner: Vec<Vec<usize>>,
    /// The outermost regions each task opened.
    opened: Vec<Vec<usize>>,
    /// If the tree is folded: which tasks are not.
    folded: Option<Vec<bool>>,
}

impl<'a> Hang<'a> {
    fn of(line: &'a Timeline<'a>, row: usize) -> Self {
        let mut members = vec![Vec::new(); line.regions.len()];
        let mut inner = vec![Vec::new(); line.regions.len()];
        let mut opened = vec![Vec::new(); line.tasks.len()];
        for (task, seen) in line.tasks.iter().enumerate().filter(|(_, task)| task.from <= row) {
            if let Some(region) = seen.region {
                members[region].push(task);
            }
        }
        for (index, region) in line.regions.iter().enumerate() {
            if region.from > row || region.to.is_some_and(|to| to < row) {
                continue;
            }
            match (region.parent.filter(|&p| line.regions[p].body == region.body && p != index), region.body)
            {
                (Some(parent), _) => inner[parent].push(index),
                (None, Some(body)) => opened[body].push(index),
                (None, None) => {}
            }
        }
        Hang { line, row, members, inner, opened, folded: None }
    }

    fn lines(&self) -> Vec<[String; 3]> {
        let mut lines = Vec::new();
        for (root, seen) in self.line.tasks.iter().enumerate() {
            if seen.region.is_none() && seen.from <= self.row {
                lay_out(&self.task(root, 0), "", "", &mut lines);
            }
        }
        lines
    }

    fn task(&self, task: usize, depth: usize) -> Node {
        let (line, seen) = (self.line, &self.line.tasks[task]);
        let mut node = Node {
            label: words::task(line, task),
            site: seen.site.as_ref().map(place).unwrap_or_default(),
            state: self.state(task),
            below: Vec::new(),
            over: 0,
        };
        let open = self.folded.as_ref().is_none_or(|way| way[task] || seen.region.is_none());
        if depth < DEEPEST && open {
            for &region in &self.opened[task] {
                self.add(region, &mut node, depth);
            }
        }
        node
    }

    fn state(&self, task: usize) -> String {
        let (line, seen) = (self.line, &self.line.tasks[task]);
        let mut state = match line.wait_of(task, self.row) {
            Some(wait) if wait.what == "the outcome" => "waits".to_string(),
            Some(wait) => format!("waits for {}", wait.what),
            None => match seen.end.filter(|_| seen.to.is_some_and(|to| to <= self.row)) {
                Some(end) => format!("over: {}", words::end(end)),
                None => "there".into(),
            },
        };
        let asked = line.requests.iter().take_while(|request| request.row <= self.row);
        if let Some(request) = asked.filter(|request| request.tasks.contains(&task)).last() {
            let seen = request.seen.iter().any(|&(by, row)| by == task && row <= self.row);
            let _ = write!(state, ", asked to stop ({})", words::cancel(request.kind));
            if !seen {
                state.push_str(", has not seen it");
            }
        }
        state
    }

    /// What is in a region, under `node`.
    fn add(&self, region: usize, node: &mut Node, depth: usize) {
        let seen = &self.line.regions[region];
        let mut inside = Node {
            label: words::region(self.line, region),
            site: place(&seen.site),
            state: String::new(),
            below: Vec::new(),
            over: 0,
        };
        for &task in &self.members[region] {
            if self.line.alive(task, self.row) || self.line.tasks[task].to == Some(self.row) {
                inside.below.push(self.task(task, depth + 2));
            } else {
                inside.over += 1;
            }
        }
        if depth < DEEPEST {
            for &region in &self.inner[region] {
                self.add(region, &mut inside, depth + 1);
            }
        }
        if matches!(seen.kind, RegionKind::Root | RegionKind::Implicit) {
            node.below.extend(inside.below);
            node.over += inside.over;
            return;
        }
        let phase =
            seen.phases.iter().rev().find(|(_, row)| *row <= self.row).map_or(RegionPhase::Open, |p| p.0);
        inside.state = match phase {
            RegionPhase::Open => "open",
            RegionPhase::Draining => "drains",
            RegionPhase::Finalizing => "runs its finalizers",
            RegionPhase::Settling => "waits for its permits",
            RegionPhase::Closed => "closed",
        }
        .into();
        let asked = seen.requests.iter().rev().find(|(_, row)| *row <= self.row);
        if let Some((kind, _)) = asked.filter(|_| phase != RegionPhase::Closed) {
            let _ = write!(inside.state, ", asked to stop ({})", words::cancel(*kind));
        }
        node.below.push(inside);
    }
}

fn lay_out(node: &Node, first: &str, rest: &str, lines: &mut Vec<[String; 3]>) {
    lines.push([fit(&format!("{first}{}", node.label), 60), node.site.clone(), node.state.clone()]);
    let mut below: Vec<(Option<String>, &Node)> = Vec::new();
    let mut at = 0;
    while at < node.below.len() {
        let head = &node.below[at];
        let alike = node.below[at..]
            .iter()
            .take_while(|n| n.below.is_empty() && n.over == 0 && n.site == head.site && n.state == head.state)
            .count();
        if alike >= ALIKE {
            let last = &node.below[at + alike - 1];
            below.push((Some(format!("{} … {}  ({alike} alike)", head.label, last.label)), head));
            at += alike;
        } else {
            below.push((None, head));
            at += 1;
        }
    }
    let count = below.len() + usize::from(node.over > 0);
    for (i, (label, below)) in below.into_iter().enumerate() {
        let (branch, trunk) = if i + 1 == count { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let (first, rest) = (format!("{rest}{branch}"), format!("{rest}{trunk}"));
        match label {
            Some(label) => {
                lines.push([fit(&format!("{first}{label}"), 60), below.site.clone(), below.state.clone()]);
            }
            None => lay_out(below, &first, &rest, lines),
        }
    }
    if node.over > 0 {
        lines.push([
            format!("{rest}└─ {} over", crate::plain::count(node.over, "task")),
            String::new(),
            String::new(),
        ]);
    }
}
