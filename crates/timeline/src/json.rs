//! The model as JSON, for other tools.
//!
//! One object; numbers are indices, counts or positions; whatever may be larger than 2^53 (ids, nanoseconds) is a string of
//! digits. Fields may be added; the meaning of a field never changes without a new `version`.
//!
//! | field | what |
//! |---|---|
//! | `format`, `version` | `"asupersync-timeline"`, `1` |
//! | `title`, `repeat` | as given |
//! | `events`, `left_out` | number of events of the run; numbers of rows before, between and after those in `rows` |
//! | `focus` | `row` of the failure or of the end; `null` in an empty run |
//! | `troubles[]` | `by`, `what`, `row` or `null`, `tasks[]` |
//! | `race` | two `row`s, or `null` |
//! | `tasks[]` | `path`, `name`, `id`, `site`, `parent`, `region`, `daemon`, `from`, `to`, `end`, `failure`, `lost` |
//! | `order[]` | all tasks as lanes from left to right |
//! | `regions[]` | `name`, `id`, `kind`, `parent`, `body`, `site`, `from`, `to`, `outcome`, `phases[]` of `[phase, row]` |
//! | `scopes[]` | `task`, `kind`, `parent`, `from`, `to`, `end`, `won` |
//! | `requests[]` | `kind`, `row`, `tasks[]`, `regions[]`, `seen[]` of `[task, row]` |
//! | `permits[]` | `kind`, `region`, `by`, `site`, `from`, `settled`, `to` |
//! | `waits[]` | `task`, `what`, `holder`, `from`, `to`, `site` |
//! | `timers[]` | `task`, `due`, `from`, `to`, `fired` |
//! | `arrows[]` | `kind`, `from`, `from_task`, `to`, `to_task` |
//! | `rows[]` | `row`, `seq`, `time`, `task`, `did`, `site`, `events[]`: the lines of the trace |
//!
//! `from` and `to` are numbers of rows; `to` is `null` for what did not end. Tasks and regions are indices into their
//! lists. Nouns and arrows that lie wholly outside of the rows that are written are left out, except for tasks and regions,
//! which others refer to by index: of those only the first [`MOST`] are written.
//!
//! Format: RFC 8259.
//!
//! Not here: reading it.
use crate::model::Timeline;
use crate::plain::{LONGEST, clean, place};
use crate::window::Window;
use crate::words;
use std::fmt::Write;
use trace::{RegionKind, RegionPhase, ScopeEnd};

mod nouns;

/// So many tasks and regions are written at most.
pub const MOST: usize = 20_000;

/// The model, as far as `window` shows it. Ends with a line end.
#[must_use]
pub fn json(line: &Timeline<'_>, window: &Window) -> String {
    let mut out = Writer::default();
    out.open('{');
    out.field("format", &quoted("asupersync-timeline"));
    out.field("version", "1");
    out.field("title", &quoted(&clean(&line.run.title, LONGEST)));
    out.field("repeat", &quoted(&clean(&line.run.repeat, 2 * LONGEST)));
    out.field("events", &line.run.events.len().to_string());
    let [before, between, after] = window.left_out;
    out.field("left_out", &format!("[{before},{between},{after}]"));
    out.field("focus", &optional(line.focus()));
    out.field("race", &line.race.map_or("null".into(), |[a, b]| format!("[{a},{b}]")));
    nouns::all(line, window, &mut out);
    out.list("rows", window.rows.iter().map(|&row| row_of(line, row)));
    out.close('}');
    out.text.push('\n');
    out.text
}

fn row_of(line: &Timeline<'_>, row: usize) -> String {
    let seen = &line.rows[row];
    let phrase = words::phrase(line, row);
    let mut out = Writer::default();
    out.open('{');
    out.field("row", &row.to_string());
    out.field("seq", &seen.seq.to_string());
    out.field("time", &quoted(&seen.time.as_nanos().to_string()));
    out.field("task", &optional(seen.task));
    out.field("did", &quoted(&phrase.did));
    out.field("site", &phrase.site.map_or("null".into(), |site| quoted(&site)));
    let events = match seen.of {
        crate::RowOf::Events { first, count } => &line.run.events[first..first + count],
        _ => &[],
    };
    let lines = events.iter().take(MOST).map(|event| quoted(&clean(&event.to_string(), 4 * LONGEST)));
    out.field("events", &format!("[{}]", lines.collect::<Vec<_>>().join(",")));
    out.close('}');
    out.text
}

/// Text in the making, with commas where they belong.
#[derive(Default)]
struct Writer {
    text: String,
    begun: bool,
}

impl Writer {
    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.begun = false;
    }

    fn close(&mut self, bracket: char) {
        self.text.push(bracket);
        self.begun = true;
    }

    /// A field whose value is JSON already.
    fn field(&mut self, name: &str, value: &str) {
        let comma = if self.begun { "," } else { "" };
        let _ = write!(self.text, "{comma}\"{name}\":{value}");
        self.begun = true;
    }

    /// A field with one value on each line.
    fn list(&mut self, name: &str, values: impl Iterator<Item = String>) {
        self.field(name, "[");
        for (at, value) in values.enumerate() {
            let _ = write!(self.text, "{}\n{value}", if at == 0 { "" } else { "," });
        }
        self.text.push_str("]\n");
    }
}

fn optional(number: Option<usize>) -> String {
    number.map_or("null".into(), |number| number.to_string())
}

/// A text between quotes. What could end a script element is escaped too, so that the result may stand in one.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
