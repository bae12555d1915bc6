//! [`Subject`]: a program of the mini-language, what its replays are called, and when a run of it fails.
//!
//! A replay carries the program in its name, so that the line alone repeats the run.
use crate::args::{Row, Target};
use explore::mini::{Machine, Program, table};
use explore::{Replay, Stuck};
use std::path::Path;
use trace::ObjectId;
use types::TaskId;

/// What the names of such programs begin with in replays.
const PREFIX: &str = "mini:";

/// See the module.
pub(crate) struct Subject {
    text: String,
    pub(crate) program: Program,
    /// Cells and what they are to hold at the end.
    wanted: Vec<(usize, i64)>,
}

impl Subject {
    /// The program of this text.
    pub(crate) fn new(text: &str, wanted: &[String]) -> Result<Subject, String> {
        let program = Program::parse(text).map_err(|why| why.to_string())?;
        let wanted = wanted.iter().map(|want| wish(&program, want)).collect::<Result<_, _>>()?;
        Ok(Subject { text: text.into(), program, wanted })
    }

    /// The program that was asked for, if it isn't a test.
    pub(crate) fn of(target: &Target, row: &Row, wanted: &[String]) -> Result<Option<Subject>, String> {
        match (&target.program, &target.table, &row.row) {
            (Some(text), ..) => Subject::new(text, wanted).map(Some),
            (None, Some(file), Some(row)) => Subject::new(&row_of(file, row)?, wanted).map(Some),
            _ => Ok(None),
        }
    }

    /// The program that a replay is of, if it isn't a test's.
    pub(crate) fn of_replay(replay: &Replay, wanted: &[String]) -> Result<Option<Subject>, String> {
        let text = replay.program.strip_prefix(PREFIX);
        text.map(|text| Subject::new(text, wanted)).transpose()
    }

    /// What it is called in replays.
    pub(crate) fn name(&self) -> String {
        format!("{PREFIX}{}", self.text)
    }

    /// Itself.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// "task 2".
    pub(crate) fn task(&self, task: TaskId) -> String {
        format!("task {}", task.as_u64() + 1)
    }

    /// "lock a".
    pub(crate) fn object(&self, object: ObjectId) -> String {
        // Cells first, then locks, then channels: as the machine numbers them.
        let (cells, locks, channels) = (self.program.cells(), self.program.locks(), self.program.channels());
        let at = object.0 as usize;
        let named = |what: &str, name: Option<&String>| name.map(|name| format!("{what}{name}"));
        named("", cells.get(at))
            .or_else(|| named("lock ", locks.get(at.wrapping_sub(cells.len()))))
            .or_else(|| named("channel ", channels.get(at.wrapping_sub(cells.len() + locks.len()))))
            .unwrap_or_else(|| format!("object {at}"))
    }

    /// Every object.
    pub(crate) fn objects(&self) -> impl Iterator<Item = ObjectId> {
        let count = self.program.cells().len() + self.program.locks().len() + self.program.channels().len();
        (0..count as u64).map(ObjectId)
    }

    /// The cells at the end: "x=2 y=0".
    pub(crate) fn outcome(&self, machine: &mut Machine) -> String {
        let cells = self.program.cells().iter().zip(machine.cells());
        let mut words: Vec<String> = cells.map(|(name, value)| format!("{name}={value}")).collect();
        words.extend(machine.stuck().iter().map(|stuck| format!("{} stuck", self.task(stuck.task))));
        if words.is_empty() { "every task ends".into() } else { words.join(" ") }
    }

    /// What cells are to hold at the end, as it was asked for: "x=2". A replay does not carry it.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = String> {
        self.wanted.iter().map(|&(cell, value)| format!("{}={value}", self.program.cells()[cell]))
    }

    /// Why the run that is over fails, if it does: somebody never ends, or a cell does not hold what it is to.
    pub(crate) fn failure(&self, machine: &mut Machine) -> Option<String> {
        let stuck: Vec<String> = machine.stuck().iter().map(|stuck| self.waits(stuck)).collect();
        if !stuck.is_empty() {
            return Some(stuck.join(", "));
        }
        let cells = machine.cells();
        let wrong = self.wanted.iter().find(|(cell, wanted)| cells[*cell] != *wanted);
        wrong.map(|&(cell, wanted)| {
            format!("{} is {}, and {wanted} is wanted", self.program.cells()[cell], cells[cell])
        })
    }

    /// "task 1 never takes lock a".
    fn waits(&self, stuck: &Stuck) -> String {
        let task = self.task(stuck.task);
        match stuck.announced {
            Some(touch) => format!("{task} never {} {}", touch.access, self.object(touch.object)),
            None => format!("{task} stops for ever"),
        }
    }
}

fn row_of(file: &Path, name: &str) -> Result<String, String> {
    let text = crate::files::read(file)?;
    let rows = table::read(&text).map_err(|why| format!("{}: {why}", file.display()))?;
    let row = rows.iter().find(|row| row.name == name);
    row.map(|row| row.text.into()).ok_or_else(|| {
        format!("{} has no row `{name}`: its {} rows have other names", file.display(), rows.len())
    })
}

fn wish(program: &Program, text: &str) -> Result<(usize, i64), String> {
    let shape = || format!("--want is a cell and a number, such as x=2, not `{text}`");
    let (name, value) = text.split_once('=').ok_or_else(shape)?;
    let value = value.trim().parse().map_err(|_| shape())?;
    match program.cells().iter().position(|cell| cell == name.trim()) {
        Some(cell) => Ok((cell, value)),
        None => Err(format!("--want {text}: the program has no cell `{name}`, but {:?}", program.cells())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_about_a_cell_of_the_program() {
        let wish = |text: &str| Subject::new("Rx;La;Ua", &[text.into()]).map(|_| ());
        assert_eq!(wish("x=-2"), Ok(()));
        assert!(wish("y=1").unwrap_err().contains("has no cell `y`"));
        assert!(wish("x").unwrap_err().contains("such as x=2"));
    }

    #[test]
    fn objects_have_the_names_of_the_text() {
        let subject = Subject::new("Rx;La;Sc;Ua", &[]).unwrap();
        let names: Vec<String> = subject.objects().map(|object| subject.object(object)).collect();
        assert_eq!(names, ["x", "lock a", "channel c"]);
    }
}
