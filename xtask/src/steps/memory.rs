//! Three tools that watch memory while tests run: AddressSanitizer, Miri, and valgrind's memcheck.
//!
//! Each is bounded: the build may take what it takes, the run ends after [`LIMIT`] (the sanitizer's after
//! [`SANITIZER_LIMIT`]). A tool that isn't there and can't be had is skipped with a line that says so. What they look at is
//! the crates that may hold `unsafe`.
//!
//! | tool | looks at | when the limit is reached |
//! |---|---|---|
//! | AddressSanitizer | tests of kernel, primitives and scheduler, and the runtime's stress tests | failed: something hangs |
//! | Miri | tests of the kernel, interpreted | stopped: it is slow, and what ran is judged |
//! | memcheck | the kernel's tests with threads | reported only, as everything it finds |

use crate::layers::{UNSAFE_ALLOWED, short_name};
use crate::shell::{cargo, output, program, run, skipped, target_dir, with_rustflags};
use crate::workspace::{self, Krate};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Seconds that a tool may run, without its build.
pub const LIMIT: u32 = 240;
/// The same for AddressSanitizer, for each of its two parts: it runs the explorations of all primitives too, which take
/// more than two minutes beside other work.
pub const SANITIZER_LIMIT: u32 = 480;
/// What `timeout` leaves with when it had to end its program.
const TIMED_OUT: i32 = 124;
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Crates whose tests AddressSanitizer runs when none is named; of `runtime` the stress tests.
const SANITIZED: &[&str] = &["task", "region", "obligation", "cx", "time", "sync", "sched"];
/// Tests that leak because that is what they are about: what was forgotten, a task that a shutdown wrote off.
const LEAKS_ON_PURPOSE: &[&str] =
    &["the_children_of_a_forgotten_frame", "a_server_with_ctrl_c", "a_forgotten_"];
/// Long enumerations in code that has no memory of its own.
const NOTHING_TO_WATCH: &[&str] = &["the_longest_wait_over_all_states_and_arrivals"];

/// Crates whose tests Miri interprets when none is named.
const INTERPRETED: &[&str] = &["task", "region", "obligation", "cx"];
/// Tests about thousands of tasks or wakers, in safe code: minutes each.
const TOO_LONG_FOR_MIRI: &[&str] =
    &["memory_is_bounded_by_what_is_open", "operations_that_still_wait_stay_reachable"];

/// Runs tests under AddressSanitizer: those of the kernel, the primitives and the scheduler with the runtime's stress
/// tests, or all tests of the crates named; `all` names every crate with `unsafe`.
///
/// # Errors
/// When a test fails, the sanitizer reports something, or the limit is reached.
pub fn sanitize(root: &Path, arguments: &[String]) -> Result<(), String> {
    let Some(nightly) = nightly(root, "sanitize") else { return Ok(()) };
    let leave_out = LEAKS_ON_PURPOSE.iter().chain(NOTHING_TO_WATCH).flat_map(|test| ["--skip", test]);
    let test = |what: &str, packages: &[String], targets: &[&str], limit: Option<u32>| {
        let mut build = program("rustup", root);
        build.args(["run", &nightly, "cargo", "test", "--target", TARGET, "--no-run"]).args(targets);
        let mut bounded = under_limit(root, limit);
        bounded.args(["rustup", "run", &nightly, "cargo", "test", "--no-fail-fast", "--target", TARGET]);
        bounded.args(targets);
        for command in [&mut build, &mut bounded] {
            command.args(packages.iter().flat_map(|package| ["-p", package]));
            command.env("CARGO_TARGET_DIR", target_dir(root, "sanitize")).env_remove("RUSTUP_TOOLCHAIN");
            command.env_remove("CARGO");
            // Without the slab every cell is an allocation of its own, which the sanitizer watches.
            with_rustflags(command, "-Zsanitizer=address --cfg asupersync_malloc");
        }
        bounded.arg("--").args(leave_out.clone());
        run(&format!("{what}: build"), &mut build)?;
        run(what, &mut bounded)
    };
    const EVERYTHING: &[&str] = &["--lib", "--tests"];
    if !arguments.is_empty() {
        let names: Vec<&str> = arguments.iter().map(|name| short_name(name)).collect();
        let all = names == ["all"];
        return test(
            "sanitize",
            &packages(root, if all { UNSAFE_ALLOWED } else { &names })?,
            EVERYTHING,
            None,
        );
    }
    test("sanitize", &packages(root, SANITIZED)?, EVERYTHING, Some(SANITIZER_LIMIT))?;
    test("sanitize stress", &packages(root, &["runtime"])?, &["--test", "stress"], Some(SANITIZER_LIMIT))
}

