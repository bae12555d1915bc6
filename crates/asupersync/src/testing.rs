//! Testing in the lab: `docs/lab.md`, whose code and output are those of `tests/book.rs`, which checks that they are.
#![doc = include_str!("../../../docs/lab.md")]
