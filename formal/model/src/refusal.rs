//! A rule's no to a label, and the macro that says it.
//!
//! Not here: the rules.
use alloc::string::String;
use core::fmt;

/// A rule's no to a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The rule, by its id in `docs/spec/`.
    pub rule: &'static str,
    /// What is wrong, in words, with the ids concerned.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.why)
    }
}

impl core::error::Error for Refusal {}

/// Refuses with a rule and a formatted reason unless the condition holds.
macro_rules! require {
    ($condition:expr, $rule:literal, $($why:tt)+) => {
        if !$condition {
            return Err($crate::Refusal { rule: $rule, why: alloc::format!($($why)+) });
        }
    };
}
pub(crate) use require;
