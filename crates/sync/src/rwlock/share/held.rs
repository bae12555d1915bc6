//! Who holds the lock, in one word: a value that each change makes anew.
//!
//! ```text
//! | readers ... | upgradable | writer | crowd |
//! ```
//!
//! Not here: who waits; when a change may be made.

use super::Mode;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held(pub(super) usize);

pub(super) const CROWD: usize = 1;
const WRITER: usize = 2;
const UPGRADABLE: usize = 4;
const READER: usize = 8;

impl Held {
    pub(super) const NOBODY: Held = Held(0);

    /// Whether somebody waits.
    pub(super) const fn is_crowded(self) -> bool {
        self.0 & CROWD != 0
    }

    pub(super) const fn readers(self) -> usize {
        self.0 / READER
    }

    pub(super) const fn is_writer(self) -> bool {
        self.0 & WRITER != 0
    }

    pub(super) const fn is_upgradable(self) -> bool {
        self.0 & UPGRADABLE != 0
    }

    /// Whether the mode is compatible with those who hold the lock.
    pub(super) const fn admits(self, mode: Mode) -> bool {
        match mode {
            Mode::Read => !self.is_writer(),
            Mode::Upgradable => !self.is_writer() && !self.is_upgradable(),
            Mode::Write => self.0 & !CROWD == 0,
        }
    }

    const fn one(mode: Mode) -> usize {
        match mode {
            Mode::Read => READER,
            Mode::Upgradable => UPGRADABLE,
            Mode::Write => WRITER,
        }
    }

    /// # Panics
    /// With more readers than a word counts, which their guards would not fit into memory with.
    pub(super) fn with(self, mode: Mode) -> Held {
        Held(self.0.checked_add(Self::one(mode)).expect("so many guards do not exist"))
    }

    /// # Panics
    /// If nobody holds the lock in this mode.
    pub(super) fn without(self, mode: Mode) -> Held {
        let holds = match mode {
            Mode::Read => self.readers() > 0,
            Mode::Upgradable => self.is_upgradable(),
            Mode::Write => self.is_writer(),
        };
        assert!(holds, "a lock was given up that nobody held");
        Held(self.0 - Self::one(mode))
    }
}
