//! Where one step of a task ends and the next one begins: the same places, whoever came first. So what a task does before
//! it awaits something is parted from what it does afterwards, also where it need not have waited.
//!
//! What small programs can come to then is what a search of every schedule, one by one, says.
//!
//! Not here: random programs (`every_primitive`), the grain itself (`grain`).
#![cfg(not(asupersync_seeded))]

#[path = "glances/check.rs"]
mod check;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "parts/programs.rs"]
mod programs;

use asupersync_lab::Search;
use cx::Cx;

#[test]
fn what_a_task_does_before_its_first_await_is_a_step() {
    programs::first_awaits()
}

#[test]
fn a_join_that_need_not_wait_might_have_had_to() {
    programs::late_joins()
}

#[test]
fn a_message_that_is_merely_looked_at_is_not_received() {
    programs::acknowledged()
}

#[test]
fn what_is_done_before_a_region_closes_is_parted_from_what_follows() {
    programs::closes()
}

#[test]
fn a_region_is_seen_draining_whoever_left_it_first() {
    programs::draining()
}

#[test]
fn what_follows_a_region_has_a_step_of_its_own() {
    programs::polled_once()
}

/// Nobody can tell whether the task that is joined had ended before.
#[test]
fn a_join_that_is_alone_is_no_race() {
    let found = Search::every().run("joins", None, async |cx: &mut Cx| {
        let mut first = cx.spawn(async |cx: &mut Cx| cx.step().await);
        let mut second = cx.spawn(async move |cx: &mut Cx| assert!(first.join(cx).await.is_ok()));
        assert!(second.join(cx).await.is_ok());
    });
    assert_eq!((found.complete, found.runs, found.classes), (true, 1, 1), "{found}");
}
