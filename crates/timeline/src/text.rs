//! The report for a terminal: what failed, who waits for what, the tree at that moment, the last rows of each task.
//!
//! It is read bottom-up in a scrolled terminal and top-down in a log, so the failure stands first and is short. At
//! most [`TextLimits::lines`] lines come out: each part takes what it needs up to its share.
//!
//! ```text
//! FAILED  transfer: deadlock
//!   deadlock: task 1 waits for a mutex held by task 2, which waits for a mutex held by task 1
//!
//! WHO WAITS
//!   1  src/bank.rs:12   waits for a mutex, held by 2
//! ```
//! Not here: the tree (`text/tree`), the sentences (`words`).
use crate::model::Timeline;
use crate::plain::{cells, count, fit, place, wrapped};
use crate::words;
use std::fmt::Write;

mod tree;

/// How long a report may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimits {
    /// Lines in all. Default: 60; no report is longer, nor any shorter than it needs to be.
    pub lines: usize,
    /// Columns. Longer lines are cut. Default: 120.
    pub columns: usize,
    /// Rows for each task. Default: 5.
    pub last: usize,
}

impl Default for TextLimits {
    fn default() -> Self {
        TextLimits { lines: 60, columns: 120, last: 5 }
    }
}

/// The report, ending with a line end.
#[must_use]
pub fn text(line: &Timeline<'_>, limits: &TextLimits) -> String {
    let mut lines = failure(line, limits.lines / 4, limits.columns);
    let Some(focus) = line.focus() else {
        lines.push("(no events)".into());
        return written(&lines, limits);
    };
    let mut part = |title: &str, body: Vec<String>| {
        if !body.is_empty() {
            lines.push(String::new());
            lines.push(title.into());
            lines.extend(body.into_iter().map(|line| format!("  {line}")));
        }
    };
    part("WHO WAITS", capped(waits(line, focus), limits.lines / 6, "task"));
    part(
        "THE TREE AT THAT MOMENT",
        capped(tree::at(line, focus, limits.lines / 4), limits.lines / 4, "line"),
    );
    let left = limits.lines.saturating_sub(lines.len() + 2);
    let last = last_rows(line, focus, limits.last, left);
    if !last.is_empty() {
        lines.extend([String::new(), "THE LAST EVENTS OF EACH TASK".into()]);
        lines.extend(last.into_iter().map(|line| format!("  {line}")));
    }
    written(&lines, limits)
}

fn written(lines: &[String], limits: &TextLimits) -> String {
    let mut out = String::new();
    for line in lines.iter().take(limits.lines) {
        out.push_str(fit(line, limits.columns).trim_end());
        out.push('\n');
    }
    out
}

/// The lines, with a note instead of those that are too many.
fn capped(mut lines: Vec<String>, most: usize, noun: &str) -> Vec<String> {
    let most = most.max(2);
    if lines.len() > most {
        let more = lines.len() - (most - 1);
        lines.truncate(most - 1);
        lines.push(format!("… and {} more", count(more, noun)));
    }
    lines
}

fn failure(line: &Timeline<'_>, most: usize, columns: usize) -> Vec<String> {
    let title = crate::plain::clean(&line.run.title, crate::plain::LONGEST);
    let Some(first) = line.troubles.first() else {
        let what = format!("{}, {}", count(line.tasks.len(), "task"), count(line.run.events.len(), "event"));
        return vec![format!("NOTHING WENT WRONG  {title}"), format!("  {what}")];
    };
    let by = if first.by == "the run" { String::new() } else { format!("  ({})", first.by) };
    let mut lines = vec![format!("FAILED  {title}{by}")];
    let text = words::trouble(first).flat_map(|text| wrapped(&text, columns.saturating_sub(2)));
    let mut what: Vec<String> = text.map(|text| format!("  {text}")).collect();
    if let Some([a, b]) = line.race {
        what.push("  these two race; in the other order the run would go another way:".into());
        what.extend([a, b].map(|row| format!("    {}", said(line, row))));
    }
    lines.extend(capped(what, most, "line"));
    if let Some(row) = first.row {
        let row = &line.rows[row];
        lines.push(format!("  at event {}, time {}", row.seq, words::time(row.time)));
    }
    for other in line.troubles.iter().skip(1).take(3) {
        let what = words::trouble(other).next().unwrap_or_default();
        lines.push(format!("  also {}: {what}", other.by));
    }
    if line.troubles.len() > 4 {
        lines.push(format!("  and {} more", line.troubles.len() - 4));
    }
    if !line.run.repeat.is_empty() {
        let repeat = crate::plain::clean(&line.run.repeat, 2 * crate::plain::LONGEST);
        lines.push(format!("  to see it again: {repeat}"));
    }
    lines
}

