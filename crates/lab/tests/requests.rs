//! `dpor.complete` and `dpor.optimal` of programs in which tasks ask others to end: one run of each class, whatever order
//! is tried first, and all that every schedule, one by one, comes to.
//!
//! Every combination of what a task does, of who lets it go on, and of who asks it to end and when. For operations that
//! announce themselves explorations are held to be optimal; of the others only to be complete.
//!
//! `ASUPERSYNC_REQUESTS=n` for n random orders instead of the few of every day.
//!
//! Not here: random programs (`outcomes`), the same on a small world of its own (`explore/tests/exact`).
#![cfg(not(asupersync_seeded))]

#[path = "requests/compare.rs"]
mod compare;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use asupersync_lab::{Found, LabConfig, Schedule, Search};
use compare::{check_complete, check_optimal};
use cx::Cx;
use types::Res;

#[test]
fn whoever_announces_what_it_does_is_explored_once_for_each_class() {
    check_optimal()
}

#[test]
fn whoever_does_not_is_explored_completely() {
    check_complete()
}

/// A task of so many steps that looks for a request before each, and one that makes it.
fn asked_at_some_step(search: Search, steps: u32) -> Found {
    let search = search.config(LabConfig::default().traced(false));
    search.run_labs("asked", None, |lab| {
        let ran = lab.try_run(async |cx: &mut Cx| {
            cx.region(|s| async {
                let asked = s.spawn(async move |cx: &mut Cx| -> Res {
                    for _ in 0..steps {
                        cx.step().await;
                        cx.checkpoint()?
                    }
                    Ok(())
                });
                s.spawn(async move |cx: &mut Cx| {
                    cx.step().await;
                    asked.cancel("no longer needed")
                });
            })
            .await
        });
        assert!(ran.is_ok())
    })
}

#[test]
fn a_sample_and_a_search_within_delays_tell_classes_apart_by_when_the_request_comes() {
    for steps in [1, 3, 5] {
        let all = asked_at_some_step(Search::every(), steps);
        assert!(all.complete && all.classes > u64::from(steps), "{all}");
        assert_eq!(asked_at_some_step(Search::within_delays(9), steps).classes, all.classes, "{steps} steps");
        let drawn = asked_at_some_step(Search::sample(Schedule::Random, 2000), steps);
        assert_eq!((drawn.classes, drawn.runs), (all.classes, 2000), "{steps} steps: {drawn}");
        // One run is of a class that came once: all of the others are unseen as far as is known.
        let one = asked_at_some_step(Search::sample(Schedule::Random, 1), steps);
        assert_eq!((one.classes, one.unseen), (1, Some(1.0)), "{one}");
    }
}
