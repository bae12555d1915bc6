//! Known mistakes that a test can switch on, to prove that it would notice them.
//!
//! A site reads `if types::seeded!("queue.no-recheck") { .. the mistake .. }`. In an ordinary build
//! the macro is the literal `false` and the mistake isn't in the binary. Built with
//! `--cfg asupersync_seeded` (or `--cfg loom`) it asks whether that name is selected, and a test
//! selects one with `seeded::with("queue.no-recheck", || ..)` and expects its own check to fail.
//!
//! Invariant `seeded.turns`: the selection is one per process, since a mistake must show in every
//! thread of the code under test; therefore tests take turns. Whoever calls `with` or `clean` waits
//! until nobody else is inside one. A test that runs seeded code in a binary with seeding tests
//! wraps itself in `clean`, or else meets its neighbour's mistake.
//!
//! The selection is a core atomic even under loom: it must not be one of the model's variables.

/// Whether the known mistake of this name is switched on: `false` in every build but those with
/// `--cfg asupersync_seeded` or `--cfg loom`. The name is a literal, `"area.name"`.
#[cfg(not(any(asupersync_seeded, loom)))]
#[macro_export]
macro_rules! seeded {
    ($name:literal) => {
        false
    };
}

/// Whether the known mistake of this name is switched on: `false` in every build but those with
/// `--cfg asupersync_seeded` or `--cfg loom`. The name is a literal, `"area.name"`.
#[cfg(any(asupersync_seeded, loom))]
#[macro_export]
macro_rules! seeded {
    ($name:literal) => {{
        const KEY: u64 = $crate::seeded::key($name);
        $crate::seeded::is_selected(KEY)
    }};
}

#[cfg(any(asupersync_seeded, loom))]
pub use switch::{clean, is_selected, key, with};

#[cfg(any(asupersync_seeded, loom))]
mod switch;

#[cfg(all(test, not(any(asupersync_seeded, loom))))]
mod tests {
    #[test]
    fn an_ordinary_build_has_no_mistakes_even_as_a_constant() {
        const SWITCHED_ON: bool = seeded!("test.one");
        const { assert!(!SWITCHED_ON) };
    }
}
