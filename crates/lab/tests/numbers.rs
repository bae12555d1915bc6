//! Random numbers as decisions: an exploration tries every value of a small bound.
//!
//! `ASUPERSYNC_OUTCOMES=n` for n random programs instead of a few.
//!
//! Not here: time as a decision (`eager`), who draws from what (`lab`).
#![cfg(not(asupersync_seeded))]

#[path = "outcomes/chance.rs"]
mod chance;
#[path = "random/dice.rs"]
mod dice;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;

use asupersync_lab::{LabConfig, LabRuntime, Schedule, Search};
use cx::Cx;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use sync::shared::Shared;

/// What it panics with.
fn failure<T>(f: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("it ought to fail") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
    }
}

/// `tasks` that each draw one of `values` and write into one value.
fn draws_and_writes(tasks: usize, values: u64) -> u64 {
    let found = Search::every().branch_on_random(8).run("draws", None, async |cx| {
        let log = Arc::new(Shared::new(Vec::new()));
        for _ in 0..tasks {
            let log = log.clone();
            cx.spawn(async move |cx: &mut Cx| {
                let drawn = cx.random_below(values);
                cx.step().await;
                log.write(|log| log.push(drawn));
            });
        }
    });
    assert!(found.complete && found.undecided == 0, "{found}");
    found.classes
}

async fn one_of_three(cx: &mut Cx) {
    let drawn = cx.random_below(3);
    cx.step().await;
    assert!(drawn != 1, "one was drawn");
}

#[test]
fn every_value_of_every_number_is_tried_in_every_order_of_those_who_meet() {
    assert_eq!(draws_and_writes(1, 5), 5);
    assert_eq!(draws_and_writes(2, 3), 2 * 3 * 3);
    assert_eq!(draws_and_writes(3, 2), 6 * 2 * 2 * 2);
    assert_eq!(draws_and_writes(2, 1), 2, "a number below 1 is no choice");
}

#[test]
fn what_a_step_does_may_depend_on_what_it_drew() {
    let seen = Mutex::new(BTreeSet::new());
    let search = Search::every().branch_on_random(2);
    let found = search.run_labs("depends", None, |lab| {
        let saw = Mutex::new(Vec::new());
        lab.run(async |cx| {
            let value = Arc::new(Shared::new(0));
            let drawn = cx.region(async |scope| {
                let mut tasks = Vec::new();
                for own in 1..4 {
                    let value = value.clone();
                    tasks.push(scope.spawn(async move |cx: &mut Cx| -> types::Res<(u64, u64)> {
                        let drawn = cx.random_below(2);
                        match drawn {
                            0 => Ok((drawn, value.get())),
                            _ => Ok((drawn, value.write(|value| std::mem::replace(value, own)))),
                        }
                    }));
                }
                for mut task in tasks {
                    let ended = task.join(scope).await.ok();
                    saw.lock().unwrap().push(ended)
                }
            });
            drawn.await
        });
        let _ = seen.lock().unwrap().insert(format!("{:?}", saw.lock().unwrap()));
    });
    // By the number of those who write: 1; 3 of them, each among the others; 3 pairs in both orders, with the third one
    // before, between or behind; all in each order.
    assert_eq!((seen.into_inner().unwrap().len(), found.complete), (1 + 3 * 4 + 3 * 2 * 3 + 6, true));
    // Whether the root had to sleep at a join makes another class now and then, and no difference that anybody could notice.
    assert!((37..=79).contains(&found.classes), "{found}");
}

#[allow(clippy::disallowed_methods, reason = "whoever runs the suite says how much of it")]
fn programs() -> u64 {
    std::env::var("ASUPERSYNC_OUTCOMES").map_or(40, |n| n.parse().expect("a number"))
}

#[test]
fn random_programs_come_to_what_all_schedules_and_all_numbers_say() {
    chance::check_chance(programs())
}

#[test]
fn a_number_that_follows_another_is_tried_only_where_it_is_drawn() {
    let found = Search::every().branch_on_random(4).run("tree", None, async |cx| {
        if cx.random_below(3) == 2 {
            cx.step().await;
            let _ = cx.random_below(4);
        }
    });
    assert_eq!((found.classes, found.complete), (2 + 4, true));
}

#[test]
fn a_failure_of_one_value_of_three_is_found_and_its_line_repeats_it() {
    for seed in 0..3 {
        let search = Search::every().seed(seed).branch_on_random(3);
        let text = failure(|| search.run("three", None, one_of_three));
        assert!(text.contains("one was drawn"), "{text}");
        let line = text.split("LAB_REPLAY=").nth(1).expect("a line").split(' ').next().expect("a word");
        let again = failure(|| search.run("three", Some(line), one_of_three));
        assert!(again.contains("one was drawn"), "{again}");
        assert!(again.contains("LAB_REPLAY=lab1,three,"), "{again}");
    }
}

#[test]
fn threads_share_the_values() {
    let found = Search::every().branch_on_random(3).run_abreast(
        asupersync_lab::crew!(2),
        "abreast",
        None,
        async |cx| {
            let _ = cx.random();
            for _ in 0..3 {
                let _ = cx.random_below(3);
                cx.step().await;
            }
        },
    );
    assert_eq!((found.classes, found.complete), (27, true));
    assert_eq!(found.undecided, 27, "one in each execution");
}

#[test]
fn a_number_of_a_larger_bound_comes_from_the_seed_and_is_told() {
    let drawn = Mutex::new(BTreeSet::new());
    let body = async |cx: &mut Cx| {
        let mut drawn = drawn.lock().unwrap();
        drawn.insert((cx.random_below(17), cx.random()));
    };
    let found = Search::every().branch_on_random(16).run("large", None, body);
    assert_eq!((found.classes, found.undecided), (1, 2));
    assert_eq!(
        found.to_string(),
        "1 class of schedules in 1 run: all there are; 2 random numbers came from the seed alone"
    );
    let seeded = Search::every().run("large", None, body);
    assert_eq!(seeded.undecided, 0, "nobody asked for decisions");
    assert_eq!(drawn.into_inner().unwrap().len(), 1);
}

#[test]
fn a_sampler_draws_the_values_anew_in_each_run() {
    let drawn = Mutex::new(BTreeSet::new());
    let body = async |cx: &mut Cx| {
        drawn.lock().unwrap().insert(cx.random_below(5));
    };
    Search::sample(Schedule::Random, 100).run("sampled", None, body);
    assert_eq!(drawn.lock().unwrap().len(), 1, "the seed's");
    let search = Search::sample(Schedule::Random, 100).branch_on_random(5);
    search.run("sampled", None, body);
    assert_eq!(drawn.into_inner().unwrap(), (0..5).collect());
}

#[test]
fn a_small_number_is_the_next_of_the_stream_and_below_its_bound() {
    let numbers = |config: LabConfig| {
        let lab = LabRuntime::new(config.seed(9));
        lab.run(async |cx| {
            let small: Vec<u64> = (1..50).map(|bound| cx.random_below(bound)).collect();
            (small, cx.random())
        })
    };
    let (small, next) = numbers(LabConfig::default());
    assert!((1..).zip(&small).all(|(bound, number)| *number < bound));
    let usual = numbers(LabConfig::default().schedule(Schedule::Fifo).decide_numbers(64));
    assert_eq!(usual, (small, next), "the seed's numbers are the usual ones");
}

#[test]
#[should_panic(expected = "there is no random number below 0")]
fn below_nothing_there_is_no_number() {
    LabRuntime::new(LabConfig::default()).run(async |cx| cx.random_below(0));
}
