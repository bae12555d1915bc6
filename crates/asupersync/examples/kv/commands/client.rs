//! CLIENT: the connection's number and name, and the list of all clients.

use super::super::resp::encode;
use super::super::resp::number::parse_i64;
use super::refusal::{Refusal, SYNTAX};
use super::session::Replies;
use super::table::{Command, subcommand};
use super::{Call, ClientInfo, Done, Effect, introspection};
use std::collections::BTreeSet;
use std::io::Write;

/// The rows of the table.
#[rustfmt::skip]
pub(super) static SUBCOMMANDS: &[Command] = &[
    subcommand("client|getname", 2, false, getname, "connection", "Returns the connection's name."),
    subcommand("client|help", 2, false, introspection::help, "connection", "Lists the subcommands."),
    subcommand("client|id", 2, false, id, "connection", "Returns the connection's number."),
    subcommand("client|info", 2, false, info, "connection", "Describes the connection."),
    subcommand("client|list", -2, true, list, "connection", "Describes all connections."),
    subcommand("client|no-evict", 3, true, no_evict, "connection", "Accepted for compatibility: no client is evicted."),
    subcommand("client|reply", 3, false, reply, "connection", "Chooses which requests are answered."),
    subcommand("client|setinfo", 4, false, setinfo, "connection", "Records the client library's name or version."),
    subcommand("client|setname", 3, false, setname, "connection", "Names the connection."),
];

/// CLIENT alone: its arity refuses it before.
pub(super) fn container(_call: &mut Call<'_>) -> Done {
    Err(Refusal::Arity)
}

fn id(call: &mut Call<'_>) -> Done {
    encode::integer(call.out, call.session.id as i64);
    Ok(Effect::None)
}

fn getname(call: &mut Call<'_>) -> Done {
    if call.session.name.is_empty() {
        encode::nil(call.out);
    } else {
        encode::bulk(call.out, &call.session.name);
    }
    Ok(Effect::None)
}

fn setname(call: &mut Call<'_>) -> Done {
    let name = call.args.at(2);
    check_word("Client names", name)?;
    call.session.name = name.to_vec();
    call.ok()?;
    Ok(Effect::Renamed)
}

fn setinfo(call: &mut Call<'_>) -> Done {
    let (option, value) = (call.args.at(2), call.args.at(3));
    let session = &mut *call.session;
    let (field, shown) = if option.eq_ignore_ascii_case(b"lib-name") {
        (&mut session.library_name, "lib-name")
    } else if option.eq_ignore_ascii_case(b"lib-ver") {
        (&mut session.library_version, "lib-ver")
    } else {
        return Err(Refusal::quoting("ERR Unrecognized option '", option, "'"));
    };
    check_word(shown, value)?;
    *field = value.to_vec();
    call.ok()
}

fn no_evict(call: &mut Call<'_>) -> Done {
    let mode = call.args.at(2);
    if mode.eq_ignore_ascii_case(b"on") || mode.eq_ignore_ascii_case(b"off") {
        call.ok()
    } else {
        Err(SYNTAX)
    }
}

/// CLIENT REPLY ON|OFF|SKIP. Only ON is answered.
fn reply(call: &mut Call<'_>) -> Done {
    let mode = call.args.at(2);
    let replies = &mut call.session.replies;
    if mode.eq_ignore_ascii_case(b"on") {
        *replies = Replies::All;
        return call.ok();
    }
    if mode.eq_ignore_ascii_case(b"off") {
        *replies = Replies::None;
    } else if !mode.eq_ignore_ascii_case(b"skip") {
        return Err(SYNTAX);
    } else if *replies != Replies::None {
        *replies = Replies::AllButThisAndNext;
    }
    Ok(Effect::None)
}

fn info(call: &mut Call<'_>) -> Done {
    let own = call.session.id;
    let mut text = Vec::new();
    for client in call.host.clients().into_iter().filter(|client| client.id == own) {
        describe(&client, call, &mut text);
    }
    encode::bulk(call.out, &text);
    Ok(Effect::None)
}

