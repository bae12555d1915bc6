//! Shrinking failing schedules of known programs.
use crate::programs::{self, Mistake};
use explore::mini::Machine;
use explore::{Decisions, Random, Recorded, Recording, Shrinker, StepLog, Taken, Verdict};
use trace::Access;

/// Runs the list; the execution and its steps, if it made the mistake.
fn failing(mistake: &Mistake, decisions: &Decisions) -> Option<(Taken, StepLog)> {
    let mut machine = mistake.machine();
    let mut scheduler = Recording::with_steps(Recorded::lenient(decisions.clone()));
    let end = machine.run(&mut scheduler);
    let steps = scheduler.steps().expect("they are recorded").clone();
    (mistake.happened)(&machine, end).then(|| (scheduler.taken(), steps))
}

fn random_failure(mistake: &Mistake, seed: u64) -> Taken {
    let mut machine = mistake.machine();
    let mut scheduler = Recording::new(Random::new(seed));
    loop {
        let end = machine.run(&mut scheduler);
        if (mistake.happened)(&machine, end) {
            return scheduler.taken();
        }
    }
}

fn shrink(mistake: &Mistake, shrinker: &mut Shrinker) {
    while let Some(proposal) = shrinker.propose() {
        shrinker.tell(match failing(mistake, &proposal) {
            Some((taken, _)) => Verdict::Failed(taken),
            None => Verdict::Passed,
        });
    }
}

/// The fewest deviations with which the mistake can be had, by trying them all.
fn fewest_deviations(mistake: &Mistake) -> usize {
    fn go(machine: &Machine, mistake: &Mistake, left: usize) -> bool {
        if machine.candidates().is_empty() {
            let mut machine = machine.clone();
            let end = if machine.stuck().is_empty() {
                explore::mini::End::Finished
            } else {
                explore::mini::End::Stuck
            };
            return (mistake.happened)(&machine, end);
        }
        (0..machine.candidates().len()).any(|picked| {
            let mut next = machine.clone();
            next.step(picked);
            (picked == 0 || left > 0) && go(&next, mistake, left - usize::from(picked > 0))
        })
    }
    (0..).find(|fewest| go(&mistake.machine(), mistake, *fewest)).expect("some number will do")
}

#[test]
pub(crate) fn every_random_failure_shrinks_to_the_fewest_deviations_there_are_and_none_can_be_left_out() {
    let known = [
        (programs::lost_update(2), 1),
        (programs::lost_update(3), 1),
        (programs::lost_update(4), 1),
        (programs::ab_ba(), 1),
        (programs::publish_before_init(), 1),
        (programs::lost_wakeup(), 1),
        (programs::philosophers(3), 2),
        (programs::philosophers(4), 3),
    ];
    for (mistake, fewest) in known {
        assert_eq!(fewest_deviations(&mistake), fewest, "{}", mistake.name);
        for seed in 0..100 {
            let mut shrinker = Shrinker::new(random_failure(&mistake, seed), 100_000);
            shrink(&mistake, &mut shrinker);
            assert!(shrinker.is_minimal(), "{}, seed {seed}", mistake.name);
            let best = shrinker.best();
            let deviations = best.decisions.deviations();
            assert_eq!(deviations.len(), fewest, "{}, seed {seed}: {best:?}", mistake.name);
            assert!(failing(&mistake, &best.decisions).is_some(), "{}, seed {seed}", mistake.name);
            for without in 0..deviations.len() {
                let mut fewer = deviations.to_vec();
                fewer.remove(without);
                let fewer = Decisions::new(best.decisions.len(), fewer);
                assert!(failing(&mistake, &fewer).is_none(), "{}, seed {seed}: {best:?}", mistake.name);
            }
        }
    }
}

#[test]
fn shrinking_takes_up_where_its_limit_stopped_it() {
    let mistake = programs::philosophers(4);
    let failure = random_failure(&mistake, 1);
    let mut whole = Shrinker::new(failure.clone(), u64::MAX);
    shrink(&mistake, &mut whole);
    let mut parts = Shrinker::new(failure, 0);
    while !parts.is_minimal() {
        parts.extend(3);
        shrink(&mistake, &mut parts);
    }
    assert_eq!((parts.best(), parts.proposed()), (whole.best(), whole.proposed()));
}

#[test]
fn a_list_that_does_not_fail_again_is_not_shrunk() {
    let mistake = programs::ab_ba();
    let mut shrinker = Shrinker::from_decisions(Decisions::usual(8), 100);
    shrink(&mistake, &mut shrinker);
    assert_eq!((shrinker.reproduced(), shrinker.is_minimal(), shrinker.proposed()), (Some(false), false, 1));
}

/// The racing pair of the shrunk failure: who overtook, doing what, and who was overtaken, before what.
fn racing(mistake: &Mistake, seed: u64) -> String {
    let mut shrinker = Shrinker::new(random_failure(mistake, seed), 10_000);
    shrink(mistake, &mut shrinker);
    let (_, steps) = failing(mistake, &shrinker.best().decisions).expect("the best one fails");
    let pair = steps.racing_pair().unwrap_or_else(|| panic!("{}: no pair in {steps:?}", mistake.name));
    assert_eq!(pair.delayed.touch.object, pair.overtaking.touch.object);
    pair.to_string()
}

#[test]
pub(crate) fn the_racing_pair_is_the_operations_whose_order_is_the_mistake() {
    for seed in 0..20 {
        let pair = racing(&programs::lost_update(2), seed);
        assert!(
            [
                "task#1 reads object#0, before task#0 writes object#0",
                "task#0 reads object#0, before task#1 writes object#0"
            ]
            .contains(&pair.as_str()),
            "{pair}"
        );
        let pair = racing(&programs::publish_before_init(), seed);
        assert_eq!(pair, "task#1 reads object#1, before task#0 writes object#1");
        let pair = racing(&programs::ab_ba(), seed);
        assert!(
            [
                "task#1 takes object#1, before task#0 takes object#1, which never happens",
                "task#0 takes object#0, before task#1 takes object#0, which never happens"
            ]
            .contains(&pair.as_str()),
            "{pair}"
        );
    }
}

#[test]
fn a_schedule_without_departures_has_no_racing_pair() {
    let mistake = programs::lost_update(2);
    let mut scheduler = Recording::with_steps(explore::Fifo);
    mistake.machine().run(&mut scheduler);
    let steps = scheduler.steps().expect("they are recorded");
    assert_eq!((steps.len(), steps.racing_pair()), (4, None));
    let accesses: Vec<Access> = steps.rows().map(|row| row.touches[0].access).collect();
    assert_eq!(accesses, [Access::Read, Access::Set(1), Access::Read, Access::Set(2)]);
}
