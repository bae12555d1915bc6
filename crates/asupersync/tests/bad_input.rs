//! Tests that go wrong in ways that are not their program's, and replays that don't fit, as users meet them: each is run as
//! `cargo test` runs it, in a process of its own, and has to fail with words that say what happened and what to do.
//!
//! The tests in question are ignored; those at the end of this file run them.
//!
//! Not here: the words' details (`lab`'s tests), the command (`cli`'s tests).

use asupersync::lab::{LabTest, Schedule, given};
use asupersync::prelude::*;
use asupersync::sync::shared::Shared;
use asupersync::trace::Event;
use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Two tasks each add 1 by a look and a change; one addition may be lost.
async fn adds(cx: &mut Cx) {
    let sum = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for _ in 0..2 {
            let sum = sum.clone();
            scope.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                let seen = sum.get();
                cx.step().await;
                sum.set(seen + 1)
            });
        }
    })
    .await;
    assert_eq!(sum.get(), 2, "an addition was lost");
}

/// So many tasks that write to one value.
async fn writes(cx: &mut Cx, tasks: u64) {
    let value = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for task in 0..tasks {
            let value = value.clone();
            scope.spawn(async move |_: &mut Cx| value.set(task));
        }
    })
    .await;
}

mod wrong {
    use super::*;

    #[asupersync::lab_test(explore)]
    #[ignore = "fails, as it should"]
    async fn loses_an_addition(cx: &mut Cx) {
        adds(cx).await
    }

    #[asupersync::lab_test(seeds = 0..50)]
    #[ignore = "fails, as it should"]
    async fn loses_an_addition_by_a_seed(cx: &mut Cx) {
        adds(cx).await
    }

    /// Only where the clock overtakes it.
    #[asupersync::lab_test(explore)]
    #[ignore = "fails in eager time, as it should"]
    async fn takes_longer_than_it_may(cx: &mut Cx) {
        let work = async |cx: &mut Cx| -> Res {
            for _ in 0..3 {
                cx.step().await;
                cx.checkpoint()?
            }
            Ok(())
        };
        let done = cx.timeout(Duration::from_secs(60), work).await;
        assert!(done.is_ok(), "it is too late")
    }

    /// Only where every number is tried.
    #[asupersync::lab_test(explore)]
    #[ignore = "fails where numbers branch, as it should"]
    async fn has_bad_luck_with_one_number(cx: &mut Cx) {
        let drawn: Vec<u64> = (0..3).map(|_| cx.random_below(8)).collect();
        assert!(drawn != [4, 1, 6], "bad luck")
    }

    /// From run to run another task more.
    #[asupersync::lab_test(explore)]
    #[ignore = "fails, as it should"]
    async fn is_decided_by_a_static(cx: &mut Cx) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        writes(cx, 2 + RUNS.fetch_add(1, Relaxed)).await
    }

    /// The order in which tasks are spawned, and so who is who, is that of a map with random keys.
    #[asupersync::lab_test(explore)]
    #[ignore = "fails, as it should"]
    async fn is_decided_by_a_hash_map(cx: &mut Cx) {
        let values: HashMap<usize, Shared<u64>> = (0..64).map(|n| (n, Shared::new(0))).collect();
        let values = Arc::new(values);
        cx.region(|scope| async {
            for first in 0..3 {
                let values = values.clone();
                scope.spawn(async move |cx: &mut Cx| {
                    for value in values.values().take(3 + first) {
                        cx.step().await;
                        value.set(1)
                    }
                });
            }
        })
        .await;
    }

    /// Fails in its second run and in no other.
    #[asupersync::lab_test(seeds = 0..8)]
    #[ignore = "fails, as it should"]
    async fn fails_once(_: &mut Cx) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        assert_ne!(RUNS.fetch_add(1, Relaxed), 1, "the second run");
    }

    /// Fails if the first key of a map is this one, of so many that it hardly comes first twice.
    #[asupersync::lab_test(seeds = 0..100_000)]
    #[ignore = "fails, as it should"]
    async fn takes_what_comes_first(cx: &mut Cx) {
        let keys: HashMap<u32, ()> = (0..1024).map(|n| (n, ())).collect();
        let first = keys.into_keys().next();
        cx.trace(format!("first is {first:?}"));
        assert_ne!(first, Some(7), "the seventh is late");
    }

    /// Passes, whatever the order of its map.
    #[asupersync::lab_test(seeds = 0..8)]
    #[ignore = "is decided by a hash map"]
    async fn passes_in_any_order(cx: &mut Cx) {
        let keys: HashMap<usize, ()> = (0..64).map(|n| (n, ())).collect();
        keys.into_keys().for_each(|key| cx.trace(format!("{key}")));
    }

    #[asupersync::lab_test(seeds = 0..8, twice)]
    #[ignore = "fails, as it should"]
    async fn is_run_twice(cx: &mut Cx) {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        cx.trace(format!("run {}", RUNS.fetch_add(1, Relaxed)))
    }

    #[asupersync::lab_test(explore, limit = 3)]
    #[ignore = "fails, as it should"]
    async fn has_more_classes_than_its_limit(cx: &mut Cx) {
        writes(cx, 4).await
    }

    #[asupersync::lab_test(explore, budget = 3)]
    #[ignore = "is cut short"]
    async fn has_more_classes_than_its_budget(cx: &mut Cx) {
        writes(cx, 4).await
    }

    #[asupersync::lab_test(cancel = "sweep", limit = 3)]
    #[ignore = "fails, as it should"]
    async fn has_more_checkpoints_than_its_limit(cx: &mut Cx) {
        writes(cx, 4).await
    }

    #[test]
    #[ignore = "fails, as it should"]
    fn never_ends() {
        let test = LabTest::new(concat!(module_path!(), "::", "never_ends"), given!());
        test.config(LabConfig::default().max_steps(1000)).sweep(0..4, async |cx: &mut Cx| {
            loop {
                cx.yield_now().await
            }
        });
    }

    #[test]
    #[ignore = "fails, as it should"]
    fn has_an_oracle_that_panics() {
        let broken = |events: &[Event]| -> Result<(), String> { panic!("no event {}", events.len()) };
        let search =
            Search::sample(Schedule::Random, 10).config(LabConfig::default().oracle("broken", broken));
        let test = LabTest::new(concat!(module_path!(), "::", "has_an_oracle_that_panics"), given!());
        test.search(0..1, search, async |cx: &mut Cx| writes(cx, 2).await);
    }
}

