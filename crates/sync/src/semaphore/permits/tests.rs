//! What the semaphore's core promises to one thread at a time.

use std::task::{Poll, Waker};

use super::*;
use crate::wakes::counter::Counter;

fn waits(acquire: &mut Acquire<'_, Waker>, counter: &Counter) -> bool {
    acquire.poll(|| counter.waker()).is_pending()
}

#[test]
fn what_is_taken_is_missing_and_what_is_released_is_back() {
    let permits = Permits::<Waker>::new(3);
    assert_eq!(permits.try_acquire(2), Ok(()));
    assert_eq!(permits.try_acquire(2), Err(TryAcquireError::NoPermits));
    assert_eq!(permits.available(), 1);
    permits.release(2);
    assert_eq!(permits.try_acquire(3), Ok(()));
    assert_eq!(permits.try_acquire(0), Ok(()));
}

#[test]
fn who_wants_little_does_not_overtake_who_wants_much() {
    let (permits, first, second) = (Permits::<Waker>::new(1), Counter::new(), Counter::new());
    let (mut much, mut little) = (Acquire::new(&permits, 2), Acquire::new(&permits, 1));
    assert!(waits(&mut much, &first) && waits(&mut little, &second));
    assert_eq!(permits.try_acquire(1), Err(TryAcquireError::NoPermits));
    permits.release(1);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert_eq!(much.poll(|| first.waker()), Poll::Ready(Ok(())));
    permits.release(2);
    assert_eq!(little.poll(|| second.waker()), Poll::Ready(Ok(())));
    assert_eq!(permits.available(), 1);
}

#[test]
fn one_release_serves_as_many_as_it_reaches() {
    let (permits, counter) = (Permits::<Waker>::new(0), Counter::new());
    let mut crowd: Vec<_> = (0..40).map(|_| Acquire::new(&permits, 1)).collect();
    assert!(crowd.iter_mut().all(|one| waits(one, &counter)));
    permits.release(39);
    assert_eq!(counter.wakes(), 39);
    assert!(crowd[..39].iter_mut().all(|one| one.poll(|| counter.waker()).is_ready()));
    assert!(waits(&mut crowd[39], &counter));
}

#[test]
fn a_cancelled_grant_goes_to_the_next() {
    let (permits, first, second) = (Permits::<Waker>::new(0), Counter::new(), Counter::new());
    let (mut one, mut two) = (Acquire::new(&permits, 1), Acquire::new(&permits, 1));
    assert!(waits(&mut one, &first) && waits(&mut two, &second));
    permits.release(1);
    assert_eq!(second.wakes(), 0);
    drop(one);
    assert_eq!(second.wakes(), 1);
    assert_eq!(two.poll(|| second.waker()), Poll::Ready(Ok(())));
}

#[test]
fn a_cancelled_head_that_wanted_much_lets_the_others_through() {
    let (permits, first, second) = (Permits::<Waker>::new(1), Counter::new(), Counter::new());
    let (mut much, mut little) = (Acquire::new(&permits, 2), Acquire::new(&permits, 1));
    assert!(waits(&mut much, &first) && waits(&mut little, &second));
    drop(much);
    assert_eq!((first.stored(), second.wakes()), (0, 1));
    assert_eq!(little.poll(|| second.waker()), Poll::Ready(Ok(())));
    drop(little);
    assert_eq!(permits.try_acquire(1), Err(TryAcquireError::NoPermits));
    permits.release(1);
    assert_eq!(permits.try_acquire(1), Ok(()), "nobody waits, so the fast path is open again");
}

#[test]
fn a_wait_polled_again_keeps_its_turn_and_only_its_last_waker() {
    let (permits, stale, fresh) = (Permits::<Waker>::new(0), Counter::new(), Counter::new());
    let (mut one, mut two) = (Acquire::new(&permits, 1), Acquire::new(&permits, 1));
    assert!(waits(&mut one, &stale) && waits(&mut two, &stale) && waits(&mut one, &fresh));
    assert_eq!((stale.stored(), fresh.stored()), (1, 1));
    permits.release(1);
    assert_eq!((stale.wakes(), fresh.wakes()), (0, 1));
}

#[test]
fn close_refuses_waiters_and_newcomers_but_takes_permits_back() {
    let (permits, counter) = (Permits::<Waker>::new(1), Counter::new());
    permits.try_acquire(1).unwrap();
    let mut waiting = Acquire::new(&permits, 1);
    assert!(waits(&mut waiting, &counter));
    permits.close();
    assert_eq!(counter.wakes(), 1);
    assert_eq!(waiting.poll(|| counter.waker()), Poll::Ready(Err(Closed)));
    assert_eq!(permits.try_acquire(1), Err(TryAcquireError::Closed));
    permits.release(1);
    assert!(permits.is_closed() && permits.available() == 1);
    assert_eq!(Acquire::new(&permits, 1).poll(|| counter.waker()), Poll::Ready(Err(Closed)));
}

#[test]
fn a_grant_that_was_not_taken_when_close_came_is_given_back() {
    let (permits, counter) = (Permits::<Waker>::new(0), Counter::new());
    let mut waiting = Acquire::new(&permits, 2);
    assert!(waits(&mut waiting, &counter));
    permits.release(3);
    assert_eq!((counter.wakes(), permits.available()), (1, 1));
    permits.close();
    assert_eq!(waiting.poll(|| counter.waker()), Poll::Ready(Err(Closed)));
    assert_eq!(permits.available(), 3);
}

#[test]
#[should_panic(expected = "too many permits")]
fn more_permits_than_fit_are_refused() {
    Permits::<Waker>::new(Permits::<Waker>::MAX).release(1);
}
