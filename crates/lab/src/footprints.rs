//! [`Footprints`]: what each step of a recorded run did to what its tasks share, as lines of a trace file; whether two runs
//! are of one class; and if not, which two operations come in another order.
//!
//! ```text
//! #step 17 4,9                                              the task (`-`: the world), and whom the step made runnable
//! #did 2a value read src/bank.rs:36 value of bank.rs:16     an operation: the object, what it is, what was done, where, its name
//! ```
//! For whoever reads the events only, these lines are comments.
//!
//! Invariant `footprints.round-trip`: what was written is read back as the same class.
//!
//! Not here: what a class is (`explore`), events (`trace`), files (`artefact`).
use explore::{Fingerprint, Fingerprinter, Step, Touch, conflicting};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use timeline::{Run, StepRow};
use trace::{Access, ObjectId, ObjectKind};
use types::TaskId;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Footprints {
    steps: Vec<Footprint>,
}

#[derive(Clone, Debug)]
struct Footprint {
    task: Option<TaskId>,
    enabled: Vec<TaskId>,
    did: Vec<Did>,
}

/// An operation on an object.
#[derive(Clone, Debug)]
struct Did {
    touch: Touch,
    site: String,
    name: String,
}

/// A line of steps that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableStep(usize);

impl fmt::Display for UnreadableStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is no step and no operation", self.0)
    }
}

impl std::error::Error for UnreadableStep {}

/// Two operations that depend on each other, and come in one order in one run and not in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// The task of the one that comes first in the first run; what it does to what, at which line.
    pub earlier: (TaskId, String),
    /// The one that comes later there: in the second run it comes before the other one, or the other never comes.
    pub later: (TaskId, String),
    /// Whether the first run is the one that was asked, and not the other.
    pub in_first: bool,
}

impl Footprints {
    /// Adds a run's steps to the text of its trace.
    pub(crate) fn write(text: &mut String, run: &Run<'_>) {
        let rows: &[StepRow] = if run.footprints.is_empty() { run.steps } else { run.footprints };
        for row in rows {
            let task = row.task.map_or("-".into(), |task| task.as_u64().to_string());
            let enabled: Vec<String> = row.enabled.iter().map(|task| task.as_u64().to_string()).collect();
            let enabled = if enabled.is_empty() { "-".into() } else { enabled.join(",") };
            // Writing to a string does not fail.
            let _ = writeln!(text, "#step {task} {enabled}");
            for touch in &row.touches {
                let name = run.object_names.get(&touch.object).map_or("", String::as_str).replace('\n', " ");
                let site =
                    touch.site.as_ref().map_or("-".into(), |site| site.to_string().replace(' ', "%20"));
                let (kind, access) = (kind_word(touch.kind), access_word(touch.access));
                let _ = writeln!(text, "#did {:x} {kind} {access} {site} {name}", touch.object.0);
            }
        }
    }

    /// The steps in the text of a trace file; `None` if it has none.
    ///
    /// # Errors
    /// If a line of them can't be read.
    pub fn read(text: &str) -> Result<Option<Footprints>, UnreadableStep> {
        let mut steps: Vec<Footprint> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let unreadable = || UnreadableStep(at + 1);
            if let Some(step) = line.strip_prefix("#step ") {
                steps.push(read_step(step).ok_or_else(unreadable)?)
            } else if let Some(did) = line.strip_prefix("#did ") {
                let did = read_did(did).ok_or_else(unreadable)?;
                steps.last_mut().ok_or_else(unreadable)?.did.push(did)
            }
        }
        Ok((!steps.is_empty()).then_some(Footprints { steps }))
    }

    /// The run's class: the same for runs that differ only in the order of what does not depend on each other.
    #[must_use]
    pub fn class(&self) -> Fingerprint {
        let mut class = Fingerprinter::new();
        class.begin();
        for Footprint { task, enabled, did } in &self.steps {
            let touches: Vec<Touch> = did.iter().map(|did| did.touch).collect();
            class.ran(&Step { task: *task, touches: &touches, enabled });
        }
        class.fingerprint()
    }

    /// The first two dependent operations that come in another order in `other`; `None` if there are none, as in runs of one
    /// class, or of programs that differ.
    #[must_use]
    pub fn swapped(&self, other: &Footprints) -> Option<Swapped> {
        let (one, two) = (self.operations(), other.operations());
        swapped(&one, &two, true).or_else(|| swapped(&two, &one, false))
    }

    /// Each operation: whose, the how many-th of that task on that object, and itself.
    fn operations(&self) -> Vec<(TaskId, usize, &Did)> {
        let mut counts: BTreeMap<(TaskId, ObjectId), usize> = BTreeMap::new();
        let mut all = Vec::new();
        for step in &self.steps {
            let Some(task) = step.task else { continue };
            for did in &step.did {
                let count = counts.entry((task, did.touch.object)).or_default();
                all.push((task, *count, did));
                *count += 1;
            }
        }
        all
    }
}

