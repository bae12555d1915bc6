//! What small programs can come to: by every schedule one by one, and by searches.
//!
//! Not here: the programs (`glances`, `regions`).
use crate::every_schedule::every_schedule;
use crate::one_by_one::OneByOne;
use asupersync_lab::{Grain, LabConfig, LabRuntime, Search};
use cx::Cx;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// A program that returns what it came to.
pub(crate) trait Body: AsyncFnOnce(&mut Cx) -> u32 + Clone {}
impl<B: AsyncFnOnce(&mut Cx) -> u32 + Clone> Body for B {}

type Notes = BTreeSet<u32>;

fn config() -> LabConfig {
    LabConfig::default().traced(false)
}

fn come_to(lab: &LabRuntime, body: impl Body) -> Option<u32> {
    lab.try_run(async |cx| body(cx).await).ok()
}

fn by_brute_force(grain: Grain, body: impl Body) -> Notes {
    let all = every_schedule(config(), grain, OneByOne::with_empty_beginnings_first(), 20_000, |lab| {
        come_to(lab, body.clone())
    });
    all.expect("there are few schedules").0
}

fn searched(search: Search, body: impl Body) -> Notes {
    let notes = Mutex::new(Notes::new());
    let run = |lab: &LabRuntime| notes.lock().unwrap().extend(come_to(lab, body.clone()));
    let found = search.config(config()).run_labs("glances", None, run);
    assert!(found.complete, "{found}");
    notes.into_inner().unwrap()
}

/// All searches find these, in production's order and in others.
pub(crate) fn check(expected: &[u32], body: impl Body) {
    let expected: Notes = expected.iter().copied().collect();
    for grain in [Grain::Poll, Grain::Operation] {
        assert_eq!(by_brute_force(grain, body.clone()), expected, "{grain:?}, one by one");
        assert_eq!(searched(Search::every().grain(grain), body.clone()), expected, "{grain:?}");
        for order in 0..12 {
            let search = Search::every().grain(grain).in_random_order(order);
            assert_eq!(searched(search, body.clone()), expected, "{grain:?}, order {order}");
        }
    }
    assert_eq!(searched(Search::within_delays(8), body), expected, "within 8 delays");
}
