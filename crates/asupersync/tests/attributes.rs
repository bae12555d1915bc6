//! The attributes `test` and `lab_test`, as users write them, and the program that `main` makes.
//!
//! Not here: what they say about mistakes (`ui.rs`, and the tests of the crate `macros`).
use asupersync::net::{TcpListener, TcpStream};
use asupersync::prelude::*;
use asupersync::sync::mpsc;
use asupersync::sync::semaphore::Semaphore;
use asupersync::sync::shared::Shared;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[asupersync::test]
async fn a_test_runs_on_the_real_runtime(cx: &mut Cx) -> Res {
    let (tx, mut rx) = mpsc::channel(1);
    cx.spawn(async move |cx| -> Res {
        tx.reserve(cx).await?.send(7);
        Ok(())
    });
    assert_eq!(rx.recv(cx).await?, 7);
    Ok(())
}

#[asupersync::test(workers = 1)]
async fn a_test_may_return_nothing(cx: &mut Cx) {
    cx.sleep(Duration::from_millis(1)).await.unwrap();
}

/// It would go on for ever if nobody dropped it.
#[asupersync::test(grace = "20ms", after_grace = "abandon")]
async fn a_test_says_how_long_an_end_may_take_and_what_becomes_of_who_takes_longer(cx: &mut Cx) {
    let mut stubborn = cx.spawn(async |cx| -> Res {
        loop {
            cx.yield_now().await;
        }
    });
    stubborn.cancel("the test says so");
    let outcome = stubborn.join(cx).await;
    assert!(matches!(outcome, Outcome::Panicked(_)), "{outcome:?}");
}

#[asupersync::test]
#[should_panic(expected = "invalid digit")]
async fn an_error_fails_the_test(_cx: &mut Cx) -> Res {
    let _: u8 = "seven".parse()?;
    Ok(())
}

#[asupersync::test]
#[should_panic(expected = "nobody is waiting for this")]
async fn a_child_s_panic_fails_the_test(cx: &mut Cx) {
    cx.spawn(async |_| -> Res { panic!("nobody is waiting for this") });
}

#[asupersync::test]
async fn any_row_that_the_runtime_grants_will_do(
    cx: &mut Cx<impl MayTime + MaySpawn>,
) -> Result<(), Cancelled> {
    cx.sleep(Duration::ZERO).await
}

static RUNS: AtomicU64 = AtomicU64::new(0);

#[asupersync::lab_test(seeds = 10..=19)]
async fn a_lab_test_takes_no_real_time(cx: &mut Cx) -> Res {
    let began = cx.now();
    cx.sleep(Duration::from_secs(365 * 24 * 3600 / 400)).await?;
    assert_eq!(cx.now().saturating_since(began), Duration::from_secs(365 * 24 * 3600 / 400));
    RUNS.fetch_add(1, Relaxed);
    Ok(())
}

#[test]
#[allow(clippy::disallowed_methods, reason = "LAB_SEED changes what is expected")]
fn every_seed_of_the_range_is_run() {
    let before = RUNS.load(Relaxed);
    a_lab_test_takes_no_real_time();
    // The harness may run the test itself at the same time.
    let ran = RUNS.load(Relaxed) - before;
    assert!(std::env::var_os("LAB_SEED").is_some() || (10..=20).contains(&ran), "{ran}");
}

#[asupersync::lab_test]
#[should_panic(expected = "attributes.rs")]
async fn a_leak_fails_a_lab_test(cx: &mut Cx) -> Res {
    cx.region(|scope| async {
        scope.spawn(async |cx| -> Res {
            let (tx, _rx) = mpsc::channel::<u8>(1);
            std::mem::forget(tx.reserve(cx).await?);
            Ok(())
        });
    })
    .await;
    Ok(())
}

#[asupersync::lab_test(seeds = 0..4)]
#[should_panic(expected = "deadlock")]
async fn a_deadlock_fails_a_lab_test(cx: &mut Cx) -> Res {
    let (_tx, mut rx) = mpsc::channel::<u8>(1);
    rx.recv(cx).await?;
    Ok(())
}

#[asupersync::lab_test]
#[should_panic(expected = "the test failed: failed by hand")]
async fn an_error_fails_a_lab_test(cx: &mut Cx) -> Res {
    cx.checkpoint()?;
    Err(Stop::Err(asupersync::Error::msg("failed by hand")))
}

