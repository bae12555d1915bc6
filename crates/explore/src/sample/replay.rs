//! [`Replay`]: decisions as text, with the name of the program they belong to. What a failing test prints, and what
//! `LAB_REPLAY` takes.
//!
//! In one line, of characters that no shell minds:
//!
//! ```text
//! lab1,bank::transfer%20twice,118,5c0d9a77,IpwIfHgG,a0b97570
//!    |  |                      |   |        |        checksum of everything before it
//!    |  |                      |   |        the deviations, packed; usual decisions cost next to nothing
//!    |  |                      |   hash of the execution that made the list; `-` if none did
//!    |  |                      how many decisions
//!    |  the program's name, with %20 for what isn't a letter, a digit or one of _ - . : /
//!    the version
//! ```
//! As a file, for keeping and comparing, with the same checksum:
//!
//! ```text
//! asupersync lab replay, version 1
//! # why
//! program: bank::transfer%20twice
//! decisions: 118
//! run: 5c0d9a77
//! 0 Ipw
//! 64 Px4Bg
//! end: a0b97570
//! ```
//! where a line with a number holds the deviations of the 64 decisions from that one on, so that a change in one place
//! changes one line. (`run` is left out if no execution made the list.)
//!
//! A deviation is: its distance from the one before (gamma code of distance + 1), then `0` and the task's short name
//! in 8 bits; or `10`, the name, and how many candidates of that name stood before it (gamma); or `11`, the choice's
//! kind in 3 bits and the option (gamma of option + 1). So 10 bits, 1.7 characters, even if every single decision
//! deviates and whatever the number of candidates, as long as they are not so many that names repeat.
//!
//! Invariant `replay.one-text`: a list has exactly one line, and what was read is written again and compared, so that
//! nothing is read but what was written: a change of one character is always noticed, any other but one in 2^32.
use super::bits::{Packer, Unpacker};
use super::decisions::{Decisions, Departure, Deviation, choice_of, code_of};
use std::fmt::{self, Write};

const VERSION: u32 = 1;
const TITLE: &str = "asupersync lab replay, version ";
/// Decisions for each line of a file.
const STRETCH: u64 = 64;

/// Decisions, and the program they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The program's name, as its test gives it.
    pub program: String,
    /// What was decided.
    pub decisions: Decisions,
}

/// Why a text can't be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// It is something else altogether.
    NotAReplay,
    /// It was written by a program that writes them differently.
    OtherVersion {
        /// The version it says it has.
        found: u32,
    },
    /// Its end is missing.
    Truncated,
    /// It was changed after it was written.
    Corrupted,
    /// It is of another program than the one it was given to.
    OtherProgram {
        /// Whose it is.
        recorded: String,
        /// Who was to replay it.
        asked: String,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::NotAReplay => write!(
                f,
                "failed to read the replay: the text isn't one; give the whole line that begins with `lab{VERSION},`, or \
                 a file that begins with `{TITLE}{VERSION}`"
            ),
            ReplayError::OtherVersion { found } => write!(
                f,
                "failed to read the replay: it has version {found} and this program reads version {VERSION}; replay it \
                 with the release that printed it, or let the test fail once more to get a new one"
            ),
            ReplayError::Truncated => f.write_str(
                "failed to read the replay: its end is missing; copy it whole, up to and with the eight digits of its \
                 checksum",
            ),
            ReplayError::Corrupted => f.write_str(
                "failed to read the replay: its checksum doesn't agree; it was changed since it was printed, copy it anew",
            ),
            ReplayError::OtherProgram { recorded, asked } => write!(
                f,
                "failed to replay: the recording is of `{recorded}`, and this is `{asked}`; run the test it belongs to"
            ),
        }
    }
}

impl std::error::Error for ReplayError {}

impl Replay {
    /// These decisions, of the program of this name.
    #[must_use]
    pub fn new(program: impl Into<String>, decisions: Decisions) -> Replay {
        Replay { program: program.into(), decisions }
    }

