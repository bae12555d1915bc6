//! What is said about classes not seen, beside what is true of them.
use crate::exact::assert_rate;
use crate::programs;
use explore::mini::{Machine, Program};
use explore::{Coverage, Ended, Explorer, Fingerprinter, Point, Random, Scheduler, Step};
use trace::Choice;

/// A scheduler, and the class of its last execution.
struct Classes<S>(S, Fingerprinter);

impl<S: Scheduler> Scheduler for Classes<S> {
    fn begin(&mut self) {
        self.1.begin();
        self.0.begin();
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.0.pick(point)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.0.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.1.ran(step);
        self.0.ran(step);
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.0.ended(how);
    }
}

impl<S: Scheduler> Classes<S> {
    fn class(&mut self, machine: &mut Machine) -> u128 {
        machine.run(self);
        self.1.fingerprint().0
    }
}

#[test]
fn the_unseen_probability_is_what_further_runs_find_new() {
    let program = Program::parse("Wx=1;Wx=2;Wx=3 || Rx;Rx;Rx || Rx;Rx;Rx").expect("a program");
    let mut machine = Machine::new(&program);
    let mut walk = Classes(Random::new(1), Fingerprinter::new());
    let mut coverage = Coverage::new();
    for runs in [100, 1000, 3000] {
        while coverage.runs() < runs {
            coverage.saw(walk.class(&mut machine));
        }
        let new = (0..5000).filter(|_| coverage.times(walk.class(&mut machine)) == 0).count() as u64;
        let found = new as f64 / 5000.0;
        assert!(found <= coverage.unseen_at_most(0.001), "{runs} runs: {found} was new, {coverage}");
        // Good and Turing's estimate has a standard error of about its own root over that of the runs; three of them.
        let error = 3.0 * (coverage.unseen().sqrt() / (runs as f64).sqrt() + 0.007);
        assert!((found - coverage.unseen()).abs() < error, "{runs} runs: {found} was new, {coverage}");
    }
    assert!(coverage.classes() <= 400 && coverage.classes_at_least() < 440.0, "{coverage}");
}

#[test]
fn a_sampler_that_has_seen_every_class_differs_in_none_from_the_exploration() {
    let mistake = programs::philosophers(3);
    let mut machine = mistake.machine();
    let mut explored = Coverage::new();
    let mut explorer = Explorer::new();
    while explorer.next_execution() {
        let mut classes = Classes(explorer, Fingerprinter::new());
        assert!(explored.saw(classes.class(&mut machine)), "an exploration repeats no class");
        explorer = classes.0;
    }
    let mut sampled = Coverage::new();
    let mut walk = Classes(Random::new(1), Fingerprinter::new());
    sampled.saw(walk.class(&mut machine));
    assert_eq!(
        sampled.diff(&explored).to_string(),
        "1 classes in both, 0 only in the first, 6 only in the second"
    );
    (0..200).for_each(|_| _ = sampled.saw(walk.class(&mut machine)));
    assert_eq!((sampled.diff(&explored).both, sampled.classes()), (7, 7));
    // And each class comes as often as the brute-forced mistake among them should.
    let (probability, _, _) = crate::exact::random_walk(&mistake);
    let stuck = (0..5000).filter(|_| machine.run(&mut walk) == explore::mini::End::Stuck).count() as u64;
    assert_rate("philosophers(3)", stuck, 5000, probability.value());
}