/// Runs one of the tests above in a process of its own: whether it passed, and all it said.
fn run(name: &str, settings: &[(&str, &str)]) -> (bool, String) {
    started(name, settings, &["--nocapture"])
}

/// As [`run`], with these arguments.
#[allow(clippy::disallowed_methods, reason = "tests start programs")]
fn started(name: &str, settings: &[(&str, &str)], more: &[&str]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for set in [
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
        command.env_remove(set);
    }
    let name = format!("wrong::{name}");
    let arguments = [name.as_str(), "--exact", "--include-ignored"];
    let output = command.args(arguments).args(more).envs(settings.iter().copied()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(said[0].contains("running 1 test"), "{name}: {}", said[0]);
    (output.status.success(), said.concat())
}

/// Fails unless the test fails, and says all of `words`.
#[track_caller]
fn fails(name: &str, settings: &[(&str, &str)], words: &[&str]) -> String {
    let (passed, said) = run(name, settings);
    assert!(!passed, "{name} passes with {settings:?}:\n{said}");
    for words in words {
        assert!(said.contains(words), "{name} with {settings:?} does not say `{words}`:\n{said}");
    }
    said
}

/// The line in what a failing test prints.
fn line(said: &str) -> String {
    let at = said.find("LAB_REPLAY=").expect("a line that repeats it") + "LAB_REPLAY=".len();
    said[at..].split_whitespace().next().unwrap().to_string()
}

#[test]
fn a_test_that_something_outside_decides_is_a_failure_that_says_so() {
    let words =
        ["does not repeat itself: ", "something decides that the lab does not see (a static, a clock"];
    fails("is_decided_by_a_static", &[], &words);
    fails("is_decided_by_a_hash_map", &[], &words);
}

#[test]
fn a_failure_that_does_not_come_again_is_not_offered_as_one_that_does() {
    let words = [
        "the second run",
        "this did not repeat: with the same decisions it does not fail; something decides",
    ];
    let said = fails("fails_once", &[], &words);
    assert!(!said.contains("to run exactly this again"), "{said}");
    let words = [
        "the seventh is late",
        "something decides that the lab does not see",
        "two runs with the same decisions part in step 0, which the root body takes",
        "the order of a `HashMap`",
        "its schedule, which alone does not make it fail: ",
    ];
    fails("takes_what_comes_first", &[], &words);
}

#[test]
fn what_passes_but_does_not_repeat_itself_fails_when_it_is_run_twice() {
    let (passed, said) = run("passes_in_any_order", &[]);
    assert!(passed, "{said}");
    let words =
        ["does not repeat itself, with seed 0: two runs with the same decisions part in step 0", "notes `"];
    fails("passes_in_any_order", &[("LAB_TWICE", "1")], &words);
    fails("is_run_twice", &[], &["does not repeat itself, with seed 0", "a counter in a static"]);
    fails("is_run_twice", &[("LAB_TWICE", "often")], &["LAB_TWICE is `often`, but must be a number"]);
}

#[test]
fn a_replay_is_followed_by_its_own_test_alone_and_passes_nowhere_else_by_being_there() {
    let line = line(&fails("loses_an_addition", &[], &["an addition was lost", "racing pair"]));
    fails("loses_an_addition", &[("LAB_REPLAY", &line)], &["fails as it was recorded: assertion"]);
    // Another test runs as usual, and says why.
    let usual = "LAB_REPLAY is of `bad_input::wrong::loses_an_addition`; this test runs as usual";
    let said = fails("loses_an_addition_by_a_seed", &[("LAB_REPLAY", &line)], &[usual, "fails with seed"]);
    // It may be that test under another name: then its line is there.
    let renamed = said.split("if it was renamed, its line is LAB_REPLAY=").nth(1).expect("its line");
    let renamed = renamed.split(')').next().unwrap();
    assert!(renamed.starts_with("lab1,bad_input::wrong::loses_an_addition_by_a_seed,"), "{renamed}");
    assert!(asupersync::explore::Replay::read(renamed).is_ok(), "{renamed}");
    // Said also where the harness keeps what passing tests print.
    let captured = started("has_more_classes_than_its_budget", &[("LAB_REPLAY", &line)], &[]);
    assert!(captured.0 && captured.1.contains(usual), "{}", captured.1);
    let (passed, said) = run("has_more_classes_than_its_budget", &[("LAB_REPLAY", &line)]);
    assert!(passed && said.contains(usual) && said.contains("3 of about"), "{said}");
}

#[test]
fn a_replay_of_another_version_or_a_corrupted_one_is_refused() {
    let line = line(&fails("loses_an_addition", &[], &[]));
    let refused = |line: &str, words: &[&str]| {
        for test in ["loses_an_addition", "loses_an_addition_by_a_seed"] {
            fails(
                test,
                &[("LAB_REPLAY", line)],
                &[&["lab: LAB_REPLAY: failed to read the replay"], words].concat(),
            );
        }
    };
    refused(&line.replace("lab1,", "lab2,"), &["it has version 2"]);
    refused(&line[..line.len() - 3], &[]);
    refused(&line.replace(',', ";"), &[]);
    refused("", &[]);
    // Any one character more or less.
    for at in (0..line.len()).filter(|at| line.is_char_boundary(*at)).step_by(7) {
        let changed = format!("{}~{}", &line[..at], &line[at..]);
        let (passed, said) = run("loses_an_addition", &[("LAB_REPLAY", &changed)]);
        assert!(!passed, "{changed}: {said}");
    }
}

#[test]
fn a_replay_of_the_test_as_it_was_before_it_was_changed_says_where_they_part() {
    // The line of another program under this one's name, as it is after a change to the test.
    let other = line(&fails("loses_an_addition_by_a_seed", &[], &[]));
    let recorded = asupersync::explore::Replay::read(&other).unwrap();
    let short = asupersync::explore::Decisions::new(40, recorded.decisions.deviations().to_vec());
    let line = asupersync::explore::Replay::new("bad_input::wrong::loses_an_addition", short).line();
    fails("loses_an_addition", &[("LAB_REPLAY", &line)], &["no longer follows the replay", "decision"]);
}

#[test]
fn limits_that_are_hit_are_told_and_do_not_pass_unless_the_part_is_all_that_was_asked_for() {
    let (passed, said) = run("has_more_classes_than_its_budget", &[]);
    assert!(passed && said.contains("3 of about ") && said.contains("it ended early"), "{said}");
    assert!(!said.contains("all there are"), "{said}");
    let words =
        ["has more schedules than its limit of 3 runs: 3 of about ", "raise `limit`", "say `budget = 3`"];
    fails("has_more_classes_than_its_limit", &[], &words);
    let words = ["has more moments to be cancelled in than its limit of 3 runs", "say `budget = 3`"];
    fails("has_more_checkpoints_than_its_limit", &[], &words);
    let words =
        ["stuck after 1000 steps: the limit on steps was reached", "livelock: a loop of one step repeats"];
    let said = fails("never_ends", &[], &words);
    fails(
        "never_ends",
        &[("LAB_REPLAY", &line(&said)), ("LAB_SEED", "0")],
        &["fails as it was recorded: stuck"],
    );
}

#[test]
fn an_oracle_that_panics_fails_the_test_under_its_name() {
    let words = ["the oracle `broken` itself panicked at crates/asupersync/tests/bad_input.rs:", "no event "];
    fails("has_an_oracle_that_panics", &[], &words);
}
