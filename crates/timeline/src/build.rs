//! From events to the model: one pass that believes every event.
//!
//! A trace may begin in the middle (a ring of the last events): a task that is first heard of without its spawn gets
//! a path that begins with `?`. Events don't always say which task took them; it is then inferred from the step they
//! belong to, or from the region they are about.
//!
//! Not here: arrows out of touches (`causes`), the fold over one label (`build/fold`), which events share a row
//! (`build/merge`), the order of the lanes (`build/order`).
use crate::causes;
use crate::model::{Region, Row, RowOf, Task, Timeline, Trouble};
use crate::plain::{LONGEST, clean};
use crate::run::{Run, TouchAt, WaitRow};
use crate::words;
use std::collections::BTreeMap;
use trace::{Event, Label, RegionKind, ScopeId, Site, TimerId};
use types::{ObligationId, RegionId, TaskId, Time};

mod fold;
mod merge;
mod order;

impl<'a> Timeline<'a> {
    /// What happened in `run`. Linear in the events, but for the logarithm of a table's size.
    #[must_use]
    pub fn of(run: &'a Run<'a>) -> Timeline<'a> {
        let found = found(run);
        let mut build = Build::new(run);
        let mut waits_at =
            (!run.waits.is_empty()).then(|| found.first().and_then(|f| f.at).unwrap_or(u64::MAX));
        for (index, event) in run.events.iter().enumerate() {
            build.steps_before(event.seq, event.time);
            if waits_at.is_some_and(|at| event.seq >= at) {
                waits_at = None;
                build.given_waits(event.seq, event.time);
            }
            build.event(index, event);
        }
        let (seq, time) = run.events.last().map_or((0, Time::ZERO), |last| (last.seq + 1, last.time));
        build.steps_before(u64::MAX, time);
        if waits_at.is_some() {
            build.given_waits(seq, time);
        }
        build.finish(found)
    }
}

/// A trouble before the tasks have their places.
struct Found {
    by: &'static str,
    what: String,
    at: Option<u64>,
    tasks: Vec<TaskId>,
}

/// What the caller says went wrong, else what the oracles find, else the panics that failed something.
fn found(run: &Run<'_>) -> Vec<Found> {
    if let Some(failure) = &run.failure {
        let (what, tasks) = (failure.what.clone(), failure.tasks.clone());
        return vec![Found { by: "the run", what, at: failure.at, tasks }];
    }
    let mut all = Vec::new();
    for report in oracle::judge(run.events).err().into_iter().flatten() {
        for finding in report.findings {
            let event = finding.event.as_deref();
            let mut tasks: Vec<TaskId> = event.map(|event| subjects(&event.label)).unwrap_or_default();
            tasks.extend(event.and_then(|event| event.task));
            all.push(Found { by: report.oracle, what: finding.what, at: event.map(|e| e.seq), tasks });
        }
    }
    // What came first is nearest to the cause.
    all.sort_by_key(|found| found.at.unwrap_or(u64::MAX));
    if all.is_empty() {
        let panicked = run.events.iter().find_map(|event| match event.label {
            Label::TaskEnd { task, end: trace::End::Panicked, failure: true, .. } => Some((event.seq, task)),
            _ => None,
        });
        all.extend(panicked.map(|(seq, task)| Found {
            by: "panic",
            what: format!("{task} panicked"),
            at: Some(seq),
            tasks: vec![task],
        }));
    }
    all
}

/// The tasks that a label names first.
fn subjects(label: &Label) -> Vec<TaskId> {
    match label {
        Label::TaskSpawn { task, .. }
        | Label::TaskEnd { task, .. }
        | Label::TaskAbandon { task }
        | Label::TaskWriteOff { task }
        | Label::TaskRequest { task, .. }
        | Label::TaskAck { task, .. }
        | Label::TaskJoined { task, .. }
        | Label::Deadlock { task } => vec![*task],
        Label::WaitFor { task, holder, .. } => std::iter::once(*task).chain(*holder).collect(),
        _ => Vec::new(),
    }
}

