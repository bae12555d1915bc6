//! The tests notice: each known mistake in the kernel and the primitives (`types::seeded!`) makes a small program fail
//! that passes without it, and the failure says what the mistake is.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded`
//!
//! [`BUGS`] is the table: a name, the file that the mistake stands in, a program for one lab, and words of the failure.
//! A run has a limit on its steps, so that a mistake that makes a program go on for ever fails it as stuck; none of
//! these may hang.
//!
//! Not here: the table itself (`seeded/table.rs`), in how many executions a search meets them (`seeded_matrix.rs`), rules
//! of the specification (`rules.rs`), mistakes that need interleavings inside a poll (loom), timers,
//! combinators and queues in their own crates (`seeded.rs` there).
#![cfg(asupersync_seeded)]

#[macro_use]
#[path = "seeded/table.rs"]
mod table;

use std::collections::BTreeSet;

use asupersync_lab::{LabRuntime, explore_with};
use mutants::{Mistake, Shows};
use table::{branches, cleanup, limits, primitives, regions, requests};

/// Schedules that each program is tried under.
const SEEDS: u64 = 50;

/// One known mistake.
struct Bug {
    /// Its switch.
    name: &'static str,
    /// Where it stands.
    file: &'static str,
    /// What notices it, run in one lab.
    program: fn(&LabRuntime),
}

/// Once as usual, and once without the polls by which a lab looks for lost wakes: such a poll may heal a program, and can
/// tell only of what the kernel sees of that.
fn every_schedule(program: fn(&LabRuntime)) {
    explore_with(&limits(), 0..SEEDS, program);
    explore_with(&limits().nudge_waiting(false), 0..SEEDS, program)
}

macro_rules! bugs {
    ($($test:ident: $name:literal in $file:literal, noticed by $program:path, which says $($word:literal)+
        $(or, explored, $($explored:literal)+)?, found within $every:literal and $sampled:literal;)+) => {
        /// Every bug of this suite.
        const BUGS: &[Bug] = &[$(Bug { name: $name, file: $file, program: $program }),+];

        $(
            #[test]
            fn $test() {
                let test = concat!(module_path!(), "::", stringify!($test));
                let shows = Shows::Says(&[$($word),+]);
                mutants::check(test, &Mistake { name: $name, check: || every_schedule($program), shows });
            }
        )+
    };
}

table!(bugs);

/// The table is about the code as it is, names each mistake once, and its programs are short.
#[test]
fn the_table_matches_the_code() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let mut names = BTreeSet::new();
    for bug in BUGS {
        assert!(names.insert(bug.name), "`{}` stands here twice", bug.name);
        let text = std::fs::read_to_string(format!("{root}{}", bug.file)).unwrap();
        assert!(text.contains(&format!("seeded!(\"{}\")", bug.name)), "`{}` isn't in {}", bug.name, bug.file);
        let lab = LabRuntime::new(limits());
        types::seeded::clean(|| (bug.program)(&lab));
        assert!(lab.steps() < 100, "the program for `{}` takes {} steps", bug.name, lab.steps());
    }
    assert!(BUGS.len() >= 40, "{} bugs", BUGS.len());
}
