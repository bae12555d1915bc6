//! A mutex and a read-write lock, and what tasks do with them.
//!
//! Not here: giving them back (`Op::Drop`).
use crate::hand::{Hand, Held};
use cx::Cx;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use sync::mutex::Mutex;
use sync::rwlock::{RwLock, WriteGuard};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Lock,
    TryLock,
    Read,
    Write,
    Upgradable,
    Upgrade,
    TryRead,
    TryWrite,
    TryUpgradable,
    Downgrade,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Lock | Read | Write | Upgradable | Upgrade)
    }
}

pub(crate) const MUTEX: &[Act] = &[Lock, Lock, TryLock];
pub(crate) const RWLOCK: &[Act] =
    &[Read, Read, Write, Write, Upgradable, Upgrade, TryRead, TryWrite, TryUpgradable, Downgrade];

pub(crate) struct Locks {
    mutex: Mutex<u32>,
    rwlock: Arc<RwLock<u32>>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Locks { mutex: Mutex::new(0), rwlock: Arc::new(RwLock::new(0)) }
    }

    /// Whether it was not refused because the task was asked to end.
    pub(crate) async fn act<'w>(&'w self, cx: &Cx, act: Act, hand: &mut Hand<'w>) -> bool {
        let rwlock = &self.rwlock;
        let taken = match act {
            Lock => self.mutex.lock(cx).await.ok().map(|guard| Held::Lock(raised(hand, guard, 1))),
            TryLock => self.mutex.try_lock().map(|guard| Held::Lock(raised(hand, guard, 1))),
            Read => rwlock.read_owned(cx).await.ok().map(|guard| Held::Read(seen(hand, guard))),
            TryRead => rwlock.try_read_owned().map(|guard| Held::Read(seen(hand, guard))),
            Write => rwlock.write_owned(cx).await.ok().map(|guard| Held::Write(raised(hand, guard, 1))),
            TryWrite => rwlock.try_write_owned().map(|guard| Held::Write(raised(hand, guard, 1))),
            Upgradable => {
                rwlock.upgradable_owned(cx).await.ok().map(|guard| Held::Upgradable(seen(hand, guard)))
            }
            TryUpgradable => rwlock.try_upgradable_owned().map(|guard| Held::Upgradable(seen(hand, guard))),
            Upgrade => {
                let Some(Held::Upgradable(guard)) = hand.first(|held| matches!(held, Held::Upgradable(_)))
                else {
                    cx.step().await;
                    return true;
                };
                guard.upgrade(cx).await.ok().map(|guard| Held::Write(raised(hand, guard, 10)))
            }
            Downgrade => {
                let Some(Held::Write(guard)) = hand.first(|held| matches!(held, Held::Write(_))) else {
                    return true;
                };
                Some(Held::Read(WriteGuard::downgrade(guard)))
            }
        };
        match taken {
            Some(held) => hand.keep(held),
            None if act.waits() => return false,
            None => hand.note("no"),
        }
        true
    }
}

/// Who writes notes how many did so before.
fn raised<G: DerefMut<Target = u32>>(hand: &Hand<'_>, mut guard: G, by: u32) -> G {
    *guard += by;
    seen(hand, guard)
}

fn seen<G: Deref<Target = u32>>(hand: &Hand<'_>, guard: G) -> G {
    hand.note(*guard);
    guard
}
