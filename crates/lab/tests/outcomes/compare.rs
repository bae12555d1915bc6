//! All outcomes of a program, by every schedule and by the exploration.
//!
//! Not here: the programs (`program`).
#[path = "one_by_one.rs"]
mod one_by_one;
#[path = "program.rs"]
mod program;

use asupersync_lab::{Executor, Grain, LabConfig, Search};
use one_by_one::OneByOne;
pub(crate) use program::Family;
use program::{Op, Program, Seen, Wait, run};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// More schedules than this are too many to run.
const ENOUGH: u64 = 1500;

/// All that the program can come to, if there are few enough schedules.
fn by_brute_force(program: &Program, grain: Grain, overtakings: u32) -> Option<BTreeSet<String>> {
    let config = LabConfig::default().traced(false).eager_time(overtakings);
    let executor = Executor::new(config, grain).looks(true);
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

fn by_exploration(program: &Program, grain: Grain, overtakings: u32) -> BTreeSet<String> {
    let seen = Seen::default();
    let config = LabConfig::default().traced(false).eager_time(overtakings);
    let search = Search::every().grain(grain).config(config);
    let found = search.run_labs("outcomes", None, |lab| run(lab, program, &seen));
    assert!(found.complete);
    seen.take()
}

fn check(program: &Program, grain: Grain, overtakings: u32) -> bool {
    let Some(all) = by_brute_force(program, grain, overtakings) else { return false };
    let found = by_exploration(program, grain, overtakings);
    assert_eq!(found, all, "{grain:?}, {overtakings} overtakings: {program:?}");
    true
}

/// Fails if the exploration misses an outcome of one of these programs, or finds one that isn't there.
pub(crate) fn check_family(family: Family, programs: u64) {
    let compared = compare_family(family, programs, 0);
    assert!(2 * compared >= programs, "{compared} of {programs} programs were small enough");
}

/// The same where the clock may overtake tasks. At least a fifth of the programs has to be small enough then.
pub(crate) fn check_family_in_eager_time(family: Family, programs: u64, overtakings: u32) {
    let compared = compare_family(family, programs, overtakings);
    assert!(5 * compared >= 2 * programs, "{compared} of {} were small enough", 2 * programs);
}

/// How many comparisons were made, two for each program that has few schedules.
fn compare_family(family: Family, programs: u64, overtakings: u32) -> u64 {
    let mut compared = 0;
    for seed in 0..programs {
        let program = Program::random(family, seed);
        for grain in [Grain::Operation, Grain::Poll] {
            compared += u64::from(check(&program, grain, overtakings));
        }
    }
    compared
}

/// A request against a call of all who wait, which only one who sleeps by then hears.
pub(crate) fn check_a_request_against_a_call() {
    use Op::{Cancel, For, Look, NotifyAll, Set};
    let tasks = vec![vec![For(Wait::Notified), Look(0)], vec![Cancel(0), Set(0)], vec![NotifyAll]];
    for grain in [Grain::Operation, Grain::Poll] {
        assert!(check(&Program(tasks.clone()), grain, 0), "few schedules");
    }
}
