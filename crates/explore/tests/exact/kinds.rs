//! Random programs over every kind of object, against brute force: steps of one announced operation, of several, tasks
//! that don't say what they wait for, spawning, time, choices.

use crate::brute::{REDUCTIONS, all, explored};
use crate::random_programs::Random;
use crate::world::{Op, Plan, World, total};
use explore::{Explorer, Reduction};
use trace::{Access, Choice, ObjectKind};

/// How many more programs a release build tries.
pub(crate) const MORE: u64 = if cfg!(debug_assertions) { 1 } else { 4 };

/// Steps of the operations that objects of this kind have.
fn some_steps(random: &mut Random, object: usize, kind: ObjectKind) -> Vec<Vec<Op>> {
    let of = |access| Op::Do(object, access);
    let counts = |random: &mut Random, total: u32| match kind {
        ObjectKind::SharedLock { .. } => [1, 1, total][random.below(3) as usize],
        _ => 1 + random.below(u64::from(total)) as u32,
    };
    match kind {
        ObjectKind::Value => match random.below(5) {
            0 => vec![vec![of(Access::Read)]],
            1 => vec![vec![of(Access::Set(random.below(3) as u32))]],
            2 => vec![vec![of(Access::Exchange(random.below(3) as u32))]],
            3 => vec![
                vec![of(Access::Exchange(random.below(3) as u32)), Op::SkipIfFailed],
                vec![of(Access::Read)],
            ],
            _ => vec![vec![of(Access::Read)], vec![of(Access::Set(3))]],
        },
        ObjectKind::Lock | ObjectKind::SharedLock { .. } | ObjectKind::Permits { .. } => {
            let count = counts(random, total(kind));
            match random.below(5) {
                0 => vec![vec![of(Access::Acquire(count))]],
                1 => vec![
                    vec![of(Access::TryAcquire(count)), Op::SkipIfFailed],
                    vec![of(Access::Release(count))],
                ],
                2 => vec![vec![of(Access::TryAcquire(count))]],
                _ => vec![vec![of(Access::Acquire(count))], vec![of(Access::Release(count))]],
            }
        }
        ObjectKind::Slots { .. } => match random.below(2) {
            0 => vec![vec![of(Access::Acquire(1))]],
            _ => vec![vec![of(Access::Release(1))]],
        },
        ObjectKind::Queue => match random.below(6) {
            0 | 1 => vec![vec![of(Access::Send)]],
            2 => vec![vec![of(Access::Receive)]],
            3 => vec![vec![of(Access::TryReceive), Op::SkipIfFailed], vec![of(Access::Send)]],
            4 => vec![vec![of(Access::TryReceive)]],
            _ => vec![vec![of(Access::Receive)], vec![of(Access::Send)]],
        },
        ObjectKind::Moment => match random.below(3) {
            0 => vec![vec![of(Access::Observe)]],
            _ => vec![],
        },
    }
}

/// A few tasks on objects of these kinds. Closes, and what happens, are the last step of one task: who sends after a
/// close, or lets something happen twice, breaks the objects' own rules.
pub(crate) fn some_plan(random: &mut Random, kinds: &[ObjectKind], tasks: u64, steps: u64) -> Plan {
    let mut plan = Plan { kinds: kinds.to_vec(), tasks: Vec::new(), announces: true, masked: Vec::new() };
    for _ in 0..2 + random.below(tasks - 1) {
        let mut task = Vec::new();
        while (task.len() as u64) < 1 + random.below(steps) {
            let object = random.below(kinds.len() as u64) as usize;
            task.extend(some_steps(random, object, kinds[object]));
        }
        plan.tasks.push(task);
    }
    for (object, kind) in kinds.iter().enumerate() {
        if *kind == ObjectKind::Moment {
            let task = random.below(plan.tasks.len() as u64) as usize;
            plan.tasks[task].push(vec![Op::Do(object, Access::Happen)]);
        }
    }
    plan
}

