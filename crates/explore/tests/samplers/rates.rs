//! Hit rates, measured with fixed seeds, beside the exact probabilities.
use crate::exact::{Fraction, assert_rate, pct, random_walk, tails};
use crate::programs::{self, Mistake};
use explore::mini::{Machine, Program};
use explore::{Pct, Pos, Random, Scheduler, Urw};

fn hits(mistake: &Mistake, scheduler: &mut impl Scheduler, runs: u64) -> u64 {
    let mut machine = mistake.machine();
    (0..runs)
        .filter(|_| {
            let end = machine.run(scheduler);
            (mistake.happened)(&machine, end)
        })
        .count() as u64
}

#[test]
fn brute_force_gives_the_published_probabilities_of_the_random_walk() {
    let fraction = |above, below| Fraction::new(above, below);
    let expected = [
        (programs::ab_ba(), fraction(1, 2), 2, 6),
        (programs::philosophers(3), fraction(1, 3), 6, 168),
        (programs::philosophers(4), fraction(11, 48), 24, 98_184),
        (programs::philosophers(5), fraction(19, 120), 120, 66_468_720),
        (programs::lost_wakeup(), fraction(1, 8), 1, 5),
        (programs::lost_update(2), fraction(1, 2), 4, 6),
        (programs::lost_update(3), fraction(5, 6), 84, 90),
        (programs::lost_update(4), fraction(23, 24), 2496, 2520),
        (programs::publish_before_init(), fraction(1, 8), 2, 5),
        (programs::uneven(25), fraction(1, 1 << 25), 1, 26),
    ];
    for (mistake, probability, mistaken, executions) in expected {
        assert_eq!(random_walk(&mistake), (probability, mistaken, executions), "{}", mistake.name);
    }
}

#[test]
fn the_random_walk_hits_as_often_as_it_should() {
    for (seed, mistake) in programs::all().into_iter().enumerate() {
        let (probability, _, _) = random_walk(&mistake);
        let hits = hits(&mistake, &mut Random::new(100 + seed as u64), 10_000);
        assert_rate(mistake.name, hits, 10_000, probability.value());
    }
}

#[test]
fn over_many_seeds_the_hits_scatter_as_binomial_variables_do() {
    let mistake = programs::lost_update(2);
    let (seeds, runs) = (200, 1000);
    let square = |seed| {
        let distance = hits(&mistake, &mut Random::new(seed), runs) as f64 - runs as f64 / 2.0;
        distance * distance / (runs as f64 / 4.0)
    };
    let chi_square: f64 = (0..seeds).map(square).sum();
    // The central 99.9 % of 200 degrees of freedom (Wilson, Hilferty 1931, good to a unit here).
    assert!((140.6..272.5).contains(&chi_square), "{chi_square}");
}

#[test]
fn ten_thousand_random_walks_miss_what_a_walk_by_lengths_finds_one_time_in_26() {
    let mistake = programs::uneven(25);
    assert_eq!(hits(&mistake, &mut Random::new(1), 10_000), 0);
    let mut urw = Urw::new(1);
    // The first execution knows no lengths yet.
    mistake.machine().run(&mut urw);
    let found = hits(&mistake, &mut urw, 10_000);
    assert_rate("URW on uneven(25)", found, 10_000, 1.0 / 26.0);
}

#[test]
pub(crate) fn the_walk_by_lengths_makes_all_interleavings_equally_likely_where_nobody_waits() {
    for n in 2..=4 {
        let mistake = programs::lost_update(n);
        let (_, mistaken, executions) = random_walk(&mistake);
        let mut urw = Urw::new(n as u64);
        mistake.machine().run(&mut urw);
        let hits = hits(&mistake, &mut urw, 10_000);
        assert_rate(mistake.name, hits, 10_000, mistaken as f64 / executions as f64);
    }
}

/// The most steps an execution of this program can have.
fn longest(mistake: &Mistake) -> u64 {
    fn go(machine: &Machine) -> u64 {
        let next = |picked| {
            let mut next = machine.clone();
            next.step(picked);
            1 + go(&next)
        };
        (0..machine.candidates().len()).map(next).max().unwrap_or(0)
    }
    go(&mistake.machine())
}

#[test]
fn pct_hits_as_often_as_it_should_and_never_less_than_its_bound() {
    // With how many orderings between steps each of them is made to happen.
    let depths = [
        (programs::ab_ba(), 2),
        (programs::lost_wakeup(), 2),
        (programs::publish_before_init(), 2),
        (programs::philosophers(3), 3),
        (programs::lost_update(2), 2),
        (programs::lost_update(3), 2),
        (programs::uneven(7), 1),
    ];
    for (seed, (mistake, depth)) in depths.into_iter().enumerate() {
        let steps = longest(&mistake);
        let exact = pct(&mistake, depth, steps);
        let bound = 1.0 / (mistake.tasks() as f64 * (steps as f64).powi(depth as i32 - 1));
        assert!(exact.value() >= bound, "{}: {exact:?} is below the bound {bound}", mistake.name);
        let mut scheduler = Pct::new(seed as u64, depth, steps);
        let found = hits(&mistake, &mut scheduler, 10_000);
        assert_eq!(scheduler.steps(), steps, "{}", mistake.name);
        assert_rate(mistake.name, found, 10_000, exact.value());
        assert!(
            tails(found, 10_000, bound).0 > 0.001,
            "{}: {found} hits violate the bound {bound}",
            mistake.name
        );
    }
}

#[test]
pub(crate) fn a_task_that_falls_later_may_stay_above_one_that_fell_before() {
    // Two change points are fewer than its depth asks for, and enough when the first priority is right by luck; but only
    // if the later one leaves its task above the earlier one's.
    let mistake = programs::two_falls();
    let steps = longest(&mistake);
    let exact = pct(&mistake, 3, steps);
    assert_eq!((steps, exact), (9, Fraction(1, 486)));
    assert_rate(mistake.name, hits(&mistake, &mut Pct::new(1, 3, steps), 10_000), 10_000, exact.value());
}

#[test]
fn pct_learns_how_long_executions_are() {
    let mistake = programs::philosophers(3);
    let mut scheduler = Pct::new(3, 2, 1);
    mistake.machine().run(&mut scheduler);
    assert_eq!(scheduler.steps(), 12);
}

#[test]
fn partial_order_sampling_reverses_a_race_behind_private_steps_as_often_as_it_should() {
    // The other store must be passed by nine operations, each with a draw of its own: 1/10. A random walk: 1/512.
    let text = format!("{};Wx=1 || Wx=2", ["Wp=1"; 8].join(";"));
    let program = Program::parse(&text).expect("a program");
    let overtaken = |scheduler: &mut dyn Scheduler| {
        let mut machine = Machine::new(&program);
        (0..10_000)
            .filter(|_| {
                machine.run(&mut *scheduler);
                machine.cells()[1] == 2
            })
            .count() as u64
    };
    assert_rate("POS", overtaken(&mut Pos::new(1)), 10_000, 0.1);
    assert_rate("random walk", overtaken(&mut Random::new(1)), 10_000, 1.0 / 512.0);
}

#[test]
pub(crate) fn partial_order_sampling_redraws_what_races() {
    // All stores race with each other, so before each step both draws are new: as the random walk.
    let mistake = programs::uneven(4);
    let found = hits(&mistake, &mut Pos::new(2), 10_000);
    assert_rate("POS on uneven(4)", found, 10_000, 1.0 / 16.0);
}
