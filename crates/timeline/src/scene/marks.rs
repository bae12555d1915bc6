//! One sign for each row, on its lane.
use super::lanes::{cross, diamond, end_class};
use super::*;
use crate::model::RowOf;
use trace::Label;

/// The signs.
pub(super) fn all(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let line = sheet.line;
    for (at, &row) in sheet.window.rows.iter().enumerate() {
        let seen = &line.rows[row];
        let y = sheet.y(at);
        let Some((task, x)) = seen.task.and_then(|task| Some((task, sheet.x(task)?))) else {
            continue;
        };
        let colour = sheet.colour(task);
        let put = |shape: Shape, class: String| mark(shape, class).row(row).task(task);
        match seen.of {
            RowOf::Wait(_) => body.push(put(Shape::Dot { at: (x, y), r: 4.5 }, "wait ring".into())),
            RowOf::Touch(_) => body.push(put(Shape::Dot { at: (x, y), r: 3.5 }, format!("dot {colour}"))),
            RowOf::Events { first, .. } => {
                match &line.run.events[first].label {
                    Label::TaskEnd { end, failure, .. } => match end_class(Some(*end), *failure) {
                        "bad" => body
                            .extend(cross((x, y), 5.0).into_iter().map(|shape| put(shape, "end bad".into()))),
                        class => {
                            let place = Place { x: x - 5.0, y: y - 5.0, w: 10.0, h: 10.0 };
                            body.push(put(Shape::Box { place, round: 1.5 }, format!("end {class} {colour}")));
                        }
                    },
                    Label::TaskAbandon { .. } | Label::TaskWriteOff { .. } => {
                        body.extend(cross((x, y), 5.0).into_iter().map(|shape| put(shape, "end bad".into())));
                    }
                    Label::RegionRequest { .. } | Label::TaskRequest { .. } | Label::ScopeRequest { .. } => {
                        // Who was reached has a diamond already; whoever asked has a dot.
                        let reached = line.requests.iter().any(|r| {
                            r.row == row && (r.tasks.contains(&task) || r.scopes.contains(&Some(task)))
                        });
                        if !reached {
                            body.push(put(Shape::Dot { at: (x, y), r: 4.0 }, "cancel told".into()));
                        }
                    }
                    Label::TaskAck { .. } => body.push(put(diamond((x, y), 5.0), "cancel seen".into())),
                    Label::WaitFor { .. } | Label::TaskPark { .. } => {
                        body.push(put(Shape::Dot { at: (x, y), r: 4.5 }, "wait ring".into()));
                    }
                    Label::Deadlock { .. }
                    | Label::Stuck { .. }
                    | Label::LostWakeup { .. }
                    | Label::Livelock { .. }
                    | Label::Futurelock { .. } => {
                        body.extend(cross((x, y), 5.0).into_iter().map(|shape| put(shape, "end bad".into())));
                    }
                    Label::RegionOpen { .. } => {
                        let place = Place { x: x - 7.0, y: y - 2.0, w: 14.0, h: 4.0 };
                        body.push(put(Shape::Box { place, round: 2.0 }, format!("dot {colour}")));
                    }
                    Label::User { .. } => {
                        body.push(put(Shape::Dot { at: (x, y), r: 4.5 }, format!("note {colour}")))
                    }
                    _ => body.push(put(Shape::Dot { at: (x, y), r: 3.5 }, format!("dot {colour}"))),
                }
            }
        }
    }
}