/// The explorer finds every class, every state, and nothing twice; and begins nothing in vain if it says so.
fn check(plan: &Plan, explorer: &Explorer, limit: u64) -> bool {
    let mut world = World::new(plan);
    world.settle(|_| unreachable!("the first step is a task's"));
    let Some(all) = all(&world, limit) else { return false };
    for (reduction, order) in
        REDUCTIONS.into_iter().flat_map(|reduction| (0..3).map(move |order| (reduction, order)))
    {
        let explorer = explorer.clone().reduction(reduction);
        let explorer = match order {
            0 => explorer,
            seed => explorer.in_random_order(seed),
        };
        let (found, explorer) = explored(&mut world, explorer);
        let counts = explorer.counts();
        let name = format!("{reduction:?}, order {order} of {plan:?}");
        assert_eq!(found.classes, all.classes, "{name}");
        assert_eq!(found.states, all.states, "{name}");
        assert_eq!(counts.explored, all.classes.len() as u64, "{name}");
        assert_eq!(all.classes.len(), all.foata.len(), "{name}");
        assert!(!explorer.is_optimal() || (counts.blocked, counts.pruned) == (0, 0), "{counts:?} {name}");
        // What begins again has been as far as it got twice.
        assert!(found.executions <= 2 * counts.explored, "{name}");
    }
    true
}

fn check_many(
    kinds: &[ObjectKind],
    tasks: u64,
    steps: u64,
    programs: u64,
    change: impl Fn(&mut Random, &mut Plan),
) {
    let mut random = Random(kinds.len() as u64 + steps);
    let mut checked = 0;
    let programs = programs * MORE;
    for _ in 0..programs {
        let mut plan = some_plan(&mut random, kinds, tasks, steps);
        change(&mut random, &mut plan);
        checked += u64::from(check(&plan, &Explorer::new(), 3000));
    }
    assert!(checked * 2 > programs, "most programs are small enough: {checked} of {programs}");
}

/// As it is, steps of one announced operation: no execution may be given up.
fn check_exact(kinds: &[ObjectKind], tasks: u64, steps: u64, programs: u64) {
    let mut random = Random(77 + steps);
    let mut checked = 0;
    let programs = programs * MORE;
    for _ in 0..programs {
        let plan = some_plan(&mut random, kinds, tasks, steps);
        let mut world = World::new(&plan);
        let shared = kinds.iter().any(|kind| matches!(kind, ObjectKind::SharedLock { .. }));
        for reduction in REDUCTIONS {
            let (_, explorer) = explored(&mut world, Explorer::new().reduction(reduction));
            // Who excludes others from a shared lock is more than parsimony can foresee.
            assert!(explorer.is_optimal() || shared && reduction == Reduction::Parsimonious, "{plan:?}");
        }
        checked += u64::from(check(&plan, &Explorer::new(), 3000));
    }
    assert!(checked * 2 > programs, "most programs are small enough: {checked} of {programs}");
}

#[test]
pub(crate) fn values() {
    check_exact(&[ObjectKind::Value, ObjectKind::Value], 4, 3, 100);
}

#[test]
pub(crate) fn locks() {
    check_exact(&[ObjectKind::Lock, ObjectKind::Lock], 4, 4, 100);
}

#[test]
pub(crate) fn permits() {
    for total in 1..=3 {
        check_exact(&[ObjectKind::Permits { total }], 4, 3, 100);
    }
}

#[test]
pub(crate) fn three_who_want_two_permits() {
    let kinds = vec![ObjectKind::Permits { total: 2 }];
    let take = vec![Op::Do(0, Access::Acquire(1))];
    for keep in [true, false] {
        let give = vec![Op::Do(0, Access::Release(1))];
        let task = if keep { vec![take.clone()] } else { vec![take.clone(), give] };
        assert!(check(
            &Plan { kinds: kinds.clone(), tasks: vec![task; 3], announces: true, masked: Vec::new() },
            &Explorer::new(),
            3000
        ));
    }
}

#[test]
pub(crate) fn shared_locks() {
    check_exact(&[ObjectKind::SharedLock { total: 50 }], 4, 4, 100);
}

#[test]
pub(crate) fn queues() {
    check_exact(&[ObjectKind::Queue], 4, 3, 100);
    check_exact(&[ObjectKind::Queue, ObjectKind::Queue], 3, 4, 100);
}

#[test]
pub(crate) fn bounded_queues() {
    for total in 1..=2 {
        let mut random = Random(total.into());
        for _ in 0..20 * MORE {
            let put = [vec![Op::Do(0, Access::Acquire(1))], vec![Op::Do(1, Access::Send)]];
            let take = [vec![Op::Do(1, Access::Receive)], vec![Op::Do(0, Access::Release(1))]];
            let mut tasks = Vec::new();
            for side in [&put, &take, [&put, &take][random.below(2) as usize]] {
                tasks.push(vec![side.to_vec(); 1 + random.below(2) as usize].concat());
            }
            let kinds = vec![ObjectKind::Slots { total }, ObjectKind::Queue];
            check(&Plan { kinds, tasks, announces: true, masked: Vec::new() }, &Explorer::new(), 3000);
        }
    }
}

