//! The loop that a run ended in: which steps it repeats, told once.
//!
//! A run that reaches its limit on steps may be long, or go round in a circle. Its last steps are kept (who, what was done
//! to shared objects, what the kernel said), and the shortest period is looked for that they repeat at least three times
//! (by the Z-function of the reversed list, linear in its length). Where the schedule mixes tasks at random there is no
//! common period: then each task's own steps are looked at.
//!
//! What a program keeps to itself can't be seen: a task that counts in silence looks like one that goes round. So a loop is
//! only told where the run has failed anyway, and virtual time that moved breaks it.
//!
//! Not here: the limit (`runtime`).
use crate::names::noun;
use explore::Touch;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::hash::Hasher;
use trace::{Event, Label};
use types::TaskId;

/// How many steps are kept.
pub(crate) const WINDOW: usize = 4096;
/// How many steps have to be explained by a loop.
const LEAST: usize = 32;
/// How many steps of a loop are told.
const TOLD: usize = 12;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lasso {
    steps: VecDeque<Footstep>,
    /// In words, by hash.
    words: BTreeMap<u64, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Footstep {
    task: TaskId,
    print: u64,
}

/// A loop, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// How many steps it has.
    pub(crate) period: u64,
    pub(crate) text: String,
}

/// FNV-1a: a hash that is the same in every run.
struct Print(u64);

impl Hasher for Print {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
    }
}

impl Lasso {
    /// The clock moved: nothing before repeats.
    pub(crate) fn forget(&mut self) {
        self.steps.clear()
    }

    /// The task has taken a step.
    pub(crate) fn step(&mut self, task: TaskId, touches: &[Touch], events: &[Event]) {
        let words = describe(touches, events);
        let mut print = Print(0xCBF2_9CE4_8422_2325);
        print.write(words.as_bytes());
        // The same words may be about different objects.
        touches.iter().for_each(|touch| print.write_u64(touch.object.0));
        let print = print.finish();
        if self.words.len() < WINDOW {
            self.words.entry(print).or_insert(words);
        }
        if self.steps.len() == WINDOW {
            self.steps.pop_front();
        }
        self.steps.push_back(Footstep { task, print })
    }

    /// The loop that the last steps repeat, if they do. `name` says who a task is.
    pub(crate) fn told(&self, name: &dyn Fn(TaskId) -> String) -> Option<Told> {
        let latest: Vec<Footstep> = self.steps.iter().rev().copied().collect();
        if let Some(period) = period(&latest) {
            let steps: Vec<Footstep> = latest[..period].iter().rev().copied().collect();
            return Some(Told { period: period as u64, text: self.tell(&steps, name) });
        }
        let mut each: BTreeMap<TaskId, Vec<Footstep>> = BTreeMap::new();
        // Who ran only before the tasks got into their loops has no part in them.
        let recent = &latest[..latest.len() / 2];
        recent.iter().for_each(|step| each.entry(step.task).or_default().push(*step));
        let mut steps = Vec::new();
        for own in each.values() {
            let period = period(own)?;
            steps.extend(own[..period].iter().rev());
        }
        (!steps.is_empty()).then(|| Told { period: steps.len() as u64, text: self.tell(&steps, name) })
    }

    fn tell(&self, steps: &[Footstep], name: &dyn Fn(TaskId) -> String) -> String {
        let mut text = String::new();
        for step in steps.iter().take(TOLD) {
            let what = self.words.get(&step.print).map_or("does something", String::as_str);
            // Writing to a string does not fail.
            let _ = write!(text, "{}{} {what}", if text.is_empty() { "" } else { "; " }, name(step.task));
        }
        if let more @ 1.. = steps.len().saturating_sub(TOLD) {
            let _ = write!(text, "; and {more} steps more");
        }
        text
    }
}

fn describe(touches: &[Touch], events: &[Event]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for touch in touches {
        let at = touch.at.map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        parts.push(format!("{} the {}{at}", touch.access, noun(touch.kind)));
    }
    for event in events {
        match &event.label {
            Label::Decision { .. } => {}
            Label::User { text } => parts.push(format!("notes `{text}`")),
            label => parts.push(format!("({})", label.name())),
        }
    }
    if parts.is_empty() { "is polled".into() } else { parts.join(", ") }
}

/// The smallest period of the list's beginning that explains enough of it: at least three rounds, and [`LEAST`] steps.
fn period<T: PartialEq>(list: &[T]) -> Option<usize> {
    let z = z(list);
    (1..=list.len() / 3).find(|&p| z[p] >= 2 * p && z[p] + p >= LEAST.min(list.len()).max(3 * p))
}

/// For each position, how far the list from there is the same as the list from its beginning.
fn z<T: PartialEq>(list: &[T]) -> Vec<usize> {
    let n = list.len();
    let (mut z, mut left, mut right) = (vec![0; n], 0, 0);
    for i in 1..n {
        let mut same = if i < right { (right - i).min(z[i - left]) } else { 0 };
        while i + same < n && list[same] == list[i + same] {
            same += 1
        }
        if i + same > right {
            (left, right) = (i, i + same)
        }
        z[i] = same;
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Time;

    fn steps(lasso: &mut Lasso, notes: &str) {
        for note in notes.chars() {
            let label = Label::User { text: note.to_string().into() };
            lasso.step(
                TaskId::from_u64(u64::from(note.is_ascii_uppercase())),
                &[],
                &[Event::new(0, Time::ZERO, label)],
            )
        }
    }

    fn told(notes: &str) -> Option<Told> {
        let mut lasso = Lasso::default();
        steps(&mut lasso, notes);
        lasso.told(&|task| format!("{task}"))
    }

    #[test]
    fn the_z_function_is_that_of_comparing_every_suffix() {
        for list in ["aabaab", "aaaa", "abcabcabd", "", "a", "abacabadabacaba"] {
            let list = list.as_bytes();
            let same = |i: usize| list.iter().zip(&list[i..]).take_while(|(a, b)| a == b).count();
            let expected: Vec<usize> = (0..list.len()).map(|i| if i == 0 { 0 } else { same(i) }).collect();
            assert_eq!(z(list), expected);
        }
    }

    #[test]
    fn a_loop_is_told_once_from_its_shortest_period() {
        let found = told(&format!("xyz{}", "ab".repeat(30))).expect("it repeats");
        assert_eq!(found, Told { period: 2, text: "task#0 notes `a`; task#0 notes `b`".into() });
    }

    #[test]
    fn what_never_repeats_or_too_little_is_no_loop() {
        assert_eq!(told("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789"), None);
        assert_eq!(told(&format!("{}xyxyxy", "abcdefghijklmnopqrstuvwxyz0123456789")), None);
        assert_eq!(told(""), None);
    }

    #[test]
    fn tasks_that_are_mixed_at_random_each_repeat_themselves() {
        let found = told("aAaaAAAaAaaaAAaAAAaaAaAaaaaAAaAAaAaAAAaAaaAaAAaa").expect("each repeats");
        assert_eq!(found, Told { period: 2, text: "task#0 notes `a`; task#1 notes `A`".into() });
    }

    #[test]
    fn time_that_moves_breaks_a_loop() {
        let mut lasso = Lasso::default();
        steps(&mut lasso, &"ab".repeat(30));
        lasso.forget();
        assert_eq!(lasso.told(&|task| format!("{task}")), None);
    }
}
