//! Commands on keys of any type: deleting, expiring, listing.

use super::super::glob::{self, Case};
use super::super::resp::encode;
use super::super::resp::number::parse_i64;
use super::super::store::{Deadline, Value};
use super::refusal::{self, NOT_INTEGER, Refusal, SYNTAX};
use super::{Call, Done, Effect};

/// DEL key ... and UNLINK key ...
pub(super) fn del(call: &mut Call<'_>) -> Done {
    let removed = call.args.tail(1).filter(|key| call.store.remove(key, call.now)).count();
    call.count(removed)
}

/// EXISTS key ...: a key named twice counts twice.
pub(super) fn exists(call: &mut Call<'_>) -> Done {
    let found = call.args.tail(1).filter(|key| call.store.read(key, call.now).is_some()).count();
    call.count(found)
}

/// TYPE key.
pub(super) fn type_of(call: &mut Call<'_>) -> Done {
    let name = call.store.peek(call.args.at(1), call.now).map_or("none", Value::type_name);
    encode::simple(call.out, name);
    Ok(Effect::None)
}

/// EXPIRE key seconds [NX | XX | GT | LT].
pub(super) fn expire(call: &mut Call<'_>) -> Done {
    let base = call.now;
    expire_at(call, 1000, base, "expire")
}

/// PEXPIRE key milliseconds [NX | XX | GT | LT].
pub(super) fn pexpire(call: &mut Call<'_>) -> Done {
    let base = call.now;
    expire_at(call, 1, base, "pexpire")
}

/// EXPIREAT key Unix-seconds [NX | XX | GT | LT].
pub(super) fn expireat(call: &mut Call<'_>) -> Done {
    expire_at(call, 1000, 0, "expireat")
}

/// PEXPIREAT key Unix-milliseconds [NX | XX | GT | LT].
pub(super) fn pexpireat(call: &mut Call<'_>) -> Done {
    expire_at(call, 1, 0, "pexpireat")
}

/// Conditions on the deadline that a key has.
#[derive(Default)]
struct Conditions {
    none: bool,
    some: bool,
    greater: bool,
    less: bool,
}

