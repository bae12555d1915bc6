//! The numbers of the statistics, exactly: no simulation, no random number, no clock.
//!
//! Chances are computed by dynamic programming over (observations, violations) or by enumerating every sequence, and are
//! those of the code under test, which is run along every path. With `--cfg asupersync_seeded` the module `seeded` shows
//! that each known mistake makes one of these tests fail.

mod clean;
mod combining;
mod confidence;
mod detecting;
mod events;
mod exact;
mod pitfalls;
mod power;
#[cfg(asupersync_seeded)]
mod seeded;
mod verdicts;
mod walk;
