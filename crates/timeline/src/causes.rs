//! Arrows out of touches: which operation on a shared object had to come before which.
//!
//! For each object: what was sent first is received first; who takes a lock takes it from who gave it back last; who
//! reads sees who wrote last; who goes on after a moment goes on because it happened. Arrows within one task are left
//! out: its lane shows that order.
//!
//! Lamport, "Time, clocks, and the ordering of events in a distributed system" (1978) is where the relation comes from.
//!
//! Not here: arrows out of events, which need no inference (`build/fold`).
use crate::model::{Arrow, ArrowKind, Timeline};
use std::collections::{BTreeMap, VecDeque};
use trace::{Access, ObjectId};
use types::TaskId;

/// A row and the task whose it is.
type Point = (usize, usize);

/// What an object remembers.
#[derive(Default)]
struct Past {
    sent: VecDeque<Point>,
    released: Option<Point>,
    written: Option<Point>,
    happened: Option<Point>,
}

impl Past {
    fn touch(&mut self, access: Access, at: Point) -> Option<(ArrowKind, Point)> {
        match access {
            Access::Send => {
                self.sent.push_back(at);
                None
            }
            Access::Receive | Access::TryReceive => {
                self.sent.pop_front().map(|from| (ArrowKind::Message, from))
            }
            Access::Release(_) => {
                self.released = Some(at);
                None
            }
            Access::Acquire(_) | Access::TryAcquire(_) => {
                self.released.map(|from| (ArrowKind::Handover, from))
            }
            Access::Write | Access::Set(_) => {
                self.written = Some(at);
                None
            }
            Access::Read => self.written.map(|from| (ArrowKind::Data, from)),
            Access::Happen | Access::Close => {
                self.happened = Some(at);
                None
            }
            Access::Observe | Access::Ended => self.happened.map(|from| (ArrowKind::Moment, from)),
            Access::Exchange(_) | Access::Refused(_) | Access::Empty => None,
        }
    }
}

/// The arrows of all steps. `rows` has for each step its first row and the one after its last touch.
pub(crate) fn of_steps(
    line: &Timeline<'_>,
    rows: &[(usize, usize)],
    tasks: &BTreeMap<TaskId, usize>,
) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    let mut objects: BTreeMap<ObjectId, Past> = BTreeMap::new();
    let mut enabled: BTreeMap<usize, Point> = BTreeMap::new();
    let mut add = |kind, (from, from_task): Point, (to, to_task): Point| {
        if from_task != to_task {
            arrows.push(Arrow { from, from_task, to, to_task, kind });
        }
    };
    for (step, &(first, end)) in line.run.steps.iter().zip(rows) {
        let Some(task) = step.task.and_then(|task| tasks.get(&task).copied()) else { continue };
        if let (Some(from), true) = (enabled.remove(&task), first < end) {
            add(ArrowKind::Wake, from, (first, task));
        }
        for (at, touch) in step.touches.iter().enumerate() {
            let at = (first + at, task);
            if let Some((kind, from)) = objects.entry(touch.object).or_default().touch(touch.access, at) {
                add(kind, from, at);
            }
        }
        let last = end.max(first + 1) - 1;
        for other in step.enabled.iter().filter_map(|other| tasks.get(other).copied()) {
            // Who is spawned by this step has an arrow for that already.
            if last < line.rows.len() && line.tasks[other].from < first {
                enabled.insert(other, (last, task));
            }
        }
    }
    arrows
}
