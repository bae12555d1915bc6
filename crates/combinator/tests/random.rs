//! Random trees of combinators, regions, masks and tasks, on random schedules, with a request from outside at
//! a random instant. Whatever they do, the model and all oracles agree with the trace, and the same seed runs
//! the same trace twice.
use asupersync_combinator::CombineExt;
use cx::Cx;
use lab::{LabConfig, LabRuntime};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use time::TimeExt;
use types::{AfterGrace, Budget, CancelKind, Res};

const SEEDS: u64 = 600;
const DEPTH: u32 = 4;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// SplitMix64.
#[derive(Clone, Copy)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 27)) % sides
    }

    fn split(&mut self) -> Dice {
        Dice(self.roll(u64::MAX))
    }
}

/// Bodies that are running, and bodies that were ever started.
#[derive(Default)]
struct Census {
    running: AtomicU64,
    started: AtomicU64,
}

struct Present(Arc<Census>);

impl Present {
    fn new(census: &Arc<Census>) -> Present {
        census.running.fetch_add(1, SeqCst);
        census.started.fetch_add(1, SeqCst);
        Present(census.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

type Body<'a> = Pin<Box<dyn Future<Output = Res<u64>> + Send + 'a>>;

fn program<'a>(cx: &'a mut Cx, mut dice: Dice, depth: u32, census: Arc<Census>) -> Body<'a> {
    Box::pin(async move {
        let _present = Present::new(&census);
        let (a, b, c) = (dice.split(), dice.split(), dice.split());
        let again = |dice: Dice| {
            let census = census.clone();
            async move |cx: &mut Cx| program(cx, dice, depth - 1, census).await
        };
        if depth == 0 {
            return leaf(cx, dice).await;
        }
        match dice.roll(16) {
            0 => cx.race(again(a), again(b)).await,
            1 => cx.race_all([a, b, c].map(again)).await,
            2 => Ok(cx.select(again(a), again(b)).await.into_inner()?),
            3 => {
                let (x, y) = cx.join(again(a), again(b)).await;
                Ok(x? + y?)
            }
            4 => cx.try_join(again(a), again(b)).await.map(|(x, y)| x + y),
            5 => Ok(cx.try_join_all([a, b, c].map(again)).await?.iter().sum()),
            6 => cx.first_ok([a, b, c].map(again)).await,
            7 => Ok(cx.quorum(2, [a, b, c].map(again)).await.ok()?.iter().sum()),
            8 | 9 => cx.timeout(ms(dice.roll(12)), again(a)).await,
            10 => cx.budgeted(Budget::UNLIMITED.polls(dice.roll(5) as u32), again(a)).await,
            11 => cx.masked(again(a)).await,
            12 => {
                let (used, released) = (again(b), again(c));
                cx.bracket(
                    again(a),
                    async |cx, n| Ok(*n + used(cx).await?),
                    async |cx, _| released(cx).await.map(drop),
                )
                .await
            }
            13 => {
                let spawn = |cx: &Cx, dice: Dice| {
                    let census = census.clone();
                    cx.spawn(async move |cx: &mut Cx| program(cx, dice, depth - 1, census).await)
                };
                let region = async |scope: &mut Cx| {
                    let mut first = spawn(scope, a);
                    spawn(scope, b);
                    leaf(scope, c).await?;
                    if dice.roll(2) == 0 { Ok(first.join(scope).await.ok()?) } else { Ok(1) }
                };
                cx.try_region(region).await
            }
            14 => {
                // Spawned straight into the branch, or the task, that this is.
                let left = census.clone();
                cx.spawn(async move |cx: &mut Cx| program(cx, a, depth - 1, left).await);
                again(b)(cx).await
            }
            _ => {
                again(a)(cx).await?;
                again(b)(cx).await
            }
        }
    })
}

async fn leaf(cx: &Cx, mut dice: Dice) -> Res<u64> {
    match dice.roll(9) {
        0 => Err(std::fmt::Error)?,
        1 => {
            cx.yield_now().await;
            cx.checkpoint()?;
        }
        2 => {
            // Reluctant: looks only now and then.
            for _ in 0..3 {
                let _ = cx.sleep(ms(dice.roll(3))).await;
                cx.yield_now().await;
            }
        }
        _ => cx.sleep(ms(dice.roll(8))).await?,
    }
    Ok(dice.roll(10))
}

fn run(seed: u64) -> (String, u64) {
    let after = if seed % 4 == 3 { AfterGrace::Abandon } else { AfterGrace::Wait };
    let config = LabConfig::default().seed(seed).after_grace(after).grace(ms(1 + seed % 20));
    let lab = LabRuntime::new(config);
    let census = Arc::<Census>::default();
    let mut dice = Dice(seed ^ 0xC0FFEE);
    // An abandoned task ends in a panic, which reaches the root where nobody joined it.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        lab.try_run(|cx| {
            let inside = census.clone();
            async move {
                let (a, when, what) = (dice.split(), dice.roll(40), dice.roll(3));
                let mut task = cx.spawn(async move |cx: &mut Cx| program(cx, a, DEPTH, inside).await);
                // A failure of the task reaches the root's body too.
                let _ = cx.sleep(ms(when)).await;
                match what {
                    0 => task.cancel("enough"),
                    1 => cx.handle().cancel(CancelKind::Shutdown, "everybody", None),
                    _ => {}
                }
                let _ = task.join(cx).await;
            }
        })
    }));
    match ended {
        Ok(run) => run.unwrap_or_else(|failure| panic!("seed {seed}: {failure}")),
        Err(_) if after == AfterGrace::Abandon => {}
        Err(payload) => resume_unwind(payload),
    }
    assert_eq!(census.running.load(SeqCst), 0, "the run is over, and so is everything in it");
    lab.oracles().unwrap_or_else(|report| panic!("seed {seed}: {report}"));
    (lab.trace(), census.started.load(SeqCst))
}

#[test]
fn every_random_program_agrees_with_the_model_and_the_oracles() {
    let mut bodies = 0;
    for seed in 0..SEEDS {
        bodies += run(seed).1;
    }
    assert!(bodies > SEEDS * 10, "the programs are too small to tell anything: {bodies} bodies");
}

#[test]
fn the_same_seed_runs_the_same_trace() {
    for seed in 0..20 {
        assert_eq!(run(seed).0, run(seed).0);
    }
}
