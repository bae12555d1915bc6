//! What drawn runs say of rates: statements on clean ones, claims that are put to them, judges whose findings are counted;
//! and that an enumeration says nothing of the kind.
//!
//! Whether the statistics are right is `monitor`'s matter; here it is whether they are fed with what happened.

use asupersync_lab::{LabConfig, Schedule, Search};
use cx::Cx;
use monitor::{AtMost, CleanRuns, Level, Question, Rate, Statement};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use sync::mutex::Mutex;
use sync::shared::Shared;
use trace::{Event, Label};
use types::Res;

fn failure(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it ought to fail");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
    }
}

fn rate(value: f64) -> Rate {
    Rate::new(value).unwrap()
}

/// Two tasks, each of which says who it is.
async fn two(cx: &mut Cx) {
    cx.region(|scope| async {
        scope.spawn(async |cx| cx.trace("one"));
        scope.spawn(async |cx| cx.trace("two"));
    })
    .await;
}

/// The first one takes its step last, which is as likely as not.
fn overtaken(lab: &asupersync_lab::LabRuntime) -> Option<bool> {
    Some(lab.notes() == ["two", "one"])
}

fn claim(at_most: f64) -> Question {
    Question::new("overtaken", AtMost(rate(at_most)), "runs", "go otherwise than production's")
}

#[test]
fn a_sampled_search_ends_with_what_so_many_clean_runs_say() {
    let found = Search::sample(Schedule::Random, 1000).run("two", None, two);
    let Some(Statement::Below { below, runs: 1000, mean: false, .. }) = found.clean else {
        panic!("{:?}", found.clean)
    };
    // 1 - 0.01^(1/1000), and 459 runs are needed for one in a hundred.
    assert!((below - 0.004_594_6).abs() < 1e-6, "{below}");
    assert_eq!(CleanRuns::needed(rate(below), Level::ONE_PERCENT), 1000);
    let said =
        "; after 1000 clean runs the rate of violating schedules is below 0.459 %, with 99 % confidence";
    assert!(found.to_string().ends_with(said), "{found}");
}

#[test]
fn of_a_sampler_that_learns_it_speaks_of_the_mean() {
    for learns in [Schedule::pct(3), Schedule::Urw] {
        let found = Search::sample(learns, 100).level(Level::FIVE_PERCENT).run("two", None, two);
        let said = "the rate of violating schedules was, on average over these runs, below 2.95 %, with 95 % confidence";
        assert!(found.to_string().ends_with(said), "{found}");
    }
}

#[test]
fn nothing_of_the_kind_is_said_where_nothing_was_drawn() {
    let every = Search::every().run("two", None, two);
    let cut_short = Search::every().budget(1).run("two", None, two);
    let counted = Search::sample(Schedule::RoundRobin, 20).run("two", None, two);
    for found in [every, cut_short, counted] {
        assert_eq!(found.clean, None);
        assert!(!found.to_string().contains("rate") && !found.to_string().contains("confidence"), "{found}");
    }
}

