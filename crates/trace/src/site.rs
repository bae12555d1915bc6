//! [`Site`]: a place in the user's source, as labels carry it.
//!
//! A running kernel has the place for free as a `&'static Location` (from `#[track_caller]`); a
//! trace that is read back from a file has only text. Both are one 16-byte value that compares by
//! file and line, so that an event and its parsed line are equal (`trace.round-trip`). The column
//! is left out: it differs between compilers and nobody reads it.
//!
//! Not here: the escaping of file names in the line form (`word`).

use alloc::{boxed::Box, sync::Arc};
use core::{fmt, panic::Location};

/// File and line of the code that took a step (spawned, opened, reserved, registered).
///
/// Cloning never allocates. Displays as `src/main.rs:31`.
#[derive(Clone)]
pub struct Site(Place);

#[derive(Clone)]
enum Place {
    Compiled(&'static Location<'static>),
    Parsed(Arc<(Box<str>, u32)>),
}

impl Site {
    /// The place this function is called from.
    #[track_caller]
    #[must_use]
    pub fn caller() -> Self {
        Self(Place::Compiled(Location::caller()))
    }

    /// A place that was read from a file. Allocates once.
    #[must_use]
    pub fn new(file: &str, line: u32) -> Self {
        Self(Place::Parsed(Arc::new((file.into(), line))))
    }

    /// The source file, as the compiler was given it.
    #[must_use]
    pub fn file(&self) -> &str {
        match &self.0 {
            Place::Compiled(location) => location.file(),
            Place::Parsed(place) => &place.0,
        }
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        match &self.0 {
            Place::Compiled(location) => location.line(),
            Place::Parsed(place) => place.1,
        }
    }
}

impl From<&'static Location<'static>> for Site {
    fn from(location: &'static Location<'static>) -> Self {
        Self(Place::Compiled(location))
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        self.line() == other.line() && self.file() == other.file()
    }
}

impl Eq for Site {}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file(), self.line())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiled_and_a_parsed_place_of_the_same_line_are_equal() {
        let here = Site::caller();
        assert_eq!(here, Site::new(here.file(), here.line()));
        assert_ne!(here, Site::new(here.file(), here.line() + 1));
    }
}
