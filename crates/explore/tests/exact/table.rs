//! The table of programs with known numbers.

use crate::brute::{check_exact, count, explorers, machine};
use explore::mini::{Machine, table};

const TABLE: &str = include_str!("../data/lab-programs.tsv");

#[test]
fn every_program_of_the_table_has_as_many_executions_as_classes_in_twenty_orders() {
    for row in table::read(TABLE).unwrap() {
        for (how, explorer) in explorers(20) {
            assert_eq!(count(row.text, explorer), row.traces, "{}, {how}", row.name);
        }
    }
}

#[test]
fn as_many_of_them_are_stuck_as_the_table_says() {
    for row in table::read(TABLE).unwrap() {
        for (how, mut explorer) in explorers(0) {
            let mut machine = Machine::new(&row.program);
            while explorer.next_execution() {
                machine.run(&mut explorer);
            }
            assert_eq!(explorer.counts().stuck, row.blocked, "{}, {how}", row.name);
        }
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
