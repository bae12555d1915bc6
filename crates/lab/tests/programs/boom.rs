//! The one application error of these programs, and what is asked of every trace.

use asupersync_lab::LabRuntime;

/// An error with a name, so that a test knows which one it got.
#[derive(Debug, PartialEq)]
pub(crate) struct Boom(pub(crate) &'static str);

impl std::fmt::Display for Boom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Boom {}

/// Every oracle is content.
#[track_caller]
pub(crate) fn assert_clean(lab: &LabRuntime) {
    if let Err(found) = lab.oracles() {
        panic!("{found}")
    }
}
