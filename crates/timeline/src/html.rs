//! The drawing as one page that needs nothing else: no network, no other file.
//!
//! The page is the picture with its lanes' names kept on top, a panel that says everything about the selected row, and
//! a list of all tasks, those that aren't drawn too. It is used with the mouse or the keyboard alone: arrows or `j` and `k`
//! go from row to row, `n` and `p` from row to row of one task, `/` searches for a task, `f` goes to the failure, `+`
//! and `-` zoom, `t` switches between light and dark. Without scripts, the picture is still there.
//!
//! A content security policy in the page forbids everything but its own style and script, so that even a mistake in the
//! escaping would load nothing.
//!
//! Not here: the picture (`svg`), the script and the style (`html/page.js`, `html/page.css`).
use crate::json::quoted;
use crate::model::{RowOf, Timeline};
use crate::plain::{LONGEST, clean, count, place};
use crate::scene::scene;
use crate::svg::{escaped, parts};
use crate::window::Window;
use crate::{theme, words};
use std::fmt::Write;

/// So many of the events of one row are written out.
const LINES: usize = 12;

/// The layers that can be switched off: class, words, colour.
const LAYERS: &[(&str, &str, &str)] = &[
    ("regions", "regions", "tint"),
    ("arrows", "happens before", "faint"),
    ("cancel", "requests to stop", "cancel"),
    ("permits", "permits", "permit"),
    ("scopes", "races and masks", "scope"),
    ("waits", "waits", "wait"),
    ("race", "the race", "race"),
];

/// The page. About two kilobytes for each row that is shown, and a tenth of that for each task of the run.
#[must_use]
pub fn html(line: &Timeline<'_>, window: &Window) -> String {
    let scene = scene(line, window);
    let (head, body) = parts(&scene);
    let title = clean(&line.run.title, LONGEST);
    let title = escaped(if title.is_empty() { "a run" } else { &title });
    let mut out = String::new();
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    let _ = writeln!(out, "<title>{title}</title>");
    let _ = writeln!(
        out,
        "<style>\n{}{}</style>\n</head>\n<body>",
        theme::variable(),
        include_str!("html/page.css")
    );
    header(line, window, &title, &mut out);
    let _ = writeln!(
        out,
        "<main>\n<div id=\"view\" tabindex=\"0\" role=\"region\" aria-label=\"timeline\">\n{head}\n{body}\n</div>\n<aside>\n\
         <h2>Selected</h2>\n<div id=\"detail\" aria-live=\"polite\"><p class=\"faint\">Click a row, or press \
         <kbd>↓</kbd>.</p></div>\n<h2>Tasks</h2>\n<ul id=\"tasks\"></ul>\n<h2>Keys</h2>\n<p class=\"faint\"><kbd>↑</kbd> \
         <kbd>↓</kbd> rows, <kbd>n</kbd> <kbd>p</kbd> rows of one task, <kbd>/</kbd> find, <kbd>f</kbd> failure, \
         <kbd>+</kbd> <kbd>-</kbd> <kbd>0</kbd> zoom, <kbd>t</kbd> light or dark; drag to move.</p>\n</aside>\n</main>"
    );
    out.push_str("<script type=\"application/json\" id=\"data\">");
    data(line, window, &mut out);
    let _ = writeln!(out, "</script>\n<script>\n{}</script>\n</body>\n</html>", include_str!("html/page.js"));
    out
}

