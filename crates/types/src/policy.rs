//! The choices a region is opened with: what a failure does, and what follows a spent grace.
//!
//! Both are one byte, so that they fit beside a region's state in one word.
//!
//! Not here: carrying them out (`region`, `cancel`).

/// What a region does when one of its members fails.
///
/// A failure is an `Err`, a panic, or a `Cancelled` that nobody asked of the task itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Policy {
    /// The siblings and the region's body are cancelled with `SiblingFailed`, whether or not
    /// somebody holds the failed member's handle.
    #[default]
    FailFast = 0,
    /// Nobody is cancelled: the region returns its body's value and every member's outcome. For
    /// finite sets, since every outcome is kept.
    Collect = 1,
    /// The failure goes to `on_failure` and a counter, and is then freed; it neither cancels nor
    /// escalates. For servers and actors, whose members come and go.
    Isolate = 2,
}

/// What a region does with members that are still there when the cleanup deadline is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AfterGrace {
    /// Report every interval who is still there and why, and go on waiting.
    #[default]
    Wait = 0,
    /// Drop each such task's future between two polls; its outcome is `Panicked`, abandoned. A
    /// task inside a poll, a blocking closure and the root body can only be reported.
    Abandon = 1,
}

impl Policy {
    /// Every policy, in the order of its byte.
    pub const ALL: [Policy; 3] = [Policy::FailFast, Policy::Collect, Policy::Isolate];

    /// The policy with this byte, where there is one.
    pub fn from_u8(byte: u8) -> Option<Policy> {
        Policy::ALL.get(usize::from(byte)).copied()
    }
}

impl AfterGrace {
    /// Every choice, in the order of its byte.
    pub const ALL: [AfterGrace; 2] = [AfterGrace::Wait, AfterGrace::Abandon];

    /// The choice with this byte, where there is one.
    pub fn from_u8(byte: u8) -> Option<AfterGrace> {
        AfterGrace::ALL.get(usize::from(byte)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_is_written_can_be_read() {
        for policy in Policy::ALL {
            assert_eq!(Policy::from_u8(policy as u8), Some(policy));
        }
        for choice in AfterGrace::ALL {
            assert_eq!(AfterGrace::from_u8(choice as u8), Some(choice));
        }
        assert_eq!((Policy::from_u8(3), AfterGrace::from_u8(2)), (None, None));
    }
}
