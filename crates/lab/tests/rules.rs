//! One test for each rule of `docs/spec`, named after it: the rule's id with underscores, then what is tried.
//! Each runs under many schedules, its trace is replayed against the model, and all oracles look at it.
//!
//! Not here: rules that other crates test (`docs/spec` says which), whole programs (`programs.rs`), known mistakes
//! (`seeded.rs`).
#![cfg(not(asupersync_seeded))]

#[path = "rules/blocking.rs"]
mod blocking;
#[path = "programs/boom.rs"]
mod boom;
#[path = "rules/cancellation.rs"]
mod cancellation;
#[path = "rules/cleanup.rs"]
mod cleanup;
#[path = "rules/drains.rs"]
mod drains;
#[path = "rules/drops.rs"]
mod drops;
#[path = "rules/hidden.rs"]
mod hidden;
#[path = "rules/masks.rs"]
mod masks;
#[path = "rules/obligations.rs"]
mod obligations;
#[path = "rules/regions.rs"]
mod regions;
#[path = "rules/results.rs"]
mod results;
#[path = "rules/vocabulary.rs"]
mod vocabulary;
