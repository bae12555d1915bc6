//! What small programs can come to: by every schedule one by one, and by searches.
//!
//! Not here: the programs (`glances`, `regions`).
use crate::one_by_one::OneByOne;
use asupersync_lab::{Executor, Grain, LabConfig, LabRuntime, Search};
use cx::Cx;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A program that returns what it came to.
pub(crate) trait Body: AsyncFnOnce(&mut Cx) -> u32 + Clone {}
impl<B: AsyncFnOnce(&mut Cx) -> u32 + Clone> Body for B {}

type Notes = BTreeSet<u32>;

fn note(lab: &LabRuntime, notes: &Mutex<Notes>, body: impl Body) {
    if let Ok(came_to) = lab.try_run(async |cx| body(cx).await) {
        notes.lock().unwrap().insert(came_to);
    }
}

fn by_brute_force(grain: Grain, body: impl Body) -> Notes {
    let executor = Executor::new(LabConfig::default().traced(false), grain).looks(true);
    let (scheduler, notes) = (Arc::new(Mutex::new(OneByOne::default())), Mutex::default());
    for _ in 0..20_000 {
        let execution = executor.execute(&scheduler, |lab| note(lab, &notes, body.clone()));
        assert!(execution.failure.is_none());
        if !scheduler.lock().unwrap().next() {
            return notes.into_inner().unwrap();
        }
    }
    panic!("there are too many schedules")
}

fn searched(search: Search, body: impl Body) -> Notes {
    let notes = Mutex::default();
    let search = search.config(LabConfig::default().traced(false));
    let found = search.run_labs("glances", None, |lab| note(lab, &notes, body.clone()));
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
