//! A value on cache lines of its own, so that two threads writing two values don't slow each other.
//!
//! 128 bytes rather than 64: current x86-64 cores fetch lines in adjacent pairs, and several
//! aarch64 cores have lines of 128 bytes.

use core::ops::Deref;

#[repr(align(128))]
pub(crate) struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    pub(crate) fn new(value: T) -> Self {
        CachePadded(value)
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
