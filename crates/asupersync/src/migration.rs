//! Coming from tokio and futures: `docs/migration.md`, whose code is compiled and run as this module's tests.
//!
//! `migration.complete`: every name in `docs/migration-items.txt` has a row, every row's replacements are in the code of its
//! section. `tests/migration.rs` keeps it. First steps are not here but in [`guide`](crate::guide).
#![doc = include_str!("../../../docs/migration.md")]
