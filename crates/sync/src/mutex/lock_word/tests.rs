//! What the lock word promises to one thread at a time.

use std::task::Waker;

use super::*;
use crate::wakes::counter::Counter;

fn waits(lock: &mut Lock<'_, Waker>, counter: &Counter) -> bool {
    lock.poll(|| counter.waker()).is_pending()
}

#[test]
fn a_lock_is_owned_once() {
    let word = LockWord::<Waker>::new();
    assert!(word.try_lock() && !word.try_lock());
    word.unlock();
    assert!(word.try_lock());
}

#[test]
fn an_unlock_wakes_the_head_once_and_the_lock_is_free_meanwhile() {
    let (word, counter) = (LockWord::<Waker>::new(), Counter::new());
    assert!(word.try_lock());
    let mut waiting = Lock::new(&word);
    assert!(waits(&mut waiting, &counter));
    word.unlock();
    assert!(word.try_lock(), "who runs may overtake who was woken");
    word.unlock();
    assert_eq!(counter.wakes(), 1);
    assert!(!waits(&mut waiting, &counter) && word.is_locked());
    assert_eq!(counter.stored(), 0);
    word.unlock();
    assert!(!word.is_locked());
}

#[test]
fn a_head_passed_over_often_enough_is_handed_the_lock() {
    let (word, counter) = (LockWord::<Waker>::new(), Counter::new());
    assert!(word.try_lock());
    let mut waiting = Lock::new(&word);
    assert!(waits(&mut waiting, &counter));
    for _ in 0..PATIENCE {
        word.unlock();
        assert!(word.try_lock());
    }
    word.unlock();
    assert!(!word.try_lock(), "handed over, so nobody can overtake");
    assert!(!waits(&mut waiting, &counter));
}

#[test]
fn a_lock_handed_to_a_cancelled_waiter_goes_on() {
    let (word, counter, next) = (LockWord::<Waker>::new(), Counter::new(), Counter::new());
    assert!(word.try_lock());
    let (mut waiting, mut behind) = (Lock::new(&word), Lock::new(&word));
    assert!(waits(&mut waiting, &counter) && waits(&mut behind, &next));
    for _ in 0..PATIENCE {
        word.unlock();
        assert!(word.try_lock());
    }
    word.unlock();
    assert!(word.is_locked() && next.wakes() == 0);
    drop(waiting);
    assert!(!word.is_locked() && next.wakes() == 1);
    assert!(!waits(&mut behind, &next));
}

#[test]
fn a_wake_given_to_a_cancelled_head_goes_to_the_next() {
    let (word, counter, next) = (LockWord::<Waker>::new(), Counter::new(), Counter::new());
    assert!(word.try_lock());
    let (mut waiting, mut behind) = (Lock::new(&word), Lock::new(&word));
    assert!(waits(&mut waiting, &counter) && waits(&mut behind, &next));
    word.unlock();
    drop(waiting);
    assert_eq!((counter.wakes(), next.wakes()), (1, 1));
    drop(behind);
    assert!(word.try_lock());
    word.unlock();
    assert_eq!(next.stored(), 0);
}

#[test]
#[should_panic(expected = "nobody owns")]
fn a_free_lock_cannot_be_unlocked() {
    LockWord::<Waker>::new().unlock();
}
