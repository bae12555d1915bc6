//! The subcommands, one function each; they run cargo and judge what comes back.
//!
//! A step that finds nothing to run fails rather than passes: a suite that went missing must not look green. The only
//! step that may be skipped is one whose tool isn't installed, and it says so on a line of its own.

pub mod bench;
pub mod conformance;
pub mod deps;
pub mod licences;
pub mod memory;
pub mod no_std;
pub mod primitives;
pub mod suites;
pub mod tidy;

use std::path::Path;

/// A subcommand: name, what it does, and the function that does it with the arguments that follow.
pub type Step = (&'static str, &'static str, fn(&Path, &[String]) -> Result<(), String>);

/// Every subcommand, as `cargo xtask` lists them.
pub const STEPS: &[Step] = &[
    (
        "test",
        "the everyday loop: format check, tidy, cargo test --workspace; `--primitives [--short] [--write]`: the table of primitives",
        suites::test,
    ),
    (
        "tidy",
        "check the layer table and the rules of the tree (--tighten lowers xtask/ratchet.txt)",
        tidy::tidy,
    ),
    ("ci", "everything a change must pass: the same as .ci/run", suites::ci),
    ("loom", "model-check the concurrent structures, or those of the crates named", suites::loom),
    (
        "mutants",
        "switch on each seeded bug and see that the suites notice it, all or those of the crates named",
        suites::mutants,
    ),
    (
        "sanitize",
        "tests of kernel, primitives and scheduler under AddressSanitizer (`all`: every crate with unsafe)",
        memory::sanitize,
    ),
    ("miri", "tests of the kernel under Miri, for some minutes at most", memory::miri),
    ("memcheck", "the kernel's tests with threads under valgrind, reported only", memory::memcheck),
    (
        "no-std",
        "build the no_std crates without std, for bare metal: two targets, which are added if they can be",
        no_std::no_std,
    ),
    ("licences", "check every package's licence and source against deny.toml, offline", licences::licences),
    (
        "conformance",
        "run programs with known numbers: `conformance lab [--programs FILE.tsv] [--orders N] [--mode parsimonious|wakeup-trees|sampler=NAME,runs=N]`",
        conformance::conformance,
    ),
    ("deps", "list and count the third-party crates of the facade's default features", deps::deps),
    ("bench", "build the peers and this project's peer, and compare (arguments go to compare)", bench::bench),
];
