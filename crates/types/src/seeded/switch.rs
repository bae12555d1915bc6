//! The process-wide selection behind `seeded!`, and the turns that tests take with it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// The key of the selected name, or `NONE`.
static SELECTED: AtomicU64 = AtomicU64::new(NONE);
const NONE: u64 = 0;

/// Whose turn it is.
static TURN: Mutex<Option<ThreadId>> = Mutex::new(None);
static TURN_ENDED: Condvar = Condvar::new();

/// Runs `body` with the mistake `name` switched on in the whole process, and off again afterwards,
/// also when `body` panics. Waits for its turn.
///
/// # Panics
/// When the calling thread is inside `with` or `clean` already: one mistake at a time.
pub fn with<R>(name: &str, body: impl FnOnce() -> R) -> R {
    let _turn = Turn::take(key(name));
    body()
}

/// Runs `body` while no mistake is switched on. Waits for its turn.
///
/// # Panics
/// When the calling thread is inside `with` or `clean` already.
pub fn clean<R>(body: impl FnOnce() -> R) -> R {
    let _turn = Turn::take(NONE);
    body()
}

/// Whether the name with this key is selected. One relaxed load: a thread that the test started
/// after selecting sees it through that start.
#[doc(hidden)]
pub fn is_selected(key: u64) -> bool {
    SELECTED.load(Relaxed) == key
}

/// The key of a name: FNV-1a, 64 bits (Fowler, Noll, Vo), made odd so that it is never `NONE`.
#[doc(hidden)]
pub const fn key(name: &str) -> u64 {
    let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash | 1
}

/// Held while it is this thread's turn.
struct Turn;

impl Turn {
    fn take(key: u64) -> Turn {
        let me = thread::current().id();
        let mut holder = holder();
        assert_ne!(*holder, Some(me), "seeded::with and seeded::clean don't nest");
        while holder.is_some() {
            holder = TURN_ENDED.wait(holder).unwrap_or_else(PoisonError::into_inner);
        }
        *holder = Some(me);
        SELECTED.store(key, Relaxed);
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut holder = holder();
        SELECTED.store(NONE, Relaxed);
        *holder = None;
        TURN_ENDED.notify_one();
    }
}

/// Poison says nothing here: the only panic under the lock is the assertion above, which changes
/// nothing.
fn holder() -> MutexGuard<'static, Option<ThreadId>> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

// The threads are the test: a mistake has to show in all of them.
#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn only_the_selected_mistake_is_on_and_only_inside() {
        let inside = with("test.one", || (seeded!("test.one"), seeded!("test.two")));
        assert_eq!(inside, (true, false));
        assert!(!clean(|| seeded!("test.one")));
    }

    #[test]
    fn a_panic_switches_the_mistake_off() {
        catch_unwind(|| with("test.one", || panic!("the model found it"))).unwrap_err();
        assert!(!clean(|| seeded!("test.one")));
    }

    #[test]
    fn threads_of_the_body_see_the_selection() {
        assert!(with("test.one", || thread::spawn(|| seeded!("test.one")).join().unwrap()));
    }

    #[test]
    fn nesting_is_refused_instead_of_waiting_for_ever() {
        catch_unwind(|| with("test.one", || clean(|| ()))).unwrap_err();
    }

    #[test]
    fn two_threads_never_see_each_others_selection() {
        let all_right = |mine: bool| move || (0..1000).all(|_| mine == clean_or_with(mine));
        let threads = [true, false].map(|mine| thread::spawn(all_right(mine)));
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    }

    fn clean_or_with(mistake: bool) -> bool {
        let site = || {
            thread::yield_now();
            seeded!("test.one")
        };
        if mistake { with("test.one", site) } else { clean(site) }
    }
}
