//! A test of this binary in a process of its own: started, listened to, given up on.

use crate::shows::End;
use std::env::current_exe;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Set in a child: the mistake that is to be on.
pub(crate) const MISTAKE: &str = "ASUPERSYNC_MISTAKE";

/// Runs the test with this path again, alone, with the variable set, for so long at most.
pub(crate) fn run(test: &str, mistake: &str, patience: Duration) -> End {
    let mut command = Command::new(current_exe().expect("a test knows its own program"));
    command
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(MISTAKE, mistake)
        .env("RUST_BACKTRACE", "0");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a test can start its own program");
    // Both pipes are read while the child runs: a full one would stop it.
    let heard = [listen(child.stdout.take()), listen(child.stderr.take())];
    let succeeded = wait(&mut child, patience);
    let said: String = heard.into_iter().map(|ear| ear.join().expect("a reader of a pipe")).collect();
    assert!(said.contains("running 1 test"), "`{test}` isn't a test of this program:\n{said}");
    match succeeded {
        Some(true) => End::Passed(said),
        Some(false) => End::Failed(said),
        None => End::Hung(said),
    }
}

/// Whether the child succeeded; `None` if it had to be killed.
fn wait(child: &mut Child, patience: Duration) -> Option<bool> {
    let started = Instant::now();
    loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => return Some(status.success()),
            None if started.elapsed() > patience => {
                child.kill().expect("a child can be killed");
                child.wait().expect("a child can be waited for");
                return None;
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Collects what comes out of a pipe; of a flood the first 16 MB.
fn listen(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    const ENOUGH: usize = 16 << 20;
    thread::spawn(move || {
        let (mut said, mut chunk) = (Vec::new(), [0; 4096]);
        if let Some(mut pipe) = pipe {
            while let Ok(n @ 1..) = pipe.read(&mut chunk) {
                if said.len() < ENOUGH {
                    said.extend_from_slice(&chunk[..n])
                }
            }
        }
        String::from_utf8_lossy(&said).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env::var;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_child_that_fails_is_heard() {
        let me = "child::tests::a_child_that_fails_is_heard";
        if var(MISTAKE).is_ok() {
            panic!("the wake was lost");
        }
        let End::Failed(said) = run(me, "any", PATIENCE) else { panic!("it didn't fail") };
        assert!(said.contains("the wake was lost"));
    }

    #[test]
    fn a_child_that_passes_is_no_failure() {
        let me = "child::tests::a_child_that_passes_is_no_failure";
        if var(MISTAKE).is_err() {
            assert!(matches!(run(me, "any", PATIENCE), End::Passed(_)));
        }
    }

    #[test]
    fn a_child_that_never_ends_is_given_up() {
        let me = "child::tests::a_child_that_never_ends_is_given_up";
        if var(MISTAKE).is_ok() {
            loop {
                thread::park()
            }
        }
        assert!(matches!(run(me, "any", Duration::from_millis(500)), End::Hung(_)));
    }

    #[test]
    #[should_panic(expected = "isn't a test of this program")]
    fn a_test_that_was_renamed_does_not_count() {
        run("child::tests::no_such_test", "any", PATIENCE);
    }
}
