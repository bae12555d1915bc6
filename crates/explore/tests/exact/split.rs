//! Explorations that are split: together the parts find every class, and none twice.

use crate::brute::{Executor, Found, REDUCTIONS, all, explorers, machine, run_one};
use crate::closed_forms::lastzero;
use crate::random_programs::{Random, program};
use explore::mini::{Machine, Program, table};
use explore::{Explorer, Reduction};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// An exploration and the parts that it gave away: each at work, waiting, or over.
struct Family {
    explorer: Explorer,
    parts: Vec<Family>,
    /// How many parts there were in all.
    splits: u64,
}

impl Family {
    fn new(explorer: Explorer) -> Family {
        Family { explorer, parts: Vec::new(), splits: 0 }
    }

    /// One of the family, chosen at random, runs an execution, or gives a branch away. Whether all is over.
    fn act(&mut self, random: &mut Random, executor: &mut impl Executor, found: &mut Found) -> bool {
        let turn = random.below(self.parts.len() as u64 + 1) as usize;
        if let Some(part) = self.parts.get_mut(turn) {
            if part.act(random, executor, found) {
                let part = self.parts.swap_remove(turn);
                self.explorer.join(part.explorer);
                self.splits += part.splits + 1;
            }
            return false;
        }
        if random.below(2) == 0
            && let Some(part) = self.explorer.split()
        {
            self.parts.push(Family::new(part));
        }
        if self.explorer.next_execution() {
            run_one(executor, &mut self.explorer, found);
            return false;
        }
        assert!(self.explorer.divergence().is_none());
        assert_eq!(self.explorer.is_waiting(), !self.parts.is_empty());
        self.parts.is_empty()
    }
}

/// How many parts there were, if the program is small enough.
fn check(executor: &mut impl Executor, name: &str) -> Option<u64> {
    let all = all(executor, 3000)?;
    let mut splits = 0;
    for ((how, explorer), seed) in
        explorers(0).flat_map(|explorer| (1..=3).map(move |seed| (explorer.clone(), seed)))
    {
        let mut found = Found::default();
        let mut family = Family::new(explorer);
        let mut random = Random(seed);
        while !family.act(&mut random, executor, &mut found) {}
        assert_eq!(found.classes, all.classes, "{name}, {how}, seed {seed}");
        assert_eq!(found.states, all.states, "{name}, {how}, seed {seed}");
        assert_eq!(found.executions, all.classes.len() as u64, "{name}, {how}, seed {seed}");
        let counts = family.explorer.counts();
        assert_eq!(counts.explored, found.executions, "{name}, {how}, seed {seed}");
        let optimal = family.explorer.is_optimal();
        assert!(!optimal || counts.blocked + counts.pruned == 0, "{name}, {how}, seed {seed}");
        splits += family.splits;
    }
    Some(splits)
}

#[test]
pub(crate) fn the_parts_of_an_exploration_find_every_class_once() {
    let mut splits = 0;
    for row in table::read(include_str!("../data/lab-programs.tsv")).unwrap() {
        splits += check(&mut Machine::new(&row.program), row.name).unwrap_or(0);
    }
    assert!(splits > 500, "{splits} parts are too few to say anything");
}

#[test]
fn so_do_those_of_random_programs() {
    let mut random = Random(0xF00D);
    let (mut checked, programs) = (0, if cfg!(debug_assertions) { 150 } else { 1500 });
    for _ in 0..programs {
        let text = program(&mut random, b"WRFCcLHNnTtSXQq");
        checked += u64::from(check(&mut machine(&text), &text).is_some());
    }
    assert!(checked * 2 > programs, "most programs are small enough: {checked} of {programs}");
}

#[test]
fn a_part_that_is_not_over_is_not_taken_back() {
    for (how, mut whole) in explorers(0) {
        let mut machine = machine("*3 Rx;Wx=$+1");
        let part = loop {
            assert!(whole.next_execution());
            machine.run(&mut whole);
            if let Some(part) = whole.split() {
                break part;
            }
        };
        let joined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| whole.join(part)));
        assert!(joined.is_err(), "{how}");
    }
}

/// Runs an exploration to its end; branches go to new threads as long as `spare` has some.
// Threads are what it is for.
#[allow(clippy::disallowed_methods)]
fn run(program: &Program, mut explorer: Explorer, spare: &AtomicUsize) -> Explorer {
    let mut machine = Machine::new(program);
    thread::scope(|scope| {
        let mut parts = VecDeque::new();
        loop {
            while explorer.next_execution() {
                machine.run(&mut explorer);
                let take = |threads: usize| threads.checked_sub(1);
                if spare.fetch_update(Relaxed, Relaxed, take).is_ok() {
                    match explorer.split() {
                        Some(part) => parts.push_back(scope.spawn(|| run(program, part, spare))),
                        None => drop(spare.fetch_add(1, Relaxed)),
                    }
                }
            }
            let Some(part) = parts.pop_front() else { return explorer };
            explorer.join(part.join().unwrap());
            spare.fetch_add(1, Relaxed);
        }
    })
}

#[test]
fn threads_find_what_one_finds() {
    let (name, text, classes) = lastzero(8);
    let program = Program::parse(&text).unwrap();
    for reduction in REDUCTIONS {
        for threads in [0, 1, 3] {
            let explorer = Explorer::new().reduction(reduction);
            let explorer = run(&program, explorer, &AtomicUsize::new(threads));
            assert_eq!(explorer.counts().explored, classes, "{name} by {} threads", threads + 1);
            assert!(!explorer.is_waiting() && explorer.divergence().is_none());
            // Branches have nothing in common.
            assert!(explorer.is_optimal() || reduction == Reduction::WakeupTrees);
        }
    }
}
