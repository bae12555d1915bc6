//! The tests notice: each known mistake in the combinators (`types::seeded!`) makes a test fail that passes without
//! it.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-combinator --test seeded`
//!
//! The test runs in a child process with the mistake on, so that the others in this one do not meet it.
#![cfg(asupersync_seeded)]

mod brackets;
mod joining;
mod limits;
mod racing;

use std::env::{current_exe, var};
use std::process::{Command, Stdio};

/// Set in the child: the mistake that is to be on.
const MISTAKE: &str = "ASUPERSYNC_MISTAKE";

/// Fails unless `test` fails with `mistake` switched on, and passes without.
#[allow(clippy::disallowed_methods, reason = "the process is the test's own")]
fn caught(mistake: &str, test: fn()) {
    if var(MISTAKE).is_ok_and(|on| on == mistake) {
        return types::seeded::with(mistake, test);
    }
    let name = std::thread::current().name().expect("a test's thread has its name").to_string();
    let end = Command::new(current_exe().unwrap())
        .args(["--exact", &name])
        .env(MISTAKE, mistake)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!end.success(), "`{mistake}` went unnoticed");
    types::seeded::clean(test);
}

macro_rules! mistakes {
    ($($test:ident: $mistake:literal breaks $broken:path;)+) => {
        $(
            #[test]
            fn $test() {
                caught($mistake, $broken);
            }
        )+
    };
}

mistakes! {
    a_loser_that_is_not_asked: "race.loser-not-asked"
        breaks racing::the_losers_children_have_ended_when_the_race_returns;
    a_loser_that_is_not_polled_again: "race.loser-not-polled"
        breaks racing::the_loser_is_asked_when_the_winners_body_returns_and_not_when_its_children_end;
    a_losers_panic_that_nobody_hears_of: "race.panic-swallowed"
        breaks racing::a_loser_that_panics_while_it_drains_does_not_unwind_but_escalates;
    a_timeout_that_hides_what_was_cut_short: "timeout.cut-short-looks-complete"
        breaks limits::a_child_that_acknowledged_the_deadline_makes_ok_a_cancellation;
    a_release_that_a_request_cuts_short: "bracket.release-unmasked"
        breaks brackets::acquire_and_release_are_masked_and_the_use_is_not;
    a_lost_release_that_nobody_hears_of: "bracket.skip-unreported"
        breaks brackets::a_bracket_that_is_dropped_drops_the_resource_and_reports_its_release;
    a_quorum_that_waits_in_vain: "quorum.waits-in-vain"
        breaks joining::a_quorum_out_of_reach_stops_waiting;
}
