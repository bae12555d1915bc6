//! The tests notice when nobody hears of a failure that no outcome shows (`types::seeded!`).
//!
//! `RUSTFLAGS="--cfg asupersync_seeded" cargo test -p asupersync-lab --test seeded_hidden`
//!
//! Beside the table of `seeded.rs`, whose programs hide nothing.
#![cfg(asupersync_seeded)]

#[path = "programs/boom.rs"]
mod boom;
#[path = "rules/hidden.rs"]
mod hidden;

mutants::mistakes! {
    a_bodys_error_that_nobody_hears_of: "region.body-error-untold"
        breaks hidden::region_outcome_a_bodys_own_error_beside_a_members_panic_is_reported,
        says "nobody heard of the body's error";
}
