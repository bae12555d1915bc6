//! A user's test: `cargo test` with the lab's variables.
//!
//! Invariant `cli.ran`: a test that was not there has not passed.
//!
//! Not here: what the variables do (`lab::LabTest`).
use crate::{Done, Seen};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// That test and no other, with all it says; also if it is ignored, since it was asked for by name.
const HARNESS: [&str; 4] = ["--", "--exact", "--nocapture", "--include-ignored"];

/// A test and how it is run.
pub(crate) struct Test<'a> {
    /// Its path as cargo knows it.
    pub(crate) name: String,
    /// More for cargo.
    pub(crate) cargo: &'a [String],
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl<'a> Test<'a> {
    pub(crate) fn new(name: &str, cargo: &'a [String]) -> Test<'a> {
        Test { name: name.into(), cargo, variables: Vec::new() }
    }

    /// The test that a replay is of: its program's name is the test's path with its crate before it.
    pub(crate) fn of_program(program: &str, cargo: &'a [String]) -> Test<'a> {
        Test::new(program.split_once("::").map_or(program, |(_, path)| path), cargo)
    }

    /// With a variable, if there is something to say.
    pub(crate) fn set(mut self, name: &'static str, value: Option<impl ToString>) -> Test<'a> {
        self.variables.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a file for its failure.
    pub(crate) fn out(self, path: Option<&Path>) -> Result<Test<'a>, String> {
        let Some(path) = path else { return Ok(self) };
        lab::Artefact::at(path).map_err(|why| why.to_string())?;
        // The test runs in its crate's folder.
        let path = std::path::absolute(path).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(self.set("LAB_TRACE_OUT", Some(path.display())))
    }

    /// Runs it. Its own output is passed on.
    pub(crate) fn run(&self) -> Done {
        let mut command = Command::new(cargo());
        command.arg("test").args(self.cargo).arg(&self.name).args(HARNESS);
        for name in [
            "LAB_REPLAY",
            "LAB_SEED",
            "LAB_SHRINK",
            "LAB_CANCEL",
            "LAB_SECONDS",
            "LAB_TRACE_OUT",
            "LAB_TWICE",
            "LAB_TIME",
            "LAB_RANDOM",
        ] {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().cloned()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|why| format!("failed to start cargo: {why}"))?;
        let mut ran = 0;
        for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let line = line.map_err(|why| format!("failed to read what the test says: {why}"))?;
            ran += started(&line);
            println!("{line}");
        }
        let status = child.wait().map_err(|why| format!("failed to wait for cargo: {why}"))?;
        match (ran, status.success()) {
            (0, true) => Err(format!(
                "no test is called `{}`: give its whole path, and what cargo needs behind `--`, such as `-- -p my-crate`",
                self.name
            )),
            (0, false) => Err(format!("cargo test did not come to run `{}` ({status})", self.name)),
            (_, true) => Ok(Seen::Nothing),
            (_, false) => Ok(Seen::Something),
        }
    }

    /// Runs it for what it writes into `path` when it fails.
    pub(crate) fn draw(self, path: &Path) -> Done {
        let began = SystemTime::now();
        let seen = self.out(Some(path))?.run()?;
        if seen == Seen::Nothing {
            return Err(
                "the test passes: only a run that fails is drawn (give it the --replay of one)".into()
            );
        }
        let newest = written(path).and_then(|path| path.metadata().ok()?.modified().ok());
        // File systems round times.
        match newest {
            Some(time) if time + std::time::Duration::from_secs(2) >= began => Ok(seen),
            _ => Err(format!("the test failed and wrote nothing to {}: is it a lab test?", path.display())),
        }
    }
}

/// The file, or one in the folder.
fn written(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        let entries = path.read_dir().ok()?.filter_map(Result::ok).map(|entry| entry.path());
        return entries.max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    }
    path.exists().then(|| path.into())
}

/// The cargo that runs us, or the one on the path.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// How many tests a line of the harness says that it starts: "running 3 tests".
fn started(line: &str) -> u64 {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["running", n, "test" | "tests"] => n.parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_says_how_many_tests_it_starts() {
        assert_eq!(
            [started("running 1 test"), started("running 12 tests"), started("running late")],
            [1, 12, 0]
        );
    }

    #[test]
    fn a_replay_s_test_goes_without_its_crate() {
        assert_eq!(Test::of_program("bank::tests::adds", &[]).name, "tests::adds");
        assert_eq!(Test::of_program("adds", &[]).name, "adds");
    }
}
