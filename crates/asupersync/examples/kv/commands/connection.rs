//! Commands about the connection itself: PING, ECHO, SELECT, HELLO, RESET, QUIT.

use super::super::resp::encode;
use super::super::resp::number::parse_i64;
use super::client::check_word;
use super::refusal::{NOT_INTEGER, Refusal};
use super::session::Replies;
use super::{Call, Done, Effect};

/// PING [message]. A subscriber gets an array, so that it can tell the answer from a message.
pub(super) fn ping(call: &mut Call<'_>) -> Done {
    if call.args.len() > 2 {
        return Err(Refusal::Arity);
    }
    let message = call.args.get(1);
    if call.session.is_subscribed() {
        encode::array(call.out, 2);
        encode::bulk(call.out, b"pong");
        encode::bulk(call.out, message.unwrap_or_default());
    } else if let Some(message) = message {
        encode::bulk(call.out, message);
    } else {
        call.out.extend_from_slice(b"+PONG\r\n");
    }
    Ok(Effect::None)
}

/// ECHO message.
pub(super) fn echo(call: &mut Call<'_>) -> Done {
    encode::bulk(call.out, call.key());
    Ok(Effect::None)
}

/// SELECT index.
pub(super) fn select(call: &mut Call<'_>) -> Done {
    match parse_i64(call.key()).map(i32::try_from) {
        Some(Ok(0)) => call.ok(),
        Some(Ok(_)) => Err(Refusal::Text("ERR DB index is out of range")),
        Some(Err(_)) => {
            Err(Refusal::Text("ERR value is out of range, value must between -2147483648 and 2147483647"))
        }
        None => Err(NOT_INTEGER),
    }
}

/// QUIT.
pub(super) fn quit(call: &mut Call<'_>) -> Done {
    call.ok()?;
    Ok(Effect::Close)
}

/// RESET: no name, no subscriptions, every request is answered. The effect names the channels left, if any.
pub(super) fn reset(call: &mut Call<'_>) -> Done {
    encode::simple(call.out, "RESET");
    let renamed = !call.session.name.is_empty();
    call.session.name.clear();
    call.session.replies = Replies::All;
    let left: Vec<Box<[u8]>> = std::iter::from_fn(|| call.session.part_first()).collect();
    Ok(if !left.is_empty() {
        // The server refreshes its copy of the name with every effect of the session.
        Effect::Unsubscribe(left)
    } else if renamed {
        Effect::Renamed
    } else {
        Effect::None
    })
}

/// HELLO [2 [AUTH user password] [SETNAME name]]. RESP3 is refused in the way that makes clients
/// fall back to RESP2.
pub(super) fn hello(call: &mut Call<'_>) -> Done {
    if let Some(version) = call.args.get(1) {
        let version = parse_i64(version)
            .ok_or(Refusal::Text("ERR Protocol version is not an integer or out of range"))?;
        if version != 2 {
            return Err(Refusal::Text("NOPROTO unsupported protocol version"));
        }
    }
    let mut name = None;
    let mut options = call.args.tail(2);
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"auth") && options.len() >= 2 {
            // As in a Redis without passwords, the default user gets in with any.
            let user = options.next();
            options.next();
            if user != Some(b"default") {
                return Err(Refusal::Text("WRONGPASS invalid username-password pair or user is disabled."));
            }
        } else if option.eq_ignore_ascii_case(b"setname")
            && let Some(wanted) = options.next()
        {
            check_word("Client names", wanted)?;
            name = Some(wanted);
        } else {
            return Err(Refusal::quoting("ERR Syntax error in HELLO option '", option, "'"));
        }
    }
    let (out, id) = (&mut *call.out, call.session.id);
    encode::array(out, 14);
    encode::bulk(out, b"server");
    encode::bulk(out, b"redis");
    encode::bulk(out, b"version");
    encode::bulk(out, super::server::REDIS_VERSION.as_bytes());
    encode::bulk(out, b"proto");
    encode::integer(out, 2);
    encode::bulk(out, b"id");
    encode::integer(out, id as i64);
    encode::bulk(out, b"mode");
    encode::bulk(out, b"standalone");
    encode::bulk(out, b"role");
    encode::bulk(out, b"master");
    encode::bulk(out, b"modules");
    encode::array(out, 0);
    let Some(name) = name else { return Ok(Effect::None) };
    call.session.name = name.to_vec();
    Ok(Effect::Renamed)
}
