//! An execution of a program of the mini-language in words, and as the events and steps that pictures are made of.
use crate::hunt::Execution;
use crate::subject::Subject;
use explore::{RacingPair, Side};
use std::fmt::Write;
use timeline::{Failure, Run, StepRow, TouchAt, TouchRow, WaitRow};
use trace::{End, Event, Label, RegionKind, Site};
use types::{AfterGrace, Policy, RegionId, TaskId, Time};

/// One step a line.
pub(crate) fn steps(subject: &Subject, execution: &Execution) -> String {
    let mut text = String::new();
    for row in execution.steps.rows() {
        let who = row.task.map(|task| subject.task(task)).unwrap_or_default();
        let passed = row.instead_of.map(|task| format!("   (before {})", subject.task(task)));
        let did: Vec<String> =
            row.touches.iter().map(|t| format!("{} {}", t.access, subject.object(t.object))).collect();
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "  {:>3}  {who}  {}{}", row.step + 1, did.join(", "), passed.unwrap_or_default());
    }
    text
}

/// The pair of operations whose order made it fail.
pub(crate) fn pair(subject: &Subject, pair: &RacingPair) -> String {
    let side = |side: &Side| {
        format!("{} {} {}", subject.task(side.task), side.touch.access, subject.object(side.touch.object))
    };
    let never = if pair.delayed.step.is_none() { " (which it never comes to)" } else { "" };
    format!("{} before {}{never}", side(&pair.overtaking), side(&pair.delayed))
}

/// The picture's ingredients.
pub(crate) struct Drawn {
    events: Vec<Event>,
    steps: Vec<StepRow>,
    race: Option<[TouchAt; 2]>,
}

impl Drawn {
    /// Of this execution: a root region, a task in it for each of the program, and their steps.
    pub(crate) fn of(subject: &Subject, execution: &Execution) -> Drawn {
        let tasks = subject.program.tasks().len() as u64;
        let site = |line: u64| Site::new("program", line as u32);
        // Tasks and regions share their numbers.
        let root = RegionId::from_u64(tasks);
        let mut labels = vec![Label::RegionOpen {
            region: root,
            parent: None,
            within: None,
            kind: RegionKind::Root,
            policy: Policy::FailFast,
            after_grace: AfterGrace::Wait,
            shielded: false,
            site: site(0),
        }];
        let spawn = |n: u64| Label::TaskSpawn {
            task: TaskId::from_u64(n),
            region: root,
            daemon: false,
            site: site(n + 1),
        };
        labels.extend((0..tasks).map(spawn));
        let stuck = |task: TaskId| execution.steps.stuck().iter().any(|stuck| stuck.task == task);
        let mut left: Vec<usize> = vec![0; tasks as usize];
        let place = |task: Option<TaskId>| task.map(|task| task.as_u64() as usize);
        execution.steps.rows().filter_map(|row| place(row.task)).for_each(|task| left[task] += 1);
        let mut steps = Vec::new();
        for row in execution.steps.rows() {
            steps.push(StepRow {
                step: row.step as u64,
                task: row.task,
                at: labels.len() as u64,
                touches: row.touches.iter().map(touch).collect(),
                enabled: Vec::new(),
            });
            let Some((task, index)) = row.task.zip(place(row.task)) else { continue };
            left[index] -= 1;
            if left[index] == 0 && !stuck(task) {
                labels.push(Label::TaskEnd { task, end: End::Ok, failure: false, consequential: false })
            }
        }
        let events = (0..).zip(labels).map(|(seq, label)| {
            let whose = if let Label::TaskEnd { task, .. } = label { Some(task) } else { None };
            let event = Event::new(seq, Time::ZERO, label);
            whose.map_or(event.clone(), |task| event.by(task))
        });
        let events = events.collect();
        let race = execution.steps.racing_pair().and_then(|pair| {
            let at = |side: &Side| Some(TouchAt { step: side.step?, touch: 0 });
            Some([at(&pair.overtaking)?, at(&pair.delayed)?])
        });
        Drawn { events, steps, race }
    }

    /// It as a run to draw.
    pub(crate) fn run(&self, subject: &Subject, execution: &Execution, repeat: &str) -> Run<'_> {
        let mut run = Run::new(&self.events).steps(&self.steps).title(subject.text()).repeat(repeat);
        run.object_names = subject.objects().map(|object| (object, subject.object(object))).collect();
        if let Some(what) = &execution.failure {
            let waits = execution.steps.stuck().iter().filter_map(|stuck| {
                let what = subject.object(stuck.announced?.object);
                Some(WaitRow { task: stuck.task, what, holder: None, site: None })
            });
            let tasks = execution.steps.stuck().iter().map(|stuck| stuck.task).collect();
            run = run.waits(waits.collect()).failure(Failure { what: what.clone(), at: None, tasks })
        }
        match self.race {
            Some([first, second]) => run.race(first, second),
            None => run,
        }
    }
}

fn touch(touch: &explore::Touch) -> TouchRow {
    TouchRow { object: touch.object, kind: touch.kind, access: touch.access, site: None }
}
