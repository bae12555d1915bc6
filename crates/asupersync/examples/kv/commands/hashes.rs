//! Commands on hashes.

use super::super::resp::encode;
use super::super::store::Hash;
use super::refusal::Refusal;
use super::{Call, Done, Effect};

/// HSET key field value ...
pub(super) fn hset(call: &mut Call<'_>) -> Done {
    if !call.args.len().is_multiple_of(2) {
        return Err(Refusal::Arity);
    }
    let mut words = call.args.tail(2);
    let added = call.store.upsert(call.key(), call.now, |hash: &mut Hash| {
        let mut added = 0;
        while let (Some(field), Some(value)) = (words.next(), words.next()) {
            added += usize::from(hash.set(field, value));
        }
        added
    })?;
    call.count(added)
}

/// HGET key field.
pub(super) fn hget(call: &mut Call<'_>) -> Done {
    let hash = call.store.read_kind::<Hash>(call.args.at(1), call.now)?;
    match hash.and_then(|hash| hash.get(call.args.at(2))) {
        Some(value) => encode::bulk(call.out, value),
        None => encode::nil(call.out),
    }
    Ok(Effect::None)
}

/// HEXISTS key field.
pub(super) fn hexists(call: &mut Call<'_>) -> Done {
    let hash = call.store.read_kind::<Hash>(call.args.at(1), call.now)?;
    let found = hash.is_some_and(|hash| hash.get(call.args.at(2)).is_some());
    call.count(usize::from(found))
}

/// HLEN key.
pub(super) fn hlen(call: &mut Call<'_>) -> Done {
    let len = call.store.read_kind::<Hash>(call.key(), call.now)?.map_or(0, Hash::len);
    call.count(len)
}

/// HGETALL key.
pub(super) fn hgetall(call: &mut Call<'_>) -> Done {
    let hash = call.store.read_kind::<Hash>(call.args.at(1), call.now)?;
    encode::array(call.out, hash.map_or(0, |hash| 2 * hash.len()));
    for (field, value) in hash.into_iter().flat_map(Hash::iter) {
        encode::bulk(call.out, field);
        encode::bulk(call.out, value);
    }
    Ok(Effect::None)
}

/// HDEL key field ...
pub(super) fn hdel(call: &mut Call<'_>) -> Done {
    let fields = call.args.tail(2);
    let removed = call
        .store
        .modify(call.key(), call.now, |hash: &mut Hash| fields.filter(|field| hash.remove(field)).count())?;
    call.count(removed.unwrap_or(0))
}
