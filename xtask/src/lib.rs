//! The project's own checks and build steps, as a library so that they run as tests too.
//!
//! `rules` judges the source tree (pure functions over values in memory), `steps` runs cargo. What a crate may be and name
//! is data in `layers`. The command line is in `main.rs`. Nothing here is shipped, and nothing here knows what the
//! product does: only where things may stand.
#![forbid(unsafe_code)]
// xtask is a program run by people: it reads the environment and measures its own steps with the machine's clock.
#![allow(clippy::disallowed_methods)]

pub mod finding;
pub mod layers;
pub mod module_tree;
pub mod rules;
pub mod shell;
pub mod source;
pub mod steps;
pub mod workspace;
