//! Bytes that the process holds, counted.

mod raw;

pub(crate) use raw::Counting;
