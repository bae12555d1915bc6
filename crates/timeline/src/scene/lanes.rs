//! Spans along the lanes: lives, regions around them, requests, scopes, permits, waits.
use super::*;
use crate::model::Settled;
use crate::plain::fit_end;
use std::collections::BTreeMap;
use trace::{End, RegionKind, ScopeKind};

/// So many regions are drawn.
const MOST_BOXES: usize = 200;

/// Boxes around the lanes of a region, from its opening to its close, those inside others a little narrower.
pub(super) fn regions(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let line = sheet.line;
    // First and last column of each region that has a lane, and how many boxes are around it.
    let mut boxes: BTreeMap<usize, (usize, usize, usize)> = BTreeMap::new();
    for (column, &task) in sheet.window.lanes.iter().enumerate() {
        let mut around = Vec::new();
        let mut at = line.tasks[task].region;
        while let Some(region) = at.filter(|_| around.len() <= line.regions.len()) {
            if line.regions[region].kind != RegionKind::Root {
                around.push(region);
            }
            at = line.regions[region].parent;
        }
        for (depth, &region) in around.iter().rev().enumerate() {
            let seen = boxes.entry(region).or_insert((column, column, depth));
            (seen.0, seen.1) = (seen.0.min(column), seen.1.max(column));
        }
    }
    let mut boxes: Vec<_> =
        boxes.into_iter().map(|(region, (first, last, depth))| (depth, region, first, last)).collect();
    boxes.sort_unstable();
    // Of many around each other the inner ones say more.
    let boxes = &boxes[boxes.len().saturating_sub(MOST_BOXES)..];
    let deepest = ((sheet.step / 2.0 - 14.0) / 4.0).max(0.0);
    for &(depth, region, first, last) in boxes {
        let seen = &line.regions[region];
        let Some((top, bottom)) = sheet.span(seen.from, seen.to) else { continue };
        let inset = 3.0 + 4.0 * (depth as f64).min(deepest);
        let x = sheet.column_x(first) - sheet.step / 2.0 + inset;
        let w = sheet.column_x(last) + sheet.step / 2.0 - inset - x;
        let place = Place { x, y: top - 9.0, w, h: bottom - top + 18.0 };
        let own = seen.kind == RegionKind::Implicit;
        let class = if own { "region own" } else { "region" };
        let mut tip =
            format!("{}, opened at {}", words::region(line, region), crate::plain::place(&seen.site));
        if let Some(outcome) = seen.outcome {
            tip.push_str(&format!(", closed: {outcome}"));
        }
        body.push(mark(Shape::Box { place, round: 7.0 }, class).tip(tip));
        if let (Some(at), false) = (sheet.window.exact(seen.from), own) {
            let name = fit(&seen.name, room(w - 10.0, SMALL));
            body.push(text((x + 6.0, sheet.y(at) + 3.0), SMALL, name, "region-name"));
        }
    }
}

/// A line from each task's spawn to its end, thick where it does something.
pub(super) fn lives(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let line = sheet.line;
    for &task in &sheet.window.lanes {
        let (seen, colour) = (&line.tasks[task], sheet.colour(task));
        let (Some(x), Some((top, bottom))) = (sheet.x(task), sheet.span(seen.from, seen.to)) else {
            continue;
        };
        body.push(mark(Shape::Line { a: (x, top), b: (x, bottom) }, format!("life {colour}")).task(task));
    }
    let rows = &sheet.window.rows;
    let mut at = 0;
    while at < rows.len() {
        let task = line.rows[rows[at]].task;
        let same = rows[at..].iter().take_while(|&&row| line.rows[row].task == task).count();
        if let Some((task, x)) = task.and_then(|task| Some((task, sheet.x(task)?))) {
            let (top, bottom) = (sheet.y(at) - 9.0, sheet.y(at + same - 1) + 9.0);
            let place = Place { x: x - 5.0, y: top, w: 10.0, h: bottom - top };
            let class = format!("busy {}", sheet.colour(task));
            body.push(mark(Shape::Box { place, round: 4.0 }, class).task(task));
        }
        at += same;
    }
}

/// From a request on, everybody it reached: a line across, a diamond on each lane, and a shade until the task's end.
pub(super) fn requests(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let line = sheet.line;
    for request in &line.requests {
        let reached = request.tasks.iter().copied().chain(request.scopes.iter().copied().flatten());
        for &task in &request.tasks {
            let Some(x) = sheet.x(task) else { continue };
            if let Some((top, bottom)) = sheet.span(request.row, line.tasks[task].to) {
                let shape = Shape::Line { a: (x, top), b: (x, bottom) };
                body.push(mark(shape, "cancel shade").task(task));
            }
        }
        let Some(at) = sheet.window.exact(request.row) else { continue };
        let y = sheet.y(at);
        let mut xs: Vec<f64> =
            reached.chain(line.rows[request.row].task).filter_map(|task| sheet.x(task)).collect();
        xs.sort_by(f64::total_cmp);
        let tip = format!("request to stop: {}", words::cancel(request.kind));
        if let (Some(&first), Some(&last)) = (xs.first(), xs.last()) {
            body.push(
                mark(Shape::Line { a: (first, y), b: (last, y) }, "cancel reach").row(request.row).tip(tip),
            );
        }
        for &task in request.tasks.iter().chain(request.scopes.iter().flatten()) {
            if let Some(x) = sheet.x(task) {
                body.push(mark(diamond((x, y), 6.0), "cancel told").row(request.row).task(task));
            }
        }
    }
}

pub(super) fn diamond((x, y): (f64, f64), r: f64) -> Shape {
    Shape::Outline(vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)])
}

