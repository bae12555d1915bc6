//! The lines that people read, and the monitor behind them.

use core::time::Duration;

use asupersync_monitor::{AtMost, Level, Monitor, Question, Rate, Ratio};

use crate::walk::{at_most, rate};

const LEVEL: Level = Level::FIVE_PERCENT;

fn drains(good: u32, bad: u32) -> Monitor {
    let mut monitor = Monitor::new(Question::DRAINS);
    (0..bad).for_each(|_| monitor.observe(true));
    (0..good).for_each(|_| monitor.observe(false));
    monitor
}

#[test]
fn a_verdict_is_one_plain_line() {
    let line = |good, bad| drains(good, bad).verdict(LEVEL).to_string();
    assert_eq!(
        line(0, 0),
        "drains: no drains seen yet, so nothing to say about 'at most 5 % of drains overrun'"
    );
    assert_eq!(
        line(0, 1),
        "drains: no evidence against 'at most 5 % of drains overrun' (e = 7.50), after 1 drains, 1 of them bad",
    );
    assert_eq!(
        line(0, 2),
        "drains: evidence e = 85 against 'at most 5 % of drains overrun', after 2 drains, 2 of them bad",
    );
    assert_eq!(
        line(60, 2),
        "drains: evidence e = 85 at its peak, 0.04 now, against 'at most 5 % of drains overrun', after 62 drains, \
         2 of them bad",
    );
}

#[test]
fn durations_are_violations_above_their_limit() {
    let (limit, mut monitor) = (Duration::from_millis(5), Monitor::new(Question::POLLS));
    [4, 5, 6].map(Duration::from_millis).into_iter().for_each(|took| monitor.observe_duration(took, limit));
    assert_eq!((monitor.wealth().seen(), monitor.wealth().violations()), (3, 1));
}

#[test]
fn a_question_of_ones_own_reads_like_one() {
    let null = at_most(0.02);
    let question = Question::new("checkout", null, "checkouts", "take over a second");
    assert_eq!(question.to_string(), "at most 2 % of checkouts take over a second");
    let monitor = Monitor::with(question, Ratio::new(null, rate(0.1)).unwrap());
    assert!(!monitor.verdict(LEVEL).is_rejection());
    assert_eq!(Question::LEAKS.at_most(rate(0.01)).to_string(), "at most 1 % of obligations leak");
}

#[test]
#[should_panic(expected = "the test is of the claim")]
fn a_test_of_another_rate_is_refused() {
    let _ = Monitor::with(Question::DRAINS, Ratio::new(at_most(0.1), rate(0.2)).unwrap());
}

#[test]
fn every_question_has_a_name_of_its_own_and_a_claim() {
    let mut names: Vec<&str> = Question::READY.iter().map(Question::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Question::READY.len());
    for question in Question::READY {
        let AtMost(rate) = question.null();
        assert!(rate <= Rate::new(0.1).unwrap(), "{question}");
    }
}

#[test]
fn an_acknowledged_alarm_is_silent_and_the_account_stays() {
    let mut monitor = drains(0, 4);
    assert!(monitor.detector().alarm(Level::ONE_PERCENT));
    monitor.acknowledge();
    assert!(!monitor.detector().alarm(Level::ONE_PERCENT));
    assert!(monitor.verdict(LEVEL).is_rejection());
}
