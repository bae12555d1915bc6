//! Random programs: whatever a program does, its trace passes the model, every oracle is content, and it ends.
//!
//! A program is a tree of what the kernel offers: tasks, regions under each policy, masks, races, timeouts, brackets,
//! finalizers, permits, requests from inside, failures, panics, frames that are dropped in the middle. It has no
//! expected result; what is checked is that no rule is broken on the way.
//!
//! A seed that fails is printed with its program. Not here: programs with a result (`programs.rs`).
#![allow(clippy::disallowed_methods)] // A longer run is asked for by environment variables.
#![cfg(not(asupersync_seeded))]

#[path = "random/exec.rs"]
mod exec;
#[path = "random/program.rs"]
mod program;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use asupersync_lab::{LabConfig, LabFailure, LabRuntime};
use types::AfterGrace;

use crate::exec::{World, exec};
use crate::program::Program;

fn check(seed: u64) -> Result<(), String> {
    let program = Program::random(seed);
    let after = if seed.is_multiple_of(4) { AfterGrace::Abandon } else { AfterGrace::Wait };
    let config = LabConfig::default()
        .seed(seed)
        .after_grace(after)
        .grace(Duration::from_millis(100))
        .max_steps(200_000)
        .max_idle(Duration::from_secs(600));
    let lab = LabRuntime::new(config);
    let ops = program.ops.clone();
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.try_run(|cx| async {
            let world = World::default();
            exec(cx, &world, &ops).await
        })
    }));
    match run {
        Ok(Ok(_)) => {}
        Ok(Err(LabFailure::Deadlock { waits, .. })) => return Err(format!("it hangs:\n{waits}")),
        Ok(Err(failure)) => {
            if std::env::var("LAB_TRACE").is_ok() {
                println!("{}", lab.trace());
            }
            return Err(failure.to_string());
        }
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(|s| &**s));
            // Planned, or that of a task that was abandoned.
            if ![Some(exec::PLANNED), Some("its cleanup deadline had passed")].contains(&text) {
                return Err(format!("it panicked: {text:?}"));
            }
        }
    }
    if let Err(divergence) = model::replay(&lab.events()) {
        return Err(divergence.to_string());
    }
    lab.oracles().map_err(|found| found.to_string())
}

#[test]
fn random_programs_break_no_rule() {
    let seeds = std::env::var("LAB_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let first = std::env::var("LAB_FIRST_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    // Planned panics are part of the programs.
    std::panic::set_hook(Box::new(|_| {}));
    let failures = (first..first + seeds).filter_map(|seed| check(seed).err().map(|why| (seed, why)));
    let size = |seed| format!("{:?}", Program::random(seed).ops).len();
    // The smallest program says most.
    let smallest = failures.min_by_key(|(seed, _)| size(*seed));
    let _ = std::panic::take_hook();
    if let Some((seed, why)) = smallest {
        panic!("seed {seed}: {why}\n{:?}", Program::random(seed).ops);
    }
}
