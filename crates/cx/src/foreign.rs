//! Wakers of others through which operations of one task wait: those of `FuturesUnordered`, `select!`, or any
//! combinator that is not ours. A cancel request wakes them all (`cancel.wakes`).
//!
//! Nobody says when such an operation is over, so the list would grow with every future that a task ever polled
//! through a waker of its own. It is kept in generations instead: what has not been registered again while a
//! whole generation came is woken and dropped. An operation that still waits is polled for nothing, and
//! registers again; many of those that come back make the generations longer. Generations follow each other a
//! millisecond apart at least, so that whoever was woken has had a turn.
//!
//! Invariant `foreign.reachable`: an operation that waits is in the list, or has been woken and not polled since.
use crate::port::Caught;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::task::Waker;

/// A waker's identity. Unique among those that are alive, which all that are kept here are.
type Key = (usize, usize);
type Wakers = BTreeMap<Key, Waker>;

const SHORTEST: usize = 64;
/// Nanoseconds between two generations, at least.
const APART: u64 = 1_000_000;

type Catch = fn(&mut dyn FnMut()) -> Caught;

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
    /// How a waker that panics is kept from unwinding into the kernel.
    catch: Option<Catch>,
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
            catch: None,
        }
    }
}

/// Wakers that were taken out of the list, to be woken or dropped where no lock is held: both may run code of
/// others.
#[must_use]
#[derive(Debug, Default)]
pub(crate) struct TakenOut {
    wake: Vec<Waker>,
    forget: Wakers,
    catch: Option<Catch>,
}

impl TakenOut {
    /// Wakes and drops them. What a waker panics with goes no further.
    pub(crate) fn settle(self) {
        for waker in self.wake {
            let mut waker = Some(waker);
            let mut wake = || {
                if let Some(waker) = waker.take() {
                    waker.wake()
                }
            };
            match self.catch {
                Some(catch) => drop(catch(&mut wake)),
                None => wake(),
            }
        }
        drop(self.forget)
    }
}

fn key(waker: &Waker) -> Key {
    (waker.data().addr(), core::ptr::from_ref(waker.vtable()).addr())
}

impl Foreign {
    /// An operation waits through `waker`. `now` is a recent time in nanoseconds.
    pub(crate) fn register(&mut self, waker: &Waker, now: u64, catch: Catch) -> TakenOut {
        self.0.get_or_insert_default().register(waker, now, catch)
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
    fn register(&mut self, waker: &Waker, now: u64, catch: Catch) -> TakenOut {
        self.catch = Some(catch);
        let key = key(waker);
        if self.young.contains_key(&key) {
            return TakenOut::default();
        }
        let forget = self.old.remove(&key).or_else(|| {
            let back = self.turned_out.remove(&key);
            self.came_back += usize::from(back.is_some());
            back
        });
        self.young.insert(key, waker.clone());
        let full = self.young.len() >= self.length && now.saturating_sub(self.turned_at) >= APART;
        let mut out = if full { self.turn(now) } else { TakenOut::default() };
        out.forget.extend(forget.map(|waker| (key, waker)));
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
        TakenOut { wake, forget, catch: self.catch }
    }

    fn take(&mut self) -> TakenOut {
        let (young, old) = (core::mem::take(&mut self.young), core::mem::take(&mut self.old));
        let wake = young.into_values().chain(old.into_values()).collect();
        TakenOut { wake, forget: core::mem::take(&mut self.turned_out), catch: self.catch }
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
    fn catch(f: &mut dyn FnMut()) -> Caught {
        catch_unwind(AssertUnwindSafe(f))
    }

    #[test]
    fn futures_that_are_over_do_not_pile_up() {
        let mut list = Foreign::default();
        for n in 0..if cfg!(miri) { 2000 } else { 100_000 } {
            list.register(&Arc::new(Count::default()).into(), n * 10_000, catch).settle();
            assert!(list.len() <= 600, "{}", list.len());
        }
    }

    #[test]
    fn operations_that_still_wait_stay_reachable_and_soon_are_left_alone() {
        let mut list = Foreign::default();
        let waiting: Vec<Arc<Count>> = (0..1000).map(|_| Arc::default()).collect();
        for count in &waiting {
            list.register(&count.clone().into(), 0, catch).settle();
        }
        // Whoever was woken for nothing is polled and registers again.
        let mut rounds = 1;
        list.register(&Arc::new(Count::default()).into(), APART, catch).settle();
        loop {
            let woken: Vec<_> = waiting.iter().filter(|c| c.0.swap(0, Relaxed) > 0).collect();
            if woken.is_empty() {
                break;
            }
            rounds += 1;
            assert!(rounds < 20, "they keep waking each other");
            for count in woken {
                list.register(&count.clone().into(), rounds * 2 * APART, catch).settle();
            }
        }
        list.take().settle();
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
        let mut list = Foreign::default();
        let good: [Arc<Count>; 2] = Default::default();
        list.register(&good[0].clone().into(), 0, catch).settle();
        list.register(&Arc::new(Bad).into(), 0, catch).settle();
        list.register(&good[1].clone().into(), 0, catch).settle();
        list.take().settle();
        assert!(good.iter().all(|c| c.0.load(Relaxed) == 1));
    }
}
