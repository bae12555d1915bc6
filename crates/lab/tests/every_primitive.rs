//! `dpor.complete` over all primitives: what small random programs of them come to, with requests to end, races, timeouts,
//! joins and masks among them, is what a search of every schedule, one by one, says.
//!
//! `ASUPERSYNC_EVERY_PRIMITIVE=n` for n programs of each theme instead of the few of every day. A failure prints the smallest
//! program that shows it, and the order of the exploration.
//!
//! | file | what lives there |
//! |---|---|
//! | `op` | what a task does, and what is a little less |
//! | `program` | how programs are drawn and made smaller |
//! | `world` | what tasks share, and what a run comes to |
//! | `hand`, `ends` | what a task holds, and what it has alone |
//! | `acts`, `scopes` | how operations are done, and those that are made of others |
//! | `locks`, `counts`, `values`, `channels`, `unbounded`, `exchanges`, `spawned` | what is done with primitives, and with tasks |
//! | `compare` | what is compared |
//! | `regressions` | programs of which something was missed |
//!
//! Not here: how many runs explorations take (`requests`, `explored`), longer programs (`random`).
#![cfg(not(asupersync_seeded))]

#[path = "every_primitive/acts.rs"]
mod acts;
#[path = "every_primitive/channels.rs"]
mod channels;
#[path = "every_primitive/compare.rs"]
mod compare;
#[path = "every_primitive/counts.rs"]
mod counts;
#[path = "random/dice.rs"]
mod dice;
#[path = "every_primitive/ends.rs"]
mod ends;
#[path = "outcomes/every_schedule.rs"]
mod every_schedule;
#[path = "every_primitive/exchanges.rs"]
mod exchanges;
#[path = "every_primitive/hand.rs"]
mod hand;
#[path = "every_primitive/locks.rs"]
mod locks;
#[path = "outcomes/one_by_one.rs"]
mod one_by_one;
#[path = "every_primitive/op.rs"]
mod op;
#[path = "every_primitive/program.rs"]
mod program;
#[path = "every_primitive/regressions.rs"]
mod regressions;
#[path = "every_primitive/scopes.rs"]
mod scopes;
#[path = "every_primitive/spawned.rs"]
mod spawned;
#[path = "every_primitive/unbounded.rs"]
mod unbounded;
#[path = "every_primitive/values.rs"]
mod values;
#[path = "every_primitive/world.rs"]
mod world;

use compare::check_theme;
use program::Theme;

#[allow(clippy::disallowed_methods, reason = "whoever runs the suite says how much of it")]
fn programs() -> u64 {
    std::env::var("ASUPERSYNC_EVERY_PRIMITIVE").map_or(18, |n| n.parse().expect("a number"))
}

macro_rules! themes {
    ($($name:ident: $theme:ident;)*) => {
        $(#[test]
        fn $name() {
            check_theme(Theme::$theme, programs())
        })*
    };
}

themes! {
    read_write_locks_come_to_all_they_can: RwLock;
    mutexes_come_to_all_they_can: Mutex;
    permits_come_to_all_they_can: Permits;
    oneshots_come_to_all_they_can: Oneshot;
    watched_values_come_to_all_they_can: Watch;
    broadcasts_come_to_all_they_can: Broadcast;
    barriers_and_latches_come_to_all_they_can: Meetings;
    rendezvous_come_to_all_they_can: Rendezvous;
    channels_come_to_all_they_can: Channel;
    calls_come_to_all_they_can: Calls;
    cells_that_are_filled_once_come_to_all_they_can: Once;
    questions_and_answers_come_to_all_they_can: Session;
    timers_come_to_all_they_can: Time;
    numbers_come_to_all_they_can: Numbers;
    flags_come_to_all_they_can: Event;
    channels_without_a_bound_come_to_all_they_can: Unbounded;
    regions_come_to_all_they_can: Regions;
    sets_of_tasks_come_to_all_they_can: TaskSet;
}

#[test]
fn who_was_refused_a_lock_takes_it_before_the_request_after_who_took_it_later() {
    regressions::refused_locks()
}

#[test]
fn a_request_that_a_task_makes_of_a_scope_of_its_own_refuses_nothing() {
    regressions::requests_of_own_scopes()
}

#[test]
fn who_waited_masked_has_waited_for_what_it_announced() {
    regressions::voided_waits()
}

#[test]
fn a_wait_ends_before_the_request_and_is_refused_after_it() {
    regressions::refused_waits()
}

#[test]
fn an_end_is_found_because_of_the_first_close() {
    regressions::second_closes()
}

#[test]
fn who_finds_a_semaphore_closed_has_taken_nothing() {
    regressions::closed_permits()
}

#[test]
fn whether_a_closed_channel_has_ended_is_up_to_who_has_reserved() {
    regressions::reserved_before_a_close()
}

#[test]
fn what_a_task_did_before_it_joined_is_seen_before_it_goes_on() {
    regressions::joins_that_part_a_step()
}

#[test]
fn who_joins_beside_something_else_goes_on_with_that() {
    regressions::joins_beside_something()
}

#[test]
fn a_race_is_considered_again_when_there_is_more_of_the_execution() {
    regressions::races_considered_again()
}

#[test]
fn who_looks_last_lets_in_who_waits_to_write() {
    regressions::readers_that_are_waited_for()
}

#[test]
fn a_region_closes_beside_what_another_branch_does() {
    regressions::closes_beside_something()
}

#[test]
fn of_two_senders_that_go_either_goes_last() {
    regressions::senders_that_go()
}

#[test]
fn who_asks_itself_to_end_is_refused_what_it_waits_for() {
    regressions::own_requests_as_a_whole()
}