    /// The one-line form. It needs no quotes in a shell.
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = format!("lab{VERSION},{},{},", escaped(&self.program), self.decisions.len());
        match self.decisions.run() {
            Some(run) => _ = write!(text, "{run:08x},"),
            None => text.push_str("-,"),
        }
        text.push_str(&packed(0, self.decisions.deviations()));
        let check = fnv1a(text.as_bytes());
        _ = write!(text, ",{check:08x}");
        text
    }

    /// The file form, each line of `comment` behind a `#`.
    #[must_use]
    pub fn file(&self, comment: &str) -> String {
        let line = self.line();
        let mut text = format!("{TITLE}{VERSION}\n");
        for comment in comment.lines() {
            _ = writeln!(text, "# {comment}");
        }
        _ = writeln!(text, "program: {}\ndecisions: {}", escaped(&self.program), self.decisions.len());
        if let Some(run) = self.decisions.run() {
            _ = writeln!(text, "run: {run:08x}");
        }
        for stretch in self.decisions.deviations().chunk_by(|one, next| one.at / STRETCH == next.at / STRETCH)
        {
            let from = stretch[0].at / STRETCH * STRETCH;
            _ = writeln!(text, "{from} {}", packed(from, stretch));
        }
        // The checksum of the line is of the whole list, and so is the file's.
        _ = writeln!(text, "end: {}", &line[line.len() - 8..]);
        text
    }

    /// Reads either form; `LAB_REPLAY=` in front of a line and white space around it don't matter.
    ///
    /// # Errors
    /// If the text is no replay, of another version, incomplete, or changed. Cost: linear in the text.
    pub fn read(text: &str) -> Result<Replay, ReplayError> {
        let text = text.trim();
        let line = text.strip_prefix("LAB_REPLAY=").unwrap_or(text);
        if let Some(rest) = text.strip_prefix(TITLE) {
            read_file(rest)
        } else if let Some(rest) = line.strip_prefix("lab") {
            read_line(line, rest)
        } else if !text.is_empty() && TITLE.trim_end().starts_with(text) {
            Err(ReplayError::Truncated)
        } else {
            Err(ReplayError::NotAReplay)
        }
    }

    /// The decisions, if they are of this program.
    ///
    /// # Errors
    /// If they are of another.
    pub fn decisions_of(self, program: &str) -> Result<Decisions, ReplayError> {
        if self.program == program {
            Ok(self.decisions)
        } else {
            Err(ReplayError::OtherProgram { recorded: self.program, asked: program.to_owned() })
        }
    }
}

/// The version a text begins with, if this program reads it.
fn version(digits: &str) -> Result<(), ReplayError> {
    match digits.parse() {
        Ok(VERSION) => Ok(()),
        Ok(found) => Err(ReplayError::OtherVersion { found }),
        Err(_) => Err(ReplayError::NotAReplay),
    }
}

fn read_line(line: &str, rest: &str) -> Result<Replay, ReplayError> {
    let mut fields = rest.split(',');
    version(fields.next().unwrap_or(""))?;
    let mut field = || fields.next().ok_or(ReplayError::Truncated);
    let (program, len, run, body, check) = (field()?, field()?, field()?, field()?, field()?);
    if check.len() < 8 {
        return Err(ReplayError::Truncated);
    }
    let mut deviations = Vec::new();
    unpack(0, u64::MAX, body, &mut deviations)?;
    let run = if run == "-" { None } else { Some(run) };
    let replay = assembled(program, len, run, deviations)?;
    if replay.line() == line { Ok(replay) } else { Err(ReplayError::Corrupted) }
}

