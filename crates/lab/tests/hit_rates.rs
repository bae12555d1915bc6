//! How often samplers meet mistakes on the real kernel, beside the exact probability.
//!
//! Each program is one of the design's table, and is stuck if its mistake happens. The probability is computed by brute force
//! over the same program on the machine of the mini-language, where a task's first step, in which it only says what it
//! will do, is a store to a cell of its own. The hits of 5,000 runs have to lie inside the central 99.9 % of the binomial
//! distribution.
//!
//! Not here: the samplers on that machine, on more programs and more of them (`explore`'s `samplers.rs`).

#[path = "../examples/conformance/tasks.rs"]
mod tasks;

use asupersync_lab::{Executor, Grain, LabConfig, LabFailure, Schedule};
use explore::mini::{Machine, Program};
use std::sync::{Arc, Mutex};

const RUNS: u64 = 5_000;

/// A program, in which the mistake is that somebody never ends.
struct Mistake {
    name: &'static str,
    tasks: Vec<String>,
}

impl Mistake {
    fn new(name: &'static str, tasks: &[&str]) -> Mistake {
        Mistake { name, tasks: tasks.iter().map(ToString::to_string).collect() }
    }

    fn philosophers(name: &'static str, n: u8) -> Mistake {
        let fork = |n: u8| char::from(b'a' + n);
        let one = |i: u8| {
            let (left, right) = (fork(i), fork((i + 1) % n));
            format!("L{left};L{right};U{right};U{left}")
        };
        Mistake { name, tasks: (0..n).map(one).collect() }
    }

    fn program(&self) -> Program {
        Program::parse(&self.tasks.join(" || ")).expect("a program")
    }

    /// With the first step of each task as an operation.
    fn with_first_steps(&self) -> Program {
        let one = |(n, task): (usize, &String)| format!("W{}=1;{task}", char::from(b'p' + n as u8));
        let tasks: Vec<String> = self.tasks.iter().enumerate().map(one).collect();
        Program::parse(&tasks.join(" || ")).expect("a program")
    }

    /// In how many of `RUNS` runs it happens.
    fn hits(&self, schedule: &Schedule) -> u64 {
        let program = Arc::new(self.program());
        let executor = Executor::new(LabConfig::default().traced(false), Grain::Operation);
        let scheduler = Arc::new(Mutex::new(schedule.scheduler(1)));
        let mut hits = 0;
        for _ in 0..RUNS {
            let run = executor.execute(&scheduler, |lab| {
                let ended = lab.try_run(|cx| tasks::run(cx, &program));
                hits += u64::from(matches!(ended, Err(LabFailure::Deadlock { .. })))
            });
            assert!(run.failure.is_none(), "{}", self.name);
        }
        hits
    }
}

/// The probability that a random walk is stuck at its end.
fn random_walk(machine: &Machine) -> f64 {
    let candidates = machine.candidates().len();
    if candidates == 0 {
        let mut end = machine.clone();
        return if end.stuck().is_empty() { 0.0 } else { 1.0 };
    }
    let next = |picked| {
        let mut next = machine.clone();
        next.step(picked);
        random_walk(&next)
    };
    (0..candidates).map(next).sum::<f64>() / candidates as f64
}

/// The probabilities that a binomial variable is at most, and at least, `hits`.
fn tails(hits: u64, probability: f64) -> (f64, f64) {
    let (mut log_choose, mut below, mut above) = (0.0, 0.0, 0.0);
    for k in 0..=RUNS {
        if k > 0 {
            log_choose += ((RUNS - k + 1) as f64).ln() - (k as f64).ln();
        }
        let chance = log_choose + k as f64 * probability.ln() + (RUNS - k) as f64 * (-probability).ln_1p();
        below += if k <= hits { f64::exp(chance) } else { 0.0 };
        above += if k >= hits { f64::exp(chance) } else { 0.0 };
    }
    (below, above)
}

#[test]
fn the_random_walk_meets_each_mistake_as_often_as_it_should() {
    let mistakes = [
        Mistake::new("AB-BA", &["La;Lb;Ub;Ua", "Lb;La;Ua;Ub"]),
        Mistake::philosophers("philosophers(3)", 3),
        Mistake::new("lost wakeup", &["Rf;?=0{Wr=1;Xc}", "Wf=1;Rr;?=1{Sc}"]),
        Mistake::new("publish before init", &["Wg=1;Wd=1", "Rg;?=1{Rd;?=0{#}}"]),
        Mistake::new("uneven(4)", &["Wx=1", "Wx=2;Wx=2;Wx=2;Wx=2;Rx;?=1{#}"]),
    ];
    for mistake in mistakes {
        let probability = random_walk(&Machine::new(&mistake.with_first_steps()));
        let hits = mistake.hits(&Schedule::Random);
        let (below, above) = tails(hits, probability);
        let name = mistake.name;
        assert!(
            below > 0.0005 && above > 0.0005,
            "{name}: {hits} hits in {RUNS} runs are outside the 99.9 % interval of probability {probability}"
        );
    }
}