/// Combinators, branches and masks, left of their lane.
pub(super) fn scopes(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let most = room_beside(sheet);
    let mut tracks: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for scope in &sheet.line.scopes {
        let Some(task) = scope.task else { continue };
        let (Some(x), Some((top, bottom))) = (sheet.x(task), sheet.span(scope.from, scope.to)) else {
            continue;
        };
        let track = track(tracks.entry(task).or_default(), scope.from, scope.to).min(most);
        let x = x - 10.0 - 4.0 * track as f64;
        let class = match scope.kind {
            ScopeKind::Combinator => "scope combinator",
            ScopeKind::Branch if scope.won => "scope won",
            ScopeKind::Branch => "scope branch",
            ScopeKind::Masked | ScopeKind::Phase { .. } => "scope masked",
        };
        let tip = format!("{}{}", words::scope(scope.kind), if scope.won { ", which won" } else { "" });
        let shape = Shape::Line { a: (x, top - 3.0), b: (x, bottom + 3.0) };
        body.push(mark(shape, class).task(task).tip(tip));
    }
}

/// How many tracks there is room for on one side of a lane.
fn room_beside(sheet: &Sheet<'_>) -> usize {
    ((sheet.step / 2.0 - 14.0) / 5.0).clamp(0.0, 3.0) as usize
}

/// The first track that is free from a row on; `ends` has the row up to which each is taken.
fn track(ends: &mut Vec<usize>, from: usize, to: Option<usize>) -> usize {
    let free = ends.iter().position(|&end| end <= from).unwrap_or(ends.len());
    let end = to.map_or(usize::MAX, |to| to + 1);
    match ends.get_mut(free) {
        Some(taken) => *taken = end,
        None => ends.push(end),
    }
    free
}

/// Permits, right of the lane of who reserved them, with how they were settled at their end.
pub(super) fn obligations(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    let most = room_beside(sheet);
    let mut tracks: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for permit in &sheet.line.obligations {
        let Some(task) = permit.by else { continue };
        let to = permit.settled.map(|(_, row)| row);
        let (Some(x), Some((top, bottom))) = (sheet.x(task), sheet.span(permit.from, to)) else { continue };
        let track = track(tracks.entry(task).or_default(), permit.from, to).min(most);
        let x = x + 11.0 + 5.0 * track as f64;
        let how = permit.settled.map(|(how, _)| how);
        let class = match how {
            Some(Settled::Committed) => "permit used",
            Some(Settled::Aborted) => "permit back",
            Some(Settled::Leaked) => "permit leaked",
            None => "permit open",
        };
        let settled = how.map_or("never settled", words::settled);
        let site = fit_end(&crate::plain::place(&permit.site), 60);
        let tip = format!("{} #{}, reserved at {site}: {settled}", permit.kind, permit.id.as_u64());
        let line = |a, b| mark(Shape::Line { a, b }, class).task(task).tip(tip.clone());
        body.push(line((x, top), (x, bottom)));
        if sheet.window.exact(permit.from).is_some() {
            body.push(line((x - 3.0, top), (x + 3.0, top)));
        }
        if to.is_some_and(|to| sheet.window.exact(to).is_some()) {
            let end = match how {
                Some(Settled::Leaked) => cross((x, bottom), 4.0),
                _ => vec![Shape::Dot { at: (x, bottom), r: 3.0 }],
            };
            let end =
                end.into_iter().map(|shape| mark(shape, format!("{class} end")).task(task).tip(tip.clone()));
            body.extend(end);
        }
    }
}

pub(super) fn cross((x, y): (f64, f64), r: f64) -> Vec<Shape> {
    vec![
        Shape::Line { a: (x - r, y - r), b: (x + r, y + r) },
        Shape::Line { a: (x - r, y + r), b: (x + r, y - r) },
    ]
}

/// Where a task waits: its lane is dashed, and an arrow points at who holds what it waits for.
pub(super) fn waits(sheet: &Sheet<'_>, body: &mut Vec<Mark>) {
    for wait in &sheet.line.waits {
        let Some(x) = sheet.x(wait.task) else { continue };
        let Some((top, bottom)) = sheet.span(wait.from, wait.to) else { continue };
        let held = wait.holder.map(|holder| format!(", held by {}", words::task(sheet.line, holder)));
        let tip = format!(
            "{} waits for {}{}",
            words::task(sheet.line, wait.task),
            wait.what,
            held.unwrap_or_default()
        );
        let shape = Shape::Line { a: (x, top), b: (x, bottom) };
        body.push(mark(shape, "wait span").row(wait.from).task(wait.task).tip(tip.clone()));
        let holder = wait.holder.filter(|holder| *holder != wait.task).and_then(|holder| sheet.x(holder));
        if let (Some(to), Some(at)) = (holder, sheet.window.exact(wait.from)) {
            let y = sheet.y(at);
            let toward = (to - x).signum();
            let tip_x = to - toward * 7.0;
            let shape = Shape::Line { a: (x + toward * 8.0, y), b: (tip_x - toward * 6.0, y) };
            body.push(mark(shape, "wait for").row(wait.from).tip(tip));
            body.push(mark(super::arrows::head((tip_x, y), toward), "wait point").row(wait.from));
        }
    }
}

/// How a task's end looks.
pub(super) fn end_class(end: Option<End>, failure: bool) -> &'static str {
    match end {
        _ if failure => "bad",
        Some(End::Panicked) => "bad",
        Some(End::Cancelled { .. }) => "cancelled",
        _ => "fine",
    }
}