type Operations<'a> = [(TaskId, usize, &'a Did)];

/// The first operation of `one` that comes after one which it depends on, and before it in `other`.
fn swapped(one: &Operations<'_>, other: &Operations<'_>, in_first: bool) -> Option<Swapped> {
    let key = |(task, nth, did): &(TaskId, usize, &Did)| (*task, did.touch.object, *nth);
    let places: BTreeMap<_, usize> =
        other.iter().enumerate().map(|(at, operation)| (key(operation), at)).collect();
    let mut of_object: BTreeMap<ObjectId, Vec<&(TaskId, usize, &Did)>> = BTreeMap::new();
    for later in one {
        let before = of_object.entry(later.2.touch.object).or_default();
        let there = places.get(&key(later)).copied();
        let depends = |earlier: &&&(TaskId, usize, &Did)| {
            earlier.0 != later.0 && conflicting(&earlier.2.touch, &later.2.touch)
        };
        let is_swapped = |earlier: &&&(TaskId, usize, &Did)| {
            there.is_some_and(|there| places.get(&key(earlier)).is_none_or(|place| *place > there))
        };
        if let Some(earlier) = before.iter().rev().filter(depends).find(is_swapped) {
            let told = |(task, _, did): &(TaskId, usize, &Did)| (*task, did.to_string());
            return Some(Swapped { earlier: told(earlier), later: told(later), in_first });
        }
        before.push(later);
    }
    None
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Did { touch, site, name } = self;
        write!(f, "{} ", touch.access)?;
        if name.is_empty() {
            write!(f, "{:?}", touch.object)?
        } else {
            f.write_str(name)?
        }
        if site == "-" { Ok(()) } else { write!(f, ", at {}", site.replace("%20", " ")) }
    }
}

fn read_step(line: &str) -> Option<Footprint> {
    let (task, enabled) = line.split_once(' ')?;
    let number = |text: &str| text.parse().ok().map(TaskId::from_u64);
    let task = if task == "-" { None } else { Some(number(task)?) };
    let enabled =
        if enabled == "-" { Vec::new() } else { enabled.split(',').map(number).collect::<Option<_>>()? };
    Some(Footprint { task, enabled, did: Vec::new() })
}

fn read_did(line: &str) -> Option<Did> {
    let mut words = line.splitn(5, ' ');
    let object = ObjectId(u64::from_str_radix(words.next()?, 16).ok()?);
    let (kind, access) = (read_kind(words.next()?)?, read_access(words.next()?)?);
    let (site, name) = (words.next()?.to_string(), words.next().unwrap_or_default().to_string());
    Some(Did { touch: Touch { object, kind, access, at: None }, site, name })
}

fn kind_word(kind: ObjectKind) -> String {
    match kind {
        ObjectKind::Value => "value".into(),
        ObjectKind::Lock => "lock".into(),
        ObjectKind::SharedLock { total } => format!("shared-lock:{total}"),
        ObjectKind::Permits { total } => format!("permits:{total}"),
        ObjectKind::Slots { total } => format!("slots:{total}"),
        ObjectKind::Queue => "queue".into(),
        ObjectKind::Moment => "moment".into(),
    }
}

fn read_kind(word: &str) -> Option<ObjectKind> {
    let (name, total) = numbered(word)?;
    Some(match (name, total) {
        ("value", None) => ObjectKind::Value,
        ("lock", None) => ObjectKind::Lock,
        ("shared-lock", Some(total)) => ObjectKind::SharedLock { total },
        ("permits", Some(total)) => ObjectKind::Permits { total },
        ("slots", Some(total)) => ObjectKind::Slots { total },
        ("queue", None) => ObjectKind::Queue,
        ("moment", None) => ObjectKind::Moment,
        _ => return None,
    })
}

