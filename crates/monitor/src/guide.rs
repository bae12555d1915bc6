//! When to use which: `docs/monitors.md`, whose code is compiled and run as this module's tests.
#![doc = include_str!("../../../docs/monitors.md")]
