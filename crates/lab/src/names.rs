//! What the tasks and objects of an explored run were, for people: where they were spawned and created.
//!
//! Not here: their numbers (`watch`).
use crate::overtaking::CLOCK;
use crate::watch;
use explore::{RacingPair, Side};
use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::Location;
use trace::{ObjectId, ObjectKind, Site};
use types::TaskId;

/// Hashes what is a hash already.
#[derive(Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.0 = region::mix(self.0, u64::from(b)))
    }
    fn write_u64(&mut self, n: u64) {
        self.0 ^= n
    }
}

pub(crate) type ById<K, V> = HashMap<K, V, BuildHasherDefault<Mixed>>;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Names {
    objects: ById<ObjectId, (ObjectKind, &'static Location<'static>)>,
    tasks: ById<TaskId, Site>,
}

impl Names {
    pub(crate) fn object(&mut self, id: ObjectId, kind: ObjectKind, at: &'static Location<'static>) {
        self.objects.insert(id, (kind, at));
    }

    pub(crate) fn task(&mut self, id: TaskId, site: &Site) {
        self.tasks.insert(id, site.clone());
    }

    /// "the task spawned at src/a.rs:3".
    #[must_use]
    pub fn of_task(&self, task: TaskId) -> String {
        match self.tasks.get(&task) {
            _ if task == CLOCK => "the clock".into(),
            Some(site) => format!("the task spawned at {site}"),
            None => "the root body".into(),
        }
    }

    /// "the lock created at src/a.rs:3".
    #[must_use]
    pub fn of_object(&self, object: ObjectId) -> String {
        match self.objects.get(&object) {
            Some((kind, at)) => format!("the {} created at {}:{}", noun(*kind), at.file(), self.line(at)),
            None if object == watch::TIME => "the time".into(),
            None if object == watch::OVERTAKINGS => "how often the clock may still overtake tasks".into(),
            None => match self.kernel_s(object) {
                Some((what, task)) => format!("the {what} of {}", self.of_task(task)),
                None => "the state of a region, or of the root body".into(),
            },
        }
    }

    /// What it is of a task, if it is one of the kernel's own objects. Cost: the number of tasks.
    fn kernel_s(&self, object: ObjectId) -> Option<(&'static str, TaskId)> {
        self.tasks.keys().find_map(|task| {
            let objects = watch::objects_of(*task).into_iter();
            objects.filter(|(id, _)| *id == object).map(|(_, what)| (what, *task)).next()
        })
    }

    /// The same for a label of a picture: "lock of a.rs:3".
    pub(crate) fn short(&self, object: ObjectId) -> String {
        let Some((kind, at)) = self.objects.get(&object) else {
            return match self.kernel_s(object) {
                _ if object == watch::TIME => "time".into(),
                Some((what, _)) => what.into(),
                None => "state of a region".into(),
            };
        };
        let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{} of {file}:{}", noun(*kind), self.line(at))
    }

    /// The line, and the column if other objects were created in the same line.
    fn line(&self, at: &Location<'_>) -> String {
        let beside = |other: &Location<'_>| {
            (other.file(), other.line()) == (at.file(), at.line()) && other.column() != at.column()
        };
        match self.objects.values().any(|(_, other)| beside(other)) {
            true => format!("{}:{}", at.line(), at.column()),
            false => at.line().to_string(),
        }
    }

    /// Whether the program made it, and not the kernel.
    pub(crate) fn knows(&self, object: ObjectId) -> bool {
        self.objects.contains_key(&object)
    }

    /// The pair of operations whose order made a run fail.
    #[must_use]
    pub fn pair(&self, pair: &RacingPair) -> String {
        let mut text = format!("{}\n  came before\n  ", self.side(&pair.overtaking));
        text.push_str(&self.side(&pair.delayed));
        if pair.delayed.step.is_none() {
            text.push_str(" (which it never comes to)")
        }
        text
    }

    fn side(&self, side: &Side) -> String {
        let mut text = format!(
            "{} {} {}",
            self.of_task(side.task),
            side.touch.access,
            self.of_object(side.touch.object)
        );
        if let Some(at) = side.touch.at {
            // Writing to a string does not fail.
            let _ = write!(text, ", at {}:{}", at.file(), at.line());
        }
        text
    }
}

pub(crate) fn noun(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Value => "value",
        ObjectKind::Lock => "lock",
        ObjectKind::SharedLock { .. } => "shared lock",
        ObjectKind::Permits { .. } => "semaphore",
        ObjectKind::Slots { .. } => "room of the channel",
        ObjectKind::Queue => "channel",
        ObjectKind::Moment => "moment",
    }
}
