//! Traces of the engine with many threads, replayed against the model: random programs on two workers, with real
//! time and real races. Each label is emitted at its linearisation point (`event.linear`), so the merged trace is one
//! that the rules agree with.
//!
//! The programs are those of the lab's random tests. A failure prints its seed, which makes the same program again,
//! and the end of its trace, which is another one each time.
// Threads, time, and environment variables that ask for a longer run.
#![allow(clippy::disallowed_methods)]

#[path = "labels/contended.rs"]
mod contended;
#[path = "../../lab/tests/random/exec.rs"]
mod exec;
#[path = "watched/guard.rs"]
mod guard;
#[path = "../../lab/tests/random/program.rs"]
mod program;
#[path = "labels/recorder.rs"]
mod recorder;

use asupersync_runtime::{Builder, Spread};
use contended::contended;
use cx::port::{Report, Reports};
use cx::{Cx, NoSpawn};
use exec::{World, exec};
use program::{Op, Program};
use recorder::Recorder;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use types::{AfterGrace, CancelKind, Res};

struct Nobody;

impl Reports for Nobody {
    fn report(&self, _: Report) {}
}

/// The same program without waiting for time: everybody is ready all the time.
fn hurried(ops: &[Op]) -> Vec<Op> {
    let hurried_op = |op: &Op| match op {
        Op::Sleep(_) | Op::Deaf(_) => Op::Yield,
        Op::Spawn(ops) => Op::Spawn(hurried(ops)),
        Op::Daemon(ops) => Op::Daemon(hurried(ops)),
        Op::Region(ops) => Op::Region(hurried(ops)),
        Op::TryRegion(ops) => Op::TryRegion(hurried(ops)),
        Op::Collect(ops) => Op::Collect(hurried(ops)),
        Op::Isolate(ops) => Op::Isolate(hurried(ops)),
        Op::Dropped(polls, ops) => Op::Dropped(*polls, hurried(ops)),
        Op::Masked(ops) => Op::Masked(hurried(ops)),
        Op::Race(a, b) => Op::Race(hurried(a), hurried(b)),
        Op::Both(a, b) => Op::Both(hurried(a), hurried(b)),
        Op::Timeout(n, ops) => Op::Timeout(*n, hurried(ops)),
        Op::Bracket(a, b) => Op::Bracket(hurried(a), hurried(b)),
        Op::Finally(ops) => Op::Finally(hurried(ops)),
        Op::Permit(used, ops) => Op::Permit(*used, hurried(ops)),
        other => other.clone(),
    };
    ops.iter().map(hurried_op).collect()
}

/// Sixteen tasks that each run the program of a seed, joined or left alone.
fn crowd(seed: u64) -> Vec<Op> {
    let mut ops = Vec::new();
    for n in 0..16 {
        ops.push(Op::Spawn(hurried(&Program::random(seed * 16 + n).ops)));
        match n % 4 {
            0 => ops.push(Op::Join),
            1 => ops.push(Op::Cancel),
            _ => {}
        }
    }
    vec![Op::Isolate(ops)]
}

/// What a runtime may do with the programs.
#[derive(Clone, Copy)]
struct Premises {
    spread: Spread,
    grace: Duration,
}

const USUAL: Premises = Premises { spread: Spread::Balanced, grace: Duration::from_millis(100) };

/// Runs the program, and replays what happened. Returns how many events that were, and how often the thread changed
/// from one to the next.
fn check(
    seed: u64,
    premises: Premises,
    program: impl AsyncFnOnce(&mut Cx),
) -> Result<(usize, usize), String> {
    let recorder = Recorder::new();
    let after = if seed.is_multiple_of(4) { AfterGrace::Abandon } else { AfterGrace::Wait };
    let runtime = Builder::new()
        .workers(2)
        .spread(premises.spread)
        .seed(seed)
        .grace(premises.grace)
        .after_grace(after)
        .reports(Nobody)
        .sink(recorder.clone())
        .build()
        .expect("a runtime");
    let handle = runtime.handle();
    let run = || guard::guarded("a traced program", Some(handle), || runtime.try_run(program));
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(|s| &**s));
        // Planned, or that of a task that was abandoned.
        if ![Some(exec::PLANNED), Some("its cleanup deadline had passed")].contains(&text) {
            return Err(format!("it panicked: {text:?}"));
        }
    }
    let events = recorder.events();
    match model::replay(&events) {
        Ok(_) => Ok((events.len(), recorder.changes())),
        Err(found) => {
            let last: Vec<_> =
                events[..events.len().min(found.at + 1)].iter().map(|e| e.to_string()).collect();
            Err(format!("{found}\n{}", last[last.len().saturating_sub(40)..].join("\n")))
        }
    }
}

