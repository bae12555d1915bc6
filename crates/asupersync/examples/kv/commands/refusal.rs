//! `Refusal`: why a command was not executed, in Redis's words.
//!
//! The first word of a text is the error's code, which client libraries read; `ERR` stands for
//! everything that has no code of its own.

use super::super::resp::{Args, encode};
use super::super::store::WrongType;

/// An error reply.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The number of arguments does not fit the command, which is named when it is written.
    Arity,
    /// This text.
    Text(&'static str),
    /// A text with the client's own words in it.
    Words(Vec<u8>),
}

pub(super) const SYNTAX: Refusal = Refusal::Text("ERR syntax error");
pub(super) const NOT_INTEGER: Refusal = Refusal::Text("ERR value is not an integer or out of range");
pub(super) const NOT_FLOAT: Refusal = Refusal::Text("ERR value is not a valid float");
pub(super) const NOT_POSITIVE: Refusal = Refusal::Text("ERR value is out of range, must be positive");
pub(super) const PATTERN_TOO_LONG: Refusal =
    Refusal::Text("ERR the pattern is longer than this server's limit");
pub(super) const TOO_LONG: Refusal = Refusal::Text("ERR the reply would be longer than this server's limit");
pub(super) const OUT_OF_MEMORY: Refusal =
    Refusal::Text("OOM command not allowed when used memory > 'maxmemory'.");

impl From<WrongType> for Refusal {
    fn from(WrongType: WrongType) -> Self {
        Refusal::Text("WRONGTYPE Operation against a key holding the wrong kind of value")
    }
}

impl Refusal {
    /// A text with the client's words between its two halves, `REPEATED` of them at most.
    pub(super) fn quoting(before: &str, words: &[u8], after: &str) -> Refusal {
        Refusal::Words([before.as_bytes(), shorten(words, REPEATED), after.as_bytes()].concat())
    }

    /// Writes the error reply for the command of this name.
    #[cold]
    pub(super) fn write(&self, command: &str, out: &mut Vec<u8>) {
        match self {
            Refusal::Arity => {
                let text = format!("ERR wrong number of arguments for '{command}' command");
                encode::error(out, text.as_bytes());
            }
            Refusal::Text(text) => encode::error(out, text.as_bytes()),
            Refusal::Words(text) => encode::error(out, text),
        }
    }
}

/// How many of the client's bytes an error repeats, so that it can't be made to send back a
/// request of any size.
const REPEATED: usize = 128;

#[cold]
pub(super) fn unknown_command(args: Args<'_>) -> Refusal {
    let mut words = Vec::new();
    for arg in args.tail(1) {
        if words.len() >= REPEATED {
            break;
        }
        let shown = shorten(arg, REPEATED - words.len());
        words.push(b'\'');
        words.extend_from_slice(shown);
        words.extend_from_slice(b"' ");
    }
    let name = shorten(args.at(0), REPEATED);
    Refusal::Words([b"ERR unknown command '", name, b"', with args beginning with: ", &words].concat())
}

#[cold]
pub(super) fn unknown_subcommand(command: &str, name: &[u8]) -> Refusal {
    let help = format!("'. Try {} HELP.", command.to_ascii_uppercase());
    Refusal::quoting("ERR unknown subcommand '", name, &help)
}

#[cold]
pub(super) fn while_subscribed(command: &str) -> Refusal {
    let rest = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
    Refusal::Words(format!("ERR Can't execute '{command}': {rest}").into_bytes())
}

#[cold]
pub(super) fn invalid_expire_time(command: &str) -> Refusal {
    Refusal::Words(format!("ERR invalid expire time in '{command}' command").into_bytes())
}

/// At most `most` bytes, and as in Redis's own formatting none from a zero byte on.
fn shorten(text: &[u8], most: usize) -> &[u8] {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    &text[..text.len().min(most)]
}