impl Conditions {
    fn parse<'a>(options: impl Iterator<Item = &'a [u8]>) -> Result<Conditions, Refusal> {
        let mut given = Conditions::default();
        for option in options {
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            let field = if is("nx") {
                &mut given.none
            } else if is("xx") {
                &mut given.some
            } else if is("gt") {
                &mut given.greater
            } else if is("lt") {
                &mut given.less
            } else {
                return Err(Refusal::quoting("ERR Unsupported option ", option, ""));
            };
            *field = true;
        }
        if given.none && (given.some || given.greater || given.less) {
            let text = "ERR NX and XX, GT or LT options at the same time are not compatible";
            return Err(Refusal::Text(text));
        }
        if given.greater && given.less {
            return Err(Refusal::Text("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(given)
    }

    /// A key without a deadline compares as if its deadline were infinitely far.
    fn allow(&self, old: Deadline, new: i64) -> bool {
        let old = if let Deadline::At(at) = old { i64::try_from(at).ok() } else { None };
        !(self.none && old.is_some()
            || self.some && old.is_none()
            || self.greater && old.is_none_or(|old| new <= old)
            || self.less && old.is_some_and(|old| new >= old))
    }
}

fn expire_at(call: &mut Call<'_>, unit: i64, base: u64, command: &str) -> Done {
    let conditions = Conditions::parse(call.args.tail(3))?;
    let time = parse_i64(call.args.at(2)).ok_or(NOT_INTEGER)?;
    let base = i64::try_from(base).unwrap_or(i64::MAX);
    let deadline = time
        .checked_mul(unit)
        .and_then(|time| time.checked_add(base))
        .ok_or_else(|| refusal::invalid_expire_time(command))?;
    let old = call.store.deadline(call.key(), call.now);
    let allowed = old.is_some_and(|old| conditions.allow(old, deadline));
    if allowed {
        // A time before the epoch is in the past like any other.
        let deadline = Deadline::At(u64::try_from(deadline).unwrap_or(0));
        call.store.set_deadline(call.key(), deadline, call.now);
    }
    call.count(usize::from(allowed))
}

/// TTL key, rounded to the nearest second.
pub(super) fn ttl(call: &mut Call<'_>) -> Done {
    remaining(call, |milliseconds| (milliseconds + 500) / 1000)
}

/// PTTL key.
pub(super) fn pttl(call: &mut Call<'_>) -> Done {
    remaining(call, |milliseconds| milliseconds)
}

fn remaining(call: &mut Call<'_>, unit: impl FnOnce(u64) -> u64) -> Done {
    let left = match call.store.deadline(call.key(), call.now) {
        None => -2,
        Some(Deadline::Never) => -1,
        Some(Deadline::At(at)) => unit(at - call.now) as i64,
    };
    encode::integer(call.out, left);
    Ok(Effect::None)
}

/// PERSIST key.
pub(super) fn persist(call: &mut Call<'_>) -> Done {
    let expires = matches!(call.store.deadline(call.key(), call.now), Some(Deadline::At(_)));
    if expires {
        call.store.set_deadline(call.key(), Deadline::Never, call.now);
    }
    call.count(usize::from(expires))
}

/// A pattern that is not too long.
fn pattern<'a>(call: &Call<'_>, text: &'a [u8]) -> Result<&'a [u8], Refusal> {
    if text.len() > call.host.limits().max_pattern { Err(refusal::PATTERN_TOO_LONG) } else { Ok(text) }
}

/// KEYS pattern. O(keys); SCAN is the one that doesn't hold others up.
pub(super) fn keys(call: &mut Call<'_>) -> Done {
    let pattern = pattern(call, call.args.at(1))?;
    let mut found = Vec::new();
    let mut count = 0;
    for (key, _) in call.store.iter(call.now) {
        if glob::matches(pattern, key, Case::Exact) {
            encode::bulk(&mut found, key);
            count += 1;
        }
    }
    encode::array(call.out, count);
    call.out.extend_from_slice(&found);
    Ok(Effect::None)
}

/// Reads a cursor as C's `strtoul` does: a zero byte ends it, a negative one wraps around, which is the end.
fn cursor(text: &[u8]) -> Option<u64> {
    match text.split(|&byte| byte == 0).next().unwrap_or_default() {
        [] => Some(0),
        [b'-', b'+', ..] => None,
        [b'-', rest @ ..] => Some(cursor_magnitude(rest)?.wrapping_neg()),
        text => cursor_magnitude(text),
    }
}

fn cursor_magnitude(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type].
pub(super) fn scan(call: &mut Call<'_>) -> Done {
    let cursor = cursor(call.args.at(1)).ok_or(Refusal::Text("ERR invalid cursor"))?;
    let (mut wanted, mut kind, mut step) = (None, None, 10);
    let mut options = call.args.tail(2);
    while let Some(option) = options.next() {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        let value = options.next().ok_or(SYNTAX)?;
        if is("match") {
            wanted = Some(pattern(call, value)?);
        } else if is("type") {
            kind = Some(value);
        } else if is("count") {
            let count = parse_i64(value).ok_or(NOT_INTEGER)?;
            if count < 1 {
                return Err(SYNTAX);
            }
            step = usize::try_from(count).unwrap_or(usize::MAX);
        } else {
            return Err(SYNTAX);
        }
    }
    let mut found = Vec::new();
    let mut count = 0;
    let next = call.store.scan(cursor, step, call.now, |key, value| {
        let matching = wanted.is_none_or(|pattern| glob::matches(pattern, key, Case::Exact))
            && kind.is_none_or(|kind| kind.eq_ignore_ascii_case(value.type_name().as_bytes()));
        if matching {
            encode::bulk(&mut found, key);
            count += 1;
        }
    });
    encode::array(call.out, 2);
    encode::bulk(call.out, next.to_string().as_bytes());
    encode::array(call.out, count);
    call.out.extend_from_slice(&found);
    Ok(Effect::None)
}