/// Interprets the tests of the kernel, or of the crates named, under Miri.
///
/// # Errors
/// When a test fails or does what the language doesn't allow.
pub fn miri(root: &Path, arguments: &[String]) -> Result<(), String> {
    let Some(nightly) = nightly(root, "miri") else { return Ok(()) };
    let add = ["component", "add", "miri", "rust-src", "--toolchain", &nightly];
    if let Err(why) = output(program("rustup", root).args(add)) {
        skipped("miri", &format!("the component can't be had: {why}"));
        return Ok(());
    }
    let names: Vec<&str> = match arguments {
        [] => INTERPRETED.to_vec(),
        names => names.iter().map(|name| short_name(name)).collect(),
    };
    let packages = packages(root, &names)?;
    let mut build = program("rustup", root);
    build.args(["run", &nightly, "cargo", "miri", "test", "--no-run"]);
    let mut bounded = under_limit(root, Some(LIMIT));
    bounded.args(["rustup", "run", &nightly, "cargo", "miri", "test"]);
    for command in [&mut build, &mut bounded] {
        command.args(["--lib", "--tests"]).args(packages.iter().flat_map(|package| ["-p", package]));
        command.env("CARGO_TARGET_DIR", target_dir(root, "miri")).env_remove("RUSTUP_TOOLCHAIN");
        // A header finds its way back to its cell by its address.
        command.env_remove("CARGO").env("MIRIFLAGS", "-Zmiri-permissive-provenance");
    }
    let leave_out = LEAKS_ON_PURPOSE.iter().chain(TOO_LONG_FOR_MIRI).flat_map(|test| ["--skip", test]);
    bounded.arg("--").args(leave_out);
    run("miri: build", &mut build)?;
    println!("==> miri: {} for {LIMIT} s at most", names.join(", "));
    let (code, failed) = listen(&mut bounded)?;
    match code {
        Some(0) => Ok(()),
        // A test that failed before the time was over counts.
        Some(TIMED_OUT) if !failed => {
            println!("STOPPED miri: {LIMIT} s are over; what had run until then broke no rule");
            Ok(())
        }
        _ => Err("miri failed".into()),
    }
}

/// Runs tests to their end, with their output going where ours goes: the exit code, and whether a test said `FAILED`.
fn listen(command: &mut Command) -> Result<(Option<i32>, bool), String> {
    let failed_to = |what: &str| format!("failed to {what} {}", command.get_program().to_string_lossy());
    let (start, wait) = (failed_to("start"), failed_to("wait for"));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| format!("{start}: {e}"))?;
    let mut failed = false;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            failed |= line.ends_with("FAILED");
        }
    }
    Ok((child.wait().map_err(|e| format!("{wait}: {e}"))?.code(), failed))
}

