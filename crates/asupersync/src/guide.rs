//! First steps: `docs/guide.md`, whose code is compiled and run as this module's tests.
#![doc = include_str!("../../../docs/guide.md")]
