//! Names of tasks, regions and obligations, unique within one runtime.
//!
//! An id is a number for reports, traces and tables; it isn't authority. How a layer makes its
//! numbers (slot and generation, or a hash of the spawn path in the laboratory) is its business.
//!
//! Not here: the ids of scopes, which appear only inside an [`crate::Origin`].

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The id with this number.
            pub const fn from_u64(number: u64) -> Self {
                Self(number)
            }

            /// This id's number.
            pub const fn as_u64(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, "#{}"), self.0)
            }
        }

        // The same as Display: a trace is read by people, and `TaskId(7)` says no more.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A task, unique within its runtime. Printed as `task#7`.
    TaskId,
    "task"
);
id!(
    /// A region, unique within its runtime. Printed as `region#7`.
    RegionId,
    "region"
);
id!(
    /// A reserved effect (permit, lease, operation in flight), unique within its runtime.
    /// Printed as `obligation#7`.
    ObligationId,
    "obligation"
);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn ids_say_what_they_name() {
        assert_eq!(format!("{}", TaskId::from_u64(7)), "task#7");
        assert_eq!(format!("{:?}", RegionId::from_u64(7)), "region#7");
        assert_eq!(format!("{:?}", ObligationId::from_u64(7)), "obligation#7");
    }

    #[test]
    fn a_number_survives_the_round_trip() {
        for number in [0, 1, u64::MAX] {
            assert_eq!(TaskId::from_u64(number).as_u64(), number);
        }
    }
}
