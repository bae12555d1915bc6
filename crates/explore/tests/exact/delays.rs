//! Schedules within a number of delays, against brute force.

use crate::brute::machine;
use explore::mini::{Machine, table};
use explore::{DelayBound, Ended, Fingerprinter, Point, Scheduler, Step};
use std::collections::BTreeSet;
use trace::Choice;

/// A schedule: who took each step.
type Schedule = Vec<u64>;

/// All schedules with at most so many delays, by copying the machine at each point.
fn within(machine: &Machine, delays: usize, schedule: &mut Schedule, all: &mut Vec<Schedule>) {
    if machine.candidates().is_empty() {
        all.push(schedule.clone());
    }
    for picked in 0..machine.candidates().len().min(delays + 1) {
        let mut next = machine.clone();
        schedule.push(next.step(picked).0.as_u64());
        within(&next, delays - picked, schedule, all);
        schedule.pop();
    }
}

/// Notes the schedule and the class of what another decides.
struct Noting<'a> {
    inner: &'a mut DelayBound,
    schedule: Schedule,
    class: Fingerprinter,
}

impl Scheduler for Noting<'_> {
    fn begin(&mut self) {
        self.schedule.clear();
        self.class.begin();
        self.inner.begin();
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner.pick(point)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner.choose(what, options, usual)
    }

    fn ran(&mut self, step: &Step<'_>) {
        self.schedule.extend(step.task.map(types::TaskId::as_u64));
        self.class.ran(step);
        self.inner.ran(step);
    }

    fn ended(&mut self, how: &Ended<'_>) {
        self.inner.ended(how);
    }
}

fn explored(machine: &mut Machine, delays: usize) -> (Vec<Schedule>, BTreeSet<u128>) {
    let (mut schedules, mut classes) = (Vec::new(), BTreeSet::new());
    let mut bound = DelayBound::new(delays);
    while bound.next_execution() {
        let mut noting = Noting { inner: &mut bound, schedule: Vec::new(), class: Fingerprinter::new() };
        machine.run(&mut noting);
        schedules.push(noting.schedule);
        classes.insert(noting.class.fingerprint().0);
        assert!(bound.delays() <= delays);
    }
    assert_eq!((bound.divergence(), bound.explored()), (None, schedules.len() as u64));
    (schedules, classes)
}

#[test]
fn every_schedule_within_the_bound_is_run_once() {
    for row in table::read(include_str!("../data/lab-programs.tsv")).unwrap() {
        let mut machine = machine(row.text);
        for delays in 0..=3 {
            let mut all = Vec::new();
            within(&machine, delays, &mut Vec::new(), &mut all);
            let (mut schedules, _) = explored(&mut machine.clone(), delays);
            all.sort();
            schedules.sort();
            assert_eq!(schedules, all, "{} within {delays}", row.name);
            schedules.dedup();
            assert_eq!(schedules.len(), all.len(), "{} within {delays}", row.name);
        }
        machine.reset();
    }
}

#[test]
fn without_delays_there_is_production_s_schedule_only() {
    let (schedules, _) = explored(&mut machine("Wx=1;Ry || Wy=1;Rx"), 0);
    assert_eq!(schedules, [[0, 0, 1, 1]]);
}

#[test]
fn with_enough_delays_every_class_is_found() {
    for (text, classes) in [("Wx=1;Ry || Wy=1;Rx", 3), ("*3 Fx+1", 6), ("La;Lb;Ub;Ua || Lb;La;Ua;Ub", 3)] {
        assert_eq!(explored(&mut machine(text), 20).1.len(), classes, "{text}");
    }
}

#[test]
fn known_mistakes_need_as_many_delays_as_is_known() {
    // Two tasks lose an update, or lock each other out, after one delay.
    for (text, wrong) in [("*2 Rx;Wx=$+1", 1), ("La;Lb;Ub;Ua || Lb;La;Ua;Ub", 1)] {
        assert_eq!(explored(&mut machine(text), 0).1.len(), wrong, "{text}");
        assert!(explored(&mut machine(text), 1).1.len() > wrong, "{text}");
    }
}
