//! The tests notice when nobody hears of a region that drains for long (`types::seeded!`).
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_drains`
//!
//! Beside the table of `seeded.rs`, whose labs report no slow drains.
#![cfg(asupersync_seeded)]

#[path = "programs/boom.rs"]
mod boom;
#[path = "rules/drains.rs"]
mod drains;

mutants::mistakes! {
    a_slow_drain_that_nobody_hears_of: "region.slow-drain-untold"
        breaks drains::region_slow_drain_is_reported_after_five_seconds_with_who_is_waited_for,
        says "nobody was told of the slow drain";
}