fn access_word(access: Access) -> String {
    match access {
        Access::Read => "read".into(),
        Access::Write => "write".into(),
        Access::Set(n) => format!("set:{n}"),
        Access::Exchange(n) => format!("exchange:{n}"),
        Access::Acquire(n) => format!("acquire:{n}"),
        Access::TryAcquire(n) => format!("try-acquire:{n}"),
        Access::Refused(n) => format!("refused:{n}"),
        Access::Release(n) => format!("release:{n}"),
        Access::Send => "send".into(),
        Access::Receive => "receive".into(),
        Access::TryReceive => "try-receive".into(),
        Access::Empty => "empty".into(),
        Access::Close => "close".into(),
        Access::Ended => "ended".into(),
        Access::Happen => "happen".into(),
        Access::Observe => "observe".into(),
    }
}

fn read_access(word: &str) -> Option<Access> {
    Some(match numbered(word)? {
        ("read", None) => Access::Read,
        ("write", None) => Access::Write,
        ("set", Some(n)) => Access::Set(n),
        ("exchange", Some(n)) => Access::Exchange(n),
        ("acquire", Some(n)) => Access::Acquire(n),
        ("try-acquire", Some(n)) => Access::TryAcquire(n),
        ("refused", Some(n)) => Access::Refused(n),
        ("release", Some(n)) => Access::Release(n),
        ("send", None) => Access::Send,
        ("receive", None) => Access::Receive,
        ("try-receive", None) => Access::TryReceive,
        ("empty", None) => Access::Empty,
        ("close", None) => Access::Close,
        ("ended", None) => Access::Ended,
        ("happen", None) => Access::Happen,
        ("observe", None) => Access::Observe,
        _ => return None,
    })
}

/// A word, or a word with a number.
fn numbered(word: &str) -> Option<(&str, Option<u32>)> {
    match word.split_once(':') {
        None => Some((word, None)),
        Some((name, number)) => Some((name, Some(number.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_access_is_read_back_as_itself() {
        use Access::*;
        let kinds = [
            ObjectKind::Value,
            ObjectKind::Lock,
            ObjectKind::SharedLock { total: 3 },
            ObjectKind::Permits { total: 4 },
            ObjectKind::Slots { total: 5 },
            ObjectKind::Queue,
            ObjectKind::Moment,
        ];
        kinds.iter().for_each(|kind| assert_eq!(read_kind(&kind_word(*kind)), Some(*kind)));
        let plain = [Read, Write, Send, Receive, TryReceive, Empty, Close, Ended, Happen, Observe];
        let counted = [Set(7), Exchange(7), Acquire(7), TryAcquire(7), Refused(7), Release(7)];
        let all = plain.iter().chain(&counted);
        all.for_each(|access| assert_eq!(read_access(&access_word(*access)), Some(*access)));
        assert_eq!((read_kind("value:3"), read_access("acquire"), read_access("fly")), (None, None, None));
    }

    fn footprints(text: &str) -> Footprints {
        Footprints::read(text).expect("it can be read").expect("it has steps")
    }

    #[test]
    fn the_order_of_what_does_not_meet_is_no_difference_and_of_what_does_it_is_told() {
        let writes = |task, object| format!("#step {task} -\n#did {object} value write a.rs:{task} it\n");
        let run = |steps: &[String]| footprints(&steps.concat());
        let one = run(&[writes(1, 5), writes(2, 6), writes(3, 5)]);
        let same = run(&[writes(2, 6), writes(1, 5), writes(3, 5)]);
        assert_eq!((one.class() == same.class(), one.swapped(&same)), (true, None));
        let swapped = run(&[writes(3, 5), writes(2, 6), writes(1, 5)]);
        assert_ne!(one.class(), swapped.class());
        let told = one.swapped(&swapped).expect("the writes of 1 and 3 are swapped");
        assert_eq!((told.earlier.0, told.later.0), (TaskId::from_u64(1), TaskId::from_u64(3)));
        assert_eq!((told.earlier.1.as_str(), told.in_first), ("writes it, at a.rs:1", true));
        // What never comes in the other run is after everything there.
        let without = run(&[writes(2, 6), writes(3, 5)]);
        assert_eq!(one.swapped(&without).map(|told| told.later.0), Some(TaskId::from_u64(3)));
        assert_eq!(without.swapped(&one).map(|told| told.in_first), Some(false));
    }

    #[test]
    fn a_text_without_steps_has_none_and_a_broken_line_is_named() {
        assert!(
            Footprints::read("asupersync-trace 1\n# end: 0 events\n").expect("nothing is wrong").is_none()
        );
        let broken = Footprints::read("asupersync-trace 1\n#step 1 -\n#did zz value read - x\n");
        assert_eq!(broken.expect_err("zz is no object").to_string(), "line 3 is no step and no operation");
    }
}
