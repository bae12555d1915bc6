//! [`Script`]: what an execution did, kept so that the next one, which begins in the same way, can be held to it; and
//! [`Unrepeatable`], the first thing that came differently.
//!
//! Invariant `explore.repeatable` is the executor's; this is where a breach of it is found: something outside the
//! seam, an unseeded hash map, a clock, a thread, made the program do another thing under the same decisions.

use crate::scheduler::{Candidate, Step, Touch};
use core::fmt;
use trace::Choice;
use types::TaskId;

/// A decision inside a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Chosen {
    pub(crate) what: Choice,
    pub(crate) options: u32,
    pub(crate) taken: u32,
}

/// The steps of an execution: who could take each, who did, what it did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    lines: Vec<Line>,
    candidates: Vec<Candidate>,
    touches: Vec<Touch>,
    enabled: Vec<TaskId>,
}

/// One step; the ranges end where the next line's begin.
#[derive(Clone, Debug)]
struct Line {
    candidates: u32,
    touches: u32,
    enabled: u32,
    /// Which candidate was picked; none at a step of the world's own.
    picked: Option<u32>,
    choices: Vec<Chosen>,
}

/// The first thing in which an execution differed from an earlier one with the same decisions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unrepeatable {
    /// At which step, counted from 0.
    pub step: usize,
    /// Whose step that was, if it was a task's.
    pub task: Option<TaskId>,
    /// What the earlier execution had there.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Unrepeatable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unrepeatable { step, task, expected, found } = self;
        write!(f, "the same decisions led to something else: step {step}")?;
        if let Some(task) = task {
            write!(f, ", of {task}")?;
        }
        write!(f, ": expected {expected}, found {found}")
    }
}

impl core::error::Error for Unrepeatable {}

impl Script {
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// A point is met: who could be next.
    pub(crate) fn point(&mut self, candidates: &[Candidate]) {
        self.lines.push(Line {
            candidates: self.candidates.len() as u32,
            touches: self.touches.len() as u32,
            enabled: self.enabled.len() as u32,
            picked: None,
            choices: Vec::new(),
        });
        self.candidates.extend_from_slice(candidates);
    }

    /// The point met last: which candidate is picked.
    pub(crate) fn pick(&mut self, picked: u32) {
        self.lines.last_mut().expect("a point was met").picked = Some(picked);
    }

    /// The step picked last: what it chose.
    pub(crate) fn choose(&mut self, chosen: Chosen) {
        self.lines.last_mut().expect("a step was picked").choices.push(chosen);
    }

    /// The step picked last: what it did.
    pub(crate) fn ran(&mut self, step: &Step<'_>) {
        self.touches.extend_from_slice(step.touches);
        self.enabled.extend_from_slice(step.enabled);
    }

    /// Forgets all from the step at `depth` on, except who could take it if `keep_point`.
    pub(crate) fn truncate(&mut self, depth: usize, keep_point: bool) {
        let Some(line) = self.lines.get_mut(depth) else { return };
        self.touches.truncate(line.touches as usize);
        self.enabled.truncate(line.enabled as usize);
        line.picked = None;
        line.choices.clear();
        if keep_point {
            let end =
                self.lines.get(depth + 1).map_or(self.candidates.len(), |line| line.candidates as usize);
            self.candidates.truncate(end);
            self.lines.truncate(depth + 1);
        } else {
            self.candidates.truncate(self.lines[depth].candidates as usize);
            self.lines.truncate(depth);
        }
    }

    pub(crate) fn picked(&self, depth: usize) -> Option<u32> {
        self.lines[depth].picked
    }

    pub(crate) fn choices(&self, depth: usize) -> &[Chosen] {
        &self.lines[depth].choices
    }

    pub(crate) fn candidates(&self, depth: usize) -> &[Candidate] {
        let end = self.lines.get(depth + 1).map_or(self.candidates.len(), |line| line.candidates as usize);
        &self.candidates[self.lines[depth].candidates as usize..end]
    }

    fn touches(&self, depth: usize) -> &[Touch] {
        let end = self.lines.get(depth + 1).map_or(self.touches.len(), |line| line.touches as usize);
        &self.touches[self.lines[depth].touches as usize..end]
    }

