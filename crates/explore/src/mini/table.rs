//! Tables of programs with their exact numbers: tab-separated text, one program a line, a header line first.
//!
//! Columns: name, program, traces, blocked traces, interleavings (a number, or `>20000` where nobody counted),
//! classes by reads-from (a number or nothing), source.

use super::{ParseError, Program};
use core::fmt;

/// A program and what is known about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row<'a> {
    /// What it is called.
    pub name: &'a str,
    /// It, as text.
    pub text: &'a str,
    /// It.
    pub program: Program,
    /// How many classes of executions (Mazurkiewicz traces) it has, those with stuck tasks included.
    pub traces: u64,
    /// In how many of them some task never ends.
    pub blocked: u64,
    /// How many executions it has, if they were counted.
    pub interleavings: Option<u64>,
    /// How many classes there are if only who reads from whom counts, if they were counted.
    pub reads_from: Option<u64>,
    /// Where it comes from.
    pub source: &'a str,
}

/// Why a text is not a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableError {
    line: usize,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    Columns,
    Number(&'static str),
    Program(ParseError),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to read the table: line {}: ", self.line)?;
        match self.why {
            Why::Columns => f.write_str("7 columns separated by tabs are wanted"),
            Why::Number(column) => write!(f, "column `{column}` is not a number"),
            Why::Program(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TableError {}

/// Reads a table; its first line is the header and is skipped, and so are empty lines.
///
/// # Errors
/// The first line that doesn't fit.
pub fn read(text: &str) -> Result<Vec<Row<'_>>, TableError> {
    let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| row(line).map_err(|why| TableError { line: at + 1, why })).collect()
}

fn row(line: &str) -> Result<Row<'_>, Why> {
    let mut columns = line.split('\t');
    let mut column = || columns.next().ok_or(Why::Columns);
    let (name, text) = (column()?, column()?);
    let program = Program::parse(text).map_err(Why::Program)?;
    let traces = number("traces", column()?)?.ok_or(Why::Number("traces"))?;
    let blocked = number("blocked", column()?)?.ok_or(Why::Number("blocked"))?;
    let interleavings = number("interleavings", column()?)?;
    let reads_from = number("rf_classes", column()?)?;
    Ok(Row { name, text, program, traces, blocked, interleavings, reads_from, source: column()? })
}

/// A number; `None` for nothing or for "more than so many".
fn number(column: &'static str, text: &str) -> Result<Option<u64>, Why> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('>') {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Why::Number(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_program_and_its_numbers() {
        let rows = read("name\t...\n\nSB\tWx=1;Ry || Wy=1;Rx\t3\t0\t>20000\t\tGenMC\n").unwrap();
        assert_eq!((rows.len(), rows[0].program.tasks().len(), rows[0].traces), (1, 2, 3));
        assert_eq!((rows[0].interleavings, rows[0].reads_from, rows[0].source), (None, None, "GenMC"));
    }

    #[test]
    fn errors_name_the_line() {
        let error = |row: &str| read(&format!("header\n{row}")).unwrap_err().to_string();
        assert!(error("a\tRx\t1").ends_with("line 2: 7 columns separated by tabs are wanted"));
        assert!(error("a\tRx\tone\t0\t1\t1\t").ends_with("line 2: column `traces` is not a number"));
        assert!(error("a\tZx\t1\t0\t1\t1\t").contains("line 2: failed to parse the program: at byte 0"));
    }
}
