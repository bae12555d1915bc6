//! The local queue under every interleaving: nothing is lost, nothing leaves twice.
//!
//! The models run the real code, built with `RUSTFLAGS="--cfg loom"`, with four slots instead of
//! 256. Each known mistake of the algorithm is switched on in turn and must make a model fail.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-sched --test loom_queue`

#![cfg(loom)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use asupersync_sched::inject::Injector;
use asupersync_sched::queue::{LocalQueue, Owner};
use loom::sync::Arc;
use loom::thread;
use types::seeded;

static TASKS: [u8; 16] = [0; 16];

type Queue = LocalQueue<u8, 4>;

fn task(number: usize) -> NonNull<u8> {
    NonNull::from(&TASKS[number])
}

fn number(task: NonNull<u8>) -> usize {
    task.addr().get() - TASKS.as_ptr().addr()
}

fn drain(owner: &Owner<'_, u8, 4>) -> impl Iterator<Item = usize> {
    std::iter::from_fn(|| owner.pop()).map(number)
}

fn assert_each_once(mut left: Vec<usize>, count: usize) {
    left.sort_unstable();
    assert!(left.iter().copied().eq(0..count), "of {count} tasks these left: {left:?}");
}

fn explore(preemptions: usize, model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = if preemptions > 8 { None } else { Some(preemptions) };
    builder.check(model);
}

fn holds(preemptions: usize, model: fn()) {
    seeded::clean(|| explore(preemptions, model));
}

fn is_killed(mutant: &'static str, preemptions: usize, model: fn()) {
    let caught =
        seeded::with(mutant, || catch_unwind(AssertUnwindSafe(|| explore(preemptions, model))).is_err());
    assert!(caught, "the model doesn't notice {mutant}");
}

/// A thief with a queue of its own: everything that it gets in `attempts` steals.
fn steal(queue: &Queue, attempts: usize) -> Vec<usize> {
    let own = Queue::new();
    let thief = own.claim().expect("a queue of its own");
    let mut taken = Vec::new();
    for _ in 0..attempts {
        taken.extend(queue.steal_into(&thief).map(number));
    }
    taken.extend(drain(&thief));
    taken
}

/// The owner pushes and pops while one thief steals.
fn push_pop_steal() {
    let queue = Arc::new(Queue::new());
    let victim = queue.clone();
    let thief = thread::spawn(move || steal(&victim, 2));
    let owner = queue.claim().expect("nobody else claims it");
    let mut left = Vec::new();
    for n in 0..3 {
        owner.push(task(n)).expect("three fit into four");
        if n == 1 {
            left.extend(owner.pop().map(number));
        }
    }
    left.extend(owner.pop().map(number));
    left.extend(thief.join().expect("the thief doesn't panic"));
    left.extend(drain(&owner));
    assert_each_once(left, 3);
}

/// The ring goes round while a thief is copying: slots must not be reused too early.
fn push_over_a_steal() {
    let queue = Arc::new(Queue::new());
    let owner = queue.claim().expect("nobody else claims it");
    (0..4).for_each(|n| owner.push(task(n)).expect("four fit"));
    let victim = queue.clone();
    let thief = thread::spawn(move || steal(&victim, 1));
    let mut left = Vec::new();
    for n in 4..6 {
        left.extend(owner.push(task(n)).err().map(number));
    }
    left.extend(thief.join().expect("the thief doesn't panic"));
    left.extend(drain(&owner));
    assert_each_once(left, 6);
}

/// A push finds the queue full, then thieves empty it before the owner sheds half.
fn overflow_against_a_thief() {
    let queue = Arc::new(Queue::new());
    let owner = queue.claim().expect("nobody else claims it");
    (0..4).for_each(|n| owner.push(task(n)).expect("four fit"));
    let victim = queue.clone();
    let thief = thread::spawn(move || steal(&victim, 2));
    let injector = Injector::new();
    owner.push_or_overflow(task(4), &injector);
    owner.push_or_overflow(task(5), &injector);
    let mut left = thief.join().expect("the thief doesn't panic");
    left.extend(drain(&owner));
    left.extend(std::iter::from_fn(|| injector.pop()).map(number));
    assert_each_once(left, 6);
}

/// Two thieves at one victim: one of them must find the other's claim and turn away.
fn two_thieves() {
    let queue = Arc::new(Queue::new());
    let owner = queue.claim().expect("nobody else claims it");
    (0..4).for_each(|n| owner.push(task(n)).expect("four fit"));
    let thieves = [0, 1].map(|_| {
        let victim = queue.clone();
        thread::spawn(move || steal(&victim, 1))
    });
    let mut left = Vec::new();
    for n in 4..7 {
        left.extend(owner.push(task(n)).err().map(number));
    }
    for thief in thieves {
        left.extend(thief.join().expect("the thief doesn't panic"));
    }
    left.extend(drain(&owner));
    assert_each_once(left, 7);
}

/// Two workers that steal from each other while they push.
fn mutual_theft() {
    let queues = Arc::new([Queue::new(), Queue::new()]);
    let worker = |queues: &[Queue; 2], me: usize| {
        let owner = queues[me].claim().expect("one owner each");
        let mut left = Vec::new();
        owner.push(task(2 * me)).expect("there is room");
        owner.push(task(2 * me + 1)).expect("there is room");
        left.extend(queues[1 - me].steal_into(&owner).map(number));
        left.extend(owner.pop().map(number));
        left
    };
    let others = queues.clone();
    let other = thread::spawn(move || worker(&others, 1));
    let mut left = worker(&queues, 0);
    left.extend(other.join().expect("the other worker doesn't panic"));
    for queue in queues.iter() {
        left.extend(drain(&queue.claim().expect("both owners are gone")));
    }
    assert_each_once(left, 4);
}

#[test]
fn tasks_leave_once_between_an_owner_and_a_thief() {
    holds(3, push_pop_steal);
}

#[test]
fn slots_are_not_reused_while_a_thief_copies_them() {
    holds(3, push_over_a_steal);
}

#[test]
fn an_overflow_that_meets_a_thief_sheds_only_what_is_there() {
    holds(3, overflow_against_a_thief);
}

#[test]
fn two_thieves_do_not_share_a_claim() {
    holds(2, two_thieves);
}

#[test]
fn workers_that_steal_from_each_other_lose_nothing() {
    holds(3, mutual_theft);
}

#[test]
fn mutant_overflow_unchecked_is_killed() {
    is_killed("queue.overflow-unchecked", 3, overflow_against_a_thief);
}

#[test]
fn mutant_steal_no_guard_is_killed() {
    is_killed("queue.steal-no-guard", 99, two_thieves);
}

#[test]
fn mutant_copy_after_release_is_killed() {
    is_killed("queue.copy-after-release", 99, push_over_a_steal);
}

#[test]
fn mutant_tail_before_slot_is_killed() {
    is_killed("queue.tail-before-slot", 3, push_pop_steal);
}
