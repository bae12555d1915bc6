//! An async runtime in which correctness is structural.
#![forbid(unsafe_code)]
pub use types;
