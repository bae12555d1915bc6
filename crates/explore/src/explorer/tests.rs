//! What an explorer says about itself; that it is exact is tested against brute force in `tests/exact`, by both ways.

use super::*;
use crate::mini::{Machine, Program};
use crate::scheduler::{Candidate, Ended, Point, Scheduler, Step, Touch};
use trace::{Access, ObjectId, ObjectKind};
use types::TaskId;

fn machine(text: &str) -> Machine {
    Machine::new(&Program::parse(text).unwrap())
}

fn explore(text: &str, mut explorer: Explorer) -> Explorer {
    let mut machine = machine(text);
    while explorer.next_execution() {
        machine.run(&mut explorer);
    }
    explorer
}

#[test]
fn counts_say_what_was_done() {
    let counts = explore("*2 La;Lb;Ub;Ua || Lb;La;Ua;Ub", Explorer::new()).counts();
    assert_eq!((counts.blocked, counts.pruned), (0, 0));
    assert!(counts.stuck > 0 && counts.stuck < counts.explored && counts.reversed < counts.races);
}

#[test]
fn plans_are_forgotten_once_they_ran() {
    for reduction in [Reduction::Parsimonious, Reduction::WakeupTrees] {
        let explorer = explore("*4 Rx;Wx=$+1", Explorer::new().reduction(reduction));
        assert_eq!((explorer.counts().explored, explorer.stored()), (576, 0), "{reduction:?}");
        assert!(explorer.most_stored() > 0, "{reduction:?}");
    }
}

#[test]
fn a_program_that_only_wakeup_trees_can_explore_costs_no_execution_more_if_the_first_one_shows_it() {
    // Whoever is next announces nothing.
    let mut explorer = Explorer::new();
    while explorer.next_execution() {
        run(&mut explorer, touch(7, Access::Write));
    }
    let counts = explorer.counts();
    assert_eq!((counts.explored, counts.blocked, explorer.is_optimal()), (2, 0, false));
}

#[test]
fn an_exploration_that_is_over_stays_over() {
    let mut explorer = explore("Rx || Ry", Explorer::new());
    assert!(!explorer.next_execution() && !explorer.next_execution());
    assert_eq!(explorer.counts().explored, 1);
}

#[test]
#[should_panic(expected = "after next_execution()")]
fn an_execution_begins_only_when_there_is_one() {
    machine("Rx").run(&mut Explorer::new());
}

#[test]
fn with_little_room_for_plans_nothing_is_missed() {
    for (text, classes) in [("*3 Rx;Wx=$+1", 36), ("*3 Fx+1;Fy+1", 36), ("*3 La;Lb;Ub;Ua", 6)] {
        let explorer = explore(text, Explorer::new().reduction(Reduction::WakeupTrees).with_planned_steps(0));
        assert_eq!((explorer.counts().explored, explorer.is_optimal()), (classes, false), "{text}");
    }
}

fn touch(object: u64, access: Access) -> Touch {
    Touch { object: ObjectId(object), kind: ObjectKind::Value, access, at: None }
}

/// Two tasks of one step each; the second one's is what `later` says at each execution.
fn run(explorer: &mut Explorer, later: Touch) {
    let task = TaskId::from_u64;
    let all = [1, 2].map(|number| Candidate::silent(task(number)));
    explorer.begin();
    let mut left = all.to_vec();
    while !left.is_empty() {
        let Some(picked) = explorer.pick(&Point { candidates: &left, usual: 0 }) else { return };
        let picked = left.remove(picked).task;
        let done = if picked == task(1) { touch(7, Access::Write) } else { later };
        explorer.ran(&Step { task: Some(picked), touches: &[done], enabled: &[] });
    }
    explorer.ended(&Ended { stuck: &[] });
}

#[test]
fn a_program_that_does_something_else_under_the_same_decisions_is_found_out() {
    let mut explorer = Explorer::new();
    assert!(explorer.next_execution());
    run(&mut explorer, touch(7, Access::Write));
    assert!(explorer.next_execution());
    run(&mut explorer, touch(7, Access::Write));
    assert!(!explorer.next_execution() && explorer.divergence().is_none());

    // Three tasks, so that the first step is repeated, and repeated differently.
    let mut explorer = Explorer::new();
    let mut execution = 0;
    while explorer.next_execution() {
        execution += 1;
        let task = TaskId::from_u64;
        explorer.begin();
        let mut left = [1, 2, 3].map(|number| Candidate::silent(task(number))).to_vec();
        while !left.is_empty() {
            let Some(picked) = explorer.pick(&Point { candidates: &left, usual: 0 }) else { break };
            let picked = left.remove(picked).task;
            let access = if picked == task(1) && execution > 1 { Access::Read } else { Access::Write };
            explorer.ran(&Step { task: Some(picked), touches: &[touch(7, access)], enabled: &[] });
        }
        if left.is_empty() {
            explorer.ended(&Ended { stuck: &[] });
        }
    }
    let divergence = explorer.divergence().expect("the second execution differs in its first step");
    assert_eq!((execution, divergence.step, divergence.task), (2, 0, Some(TaskId::from_u64(1))));
    assert_eq!(divergence.expected, "operations [Write of object#7]");
    assert_eq!(divergence.found, "operations [Read of object#7]");
}

#[test]
fn long_executions_need_no_deep_stack() {
    // One task of many steps, and one that races with its first: the plan holds all that follows.
    let many = "Ry;".repeat(20_000);
    let explorer = explore(&format!("Wx=1;{many}Ry || Wx=2"), Explorer::new());
    assert_eq!(explorer.counts().explored, 2);
    let (mut machine, mut explorer) =
        (machine(&format!("Wx=1 || {many}Ry || Wx=2 || Wx=3")), Explorer::new());
    let mut parts = 0;
    while explorer.next_execution() {
        machine.run(&mut explorer);
        // What is planned is copied, and forgotten.
        parts += u32::from(explorer.split().is_some());
    }
    assert!(parts > 0 && explorer.is_waiting());
}
