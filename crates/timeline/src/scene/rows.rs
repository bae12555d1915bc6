//! What belongs to a row as a whole: its band, the line that leads from its mark to its sentence, and the sentence.
use super::*;
use crate::model::RowOf;
use crate::plain::count;
use crate::words::is_bad;
use trace::Label;

/// Bands behind rows: the failure, and where the clock moved.
pub(super) fn bands(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let band = |at: usize, class: &str| {
        let place = Place { x: 16.0, y: sheet.y(at) - ROW / 2.0, w: sheet.width - 32.0, h: ROW };
        mark(Shape::Box { place, round: 4.0 }, class).row(sheet.window.rows[at])
    };
    for (at, &row) in sheet.window.rows.iter().enumerate() {
        if sheet.failed == Some(at) {
            body.push(band(at, "band failed"));
        } else if sheet.line.race.is_some_and(|race| race.contains(&row)) {
            body.push(band(at, "band racing"));
        } else if is_clock(sheet, row) {
            body.push(band(at, "band clock"));
        } else {
            // Nothing to see, but something to point at.
            body.push(band(at, "band plain"));
        }
    }
}

fn label<'a>(sheet: &Sheet<'a>, row: usize) -> Option<&'a Label> {
    match sheet.line.rows[row].of {
        RowOf::Events { first, .. } => Some(&sheet.line.run.events[first].label),
        _ => None,
    }
}

fn is_clock(sheet: &Sheet<'_>, row: usize) -> bool {
    matches!(label(sheet, row), Some(Label::TimeAdvance { .. }))
}

/// Thin lines from the marks to the sentences.
pub(super) fn leaders(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    for (at, &row) in sheet.window.rows.iter().enumerate() {
        let Some(x) = sheet.line.rows[row].task.and_then(|task| sheet.x(task)) else { continue };
        let y = sheet.y(at);
        body.push(mark(Shape::Line { a: (x + 9.0, y), b: (sheet.who_x - 6.0, y) }, "leader").row(row));
    }
}

/// Positions and times on the left, sentences on the right, and what was left out above and below.
pub(super) fn sentences(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let mut before = None;
    for (at, (&row, said)) in sheet.window.rows.iter().zip(&sheet.sentences).enumerate() {
        let seen = &sheet.line.rows[row];
        let y = sheet.y(at) + 4.0;
        let seq = seen.seq.to_string();
        body.push(text((64.0 - width(&seq, SMALL), y - 0.5), SMALL, fit(&seq, 9), "faint").row(row));
        if before != Some(seen.time) {
            let time = fit(&words::time(seen.time), 9);
            body.push(text((124.0 - width(&time, SMALL), y - 0.5), SMALL, time, "time").row(row));
            before = Some(seen.time);
        }
        let after = sheet.failed.is_some_and(|failed| at > failed);
        let class = match label(sheet, row) {
            _ if sheet.failed == Some(at) => "did bad",
            _ if sheet.line.race.is_some_and(|race| race.contains(&row)) => "did race",
            _ if after => "did after",
            Some(label) if is_bad(label) => "did bad",
            Some(Label::TimeAdvance { .. }) => "did clock",
            Some(Label::User { .. }) => "did remark",
            _ => "did",
        };
        if let Some(task) = said.who {
            let path = fit(&sheet.line.tasks[task].path, 12);
            let class = format!("who {}", sheet.colour(task));
            body.push(text((sheet.who_x, y), FONT, path, &class).row(row).task(task));
        }
        body.push(text((sheet.did_x, y), FONT, said.did.clone(), class).row(row));
        if !said.site.is_empty() {
            body.push(text((sheet.site_x, y), FONT, said.site.clone(), "site").row(row));
        }
    }
    let [above, _, below] = sheet.window.left_out;
    if above > 0 {
        let words = format!("… {} before this", count(above, "row"));
        body.push(text((sheet.did_x, 14.0), SMALL, words, "faint"));
    }
    let y = sheet.rows_end() + 20.0;
    let missing = sheet.line.troubles.first().is_some_and(|trouble| trouble.row.is_none());
    let words = match below {
        0 if missing => "the run ends here, and that is what shows the failure".to_string(),
        0 => "the end".to_string(),
        _ => format!("… {} after this", count(below, "row")),
    };
    body.push(text((sheet.did_x, y), SMALL, words, if missing { "did bad" } else { "faint" }));
}