#[test]
pub(crate) fn queues_that_close() {
    let mut random = Random(9);
    for _ in 0..100 * MORE {
        // One task sends and closes, others receive: nothing is sent after the close.
        let of = |access| vec![Op::Do(0, access)];
        let mut sender = vec![of(Access::Send); random.below(3) as usize];
        sender.push(of(Access::Close));
        let receivers = (0..1 + random.below(3)).map(|_| {
            let receive =
                |random: &mut Random| of([Access::Receive, Access::TryReceive][random.below(2) as usize]);
            (0..1 + random.below(2)).map(|_| receive(&mut random)).collect()
        });
        let mut tasks: Vec<Vec<Vec<Op>>> = receivers.collect();
        tasks.push(sender);
        check(
            &Plan { kinds: vec![ObjectKind::Queue], tasks, announces: true, masked: Vec::new() },
            &Explorer::new(),
            3000,
        );
    }
}

#[test]
pub(crate) fn moments() {
    check_exact(&[ObjectKind::Moment, ObjectKind::Value, ObjectKind::Moment], 4, 3, 100);
}

#[test]
pub(crate) fn all_kinds_together() {
    let kinds = [
        ObjectKind::Value,
        ObjectKind::Lock,
        ObjectKind::SharedLock { total: 40 },
        ObjectKind::Permits { total: 2 },
        ObjectKind::Queue,
        ObjectKind::Moment,
    ];
    check_exact(&kinds, 3, 4, 100);
}

/// Tasks that ask others to end, now and then two of them the same one, at any point; to some the requests are hidden.
pub(crate) fn add_requests(random: &mut Random, plan: &mut Plan) {
    let tasks = plan.tasks.len() as u64;
    let asked = random.below(tasks) as usize;
    for _ in 0..1 + random.below(2) {
        let asks = random.below(tasks) as usize;
        let other = if random.below(4) == 0 { random.below(tasks) as usize } else { asked };
        if asks != other {
            let at = random.below(plan.tasks[asks].len() as u64 + 1) as usize;
            // Nothing comes between an attempt and what is left out if it failed.
            let splits = at > 0 && plan.tasks[asks][at - 1].contains(&Op::SkipIfFailed);
            plan.tasks[asks].insert(at - usize::from(splits), vec![Op::Ask(other)]);
        }
    }
    // Who was refused a lock does not give it back.
    for task in &mut plan.tasks {
        for at in 1..task.len() {
            if let ([Op::Do(taken, Access::Acquire(_))], [Op::Do(given, Access::Release(_))]) =
                (&task[at - 1][..], &task[at][..])
                && taken == given
            {
                task[at - 1].push(Op::SkipIfFailed);
            }
        }
    }
    plan.masked.extend((0..tasks as usize).filter(|_| random.below(6) == 0));
}

/// Explorations of programs with requests are optimal too, in any order.
fn check_requests(kinds: &[ObjectKind], tasks: u64, steps: u64, programs: u64) {
    let mut random = Random(5 + steps);
    let (mut checked, mut asking) = (0, 0);
    let programs = programs * MORE;
    for _ in 0..programs {
        let mut plan = some_plan(&mut random, kinds, tasks, steps);
        add_requests(&mut random, &mut plan);
        if !plan.tasks.iter().flatten().flatten().any(|op| matches!(op, Op::Ask(_))) {
            continue;
        }
        asking += 1;
        let mut world = World::new(&plan);
        for reduction in REDUCTIONS {
            for order in 0..3 {
                let explorer = Explorer::new().reduction(reduction);
                let explorer = if order == 0 { explorer } else { explorer.in_random_order(order) };
                let (_, explorer) = explored(&mut world, explorer);
                assert!(explorer.is_optimal(), "{reduction:?}, order {order}: {plan:?}");
            }
        }
        checked += u64::from(check(&plan, &Explorer::new(), 3000));
    }
    assert!(checked * 2 > asking, "most programs are small enough: {checked} of {asking}");
    assert!(asking * 2 > programs, "{asking} of {programs} programs ask somebody to end");
}

