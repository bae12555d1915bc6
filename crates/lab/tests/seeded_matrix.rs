//! The matrix: in how many executions a search of every class and the default sampler meet each known mistake.
//!
//! `cargo xtask mutants lab` builds this with the mistakes in it, switches them on one by one, prints a row for each, and
//! fails if a search needs more executions than `seeded/table.rs` states, or meets a failure that isn't the one declared.
//! In every build, the same programs pass under the same searches without a mistake: nothing here is a false alarm.
//!
//! Not here: the table, the mistakes of the exploration itself (`seeded/algorithms.rs`), mistakes that need interleavings
//! inside a poll (loom).

#[macro_use]
#[path = "seeded/table.rs"]
mod table;

#[cfg(asupersync_seeded)]
#[path = "seeded/algorithms.rs"]
mod algorithms;
#[cfg(asupersync_seeded)]
#[path = "seeded/matrix.rs"]
mod matrix;
#[cfg(asupersync_seeded)]
#[path = "../examples/conformance/tasks.rs"]
mod tasks;

use asupersync_lab::{Grain, LabConfig, LabRuntime, Schedule, Search};
use table::{branches, cleanup, limits, primitives, regions, requests};

/// One known mistake, and what the searches have to make of it.
#[cfg_attr(not(asupersync_seeded), expect(dead_code, reason = "words are looked for where mistakes are"))]
struct Bug {
    name: &'static str,
    program: fn(&LabRuntime),
    /// In its failure, if a search finds it.
    words: &'static [&'static str],
    /// Executions of [`every`].
    every: u64,
    /// Executions of [`sampled`].
    sampled: u64,
}

macro_rules! bugs {
    ($($test:ident: $name:literal in $file:literal, noticed by $program:path, which says $($word:literal)+
        $(or, explored, $($explored:literal)+)?, found within $every:literal and $sampled:literal;)+) => {
        const BUGS: &[Bug] = &[$({
            let words: &[&str] = &[$($word),+];
            $(let words: &[&str] = { let _ = words; &[$($explored),+] };)?
            Bug { name: $name, program: $program, words, every: $every, sampled: $sampled }
        }),+];
    };
}

table!(bugs);

/// Programs of less than a hundred steps; one that a mistake keeps going is stuck soon.
fn short() -> LabConfig {
    limits().max_steps(500)
}

/// Every class of schedules, with the primitives' queues and wakes in the picture.
fn every(limit: u64) -> Search {
    Search::every().config(short()).grain(Grain::Poll).budget(limit)
}

/// What a lab does if nobody says otherwise.
fn sampled(limit: u64) -> Search {
    Search::sample(Schedule::Random, limit).config(short()).grain(Grain::Poll)
}

/// Runs `f` without any mistake, also in a build that has them.
fn clean(f: impl FnOnce()) {
    #[cfg(asupersync_seeded)]
    types::seeded::clean(f);
    #[cfg(not(asupersync_seeded))]
    f()
}

#[test]
fn every_program_passes_in_every_class_without_its_mistake() {
    for bug in BUGS {
        clean(|| {
            let found = every(500).run_labs(bug.name, None, bug.program);
            assert!(found.complete, "the program for `{}` is too long to be explored: {found}", bug.name);
        });
    }
}

#[test]
fn every_program_passes_when_it_is_sampled_without_its_mistake() {
    for bug in BUGS {
        let runs = bug.sampled.max(200);
        clean(|| assert_eq!(sampled(runs).run_labs(bug.name, None, bug.program).runs, runs));
    }
}
