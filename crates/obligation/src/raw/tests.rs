//! The ledger's rules, on real accounts.
// The race of permits and leaks needs real threads.
#![allow(clippy::disallowed_methods)]
use super::*;
use crate::{AlreadyLeaked, Settled, step};
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::boxed::Box;
use std::vec::Vec;
use types::{ObligationKind, TaskId};

static ZEROES: AtomicU32 = AtomicU32::new(0);
/// Keeps an account for ever, where a leak checker can see it.
fn kept(account: Account) -> &'static Account {
    static KEPT: std::sync::Mutex<Vec<&'static Account>> = std::sync::Mutex::new(Vec::new());
    let account: &'static Account = Box::leak(Box::new(account));
    KEPT.lock().unwrap_or_else(|e| e.into_inner()).push(account);
    account
}

fn account() -> &'static Account {
    fn zero(_: NonNull<Account>) {
        ZEROES.fetch_add(1, SeqCst);
    }
    kept(Account::new(zero))
}
fn open(account: &'static Account, from_body: bool) -> Obligation {
    try_open(account, from_body).expect("nobody settles")
}
#[track_caller]
fn try_open(account: &'static Account, from_body: bool) -> Option<Obligation> {
    let site = Location::caller();
    // SAFETY: the account is never freed.
    unsafe {
        Obligation::open(Outstanding {
            account,
            kind: ObligationKind::SendPermit,
            site,
            by: TaskId::from_u64(7),
            from_body,
        })
    }
}

#[test]
fn a_record_leaves_reserved_once() {
    let a = account();
    let o = open(a, false);
    assert_eq!(a.outstanding(), 1);
    assert_eq!(a.list().len(), 1);
    assert_eq!(o.commit(), Ok(()));
    drop(open(a, false));
    assert_eq!(a.outstanding(), 0);
    assert_eq!(step(Some(Settled::Aborted), Settled::Committed), None);
}

#[test]
fn a_commit_after_the_leak_is_told_so_and_counts_nothing() {
    let a = account();
    let o = open(a, false);
    // SAFETY: alive for ever.
    let leaked = unsafe { a.leak_all(|step| assert!(step().is_some())) };
    assert_eq!(leaked.len(), 1);
    assert_eq!(leaked[0].by, TaskId::from_u64(7));
    assert_eq!(a.outstanding(), 0);
    assert_eq!(o.commit(), Err(AlreadyLeaked));
    assert_eq!(a.outstanding(), 0);
}

#[test]
fn who_settles_apart_says_so_before_the_account_hears_of_it() {
    let a = account();
    let o = open(a, false);
    let left = o.settle(Settled::Committed).expect("nobody leaked it");
    assert_eq!(a.outstanding(), 1, "the owner still waits");
    // SAFETY: alive for ever.
    let leaked = unsafe { a.leak_all(|_| unreachable!("it is settled all the same")) };
    assert!(leaked.is_empty());
    drop(left);
    assert_eq!(a.outstanding(), 0);
}

#[test]
fn what_a_body_reserved_moves_and_what_a_task_reserved_stays() {
    let (inner, outer) = (account(), account());
    let (mine, other) = (open(inner, true), open(inner, false));
    // SAFETY: alive for ever.
    unsafe { inner.move_body_obligations(outer, |step| assert_eq!(step(), Some(mine.id()))) };
    assert_eq!((inner.outstanding(), outer.outstanding()), (1, 1));
    assert_eq!(mine.commit(), Ok(()));
    assert_eq!((inner.outstanding(), outer.outstanding()), (1, 0));
    assert_eq!(other.abort(), Ok(()));
}

static TOLD: AtomicU32 = AtomicU32::new(0);
fn settling_account() -> &'static Account {
    fn zero(_: NonNull<Account>) {
        TOLD.fetch_add(1, SeqCst);
    }
    kept(Account::new(zero))
}

#[test]
fn an_owner_that_settles_is_told_of_zero_once_whatever_comes_later() {
    let (a, other) = (settling_account(), account());
    let o = open(a, false);
    assert!(!a.settle_if_none(), "one is outstanding");
    let another = try_open(a, false);
    assert!(another.is_some(), "and nothing has changed");
    drop(another);
    assert_eq!(a.settle(), Settle::Waits);
    assert_eq!(a.settle(), Settle::Already, "a second closer does not wait for a second call");
    assert!(try_open(a, false).is_none(), "nothing is admitted any more");
    let mut stranger = open(other, false);
    // SAFETY: alive for ever.
    let moved = unsafe { stranger.rehome(a) };
    assert!(matches!(moved, Ok(Rehomed::Refused)), "nor is anything moved here");
    assert_eq!(TOLD.load(SeqCst), 0);
    drop(o);
    assert_eq!(TOLD.load(SeqCst), 1);
    assert!(try_open(a, false).is_none(), "a context kept past its region reserves nothing in it");
    drop(stranger);
    assert_eq!((TOLD.load(SeqCst), a.outstanding(), other.outstanding()), (1, 0, 0));
    assert!(!a.settle_if_none(), "it settled before");
    assert_eq!(settling_account().settle(), Settle::Zero);
    let empty = settling_account();
    assert!(empty.settle_if_none() && try_open(empty, false).is_none());
    assert_eq!((empty.settle(), TOLD.load(SeqCst)), (Settle::Already, 1));
}

#[test]
fn many_threads_reserve_commit_and_leak_and_every_record_is_counted_once() {
    const EACH: u32 = if cfg!(miri) { 40 } else { 2000 };
    let a = account();
    let committed: u32 = std::thread::scope(|s| {
        let threads: Vec<_> = (0..3)
            .map(|_| s.spawn(move || (0..EACH).filter(|_| open(a, false).commit().is_ok()).count() as u32))
            .collect();
        // SAFETY: alive for ever.
        let leaked: usize = (0..50).map(|_| unsafe { a.leak_all(|step| _ = step()) }.len()).sum();
        let committed: u32 = threads.into_iter().map(|t| t.join().expect("no panic")).sum();
        assert_eq!(committed as usize + leaked, 3 * EACH as usize);
        committed
    });
    assert!(committed <= 3 * EACH);
    assert_eq!(a.outstanding(), 0);
}

#[cfg(feature = "std")]
fn index_of(o: &Obligation) -> u32 {
    o.id().as_u64() as u32
}

#[test]
#[cfg(feature = "std")]
fn what_a_thread_gives_back_it_takes_again_the_newest_first() {
    let a = account();
    std::thread::scope(|s| {
        s.spawn(|| {
            let (first, second) = (open(a, false), open(a, false));
            let indices = [index_of(&second), index_of(&first)];
            drop(first);
            drop(second);
            let (first, second) = (open(a, false), open(a, false));
            assert_eq!([index_of(&first), index_of(&second)], indices);
        });
    });
    assert_eq!(a.outstanding(), 0);
}

#[test]
#[cfg(feature = "std")]
#[cfg_attr(miri, ignore = "takes many threads")]
fn threads_that_end_give_back_what_they_kept() {
    let a = account();
    let used = |count: usize| {
        std::thread::scope(|s| {
            let thread = s.spawn(|| {
                let held: Vec<_> = (0..count).map(|_| open(a, false)).collect();
                held.iter().map(index_of).max()
            });
            thread.join().expect("no panic").unwrap_or_default()
        })
    };
    // Each keeps 64 at most while it lives, and nothing afterwards: a hundred of them need the same few hundred records.
    for _ in 0..100 {
        assert!(used(150) < 4000);
    }
    assert_eq!(a.outstanding(), 0);
}
