//! A search that was asked for something does it, whatever configuration it is given then, and so is one that the environment
//! asks; and a test that would run nothing does not pass.
//!
//! Not here: what those settings mean (`eager.rs`, `random.rs`, `sweeping.rs`), tests in their surroundings (`lab_test.rs`).
use asupersync_lab::{CancelSweep, Given, LabConfig, LabTest, Schedule, Search};
use combinator::CombineExt;
use cx::Cx;
use net::tcp::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use types::Res;

/// What `f` panics with.
fn failure(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it ought to fail");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
    }
}

fn test() -> LabTest {
    LabTest::new("krate::asked", Given::default())
}

/// What a search may be given after it was asked.
fn another() -> LabConfig {
    LabConfig::default().traced(false)
}

/// Work that is late only where the clock overtakes it.
async fn works(cx: &mut Cx) -> Res {
    let work = async |cx: &mut Cx| -> Res {
        for _ in 0..3 {
            cx.step().await;
            cx.checkpoint()?;
        }
        Ok(())
    };
    cx.timeout(Duration::from_secs(60), work).await
}

#[test]
fn eager_time_outlives_another_configuration() {
    test().config(another()).search(0..1, Search::every(), works);
    failure(|| test().config(another()).search(0..1, Search::every().eager_time(1), works));
    failure(|| _ = Search::every().eager_time(1).config(another()).run("late", None, works));
    // The search has the last word, though not a word that it was not asked for.
    let eager = || another().eager_time(1);
    test().config(eager()).search(0..1, Search::every().eager_time(0), works);
    failure(|| test().config(eager()).search(0..1, Search::every(), works));
}

#[test]
fn numbers_that_are_to_be_tried_outlive_another_configuration() {
    let dice = async |cx: &mut Cx| {
        let (one, other) = (cx.random_below(6), cx.random_below(6));
        assert!(one + other <= 10);
    };
    let found = Search::every().branch_on_random(6).config(another()).run("dice", None, dice);
    assert_eq!((found.classes, found.undecided), (36, 0));
    let six = async |cx: &mut Cx| assert!(cx.random_below(6) < 5, "a six");
    let search = || Search::every().branch_on_random(6);
    assert!(failure(|| test().config(another()).search(0..1, search(), six)).contains("a six"));
}

#[test]
fn faults_outlive_another_configuration() {
    let says = async |cx: &mut Cx| {
        let at: std::net::SocketAddr = "127.0.0.1:7000".parse().unwrap();
        let listener = TcpListener::bind(cx, at).unwrap();
        let stream = TcpStream::connect(cx, at).await.unwrap();
        let _accepted = listener.accept(cx).await;
        assert!(stream.write_all(cx, b"hello").await.is_ok(), "a reset");
    };
    for search in [Search::every(), Search::sample(Schedule::Random, 200)] {
        test().config(another()).search(0..1, search.clone(), says);
        let told = failure(|| test().config(another()).search(0..1, search.faults(), says));
        assert!(told.contains("a reset"), "{told}");
    }
}

#[test]
fn a_range_without_a_seed_is_a_failure_and_not_a_pass() {
    let runs = AtomicU64::new(0);
    let count = async |_: &mut Cx| _ = runs.fetch_add(1, Relaxed);
    let empty = "lab: `krate::asked`: the range of seeds is empty: nothing would be run, and that would pass";
    assert_eq!(failure(|| test().sweep(5..5, count)), empty);
    assert_eq!(failure(|| test().search(5..5, Search::every(), count)), empty);
    let sweep = || CancelSweep::new(LabConfig::default());
    assert_eq!(failure(|| test().cancel_sweep(0..0, sweep(), count)), empty);
    assert_eq!(runs.load(Relaxed), 0);
    // A seed that was asked for is run, whether or not the range has it.
    let given = Given { seed: Some("7".into()), ..Given::default() };
    LabTest::new("krate::asked", given).sweep(5..5, count);
    assert_eq!(runs.load(Relaxed), 1);
}

fn given(set: impl FnOnce(&mut Given)) -> LabTest {
    let mut given = Given::default();
    set(&mut given);
    LabTest::new("krate::late", given)
}

/// The replay in a report.
fn replay_in(report: &str) -> String {
    let line = report.split("LAB_REPLAY=").nth(1).and_then(|rest| rest.split(' ').next());
    line.expect("a replay").into()
}

#[test]
fn the_environment_may_let_the_clock_overtake_tasks_and_the_line_says_so() {
    given(|_| ()).search(0..1, Search::every(), works);
    for time in ["eager", "eager:2"] {
        let eager = || given(|g| g.time = Some(time.into()));
        let report = failure(|| eager().search(0..1, Search::every(), works));
        assert!(report.contains(&format!("again: LAB_TIME={time} LAB_REPLAY=")), "{report}");
        let again = given(|g| (g.time, g.replay) = (Some(time.into()), Some(replay_in(&report))));
        assert!(failure(|| again.search(0..1, Search::every(), works)).contains("fails as it was recorded"));
        let report = failure(|| eager().sweep(0..200, works));
        assert!(report.contains(&format!("again: LAB_TIME={time} LAB_SEED=")), "{report}");
    }
    let sweep = || CancelSweep::new(LabConfig::default());
    given(|_| ()).cancel_sweep(0..20, sweep(), works);
    let report = failure(|| given(|g| g.time = Some("eager".into())).cancel_sweep(0..20, sweep(), works));
    assert!(report.contains("fails without any cancellation: the test was cancelled"), "{report}");
    let late = failure(|| given(|g| g.time = Some("late".into())).search(0..1, Search::every(), works));
    assert!(late.starts_with("lab: LAB_TIME: `late` is neither `eager`"), "{late}");
}

#[test]
fn the_environment_may_have_every_number_tried_and_the_line_says_so() {
    let unlucky = async |cx: &mut Cx| assert!(cx.random_below(12) != 7, "seven");
    given(|_| ()).search(0..1, Search::every(), unlucky);
    let all = |bound: &str| {
        let bound = Some(format!("branch{bound}"));
        given(|g| g.random = bound)
    };
    all(":11").search(0..1, Search::every(), unlucky);
    let report = failure(|| all("").search(0..1, Search::every(), unlucky));
    assert!(report.contains("again: LAB_RANDOM=branch LAB_REPLAY="), "{report}");
    let refused = failure(|| all("").sweep(0..1, unlucky));
    assert_eq!(refused, "lab: LAB_RANDOM is for `explore`: a sweep draws the numbers of its seeds");
    let wrong = failure(|| all(":1").search(0..1, Search::every(), unlucky));
    assert!(wrong.contains("nor `branch:BOUND`, of 2 to 1024"), "{wrong}");
}
