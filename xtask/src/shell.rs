//! Running cargo and saying so: one line when a step begins, one when it ends, with its time.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Variables that `cargo run` sets for xtask itself and that would confuse a cargo started from here.
const INHERITED_BY_ACCIDENT: &[&str] =
    &["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "LD_LIBRARY_PATH"];

/// The cargo that started xtask, in the root of the workspace.
pub fn cargo(root: &Path) -> Command {
    program(&env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), root)
}

/// Any program, in the given folder.
pub fn program(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(dir);
    for variable in INHERITED_BY_ACCIDENT {
        command.env_remove(variable);
    }
    command
}

/// A target folder of its own for a build with other flags, so that it doesn't throw away the everyday one's work.
pub fn target_dir(root: &Path, name: &str) -> PathBuf {
    let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    base.join(name)
}

/// Adds flags to whatever RUSTFLAGS the caller has set.
pub fn with_rustflags(command: &mut Command, flags: &str) {
    let given = env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{given} {flags}").trim());
}

/// Runs a step to its end, with its output going where ours goes.
///
/// # Errors
/// A sentence that names the step, when it can't start or doesn't succeed.
pub fn run(step: &str, command: &mut Command) -> Result<(), String> {
    println!("==> {step}: {}", line(command));
    let start = Instant::now();
    let status = command.status().map_err(|e| format!("{step}: failed to start: {e}"))?;
    println!(
        "<== {step}: {} in {:.1} s",
        if status.success() { "ok" } else { "FAILED" },
        start.elapsed().as_secs_f64()
    );
    if status.success() { Ok(()) } else { Err(format!("{step} failed ({status})")) }
}

/// As [`run`], where what it prints on standard output is wanted: it's returned, or printed if the step fails.
///
/// # Errors
/// As there.
pub fn heard(step: &str, command: &mut Command) -> Result<String, String> {
    println!("==> {step}: {}", line(command));
    let start = Instant::now();
    let out = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let out = out.map_err(|e| format!("{step}: failed to start: {e}"))?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let end = if out.status.success() { "ok" } else { "FAILED" };
    if !out.status.success() {
        print!("{said}");
    }
    println!("<== {step}: {end} in {:.1} s", start.elapsed().as_secs_f64());
    if out.status.success() { Ok(said) } else { Err(format!("{step} failed ({})", out.status)) }
}

/// Runs a program and returns what it prints on standard output.
///
/// # Errors
/// A sentence with its standard error, when it can't start or doesn't succeed.
pub fn output(command: &mut Command) -> Result<String, String> {
    let shown = line(command);
    let out = command.stdin(Stdio::null()).output().map_err(|e| format!("failed to run {shown}: {e}"))?;
    match out.status.success() {
        true => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        false => Err(format!("{shown} failed: {}", String::from_utf8_lossy(&out.stderr).trim())),
    }
}

/// Says in one line what was left out and why, in a form a log can be searched for.
pub fn skipped(step: &str, why: &str) {
    println!("SKIPPED {step}: {why}");
}

fn line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut line = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
