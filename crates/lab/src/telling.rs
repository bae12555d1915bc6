//! One execution that was followed for its report: what it did step by step, as [`timeline`] wants it.
//!
//! Not here: the pictures (`timeline`), where they are written (`artefact`).
use crate::names::Names;
use crate::overtaking::CLOCK;
use crate::watch;
use explore::{Crowd, Decisions, Ended, Point, RacingPair, Scheduler, Side, Step, StepLog, Stuck, Taken};
use std::collections::BTreeMap;
use timeline::{Failure, Run, StepRow, TouchAt, TouchRow, WaitRow};
use trace::{Access, Choice, End, Event, Label, ObjectId};
use types::TaskId;

/// Passes every question on, and notes at which position of the trace each step began and whom it woke.
#[derive(Debug, Default)]
pub(crate) struct Marked<S> {
    pub(crate) inner: S,
    marks: Vec<Mark>,
    /// Where the step before ended.
    at: u64,
    /// Where the run ended; what follows takes it down.
    end: u64,
}

#[derive(Debug)]
struct Mark {
    at: u64,
    enabled: Vec<TaskId>,
}

impl<S> Marked<S> {
    pub(crate) fn new(inner: S) -> Marked<S> {
        Marked { inner, marks: Vec::new(), at: 0, end: u64::MAX }
    }
}

impl<S: Scheduler> Scheduler for Marked<S> {
    fn begin(&mut self) {
        self.marks.clear();
        self.end = u64::MAX;
        self.at = watch::emitted();
        self.inner.begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner.pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        self.inner.pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.marks.push(Mark { at: self.at, enabled: step.enabled.to_vec() });
        self.at = watch::emitted();
        self.inner.ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.end = watch::emitted();
        self.inner.ended(how)
    }
    fn decided(&self) -> Option<Decisions> {
        self.inner.decided()
    }
}

/// What is known of a followed execution.
#[derive(Debug)]
pub(crate) struct Telling {
    /// What it failed with, if it did.
    pub(crate) failure: Option<String>,
    /// Where the first panic of the program happened.
    pub(crate) panicked_at: Option<String>,
    /// What was decided.
    pub(crate) taken: Taken,
    /// The trace.
    pub(crate) events: Vec<Event>,
    steps: Vec<StepRow>,
    /// The same with all they did.
    footprints: Vec<StepRow>,
    stuck: Vec<Stuck>,
    pair: Option<RacingPair>,
    names: Names,
}

impl Telling {
    /// Of the execution that `marked` has seen last, whose steps `log` has.
    pub(crate) fn of<S>(
        marked: &Marked<S>,
        log: Option<&StepLog>,
        taken: Taken,
        failure: Option<String>,
        mut events: Vec<Event>,
        names: Names,
    ) -> Telling {
        events.truncate(usize::try_from(marked.end).unwrap_or(usize::MAX));
        let pair = log.and_then(StepLog::racing_pair);
        let raced = pair.map(|pair| pair.delayed.touch.object);
        // What the kernel does to objects of its own is in the events; it is worth a line only if that is what raced.
        let said = |touch: &&explore::Touch| names.knows(touch.object) || Some(touch.object) == raced;
        let all = |_: &&explore::Touch| true;
        let rows = |which: &dyn Fn(&&explore::Touch) -> bool| -> Vec<StepRow> {
            let rows = log.map(StepLog::rows).into_iter().flatten();
            let rows = rows.zip(&marked.marks).map(|(row, mark)| StepRow {
                step: row.step as u64,
                task: row.task,
                at: mark.at,
                touches: row.touches.iter().filter(which).map(touch_row).collect(),
                enabled: mark.enabled.clone(),
            });
            rows.collect()
        };
        let (steps, footprints) = (rows(&said), rows(&all));
        let stuck = log.map(StepLog::stuck).unwrap_or_default();
        // A timer that nobody waits for any more is no story.
        let stuck = stuck.iter().filter(|stuck| stuck.task != CLOCK).copied().collect();
        Telling { failure, panicked_at: None, taken, events, steps, footprints, stuck, pair, names }
    }

