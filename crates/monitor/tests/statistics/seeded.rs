//! The tests notice: each known mistake (`types::seeded!`) makes a test fail that passes without it.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-monitor --test statistics`
//!
//! The test runs in a child process with the mistake on, so that the others in this one do not meet it.

use std::env::{current_exe, var};
use std::process::{Command, Stdio};

use crate::{clean, combining, confidence, detecting, events, exact, pitfalls};

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
    a_bet_that_knows_what_it_is_on: "betting.peeks"
        breaks exact::a_learning_gambler_is_fair_over_every_sequence;
    a_bet_that_an_adversary_can_use: "betting.peeks"
        breaks pitfalls::an_adversary_who_reads_the_stake_gains_nothing;
    a_grid_with_points_below_the_null: "grid.two-sided"
        breaks pitfalls::a_better_system_than_promised_raises_no_alarm;
    a_p_value_of_the_smallest_evidence: "eprocess.min-for-max"
        breaks exact::the_p_value_never_rises_and_a_rejection_stays;
    a_product_of_dependent_evidence: "combine.product-under-dependence"
        breaks combining::evidence_about_one_run_is_fair_when_averaged;
    an_e_bh_that_forgets_how_many_were_asked: "ebh.threshold"
        breaks combining::e_bh_names_wrongly_as_rarely_as_promised;
    a_panel_that_judges_by_peaks: "panel.peaks"
        breaks combining::a_panel_does_not_judge_by_peaks;
    a_detector_that_adds_where_it_should_average: "detector.unweighted"
        breaks detecting::the_sum_over_all_starts_grows_by_one_per_observation;
    a_detector_that_never_starts_anew: "detector.no-restart"
        breaks detecting::a_change_is_seen_at_once_after_a_long_peace;
    an_interval_good_for_one_look: "confidence.one-look"
        breaks confidence::rates_lie_where_the_reference_says;
    a_clean_run_too_few: "clean.rounds-down"
        breaks clean::as_many_clean_runs_as_tabled_are_needed;
    drains_of_survivors_only: "drains.survivors-only"
        breaks events::a_drain_overruns_if_it_is_late_or_written_off;
}
