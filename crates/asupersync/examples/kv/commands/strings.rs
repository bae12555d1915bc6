//! Commands on strings.

use super::super::resp::encode;
use super::super::resp::number::parse_i64;
use super::super::store::{Expiry, IncrementError, Text, Value, WrongType};
use super::refusal::{self, NOT_INTEGER, Refusal, SYNTAX};
use super::{Call, Done, Effect};

/// The string of a key; none if it isn't there.
#[inline]
fn text<'a>(value: Option<&'a Value>) -> Result<Option<Text<'a>>, WrongType> {
    value.map(|value| value.text().ok_or(WrongType)).transpose()
}

#[inline]
fn encode_text(out: &mut Vec<u8>, text: Option<Text<'_>>) {
    match text {
        Some(Text::Bytes(bytes)) => encode::bulk(out, bytes),
        Some(Text::Integer(number)) => encode::bulk_integer(out, number),
        None => encode::nil(out),
    }
}

/// GET key.
pub(super) fn get(call: &mut Call<'_>) -> Done {
    let found = text(call.store.read(call.args.at(1), call.now))?;
    encode_text(call.out, found);
    Ok(Effect::None)
}

/// GETDEL key.
pub(super) fn getdel(call: &mut Call<'_>) -> Done {
    get(call)?;
    call.store.remove(call.key(), call.now);
    Ok(Effect::None)
}

/// STRLEN key.
pub(super) fn strlen(call: &mut Call<'_>) -> Done {
    let found = text(call.store.read(call.args.at(1), call.now))?;
    let len = found.map_or(0, Text::len);
    call.count(len)
}

/// MGET key ...: a key with another kind of value counts as missing.
pub(super) fn mget(call: &mut Call<'_>) -> Done {
    let start = call.out.len();
    encode::array(call.out, call.args.len() - 1);
    for key in call.args.tail(1) {
        let found = text(call.store.read(key, call.now)).unwrap_or_default();
        encode_text(call.out, found);
        call.bounded(start)?;
    }
    Ok(Effect::None)
}

/// When SET sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Missing,
    Present,
}

/// SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL].
pub(super) fn set(call: &mut Call<'_>) -> Done {
    let (key, value) = (call.args.at(1), call.args.at(2));
    if call.args.len() == 3 {
        call.store.set(key, value, Expiry::Clear, call.now);
        return call.ok();
    }
    let mut when = When::Always;
    let mut expiry = None;
    let mut return_old = false;
    let mut options = call.args.tail(3);
    while let Some(option) = options.next() {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        if is("nx") && when != When::Present {
            when = When::Missing;
        } else if is("xx") && when != When::Missing {
            when = When::Present;
        } else if is("get") {
            return_old = true;
        } else if is("keepttl") && matches!(expiry, None | Some(SetExpiry::Keep)) {
            expiry = Some(SetExpiry::Keep);
        } else {
            let unit = Unit::of_option(option).ok_or(SYNTAX)?;
            // As in Redis, the same option may come again, and then the last one counts.
            match &expiry {
                None => {}
                Some(SetExpiry::At(earlier, _)) if *earlier == unit => {}
                Some(_) => return Err(SYNTAX),
            }
            expiry = Some(SetExpiry::At(unit, options.next().ok_or(SYNTAX)?));
        }
    }
    let expiry = match expiry {
        None => Expiry::Clear,
        Some(SetExpiry::Keep) => Expiry::Keep,
        Some(SetExpiry::At(unit, time)) => Expiry::At(deadline(unit, time, call.now, "set")?),
    };
    if return_old {
        get(call)?;
    }
    let allowed = match when {
        When::Always => true,
        When::Missing => !call.store.exists(key, call.now),
        When::Present => call.store.exists(key, call.now),
    };
    if allowed {
        call.store.set(key, value, expiry, call.now);
    }
    match (return_old, allowed) {
        (true, _) => Ok(Effect::None),
        (false, true) => call.ok(),
        (false, false) => {
            encode::nil(call.out);
            Ok(Effect::None)
        }
    }
}

/// What SET was told about expiry, not yet checked.
enum SetExpiry<'a> {
    Keep,
    At(Unit, &'a [u8]),
}

