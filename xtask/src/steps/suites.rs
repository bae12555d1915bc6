//! The test suites that need a build of their own: loom, seeded bugs, AddressSanitizer; and the two loops of the day.

use crate::layers::short_name;
use crate::shell::{cargo, output, program, run, skipped, target_dir, with_rustflags};
use crate::workspace::{self, Krate};
use std::env;
use std::path::Path;
use std::process::Command;

/// Crates whose tests run under AddressSanitizer: all that may hold `unsafe`, as far as they exist.
const SANITIZED: &[&str] = crate::layers::UNSAFE_ALLOWED;
const SANITIZER_TARGET: &str = "x86_64-unknown-linux-gnu";

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
        let models: Vec<&str> = krate.targets_of_kind("test").filter(|name| is_loom_model(name)).collect();
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

/// Runs the lab's suite of seeded bugs: each is switched on in turn and must be caught by the test that names it.
///
/// # Errors
/// When a bug isn't caught, or the suite is missing.
pub fn mutants(root: &Path, arguments: &[String]) -> Result<(), String> {
    const PACKAGE: &str = "asupersync-lab";
    const SUITE: &str = "seeded";
    let workspace = workspace::load(root)?;
    let lab = workspace.crates.iter().find(|krate| krate.package == PACKAGE);
    if !lab.is_some_and(|lab| lab.targets_of_kind("test").any(|name| name == SUITE)) {
        return Err(format!("mutants: {PACKAGE} has no test target `{SUITE}`"));
    }
    let mut command = cargo(root);
    command.args(["test", "-p", PACKAGE, "--test", SUITE]).args(arguments);
    command.env("CARGO_TARGET_DIR", target_dir(root, "seeded"));
    with_rustflags(&mut command, "--cfg asupersync_seeded");
    run("mutants", &mut command)
}

/// Tests that leak because that is what they are about: what was forgotten, a task that a shutdown wrote off.
const LEAKS_ON_PURPOSE: &[&str] =
    &["the_children_of_a_forgotten_frame", "a_server_with_ctrl_c", "a_forgotten_"];

/// Runs the unit and integration tests, stress tests among them, of the crates with `unsafe` under AddressSanitizer.
/// Without a nightly toolchain it says so and succeeds: the sanitizer isn't on stable.
///
/// # Errors
/// When a test fails or the sanitizer reports something.
pub fn sanitize(root: &Path, arguments: &[String]) -> Result<(), String> {
    let toolchains = output(program("rustup", root).args(["toolchain", "list"])).unwrap_or_default();
    let nightly = toolchains
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .find(|t| t.starts_with("nightly"));
    let Some(nightly) = nightly else {
        skipped("sanitize", "AddressSanitizer needs a nightly toolchain and rustup lists none");
        return Ok(());
    };
    let workspace = workspace::load(root)?;
    let is_chosen = |krate: &&Krate| match arguments {
        [] => SANITIZED.contains(&krate.name()),
        names => names.iter().any(|name| short_name(name) == krate.name()),
    };
    let packages: Vec<&str> =
        workspace.crates.iter().filter(is_chosen).map(|krate| krate.package.as_str()).collect();
    if packages.is_empty() {
        return Err("sanitize: found none of the crates to test".into());
    }
    let mut command = program("rustup", root);
    command.args(["run", nightly, "cargo", "test", "--target", SANITIZER_TARGET, "--lib", "--tests"]);
    command.args(packages.iter().flat_map(|package| ["-p", package]));
    command.arg("--").args(LEAKS_ON_PURPOSE.iter().flat_map(|test| ["--skip", test]));
    command
        .env("CARGO_TARGET_DIR", target_dir(root, "sanitize"))
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO");
    // Without the slab every cell is an allocation of its own, which the sanitizer watches.
    with_rustflags(&mut command, "-Zsanitizer=address --cfg asupersync_malloc");
    run("sanitize", &mut command)
}

fn is_loom_model(target: &str) -> bool {
    target == "loom" || target.starts_with("loom_")
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
    fn loom_models_are_found_by_their_name() {
        assert!(is_loom_model("loom") && is_loom_model("loom_task_word"));
        assert!(!is_loom_model("looming") && !is_loom_model("seeded"));
    }
}