/// A model in the making.
struct Build<'a> {
    line: Timeline<'a>,
    tasks: BTreeMap<TaskId, usize>,
    regions: BTreeMap<RegionId, usize>,
    scopes: BTreeMap<ScopeId, usize>,
    obligations: BTreeMap<ObligationId, usize>,
    timers: BTreeMap<TimerId, usize>,
    finalizers: BTreeMap<trace::FinalizerId, usize>,
    objects: BTreeMap<trace::ObjectId, usize>,
    /// Index of the open wait of each task.
    waiting: BTreeMap<usize, usize>,
    /// The next step.
    next_step: usize,
    /// Whose step it is.
    acting: Option<usize>,
    /// The rows of each step, by its index.
    step_rows: Vec<(usize, usize)>,
    unknown: usize,
}

impl<'a> Build<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        let line = Timeline {
            run,
            rows: Vec::new(),
            tasks: Vec::new(),
            order: Vec::new(),
            regions: Vec::new(),
            scopes: Vec::new(),
            requests: Vec::new(),
            obligations: Vec::new(),
            waits: Vec::new(),
            timers: Vec::new(),
            arrows: Vec::new(),
            troubles: Vec::new(),
            race: None,
            finalizers: Vec::new(),
            objects: Vec::new(),
        };
        Build {
            line,
            tasks: BTreeMap::new(),
            regions: BTreeMap::new(),
            scopes: BTreeMap::new(),
            obligations: BTreeMap::new(),
            timers: BTreeMap::new(),
            finalizers: BTreeMap::new(),
            objects: BTreeMap::new(),
            waiting: BTreeMap::new(),
            next_step: 0,
            acting: None,
            step_rows: Vec::new(),
            unknown: 0,
        }
    }

    /// The steps that began at this position of the trace or before, with what they touched.
    fn steps_before(&mut self, seq: u64, time: Time) {
        let run = self.line.run;
        while let Some(step) = run.steps.get(self.next_step).filter(|step| step.at <= seq) {
            let index = self.next_step;
            self.next_step += 1;
            self.acting = step.task.map(|task| self.task(task));
            let first = self.line.rows.len();
            if let Some(task) = self.acting {
                self.over(task, first);
            }
            for (touch, row) in step.touches.iter().enumerate() {
                let at = TouchAt { step: index, touch };
                self.row(Row { seq: step.at, time, task: self.acting, of: RowOf::Touch(at) });
                let next = self.objects.len();
                if next == *self.objects.entry(row.object).or_insert(next) {
                    self.line.objects.push(row.object);
                }
            }
            self.step_rows.push((first, self.line.rows.len()));
        }
    }

    /// What the caller says the tasks wait for.
    fn given_waits(&mut self, seq: u64, time: Time) {
        for (index, WaitRow { task, what, holder, site }) in self.line.run.waits.iter().enumerate() {
            let task = self.task(*task);
            let holder = holder.map(|holder| self.task(holder));
            let row = self.row(Row { seq, time, task: Some(task), of: RowOf::Wait(index) });
            self.begin_wait(task, what, holder, row, site.clone());
        }
    }

    fn row(&mut self, row: Row) -> usize {
        self.line.rows.push(row);
        self.line.rows.len() - 1
    }

    /// The task with this id, made up if it is new.
    fn task(&mut self, id: TaskId) -> usize {
        if let Some(&task) = self.tasks.get(&id) {
            return task;
        }
        self.unknown += 1;
        let path = format!("?{}", self.unknown);
        self.new_task(id, path, None, None)
    }

    fn new_task(&mut self, id: TaskId, path: String, site: Option<Site>, parent: Option<usize>) -> usize {
        let name = self.line.run.task_names.get(&id).map(|name| clean(name, LONGEST)).unwrap_or_default();
        let task = Task {
            id,
            path,
            name,
            site,
            parent,
            region: None,
            daemon: false,
            from: self.line.rows.len(),
            to: None,
            end: None,
            failure: false,
            lost: false,
            children: 0,
        };
        self.line.tasks.push(task);
        self.tasks.insert(id, self.line.tasks.len() - 1);
        self.line.tasks.len() - 1
    }

    /// The region with this id, made up if it is new.
    fn region(&mut self, id: RegionId) -> usize {
        if let Some(&region) = self.regions.get(&id) {
            return region;
        }
        let region = Region {
            id,
            name: String::new(),
            kind: RegionKind::Frame,
            parent: None,
            body: None,
            site: Site::new("?", 0),
            from: self.line.rows.len(),
            to: None,
            phases: Vec::new(),
            outcome: None,
            requests: Vec::new(),
        };
        let index = self.line.regions.len();
        self.line.regions.push(region);
        self.regions.insert(id, index);
        self.line.regions[index].name = match self.line.run.region_names.get(&id) {
            Some(name) => clean(name, LONGEST),
            None => format!("R{}", index + 1),
        };
        index
    }

    /// The task in which a scope lies: a task's root scope has the number of the task, a region's body scope that of
    /// the region.
    fn task_of_scope(&self, scope: ScopeId) -> Option<usize> {
        if let Some(&scope) = self.scopes.get(&scope) {
            return self.line.scopes[scope].task;
        }
        if let Some(&region) = self.regions.get(&RegionId::from_u64(scope.0)) {
            return self.line.regions[region].body;
        }
        self.tasks.get(&TaskId::from_u64(scope.0)).copied()
    }

    fn begin_wait(&mut self, task: usize, what: &str, holder: Option<usize>, row: usize, site: Option<Site>) {
        self.over(task, row);
        let what = clean(what, LONGEST);
        self.line.waits.push(crate::model::Wait { task, what, holder, from: row, to: None, site });
        self.waiting.insert(task, self.line.waits.len() - 1);
    }

    /// The task waits no longer.
    fn over(&mut self, task: usize, row: usize) {
        if let Some(wait) = self.waiting.remove(&task) {
            self.line.waits[wait].to = Some(row);
        }
    }

    fn event(&mut self, index: usize, event: &Event) {
        let by = event.task.map(|task| self.task(task)).or(self.acting);
        let row = if merge::is_quiet(&event.label) {
            self.line.rows.len().saturating_sub(1)
        } else if merge::joins(&self.line, index) {
            let row = self.line.rows.len() - 1;
            if let RowOf::Events { count, .. } = &mut self.line.rows[row].of {
                *count += 1;
            }
            row
        } else {
            let of = RowOf::Events { first: index, count: 1 };
            self.row(Row { seq: event.seq, time: event.time, task: by, of })
        };
        let about = self.fold(event, by, row);
        if !merge::is_quiet(&event.label)
            && let Some(task) = about
            && self.line.rows[row].of == (RowOf::Events { first: index, count: 1 })
        {
            self.line.rows[row].task = Some(task);
        }
    }

    fn finish(mut self, found: Vec<Found>) -> Timeline<'a> {
        let race = self.line.run.race.and_then(|race| {
            let row = |at: TouchAt| {
                let (first, end) = *self.step_rows.get(at.step)?;
                Some(first + at.touch).filter(|row| *row < end)
            };
            Some([row(race[0])?, row(race[1])?])
        });
        self.line.race = race;
        for found in found {
            // Touches stand before the events of their step: the last row at this position is the event's.
            let row =
                found.at.and_then(|at| self.line.rows.partition_point(|row| row.seq <= at).checked_sub(1));
            let mut tasks: Vec<usize> =
                found.tasks.iter().filter_map(|id| self.tasks.get(id).copied()).collect();
            if found.by == "deadlock" || !self.line.run.waits.is_empty() {
                let row = row.unwrap_or(self.line.rows.len());
                let waits =
                    self.line.waits.iter().filter(|w| w.from <= row && w.to.is_none_or(|to| to > row));
                tasks.extend(waits.filter(|wait| wait.holder.is_some()).map(|wait| wait.task));
            }
            tasks.sort_unstable();
            tasks.dedup();
            let what = words::with_paths(&found.what, &self.line, &self.tasks, &self.regions);
            self.line.troubles.push(Trouble { by: found.by, what, row, tasks });
        }
        let arrows = causes::of_steps(&self.line, &self.step_rows, &self.tasks);
        self.line.arrows.extend(arrows);
        self.line.arrows.sort_unstable_by_key(|arrow| (arrow.to, arrow.from, arrow.to_task, arrow.kind));
        self.line.arrows.dedup();
        self.line.order = order::of(&self.line);
        self.line
    }
}
