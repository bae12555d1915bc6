//! [`Event`]: a label with its place in the run, and the line form of a trace.
//!
//! One event is one line: position, time in nanoseconds, acting task (`-` for the engine or a thread
//! outside), label. The first line of a file names the format, so that a reader can refuse what it
//! doesn't know; blank lines and lines that start with `#` are skipped, but for the last one of a file, which says how many
//! events there are (`# end: 17 events`), so that a file that was cut is noticed.
//!
//! ```text
//! asupersync-trace 1
//! 17 1500 3 task-spawn task=4 region=1 daemon=no site=src/main.rs:31
//! ```
//!
//! Invariants: `trace.round-trip`.
//!
//! Not here: files (this crate does no I/O), the meaning of labels (`label`).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use types::{TaskId, Time};

use crate::{
    Label,
    word::{ParseError, Word},
};

const HEADER: &str = "asupersync-trace 1";
/// What the header is made of.
const FORMAT: &str = "asupersync-trace ";
const VERSION: &str = "1";
/// What the last line of a file begins with.
const END: &str = "# end: ";

/// One step of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Position in the run, strictly rising; may have gaps.
    pub seq: u64,
    /// When it happened, on the world's clock; never falls.
    pub time: Time,
    /// The task whose poll took the step; `None` for the engine or a thread outside.
    pub task: Option<TaskId>,
    /// What happened.
    pub label: Label,
}

impl Event {
    /// An event taken by no task in particular.
    #[must_use]
    pub fn new(seq: u64, time: Time, label: Label) -> Self {
        Self { seq, time, task: None, label }
    }

    /// The same event, taken by `task`.
    #[must_use]
    pub fn by(mut self, task: TaskId) -> Self {
        self.task = Some(task);
        self
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.seq)?;
        self.time.write(f)?;
        f.write_str(" ")?;
        self.task.write(f)?;
        write!(f, " {}", self.label)
    }
}

impl FromStr for Event {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        let (seq, line) = head("seq", line)?;
        let (time, line) = head("time", line)?;
        let (task, line) = head("task", line)?;
        Ok(Self { seq, time, task, label: line.parse()? })
    }
}

/// Reads the first word of `line` and returns it with what is left.
fn head<'a, T: Word>(field: &'static str, line: &'a str) -> Result<(T, &'a str), ParseError> {
    let (word, rest) = line.trim_start().split_once(' ').ok_or(ParseError::Short)?;
    let value = T::read(word).ok_or_else(|| ParseError::Value { field, found: word.to_string() })?;
    Ok((value, rest))
}

/// Why a text isn't a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TraceError {
    /// The first line isn't a trace's.
    Header,
    /// The trace is of another version of the format: of this one.
    Version(String),
    /// The last line says that there are so many events, and there are not: it was cut, or put together.
    Cut {
        /// How many there are to be.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// A line can't be read.
    Line {
        /// The line's number, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: ParseError,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "failed to read a trace: the first line isn't `{HEADER}`"),
            Self::Version(version) => write!(
                f,
                "failed to read a trace: it is of version {version} of the format, and this program reads version {VERSION}: \
                 read it with the program that wrote it, or record it again"
            ),
            Self::Cut { said, found } => write!(
                f,
                "failed to read a trace: its last line says that it has {said} events, and it has {found}: it was cut, or changed"
            ),
            Self::Line { number, why } => write!(f, "failed to read line {number} of a trace: {why}"),
        }
    }
}

impl core::error::Error for TraceError {}

/// Writes a trace: the header, then one line per event.
///
/// # Errors
/// Those of the writer.
pub fn write_lines<'a>(out: &mut dyn fmt::Write, events: impl IntoIterator<Item = &'a Event>) -> fmt::Result {
    writeln!(out, "{HEADER}")?;
    events.into_iter().try_for_each(|event| writeln!(out, "{event}"))
}

/// As [`write_lines`], and a last line that says how many events there are: for files, which may be cut.
///
/// # Errors
/// Those of the writer.
pub fn write_whole<'a>(out: &mut dyn fmt::Write, events: impl IntoIterator<Item = &'a Event>) -> fmt::Result {
    let mut count = 0;
    write_lines(out, events.into_iter().inspect(|_| count += 1))?;
    write_end(out, count)
}

