//! The test suites that need a build of their own: loom, seeded bugs; and the two loops of the day.

use crate::layers::short_name;
use crate::shell::{cargo, program, run, target_dir, with_rustflags};
use crate::workspace::{self, Krate};
use std::env;
use std::path::Path;
use std::process::Command;

/// Targets with seeded bugs among other tests: a test target, or `lib` for the tests in the library.
const SEEDED_INSIDE: &[(&str, &str)] =
    &[("monitor", "statistics"), ("sched", "lib"), ("sync", "primitives"), ("time", "lib")];

/// Format check, tidy, all tests. Arguments go to `cargo test`; but with `--primitives` first, the table of primitives.
///
/// # Errors
/// The first part that failed.
pub fn test(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let [flag, rest @ ..] = arguments
        && flag == "--primitives"
    {
        return super::primitives::primitives(root, rest);
    }
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
        let chosen = arguments.is_empty() || arguments.iter().any(|name| short_name(name) == krate.name());
        let Some((name, mut command)) = loom_suite(root, krate).filter(|_| chosen) else { continue };
        run(&name, &mut command)?;
        ran += 1;
    }
    if ran == 0 { Err("loom: found no test target named loom or loom_*".into()) } else { Ok(()) }
}

/// The loom models of a crate, if it has any: what they are called, and what runs them.
pub(super) fn loom_suite(root: &Path, krate: &Krate) -> Option<(String, Command)> {
    let models: Vec<&str> = krate.targets_of_kind("test").filter(|name| is_suite("loom", name)).collect();
    if models.is_empty() {
        return None;
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
    Some((format!("loom {}", krate.name()), command))
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
        let Some((name, mut command)) = seeded_suite(root, krate, |_| true).filter(|_| chosen) else {
            continue;
        };
        run(&name, &mut command)?;
        ran += 1;
    }
    if ran == 0 { Err("mutants: found no test target named seeded or seeded_*".into()) } else { Ok(()) }
}

/// The suites of seeded bugs of a crate, in those of its targets that are `wanted` (`lib` is its library's own tests), if it has
/// any: what they are called, and what runs them.
pub(super) fn seeded_suite(
    root: &Path,
    krate: &Krate,
    wanted: impl Fn(&str) -> bool,
) -> Option<(String, Command)> {
    let suites = krate.targets_of_kind("test").filter(|name| is_suite("seeded", name));
    let inside = SEEDED_INSIDE.iter().filter(|(name, _)| *name == krate.name()).map(|(_, target)| *target);
    let targets: Vec<&str> = suites.chain(inside).filter(|target| wanted(target)).collect();
    if targets.is_empty() {
        return None;
    }
    let mut command = cargo(root);
    command.args(["test", "-p", &krate.package]);
    for target in targets {
        if target == "lib" {
            command.arg("--lib")
        } else {
            command.args(["--test", target])
        };
    }
    command.env("CARGO_TARGET_DIR", target_dir(root, "seeded"));
    with_rustflags(&mut command, "--cfg asupersync_seeded");
    Some((format!("mutants {}", krate.name()), command))
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
