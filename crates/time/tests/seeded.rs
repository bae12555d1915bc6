//! The tests notice: each known mistake of timers (`types::seeded!`) makes a test fail that passes without
//! it.
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-time --test seeded`
//!
//! The test runs in a child process with the mistake on, so that the others in this one do not meet it.
#![cfg(asupersync_seeded)]

mod sleeping;

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
    a_timer_that_outlives_its_sleep: "timer.kept"
        breaks sleeping::a_sleep_that_is_dropped_wakes_nobody_and_holds_nothing;
    a_timer_that_keeps_its_first_waker: "timer.stale-waker"
        breaks sleeping::the_waker_of_the_latest_poll_is_the_one_that_is_woken;
}
