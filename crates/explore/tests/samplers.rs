//! Samplers and what hangs on them, run on the mini-language's machine: hit rates against exact probabilities, replay,
//! and shrinking.

extern crate asupersync_explore as explore;

#[path = "samplers/coverage.rs"]
mod coverage;
#[path = "samplers/exact.rs"]
mod exact;
#[path = "samplers/programs.rs"]
mod programs;
#[path = "samplers/rates.rs"]
mod rates;
#[path = "samplers/replay.rs"]
mod replay;
#[path = "samplers/shrink.rs"]
mod shrink;
