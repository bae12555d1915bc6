//! Small random programs that draw random numbers and do what those say: all schedules and all numbers, one by one, and the
//! exploration that branches on them, come to the same, in the same number of classes.
//!
//! Not here: programs without numbers (`program`).
use crate::dice::Dice;
use crate::one_by_one::OneByOne;
use ::explore::Classified;
use asupersync_lab::{Executor, Grain, LabConfig, LabRuntime, Search};
use cx::Cx;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use sync::shared::Shared;

/// What a step does, for each number that it may draw; alone, it draws none.
type Step = Vec<Does>;

#[derive(Clone, Copy, Debug)]
enum Does {
    Nothing,
    Look(usize),
    Change(usize),
}

impl Dice {
    fn does(&mut self) -> Does {
        let value = self.below(2);
        [Does::Nothing, Does::Look(value), Does::Change(value)][self.below(3)]
    }

    fn step(&mut self) -> Step {
        let ways = 1 + self.below(3);
        (0..ways).map(|_| self.does()).collect()
    }

    fn program(&mut self) -> Vec<Vec<Step>> {
        let tasks = 2 + self.below(2);
        let task = |dice: &mut Dice| (0..=dice.below(2)).map(|_| dice.step()).collect();
        (0..tasks).map(|_| task(self)).collect()
    }
}

type Notes = BTreeSet<String>;

fn run(lab: &LabRuntime, program: &[Vec<Step>], notes: &Mutex<Notes>) {
    let saw: Vec<Mutex<Vec<u64>>> = program.iter().map(|_| Mutex::default()).collect();
    let saw = Arc::new(saw);
    let ended = lab.try_run(async |cx| {
        let values = Arc::new([Shared::new(0), Shared::new(0)]);
        for (own, steps) in program.iter().enumerate() {
            let (values, saw, steps) = (values.clone(), saw.clone(), steps.clone());
            cx.spawn(async move |cx: &mut Cx| {
                for step in steps {
                    cx.step().await;
                    let drawn = cx.random_below(step.len() as u64);
                    let found = match step[drawn as usize] {
                        Does::Nothing => 0,
                        Does::Look(at) => values[at].get(),
                        Does::Change(at) => {
                            values[at].write(|value| std::mem::replace(value, 1 + own as u64))
                        }
                    };
                    saw[own].lock().unwrap_or_else(PoisonError::into_inner).extend([drawn, found])
                }
            });
        }
    });
    if ended.is_ok() {
        notes.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{saw:?}"));
    }
}

fn config() -> LabConfig {
    LabConfig::default().traced(false).decide_numbers(4)
}

/// More schedules than this are too many to run.
const ENOUGH: u64 = 5000;

fn by_brute_force(program: &[Vec<Step>]) -> Option<(Notes, u64)> {
    let executor = Executor::new(config(), Grain::Operation);
    let scheduler = Arc::new(Mutex::new(Classified::new(OneByOne::with_empty_beginnings_first())));
    let (notes, mut classes) = (Mutex::default(), BTreeSet::new());
    for _ in 0..ENOUGH {
        executor.execute(&scheduler, |lab| run(lab, program, &notes));
        let mut scheduler = scheduler.lock().unwrap_or_else(PoisonError::into_inner);
        classes.insert(scheduler.class().0);
        if !scheduler.inner_mut().next() {
            let notes = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
            return Some((notes, classes.len() as u64));
        }
    }
    None
}

/// Fails if the exploration of one of these programs misses something, or finds what isn't there.
pub(crate) fn check_chance(programs: u64) {
    let mut compared = 0;
    for seed in 0..programs {
        let program = Dice(seed).program();
        let Some(all) = by_brute_force(&program) else { continue };
        compared += 1;
        for order in 0..3 {
            let notes = Mutex::default();
            let search = Search::every().config(config()).branch_on_random(4);
            let search = if order == 0 { search } else { search.in_random_order(order) };
            let found = search.run_labs("chance", None, |lab| run(lab, &program, &notes));
            let notes = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
            assert_eq!((notes, found.classes), all, "order {order}: {program:?}");
            assert!(found.complete);
        }
    }
    assert!(2 * compared >= programs, "{compared} of {programs} programs were small enough");
}
