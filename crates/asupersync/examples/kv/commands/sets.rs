//! Commands on sets.

use super::super::resp::encode;
use super::super::store::Set;
use super::{Call, Done, Effect};

/// SADD key member ...
pub(super) fn sadd(call: &mut Call<'_>) -> Done {
    let members = call.args.tail(2);
    let added = call
        .store
        .upsert(call.key(), call.now, |set: &mut Set| members.filter(|member| set.add(member)).count())?;
    call.count(added)
}

/// SREM key member ...
pub(super) fn srem(call: &mut Call<'_>) -> Done {
    let members = call.args.tail(2);
    let removed = call
        .store
        .modify(call.key(), call.now, |set: &mut Set| members.filter(|member| set.remove(member)).count())?;
    call.count(removed.unwrap_or(0))
}

/// SCARD key.
pub(super) fn scard(call: &mut Call<'_>) -> Done {
    let len = call.store.read_kind::<Set>(call.key(), call.now)?.map_or(0, Set::len);
    call.count(len)
}

/// SISMEMBER key member.
pub(super) fn sismember(call: &mut Call<'_>) -> Done {
    let set = call.store.read_kind::<Set>(call.args.at(1), call.now)?;
    let found = set.is_some_and(|set| set.contains(call.args.at(2)));
    call.count(usize::from(found))
}

/// SMEMBERS key.
pub(super) fn smembers(call: &mut Call<'_>) -> Done {
    let set = call.store.read_kind::<Set>(call.args.at(1), call.now)?;
    encode::array(call.out, set.map_or(0, Set::len));
    for member in set.into_iter().flat_map(Set::iter) {
        encode::bulk(call.out, member);
    }
    Ok(Effect::None)
}
