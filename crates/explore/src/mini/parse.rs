//! From text to [`Program`]: one pass, left to right, no backtracking.
//!
//! Invariants: `mini.bounded` (nesting and the number of tasks have a limit, so no text makes the parser run out of
//! stack or memory), `mini.blame` (an error names the byte at which the text stopped making sense, and what would have
//! made sense there).

use super::program::{Cell, Channel, Lock, Op, Operand, Program};
use core::fmt;

/// How deeply blocks may nest: far more than any program written by hand or unrolled by a test needs.
const MAX_DEPTH: usize = 128;

/// How many tasks a program may have, copies counted.
const MAX_TASKS: usize = 4096;

/// Why a text is not a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseError {
    at: usize,
    wanted: &'static str,
}

impl ParseError {
    /// The offset in bytes at which the text stopped making sense.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What was wanted there, in words.
    #[must_use]
    pub fn wanted(&self) -> &'static str {
        self.wanted
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to parse the program: at byte {}, wanted {}", self.at, self.wanted)
    }
}

impl core::error::Error for ParseError {}

impl Program {
    /// Reads a program.
    ///
    /// # Errors
    /// The first place at which `text` is not one.
    pub fn parse(text: &str) -> Result<Program, ParseError> {
        let mut parser = Parser { text: text.as_bytes(), at: 0, depth: 0, program: Program::default() };
        loop {
            parser.task()?;
            parser.spaces();
            if parser.at == parser.text.len() {
                return Ok(parser.program);
            }
            parser.expect(b"||", "`;` and another operation, `||` and another task, or the end")?;
        }
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    program: Program,
}

impl Parser<'_> {
    fn task(&mut self) -> Result<(), ParseError> {
        self.spaces();
        let start = self.at;
        let copies = if self.eat(b"*") { self.number("the number of copies")? } else { 1 };
        let ops = self.ops()?;
        match usize::try_from(copies) {
            Ok(copies) if copies >= 1 && self.program.tasks.len() + copies <= MAX_TASKS => {
                self.program.tasks.extend(std::iter::repeat_n(ops, copies));
                Ok(())
            }
            _ => Err(ParseError {
                at: start,
                wanted: "at least one copy, and not more than 4096 tasks in all",
            }),
        }
    }

    fn ops(&mut self) -> Result<Vec<Op>, ParseError> {
        let mut ops = vec![self.op()?];
        while self.eat(b";") {
            ops.push(self.op()?);
        }
        Ok(ops)
    }

    fn op(&mut self) -> Result<Op, ParseError> {
        self.spaces();
        let Some(&letter) = self.text.get(self.at) else { return Err(self.error("an operation")) };
        self.at += 1;
        Ok(match letter {
            b'W' => {
                let cell = self.cell()?;
                self.expect(b"=", "`=` and what is stored")?;
                Op::Store { cell, value: self.operand()? }
            }
            b'R' => Op::Load { cell: self.cell()? },
            b'F' => {
                let cell = self.cell()?;
                self.expect(b"+", "`+` and what is added")?;
                Op::FetchAdd { cell, add: self.number("what is added")? }
            }
            b'C' => {
                let cell = self.cell()?;
                self.expect(b":", "`:` and the value that is expected")?;
                let expected = self.number("the value that is expected")?;
                self.expect(b">", "`>` and the new value")?;
                Op::CompareExchange { cell, expected, new: self.number("the new value")? }
            }
            b'L' => Op::Lock { lock: self.lock()? },
            b'U' => Op::Unlock { lock: self.lock()? },
            b'T' => Op::TryLock { lock: self.lock()? },
            b'S' => Op::Send { channel: self.channel()? },
            b'X' => Op::Receive { channel: self.channel()? },
            b'Q' => Op::TryReceive { channel: self.channel()? },
            b'?' => return self.condition(),
            b'#' => Op::Stop,
            _ => {
                self.at -= 1;
                return Err(self.error("an operation: one of W R F C L U T S X Q ? #"));
            }
        })
    }

    fn condition(&mut self) -> Result<Op, ParseError> {
        let equal = self.eat(b"=");
        if !equal {
            self.expect(b"!", "`=` or `!`")?;
        }
        let value = self.number("the value to compare with")?;
        let then = self.block()?;
        let otherwise = if self.eat(b":") { self.block()? } else { Vec::new() };
        Ok(Op::If { equal, value, then, otherwise })
    }

