//! The table of commands, and finding a row in it.
//!
//! A row is what COMMAND INFO shows plus the function to run. Finding compares a name as one
//! 128-bit number in lower case, through an index of 256 places made at compile time: no string
//! comparison, no allocation, a few nanoseconds in either case of letters.

use super::{Call, Done};
use super::{
    client, connection, hashes, introspection, keys, lists, pubsub, server, sets, sorted_sets, strings,
};

/// Properties of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u16);

impl Flags {
    pub(super) const NONE: Flags = Flags(0);
    pub(super) const WRITE: Flags = Flags(1);
    pub(super) const READONLY: Flags = Flags(1 << 1);
    /// Adds data, so it is refused above the memory limit.
    pub(super) const DENYOOM: Flags = Flags(1 << 2);
    pub(super) const ADMIN: Flags = Flags(1 << 3);
    pub(super) const PUBSUB: Flags = Flags(1 << 4);
    pub(super) const NOSCRIPT: Flags = Flags(1 << 5);
    pub(super) const LOADING: Flags = Flags(1 << 6);
    pub(super) const STALE: Flags = Flags(1 << 7);
    pub(super) const FAST: Flags = Flags(1 << 8);
    /// Allowed while the session subscribes to a channel; COMMAND doesn't show it.
    pub(super) const WHILE_SUBSCRIBED: Flags = Flags(1 << 9);

    /// The flags that COMMAND shows, in Redis's order.
    const SHOWN: [(Flags, &'static str); 9] = [
        (Flags::WRITE, "write"),
        (Flags::READONLY, "readonly"),
        (Flags::DENYOOM, "denyoom"),
        (Flags::ADMIN, "admin"),
        (Flags::PUBSUB, "pubsub"),
        (Flags::NOSCRIPT, "noscript"),
        (Flags::LOADING, "loading"),
        (Flags::STALE, "stale"),
        (Flags::FAST, "fast"),
    ];

    /// Both sets together.
    const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    #[inline]
    pub(super) fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names that COMMAND shows.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        Flags::SHOWN.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}

/// Where the keys are among the arguments: first, last (negative from the end) and step.
pub(super) type Keys = (i8, i8, i8);

/// A row of the table.
pub(super) struct Command {
    /// In lower case; a subcommand's is `container|name`.
    pub(super) name: &'static str,
    /// Arguments with the name: exactly so many, or if negative at least.
    pub(super) arity: i8,
    pub(super) flags: Flags,
    pub(super) keys: Keys,
    /// Redis's group and one sentence, for COMMAND DOCS.
    pub(super) group: &'static str,
    pub(super) summary: &'static str,
    pub(super) subcommands: &'static [Command],
    pub(super) run: fn(&mut Call<'_>) -> Done,
}

impl Command {
    /// Whether a request of `args` arguments, the name included, fits the arity.
    #[inline]
    pub(super) fn accepts(&self, args: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { args >= wanted } else { args == wanted }
    }

    /// The subcommand called `name` in either case of letters.
    pub(super) fn subcommand(&self, name: &[u8]) -> Option<&'static Command> {
        self.subcommands.iter().find(|subcommand| {
            let (_, own) = subcommand.name.split_once('|').unwrap_or(("", subcommand.name));
            own.as_bytes().eq_ignore_ascii_case(name)
        })
    }
}

/// The row of the command called `name` in either case of letters.
#[inline]
pub(super) fn find(name: &[u8]) -> Option<&'static Command> {
    let mut letters = [0u8; LONGEST];
    letters.get_mut(..name.len())?.copy_from_slice(name);
    letters.make_ascii_lowercase();
    let wanted = u128::from_le_bytes(letters);
    let mut place = home(wanted);
    loop {
        let (found, row) = INDEX[place];
        // The empty place first: a name of nothing but zero bytes must not match it.
        if found == 0 {
            return None;
        }
        if found == wanted {
            // A name that ends in zero bytes looks like the shorter one.
            return COMMANDS.get(usize::from(row)).filter(|command| command.name.len() == name.len());
        }
        place = (place + 1) % INDEX.len();
    }
}

