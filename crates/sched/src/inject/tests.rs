//! The injector: one order, batches under one lock, fair shares, overflow of local queues.

#![expect(clippy::disallowed_methods, reason = "races between threads are what is tested")]

use core::ptr::NonNull;
use std::thread;
use std::vec::Vec;

use super::*;
use crate::queue::LocalQueue;

static TASKS: [u8; 64] = [0; 64];

fn task(number: usize) -> NonNull<u8> {
    NonNull::from(&TASKS[number])
}

fn number(task: NonNull<u8>) -> usize {
    task.addr().get() - TASKS.as_ptr().addr()
}

fn rest(injector: &Injector<u8>) -> Vec<usize> {
    std::iter::from_fn(|| injector.pop()).map(number).collect()
}

#[test]
fn tasks_leave_in_the_order_of_arrival() {
    let injector = Injector::new();
    injector.push(task(0));
    injector.push_batch([task(1), task(2)]);
    injector.push(task(3));
    assert_eq!((injector.len(), injector.is_empty()), (4, false));
    assert_eq!(rest(&injector), [0, 1, 2, 3]);
    assert_eq!((injector.len(), injector.pop()), (0, None));
}

#[test]
fn a_batch_is_published_as_a_whole() {
    let injector = Injector::new();
    let mut batch = injector.batch();
    batch.push(task(0));
    batch.push(task(1));
    assert!(injector.is_empty());
    drop(batch);
    assert_eq!(injector.len(), 2);
}

#[test]
fn a_batch_pop_takes_no_more_than_it_was_asked_for() {
    let injector = Injector::new();
    injector.push_batch((0..5).map(task));
    let mut taken = Vec::new();
    assert_eq!(injector.pop_batch(0, |task| taken.push(number(task))), 0);
    assert_eq!(injector.pop_batch(3, |task| taken.push(number(task))), 3);
    assert_eq!(injector.pop_batch(9, |task| taken.push(number(task))), 2);
    assert_eq!(taken, [0, 1, 2, 3, 4]);
}

#[test]
fn a_sink_that_panics_costs_one_task() {
    let injector = Injector::new();
    injector.push_batch((0..4).map(task));
    let panicking = std::panic::AssertUnwindSafe(|| injector.pop_batch(3, |_| panic!("a bad sink")));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(injector.len(), 3);
    assert_eq!(rest(&injector), [1, 2, 3]);
}

#[test]
fn a_worker_takes_its_share_and_leaves_the_rest_to_the_others() {
    let (injector, queue) = (Injector::new(), LocalQueue::<u8, 16>::new());
    let owner = queue.claim().unwrap();
    injector.push_batch((0..9).map(task));
    assert_eq!(injector.pop_share(&owner, 4).map(number), Some(0));
    assert_eq!(std::iter::from_fn(|| owner.pop()).map(number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rest(&injector), [3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_share_fits_into_the_local_queue() {
    let (injector, queue) = (Injector::new(), LocalQueue::<u8, 4>::new());
    let owner = queue.claim().unwrap();
    (40..43).for_each(|number| owner.push(task(number)).unwrap());
    injector.push_batch((0..9).map(task));
    assert_eq!(injector.pop_share(&owner, 1).map(number), Some(0));
    assert_eq!((queue.len(), injector.len()), (4, 7));
    assert_eq!(injector.pop_share(&owner, 1).map(number), Some(2));
}

#[test]
fn a_full_local_queue_sheds_its_older_half_before_the_new_task() {
    let (injector, queue) = (Injector::new(), LocalQueue::<u8, 4>::new());
    let owner = queue.claim().unwrap();
    for number in 0..4 {
        assert_eq!(owner.push_or_overflow(task(number), &injector), Placed::Local);
    }
    assert_eq!(owner.push_or_overflow(task(4), &injector), Placed::Injector);
    assert_eq!(rest(&injector), [0, 1, 4]);
    assert_eq!(std::iter::from_fn(|| owner.pop()).map(number).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn every_task_pushed_by_several_threads_arrives_once() {
    let injector = Injector::new();
    thread::scope(|scope| {
        for from in [0, 16, 32, 48] {
            let injector = &injector;
            scope.spawn(move || {
                injector.push(task(from));
                injector.push_batch((from + 1..from + 16).map(task));
            });
        }
    });
    let mut arrived = rest(&injector);
    arrived.sort_unstable();
    assert!(arrived.into_iter().eq(0..64));
}
