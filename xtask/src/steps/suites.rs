//! The test suites that need a build of their own: loom, seeded bugs; and the two loops of the day.

use crate::layers::short_name;
use crate::shell::{cargo, program, run, target_dir, with_rustflags};
use crate::workspace;
use std::env;
use std::path::Path;
use std::process::Command;

/// Suites of seeded bugs that stand in a target of another name, among other tests.
const SEEDED_INSIDE: &[(&str, &[&str])] = &[
    ("monitor", &["--test", "statistics"]),
    ("sched", &["--lib"]),
    ("sync", &["--test", "primitives"]),
    ("time", &["--lib"]),
];

/// Format check, tidy, all tests. Arguments go to `cargo test`.
///
/// # Errors
/// The first part that failed.
pub fn test(root: &Path, arguments: &[String]) -> Result<(), String> {
    run("format", cargo(root).args(["fmt", "--all", "--check"]))?;
    super::tidy::tidy(root, &[])?;
    run("test", cargo(root).args(["test", "--workspace"]).args(arguments))
}

/// Hands over to `.ci/run`, so that there is one list of what a change must pass.
///
/// # Errors
/// When a step of the script failed.
pub fn ci(root: &Path, arguments: &[String]) -> Result<(), String> {
    run("ci", program("bash", root).arg(".ci/run").args(arguments))
}

/// Runs the loom models of every crate that has them, or of the crates named. Bounded by `LOOM_MAX_PREEMPTIONS`, default 2.
///
/// # Errors
/// When a model fails, or when there is none.
pub fn loom(root: &Path, arguments: &[String]) -> Result<(), String> {
    let workspace = workspace::load(root)?;
    let mut ran = 0;
    for krate in &workspace.crates {
        let models: Vec<&str> = krate.targets_of_kind("test").filter(|name| is_suite("loom", name)).collect();
        let chosen = arguments.is_empty() || arguments.iter().any(|name| short_name(name) == krate.name());
        if models.is_empty() || !chosen {
            continue;
        }
        let mut command = cargo(root);
        command.args(["test", "--release", "-p", &krate.package]);
        command.args(models.iter().flat_map(|model| ["--test", model]));
        command.env("CARGO_TARGET_DIR", target_dir(root, "loom"));
        with_rustflags(&mut command, "--cfg loom");
        if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
            command.env("LOOM_MAX_PREEMPTIONS", "2");
        }
        quick_release(&mut command);
        run(&format!("loom {}", krate.name()), &mut command)?;
        ran += 1;
    }
    if ran == 0 { Err("loom: found no test target named loom or loom_*".into()) } else { Ok(()) }
}

/// Runs the suites of seeded bugs, of every crate or of those named: each bug is switched on in turn and must be noticed
/// as the suite declares. The lab's prints its matrix: in how many executions a search of every class and the default
/// sampler meet each, and what becomes of the exploration's own counts.
///
/// # Errors
/// When a bug isn't noticed, or there is no suite.
pub fn mutants(root: &Path, arguments: &[String]) -> Result<(), String> {
    let workspace = workspace::load(root)?;
    let mut ran = 0;
    for krate in &workspace.crates {
        let chosen = arguments.is_empty() || arguments.iter().any(|name| short_name(name) == krate.name());
        let suites = krate.targets_of_kind("test").filter(|name| is_suite("seeded", name));
        let inside = SEEDED_INSIDE.iter().filter(|(name, _)| *name == krate.name());
        let targets: Vec<&str> = suites
            .flat_map(|suite| ["--test", suite])
            .chain(inside.flat_map(|(_, targets)| targets.iter().copied()))
            .collect();
        if !chosen || targets.is_empty() {
            continue;
        }
        let mut command = cargo(root);
        command.args(["test", "-p", &krate.package]).args(targets);
        command.env("CARGO_TARGET_DIR", target_dir(root, "seeded"));
        with_rustflags(&mut command, "--cfg asupersync_seeded");
        run(&format!("mutants {}", krate.name()), &mut command)?;
        ran += 1;
    }
    if ran == 0 { Err("mutants: found no test target named seeded or seeded_*".into()) } else { Ok(()) }
}

/// Whether a target is a suite of this kind: named so, or so and a word behind it.
fn is_suite(kind: &str, target: &str) -> bool {
    target.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Loom wants optimised code, built soon, with the assertions of our own invariants left on.
fn quick_release(command: &mut Command) {
    command.env("CARGO_PROFILE_RELEASE_LTO", "off");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_found_by_their_name() {
        assert!(is_suite("loom", "loom") && is_suite("loom", "loom_task_word"));
        assert!(is_suite("seeded", "seeded_samplers"));
        assert!(!is_suite("loom", "looming") && !is_suite("loom", "seeded"));
    }
}
