//! The commands: what each does to the store and what it answers.
//!
//! `execute` runs one request. It changes the store and the session, appends exactly the reply to
//! `out`, and returns an `Effect` when there is something that only the server can do. It never
//! waits, reads no clock and knows no socket; what it needs of the server it asks its `Host`.
//!
//! Invariants: `commands.one_reply`: each request appends one reply, except SUBSCRIBE and
//! UNSUBSCRIBE (one per channel) and PUBLISH (none: the server appends the count of receivers). What the
//! client does not want (CLIENT REPLY) the server takes back, with `Session::settle`.
//! `commands.refused_whole`: a request refused with an error has changed nothing and its reply is
//! the error alone. Names, arities, flags and functions are rows of `table`; texts are Redis 7.0's.
//!
//! `tests/kv_redis.rs` compares the replies with those of a real Redis. Different on purpose: RESP3 is refused; a
//! reply and a pattern have limits; an inline request is answered although it holds a zero byte; an empty key
//! matches every pattern of stars, not only `*`; a key that is set to expire in the past is gone at once, not
//! counted until somebody looks; a connection that is closed is closed although its last reply is not wanted.

#[path = "commands/client.rs"]
mod client;
#[path = "commands/connection.rs"]
mod connection;
#[path = "commands/hashes.rs"]
mod hashes;
#[path = "commands/host.rs"]
mod host;
#[path = "commands/introspection.rs"]
mod introspection;
#[path = "commands/keys.rs"]
mod keys;
#[path = "commands/lists.rs"]
mod lists;
#[path = "commands/pubsub.rs"]
mod pubsub;
#[path = "commands/refusal.rs"]
mod refusal;
#[path = "commands/server.rs"]
mod server;
#[path = "commands/session.rs"]
mod session;
#[path = "commands/sets.rs"]
mod sets;
#[path = "commands/sorted_sets.rs"]
mod sorted_sets;
#[path = "commands/strings.rs"]
mod strings;
#[path = "commands/table.rs"]
mod table;
#[cfg(test)]
#[path = "commands/tests.rs"]
mod tests;

use super::resp::Args;
use super::resp::encode;
use super::store::Store;
use refusal::Refusal;
use table::Flags;

pub(crate) use host::{ClientInfo, Host, ServerInfo};
pub(crate) use session::Session;

/// What the server must do after a request, before it executes the next one of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: the reply is in `out`.
    None,
    /// Send what is in `out`, then close the connection.
    Close,
    /// Shut the server down; no reply was written, and Redis just closes the connection. With
    /// `now` it waits for nobody.
    Shutdown {
        /// Whether the client asked not to wait.
        now: bool,
    },
    /// Deliver argument 2 to the subscribers of channel argument 1, then append the number of
    /// receivers to `out` with `resp::encode::count`.
    Publish,
    /// The session subscribed to these channels, new to it; the confirmations are in `out`.
    Subscribe(Vec<Box<[u8]>>),
    /// The session left these channels; the confirmations are in `out`.
    Unsubscribe(Vec<Box<[u8]>>),
    /// `Session::name` changed, for the server's list of clients.
    Renamed,
}

/// All that a command's function may use.
struct Call<'a> {
    store: &'a mut Store,
    session: &'a mut Session,
    host: &'a dyn Host,
    args: Args<'a>,
    now: u64,
    out: &'a mut Vec<u8>,
}

/// How a command ends.
type Done = Result<Effect, Refusal>;

impl<'a> Call<'a> {
    /// The first argument after the command's name; the arity of the command promises it.
    #[inline]
    fn key(&self) -> &'a [u8] {
        self.args.at(1)
    }

    /// Answers `+OK`.
    #[inline]
    fn ok(&mut self) -> Done {
        self.out.extend_from_slice(b"+OK\r\n");
        Ok(Effect::None)
    }

    /// Refuses a reply that has become too long, for requests that can ask for the same thing often. `start` is
    /// where it began in `out`.
    #[inline]
    fn bounded(&self, start: usize) -> Result<(), Refusal> {
        if self.out.len() - start > self.host.limits().max_reply {
            return Err(refusal::TOO_LONG);
        }
        Ok(())
    }

    /// Answers with a length.
    #[inline]
    fn count(&mut self, count: usize) -> Done {
        encode::count(self.out, count);
        Ok(Effect::None)
    }
}

/// Executes one request at the time `now`, in milliseconds since the Unix epoch, and appends its
/// reply to `out`. See the head of the file.
///
/// Cost: finding and running GET, SET or INCR on a key that exists allocates nothing, unless a
/// longer value needs the room.
pub(crate) fn execute(
    store: &mut Store,
    session: &mut Session,
    host: &dyn Host,
    args: Args<'_>,
    now: u64,
    out: &mut Vec<u8>,
) -> Effect {
    store.stats.commands += 1;
    let Some(mut command) = table::find(args.at(0)) else {
        if is_of_http(args.at(0)) {
            return Effect::Close;
        }
        refusal::unknown_command(args).write("", out);
        return Effect::None;
    };
    if !command.subcommands.is_empty()
        && let Some(name) = args.get(1)
    {
        match command.subcommand(name) {
            Some(subcommand) => command = subcommand,
            None => {
                refusal::unknown_subcommand(command.name, name).write("", out);
                return Effect::None;
            }
        }
    }
    session.last_command = command.name;
    let start = out.len();
    let done = match admit(command, store, session, host, args.len()) {
        Ok(()) => (command.run)(&mut Call { store, session, host, args, now, out }),
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(effect) => effect,
        Err(refusal) => {
            out.truncate(start);
            refusal.write(command.name, out);
            Effect::None
        }
    }
}

/// Whether a browser speaks, which a web page can make send lines of its choice to any port of its own machine. Redis closes
/// the connection at these two words without an answer, and so do we: whatever follows is not executed.
#[cold]
fn is_of_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"POST") || name.eq_ignore_ascii_case(b"Host:")
}

/// Checks what holds for every command, in the order in which Redis does.
#[inline]
fn admit(
    command: &table::Command,
    store: &Store,
    session: &Session,
    host: &dyn Host,
    args: usize,
) -> Result<(), Refusal> {
    if !command.accepts(args) {
        return Err(Refusal::Arity);
    }
    if command.flags.has(Flags::DENYOOM) {
        let most = host.limits().max_memory;
        if most != 0 && store.used_memory() > most {
            return Err(refusal::OUT_OF_MEMORY);
        }
    }
    if session.is_subscribed() && !command.flags.has(Flags::WHILE_SUBSCRIBED) {
        return Err(refusal::while_subscribed(command.name));
    }
    Ok(())
}
