//! All outcomes of a program, by every schedule and by the exploration.
//!
//! Not here: the programs (`program`).
#[path = "program.rs"]
mod program;

use crate::every_schedule::every_schedule;
use crate::one_by_one::OneByOne;
use asupersync_lab::{Grain, LabConfig, Search};
pub(crate) use program::Family;
use program::{Op, Program, Wait, run};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// More schedules than this are too many to run.
const ENOUGH: usize = 1500;

fn config(overtakings: u32) -> LabConfig {
    LabConfig::default().traced(false).eager_time(overtakings)
}

fn by_exploration(program: &Program, grain: Grain, overtakings: u32, order: Option<u64>) -> BTreeSet<String> {
    let seen = Mutex::new(BTreeSet::new());
    let search = Search::every().grain(grain).config(config(overtakings));
    let search = match order {
        Some(order) => search.in_random_order(order),
        None => search,
    };
    let found = search.run_labs("outcomes", None, |lab| seen.lock().unwrap().extend(run(lab, program)));
    assert!(found.complete);
    seen.into_inner().unwrap()
}

fn check(program: &Program, grain: Grain, overtakings: u32) -> bool {
    let schedules = match overtakings {
        0 => OneByOne::with_empty_beginnings_first(),
        _ => OneByOne::default(),
    };
    let all = every_schedule(config(overtakings), grain, schedules, ENOUGH, |lab| run(lab, program));
    let Some((all, _)) = all else { return false };
    for order in [None, Some(0), Some(1)] {
        let found = by_exploration(program, grain, overtakings, order);
        assert_eq!(found, all, "{grain:?}, {overtakings} overtakings, order {order:?}: {program:?}");
    }
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
