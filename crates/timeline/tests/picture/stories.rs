//! The runs that the pictures are made of.

use asupersync_timeline::{Failure, Run, StepRow, TouchAt, TouchRow};
use std::collections::BTreeMap;
use trace::{Access, Event, ObjectId, ObjectKind, Site, parse_lines};
use types::TaskId;

/// A run with everything it borrows from.
pub(crate) struct Story {
    pub(crate) name: &'static str,
    title: &'static str,
    repeat: &'static str,
    pub(crate) events: Vec<Event>,
    steps: Vec<StepRow>,
    failure: Option<Failure>,
    race: Option<[TouchAt; 2]>,
    objects: BTreeMap<ObjectId, String>,
    tasks: BTreeMap<TaskId, String>,
}

impl Story {
    pub(crate) fn new(name: &'static str, title: &'static str, trace: &str) -> Story {
        let events = parse_lines(trace).expect("the stored trace can be read");
        let (steps, objects, tasks) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Story { name, title, repeat: "", events, steps, failure: None, race: None, objects, tasks }
    }

    pub(crate) fn run(&self) -> Run<'_> {
        let mut run = Run::new(&self.events).steps(&self.steps).title(self.title).repeat(self.repeat);
        run.failure = self.failure.clone();
        run.race = self.race;
        run.object_names = self.objects.clone();
        run.task_names = self.tasks.clone();
        run
    }
}

/// Two tasks add to a counter in two steps each; the second one overwrites what the first has written.
pub(crate) fn lost_update() -> Story {
    let mut story =
        Story::new("lost-update", "two deposits of 10", include_str!("../traces/lost-update.trace"));
    let counter = ObjectId(0xc0ffee);
    let touch = |access, line| TouchRow {
        object: counter,
        kind: ObjectKind::Value,
        access,
        site: Some(Site::new("src/bank.rs", line)),
    };
    let step = |step, task, at, touches| StepRow {
        step,
        task: Some(TaskId::from_u64(task)),
        at,
        touches,
        enabled: Vec::new(),
    };
    story.steps = vec![
        step(0, 1, 1, vec![]),
        step(1, 71, 4, vec![touch(Access::Read, 21)]),
        step(2, 72, 4, vec![touch(Access::Read, 21)]),
        step(3, 71, 4, vec![touch(Access::Write, 23)]),
        step(4, 72, 5, vec![touch(Access::Write, 23)]),
        step(5, 1, 6, vec![touch(Access::Read, 31)]),
    ];
    story.objects.insert(counter, "the balance".into());
    story.failure = Some(Failure {
        what: "assertion failed: the balance is 10, not 20".into(),
        at: Some(11),
        tasks: vec![TaskId::from_u64(1)],
    });
    story.race = Some([TouchAt { step: 2, touch: 0 }, TouchAt { step: 3, touch: 0 }]);
    story.repeat = "LAB_SEED=4 cargo test two_deposits";
    story
}

/// Two transfers lock two accounts in opposite order.
pub(crate) fn deadlock() -> Story {
    let mut story = Story::new(
        "deadlock",
        "two transfers between two accounts",
        include_str!("../traces/deadlock.trace"),
    );
    story.repeat = "LAB_SEED=0 cargo test transfers";
    story
}

/// A server is asked to stop while a message is on its way.
pub(crate) fn sweep() -> Story {
    let mut story =
        Story::new("cancel-sweep", "stop at every step: step 12", include_str!("../traces/sweep.trace"));
    let last = story.events.iter().rev().find(|event| event.task.is_some()).expect("somebody did something");
    story.failure = Some(Failure {
        what: "job 1 was taken from the queue and never answered:\nits permit was given back by the request"
            .into(),
        at: Some(last.seq),
        tasks: Vec::new(),
    });
    story
}

/// A lease is forgotten.
pub(crate) fn leak() -> Story {
    Story::new("leak", "a worker forgets its lease", include_str!("../traces/leak.trace"))
}

/// Four workers with two jobs each.
pub(crate) fn crowd() -> Story {
    let mut story = Story::new("crowd", "four workers, one bad job", include_str!("../traces/crowd.trace"));
    let bad = story.events.iter().find_map(|event| match event.label {
        trace::Label::TaskEnd { task, failure: true, .. } => Some((event.seq, task)),
        _ => None,
    });
    let (seq, task) = bad.expect("one job fails");
    story.failure = Some(Failure { what: "job failed".into(), at: Some(seq), tasks: vec![task] });
    story
}

/// Forty workers with four jobs each.
pub(crate) fn many() -> Story {
    let mut story = crowd();
    let many = Story::new("many", "forty workers, one bad job", include_str!("../traces/many.trace"));
    let bad = many.events.iter().find_map(|event| match event.label {
        trace::Label::TaskEnd { task, failure: true, .. } => Some((event.seq, task)),
        _ => None,
    });
    let (seq, task) = bad.expect("one job fails");
    story.failure = Some(Failure { what: "job failed".into(), at: Some(seq), tasks: vec![task] });
    Story { failure: story.failure, ..many }
}

/// Those that are stored as pictures.
pub(crate) fn small() -> Vec<Story> {
    vec![lost_update(), deadlock(), sweep(), leak()]
}

/// All of them.
pub(crate) fn all() -> Vec<Story> {
    let mut all = small();
    all.extend([crowd(), many()]);
    all
}
