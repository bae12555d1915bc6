//! The tables of programs with known numbers.

use crate::brute::{check_exact, count, explorers, machine};
use explore::mini::{Machine, table};

const TABLE: &str = include_str!("../data/lab-programs.tsv");
/// Drawn and counted by `independent.py` beside it, which shares nothing with this crate.
const INDEPENDENT: &str = include_str!("../data/independent-programs.tsv");

#[test]
fn every_program_of_the_table_has_as_many_executions_as_classes_in_twenty_orders() {
    for row in table::read(TABLE).unwrap() {
        for (how, explorer) in explorers(20) {
            assert_eq!(count(row.text, explorer), row.traces, "{}, {how}", row.name);
        }
    }
}

#[test]
fn random_programs_have_as_many_classes_as_another_program_counted() {
    for row in table::read(INDEPENDENT).unwrap() {
        for (how, explorer) in explorers(3) {
            assert_eq!(count(row.text, explorer), row.traces, "{}, {how}", row.text);
        }
    }
}

#[test]
fn as_many_of_them_are_stuck_as_the_tables_say() {
    for row in [TABLE, INDEPENDENT].iter().flat_map(|table| table::read(table).unwrap()) {
        for (how, mut explorer) in explorers(0) {
            let mut machine = Machine::new(&row.program);
            while explorer.next_execution() {
                machine.run(&mut explorer);
            }
            assert_eq!(explorer.counts().stuck, row.blocked, "{} ({}), {how}", row.text, row.name);
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