/// How a time is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Unit {
    milliseconds: i64,
    /// Since the Unix epoch, else since now.
    absolute: bool,
}

impl Unit {
    const SECONDS: Unit = Unit { milliseconds: 1000, absolute: false };
    const MILLISECONDS: Unit = Unit { milliseconds: 1, absolute: false };

    fn of_option(option: &[u8]) -> Option<Unit> {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        let milliseconds = if is("ex") || is("exat") {
            1000
        } else if is("px") || is("pxat") {
            1
        } else {
            return None;
        };
        Some(Unit { milliseconds, absolute: option.len() == 4 })
    }
}

/// Reads a positive time as a deadline.
fn deadline(unit: Unit, time: &[u8], now: u64, command: &str) -> Result<u64, Refusal> {
    let time = parse_i64(time).ok_or(NOT_INTEGER)?;
    let base = if unit.absolute { 0 } else { i64::try_from(now).unwrap_or(i64::MAX) };
    let deadline = time.checked_mul(unit.milliseconds).and_then(|time| time.checked_add(base));
    match deadline {
        Some(deadline) if time > 0 => Ok(deadline.unsigned_abs()),
        _ => Err(refusal::invalid_expire_time(command)),
    }
}

/// SETEX key seconds value.
pub(super) fn setex(call: &mut Call<'_>) -> Done {
    set_for(call, Unit::SECONDS, "setex")
}

/// PSETEX key milliseconds value.
pub(super) fn psetex(call: &mut Call<'_>) -> Done {
    set_for(call, Unit::MILLISECONDS, "psetex")
}

fn set_for(call: &mut Call<'_>, unit: Unit, command: &str) -> Done {
    let deadline = deadline(unit, call.args.at(2), call.now, command)?;
    call.store.set(call.key(), call.args.at(3), Expiry::At(deadline), call.now);
    call.ok()
}

/// SETNX key value.
pub(super) fn setnx(call: &mut Call<'_>) -> Done {
    let missing = !call.store.exists(call.key(), call.now);
    if missing {
        call.store.set(call.key(), call.args.at(2), Expiry::Clear, call.now);
    }
    call.count(usize::from(missing))
}

/// MSET key value ...
pub(super) fn mset(call: &mut Call<'_>) -> Done {
    if call.args.len().is_multiple_of(2) {
        return Err(Refusal::Arity);
    }
    let mut words = call.args.tail(1);
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        call.store.set(key, value, Expiry::Clear, call.now);
    }
    call.ok()
}

/// INCR key.
pub(super) fn incr(call: &mut Call<'_>) -> Done {
    increase(call, 1)
}

/// DECR key.
pub(super) fn decr(call: &mut Call<'_>) -> Done {
    increase(call, -1)
}

/// INCRBY key number.
pub(super) fn incrby(call: &mut Call<'_>) -> Done {
    let by = parse_i64(call.args.at(2)).ok_or(NOT_INTEGER)?;
    increase(call, by)
}

/// DECRBY key number.
pub(super) fn decrby(call: &mut Call<'_>) -> Done {
    let by = parse_i64(call.args.at(2)).ok_or(NOT_INTEGER)?;
    increase(call, by.checked_neg().ok_or(Refusal::Text("ERR decrement would overflow"))?)
}

#[inline]
fn increase(call: &mut Call<'_>, by: i64) -> Done {
    let sum = call.store.increment(call.key(), by, call.now).map_err(|error| match error {
        IncrementError::WrongType => WrongType.into(),
        IncrementError::NotInteger => NOT_INTEGER,
        IncrementError::Overflow => Refusal::Text("ERR increment or decrement would overflow"),
    })?;
    encode::integer(call.out, sum);
    Ok(Effect::None)
}

/// APPEND key more.
pub(super) fn append(call: &mut Call<'_>) -> Done {
    let (key, more) = (call.args.at(1), call.args.at(2));
    // Not counted as a read: only the length that would result is looked at.
    let old = text(call.store.peek(key, call.now))?;
    let len = old.map_or(0, Text::len) + more.len();
    if len > call.host.limits().max_bulk {
        return Err(Refusal::Text("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    call.store.append(key, more, call.now)?;
    call.count(len)
}
