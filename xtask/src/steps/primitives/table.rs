//! The table of primitives: made of the lines that proofs and tests print, and of what the source says.
//!
//! Not here: running anything (`primitives`).

use super::known::Known;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A line that `lab::prove` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `crate::module`, or a module below that.
    pub subject: String,
    /// Classes of schedules.
    pub explored: u64,
    /// Checkpoints, and pairs of them.
    pub swept: u64,
}

/// The rows in what a suite printed.
pub fn rows(said: &str) -> Vec<Row> {
    let row = |line: &str| {
        let (subject, figures) = line.trim().strip_prefix("row: ")?.split_once(": explored ")?;
        let (explored, swept) = figures.split_once(", swept ")?;
        Some(Row { subject: subject.into(), explored: explored.parse().ok()?, swept: swept.parse().ok()? })
    };
    said.lines().filter_map(row).collect()
}

/// The last words of the paths of the tests that passed.
pub fn passed(said: &str) -> Vec<String> {
    let test = |line: &str| {
        let path = line.trim().strip_prefix("test ")?.strip_suffix(" ... ok")?;
        Some(path.rsplit("::").next().unwrap_or(path).to_owned())
    };
    said.lines().filter_map(test).collect()
}

/// One line of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Classes of schedules of all its programs; 0 for machinery.
    pub explored: u64,
    /// Checkpoints and pairs of them of all its programs.
    pub swept: u64,
    /// Mistakes that can be switched on in it.
    pub known: usize,
    /// Those that were noticed; `None` if nobody looked.
    pub noticed: Option<usize>,
}

/// The table, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By primitive; below them the machinery that has mistakes.
    pub entries: BTreeMap<String, Entry>,
    /// In sentences.
    pub wrong: Vec<String>,
}

impl Table {
    /// Joins what is known with what was found.
    pub fn new(known: &Known, rows: &[Row], noticed: Option<&BTreeSet<String>>) -> Table {
        let mut table = Table::default();
        for primitive in &known.primitives {
            table.entries.insert(primitive.clone(), Entry::default());
        }
        for row in rows {
            let whose = known.primitives.iter().find(|name| {
                row.subject == **name
                    || row.subject.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with("::"))
            });
            match whose.and_then(|name| table.entries.get_mut(name)) {
                Some(entry) => {
                    (entry.explored, entry.swept) = (entry.explored + row.explored, entry.swept + row.swept)
                }
                None => {
                    table.wrong.push(format!("there is a row for `{}`, which is no primitive", row.subject))
                }
            }
        }
        for (name, entry) in &table.entries {
            if entry.explored == 0 {
                table.wrong.push(format!("`{name}` has no row: prove a program of it (`lab::prove`)"));
            }
        }
        for (subject, mistakes) in known.counted() {
            let entry = table.entries.entry(subject.to_owned()).or_default();
            entry.known = mistakes.len();
            entry.noticed =
                noticed.map(|noticed| mistakes.iter().filter(|name| noticed.contains(**name)).count());
            let missed =
                mistakes.iter().filter(|name| noticed.is_some_and(|noticed| !noticed.contains(**name)));
            table.wrong.extend(missed.map(|name| format!("`{name}` went unnoticed")));
        }
        table
            .wrong
            .extend(known.unnamed().map(|mistake| format!("no test names the mistake `{}`", mistake.name)));
        table
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:28} {:>9} {:>12} {:>10}", "primitive", "schedules", "checkpoints", "mistakes")?;
        writeln!(f, "{:28} {:>9} {:>12} {:>10}", "", "explored", "swept", "noticed")?;
        for (name, entry) in &self.entries {
            let mistakes = match entry.noticed {
                Some(noticed) => format!("{noticed} of {}", entry.known),
                None => format!("{} known", entry.known),
            };
            writeln!(f, "{name:28} {:>9} {:>12} {mistakes:>10}", entry.explored, entry.swept)?;
        }
        Ok(())
    }
}

/// The table as lines of the page: of the mistakes, how many are known, as all of them have to be noticed.
pub fn lines(entries: &BTreeMap<String, Entry>) -> Vec<String> {
    let mut lines = vec![
        "| primitive | schedules explored | checkpoints swept | mistakes noticed |".to_owned(),
        "|---|---:|---:|---:|".to_owned(),
    ];
    for (name, Entry { explored, swept, known, .. }) in entries {
        lines.push(format!("| `{name}` | {explored} | {swept} | {known} |"));
    }
    lines
}

const BEGIN: &str = "<!-- the table of `cargo xtask test --primitives` -->";
const END: &str = "<!-- end of the table -->";

/// The page with these lines between its two marks; `None` if it has no such marks.
pub fn written(page: &str, lines: &[String]) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", lines.join("\n")))
}

/// What a page's table says: each name, with its figures.
pub fn read(page: &str) -> BTreeMap<String, Entry> {
    let table =
        page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map_or("", |(table, _)| table);
    let entry = |line: &str| {
        let mut cells = line.trim().trim_matches('|').split('|').map(str::trim);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        let mut figure = || cells.next()?.parse::<u64>().ok();
        let (explored, swept, known) = (figure()?, figure()?, usize::try_from(figure()?).ok()?);
        Some((name.to_owned(), Entry { explored, swept, known, noticed: None }))
    };
    table.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::super::known::Mistake;
    use super::*;

    fn known() -> Known {
        let mistake = |name: &str, subject: &str| Mistake { name: name.into(), subject: subject.into() };
        Known {
            primitives: vec!["sync::mpsc".into(), "sync::mutex".into()],
            mistakes: vec![mistake("mpsc.lost", "sync::mpsc"), mistake("queue.old", "sync::wait_queue")],
            ..Known::default()
        }
    }

    #[test]
    fn rows_and_passed_tests_are_found_among_other_lines() {
        let said = "test a::b ... ok\ntest c ... FAILED\n---- a::b stdout ----\nrow: sync::mpsc: explored 3, swept 4\nrow: x\n";
        assert_eq!(rows(said), [Row { subject: "sync::mpsc".into(), explored: 3, swept: 4 }]);
        assert_eq!(passed(said), ["b"]);
    }

    #[test]
    fn a_primitive_without_a_row_and_a_mistake_that_goes_unnoticed_are_wrong() {
        let row = |subject: &str| Row { subject: subject.into(), explored: 3, swept: 4 };
        let rows = [row("sync::mpsc::unbounded"), row("sync::mpsc"), row("sync::gone")];
        let table = Table::new(&known(), &rows, Some(&["queue.old".to_owned()].into()));
        assert_eq!(table.entries["sync::mpsc"], Entry { explored: 6, swept: 8, known: 1, noticed: Some(0) });
        let wrong = table.wrong.join("\n");
        for words in [
            "row for `sync::gone`",
            "`sync::mutex` has no row",
            "`mpsc.lost` went unnoticed",
            "no test names",
        ] {
            assert!(wrong.contains(words), "{wrong}");
        }
        assert!(!wrong.contains("`queue.old` went"), "{wrong}");
        assert!(table.to_string().contains("0 of 1"), "{table}");
    }

    #[test]
    fn what_is_written_into_a_page_is_read_from_it() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let entries =
            BTreeMap::from([("sync::mpsc".into(), Entry { explored: 6, swept: 8, known: 1, noticed: None })]);
        let written = written(&page, &lines(&entries)).expect("there are marks");
        assert!(written.starts_with("before\n") && written.ends_with("after\n") && !written.contains("old"));
        assert_eq!(read(&written), entries);
        assert_eq!(super::written("no marks", &[]), None);
    }
}