/// Two tasks that each add 1 by a look and a change.
async fn adds(cx: &mut Cx) {
    let sum = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for _ in 0..2 {
            let sum = sum.clone();
            scope.spawn(async move |cx| {
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

#[asupersync::lab_test(explore)]
#[should_panic(expected = "cargo test an_exploration_finds_a_lost_update -- --exact")]
async fn an_exploration_finds_a_lost_update(cx: &mut Cx) {
    adds(cx).await
}

#[asupersync::lab_test(explore = "pct:2", seeds = 3..5, runs = 300)]
#[should_panic(expected = "an addition was lost")]
async fn a_sampler_finds_it_too(cx: &mut Cx) {
    adds(cx).await
}

#[asupersync::lab_test(seeds = 0..20, time = "eager:2")]
async fn a_sweep_in_eager_time_still_ends(cx: &mut Cx) -> Res {
    cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(Duration::from_secs(3)).await?) });
    for _ in 0..4 {
        cx.step().await;
    }
    Ok(())
}

#[asupersync::lab_test(explore = "random", random = "branch:3", runs = 50)]
#[should_panic(expected = "two was drawn")]
async fn a_sampler_draws_every_small_number(cx: &mut Cx) {
    assert!(cx.random_below(3) != 2, "two was drawn")
}

#[asupersync::lab_test(explore = "every", grain = "poll", limit = 500)]
async fn a_search_without_a_failure_passes(cx: &mut Cx) -> Res {
    let (tx, mut rx) = mpsc::channel::<u8>(1);
    cx.spawn(async move |cx| -> Res { Ok(tx.send(cx, 7).await?) });
    assert_eq!(rx.recv(cx).await?, 7);
    Ok(())
}

#[asupersync::lab_test(cancel = "pairs", seeds = 0..3)]
async fn whoever_is_cancelled_the_permit_comes_back(cx: &mut Cx) {
    let permits = Arc::new(Semaphore::new(1));
    cx.region(|scope| async {
        for _ in 0..2 {
            let permits = permits.clone();
            scope.spawn(async move |cx| -> Res {
                let _permit = permits.acquire(cx, 1).await?;
                cx.yield_now().await;
                Ok(cx.checkpoint()?)
            });
        }
    })
    .await;
    assert_eq!(permits.available(), 1);
}

/// A name that only this place has.
mod inside {
    use super::*;
    #[asupersync::lab_test(explore = "urw", runs = 50)]
    #[should_panic(expected = "cargo test inside::a_test_in_a_module_is_named_with_it -- --exact")]
    async fn a_test_in_a_module_is_named_with_it(cx: &mut Cx) {
        adds(cx).await
    }
}

const SERVER: ([u8; 4], u16) = ([10, 0, 0, 1], 80);

#[asupersync::lab_test(explore, faults = true)]
#[should_panic(expected = "failed to accept a connection")]
async fn faults_are_tried(cx: &mut Cx) -> Res {
    let listener = TcpListener::bind(cx, SERVER)?;
    cx.spawn(async move |cx| -> Res {
        let (stream, _) = listener.accept(cx).await?;
        let _ = stream.read(cx, &mut [0]).await;
        Ok(())
    });
    let stream = TcpStream::connect(cx, SERVER).await?;
    stream.write_all(cx, b"x").await?;
    Ok(())
}

mod good {
    use super::*;
    #[asupersync::main(workers = 2, grace = "1min", after_grace = "wait")]
    pub(super) async fn main(cx: &mut Cx) -> Res {
        cx.spawn(async |_| {});
        Ok(())
    }
}

mod failing {
    use super::*;
    /// Attributes and documentation stay.
    #[asupersync::main]
    #[must_use]
    pub(super) async fn main(_cx: &mut Cx) -> Result<(), std::num::ParseIntError> {
        "x".parse::<u8>().map(|_| ())
    }
}

#[test]
fn main_turns_the_outcome_into_an_exit_code() {
    // `ExitCode` has no comparison but its `Debug`.
    let shown = |code: ExitCode| format!("{code:?}");
    assert_eq!(shown(good::main()), shown(ExitCode::SUCCESS));
    assert_eq!(shown(failing::main()), shown(ExitCode::from(1)));
    let unbuildable = asupersync::runtime::program(asupersync::Builder::new().workers(0), async |_| {});
    assert_eq!(shown(unbuildable), shown(ExitCode::from(2)));
}
