//! How much an exploration stores, on families of programs whose classes are exponentially many.

use crate::brute::machine;
use crate::closed_forms::lastzero;
use crate::random_programs::{Random, program};
use explore::mini::table;
use explore::{Counts, Explorer, Reduction};

/// What the exploration did, the most it stored, and how many steps the longest execution had.
fn explore(text: &str, reduction: Reduction) -> (Counts, usize, usize) {
    let mut explorer = Explorer::new().reduction(reduction);
    let (mut machine, mut longest) = (machine(text), 0);
    while explorer.next_execution() {
        machine.run(&mut explorer);
        longest = longest.max(explorer.steps());
    }
    (explorer.counts(), explorer.most_stored(), longest)
}

fn readers(n: u64) -> (String, String, u64) {
    (format!("readers({n})"), format!("Wx=42 || *{n} Rx"), 1 << n)
}

/// n writers of one cell each, and a task that reads them all.
fn scanner(n: u64) -> (String, String, u64) {
    let cell = |at: u64| char::from(b'a' + at as u8);
    let reads: Vec<String> = (0..n).map(|at| format!("R{}", cell(at))).collect();
    let writers: Vec<String> = (0..n).map(|at| format!("W{0}=1;W{0}=2", cell(at))).collect();
    (format!("scanner({n})"), format!("{} || {}", reads.join(";"), writers.join(" || ")), 3u64.pow(n as u32))
}

#[test]
pub(crate) fn parsimony_stores_what_is_polynomial_in_the_length_of_an_execution() {
    for n in 4..=11 {
        let families = [lastzero(n), readers(n), scanner(n.min(8))];
        for (name, text, classes) in families {
            let (counts, stored, steps) = explore(&text, Reduction::Parsimonious);
            assert_eq!(counts.explored, classes, "{name}");
            assert!(stored <= steps * steps, "{name}: {stored} for {steps} steps");
        }
    }
    for row in table::read(include_str!("../data/lab-programs.tsv")).unwrap() {
        let (_, stored, steps) = explore(row.text, Reduction::Parsimonious);
        assert!(stored <= steps.pow(3), "{}: {stored} for {steps} steps", row.name);
    }
    let mut random = Random(0xB0D);
    for _ in 0..300 {
        let text = program(&mut random, b"WRFCcLHNnTtSXQq");
        let (_, stored, steps) = explore(&text, Reduction::Parsimonious);
        assert!(stored <= steps.pow(3), "{text}: {stored} for {steps} steps");
    }
}

#[test]
fn wakeup_trees_store_something_for_each_class_of_such_families() {
    for family in [lastzero, readers] {
        let (name, text, classes) = family(10);
        let (counts, stored, _) = explore(&text, Reduction::WakeupTrees);
        assert_eq!(counts.explored, classes, "{name}");
        assert!(stored as u64 >= classes / 2, "{name}: {stored} for {classes} classes");
    }
}
