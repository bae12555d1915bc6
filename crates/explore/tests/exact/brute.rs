//! What there is to find: all executions of a program, one after the other, without any reduction.

use explore::mini::{Machine, Program};
use explore::{Explorer, Fingerprinter, Reduction, Scheduler, Step};
use std::collections::BTreeSet;

/// Something that can be run step by step, and copied at any point.
pub(crate) trait Executor: Clone {
    /// How many could take the next step.
    fn candidates(&self) -> usize;
    /// In how many ways that one could.
    fn choices(&self, picked: usize) -> u32;
    /// It does, in this way; the fingerprinter is told. Returns how many steps that made, the world's own included.
    fn step(&mut self, picked: usize, choice: u32, fingerprinter: &mut Fingerprinter) -> usize;
    /// The state, in words or numbers, in which equal means equal.
    fn state(&self) -> String;
    /// Runs once from the beginning.
    fn run(&mut self, scheduler: &mut dyn Scheduler);
}

impl Executor for Machine {
    fn candidates(&self) -> usize {
        Machine::candidates(self).len()
    }

    fn choices(&self, _: usize) -> u32 {
        1
    }

    fn step(&mut self, picked: usize, _: u32, fingerprinter: &mut Fingerprinter) -> usize {
        let (task, touch) = Machine::step(self, picked);
        fingerprinter.ran(&Step { task: Some(task), touches: &[touch], enabled: &[] });
        1
    }

    fn state(&self) -> String {
        let stuck: Vec<_> = self.clone().stuck().iter().map(|stuck| stuck.task).collect();
        format!("{:?} {:?} {stuck:?}", self.cells(), self.lasts())
    }

    fn run(&mut self, scheduler: &mut dyn Scheduler) {
        Machine::run(self, scheduler);
    }
}

/// What an exploration found, or what there is.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) executions: u64,
    pub(crate) classes: BTreeSet<u128>,
    pub(crate) foata: BTreeSet<u128>,
    pub(crate) states: BTreeSet<String>,
}

/// All executions, unless there are more than `limit`.
pub(crate) fn all(executor: &impl Executor, limit: u64) -> Option<Found> {
    let mut found = Found::default();
    visit(executor, &mut Fingerprinter::new(), limit, &mut found).then_some(found)
}

fn visit<E: Executor>(
    executor: &E,
    fingerprinter: &mut Fingerprinter,
    limit: u64,
    found: &mut Found,
) -> bool {
    if executor.candidates() == 0 {
        found.executions += 1;
        found.classes.insert(fingerprinter.fingerprint().0);
        found.foata.insert(fingerprinter.foata().0);
        found.states.insert(executor.state());
    }
    let ways = (0..executor.candidates())
        .flat_map(|picked| (0..executor.choices(picked)).map(move |way| (picked, way)));
    for (picked, choice) in ways {
        let mut next = executor.clone();
        let steps = next.step(picked, choice, fingerprinter);
        let enough = found.executions <= limit && visit(&next, fingerprinter, limit, found);
        (0..steps).for_each(|_| fingerprinter.undo());
        if !enough {
            return false;
        }
    }
    true
}

/// One execution, and what it adds to what was found.
pub(crate) fn run_one(executor: &mut impl Executor, explorer: &mut Explorer, found: &mut Found) {
    let before = explorer.counts().explored;
    executor.run(explorer);
    if explorer.counts().explored > before {
        found.executions += 1;
        found.classes.insert(explorer.fingerprint().0);
        found.foata.insert(explorer.foata().0);
        found.states.insert(executor.state());
    }
}

/// What the explorer finds.
pub(crate) fn explored(executor: &mut impl Executor, mut explorer: Explorer) -> (Found, Explorer) {
    let mut found = Found::default();
    while explorer.next_execution() {
        run_one(executor, &mut explorer, &mut found);
    }
    assert_eq!(explorer.divergence(), None);
    (found, explorer)
}

/// Both ways to explore.
pub(crate) const REDUCTIONS: [Reduction; 2] = [Reduction::Parsimonious, Reduction::WakeupTrees];

/// In these ways, each in production's order and in so many random ones.
pub(crate) fn explorers(orders: u64) -> impl Iterator<Item = (String, Explorer)> {
    REDUCTIONS.into_iter().flat_map(move |reduction| {
        let explorer = Explorer::new().reduction(reduction);
        (0..=orders).map(move |order| match order {
            0 => (format!("{reduction:?}"), explorer.clone()),
            seed => (format!("{reduction:?}, order {seed}"), explorer.clone().in_random_order(seed)),
        })
    })
}

/// The explorer finds every class once and nothing else, either way, in production's order and in random ones.
pub(crate) fn check_exact(executor: &impl Executor, limit: u64, orders: u64, name: &str) -> bool {
    let Some(all) = all(executor, limit) else { return false };
    assert_eq!(all.classes.len(), all.foata.len(), "{name}: two fingerprints, two numbers of classes");
    for (order, explorer) in explorers(orders) {
        let (found, explorer) = explored(&mut executor.clone(), explorer);
        let counts = explorer.counts();
        assert_eq!(
            (found.executions, counts.blocked, counts.pruned),
            (all.classes.len() as u64, 0, 0),
            "{name}: {order}"
        );
        assert_eq!(found.classes, all.classes, "{name}: {order}");
        assert_eq!(found.foata, all.foata, "{name}: {order}");
        assert_eq!(found.states, all.states, "{name}: {order}");
    }
    // With no room for plans: more executions are begun, the same ones end.
    let (found, _) = explored(&mut executor.clone(), without_plans());
    assert_eq!(found.executions, all.classes.len() as u64, "{name}: without plans");
    assert_eq!(found.classes, all.classes, "{name}: without plans");
    true
}

/// Wakeup trees without room for them.
pub(crate) fn without_plans() -> Explorer {
    Explorer::new().reduction(Reduction::WakeupTrees).with_planned_steps(0)
}

pub(crate) fn machine(text: &str) -> Machine {
    Machine::new(&Program::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// How many classes the explorer finds; none of them begun for nothing.
pub(crate) fn count(text: &str, explorer: Explorer) -> u64 {
    let mut machine = machine(text);
    let mut explorer = explorer;
    while explorer.next_execution() {
        machine.run(&mut explorer);
    }
    let counts = explorer.counts();
    assert_eq!(explorer.divergence(), None, "{text}");
    assert_eq!((counts.blocked, counts.pruned), (0, 0), "{text}: executions begun for nothing");
    counts.explored
}
