//! The local queue under every interleaving: nothing is lost, nothing leaves twice.
//!
//! The models run the real code, built with `RUSTFLAGS="--cfg loom"`, with four slots instead of
//! 256. Each known mistake of the algorithm is switched on in turn and must make a model fail.
//!
//! Run: `RUSTFLAGS="--cfg loom" cargo test --release -p asupersync-sched --test loom_queue`

#![cfg(loom)]

use std::ptr::NonNull;

use asupersync_sched::inject::Injector;
use asupersync_sched::queue::{LocalQueue, Owner};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use types::seeded;

static TASKS: [u8; 16] = [0; 16];

/// A queue and the turnstile that every thread of a model passes before each operation on it.
///
/// loom explores two accesses in both orders when the later one conflicts with the LATEST earlier
/// access of that atomic. A thief reads `head` before it changes it, and so hides from loom that
/// the owner read it too: without the turnstile, a model whose owner only looks at `head` is run
/// once. The turnstile makes whole operations conflict; it is relaxed, so it orders no memory.
struct Arena {
    queue: Queue,
    turnstile: AtomicUsize,
}

type Queue = LocalQueue<u8, 4>;

impl Arena {
    fn new() -> Arc<Arena> {
        Arc::new(Arena { queue: Queue::new(), turnstile: AtomicUsize::new(0) })
    }

    fn turn(&self) -> &Queue {
        self.turnstile.fetch_add(1, Ordering::Relaxed);
        &self.queue
    }

    /// A thief with a queue of its own: everything that it gets in `attempts` steals.
    fn steal(&self, attempts: usize) -> Vec<usize> {
        let own = Queue::new();
        let thief = own.claim().expect("a queue of its own");
        let mut taken = Vec::new();
        for _ in 0..attempts {
            taken.extend(self.turn().steal_into(&thief).map(number));
        }
        taken.extend(drain(&thief));
        taken
    }

    fn owner(&self) -> Owner<'_, u8, 4> {
        self.queue.claim().expect("nobody else claims it")
    }
}

fn spawn_thief(arena: &Arc<Arena>, attempts: usize) -> thread::JoinHandle<Vec<usize>> {
    let arena = arena.clone();
    thread::spawn(move || arena.steal(attempts))
}

fn task(number: usize) -> NonNull<u8> {
    NonNull::from(&TASKS[number])
}

fn number(task: NonNull<u8>) -> usize {
    task.addr().get() - TASKS.as_ptr().addr()
}

fn drain(owner: &Owner<'_, u8, 4>) -> impl Iterator<Item = usize> {
    // A queue that a mutant has corrupted may never come to an end.
    std::iter::from_fn(|| owner.pop()).map(number).take(TASKS.len())
}

fn assert_each_once(mut left: Vec<usize>, count: usize) {
    left.sort_unstable();
    assert!(left.iter().copied().eq(0..count), "of {count} tasks these left: {left:?}");
}

fn explore(preemptions: usize, model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn holds(preemptions: usize, model: fn()) {
    seeded::clean(|| explore(preemptions, model));
}

/// The owner pushes and pops while one thief steals.
fn push_pop_steal() {
    let arena = Arena::new();
    let thief = spawn_thief(&arena, 2);
    let owner = arena.owner();
    let mut left = Vec::new();
    for n in 0..3 {
        arena.turn();
        owner.push(task(n)).expect("three fit into four");
        if n == 1 {
            left.extend(owner.pop().map(number));
        }
    }
    arena.turn();
    left.extend(owner.pop().map(number));
    left.extend(thief.join().expect("the thief doesn't panic"));
    left.extend(drain(&owner));
    assert_each_once(left, 3);
}

/// The ring goes round while a thief is copying: slots must not be reused too early.
fn push_over_a_steal() {
    let arena = Arena::new();
    let owner = arena.owner();
    (0..4).for_each(|n| owner.push(task(n)).expect("four fit"));
    let thief = spawn_thief(&arena, 1);
    let mut left = Vec::new();
    for n in 4..6 {
        arena.turn();
        left.extend(owner.push(task(n)).err().map(number));
    }
    left.extend(thief.join().expect("the thief doesn't panic"));
    left.extend(drain(&owner));
    assert_each_once(left, 6);
}

/// A push finds the queue full, then a thief empties it before the owner sheds half.
fn overflow_against_a_thief() {
    let arena = Arena::new();
    let owner = arena.owner();
    (0..4).for_each(|n| owner.push(task(n)).expect("four fit"));
    let thief = spawn_thief(&arena, 2);
    let injector = Injector::new();
    for n in 4..6 {
        arena.turn();
        owner.push_or_overflow(task(n), &injector);
    }
    let mut left = thief.join().expect("the thief doesn't panic");
    left.extend(drain(&owner));
    left.extend(std::iter::from_fn(|| injector.pop()).map(number));
    assert_each_once(left, 6);
}

/// Two thieves at one victim: one of them must find the other's claim and turn away.
fn two_thieves() {
    let arena = Arena::new();
    let owner = arena.owner();
    (0..4).for_each(|n| owner.push(task(n)).expect("four fit"));
    let thieves = [spawn_thief(&arena, 1), spawn_thief(&arena, 1)];
    let mut left = Vec::new();
    arena.turn();
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
    holds(3, two_thieves);
}

#[test]
fn workers_that_steal_from_each_other_lose_nothing() {
    holds(3, mutual_theft);
}

mutants::mutants! {
    mutant_overflow_unchecked_is_killed: "queue.overflow-unchecked" breaks || explore(3, overflow_against_a_thief), says "`queue.order`";
    mutant_steal_no_guard_is_killed: "queue.steal-no-guard" breaks || explore(3, two_thieves), says "of 7 tasks these left";
    mutant_copy_after_release_is_killed: "queue.copy-after-release" breaks || explore(3, push_over_a_steal), says "of 6 tasks these left";
    mutant_tail_relaxed_is_killed: "queue.tail-relaxed" breaks || explore(3, push_pop_steal), says "`queue.order`";
    mutant_tail_before_slot_is_killed: "queue.tail-before-slot" breaks || explore(3, push_pop_steal), says "`queue.order`";
    mutant_pop_without_cas_is_killed: "queue.pop-without-cas" breaks || explore(3, push_pop_steal), says "of 3 tasks these left";
}