/// The last line of [`write_whole`], for a text of so many events with lines of its own after them.
///
/// # Errors
/// Those of the writer.
pub fn write_end(out: &mut dyn fmt::Write, events: usize) -> fmt::Result {
    writeln!(out, "{END}{events} events")
}

/// How many events a text is to have by its last line, if that says so ([`write_whole`]).
#[must_use]
pub fn said_end(text: &str) -> Option<u64> {
    text.lines().next_back()?.strip_prefix(END)?.strip_suffix(" events")?.parse().ok()
}

/// Reads what [`write_lines`] or [`write_whole`] wrote.
///
/// # Errors
/// [`TraceError`], at the first line that isn't an event; if the last line says another number of events than there are.
pub fn parse_lines(text: &str) -> Result<Vec<Event>, TraceError> {
    let mut lines = text.lines().enumerate();
    let header = lines.next().map_or("", |(_, header)| header.trim_end());
    if header != HEADER {
        return Err(match header.strip_prefix(FORMAT) {
            Some(version) => TraceError::Version(version.to_string()),
            None => TraceError::Header,
        });
    }
    let events: Vec<Event> = lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(at, line)| line.parse().map_err(|why| TraceError::Line { number: at + 1, why }))
        .collect::<Result<_, _>>()?;
    match (said_end(text), events.len() as u64) {
        (Some(said), found) if said != found => Err(TraceError::Cut { said, found }),
        _ => Ok(events),
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec};

    use super::*;

    fn note(seq: u64, text: &'static str) -> Event {
        Event::new(seq, Time::from_nanos(5), Label::User { text: text.into() }).by(TaskId::from_u64(3))
    }

    #[test]
    fn a_written_trace_reads_back_as_the_same_events() {
        let events = vec![note(1, "hello there"), note(4, "100%\n# not a comment")];
        let mut text = String::new();
        write_lines(&mut text, &events).expect("a string takes every line");
        assert_eq!(parse_lines(&text), Ok(events));
    }

    #[test]
    fn a_file_that_lost_events_is_noticed_by_its_last_line() {
        let events = [note(1, "x"), note(2, "y"), note(3, "z")];
        let mut text = String::new();
        write_whole(&mut text, &events).expect("a string takes every line");
        assert_eq!((parse_lines(&text), said_end(&text)), (Ok(events.to_vec()), Some(3)));
        let lines: vec::Vec<&str> = text.lines().collect();
        let without_one = format!("{}\n{}\n{}\n{}\n", lines[0], lines[1], lines[3], lines[4]);
        assert_eq!(parse_lines(&without_one), Err(TraceError::Cut { said: 3, found: 2 }));
        // Its end is gone: nothing is wrong with the lines, and nobody says that they are all.
        let cut = format!("{}\n{}\n", lines[0], lines[1]);
        assert_eq!((parse_lines(&cut).map(|events| events.len()), said_end(&cut)), (Ok(1), None));
    }

    #[test]
    fn comments_and_blank_lines_are_skipped() {
        let text = format!("{HEADER}\n\n# a comment\n{}\n", note(1, "x"));
        assert_eq!(parse_lines(&text), Ok(vec![note(1, "x")]));
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let text = format!("{HEADER}\n{}\n2 0 - nonsense\n", note(1, "x"));
        let why = ParseError::UnknownLabel("nonsense".into());
        assert_eq!(parse_lines(&text), Err(TraceError::Line { number: 3, why }));
        let of_version_9 = parse_lines("asupersync-trace 9\n").expect_err("there is no such version");
        assert_eq!(of_version_9, TraceError::Version("9".into()));
        let words = format!("{of_version_9}");
        assert!(words.contains("of version 9 of the format, and this program reads version 1"), "{words}");
        assert_eq!(parse_lines(""), Err(TraceError::Header));
    }

    #[test]
    fn an_event_line_reads_like_the_documentation_says() {
        let line = "17 1500 3 task-spawn task=4 region=1 daemon=no site=src/main.rs:31";
        let event: Event = line.parse().expect("the documented line is an event");
        assert_eq!(format!("{event}"), line);
    }
}