/// A row with its subject and its place.
fn said(line: &Timeline<'_>, row: usize) -> String {
    let phrase = words::phrase(line, row);
    let mut text = String::new();
    if let Some(task) = line.rows[row].task {
        let _ = write!(text, "{} ", words::task(line, task));
    }
    text.push_str(&phrase.did);
    if let Some(site) = phrase.site {
        let _ = write!(text, "  at {site}");
    }
    text
}

fn waits(line: &Timeline<'_>, focus: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for &task in &line.order {
        let Some(wait) = line.wait_of(task, focus) else { continue };
        let held =
            wait.holder.map(|holder| format!(", held by {}", words::task(line, holder))).unwrap_or_default();
        let what = match (wait.what.as_str(), wait.holder) {
            ("the outcome", Some(holder)) => format!("the end of {}", words::task(line, holder)),
            (what, _) => format!("{what}{held}"),
        };
        let site = wait.site.as_ref().or(line.tasks[task].site.as_ref()).map(place).unwrap_or_default();
        let since = line.rows[wait.from].time;
        let now = line.rows[focus].time;
        let since = if since < now { format!("  since {}", words::time(since)) } else { String::new() };
        rows.push([words::task(line, task), site, format!("waits for {what}{since}")]);
    }
    table(rows)
}

/// Columns under each other, two blanks apart.
fn table<const N: usize>(rows: Vec<[String; N]>) -> Vec<String> {
    let widths: Vec<usize> =
        (0..N).map(|column| rows.iter().map(|row| cells(&row[column])).max().unwrap_or(0)).collect();
    let lines = rows.into_iter().map(|row| {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cells(cell) + 2));
        }
        text.trim_end().to_string()
    });
    lines.collect()
}

/// For the tasks the failure is about, then the others that are there, in turn: the last rows up to the focus.
fn last_rows(line: &Timeline<'_>, focus: usize, last: usize, left: usize) -> Vec<String> {
    let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); line.tasks.len()];
    for (row, seen) in line.rows[..=focus].iter().enumerate().rev() {
        if let Some(rows) = seen.task.map(|task| &mut rows_of[task]).filter(|rows| rows.len() <= last) {
            rows.push(row);
        }
    }
    let suspects = line.suspects();
    let mut tasks: Vec<usize> =
        line.order.iter().copied().filter(|&task| !rows_of[task].is_empty()).collect();
    tasks.sort_by_key(|task| (!suspects.contains(task), !line.alive(*task, focus)));
    let (mut out, mut told) = (Vec::new(), 0);
    for &task in &tasks {
        let rows = &rows_of[task];
        // One line for the task, one for each of its rows, one for what is left out.
        let room = left.saturating_sub(out.len() + 2);
        if room == 0 {
            break;
        }
        let shown = rows.len().min(last).min(room);
        let seen = &line.tasks[task];
        let site = seen.site.as_ref().map(place).unwrap_or_default();
        let end =
            seen.end.filter(|_| !line.alive(task, focus)).map(|end| format!("  over: {}", words::end(end)));
        out.push(format!("{}  {site}{}", words::task(line, task), end.unwrap_or_default()));
        let table_rows = rows[..shown].iter().rev().map(|&row| {
            let phrase = words::phrase(line, row);
            [
                format!("  {:>6}", line.rows[row].seq),
                words::time(line.rows[row].time),
                fit(&phrase.did, 72),
                phrase.site.unwrap_or_default(),
            ]
        });
        out.extend(table(table_rows.collect()));
        told += 1;
    }
    if told < tasks.len() {
        out.push(format!("… and {} more", count(tasks.len() - told, "task")));
    }
    out
}
