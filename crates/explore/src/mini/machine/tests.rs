//! The machine against the known numbers of executions, and the order of production.

use super::*;
use crate::mini::table;

fn machine(text: &str) -> Machine {
    Machine::new(&Program::parse(text).unwrap())
}

/// Every execution, by copying the machine at each point: how many, how many with stuck tasks.
fn count(machine: &mut Machine, limit: u64) -> (u64, u64) {
    if machine.candidates().is_empty() {
        return (1, u64::from(!machine.stuck().is_empty()));
    }
    let mut sum = (0, 0);
    for picked in 0..machine.candidates().len() {
        if sum.0 > limit {
            break;
        }
        let mut next = machine.clone();
        next.step(picked);
        let (all, stuck) = count(&mut next, limit);
        sum = (sum.0 + all, sum.1 + stuck);
    }
    sum
}

/// Says who ran, in order, picking what it is told and production's choice after that.
struct Picks<'a> {
    picks: &'a [usize],
    at: usize,
    ran: Vec<u64>,
}

impl Scheduler for Picks<'_> {
    fn begin(&mut self) {
        (self.at, self.ran) = (0, Vec::new());
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.at += 1;
        Some(self.picks.get(self.at - 1).copied().unwrap_or(point.usual))
    }

    fn choose(&mut self, _: trace::Choice, _: u32, usual: u32) -> u32 {
        usual
    }

    fn ran(&mut self, step: &Step<'_>) {
        self.ran.extend(step.task.map(TaskId::as_u64));
    }

    fn ended(&mut self, _: &Ended<'_>) {}
}

fn order(text: &str, picks: &[usize]) -> (Vec<u64>, End) {
    let mut picks = Picks { picks, at: 0, ran: Vec::new() };
    let end = machine(text).run(&mut picks);
    (picks.ran, end)
}

#[test]
fn the_programs_of_the_table_have_as_many_executions_as_were_counted() {
    let rows = table::read(include_str!("../../../tests/data/lab-programs.tsv")).unwrap();
    assert_eq!(rows.len(), 49);
    for row in rows {
        match row.interleavings {
            Some(known) => assert_eq!(count(&mut Machine::new(&row.program), known).0, known, "{}", row.name),
            None => assert!(count(&mut Machine::new(&row.program), 20_000).0 > 20_000, "{}", row.name),
        }
    }
}

#[test]
fn production_goes_on_with_a_task_until_it_has_to_wait() {
    assert_eq!(order("Wx=1;Ry || Wy=1;Rx", &[]).0, [0, 0, 1, 1]);
    // The receiver waits; woken by the first send, it queues behind the sender.
    assert_eq!(order("Xc;Xc || Sc;Sc", &[]).0, [1, 1, 0, 0]);
    assert_eq!(order("Xc;Wx=1 || Sc || Wx=2", &[]).0, [1, 2, 0, 0]);
}

#[test]
fn a_task_that_was_passed_over_goes_to_the_back() {
    assert_eq!(order("Wx=1;Wx=2 || Wy=1;Wy=2 || Wz=1;Wz=2", &[1]).0, [1, 1, 2, 2, 0, 0]);
    assert_eq!(order("Wx=1;Wx=2 || Wy=1;Wy=2 || Wz=1;Wz=2", &[2]).0, [2, 2, 0, 0, 1, 1]);
    // One delay is enough for the deadlock.
    assert_eq!(order("La;Lb || Lb;La", &[0, 1]), (vec![0, 1], End::Stuck));
}

#[test]
fn operations_do_what_they_say() {
    let mut one = machine("Wx=5;Rx;Wy=$+2;Fy+3;Cy:10>4;Cy:9>1;Tm;Tm;Um;Qc;Sc;Qc;?=1{Wz=7}:{#}");
    assert_eq!(one.run(&mut Picks { picks: &[], at: 0, ran: Vec::new() }), End::Finished);
    assert_eq!(one.cells(), [5, 4, 7]);
    let accesses = |text: &str| {
        let mut one = machine(text);
        std::iter::from_fn(|| (!one.candidates().is_empty()).then(|| one.step(0).1.access))
            .collect::<Vec<_>>()
    };
    assert_eq!(accesses("Fx+1;Cx:0>2;Cx:1>2"), [Access::Set(1), Access::Read, Access::Set(2)]);
    assert_eq!(accesses("Tm;Tm;Um"), [Access::TryAcquire(1), Access::Refused(1), Access::Release(1)]);
    assert_eq!(
        accesses("Qc;Sc;Qc;Sc;Xc"),
        [Access::Empty, Access::Send, Access::TryReceive, Access::Send, Access::Receive]
    );
}

#[test]
fn who_stops_or_waits_for_ever_is_stuck() {
    let mut one = machine("Rx;?=0{#} || Lm || Lm");
    while !one.candidates().is_empty() {
        one.step(0);
    }
    let stuck = one.stuck();
    assert_eq!(stuck.iter().map(|stuck| stuck.task.as_u64()).collect::<Vec<_>>(), [0, 2]);
    assert_eq!((stuck[0].announced, stuck[1].announced.unwrap().access), (None, Access::Acquire(1)));
}

#[test]
fn a_machine_that_is_reset_begins_again() {
    let fresh = machine("Sc;Fx+1 || Xc;Lm");
    let mut used = fresh.clone();
    while !used.candidates().is_empty() {
        used.step(0);
    }
    assert!(!used.same_state(&fresh));
    used.reset();
    assert!(used.same_state(&fresh));
    assert_eq!(used.candidates(), fresh.candidates());
}

#[test]
#[should_panic(expected = "unlocks a lock that it does not hold")]
fn unlocking_what_one_does_not_hold_is_a_mistake_of_the_program() {
    machine("Um").step(0);
}
