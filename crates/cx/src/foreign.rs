//! Wakers of others through which operations of one task wait: those of `FuturesUnordered`, `select!`, or any
//! combinator that is not ours. A cancel request wakes them all (`cancel.wakes`).
//!
//! Nobody says when such an operation is over, so the list would grow with every future that a task ever polled
//! through a waker of its own. It is kept in generations instead: what has not been registered again while a
//! whole generation came is woken and dropped. An operation that still waits is polled for nothing, and
//! registers again; many of those that come back make the generations longer. Generations follow each other a
//! millisecond apart at least, so that whoever was woken has had a turn.
//!
//! Invariants:
//! - `foreign.reachable`: an operation that waits is in the list, or has been woken and not polled since.
//! - `foreign.unlocked`: the list is kept under its task's lock, and cloning, waking and dropping a waker is code of others.
//!   So it holds shared wakers that are made before the lock, and hands out those that leave it ([`TakenOut`]).
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

/// A waker's identity. Unique among those that are alive, which all that are kept here are. (A clone need not be the same
/// as what it was cloned from: then that one is kept alive by nobody here, and is not taken for a later one at its place.)
type Key = (usize, usize);
type Wakers = BTreeMap<Key, Arc<Waker>>;

const SHORTEST: usize = 64;
/// Nanoseconds between two generations, at least.
const APART: u64 = 1_000_000;

/// See the module. One word while nobody waits through a foreign waker.
#[derive(Debug, Default)]
pub(crate) struct Foreign(Option<Box<Generations>>);

#[derive(Debug)]
struct Generations {
    young: Wakers,
    old: Wakers,
    /// Woken and dropped from the list by the last turn of generations, kept to see who comes back.
    turned_out: Wakers,
    came_back: usize,
    length: usize,
    turned_at: u64,
}

impl Default for Generations {
    fn default() -> Generations {
        Generations {
            young: Wakers::new(),
            old: Wakers::new(),
            turned_out: Wakers::new(),
            came_back: 0,
            length: SHORTEST,
            turned_at: 0,
        }
    }
}

/// Wakers that were taken out of the list, to be woken or dropped where no lock is held: both may run code of
/// others.
#[must_use]
#[derive(Debug, Default)]
pub(crate) struct TakenOut {
    wake: Vec<Arc<Waker>>,
    forget: Vec<Arc<Waker>>,
}

impl TakenOut {
    /// Wakes and drops them. `contain` runs each call, and keeps what it panics with from the next.
    pub(crate) fn settle(self, mut contain: impl FnMut(&mut dyn FnMut())) {
        for waker in &self.wake {
            contain(&mut || waker.wake_by_ref())
        }
        for waker in self.wake.into_iter().chain(self.forget) {
            let mut waker = Some(waker);
            contain(&mut || drop(waker.take()))
        }
    }

    /// The same, of which nobody is woken.
    pub(crate) fn unwoken(mut self) -> TakenOut {
        self.forget.append(&mut self.wake);
        self
    }
}

fn key(waker: &Waker) -> Key {
    (waker.data().addr(), core::ptr::from_ref(waker.vtable()).addr())
}

impl Foreign {
    /// An operation waits through `waker`, which is in the list already, or was not long ago; otherwise `None`, and it has
    /// to be [added](Foreign::add). `now` is a recent time in nanoseconds.
    pub(crate) fn renew(&mut self, waker: &Waker, now: u64) -> Option<TakenOut> {
        self.0.get_or_insert_default().renew(waker, now)
    }

    /// An operation waits through this clone of its waker.
    pub(crate) fn add(&mut self, waker: Arc<Waker>, now: u64) -> TakenOut {
        self.0.get_or_insert_default().add(waker, now)
    }

    /// Takes everybody out, to be woken.
    pub(crate) fn take(&mut self) -> TakenOut {
        self.0.as_mut().map_or_else(TakenOut::default, |generations| generations.take())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |generations| generations.len())
    }
}

