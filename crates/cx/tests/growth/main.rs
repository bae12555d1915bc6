//! What deep and long-lived programs cost, in bytes that were allocated: deep ones in proportion to their depth,
//! long-lived ones nothing more after a while. One test, as the count is the process's.
// The stack of a deep program is bigger than a test thread's.
#![allow(clippy::disallowed_methods)]

mod counting;
// Half of what the executor offers is for other tests.
#[allow(dead_code)]
#[path = "../kernel/executor.rs"]
mod executor;
#[path = "../../examples/embedded/raw.rs"]
mod raw;

use asupersync_cx::{Cx, RegionOptions};
use counting::Counting;
use executor::Executor;
use std::future::Future;
use std::pin::Pin;
use types::{Outcome, Res, Stop};

#[global_allocator]
static BYTES: Counting = Counting::new();

type Nested<'a> = Pin<Box<dyn Future<Output = usize> + Send + 'a>>;

/// Opens a region in a region in a region, and says how deep it got.
fn nest(cx: &mut Cx, levels: usize) -> Nested<'_> {
    Box::pin(async move {
        if levels == 0 {
            return 0;
        }
        cx.region(async |cx: &mut Cx| 1 + nest(cx, levels - 1).await).await
    })
}

/// What a run takes from the allocator.
fn taken_by<T>(run: impl FnOnce(&Executor) -> T) -> usize {
    let executor = Executor::new();
    let before = BYTES.taken();
    run(&executor);
    BYTES.taken() - before
}

fn nested_regions_cost_memory_in_proportion_to_their_depth() {
    let nested = |levels| {
        taken_by(|executor| assert_eq!(executor.run(async |cx: &mut Cx| nest(cx, levels).await), levels))
    };
    // What is set up once is paid for by the first run.
    nested(10);
    let (shallow, deep) = (nested(1_000), nested(10_000));
    assert!(deep < 11 * shallow, "1000 levels take {shallow} bytes, and 10000 take {deep}");
}

/// Spawns a task that fails and joins it, again and again.
async fn fail_and_join(cx: &mut Cx, times: usize) {
    for _ in 0..times {
        let mut failing = cx.spawn(async |_: &mut Cx| -> Res<(), u64> { Err(Stop::Err(7)) });
        assert!(matches!(failing.join(cx).await, Outcome::Err(7)));
        let mut asked = cx.spawn(async |cx: &mut Cx| -> Res<()> {
            loop {
                cx.checkpoint()?;
                cx.yield_now().await
            }
        });
        asked.cancel("that will do");
        assert!(matches!(asked.join(cx).await, Outcome::Cancelled(_)));
    }
}

fn a_region_forgets_members_whose_failure_was_joined() {
    Executor::new().run(async |cx: &mut Cx| {
        cx.region_with(RegionOptions::keep_going(), async |cx: &mut Cx| {
            fail_and_join(cx, 500).await;
            let before = BYTES.live();
            fail_and_join(cx, 5_000).await;
            let more = BYTES.live().saturating_sub(before);
            assert!(more < 20_000, "5000 rounds left {more} bytes behind");
        })
        .await
    });
}

fn a_region_forgets_members_that_were_asked_to_end_and_let_go_of() {
    Executor::new().run(async |cx: &mut Cx| {
        cx.region(async |cx: &mut Cx| {
            let rounds = async |cx: &mut Cx, times: usize| {
                for _ in 0..times {
                    cx.spawn(async |cx: &mut Cx| -> Res<()> { Err(cx.cancelled().await.into()) })
                        .cancel("stop");
                    cx.yield_now().await;
                    cx.yield_now().await
                }
            };
            rounds(cx, 500).await;
            let before = BYTES.live();
            rounds(cx, 5_000).await;
            let more = BYTES.live().saturating_sub(before);
            assert!(more < 20_000, "5000 rounds left {more} bytes behind");
        })
        .await
    });
}

#[test]
fn memory_is_bounded_by_what_is_open() {
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(|| {
        nested_regions_cost_memory_in_proportion_to_their_depth();
        a_region_forgets_members_whose_failure_was_joined();
        a_region_forgets_members_that_were_asked_to_end_and_let_go_of();
    });
    thread.expect("a thread").join().expect("neither failed");
}
