//! All classes and all outcomes of a program, by every schedule and by explorations in many orders.
//!
//! Not here: the programs (`program`, `suite`).
#[path = "program.rs"]
mod program;
#[path = "suite.rs"]
mod suite;

use crate::one_by_one::OneByOne;
use ::explore::{Ended, Explorer, Fingerprinter, Point, Reduction, Scheduler, Step};
use asupersync_lab::{Execution, Executor, Grain, LabConfig, LabRuntime};
use program::{Program, run};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use trace::Choice;
use types::TaskId;

/// Every schedule, one by one, and the class of each execution, computed twice.
struct Classes {
    schedules: OneByOne,
    class: Fingerprinter,
    classes: BTreeSet<u128>,
    foata: BTreeSet<u128>,
}

impl Classes {
    fn new() -> Self {
        Classes {
            schedules: OneByOne::with_empty_beginnings_first(),
            class: Fingerprinter::default(),
            classes: BTreeSet::new(),
            foata: BTreeSet::new(),
        }
    }

    fn next(&mut self) -> bool {
        self.classes.insert(self.class.fingerprint().0);
        self.foata.insert(self.class.foata().0);
        self.schedules.next()
    }
}

impl Scheduler for Classes {
    fn begin(&mut self) {
        self.class.begin();
        self.schedules.begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.schedules.pick(point)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        let taken = self.schedules.choose(what, options, usual);
        self.class.chose(taken);
        taken
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.class.ran(step);
        self.schedules.ran(step)
    }
    fn ended(&mut self, _: &Ended<'_>) {}
}

/// What there is, or what was found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    classes: BTreeSet<u128>,
    outcomes: BTreeSet<String>,
}

/// Whom the program ever asks to end.
fn asked(program: &Program) -> BTreeSet<TaskId> {
    let mut asked = BTreeSet::new();
    let mut explorer = Explorer::new();
    while explorer.next_execution() {
        let scheduler = Arc::new(Mutex::new(explorer));
        let execution = executor(&asked).execute(&scheduler, |lab| drop(run(lab, program)));
        let more = checked(execution, program);
        explorer = match more.is_empty() {
            true => Arc::into_inner(scheduler).expect("only the run had it").into_inner().unwrap(),
            false => Explorer::new(),
        };
        asked.extend(more);
    }
    asked
}

fn executor(asked: &BTreeSet<TaskId>) -> Executor {
    let config = LabConfig::default().traced(false);
    Executor::new(config, Grain::Operation).looks_at(asked.iter().copied())
}

/// Who was asked, of whom that was not known.
fn checked(execution: Execution, program: &Program) -> Vec<TaskId> {
    if let Some(panic) = execution.failure {
        println!("{program:?}");
        std::panic::resume_unwind(panic)
    }
    execution.unlooked
}

/// More schedules than this are too many to run.
fn enough() -> usize {
    if orders().is_some() { 20_000 } else { 400 }
}

/// Everything, if there are few enough schedules.
fn by_brute_force(program: &Program, asked: &BTreeSet<TaskId>) -> Option<Found> {
    let executor = executor(asked);
    let scheduler = Arc::new(Mutex::new(Classes::new()));
    let mut seen = BTreeSet::new();
    for _ in 0..enough() {
        let execution = executor.execute(&scheduler, |lab: &LabRuntime| seen.extend(run(lab, program)));
        assert_eq!(checked(execution, program), [], "{program:?}");
        let mut all = scheduler.lock().unwrap();
        if !all.next() {
            assert_eq!(all.classes.len(), all.foata.len(), "two fingerprints, two numbers: {program:?}");
            let classes = std::mem::take(&mut all.classes);
            return Some(Found { classes, outcomes: seen });
        }
    }
    None
}

/// What an exploration finds, and whether each of its executions was of a class of its own.
fn by_exploration(program: &Program, asked: &BTreeSet<TaskId>, mut explorer: Explorer) -> (Found, bool) {
    let executor = executor(asked);
    let mut seen = BTreeSet::new();
    let mut classes = BTreeSet::new();
    let mut executions = 0;
    while explorer.next_execution() {
        let before = explorer.counts().explored;
        let scheduler = Arc::new(Mutex::new(explorer));
        let execution = executor.execute(&scheduler, |lab| seen.extend(run(lab, program)));
        explorer = Arc::into_inner(scheduler).expect("only the run had it").into_inner().unwrap();
        assert_eq!(checked(execution, program), [], "{program:?}");
        executions += 1;
        if explorer.counts().explored > before {
            classes.insert(explorer.fingerprint().0);
        }
    }
    assert_eq!(explorer.divergence(), None, "{program:?}");
    let counts = explorer.counts();
    let once =
        explorer.is_optimal() && (counts.blocked, counts.pruned) == (0, 0) && executions == classes.len();
    (Found { classes, outcomes: seen }, once)
}

#[allow(clippy::disallowed_methods, reason = "whoever runs the suite says how much of it")]
fn orders() -> Option<u64> {
    std::env::var("ASUPERSYNC_REQUESTS").ok().map(|n| n.parse().expect("a number"))
}

fn explorers(orders: u64) -> impl Iterator<Item = (String, Explorer)> {
    [Reduction::Parsimonious, Reduction::WakeupTrees].into_iter().flat_map(move |reduction| {
        (0..=orders).map(move |order| {
            let explorer = Explorer::new().reduction(reduction);
            let explorer = if order == 0 { explorer } else { explorer.in_random_order(order) };
            (format!("{reduction:?}, order {order}"), explorer)
        })
    })
}

/// One program of so many; all of them if more was asked for.
fn some_of(programs: Vec<Program>, every: usize) -> impl Iterator<Item = Program> {
    let every = if orders().is_some() { 1 } else { every };
    programs.into_iter().step_by(every)
}

/// How many of the programs were small enough, how many classes they have.
#[derive(Debug, Default)]
struct Tally {
    programs: usize,
    compared: usize,
    classes: usize,
}

fn check(program: &Program, optimal: bool, orders: u64, tally: &mut Tally) {
    tally.programs += 1;
    let asked = asked(program);
    let Some(all) = by_brute_force(program, &asked) else { return };
    for (order, explorer) in explorers(orders) {
        let (found, once) = by_exploration(program, &asked, explorer);
        assert_eq!(found.outcomes, all.outcomes, "{order} of {program:?}");
        if optimal {
            assert_eq!(found.classes, all.classes, "{order} of {program:?}");
            assert!(once, "{order} runs something for nothing: {program:?}");
        }
    }
    tally.compared += 1;
    tally.classes += all.classes.len();
}

/// Explorations run each class once.
pub(crate) fn check_optimal() {
    let mut tally = Tally::default();
    for program in some_of(suite::announced(), 7) {
        check(&program, true, orders().unwrap_or(2), &mut tally)
    }
    println!("{tally:?}");
    assert!(tally.compared * 5 > tally.programs * 2, "many are small enough: {tally:?}");
}

/// Explorations find all outcomes. (Whether a task had to sleep before it went on makes another class, and no difference that
/// anybody could notice.)
pub(crate) fn check_complete() {
    let mut tally = Tally::default();
    for program in some_of(suite::unannounced(), 11) {
        check(&program, false, orders().unwrap_or(1), &mut tally)
    }
    println!("{tally:?}");
    assert!(tally.compared * 5 > tally.programs * 2, "many are small enough: {tally:?}");
}
