//! The title with the failure, and the lanes' names.
use super::*;
use crate::plain::{LONGEST, clean, count, fit_end, wrapped};

/// So many lines of the failure stand in the picture.
const FAILURE_LINES: usize = 5;
const LINE: f64 = 17.0;

/// Title, failure, and how to repeat it.
pub(super) fn title(sheet: &Sheet<'_>, scene: &mut Scene) {
    let line = sheet.line;
    let columns = room(sheet.width - 48.0, FONT);
    let mut y = 30.0;
    let name = if line.run.title.is_empty() { "a run".to_string() } else { clean(&line.run.title, LONGEST) };
    scene.title.push(text((24.0, y), 17.0, fit(&name, room(sheet.width - 48.0, 17.0)), "title"));
    y += 22.0;
    let mut lines: Vec<(String, &str)> = Vec::new();
    match line.troubles.first() {
        Some(trouble) => {
            let mut all: Vec<String> = words::trouble(trouble).collect();
            if let Some(first) = all.first_mut() {
                let by = if trouble.by == "the run" { "failed" } else { trouble.by };
                if !first.starts_with(by) {
                    *first = format!("{by}: {first}");
                }
            }
            let mut what: Vec<String> = all.iter().flat_map(|text| wrapped(text.trim(), columns)).collect();
            if what.len() > FAILURE_LINES {
                what.truncate(FAILURE_LINES - 1);
                what.push("…".into());
            }
            lines.extend(what.into_iter().map(|text| (text, "failure")));
        }
        None => lines.push(("nothing went wrong".into(), "faint")),
    }
    if !line.run.repeat.is_empty() {
        lines
            .push((fit(&format!("to see it again: {}", clean(&line.run.repeat, LONGEST)), columns), "faint"));
    }
    let shown = sheet.window.rows.len();
    let mut size = format!("{}, {}", count(line.tasks.len(), "task"), count(line.run.events.len(), "event"));
    if sheet.window.hidden > 0 || shown < line.rows.len() {
        size.push_str(&format!(
            "; shown: {} and {}",
            count(sheet.window.lanes.len(), "task"),
            count(shown, "row")
        ));
    }
    lines.push((fit(&size, columns), "faint"));
    for (words, class) in lines {
        scene.title.push(text((24.0, y), FONT, words, class));
        y += LINE;
    }
    scene.title_height = y + 2.0;
}

/// The lanes' names, upright where there is room and turned where there is not.
pub(super) fn names(sheet: &Sheet<'_>, scene: &mut Scene) {
    let upright = sheet.step >= 70.0;
    let turned: Vec<String> = match upright {
        true => Vec::new(),
        false => {
            let name = |task: &usize| {
                fit(&format!("{} {}", sheet.line.tasks[*task].path, subtitle(sheet.line, *task)), 26)
            };
            sheet.window.lanes.iter().map(name).collect()
        }
    };
    let longest = turned.iter().map(|name| width(name, 11.0)).fold(0.0, f64::max);
    let height: f64 = if upright { 50.0 } else { longest * std::f64::consts::FRAC_1_SQRT_2 + 26.0 };
    for (column, &task) in sheet.window.lanes.iter().enumerate() {
        let x = sheet.column_x(column);
        let class = sheet.colour(task);
        let tip = tip(sheet.line, task);
        if let Some(name) = turned.get(column) {
            let shape = Shape::Text { at: (x, height - 10.0), size: 11.0, text: name.clone(), turned: true };
            scene.head.push(mark(shape, format!("lane {class}")).task(task).tip(tip));
            continue;
        }
        let path = fit(&sheet.line.tasks[task].path, room(sheet.step - 8.0, 13.0));
        let below = fit_end(&subtitle(sheet.line, task), room(sheet.step - 6.0, SMALL));
        let at = (x - width(&path, 13.0) / 2.0, 24.0);
        scene.head.push(text(at, 13.0, path, &format!("lane strong {class}")).task(task).tip(tip.clone()));
        let at = (x - width(&below, SMALL) / 2.0, 39.0);
        scene.head.push(text(at, SMALL, below, "faint").task(task).tip(tip));
    }
    let y = height - 11.0;
    scene.head.push(text((64.0 - width("event", SMALL), y), SMALL, "event", "faint"));
    scene.head.push(text((124.0 - width("time", SMALL), y), SMALL, "time", "faint"));
    if sheet.window.hidden > 0 {
        let words = format!("{} not shown", count(sheet.window.hidden, "task"));
        // Turned names lean over the first part of the sentences.
        let x = if upright { sheet.who_x } else { sheet.width - 16.0 - width(&words, SMALL) };
        scene.head.push(text((x, if upright { y } else { 14.0 }), SMALL, words, "faint"));
    }
    scene
        .head
        .push(mark(Shape::Line { a: (16.0, height - 0.5), b: (sheet.width - 16.0, height - 0.5) }, "rule"));
    scene.head_height = height;
}

/// What is said about a task.
fn tip(line: &Timeline<'_>, task: usize) -> String {
    let seen = &line.tasks[task];
    let mut tip = format!("task {}", words::task(line, task));
    if let Some(site) = &seen.site {
        tip.push_str(&format!(", spawned at {}", place(site)));
    }
    if seen.daemon {
        tip.push_str(", a daemon");
    }
    match seen.end {
        Some(end) => tip.push_str(&format!(", ended: {}", words::end(end))),
        None if seen.lost => tip.push_str(", written off"),
        None => tip.push_str(", never ended"),
    }
    tip
}
