//! Bytes that the process has taken, counted.
mod raw;

pub(crate) use raw::Counting;
