//! The known mistakes of the exploration itself, by what they do to a count on the real kernel.
//!
//! Each row is a mistake that looks right, and a program whose number of classes of executions is known exactly. With the
//! mistake the exploration of that program as tasks with real locks and channels finds another number: fewer is a hole,
//! more is repeated work.
//!
//! Which writes conflict is no such mistake but a choice, and counts follow from it: here two writes of the same value do
//! (tools for which they commute have fewer classes of some programs).
//!
//! Not here: all the other counts (`examples/conformance`), the mistakes against brute force (`explore`'s `seeded.rs`).

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use asupersync_lab::{Executor, Grain, LabConfig, LabFailure};
use explore::mini::Program;
use explore::{Counts, Explorer, Reduction};
use mutants::{Mistake, Shows};

use crate::tasks;

/// Orders in which what is free is tried: production's, and random ones.
const ORDERS: u64 = 21;
/// Executions after which a count is wrong, however it goes on.
const ENOUGH: u64 = 20_000;
/// Before what the count came to.
const COUNTED: &str = "counted: ";
/// Said where the number is another one.
const WRONG: &str = "classes that there are";

/// A program, in words and in the mini-language, and how many classes of executions it has.
struct Row {
    name: &'static str,
    text: &'static str,
    classes: u64,
}

const LASTZERO_4: Row = Row {
    name: "lastzero(4)",
    text: "Rd;?!0{Rc;?!0{Rb;?!0{Ra;?!0{Rz}}}} || Rz;Wa=$+1 || Ra;Wb=$+1 || Rb;Wc=$+1 || Rc;Wd=$+1",
    classes: 28,
};
const LOCKINC_4: Row = Row { name: "lockinc(4)", text: "*4 Lm;Rx;Wx=$+1;Um", classes: 24 };
const AB_BA: Row = Row { name: "AB-BA", text: "La;Lb;Ub;Ua || Lb;La;Ua;Ub", classes: 3 };
const MUTEX_DEADLOCK_3: Row = Row { name: "mutex_deadlock(3)", text: "*3 Lm;Wx=1", classes: 3 };
const TWO_ATTEMPTS: Row = Row { name: "two attempts", text: "Qc;Sc || Qc;?=1{Wx=1}", classes: 2 };
const MPSC_3X2: Row = Row { name: "mpsc 3x2", text: "*3 Sc;Sc || Xc;Xc;Xc;Xc;Xc;Xc", classes: 90 };
const TRYLOCK_UNLOCK: Row = Row { name: "trylock_unlock", text: "*3 Tm;?=1{Fx+1;Um}", classes: 21 };
const DEPEND_4: Row = Row {
    name: "depend_4",
    text: "Wz=1 || Wx=1 || Wy=1 || Rx;?=1{Ry;?=1{Rz}} || Ry;?=1{Rz} || Wx=2",
    classes: 30,
};
const ATTEMPT_AND_SENDS: Row = Row { name: "try_recv, 2 sends", text: "Qc || Sc;Sc;Qc", classes: 3 };

/// Explores the program on the real kernel.
fn explored(row: &Row, reduction: Reduction, order: u64) -> Counts {
    let program: Arc<Program> = Arc::new(Program::parse(row.text).expect("a program of the mini-language"));
    let executor = Executor::new(LabConfig::default().traced(false), Grain::Operation);
    let explorer = Explorer::new().reduction(reduction);
    let explorer = if order == 0 { explorer } else { explorer.in_random_order(order) };
    let explorer = Arc::new(Mutex::new(explorer));
    let locked = || explorer.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..ENOUGH {
        if !locked().next_execution() {
            break;
        }
        let run = executor.execute(&explorer, |lab| match lab.try_run(|cx| tasks::run(cx, &program)) {
            Ok(()) | Err(LabFailure::Deadlock { .. } | LabFailure::Redundant) => {}
            Err(other) => panic!("{}: {other}", row.name),
        });
        if let Some(panic) = run.failure {
            std::panic::resume_unwind(panic)
        }
    }
    locked().counts()
}

/// The first count that is wrong, by some way of exploring, in some order.
fn wrong(row: &Row) -> Option<u64> {
    let ways = [Reduction::Parsimonious, Reduction::WakeupTrees];
    let executions = |(way, order)| {
        let Counts { explored, blocked, pruned, .. } = explored(row, way, order);
        explored + blocked + pruned
    };
    let all = ways.into_iter().flat_map(|way| (0..ORDERS).map(move |order| (way, order)));
    all.map(executions).find(|executions| *executions != row.classes)
}

/// Fails with [`WRONG`] if the count of every row is wrong.
fn check(rows: &[Row]) {
    let mut right = Vec::new();
    for row in rows {
        match wrong(row) {
            Some(executions) => println!("\n{COUNTED}{}\t{executions}\t{}", row.name, row.classes),
            None => right.push(row.name),
        }
    }
    assert!(!right.is_empty(), "other numbers than the {WRONG}");
    panic!("right in spite of the mistake: {right:?}")
}

macro_rules! mistakes {
    ($($name:literal breaks $($row:ident)+;)+) => {
        const MISTAKES: &[Mistake] =
            &[$(Mistake { name: $name, check: || check(&[$($row),+]), shows: Shows::Says(&[WRONG]) }),+];
        const ROWS: &[Row] = &[$($($row),+),+];
    };
}

mistakes! {
    "explore.only-predecessors" breaks LASTZERO_4 DEPEND_4;
    "explore.textbook-races" breaks LOCKINC_4 AB_BA;
    "explore.stuck-ignored" breaks MUTEX_DEADLOCK_3;
    "explore.branch-in-progress-untested" breaks TWO_ATTEMPTS;
    "explore.coarse-channels" breaks MPSC_3X2;
    "explore.refused-writes" breaks TRYLOCK_UNLOCK;
    "explore.outcome-as-recorded" breaks ATTEMPT_AND_SENDS;
    "explore.races-once" breaks DEPEND_4;
}

#[test]
fn every_mistake_of_the_exploration_shows_in_a_count_on_the_real_kernel() {
    let test =
        concat!(module_path!(), "::every_mistake_of_the_exploration_shows_in_a_count_on_the_real_kernel");
    let mut text =
        format!("\n{:<36} | {:<18} | executions | classes\n", "mistake of the exploration", "program");
    let mut missed = Vec::new();
    for mistake in MISTAKES {
        match mutants::heard(test, mistake) {
            Ok(said) => {
                for counted in said.lines().filter_map(|line| line.strip_prefix(COUNTED)) {
                    let parts: Vec<&str> = counted.split('\t').collect();
                    let [program, executions, classes] = parts[..] else { panic!("not a count: {counted}") };
                    let name = mistake.name;
                    let _ = writeln!(text, "{name:<36} | {program:<18} | {executions:>10} | {classes:>7}");
                }
            }
            Err(why) => missed.push(why),
        }
    }
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn counts_are_right_without_a_mistake() {
    types::seeded::clean(|| {
        for row in ROWS {
            assert_eq!(wrong(row), None, "{} has {} classes", row.name, row.classes)
        }
    });
}