    fn block(&mut self) -> Result<Vec<Op>, ParseError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("no more than 128 blocks inside each other"));
        }
        self.depth += 1;
        self.expect(b"{", "`{` and a block")?;
        let ops = self.ops()?;
        self.expect(b"}", "`;` and another operation, or `}`")?;
        self.depth -= 1;
        Ok(ops)
    }

    fn operand(&mut self) -> Result<Operand, ParseError> {
        if !self.eat(b"$") {
            return Ok(Operand::Value(self.number("a number or `$`")?));
        }
        let plus = if self.eat(b"+") { self.number("what is added to the last value")? } else { 0 };
        Ok(Operand::Last { plus })
    }

    fn cell(&mut self) -> Result<Cell, ParseError> {
        let name = self.name("the name of a cell")?;
        Ok(Cell(index(&mut self.program.cells, name)))
    }

    fn lock(&mut self) -> Result<Lock, ParseError> {
        let name = self.name("the name of a lock")?;
        Ok(Lock(index(&mut self.program.locks, name)))
    }

    fn channel(&mut self) -> Result<Channel, ParseError> {
        let name = self.name("the name of a channel")?;
        Ok(Channel(index(&mut self.program.channels, name)))
    }

    fn name(&mut self, wanted: &'static str) -> Result<String, ParseError> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if start == self.at {
            return Err(self.error(wanted));
        }
        Ok(self.text[start..self.at].iter().map(|&byte| char::from(byte)).collect())
    }

    fn number(&mut self, wanted: &'static str) -> Result<i64, ParseError> {
        self.spaces();
        let start = self.at;
        self.eat(b"-");
        self.skip(|byte| byte.is_ascii_digit());
        let digits = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        digits.parse().map_err(|_| ParseError { at: start, wanted })
    }

    fn spaces(&mut self) {
        self.skip(|byte| byte.is_ascii_whitespace());
    }

    fn skip(&mut self, accept: impl Fn(u8) -> bool) {
        while self.text.get(self.at).is_some_and(|&byte| accept(byte)) {
            self.at += 1;
        }
    }

    /// Whether the next word is this one, which is then read.
    fn eat(&mut self, word: &[u8]) -> bool {
        self.spaces();
        let found = self.text[self.at..].starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn expect(&mut self, word: &[u8], wanted: &'static str) -> Result<(), ParseError> {
        if self.eat(word) { Ok(()) } else { Err(self.error(wanted)) }
    }

    fn error(&self, wanted: &'static str) -> ParseError {
        ParseError { at: self.at, wanted }
    }
}

/// The index of a name among those already met, after adding it if it is new.
fn index(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_read() {
        let program = Program::parse("Wx=1;Wx=$;Wy=$+-2;Ry;Fx+3;Cx:-1>4 || Lm;Tm;Um;Sc;Xc;Qc;#").unwrap();
        let (x, y) = (Cell(0), Cell(1));
        let (lock, channel) = (Lock(0), Channel(0));
        assert_eq!(
            program.tasks()[0],
            [
                Op::Store { cell: x, value: Operand::Value(1) },
                Op::Store { cell: x, value: Operand::Last { plus: 0 } },
                Op::Store { cell: y, value: Operand::Last { plus: -2 } },
                Op::Load { cell: y },
                Op::FetchAdd { cell: x, add: 3 },
                Op::CompareExchange { cell: x, expected: -1, new: 4 },
            ]
        );
        assert_eq!(
            program.tasks()[1],
            [
                Op::Lock { lock },
                Op::TryLock { lock },
                Op::Unlock { lock },
                Op::Send { channel },
                Op::Receive { channel },
                Op::TryReceive { channel },
                Op::Stop,
            ]
        );
        assert_eq!(
            (program.cells(), program.locks()),
            (&["x", "y"].map(String::from)[..], &["m".into()][..])
        );
    }

    #[test]
    fn blocks_nest_and_may_have_another_case() {
        let program = Program::parse("Rx;?=1{Ry;?!0{Rz}}:{Rz}").unwrap();
        let load = |cell| Op::Load { cell: Cell(cell) };
        let inner = Op::If { equal: false, value: 0, then: vec![load(2)], otherwise: vec![] };
        let outer = Op::If { equal: true, value: 1, then: vec![load(1), inner], otherwise: vec![load(2)] };
        assert_eq!(program.tasks()[0], [load(0), outer]);
    }

    #[test]
    fn copies_are_written_out() {
        let program = Program::parse("Wx=42 || *3 Fx+1;Fy+1").unwrap();
        assert_eq!(program.tasks().len(), 4);
        assert_eq!(program.tasks()[1], program.tasks()[3]);
    }

    #[test]
    fn errors_name_the_place_and_what_was_wanted_there() {
        for (text, at, wanted) in [
            ("", 0, "an operation"),
            ("Wx", 2, "`=` and what is stored"),
            ("Wx=", 3, "a number or `$`"),
            ("Wx=1;;", 5, "an operation: one of W R F C L U T S X Q ? #"),
            ("Rx | Ry", 3, "`;` and another operation, `||` and another task, or the end"),
            ("R", 1, "the name of a cell"),
            ("?=1{Rx", 6, "`;` and another operation, or `}`"),
            ("?1{Rx}", 1, "`=` or `!`"),
            ("*0 Rx", 0, "at least one copy, and not more than 4096 tasks in all"),
            ("*99999 Rx", 0, "at least one copy, and not more than 4096 tasks in all"),
            ("Fx+99999999999999999999", 3, "what is added"),
            ("Rx || ä", 6, "an operation: one of W R F C L U T S X Q ? #"),
        ] {
            let error = Program::parse(text).unwrap_err();
            assert_eq!((error.at(), error.wanted()), (at, wanted), "{text:?}");
        }
        let deep = "?=1{".repeat(100_000);
        assert_eq!(Program::parse(&deep).unwrap_err().at(), 4 * MAX_DEPTH + 3);
    }
}
