//! Tests of the keyspace: expiry, accounting and SCAN's promise.

use super::*;

/// Everything counted is what a recount finds (`store.weighed`, `store.deadlines`).
fn check(store: &Store) {
    let mut weight = 0;
    let mut expiring = 0;
    for (key, item) in store.table.iter() {
        weight += key.len() + item.value.weight() + ENTRY;
        if item.deadline != NEVER {
            weight += DEADLINE;
            expiring += 1;
            let slot = store.table.find(key).expect("listed keys are found");
            assert!(store.deadlines.contains(&(item.deadline, slot)));
        }
    }
    assert_eq!((store.used_memory(), store.expiring()), (weight, expiring));
}

fn set(store: &mut Store, key: &str, deadline: u64) {
    store.set(key.as_bytes(), b"value", Expiry::At(deadline), 0);
}

#[test]
fn a_key_is_gone_at_its_deadline_and_not_before() {
    let mut store = Store::new(1);
    set(&mut store, "k", 100);
    assert!(store.exists(b"k", 99));
    assert_eq!(store.len(), 1);
    assert!(!store.exists(b"k", 100));
    assert_eq!((store.len(), store.stats.expired), (0, 1));
    check(&store);
}

#[test]
fn due_keys_are_removed_in_order_and_in_bounded_steps() {
    let mut store = Store::new(1);
    for i in 0..10 {
        set(&mut store, &format!("k{i}"), 100 + i);
    }
    store.set(b"stays", b"value", Expiry::Clear, 0);
    assert_eq!(store.next_deadline(), Some(100));
    assert_eq!(store.expire_due(99, 100), 0);
    assert_eq!(store.expire_due(104, 3), 3);
    assert_eq!(store.expire_due(104, 3), 2);
    assert_eq!(store.next_deadline(), Some(105));
    check(&store);
    assert_eq!(store.expire_due(u64::MAX - 1, 100), 5);
    assert_eq!((store.next_deadline(), store.len()), (None, 1));
    check(&store);
}

#[test]
fn setting_again_clears_keeps_or_moves_the_deadline() {
    let mut store = Store::new(1);
    set(&mut store, "k", 100);
    store.set(b"k", b"other", Expiry::Keep, 0);
    assert_eq!(store.deadline(b"k", 0), Some(Deadline::At(100)));
    store.set(b"k", b"12", Expiry::At(200), 0);
    assert_eq!((store.next_deadline(), store.expiring()), (Some(200), 1));
    assert_eq!(store.increment(b"k", 1, 0), Ok(13));
    assert_eq!(store.deadline(b"k", 0), Some(Deadline::At(200)));
    store.set(b"k", b"x", Expiry::Clear, 0);
    assert_eq!((store.deadline(b"k", 0), store.expiring()), (Some(Deadline::Never), 0));
    assert!(store.set_deadline(b"k", Deadline::At(5), 5));
    assert_eq!(store.deadline(b"k", 5), None);
    check(&store);
}

#[test]
fn emptied_collections_leave_no_key_and_no_weight() {
    let mut store = Store::new(1);
    store.upsert(b"l", 0, |list: &mut List| list.push(End::Left, b"one")).expect("a list");
    store.upsert(b"h", 0, |hash: &mut Hash| hash.set(b"f", b"v")).expect("a hash");
    store.upsert(b"s", 0, |members: &mut Set| members.add(b"m")).expect("a set");
    store.upsert(b"z", 0, |sorted: &mut SortedSet| sorted.set(b"m", 1.0)).expect("a sorted set");
    store.upsert(b"none", 0, |_: &mut List| ()).expect("a list");
    assert_eq!(store.len(), 4);
    assert_eq!(store.upsert(b"l", 0, |_: &mut Set| ()), Err(WrongType));
    check(&store);
    store.modify(b"l", 0, |list: &mut List| list.pop(End::Right)).expect("a list");
    store.modify(b"h", 0, |hash: &mut Hash| hash.remove(b"f")).expect("a hash");
    store.modify(b"s", 0, |members: &mut Set| members.remove(b"m")).expect("a set");
    store.modify(b"z", 0, |sorted: &mut SortedSet| sorted.remove(b"m")).expect("a sorted set");
    assert_eq!((store.len(), store.used_memory()), (0, 0));
}

#[test]
fn accounting_survives_a_random_walk() {
    let mut store = Store::new(5);
    let mut state = 0x1234_5678_9abc_def1u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for now in 0..20_000u64 {
        let key = [b'k', random(200) as u8];
        let text = vec![b'a' + random(20) as u8; random(40) as usize];
        match random(12) {
            0 => store.set(&key, &text, Expiry::Clear, now),
            1 => store.set(&key, &text, Expiry::At(now + random(500)), now),
            2 => store.set(&key, b"12", Expiry::Keep, now),
            3 => drop(store.increment(&key, 7, now)),
            4 => drop(store.append(&key, &text, now)),
            5 => drop(store.remove(&key, now)),
            6 => drop(store.upsert(&key, now, |list: &mut List| list.push(End::Right, &text))),
            7 => drop(store.modify(&key, now, |list: &mut List| list.pop(End::Left))),
            8 => drop(store.upsert(&key, now, |hash: &mut Hash| hash.set(b"f", &text))),
            9 => drop(store.upsert(&key, now, |sorted: &mut SortedSet| sorted.set(&text, now as f64))),
            10 => drop(store.set_deadline(&key, Deadline::At(now + random(90)), now)),
            _ => drop(store.expire_due(now, 2)),
        }
        if now % 64 == 0 {
            check(&store);
        }
    }
    check(&store);
    store.clear();
    check(&store);
}

#[test]
fn a_full_scan_returns_every_lasting_key_once_while_others_come_and_go() {
    for count in [1, 3, 10, 1000] {
        let mut store = Store::new(9);
        for i in 0..500 {
            store.set(format!("passing{i}").as_bytes(), b"v", Expiry::Clear, 0);
            store.set(format!("lasting{i}").as_bytes(), b"v", Expiry::Clear, 0);
        }
        let mut seen = std::collections::BTreeMap::new();
        let (mut cursor, mut step) = (0, 0);
        loop {
            cursor = store.scan(cursor, count, 0, |key, _| *seen.entry(key.to_vec()).or_insert(0) += 1);
            if cursor == 0 {
                break;
            }
            store.remove(format!("passing{}", step * 7 % 500).as_bytes(), 0);
            // Enough new keys for the index to be rebuilt several times while scanning.
            if step < 3000 {
                store.set(format!("new{step}").as_bytes(), b"v", Expiry::Clear, 0);
            }
            step += 1;
        }
        for i in 0..500 {
            assert_eq!(seen.get(format!("lasting{i}").as_bytes()), Some(&1), "lasting{i}, COUNT {count}");
        }
    }
}

#[test]
fn one_scan_step_over_holes_is_bounded_and_strange_cursors_end() {
    let mut store = Store::new(9);
    for i in 0..5000 {
        store.set(format!("k{i}").as_bytes(), b"v", Expiry::Clear, 0);
    }
    for i in 0..4999 {
        store.remove(format!("k{i}").as_bytes(), 0);
    }
    let mut steps = 1;
    let mut cursor = store.scan(0, 10, 0, |_, _| {});
    while cursor != 0 {
        cursor = store.scan(cursor, 10, 0, |_, _| {});
        steps += 1;
    }
    assert_eq!(steps, 50);
    assert_eq!(store.scan(u64::MAX, usize::MAX, 0, |_, _| panic!("no key there")), 0);
}
