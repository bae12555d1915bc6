//! Replay: a recorded run and the run that follows its decisions have the same trace, byte for byte, whatever the program
//! does and whoever picked the schedule.
//!
//! The programs are the random ones (`random/`), which use everything the kernel offers: regions, races, timeouts, masks,
//! finalizers, permits, requests from inside, failures, panics, frames that are dropped in the middle.
//!
//! ```text
//! LAB_PAIRS=1000000 cargo test --release -p asupersync-lab --test record_replay -- --ignored --nocapture
//! ```
//! Not here: the format of replays (`explore`), a single run's determinism (`lab.rs`).
#![allow(clippy::disallowed_methods)] // A longer run is asked for by environment variables.
#![cfg(not(asupersync_seeded))]

#[path = "random/exec.rs"]
mod exec;
#[path = "random/program.rs"]
mod program;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::time::Duration;

use asupersync_lab::{LabConfig, LabRuntime, Schedule};
use types::AfterGrace;

use crate::exec::{World, exec};
use crate::program::Program;

/// Pairs of the everyday run.
const EVERY_DAY: u64 = 2_000;
/// Pairs of the long run, if nobody says how many.
const LONG: u64 = 1_000_000;

/// Who picks, by the pair's number: every sampler has its turn.
fn schedule(pair: u64) -> Schedule {
    match pair % 5 {
        0 | 1 => Schedule::Random,
        2 => Schedule::Pct { depth: 3, steps: 50 },
        3 => Schedule::Pos,
        _ => Schedule::RoundRobin,
    }
}

/// Runs the program of this pair, whatever comes of it.
fn ran(pair: u64, schedule: Schedule, program: &Program) -> LabRuntime {
    let after = if pair.is_multiple_of(4) { AfterGrace::Abandon } else { AfterGrace::Wait };
    let config = LabConfig::default()
        .seed(pair)
        .schedule(schedule)
        .check_model(false)
        .after_grace(after)
        .grace(Duration::from_millis(100))
        .max_steps(200_000)
        .max_idle(Duration::from_secs(600));
    let lab = LabRuntime::new(config);
    let ops = program.ops.clone();
    // A planned panic is a run like any other.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        lab.try_run(|cx| async {
            let world = World::default();
            exec(cx, &world, &ops).await
        })
    }));
    lab
}

/// What a pair was like.
struct Pair {
    steps: u64,
    decisions: u64,
}

/// Records a run and replays it. An error is the first line in which they differ.
fn pair(number: u64) -> Result<Pair, String> {
    let program = Program::random(number);
    let first = ran(number, schedule(number), &program);
    let decisions = first.decisions();
    let again = ran(number, Schedule::Replay(decisions.clone()), &program);
    if let Some(divergence) = again.divergence() {
        return Err(format!("the replay left its recording: {divergence}"));
    }
    let (one, other) = (first.trace(), again.trace());
    if one != other {
        let differ = one.lines().zip(other.lines()).find(|(a, b)| a != b);
        return Err(match differ {
            Some((a, b)) => format!("recorded `{a}`, replayed `{b}`"),
            None => format!("{} lines recorded, {} replayed", one.lines().count(), other.lines().count()),
        });
    }
    if again.decisions() != decisions {
        return Err("the replay has other decisions than its recording".into());
    }
    Ok(Pair { steps: first.steps(), decisions: decisions.len() })
}

/// So many pairs, from this number on; says how far it is every `told` pairs.
fn pairs(first: u64, many: u64, told: u64) {
    let hook = take_hook();
    // Planned panics are part of the programs.
    set_hook(Box::new(|_| {}));
    let (mut steps, mut decisions, mut diverged) = (0, 0, Vec::new());
    for (done, number) in (first..first + many).enumerate() {
        match catch_unwind(|| pair(number)) {
            Ok(Ok(pair)) => {
                steps += pair.steps;
                decisions += pair.decisions;
            }
            Ok(Err(why)) => diverged.push(format!("pair {number}: {why}\n{:?}", Program::random(number).ops)),
            Err(_) => diverged.push(format!("pair {number}: the comparison panicked")),
        }
        if (done as u64 + 1).is_multiple_of(told) {
            println!("{} pairs, {steps} steps, {decisions} decisions, {} diverged", done + 1, diverged.len());
        }
    }
    set_hook(hook);
    assert!(diverged.is_empty(), "{} of {many} pairs diverged; the first:\n{}", diverged.len(), diverged[0]);
    // A comparison of nothing with nothing would pass.
    assert!(steps >= many && decisions >= many, "{steps} steps and {decisions} decisions in {many} pairs");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn every_recorded_run_is_replayed_byte_for_byte() {
    pairs(0, EVERY_DAY, u64::MAX)
}

#[test]
#[ignore = "takes minutes: the nightly length"]
fn a_million_recorded_runs_are_replayed_byte_for_byte() {
    let (first, many) = (number("LAB_FIRST_PAIR").unwrap_or(0), number("LAB_PAIRS").unwrap_or(LONG));
    pairs(first, many, (many / 100).max(1))
}

/// The comparison notices: the same program under another schedule is no replay.
#[test]
fn a_run_with_other_decisions_has_another_trace() {
    let differs = (0..200).any(|number| {
        let program = Program::random(number);
        let first = ran(number, Schedule::Random, &program);
        let other = ran(number, Schedule::Replay(explore::Decisions::default()), &program);
        first.events() != other.events()
    });
    assert!(differs, "no schedule made a difference");
}