    /// The two operations whose order made it fail, in words.
    pub(crate) fn pair(&self) -> Option<String> {
        self.pair.as_ref().map(|pair| self.names.pair(pair))
    }

    /// It, for a picture.
    pub(crate) fn run(&self, title: &str, repeat: &str) -> Run<'_> {
        let mut run = Run::new(&self.events)
            .steps(&self.steps)
            .footprints(&self.footprints)
            .title(title)
            .repeat(repeat);
        run.object_names = self.object_names();
        if let Some(what) = &self.failure {
            let at = shown_at(&self.events);
            run = run.waits(self.waits()).failure(Failure { what: what.clone(), at, tasks: self.concerned() })
        }
        if let Some([first, second]) = self.race() {
            run = run.race(first, second)
        }
        run
    }

    fn concerned(&self) -> Vec<TaskId> {
        let racing = self.pair.iter().flat_map(|pair| [pair.overtaking.task, pair.delayed.task]);
        racing.chain(self.stuck.iter().map(|stuck| stuck.task)).collect()
    }

    /// The pair's places. `None` if one of the two never happened.
    fn race(&self) -> Option<[TouchAt; 2]> {
        let pair = self.pair.as_ref()?;
        Some([self.place(&pair.overtaking)?, self.place(&pair.delayed)?])
    }

    fn place(&self, side: &Side) -> Option<TouchAt> {
        let step = side.step?;
        let same = |row: &TouchRow| row.object == side.touch.object && row.access == side.touch.access;
        let touch = self.steps.get(step)?.touches.iter().position(same)?;
        Some(TouchAt { step, touch })
    }

    fn waits(&self) -> Vec<WaitRow> {
        let waits = self.stuck.iter().filter_map(|stuck| {
            let touch = stuck.announced?;
            Some(WaitRow {
                task: stuck.task,
                what: format!("the {}", self.names.short(touch.object)),
                holder: self.holder(touch.object),
                site: touch.at.map(Into::into),
            })
        });
        waits.collect()
    }

    /// Who has taken a lock, or a permit, last and not given it back.
    fn holder(&self, object: ObjectId) -> Option<TaskId> {
        let mut holders = Vec::new();
        for step in &self.steps {
            for touch in step.touches.iter().filter(|touch| touch.object == object) {
                match touch.access {
                    Access::Acquire(_) | Access::TryAcquire(_) => holders.extend(step.task),
                    Access::Release(_) => {
                        let mine = holders.iter().rposition(|holder| Some(*holder) == step.task);
                        mine.or(holders.len().checked_sub(1)).map(|at| holders.remove(at));
                    }
                    _ => {}
                }
            }
        }
        holders.last().copied()
    }

    fn object_names(&self) -> BTreeMap<ObjectId, String> {
        let touched = self.footprints.iter().flat_map(|step| &step.touches).map(|touch| touch.object);
        touched.map(|id| (id, self.names.short(id))).collect()
    }
}

/// A failing run of which only the trace is known.
pub(crate) fn of_events<'a>(events: &'a [Event], what: &str) -> Run<'a> {
    let failure = Failure { what: what.into(), at: shown_at(events), tasks: Vec::new() };
    // What the oracles find in the trace says more than their report in one piece.
    if oracle::judge(events).is_err() { Run::new(events) } else { Run::new(events).failure(failure) }
}

/// The event that shows a failure: a panic, or tasks that wait for each other.
fn shown_at(events: &[Event]) -> Option<u64> {
    let shows = |event: &&Event| {
        matches!(
            event.label,
            Label::TaskEnd { end: End::Panicked, .. }
                | Label::BodyEnd { end: End::Panicked, .. }
                | Label::Deadlock { .. }
        )
    };
    events.iter().find(shows).map(|event| event.seq)
}

fn touch_row(touch: &explore::Touch) -> TouchRow {
    let site = touch.at.map(Into::into);
    TouchRow { object: touch.object, kind: touch.kind, access: touch.access, site }
}