/// CLIENT LIST [TYPE normal|master|replica|pubsub] [ID id ...].
fn list(call: &mut Call<'_>) -> Done {
    let mut clients = call.host.clients();
    match call.args.get(2) {
        None => {}
        Some(option) if option.eq_ignore_ascii_case(b"type") && call.args.len() == 4 => {
            let kind = call.args.at(3);
            let is = |name: &str| kind.eq_ignore_ascii_case(name.as_bytes());
            if is("master") || is("replica") || is("slave") {
                clients.clear();
            } else if is("normal") || is("pubsub") {
                clients.retain(|client| (client.subscriptions > 0) == is("pubsub"));
            } else {
                return Err(Refusal::quoting("ERR Unknown client type '", kind, "'"));
            }
        }
        Some(option) if option.eq_ignore_ascii_case(b"id") && call.args.len() > 3 => {
            // Sorted: a request may name a million, and nobody else is served meanwhile.
            let mut wanted = BTreeSet::new();
            for id in call.args.tail(3) {
                wanted.insert(parse_i64(id).ok_or(Refusal::Text("ERR Invalid client ID"))?);
            }
            clients.retain(|client| i64::try_from(client.id).is_ok_and(|id| wanted.contains(&id)));
        }
        Some(_) => return Err(SYNTAX),
    }
    let mut text = Vec::new();
    for client in &clients {
        describe(client, call, &mut text);
    }
    encode::bulk(call.out, &text);
    Ok(Effect::None)
}

/// Writes a client's line. What this session knows of itself is newer than the server's copy.
fn describe(client: &ClientInfo, call: &Call<'_>, text: &mut Vec<u8>) {
    let own = client.id == call.session.id;
    let subscriptions = if own { call.session.channels.len() } else { client.subscriptions };
    let command = if own { call.session.last_command } else { client.last_command };
    let name = if own { &call.session.name } else { &client.name };
    let flags = if subscriptions > 0 { "P" } else { "N" };
    let ClientInfo { id, address, local_address, age_seconds, idle_seconds, .. } = client;
    let ClientInfo { query_buffer, output_buffer, .. } = client;
    // Writing to a vector doesn't fail.
    let _ = write!(text, "id={id} addr={address} laddr={local_address} fd=-1 name=");
    text.extend_from_slice(name);
    let _ = write!(
        text,
        " age={age_seconds} idle={idle_seconds} flags={flags} db=0 sub={subscriptions} psub=0 ssub=0 \
         multi=-1 qbuf={query_buffer} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 \
         omem={output_buffer} tot-mem={} events=r cmd={command} user=default redir=-1 resp=2",
        query_buffer + output_buffer,
    );
    if own && !(call.session.library_name.is_empty() && call.session.library_version.is_empty()) {
        text.extend_from_slice(b" lib-name=");
        text.extend_from_slice(&call.session.library_name);
        text.extend_from_slice(b" lib-ver=");
        text.extend_from_slice(&call.session.library_version);
    }
    text.push(b'\n');
}

/// Bytes of a name: each client has some, they are kept for as long as it is connected, and CLIENT LIST repeats
/// them all in one reply. Redis has no such limit.
const LONGEST_NAME: usize = 256;

/// Refuses a word, which is called `what`, that would break its line of CLIENT LIST, or is too long for it.
pub(super) fn check_word(what: &str, word: &[u8]) -> Result<(), Refusal> {
    let why = if word.len() > LONGEST_NAME {
        format!("ERR {what} cannot be longer than {LONGEST_NAME} bytes.")
    } else if !word.iter().all(u8::is_ascii_graphic) {
        format!("ERR {what} cannot contain spaces, newlines or special characters.")
    } else {
        return Ok(());
    };
    Err(Refusal::Words(why.into_bytes()))
}
