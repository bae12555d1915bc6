//! Random programs in which tasks ask others to end, and do more in a step than they announced, or announce nothing: an
//! exploration can't foresee there who will be refused what, and has to find every state all the same.
//!
//! Whether a task was parked before it went on, or came later, is no difference that anybody could notice: it makes two classes
//! for the fingerprint, one for the exploration. So states are compared. A failure prints the smallest program that shows it.
//!
//! Not here: tasks that announce all that they do (`kinds`), of which each class is explored once; the same over the lab's
//! primitives (`lab/tests/every_primitive`).

use crate::brute::{all, explored, explorers};
use crate::kinds::{MANY, MORE, add_requests, join_steps, some_plan};
use crate::random_programs::Random;
use crate::world::{Op, Plan, World};
use trace::ObjectKind;

/// A program whose executions are more than these is too large.
const ENOUGH: u64 = 2000;

/// The first exploration that misses a state, or finds one that is not there, and which; no answer if the program is too large.
fn difference(plan: &Plan) -> Option<Option<String>> {
    let mut world = World::new(plan);
    world.settle(|_| unreachable!("the first step is a task's"));
    let all = all(&world, ENOUGH)?;
    let differs = |(order, explorer)| {
        let (found, _) = explored(&mut World::new(plan), explorer);
        let missed: Vec<_> = all.states.difference(&found.states).collect();
        let invented: Vec<_> = found.states.difference(&all.states).collect();
        let differs = found.states != all.states;
        differs.then(|| format!("{order} missed {missed:?}, and found {invented:?}, which isn't there"))
    };
    Some(explorers(4).find_map(differs))
}

/// The smallest program that shows a difference, and that.
fn smallest(mut plan: Plan, mut differs: String) -> String {
    while let Some((less, so)) =
        smaller(&plan).into_iter().find_map(|less| difference(&less).flatten().map(|so| (less, so)))
    {
        (plan, differs) = (less, so)
    }
    format!("{differs}: {plan:?}")
}

/// Programs that do a little less.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    for (task, steps) in plan.tasks.iter().enumerate() {
        for (at, step) in steps.iter().enumerate() {
            for op in 0..step.len() {
                let mut less = plan.clone();
                less.tasks[task][at].remove(op);
                if less.tasks[task][at].is_empty() {
                    less.tasks[task].remove(at);
                }
                all.push(less)
            }
        }
    }
    for at in 0..plan.masked.len() {
        let mut less = plan.clone();
        less.masked.remove(at);
        all.push(less)
    }
    all
}

fn check(kinds: &[ObjectKind], tasks: u64, steps: u64, change: impl Fn(&mut Random, &mut Plan)) {
    let mut random = Random(kinds.len() as u64 + 10 * steps);
    let programs = 100 * MORE;
    let (mut asking, mut compared) = (0, 0);
    for _ in 0..programs {
        let mut plan = some_plan(&mut random, kinds, tasks, steps);
        add_requests(&mut random, &mut plan);
        change(&mut random, &mut plan);
        let Some(differs) = difference(&plan) else { continue };
        compared += 1;
        asking += u64::from(plan.tasks.iter().flatten().flatten().any(|op| matches!(op, Op::Ask(_))));
        if let Some(differs) = differs {
            panic!("{}", smallest(plan, differs))
        }
    }
    assert!(2 * compared > programs, "most programs are small enough: {compared} of {programs}");
    assert!(2 * asking > compared, "{asking} of {compared} programs ask somebody to end");
}

const SOME: &[&[ObjectKind]] = &[
    &[ObjectKind::Lock, ObjectKind::Value],
    &[ObjectKind::Permits { total: 2 }, ObjectKind::Lock],
    &[ObjectKind::Queue, ObjectKind::Value],
    &[ObjectKind::Moment, ObjectKind::Lock],
];

#[test]
pub(crate) fn requests_among_steps_of_several_operations() {
    for kinds in SOME {
        check(kinds, 3, 4, join_steps);
    }
    check(MANY, 3, 4, join_steps);
}

#[test]
pub(crate) fn requests_of_tasks_that_announce_nothing() {
    for kinds in SOME {
        check(kinds, 3, 3, |_, plan| plan.announces = false);
    }
}

#[test]
pub(crate) fn requests_of_tasks_that_announce_nothing_and_do_several_things_in_a_step() {
    for kinds in SOME {
        check(kinds, 3, 4, |random, plan| {
            plan.announces = false;
            join_steps(random, plan)
        });
    }
    check(MANY, 3, 4, |random, plan| {
        plan.announces = false;
        join_steps(random, plan)
    });
}
