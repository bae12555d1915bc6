//! The table of programs with known numbers.

use crate::brute::{check_exact, count, machine};
use explore::Explorer;
use explore::mini::{Machine, table};

const TABLE: &str = include_str!("../data/lab-programs.tsv");

#[test]
fn every_program_of_the_table_has_as_many_executions_as_classes_in_twenty_orders() {
    for row in table::read(TABLE).unwrap() {
        assert_eq!(count(row.text, Explorer::new()), row.traces, "{}", row.name);
        for seed in 1..=20 {
            assert_eq!(count(row.text, Explorer::new().in_random_order(seed)), row.traces, "{}", row.name);
        }
    }
}

#[test]
fn as_many_of_them_are_stuck_as_the_table_says() {
    for row in table::read(TABLE).unwrap() {
        let mut explorer = Explorer::new();
        let mut machine = Machine::new(&row.program);
        while explorer.next_execution() {
            machine.run(&mut explorer);
        }
        assert_eq!(explorer.counts().stuck, row.blocked, "{}", row.name);
    }
}

#[test]
fn the_classes_are_those_of_brute_force() {
    let mut checked = 0;
    for row in table::read(TABLE).unwrap() {
        checked += u64::from(check_exact(&machine(row.text), 20_000, 3, row.name));
    }
    assert_eq!(checked, 48, "all but readers(8) have at most 20,000 interleavings");
}