impl Generations {
    fn renew(&mut self, waker: &Waker, now: u64) -> Option<TakenOut> {
        let key = key(waker);
        if self.young.contains_key(&key) {
            return Some(TakenOut::default());
        }
        let kept = self.old.remove(&key).or_else(|| {
            let back = self.turned_out.remove(&key);
            self.came_back += usize::from(back.is_some());
            back
        })?;
        Some(self.add(kept, now))
    }

    fn add(&mut self, waker: Arc<Waker>, now: u64) -> TakenOut {
        let replaced = self.young.insert(key(&waker), waker);
        let full = self.young.len() >= self.length && now.saturating_sub(self.turned_at) >= APART;
        let mut out = if full { self.turn(now) } else { TakenOut::default() };
        out.forget.extend(replaced);
        out
    }

    /// The next generation begins.
    fn turn(&mut self, now: u64) -> TakenOut {
        // Those that came back were waiting: a generation has to hold more than them.
        self.length = (2 * self.came_back).max(self.length / 2).max(SHORTEST);
        self.came_back = 0;
        self.turned_at = now;
        let stale = core::mem::replace(&mut self.old, core::mem::take(&mut self.young));
        let wake = stale.values().cloned().collect();
        let forget = core::mem::replace(&mut self.turned_out, stale);
        TakenOut { wake, forget: forget.into_values().collect() }
    }

    fn take(&mut self) -> TakenOut {
        let (young, old) = (core::mem::take(&mut self.young), core::mem::take(&mut self.old));
        let wake = young.into_values().chain(old.into_values()).collect();
        TakenOut { wake, forget: core::mem::take(&mut self.turned_out).into_values().collect() }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len() + self.turned_out.len()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use alloc::sync::Arc;
    use alloc::task::Wake;
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    fn contain(f: &mut dyn FnMut()) {
        drop(catch_unwind(AssertUnwindSafe(f)))
    }

    /// As `Cx` does it.
    fn register(list: &mut Foreign, waker: &Waker, now: u64) {
        let stale = list.renew(waker, now).unwrap_or_else(|| list.add(Arc::new(waker.clone()), now));
        stale.settle(contain)
    }

    #[test]
    fn futures_that_are_over_do_not_pile_up() {
        let mut list = Foreign::default();
        for n in 0..if cfg!(miri) { 2000 } else { 100_000 } {
            register(&mut list, &Arc::new(Count::default()).into(), n * 10_000);
            assert!(list.len() <= 600, "{}", list.len());
        }
    }

    #[test]
    fn operations_that_still_wait_stay_reachable_and_soon_are_left_alone() {
        let mut list = Foreign::default();
        let waiting: Vec<Arc<Count>> = (0..1000).map(|_| Arc::default()).collect();
        for count in &waiting {
            register(&mut list, &count.clone().into(), 0);
        }
        // Whoever was woken for nothing is polled and registers again.
        let mut rounds = 1;
        register(&mut list, &Arc::new(Count::default()).into(), APART);
        loop {
            let woken: Vec<_> = waiting.iter().filter(|c| c.0.swap(0, Relaxed) > 0).collect();
            if woken.is_empty() {
                break;
            }
            rounds += 1;
            assert!(rounds < 20, "they keep waking each other");
            for count in woken {
                register(&mut list, &count.clone().into(), rounds * 2 * APART);
            }
        }
        list.take().settle(contain);
        assert!(waiting.iter().all(|c| c.0.load(Relaxed) == 1), "a request reaches everybody once");
    }

    #[test]
    fn a_waker_that_panics_hurts_nobody_else() {
        struct Bad;
        impl Wake for Bad {
            fn wake(self: Arc<Self>) {
                panic!("a waker of others")
            }
        }
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("a waker of others, dropped")
            }
        }
        let mut list = Foreign::default();
        let good: [Arc<Count>; 2] = Default::default();
        register(&mut list, &good[0].clone().into(), 0);
        register(&mut list, &Arc::new(Bad).into(), 0);
        register(&mut list, &good[1].clone().into(), 0);
        list.take().settle(contain);
        assert!(good.iter().all(|c| c.0.load(Relaxed) == 1));
    }
}