fn header(line: &Timeline<'_>, window: &Window, title: &str, out: &mut String) {
    let _ = writeln!(out, "<header>\n<h1>{title}</h1>");
    match line.troubles.first() {
        Some(trouble) => {
            let what: Vec<String> = words::trouble(trouble).collect();
            let _ = writeln!(
                out,
                "<div class=\"failure\">{}</div>",
                what.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n")
            );
        }
        None => out.push_str("<p class=\"faint\">nothing went wrong</p>\n"),
    }
    if !line.run.repeat.is_empty() {
        let repeat = clean(&line.run.repeat, 2 * LONGEST);
        let _ = writeln!(out, "<p class=\"faint\">to see it again: <code>{}</code></p>", escaped(&repeat));
    }
    let _ = writeln!(
        out,
        "<p class=\"faint\">{}, {}; shown: {} and {}</p>",
        count(line.tasks.len(), "task"),
        count(line.run.events.len(), "event"),
        count(window.lanes.len(), "task"),
        count(window.rows.len(), "row")
    );
    out.push_str("<div class=\"bar\">\n<input type=\"search\" id=\"find\" placeholder=\"find a task  ( / )\" aria-label=\"find a task\">\n");
    for (class, name, colour) in LAYERS {
        if *class == "race" && line.race.is_none() {
            continue;
        }
        let _ = writeln!(
            out,
            "<label><input type=\"checkbox\" data-layer=\"{class}\" checked><span class=\"key\" \
             style=\"background:var(--{colour})\"></span>{name}</label>"
        );
    }
    out.push_str(
        "<span><button id=\"out\" aria-label=\"smaller\">−</button> <button id=\"in\" aria-label=\"larger\">+</button> \
         <button id=\"fit\">fit</button> <button id=\"fail\">to the failure</button> <button id=\"theme\">light or \
         dark</button></span>\n</div>\n</header>\n",
    );
}

/// What the script knows: the rows that are shown, and all tasks.
fn data(line: &Timeline<'_>, window: &Window, out: &mut String) {
    let focus = line.focus().map_or("null".into(), |row| row.to_string());
    let _ = write!(out, "{{\"focus\":{focus},\"tasks\":[");
    let mut shown = vec![false; line.tasks.len()];
    window.lanes.iter().for_each(|&lane| shown[lane] = true);
    for (index, task) in line.tasks.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let end = match task.end {
            Some(end) => words::end(end),
            None if task.lost => "written off".into(),
            None => "never ended".into(),
        };
        let site = task.site.as_ref().map(place).unwrap_or_default();
        let _ = write!(
            out,
            "{comma}{{\"title\":{},\"site\":{},\"end\":{},\"shown\":{}}}",
            quoted(&words::task(line, index)),
            quoted(&site),
            quoted(&end),
            shown[index]
        );
    }
    out.push_str("],\"rows\":[");
    for (at, &row) in window.rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        data_row(line, row, out);
    }
    out.push_str("]}");
}

fn data_row(line: &Timeline<'_>, row: usize, out: &mut String) {
    let seen = &line.rows[row];
    let phrase = words::phrase(line, row);
    let who = seen.task.map_or("null".into(), |task| task.to_string());
    let _ = write!(
        out,
        "{{\"row\":{row},\"seq\":{},\"time\":{},\"who\":{who},\"did\":{},\"site\":{},\"after\":[",
        seen.seq,
        quoted(&words::time(seen.time)),
        quoted(&phrase.did),
        quoted(&phrase.site.unwrap_or_default())
    );
    // Arrows are in the order of the rows they end at; those that begin here are few and near.
    let first = line.arrows.partition_point(|arrow| arrow.to < row);
    let into =
        line.arrows[first..].iter().take_while(|arrow| arrow.to == row).filter(|arrow| arrow.from != row);
    let list: Vec<String> = into.map(|arrow| format!("[\"{}\",{}]", arrow.kind.name(), arrow.from)).collect();
    let _ = write!(out, "{}],\"before\":[", list.join(","));
    let from: Vec<String> = line.arrows[first..]
        .iter()
        .take(4096)
        .filter(|arrow| arrow.from == row && arrow.to != row)
        .map(|arrow| format!("[\"{}\",{}]", arrow.kind.name(), arrow.to))
        .collect();
    let _ = write!(out, "{}],\"lines\":[", from.join(","));
    let events = match seen.of {
        RowOf::Events { first, count } => &line.run.events[first..first + count],
        RowOf::Touch(_) | RowOf::Wait(_) => &[],
    };
    for (at, event) in events.iter().take(LINES).enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{}", quoted(&clean(&event.to_string(), 4 * LONGEST)));
    }
    let _ = write!(out, "],\"more\":{}}}", events.len().saturating_sub(LINES));
}
