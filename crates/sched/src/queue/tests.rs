//! The local queue: order, limits, wrap-around, and threads that steal as fast as they can.

#![expect(clippy::disallowed_methods, reason = "races between threads are what is tested")]

use core::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::vec::Vec;

use super::*;

/// Tasks are elements of an array; their number is what a test can compare.
struct Tasks(Vec<u8>);

impl Tasks {
    fn new(count: usize) -> Self {
        Tasks(std::vec![0; count])
    }

    fn task(&self, number: usize) -> NonNull<u8> {
        NonNull::from(&self.0[number])
    }

    fn number(&self, task: NonNull<u8>) -> usize {
        task.addr().get() - self.0.as_ptr().addr()
    }
}

fn drain<const N: usize>(owner: &Owner<'_, u8, N>, tasks: &Tasks) -> Vec<usize> {
    std::iter::from_fn(|| owner.pop()).map(|task| tasks.number(task)).collect()
}

fn fill<const N: usize>(owner: &Owner<'_, u8, N>, tasks: &Tasks, numbers: std::ops::Range<usize>) {
    for number in numbers {
        assert_eq!(owner.push(tasks.task(number)), Ok(()));
    }
}

#[test]
fn the_owner_gets_its_tasks_in_the_order_of_arrival() {
    let (tasks, queue) = (Tasks::new(8), LocalQueue::<u8, 8>::new());
    let owner = queue.claim().unwrap();
    fill(&owner, &tasks, 0..8);
    assert_eq!(queue.len(), 8);
    assert_eq!(drain(&owner, &tasks), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(queue.is_empty());
}

#[test]
fn a_full_queue_hands_the_task_back() {
    let (tasks, queue) = (Tasks::new(5), LocalQueue::<u8, 4>::new());
    let owner = queue.claim().unwrap();
    fill(&owner, &tasks, 0..4);
    assert_eq!(owner.room(), 0);
    assert_eq!(owner.push(tasks.task(4)), Err(tasks.task(4)));
    assert_eq!(drain(&owner, &tasks), [0, 1, 2, 3]);
}

#[test]
fn a_queue_has_one_owner_at_a_time_and_keeps_its_tasks_between_two() {
    let (tasks, queue) = (Tasks::new(2), LocalQueue::<u8, 4>::new());
    let first = queue.claim().unwrap();
    fill(&first, &tasks, 0..2);
    assert!(queue.claim().is_none());
    drop(first);
    assert_eq!(drain(&queue.claim().unwrap(), &tasks), [0, 1]);
}

#[test]
fn a_thief_runs_the_oldest_and_queues_the_rest_of_the_older_half_in_order() {
    let tasks = Tasks::new(7);
    let (queue, thief_queue) = (LocalQueue::<u8, 8>::new(), LocalQueue::<u8, 8>::new());
    let (owner, thief) = (queue.claim().unwrap(), thief_queue.claim().unwrap());
    fill(&owner, &tasks, 0..7);
    assert_eq!(queue.steal_into(&thief), Some(tasks.task(0)));
    assert_eq!(drain(&thief, &tasks), [1, 2, 3]);
    assert_eq!(drain(&owner, &tasks), [4, 5, 6]);
}

#[test]
fn the_last_task_can_be_stolen() {
    let tasks = Tasks::new(1);
    let (queue, thief_queue) = (LocalQueue::<u8, 4>::new(), LocalQueue::<u8, 4>::new());
    let (owner, thief) = (queue.claim().unwrap(), thief_queue.claim().unwrap());
    fill(&owner, &tasks, 0..1);
    assert_eq!(queue.steal_into(&thief), Some(tasks.task(0)));
    assert_eq!((owner.pop(), thief.pop()), (None, None));
}

#[test]
fn nothing_is_stolen_from_an_empty_queue_or_from_oneself_or_without_room() {
    let tasks = Tasks::new(8);
    let (queue, thief_queue) = (LocalQueue::<u8, 4>::new(), LocalQueue::<u8, 4>::new());
    let (owner, thief) = (queue.claim().unwrap(), thief_queue.claim().unwrap());
    assert_eq!(queue.steal_into(&thief), None);
    fill(&owner, &tasks, 0..4);
    assert_eq!(queue.steal_into(&owner), None);
    fill(&thief, &tasks, 4..7);
    assert_eq!(queue.steal_into(&thief), None);
    assert_eq!(drain(&owner, &tasks), [0, 1, 2, 3]);
    assert_eq!(drain(&thief, &tasks), [4, 5, 6]);
}

#[test]
fn draining_takes_the_older_half_or_nothing() {
    let (tasks, queue) = (Tasks::new(4), LocalQueue::<u8, 4>::new());
    let owner = queue.claim().unwrap();
    let mut shed = Vec::new();
    fill(&owner, &tasks, 0..1);
    assert_eq!(owner.drain_half(|task| shed.push(tasks.number(task))), 0);
    fill(&owner, &tasks, 1..4);
    assert_eq!(owner.drain_half(|task| shed.push(tasks.number(task))), 2);
    assert_eq!(shed, [0, 1]);
    assert_eq!(drain(&owner, &tasks), [2, 3]);
}

#[test]
fn a_sink_that_pushes_does_not_overwrite_what_is_being_drained() {
    let (tasks, queue) = (Tasks::new(8), LocalQueue::<u8, 4>::new());
    let owner = queue.claim().unwrap();
    fill(&owner, &tasks, 0..4);
    let mut shed = Vec::new();
    owner.drain_half(|task| {
        assert_eq!(owner.push(tasks.task(7)), Err(tasks.task(7)), "the slots are still taken");
        shed.push(tasks.number(task));
    });
    assert_eq!(shed, [0, 1]);
    assert_eq!(owner.room(), 2);
}

#[test]
fn a_sink_that_panics_leaves_a_queue_that_works() {
    let (tasks, queue) = (Tasks::new(4), LocalQueue::<u8, 4>::new());
    let thief_queue = LocalQueue::new();
    let (owner, thief) = (queue.claim().unwrap(), thief_queue.claim().unwrap());
    fill(&owner, &tasks, 0..4);
    let panicking = std::panic::AssertUnwindSafe(|| owner.drain_half(|_| panic!("a bad sink")));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(queue.steal_into(&thief), Some(tasks.task(2)));
    assert_eq!(drain(&owner, &tasks), [3]);
}

#[test]
fn the_counters_may_wrap() {
    let (tasks, queue) = (Tasks::new(6), LocalQueue::<u8, 4>::new());
    let thief_queue = LocalQueue::new();
    let start = u32::MAX - 1;
    queue.head.store(pack(start, start), Ordering::Relaxed);
    queue.tail.store(start, Ordering::Relaxed);
    let (owner, thief) = (queue.claim().unwrap(), thief_queue.claim().unwrap());
    fill(&owner, &tasks, 0..4);
    assert_eq!((queue.len(), owner.room()), (4, 0));
    assert_eq!(owner.push(tasks.task(4)), Err(tasks.task(4)));
    assert_eq!(queue.steal_into(&thief), Some(tasks.task(0)));
    fill(&owner, &tasks, 4..6);
    assert_eq!(drain(&thief, &tasks), [1]);
    assert_eq!(drain(&owner, &tasks), [2, 3, 4, 5]);
}

#[test]
fn an_owner_can_be_sent_to_the_thread_that_will_use_it() {
    let (tasks, queue) = (Tasks::new(1), LocalQueue::<u8, 4>::new());
    let owner = queue.claim().unwrap();
    thread::scope(|scope| {
        let (tasks, sent) = (&tasks, owner);
        scope.spawn(move || sent.push(tasks.task(0)).is_ok());
    });
    assert_eq!(queue.len(), 1);
}

/// One owner that pushes, pops and sheds, two thieves: every task leaves exactly once.
fn every_task_leaves_exactly_once<const N: usize>(count: usize) {
    let tasks = Tasks::new(count);
    let queue = LocalQueue::<u8, N>::new();
    let done = AtomicBool::new(false);
    let steal = || {
        let own = LocalQueue::<u8, N>::new();
        let thief = own.claim().unwrap();
        let mut taken = Vec::new();
        while !done.load(Ordering::Acquire) {
            match queue.steal_into(&thief) {
                Some(task) => taken.push(tasks.number(task)),
                None => thread::yield_now(),
            }
            taken.extend(drain(&thief, &tasks));
        }
        taken
    };
    let mut left = Vec::new();
    thread::scope(|scope| {
        let thieves = [scope.spawn(steal), scope.spawn(steal)];
        let owner = queue.claim().unwrap();
        for number in 0..count {
            if let Err(task) = owner.push(tasks.task(number)) {
                owner.drain_half(|shed| left.push(tasks.number(shed)));
                left.push(tasks.number(task));
            }
            if number % 3 == 0 {
                left.extend(owner.pop().map(|task| tasks.number(task)));
            }
        }
        left.extend(drain(&owner, &tasks));
        done.store(true, Ordering::Release);
        for thief in thieves {
            left.extend(thief.join().unwrap());
        }
    });
    left.sort_unstable();
    assert!(left.into_iter().eq(0..count), "a task was lost or taken twice");
}

#[test]
fn no_task_is_lost_or_doubled_between_an_owner_and_two_thieves() {
    every_task_leaves_exactly_once::<256>(300_000);
}

#[test]
fn no_task_is_lost_or_doubled_when_the_ring_is_tiny() {
    every_task_leaves_exactly_once::<4>(100_000);
}

#[test]
fn an_unshared_queue_is_first_in_first_out_and_gives_thieves_nothing() {
    let tasks = [0, 1, 2, 3, 4, 5];
    let (queue, thief_queue) = (LocalQueue::<_, 4>::unshared(), LocalQueue::new());
    let (owner, thief) = (queue.claim().unwrap(), thief_queue.claim().unwrap());
    for task in &tasks[..4] {
        owner.push(NonNull::from(task)).unwrap();
    }
    assert_eq!(queue.steal_into(&thief), None);
    assert_eq!(owner.push(NonNull::from(&tasks[4])), Err(NonNull::from(&tasks[4])));
    let mut shed = Vec::new();
    assert_eq!(
        owner.drain_half(|task| {
            // The claim of the drain keeps its slots, while a pop goes on behind them.
            shed.push((task, owner.pop()))
        }),
        2
    );
    let at = |i: usize| NonNull::from(&tasks[i]);
    assert_eq!(shed, [(at(0), Some(at(2))), (at(1), Some(at(3)))]);
    owner.push(at(5)).unwrap();
    assert_eq!((owner.pop(), owner.pop()), (Some(at(5)), None));
}