/// The longest name that fits the comparison.
const LONGEST: usize = 16;

/// Names and rows, found by open addressing; name 0 is an empty place.
static INDEX: [(u128, u8); 256] = index();

const fn index() -> [(u128, u8); 256] {
    let mut index = [(0, 0); 256];
    let mut row = 0;
    while row < COMMANDS.len() {
        let name = COMMANDS[row].name.as_bytes();
        let mut letters = [0; LONGEST];
        let mut i = 0;
        while i < name.len() {
            letters[i] = name[i];
            i += 1;
        }
        let wanted = u128::from_le_bytes(letters);
        let mut place = home(wanted);
        while index[place].0 != 0 {
            place = (place + 1) % index.len();
        }
        index[place] = (wanted, row as u8);
        row += 1;
    }
    index
}

#[inline]
const fn home(name: u128) -> usize {
    let folded = (name as u64) ^ ((name >> 64) as u64).rotate_left(31);
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}

/// No keys.
const NO_KEYS: Keys = (0, 0, 0);
/// The first argument is the key.
const ONE_KEY: Keys = (1, 1, 1);
/// Every argument is a key.
const ALL_KEYS: Keys = (1, -1, 1);

const READ: Flags = Flags::READONLY;
const READ_FAST: Flags = Flags::READONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE;
const WRITE_FAST: Flags = Flags::WRITE.and(Flags::FAST);
const ADD: Flags = Flags::WRITE.and(Flags::DENYOOM);
const ADD_FAST: Flags = ADD.and(Flags::FAST);
const ANY_TIME: Flags = Flags::LOADING.and(Flags::STALE);
const SESSION: Flags = ANY_TIME.and(Flags::NOSCRIPT);
const SESSION_FAST: Flags = SESSION.and(Flags::FAST);
const ADMIN: Flags = SESSION.and(Flags::ADMIN);
const SUBSCRIBER: Flags = SESSION.and(Flags::PUBSUB).and(Flags::WHILE_SUBSCRIBED);