    fn enabled(&self, depth: usize) -> &[TaskId] {
        let end = self.lines.get(depth + 1).map_or(self.enabled.len(), |line| line.enabled as usize);
        &self.enabled[self.lines[depth].enabled as usize..end]
    }

    /// How many candidates there were at `depth`.
    pub(crate) fn width(&self, depth: usize) -> usize {
        self.candidates(depth).len()
    }

    /// Whose step this was.
    pub(crate) fn task(&self, depth: usize) -> Option<TaskId> {
        self.picked(depth).map(|picked| self.candidates(depth)[picked as usize].task)
    }

    /// Whether the candidates at `depth` are those of before.
    pub(crate) fn check_point(&self, depth: usize, found: &[Candidate]) -> Result<(), Box<Unrepeatable>> {
        let expected = self.candidates(depth);
        if expected.len() == found.len()
            && expected.iter().zip(found).all(|(one, other)| same_candidate(one, other))
        {
            return Ok(());
        }
        let at = expected.iter().zip(found).position(|(one, other)| !same_candidate(one, other));
        let (expected, found) = match at {
            Some(at) => (format!("candidate {:?}", expected[at]), format!("candidate {:?}", found[at])),
            None => (tasks(expected), tasks(found)),
        };
        Err(Box::new(Unrepeatable { step: depth, task: self.task(depth), expected, found }))
    }

    /// Whether the choice number `at` of the step at `depth` is that of before.
    pub(crate) fn check_choice(
        &self,
        depth: usize,
        at: usize,
        found: Chosen,
    ) -> Result<(), Box<Unrepeatable>> {
        let known = self.choices(depth).get(at);
        if known.is_some_and(|known| (known.what, known.options) == (found.what, found.options)) {
            return Ok(());
        }
        let text = |chosen: &Chosen| format!("{:?} of {}", chosen.what, chosen.options);
        let expected = known.map_or("no choice".into(), text);
        Err(Box::new(Unrepeatable { step: depth, task: self.task(depth), expected, found: text(&found) }))
    }

    /// Whether the step at `depth` did what it did before.
    pub(crate) fn check_step(&self, depth: usize, found: &Step<'_>) -> Result<(), Box<Unrepeatable>> {
        let (touches, enabled) = (self.touches(depth), self.enabled(depth));
        let same_touches = touches.len() == found.touches.len()
            && touches.iter().zip(found.touches).all(|(one, two)| same(one, two));
        if same_touches && enabled == found.enabled && self.task(depth) == found.task {
            return Ok(());
        }
        let text = |task, touches: &[Touch], enabled: &[TaskId]| match (touches.len(), found.touches.len()) {
            _ if self.task(depth) != found.task => format!("a step of {task:?}"),
            _ if same_touches => format!("that it enables {enabled:?}"),
            _ => format!("operations {}", operations(touches)),
        };
        Err(Box::new(Unrepeatable {
            step: depth,
            task: found.task,
            expected: text(self.task(depth), touches, enabled),
            found: text(found.task, found.touches, found.enabled),
        }))
    }
}

/// Where in the source an operation stands may be told differently; what it is may not.
fn same(one: &Touch, other: &Touch) -> bool {
    one.object == other.object && one.access == other.access && one.kind == other.kind
}

fn same_candidate(one: &Candidate, other: &Candidate) -> bool {
    one.task == other.task
        && one.request == other.request
        && match (&one.announced, &other.announced) {
            (Some(one), Some(other)) => same(one, other),
            (None, None) => true,
            _ => false,
        }
}

fn tasks(candidates: &[Candidate]) -> String {
    format!("candidates {:?}", candidates.iter().map(|candidate| candidate.task).collect::<Vec<_>>())
}

fn operations(touches: &[Touch]) -> String {
    let operation = |touch: &Touch| match touch.at {
        Some(at) => format!("{:?} of {:?} at {at}", touch.access, touch.object),
        None => format!("{:?} of {:?}", touch.access, touch.object),
    };
    format!("[{}]", touches.iter().map(operation).collect::<Vec<_>>().join(", "))
}