fn interpreted(ops: Vec<Op>) -> impl AsyncFnOnce(&mut Cx) {
    async move |cx: &mut Cx| {
        let world = World::default();
        let _ = exec(cx, &world, &ops).await;
    }
}

/// Runs programs on several runtimes at a time: they mostly sleep, or race with each other for the processors.
fn check_all(program: fn(u64) -> Vec<Op>, premises: Premises, seeds: u64) {
    let number = |name, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (first, seeds) = (number("LABELS_FIRST_SEED", 0), number("LABELS_SEEDS", seeds));
    // Planned panics are part of the programs.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, events) = (AtomicU64::new(first), AtomicU64::new(0));
    let failures: Vec<(u64, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut failures = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Relaxed);
                        if seed >= first + seeds {
                            return failures;
                        }
                        match check(seed, premises, interpreted(program(seed))) {
                            Ok((n, _)) => drop(events.fetch_add(n as u64, Relaxed)),
                            Err(why) => failures.push((seed, why)),
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it catches panics")).collect()
    });
    let _ = std::panic::take_hook();
    let smallest = failures.iter().min_by_key(|(seed, _)| format!("{:?}", program(*seed)).len());
    if let Some((seed, why)) = smallest {
        let all: Vec<_> = failures.iter().map(|(seed, why)| (seed, why.lines().next())).collect();
        panic!("seed {seed}: {why}\n{:?}\n{} failed: {all:#?}", program(*seed), failures.len());
    }
    assert!(events.load(Relaxed) > 20 * seeds, "the programs hardly did anything");
}

#[test]
fn traces_of_random_programs_on_two_workers_are_those_of_the_model() {
    check_all(|seed| Program::random(seed).ops, USUAL, 100)
}

#[test]
fn traces_of_crowds_that_never_sleep_are_those_of_the_model() {
    check_all(crowd, USUAL, 100)
}

#[test]
fn traces_of_crowds_whose_cleanup_is_overdue_at_once_are_those_of_the_model() {
    // The walk that pierces masks meets tasks that are just opening regions in them.
    check_all(crowd, Premises { spread: Spread::Eager, grace: Duration::from_micros(200) }, 100)
}

#[test]
fn a_trace_of_threads_that_meet_all_the_time_is_one_of_the_model() {
    for seed in 0..6 {
        // A short queue wakes nobody by default, and then these threads would meet only by chance.
        let (events, changes) = check(seed, Premises { spread: Spread::Eager, ..USUAL }, contended)
            .unwrap_or_else(|why| panic!("{why}"));
        assert!(events > 2000 && changes > 20, "{events} events, {changes} changes: they hardly met");
    }
}

#[test]
fn a_trace_of_a_finalizer_that_is_ended_while_its_closure_runs_is_one_of_the_model() {
    let late = async |cx: &mut Cx| {
        let end = cx
            .try_region(|r| async {
                let finalizer = async |cx: &mut Cx<NoSpawn>| -> Res {
                    // Past the finalizer's bound, which is a second.
                    cx.run_blocking(|_| std::thread::sleep(Duration::from_millis(1200))).await
                };
                r.finally(finalizer).expect("the region is open");
                r.handle().cancel(CancelKind::Explicit, "the test says so", None);
                Res::<()>::Ok(())
            })
            .await;
        assert!(end.is_ok(), "{end:?}");
    };
    let (events, _) = check(1, USUAL, late).unwrap_or_else(|why| panic!("{why}"));
    assert!(events > 10);
}