const fn row(
    name: &'static str,
    arity: i8,
    flags: Flags,
    keys: Keys,
    run: fn(&mut Call<'_>) -> Done,
    group: &'static str,
    summary: &'static str,
) -> Command {
    Command { name, arity, flags, keys, group, summary, subcommands: &[], run }
}

const fn container(row: Command, subcommands: &'static [Command]) -> Command {
    Command { subcommands, ..row }
}

/// All commands, by group.
#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    row("append", 3, ADD_FAST, ONE_KEY, strings::append, "string", "Appends to a string and returns its length."),
    row("decr", 2, ADD_FAST, ONE_KEY, strings::decr, "string", "Subtracts one from a number."),
    row("decrby", 3, ADD_FAST, ONE_KEY, strings::decrby, "string", "Subtracts from a number."),
    row("get", 2, READ_FAST, ONE_KEY, strings::get, "string", "Returns a string."),
    row("getdel", 2, WRITE_FAST, ONE_KEY, strings::getdel, "string", "Returns a string and deletes its key."),
    row("incr", 2, ADD_FAST, ONE_KEY, strings::incr, "string", "Adds one to a number."),
    row("incrby", 3, ADD_FAST, ONE_KEY, strings::incrby, "string", "Adds to a number."),
    row("mget", -2, READ_FAST, ALL_KEYS, strings::mget, "string", "Returns several strings."),
    row("mset", -3, ADD, (1, -1, 2), strings::mset, "string", "Sets several strings."),
    row("psetex", 4, ADD, ONE_KEY, strings::psetex, "string", "Sets a string that expires after milliseconds."),
    row("set", -3, ADD, ONE_KEY, strings::set, "string", "Sets a string."),
    row("setex", 4, ADD, ONE_KEY, strings::setex, "string", "Sets a string that expires after seconds."),
    row("setnx", 3, ADD_FAST, ONE_KEY, strings::setnx, "string", "Sets a string unless the key exists."),
    row("strlen", 2, READ_FAST, ONE_KEY, strings::strlen, "string", "Returns the length of a string."),

    row("del", -2, WRITE, ALL_KEYS, keys::del, "generic", "Deletes keys."),
    row("exists", -2, READ_FAST, ALL_KEYS, keys::exists, "generic", "Counts the keys that exist."),
    row("expire", -3, WRITE_FAST, ONE_KEY, keys::expire, "generic", "Lets a key expire after seconds."),
    row("expireat", -3, WRITE_FAST, ONE_KEY, keys::expireat, "generic", "Lets a key expire at a Unix time."),
    row("keys", 2, READ, NO_KEYS, keys::keys, "generic", "Returns all keys that match a pattern."),
    row("persist", 2, WRITE_FAST, ONE_KEY, keys::persist, "generic", "Keeps a key from expiring."),
    row("pexpire", -3, WRITE_FAST, ONE_KEY, keys::pexpire, "generic", "Lets a key expire after milliseconds."),
    row("pexpireat", -3, WRITE_FAST, ONE_KEY, keys::pexpireat, "generic", "Lets a key expire at a Unix time in milliseconds."),
    row("pttl", 2, READ_FAST, ONE_KEY, keys::pttl, "generic", "Returns the milliseconds a key has left."),
    row("scan", -2, READ, NO_KEYS, keys::scan, "generic", "Iterates over the keys step by step."),
    row("ttl", 2, READ_FAST, ONE_KEY, keys::ttl, "generic", "Returns the seconds a key has left."),
    row("type", 2, READ_FAST, ONE_KEY, keys::type_of, "generic", "Returns the type of a key's value."),
    row("unlink", -2, WRITE_FAST, ALL_KEYS, keys::del, "generic", "Deletes keys."),

    row("llen", 2, READ_FAST, ONE_KEY, lists::llen, "list", "Returns the length of a list."),
    row("lpop", -2, WRITE_FAST, ONE_KEY, lists::lpop, "list", "Takes elements from the head of a list."),
    row("lpush", -3, ADD_FAST, ONE_KEY, lists::lpush, "list", "Adds elements at the head of a list."),
    row("lrange", 4, READ, ONE_KEY, lists::lrange, "list", "Returns a range of a list."),
    row("rpop", -2, WRITE_FAST, ONE_KEY, lists::rpop, "list", "Takes elements from the tail of a list."),
    row("rpush", -3, ADD_FAST, ONE_KEY, lists::rpush, "list", "Adds elements at the tail of a list."),

    row("hdel", -3, WRITE_FAST, ONE_KEY, hashes::hdel, "hash", "Deletes fields of a hash."),
    row("hexists", 3, READ_FAST, ONE_KEY, hashes::hexists, "hash", "Tells whether a hash has a field."),
    row("hget", 3, READ_FAST, ONE_KEY, hashes::hget, "hash", "Returns a field of a hash."),
    row("hgetall", 2, READ, ONE_KEY, hashes::hgetall, "hash", "Returns all fields and values of a hash."),
    row("hlen", 2, READ_FAST, ONE_KEY, hashes::hlen, "hash", "Counts the fields of a hash."),
    row("hset", -4, ADD_FAST, ONE_KEY, hashes::hset, "hash", "Sets fields of a hash."),

    row("sadd", -3, ADD_FAST, ONE_KEY, sets::sadd, "set", "Adds members to a set."),
    row("scard", 2, READ_FAST, ONE_KEY, sets::scard, "set", "Counts the members of a set."),
    row("sismember", 3, READ_FAST, ONE_KEY, sets::sismember, "set", "Tells whether a set has a member."),
    row("smembers", 2, READ, ONE_KEY, sets::smembers, "set", "Returns all members of a set."),
    row("srem", -3, WRITE_FAST, ONE_KEY, sets::srem, "set", "Removes members from a set."),

    row("zadd", -4, ADD_FAST, ONE_KEY, sorted_sets::zadd, "sorted-set", "Adds members with scores to a sorted set."),
    row("zcard", 2, READ_FAST, ONE_KEY, sorted_sets::zcard, "sorted-set", "Counts the members of a sorted set."),
    row("zrange", -4, READ, ONE_KEY, sorted_sets::zrange, "sorted-set", "Returns a range of a sorted set."),
    row("zrem", -3, WRITE_FAST, ONE_KEY, sorted_sets::zrem, "sorted-set", "Removes members from a sorted set."),
    row("zscore", 3, READ_FAST, ONE_KEY, sorted_sets::zscore, "sorted-set", "Returns the score of a member."),

    row("publish", 3, ANY_TIME.and(Flags::PUBSUB).and(Flags::FAST), NO_KEYS, pubsub::publish, "pubsub", "Sends a message to a channel."),
    row("subscribe", -2, SUBSCRIBER, NO_KEYS, pubsub::subscribe, "pubsub", "Listens to channels."),
    row("unsubscribe", -1, SUBSCRIBER, NO_KEYS, pubsub::unsubscribe, "pubsub", "Stops listening to channels."),

    container(row("client", -2, Flags::NONE, NO_KEYS, client::container, "connection", "Commands about connections."), client::SUBCOMMANDS),
    row("echo", 2, ANY_TIME.and(Flags::FAST), NO_KEYS, connection::echo, "connection", "Returns its argument."),
    row("hello", -1, SESSION_FAST, NO_KEYS, connection::hello, "connection", "Agrees on the protocol's version."),
    row("ping", -1, Flags::FAST.and(Flags::WHILE_SUBSCRIBED), NO_KEYS, connection::ping, "connection", "Answers, to show that the server lives."),
    row("quit", -1, SESSION_FAST.and(Flags::WHILE_SUBSCRIBED), NO_KEYS, connection::quit, "connection", "Closes the connection."),
    row("reset", 1, SESSION_FAST.and(Flags::WHILE_SUBSCRIBED), NO_KEYS, connection::reset, "connection", "Makes the connection as good as new."),
    row("select", 2, ANY_TIME.and(Flags::FAST), NO_KEYS, connection::select, "connection", "Chooses the database; there is only 0."),

    container(row("command", -1, ANY_TIME, NO_KEYS, introspection::command, "server", "Describes the commands."), introspection::SUBCOMMANDS),
    container(row("config", -2, Flags::NONE, NO_KEYS, server::container, "server", "Commands about parameters."), server::CONFIG),
    row("dbsize", 1, READ_FAST, NO_KEYS, server::dbsize, "server", "Counts the keys."),
    row("flushall", -1, WRITE, NO_KEYS, server::flush, "server", "Deletes all keys."),
    row("flushdb", -1, WRITE, NO_KEYS, server::flush, "server", "Deletes all keys."),
    row("info", -1, ANY_TIME, NO_KEYS, server::info, "server", "Returns figures about the server."),
    row("shutdown", -1, ADMIN, NO_KEYS, server::shutdown, "server", "Stops the server."),
];

/// A row for a subcommand; its module lists it.
pub(super) const fn subcommand(
    name: &'static str,
    arity: i8,
    admin: bool,
    run: fn(&mut Call<'_>) -> Done,
    group: &'static str,
    summary: &'static str,
) -> Command {
    row(name, arity, if admin { ADMIN } else { SESSION }, NO_KEYS, run, group, summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_in_any_case_and_nothing_else_is() {
        for command in COMMANDS {
            let found = |name: &str| find(name.as_bytes()).map(|command| command.name);
            assert_eq!(found(command.name), Some(command.name));
            assert_eq!(found(&command.name.to_uppercase()), Some(command.name));
            assert_eq!(found(&format!("{}x", command.name)), None);
        }
        for name in ["", "\0", "get\0", "a name that is longer than any", "sixteen letters!"] {
            assert!(find(name.as_bytes()).is_none(), "{name}");
        }
    }
}