/// Runs the kernel's tests with threads under valgrind's memcheck, and reports what it says. Never fails for that: it
/// knows nothing of Rust's rules, and some of what it says about other libraries is wrong. The runtime itself can't
/// be run so: valgrind has no `epoll_pwait2`.
///
/// # Errors
/// When the tests can't be built.
pub fn memcheck(root: &Path, _: &[String]) -> Result<(), String> {
    const TESTS: &str = "threads::";
    if output(program("valgrind", root).arg("--version")).is_err() {
        skipped("memcheck", "valgrind isn't installed");
        return Ok(());
    }
    let mut build = cargo(root);
    build.args(["test", "-p", "asupersync-cx", "--test", "kernel", "--no-run", "--message-format", "json"]);
    build.env("CARGO_TARGET_DIR", target_dir(root, "memcheck"));
    with_rustflags(&mut build, "--cfg asupersync_malloc");
    let kernel = executable(&output(&mut build)?).ok_or("memcheck: cargo names no executable")?;
    let mut bounded = under_limit(root, Some(LIMIT));
    // One thread at a time is how valgrind runs anyway; fair, since tests spin for one another.
    bounded.args(["valgrind", "--quiet", "--fair-sched=yes", "--error-exitcode=9", &kernel]);
    bounded.args([TESTS, "--test-threads=1"]);
    println!("==> memcheck: the kernel's {TESTS} for {LIMIT} s at most (reported only)");
    let status = bounded.status().map_err(|e| format!("memcheck: failed to start: {e}"))?;
    match status.code() {
        Some(0) => println!("<== memcheck: nothing found"),
        Some(TIMED_OUT) => println!("STOPPED memcheck: {LIMIT} s are over; nothing was found until then"),
        _ => println!("<== memcheck: see above ({status})"),
    }
    Ok(())
}

/// A command line that `timeout` ends, if there is a limit: the program and its arguments are still to be added.
fn under_limit(root: &Path, limit: Option<u32>) -> Command {
    let Some(limit) = limit else { return program("env", root) };
    let mut command = program("timeout", root);
    command.args(["--kill-after=10", &limit.to_string()]);
    command
}

/// The name of a nightly toolchain, installed if need be; else says that `step` is skipped.
fn nightly(root: &Path, step: &str) -> Option<String> {
    let find = || {
        let toolchains = output(program("rustup", root).args(["toolchain", "list"])).ok()?;
        let mut names = toolchains.lines().filter_map(|line| line.split_whitespace().next());
        names.find(|name| name.starts_with("nightly")).map(str::to_owned)
    };
    let install = ["toolchain", "install", "nightly", "--profile", "minimal"];
    let found = find().or_else(|| output(program("rustup", root).args(install)).ok().and_then(|_| find()));
    if found.is_none() {
        skipped(step, "it needs a nightly toolchain, which isn't installed and can't be");
    }
    found
}

fn packages(root: &Path, names: &[&str]) -> Result<Vec<String>, String> {
    let workspace = workspace::load(root)?;
    let chosen = workspace.crates.iter().filter(|krate: &&Krate| names.contains(&krate.name()));
    let packages: Vec<String> = chosen.map(|krate| krate.package.clone()).collect();
    if packages.is_empty() {
        Err(format!("found none of the crates {}", names.join(", ")))
    } else {
        Ok(packages)
    }
}

/// The program among cargo's messages.
fn executable(messages: &str) -> Option<String> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(str::to_owned));
    programs.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_may_hold_unsafe() {
        for name in SANITIZED.iter().chain(INTERPRETED) {
            assert!(UNSAFE_ALLOWED.contains(name), "`{name}` forbids unsafe code");
        }
    }

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nnot json\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/stress\"}\n";
        assert_eq!(executable(messages).as_deref(), Some("/t/stress"));
        assert_eq!(executable("{\"executable\":null}"), None);
    }

    #[test]
    fn a_test_that_fails_is_heard_whatever_the_end() {
        let shell =
            |script: &str| listen(program("sh", Path::new("/")).args(["-c", script])).expect("sh runs");
        assert_eq!(shell("echo test a ... ok; exit 0"), (Some(0), false));
        assert_eq!(shell("echo test a ... FAILED; exit 124"), (Some(TIMED_OUT), true));
    }
}