#[test]
pub(crate) fn requests_to_end() {
    check_requests(&[ObjectKind::Lock, ObjectKind::Value], 3, 3, 100);
    check_requests(&[ObjectKind::Permits { total: 2 }], 4, 2, 100);
    check_requests(&[ObjectKind::Queue, ObjectKind::Value], 3, 3, 100);
    check_requests(&[ObjectKind::Moment, ObjectKind::Lock, ObjectKind::Queue], 3, 3, 100);
    check_requests(&[ObjectKind::SharedLock { total: 10 }], 3, 3, 100);
}

/// Joins some steps with the one before. Who has to wait in the middle of a step is parked there.
pub(crate) fn join_steps(random: &mut Random, plan: &mut Plan) {
    for task in &mut plan.tasks {
        let mut at = 1;
        while at < task.len() {
            let skips = task[at - 1].contains(&Op::SkipIfFailed)
                || at > 1 && task[at - 2].contains(&Op::SkipIfFailed);
            if skips || random.below(2) == 0 {
                at += 1;
            } else {
                let step = task.remove(at);
                task[at - 1].extend(step);
            }
        }
    }
}

pub(crate) const MANY: &[ObjectKind] =
    &[ObjectKind::Value, ObjectKind::Value, ObjectKind::Lock, ObjectKind::Queue];

#[test]
pub(crate) fn steps_of_several_operations() {
    check_many(MANY, 4, 4, 150, join_steps);
    check_many(&[ObjectKind::Value, ObjectKind::Value], 4, 4, 150, join_steps);
}

#[test]
pub(crate) fn steps_that_go_on_because_something_happened() {
    let mut random = Random(8);
    for _ in 0..150 * MORE {
        let mut plan =
            some_plan(&mut random, &[ObjectKind::Value, ObjectKind::Value, ObjectKind::Moment], 3, 4);
        plan.announces = random.below(2) == 0;
        join_steps(&mut random, &mut plan);
        let mut world = World::new(&plan);
        let Some(all) = all(&world, 3000) else { continue };
        for seed in 1..4 {
            // Whether a task was parked before it went on, or came later, is no difference that anybody could notice: it
            // makes two classes for the fingerprint, one for the exploration. The states say what was missed.
            let (found, _) = explored(&mut world, Explorer::new().in_random_order(seed));
            assert_eq!(found.states, all.states, "order {seed} of {plan:?}");
        }
    }
}

#[test]
pub(crate) fn tasks_that_are_parked_without_saying_for_what() {
    check_many(MANY, 3, 4, 150, |_, plan| plan.announces = false);
    check_many(&[ObjectKind::Permits { total: 2 }, ObjectKind::Queue], 3, 4, 150, |random, plan| {
        plan.announces = false;
        join_steps(random, plan);
    });
}

#[test]
pub(crate) fn tasks_that_are_spawned_and_joined() {
    check_many(&[ObjectKind::Value, ObjectKind::Queue, ObjectKind::Moment], 3, 3, 100, |random, plan| {
        let last = plan.tasks.len() - 1;
        let at = random.below(plan.tasks[0].len() as u64) as usize;
        plan.tasks[0].insert(at, vec![Op::Spawn(last)]);
    });
}

#[test]
pub(crate) fn the_world_s_own_steps_come_after_everything_and_before_everything() {
    check_many(&[ObjectKind::Value, ObjectKind::Lock], 3, 4, 100, |random, plan| {
        for task in &mut plan.tasks {
            let at = random.below(task.len() as u64 + 1) as usize;
            task.insert(at, vec![Op::Sleep]);
        }
    });
}

#[test]
pub(crate) fn choices_inside_steps_branch_when_they_are_asked_to() {
    let mut random = Random(3);
    for _ in 0..100 * MORE {
        let mut plan = some_plan(&mut random, MANY, 3, 3);
        for task in &mut plan.tasks {
            let at = random.below(task.len() as u64 + 1) as usize;
            let choice = [vec![Op::Choose(2)], vec![Op::Choose(3)], vec![Op::Choose(2), Op::Choose(2)]];
            let mut step = choice[random.below(3) as usize].clone();
            if random.below(2) == 0 {
                step.push(Op::SkipIfFailed);
            }
            task.insert(at, step);
        }
        check(&plan, &Explorer::new().branch_on(Choice::Random), 6000);
    }
}
