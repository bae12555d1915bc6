//! `Panic`: the end of a body that didn't return.
//!
//! Either the body panicked (the payload is kept, so that the panic can be resumed elsewhere), or
//! the runtime dropped a body that outstayed its cleanup deadline (`cancel.bounded`, abandoned).
//! One box holds it all: an `Outcome` lives in every task's cell, and panics are rare.
//!
//! Not here: catching and resuming, which need std (`task`).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::fmt;

/// A caught panic or an abandoned body. Eight bytes; `Send`, not `Sync` (see [`crate::Outcome`]).
pub struct Panic(Box<Inner>);

struct Inner {
    message: String,
    payload: Option<Box<dyn Any + Send>>,
    abandoned: bool,
}

impl Panic {
    /// What `catch_unwind` returned. The message is taken from the `&'static str` or `String`
    /// that `panic!` leaves; another payload is kept, and described as such.
    pub fn from_payload(payload: Box<dyn Any + Send>) -> Panic {
        let message = Panic::text_of(&*payload).to_owned();
        Panic(Box::new(Inner { message, payload: Some(payload), abandoned: false }))
    }

    /// The message of a payload that stays with its owner, as [`Panic::from_payload`] would keep it.
    pub fn text_of(payload: &(dyn Any + Send)) -> &str {
        if let Some(text) = payload.downcast_ref::<&'static str>() {
            text
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text
        } else {
            "(a payload that isn't text)"
        }
    }

    /// A panic known by its message alone.
    pub fn new(message: impl Into<String>) -> Panic {
        Panic(Box::new(Inner { message: message.into(), payload: None, abandoned: false }))
    }

    /// A body that was dropped between two polls because its cleanup deadline was spent; `why`
    /// says who gave it up and after how long.
    pub fn abandoned(why: impl Into<String>) -> Panic {
        Panic(Box::new(Inner { message: why.into(), payload: None, abandoned: true }))
    }

    /// Whether the body was dropped by the runtime instead of panicking itself.
    pub fn is_abandoned(&self) -> bool {
        self.0.abandoned
    }

    /// The panic's message, or why the body was abandoned.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to give to `std::panic::resume_unwind`: the original payload, or the message as a
    /// `String` where there is none.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        let Inner { message, payload, .. } = *self.0;
        payload.unwrap_or_else(|| Box::new(message))
    }
}

/// `panicked: message` or `abandoned: why`.
impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.0.abandoned { "abandoned" } else { "panicked" };
        write!(f, "{verb}: {}", self.0.message)
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.0.message)
            .field("abandoned", &self.0.abandoned)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    fn caught(body: fn()) -> Panic {
        Panic::from_payload(catch_unwind(body).unwrap_err())
    }

    #[test]
    fn keeps_the_message_of_both_kinds_of_text() {
        assert_eq!(caught(|| resume_unwind(Box::new("plain"))).message(), "plain");
        assert_eq!(caught(|| resume_unwind(Box::new(format!("made {}", 7)))).message(), "made 7");
    }

    #[test]
    fn gives_a_foreign_payload_back_untouched() {
        let panic = caught(|| resume_unwind(Box::new(42_u8)));
        assert_eq!(panic.message(), "(a payload that isn't text)");
        assert_eq!(panic.into_payload().downcast_ref::<u8>(), Some(&42));
    }

    #[test]
    fn a_resumed_panic_has_its_message_again() {
        let first = Panic::new("lost");
        let resumed = catch_unwind(AssertUnwindSafe(|| resume_unwind(first.into_payload())));
        let again = Panic::from_payload(resumed.unwrap_err());
        assert_eq!(again.message(), "lost");
    }

    #[test]
    fn an_abandoned_body_is_not_taken_for_one_that_panicked() {
        let panic = Panic::abandoned("10s after shutdown");
        assert!(panic.is_abandoned() && !Panic::new("x").is_abandoned());
        assert_eq!(format!("{panic}"), "abandoned: 10s after shutdown");
    }

    #[test]
    fn takes_one_word() {
        assert_eq!(size_of::<Option<Panic>>(), size_of::<usize>());
    }
}
