//! All outcomes of a program, by every schedule and by the exploration.
//!
//! Not here: the programs (`program`).
#[path = "program.rs"]
mod program;

use ::explore::{Ended, Point, Scheduler, Step};
use asupersync_lab::{Executor, Grain, LabConfig, Search};
pub(crate) use program::Family;
use program::{Op, Program, Seen, Wait, run};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use trace::Choice;

/// Every schedule, one by one: a tree of decisions, of which the last one that can be is moved on.
#[derive(Default)]
struct OneByOne {
    /// What was taken, of how many.
    taken: Vec<(usize, usize)>,
    depth: usize,
}

impl OneByOne {
    fn next(&mut self) -> bool {
        while self.taken.pop_if(|(taken, of)| *taken + 1 == *of).is_some() {}
        self.taken.last_mut().map(|(taken, _)| *taken += 1).is_some()
    }
}

impl Scheduler for OneByOne {
    fn begin(&mut self) {
        self.depth = 0
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        if self.depth == self.taken.len() {
            self.taken.push((0, point.candidates.len()))
        }
        self.depth += 1;
        Some(self.taken[self.depth - 1].0)
    }
    fn choose(&mut self, _: Choice, _: u32, usual: u32) -> u32 {
        usual
    }
    fn ran(&mut self, _: &Step<'_>) {}
    fn ended(&mut self, _: &Ended<'_>) {}
}

/// More schedules than this are too many to run.
const ENOUGH: u64 = 1500;

/// All that the program can come to, if there are few enough schedules.
fn by_brute_force(program: &Program, grain: Grain) -> Option<BTreeSet<String>> {
    let executor = Executor::new(LabConfig::default().traced(false), grain).looks(true);
    let scheduler = Arc::new(Mutex::new(OneByOne::default()));
    let seen = Seen::default();
    for _ in 0..ENOUGH {
        let execution = executor.execute(&scheduler, |lab| run(lab, program, &seen));
        if let Some(panic) = execution.failure {
            std::panic::resume_unwind(panic)
        }
        if !scheduler.lock().unwrap().next() {
            return Some(seen.take());
        }
    }
    None
}

fn by_exploration(program: &Program, grain: Grain) -> BTreeSet<String> {
    let seen = Seen::default();
    let search = Search::every().grain(grain).config(LabConfig::default().traced(false));
    let found = search.run_labs("outcomes", None, |lab| run(lab, program, &seen));
    assert!(found.complete);
    seen.take()
}

fn check(program: &Program, grain: Grain) -> bool {
    let Some(all) = by_brute_force(program, grain) else { return false };
    let found = by_exploration(program, grain);
    assert_eq!(found, all, "{grain:?}: {program:?}");
    true
}

/// Fails if the exploration misses an outcome of one of these programs, or finds one that isn't there.
pub(crate) fn check_family(family: Family, programs: u64) {
    let mut compared = 0;
    for seed in 0..programs {
        let program = Program::random(family, seed);
        for grain in [Grain::Operation, Grain::Poll] {
            compared += u64::from(check(&program, grain));
        }
    }
    assert!(2 * compared >= programs, "{compared} of {programs} programs were small enough");
}

/// A request against a call of all who wait, which only one who sleeps by then hears.
pub(crate) fn check_a_request_against_a_call() {
    use Op::{Cancel, For, Look, NotifyAll, Set};
    let tasks = vec![vec![For(Wait::Notified), Look(0)], vec![Cancel(0), Set(0)], vec![NotifyAll]];
    for grain in [Grain::Operation, Grain::Poll] {
        assert!(check(&Program(tasks.clone()), grain), "few schedules");
    }
}
