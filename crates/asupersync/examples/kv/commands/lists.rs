//! Commands on lists.

use super::super::resp::encode;
use super::super::resp::number::parse_i64;
use super::super::store::{End, List};
use super::refusal::{NOT_INTEGER, NOT_POSITIVE, Refusal};
use super::{Call, Done, Effect};
use std::ops::Range;

/// LPUSH key element ...
pub(super) fn lpush(call: &mut Call<'_>) -> Done {
    push(call, End::Left)
}

/// RPUSH key element ...
pub(super) fn rpush(call: &mut Call<'_>) -> Done {
    push(call, End::Right)
}

fn push(call: &mut Call<'_>, end: End) -> Done {
    let elements = call.args.tail(2);
    let len = call.store.upsert(call.key(), call.now, |list: &mut List| {
        for element in elements {
            list.push(end, element);
        }
        list.len()
    })?;
    call.count(len)
}

/// LPOP key [count].
pub(super) fn lpop(call: &mut Call<'_>) -> Done {
    pop(call, End::Left)
}

/// RPOP key [count].
pub(super) fn rpop(call: &mut Call<'_>) -> Done {
    pop(call, End::Right)
}

/// Without a count the answer is an element or nil, with one an array or the missing array.
fn pop(call: &mut Call<'_>, end: End) -> Done {
    if call.args.len() > 3 {
        return Err(Refusal::Arity);
    }
    let Some(count) = call.args.get(2) else {
        let popped = call.store.modify(call.key(), call.now, |list: &mut List| list.pop(end))?;
        match popped.flatten() {
            Some(element) => encode::bulk(call.out, &element),
            None => encode::nil(call.out),
        }
        return Ok(Effect::None);
    };
    let count = parse_i64(count).and_then(|count| usize::try_from(count).ok()).ok_or(NOT_POSITIVE)?;
    let out = &mut *call.out;
    let popped = call.store.modify(call.args.at(1), call.now, |list: &mut List| {
        let count = count.min(list.len());
        encode::array(out, count);
        for _ in 0..count {
            if let Some(element) = list.pop(end) {
                encode::bulk(out, &element);
            }
        }
    })?;
    if popped.is_none() {
        encode::nil_array(call.out);
    }
    Ok(Effect::None)
}

/// LLEN key.
pub(super) fn llen(call: &mut Call<'_>) -> Done {
    let len = call.store.read_kind::<List>(call.key(), call.now)?.map_or(0, List::len);
    call.count(len)
}

/// LRANGE key start stop.
pub(super) fn lrange(call: &mut Call<'_>) -> Done {
    let start = parse_i64(call.args.at(2)).ok_or(NOT_INTEGER)?;
    let stop = parse_i64(call.args.at(3)).ok_or(NOT_INTEGER)?;
    let list = call.store.read_kind::<List>(call.args.at(1), call.now)?;
    let Some(list) = list else {
        encode::array(call.out, 0);
        return Ok(Effect::None);
    };
    let elements = list.range(positions(start, stop, list.len()));
    encode::array(call.out, elements.len());
    for element in elements {
        encode::bulk(call.out, element);
    }
    Ok(Effect::None)
}

/// The positions from `start` to `stop` inclusive of a sequence of `len`; negative ones count from
/// the end, those outside are cut off.
pub(super) fn positions(start: i64, stop: i64, len: usize) -> Range<usize> {
    let from_front = |position: i64| {
        let len = len as i64;
        if position < 0 { position.saturating_add(len) } else { position }
    };
    let start = usize::try_from(from_front(start)).unwrap_or(0);
    let end = usize::try_from(from_front(stop).saturating_add(1)).unwrap_or(0).min(len);
    if start < end { start..end } else { 0..0 }
}