fn read_file(rest: &str) -> Result<Replay, ReplayError> {
    let mut lines = rest.lines().map(str::trim);
    version(lines.next().unwrap_or(""))?;
    // Before anything else: what was cut looks corrupted in many ways, and its owner can mend only this one.
    let is_end = |line: &str| line.strip_prefix("end:").is_some_and(|check| check.trim().len() >= 8);
    if !lines.clone().any(is_end) {
        return Err(ReplayError::Truncated);
    }
    let (mut program, mut len, mut run, mut check) = (None, None, None, None);
    let mut deviations = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if check.is_some() {
            return Err(ReplayError::Corrupted);
        }
        match line.split_once(' ') {
            Some(("program:", value)) => program = Some(value),
            Some(("decisions:", value)) => len = Some(value),
            Some(("run:", value)) => run = Some(value),
            Some(("end:", value)) => check = Some(value),
            Some((from, body)) => {
                let from: u64 = from.parse().map_err(|_| ReplayError::Corrupted)?;
                unpack(from, from.saturating_add(STRETCH), body, &mut deviations)?;
            }
            // The program has no name.
            None if line == "program:" => program = Some(""),
            None => return Err(ReplayError::Corrupted),
        }
    }
    let corrupted = ReplayError::Corrupted;
    let (Some(program), Some(len), Some(check)) = (program, len, check) else { return Err(corrupted) };
    let replay = assembled(program, len, run, deviations)?;
    if replay.line().ends_with(&format!(",{check}")) { Ok(replay) } else { Err(corrupted) }
}

fn assembled(
    program: &str,
    len: &str,
    run: Option<&str>,
    deviations: Vec<Deviation>,
) -> Result<Replay, ReplayError> {
    let corrupted = ReplayError::Corrupted;
    let program = unescaped(program).ok_or(corrupted.clone())?;
    let len: u64 = len.parse().map_err(|_| corrupted.clone())?;
    let ascending = deviations.windows(2).all(|pair| pair[0].at < pair[1].at);
    if !ascending || deviations.last().is_some_and(|last| last.at >= len) {
        return Err(corrupted);
    }
    let decisions = Decisions::new(len, deviations);
    let decisions = match run {
        Some(run) => decisions.of_run(u32::from_str_radix(run, 16).map_err(|_| corrupted)?),
        None => decisions,
    };
    Ok(Replay { program, decisions })
}

/// The deviations of a stretch that begins with decision `from`.
fn packed(from: u64, deviations: &[Deviation]) -> String {
    let mut packer = Packer::default();
    let mut next = from;
    for deviation in deviations {
        packer.number(deviation.at - next + 1);
        next = deviation.at + 1;
        match deviation.what {
            Departure::Task { name, nth } => {
                if nth == 0 {
                    packer.bits(0b0, 1);
                    packer.bits(u64::from(name), 8);
                } else {
                    packer.bits(0b10, 2);
                    packer.bits(u64::from(name), 8);
                    packer.number(u64::from(nth));
                }
            }
            Departure::Choice { what, chosen } => {
                packer.bits(0b11, 2);
                packer.bits(u64::from(code_of(what)), 3);
                packer.number(u64::from(chosen) + 1);
            }
        }
    }
    packer.finish()
}

fn unpack(from: u64, end: u64, text: &str, deviations: &mut Vec<Deviation>) -> Result<(), ReplayError> {
    let mut bits = Unpacker::new(text).ok_or(ReplayError::Corrupted)?;
    let mut next = from;
    while !bits.is_over() {
        let deviation = unpack_one(&mut bits, next).ok_or(ReplayError::Corrupted)?;
        if deviation.at >= end {
            return Err(ReplayError::Corrupted);
        }
        next = deviation.at + 1;
        deviations.push(deviation);
    }
    Ok(())
}

fn unpack_one(bits: &mut Unpacker, next: u64) -> Option<Deviation> {
    let at = next.checked_add(bits.number()? - 1)?;
    let what = if !bits.bit()? {
        Departure::Task { name: bits.bits(8)? as u8, nth: 0 }
    } else if !bits.bit()? {
        Departure::Task { name: bits.bits(8)? as u8, nth: u32::try_from(bits.number()?).ok()? }
    } else {
        let what = choice_of(bits.bits(3)? as u8)?;
        Departure::Choice { what, chosen: u32::try_from(bits.number()? - 1).ok()? }
    };
    // The place behind it must exist, too.
    at.checked_add(1)?;
    Some(Deviation { at, what })
}

fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte) {
            text.push(byte as char);
        } else {
            _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// FNV-1a, 32 bits: a change of one byte never goes unnoticed, any other one time in 2^32.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