#[test]
fn a_statistic_that_is_rarer_than_claimed_passes_and_one_that_is_not_fails_with_its_evidence() {
    let search = |claimed| Search::sample(Schedule::Random, 2000).claim(claim(claimed), overtaken);
    assert_eq!(search(0.6).run("two", None, two).runs, 2000);
    let report = failure(|| _ = search(0.3).run("two", None, two));
    for words in [
        "`two` makes a claim that its runs speak against, after run ",
        "! overtaken: evidence e = ",
        "against 'at most 30 % of runs go otherwise than production's', after ",
        "1 of 1 claims named as false (e-BH at 1 %)",
        "to draw the same runs again: cargo test two",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
}

/// The level is what it says: of many searches whose claim is exactly true, hardly any ever raises its alarm.
#[test]
fn a_claim_that_is_just_true_is_hardly_ever_named_however_often_one_looks() {
    let level = Level::FIVE_PERCENT;
    let alarms = (0..200_u64).filter(|seed| {
        let search = Search::sample(Schedule::Random, 100).seed(*seed).level(level);
        // Drawn by the task itself, so that the claim is true to the last digit.
        let search = search.config(LabConfig::default().seed(*seed).check_model(false));
        let search = search.claim(claim(0.5), |lab| Some(lab.notes()[0] == "1"));
        let run = AtomicU64::new(0);
        let body = async |cx: &mut Cx| {
            let nth = run.fetch_add(1, Relaxed);
            let drawn = (0..=nth).fold(0, |_, _| cx.random()) & 1;
            cx.trace(drawn.to_string())
        };
        catch_unwind(AssertUnwindSafe(|| search.run("coin", None, body))).is_err()
    });
    // At most 5 % each: 22 or more of 200 have a probability below 0.0005 (exact binomial tail).
    let alarms = alarms.count();
    assert!(alarms < 22, "{alarms} false alarms in 200 searches at {level}");
}

#[test]
fn a_claim_is_not_put_to_an_enumeration() {
    for search in [Search::every(), Search::sample(Schedule::Fifo, 10)] {
        let told = failure(|| _ = search.clone().claim(claim(0.1), overtaken).run("two", None, two));
        assert!(told.contains("`two` makes a claim about a rate, but this search draws none"), "{told}");
        let told = failure(|| _ = search.rates("two", rate(0.1), two));
        assert!(told.contains("take a sampler: random, pct:DEPTH, pos or urw"), "{told}");
    }
}

/// Deadlocks in some orders, fails an assertion in others, leaks in others again.
async fn breaks(cx: &mut Cx) {
    let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    cx.region(|scope| async {
        for mine in 0..2 {
            let (locks, order) = (locks.clone(), order.clone());
            scope.spawn(async move |cx: &mut Cx| -> Res {
                let _one = locks[mine].lock(cx).await?;
                let _other = locks[1 - mine].lock(cx).await?;
                order.lock().unwrap().push(mine);
                Ok(())
            });
        }
    })
    .await;
    let order = order.lock().unwrap().clone();
    assert!(order != [1, 0], "the second one was first");
}

#[test]
fn each_judge_s_findings_are_counted_and_placed_and_the_first_is_repeated_by_its_line() {
    let search = Search::sample(Schedule::Random, 400);
    let rates = search.rates("breaks", rate(0.05), breaks);
    let found = |name: &str| rates.judges().find(|(judge, _)| *judge == name).expect("a judge").1;
    let (program, deadlock) = (found("the program"), found("deadlock"));
    assert_eq!(rates.runs(), 400);
    assert!(program > 40 && deadlock > 40, "{rates}");
    assert_eq!(rates.judges().map(|(_, found)| found).sum::<u64>(), program + deadlock, "{rates}");
    assert_eq!(rates.above(Level::ONE_PERCENT), ["the program", "deadlock"]);
    let within = |name, share: f64| {
        let at = rates.interval(name, Level::ONE_PER_MILLE);
        assert!(at.lower < share && share < at.upper, "{name}: {at:?}\n{rates}");
    };
    within("deadlock", deadlock as f64 / 400.0);
    within("obligation_leaks", 0.001);
    assert!(matches!(rates.clean(Level::ONE_PERCENT), Statement::Violated { .. }));
    // The line of the first deadlock is one.
    let line = rates.again("deadlock").unwrap().strip_prefix("LAB_REPLAY=").unwrap();
    let line = line.split(' ').next().unwrap();
    let again = failure(|| _ = search.run("breaks", Some(line), breaks));
    assert!(again.contains("fails as it was recorded: deadlock"), "{again}");
    assert!(
        rates.to_string().contains("! deadlock: ") && rates.to_string().contains("2 named as false"),
        "{rates}"
    );
}

#[test]
fn where_all_runs_are_clean_every_judge_has_the_same_bound() {
    let rates = Search::sample(Schedule::Random, 500).rates("two", rate(0.05), two);
    assert!(rates.above(Level::ONE_PERCENT).is_empty());
    let judges = rates.judges().count();
    assert!(judges > 10, "the oracles are among them");
    let said = format!(
        "{judges} judges found nothing: after 500 clean runs the rate of violating schedules is below 0.917 %"
    );
    assert!(rates.to_string().starts_with(&said), "{rates}");
    // Without a trace most of them could not judge, and don't look as if they had.
    let untraced = Search::sample(Schedule::Random, 5).config(LabConfig::default().traced(false));
    assert_eq!(untraced.rates("two", rate(0.05), two).judges().count(), 5);
}

#[test]
fn an_oracle_s_findings_are_its_own() {
    let impatient =
        |events: &[Event]| match events.iter().find(|event| matches!(event.label, Label::User { .. })) {
            Some(note) => Err(format!("somebody waited: {note}")),
            None => Ok(()),
        };
    let config = LabConfig::default().oracle("impatient", impatient);
    let body = async |cx: &mut Cx| {
        let flag = Arc::new(Shared::new(false));
        let its = flag.clone();
        cx.spawn(async move |_: &mut Cx| its.set(true));
        cx.step().await;
        cx.step().await;
        if !flag.get() {
            cx.trace("not yet")
        }
    };
    let rates = Search::sample(Schedule::Random, 200).config(config).rates("events", rate(0.05), body);
    let found: Vec<_> = rates.judges().filter(|(_, found)| *found > 0).collect();
    let [("impatient", found)] = found[..] else { panic!("{rates}") };
    assert!((20..=199).contains(&found), "{rates}");
    assert_eq!(rates.above(Level::ONE_PERCENT), ["impatient"]);
}
