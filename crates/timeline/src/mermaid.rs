//! The run as a sequence diagram in Mermaid's language, for pages that draw it: issues, wikis, chat.
//!
//! Arrows between tasks are messages, everything else a task does is a message to itself, a failure is a note across all.
//! Mermaid has no lanes for regions and lays long diagrams out slowly: a window of some 10 tasks and 80 rows
//! ([`Window::around`]) is what it is good for.
//!
//! Not here: the picture with everything in it (`svg`).
use crate::model::{ArrowKind, RowOf, Timeline};
use crate::plain::{LONGEST, clean, fit, wrapped};
use crate::scene::subtitle;
use crate::window::Window;
use crate::words;
use std::fmt::Write;
use trace::Label;

/// The diagram, ending with a line end.
#[must_use]
pub fn mermaid(line: &Timeline<'_>, window: &Window) -> String {
    let mut out = String::from("sequenceDiagram\n");
    let title = clean(&line.run.title, LONGEST);
    if !title.is_empty() {
        let _ = writeln!(out, "    title {}", escaped(&title));
    }
    let mut shown = vec![false; line.tasks.len()];
    for &task in &window.lanes {
        shown[task] = true;
        let name = fit(&subtitle(line, task), 40);
        let _ = writeln!(
            out,
            "    participant t{task} as {}<br/>{}",
            escaped(&line.tasks[task].path),
            escaped(&name)
        );
    }
    let [before, _, after] = window.left_out;
    let all = match (window.lanes.first(), window.lanes.last()) {
        (Some(first), Some(last)) if first != last => format!("t{first},t{last}"),
        (Some(only), _) => format!("t{only}"),
        _ => return out,
    };
    let note = |out: &mut String, words: &str| {
        let _ = writeln!(out, "    Note over {all}: {}", escaped(words));
    };
    if before > 0 {
        note(&mut out, &format!("{before} rows before this"));
    }
    let failed = line.troubles.first().and_then(|trouble| trouble.row);
    for &row in &window.rows {
        say(line, &shown, &all, row, &mut out);
        if failed == Some(row) {
            failure(line, &all, &mut out);
        }
    }
    if !line.troubles.is_empty() && failed.is_none_or(|row| window.exact(row).is_none()) {
        failure(line, &all, &mut out);
    }
    if after > 0 {
        note(&mut out, &format!("{after} rows after this"));
    }
    out
}

fn failure(line: &Timeline<'_>, all: &str, out: &mut String) {
    let Some(trouble) = line.troubles.first() else { return };
    let what: Vec<String> = words::trouble(trouble)
        .flat_map(|text| wrapped(&text, 64))
        .take(6)
        .map(|text| escaped(&text))
        .collect();
    let _ = writeln!(out, "    Note over {all}: FAILED<br/>{}", what.join("<br/>"));
}

fn say(line: &Timeline<'_>, shown: &[bool], all: &str, row: usize, out: &mut String) {
    let phrase = words::phrase(line, row);
    let site = phrase.site.map(|site| format!(" ({site})")).unwrap_or_default();
    let did = escaped(&format!("{}{site}", phrase.did));
    let Some(task) = line.rows[row].task.filter(|task| shown[*task]) else {
        let _ = writeln!(out, "    Note over {all}: {did}");
        return;
    };
    let racing = line.race.is_some_and(|race| race.contains(&row));
    let mut said = false;
    let first = line.arrows.partition_point(|arrow| arrow.to < row);
    for arrow in line.arrows[first..].iter().take_while(|arrow| arrow.to == row) {
        let (from, to) = (arrow.from_task, arrow.to_task);
        if !shown[from] || !shown[to] || from == to {
            continue;
        }
        let line = match arrow.kind {
            ArrowKind::Spawn | ArrowKind::Message => "->>",
            _ => "-->>",
        };
        let _ = writeln!(out, "    t{from}{line}t{to}: {did}");
        said = true;
    }
    if !said && let Some(holder) = waits_for(line, row).filter(|holder| shown[*holder] && *holder != task) {
        let _ = writeln!(out, "    t{task}--xt{holder}: {did}");
        said = true;
    }
    if !said {
        let _ = writeln!(out, "    t{task}->>t{task}: {did}");
    }
    if racing {
        let _ = writeln!(out, "    Note over t{task}: one of two steps that race");
    }
}

/// Who holds what a task begins to wait for in this row.
fn waits_for(line: &Timeline<'_>, row: usize) -> Option<usize> {
    let is_wait = match line.rows[row].of {
        RowOf::Wait(_) => true,
        RowOf::Events { first, .. } => matches!(line.run.events[first].label, Label::WaitFor { .. }),
        RowOf::Touch(_) => false,
    };
    let at = line.waits.partition_point(|wait| wait.from < row);
    line.waits.get(at).filter(|wait| is_wait && wait.from == row).and_then(|wait| wait.holder)
}

/// Text in Mermaid's own escapes: everything that could be syntax is a number between `#` and `;`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ' ' | '.' | ',' | ':' | '-' | '_' | '/' | '(' | ')' | '!' | '?' | '=' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    // Mermaid takes this word for the end of a block wherever it stands alone.
    out.split(' ').map(|word| if word == "end" { "#101;nd" } else { word }).collect::<Vec<_>>().join(" ")
}
