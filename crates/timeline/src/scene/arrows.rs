//! Arrows between lanes, and the race.
use super::*;
use crate::model::Arrow;

/// All arrows whose both ends are shown.
pub(super) fn all(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    for arrow in &sheet.line.arrows {
        draw(sheet, arrow, body);
    }
}

fn draw(sheet: &Sheet<'_>, arrow: &Arrow, body: &mut Vec<Mark>) {
    let (Some(from), Some(to)) = (sheet.window.exact(arrow.from), sheet.window.exact(arrow.to)) else {
        return;
    };
    let (Some(x1), Some(x2)) = (sheet.x(arrow.from_task), sheet.x(arrow.to_task)) else { return };
    let (y1, y2) = (sheet.y(from), sheet.y(to));
    let toward = (x2 - x1).signum();
    // A lane that only begins here has no mark to stop at.
    let marked = sheet.line.rows[arrow.to].task == Some(arrow.to_task);
    let point = (x2 - toward * if marked { 6.0 } else { 1.0 }, y2);
    let (a, b) = ((x1 + toward * 6.0, y1), (point.0 - toward * 6.0, y2));
    let shape = if from == to { Shape::Line { a, b } } else { Shape::Curve { a, b } };
    let kind = arrow.kind.name();
    let (who, whom) = (words::task(sheet.line, arrow.from_task), words::task(sheet.line, arrow.to_task));
    let tip = format!("{kind}: from {who} to {whom}");
    body.push(mark(shape, format!("arrow {kind}")).row(arrow.to).tip(tip));
    body.push(mark(head(point, toward), format!("arrow-point {kind}")).row(arrow.to));
}

/// The point of an arrow that ends at `at` and looks right (1) or left (-1).
pub(super) fn head((x, y): (f64, f64), toward: f64) -> Shape {
    Shape::Outline(vec![(x, y), (x - toward * 7.0, y - 3.6), (x - toward * 7.0, y + 3.6)])
}

/// The two touches that race.
pub(super) fn race(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let Some(race) = sheet.line.race else { return };
    let ends: Vec<(f64, f64)> = race
        .into_iter()
        .filter_map(|row| Some((sheet.x(sheet.line.rows[row].task?)?, sheet.y(sheet.window.exact(row)?))))
        .collect();
    for (&at, row) in ends.iter().zip(race) {
        body.push(mark(Shape::Dot { at, r: 9.0 }, "race ring").row(row).tip("one of two steps that race"));
    }
    if let [a, b] = ends[..] {
        let toward = (b.0 - a.0).signum();
        let shape = Shape::Curve { a: (a.0 + toward * 9.0, a.1), b: (b.0 - toward * 9.0, b.1) };
        body.push(mark(shape, "race line").tip("in the other order the run would go another way"));
    }
}
