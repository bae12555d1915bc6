//! [`Run`]: what a picture is made of. The events suffice; everything else makes the picture say more.
//!
//! The rows here are plain data, so that whoever executes programs can fill them without this crate knowing who
//! that is.
//!
//! Not here: what is made of it (`model`).
use std::collections::BTreeMap;
use trace::{Access, Event, ObjectId, ObjectKind, Site};
use types::{RegionId, TaskId};

/// One operation of a step on an object that tasks share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchRow {
    /// The object.
    pub object: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// What was done to it.
    pub access: Access,
    /// Where in the source, if it is known.
    pub site: Option<Site>,
}

/// One step: what a task did in one go, from where it was resumed to where it gave way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepRow {
    /// Its number in the run; rises.
    pub step: u64,
    /// Whose it was; `None` for the world's own.
    pub task: Option<TaskId>,
    /// The position in the trace at which it began: events with this position or a later one, up to where the
    /// next step begins, are its own.
    pub at: u64,
    /// What it did to shared objects, in order.
    pub touches: Vec<TouchRow>,
    /// The tasks that can run because of it.
    pub enabled: Vec<TaskId>,
}

/// A touch of a run: the place of its step in [`Run::steps`], and its own place in the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TouchAt {
    /// Index into [`Run::steps`].
    pub step: usize,
    /// Index into [`StepRow::touches`].
    pub touch: usize,
}

/// A task that waited when the run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitRow {
    /// Who.
    pub task: TaskId,
    /// For what: "a mutex", "room in a channel".
    pub what: String,
    /// Who holds it, if that is known.
    pub holder: Option<TaskId>,
    /// Where in the source it waits, if that is known.
    pub site: Option<Site>,
}

/// Why the run is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, in words; may have several lines.
    pub what: String,
    /// The position of the event that showed it; `None` is the end of the trace.
    pub at: Option<u64>,
    /// The tasks that it concerns.
    pub tasks: Vec<TaskId>,
}

/// What a picture is made of.
///
/// ```
/// use asupersync_timeline::{Run, TextLimits, Timeline, text};
/// let events = trace::parse_lines("asupersync-trace 1\n0 0 - stuck steps=40\n").unwrap();
/// let run = Run::new(&events).title("a run that got nowhere");
/// let report = text(&Timeline::of(&run), &TextLimits::default());
/// assert!(report.contains("the run got nowhere for 40 steps"), "{report}");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Run<'a> {
    /// The trace, in order.
    pub events: &'a [Event],
    /// The steps, in order, if they were recorded.
    pub steps: &'a [StepRow],
    /// The steps with everything they did, also to what is not worth a line: what the run's class is made of. Empty where
    /// [`Run::steps`] has it all.
    pub footprints: &'a [StepRow],
    /// Who waited when the run failed.
    pub waits: Vec<WaitRow>,
    /// What went wrong. Without it, the oracles are asked.
    pub failure: Option<Failure>,
    /// Two touches that race: had they come in the other order, the run would have gone another way.
    pub race: Option<[TouchAt; 2]>,
    /// A line above the picture: the test's name.
    pub title: String,
    /// How to run this again: a seed, a command.
    pub repeat: String,
    /// Names that tasks have given themselves.
    pub task_names: BTreeMap<TaskId, String>,
    /// Names of regions.
    pub region_names: BTreeMap<RegionId, String>,
    /// Names of shared objects.
    pub object_names: BTreeMap<ObjectId, String>,
}

impl<'a> Run<'a> {
    /// A run of which only the trace is known.
    #[must_use]
    pub fn new(events: &'a [Event]) -> Self {
        Self { events, ..Self::default() }
    }

    /// With the steps it took.
    #[must_use]
    pub fn steps(mut self, steps: &'a [StepRow]) -> Self {
        self.steps = steps;
        self
    }

    /// With everything that its steps did.
    #[must_use]
    pub fn footprints(mut self, footprints: &'a [StepRow]) -> Self {
        self.footprints = footprints;
        self
    }

    /// With a line above the picture.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// With the way to run it again.
    #[must_use]
    pub fn repeat(mut self, repeat: impl Into<String>) -> Self {
        self.repeat = repeat.into();
        self
    }

    /// With what went wrong.
    #[must_use]
    pub fn failure(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// With two touches that race.
    #[must_use]
    pub fn race(mut self, first: TouchAt, second: TouchAt) -> Self {
        self.race = Some([first, second]);
        self
    }

    /// With who waited at the failure.
    #[must_use]
    pub fn waits(mut self, waits: Vec<WaitRow>) -> Self {
        self.waits = waits;
        self
    }
}
