//! `Failure`: an application error that nobody joined; `FailureNote`: what a report says of it.
//!
//! A failed task whose handle was dropped still has an error of some type `E`. To escalate, the
//! error travels with its type erased (`Failure`, one owner, downcast where `E` is known again);
//! to be named in causes and reports, it is rendered once (`FailureNote`, cheap to clone).
//!
//! Invariant `failure.note-bounded`: a note's text has at most [`FailureNote::MAX_BYTES`] bytes,
//! because the `Debug` of somebody's error may print a whole request.
//!
//! Not here: when a failure escalates (`region`).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::any::{Any, type_name};
use core::fmt::{self, Write};

/// An application error with its type erased. `Send`, not `Sync`, since the error needn't be.
pub struct Failure(Box<dyn Erased>);

trait Erased: Any + fmt::Debug + Send {
    fn type_name(&self) -> &'static str;
}

impl<E: fmt::Debug + Send + 'static> Erased for E {
    fn type_name(&self) -> &'static str {
        type_name::<E>()
    }
}

impl Failure {
    /// Erases the type of `error`. One allocation.
    pub fn new<E: fmt::Debug + Send + 'static>(error: E) -> Failure {
        Failure(Box::new(error))
    }

    /// The error, if it is an `E`; otherwise the failure again.
    ///
    /// # Errors
    /// This failure, unchanged, where the error is of another type.
    pub fn downcast<E: 'static>(self) -> Result<E, Failure> {
        if !self.is::<E>() {
            return Err(self);
        }
        let any: Box<dyn Any> = self.0;
        match any.downcast::<E>() {
            Ok(error) => Ok(*error),
            Err(_) => unreachable!("the type was compared one line above"),
        }
    }

    /// Whether the error is an `E`.
    pub fn is<E: 'static>(&self) -> bool {
        let any: &dyn Any = &*self.0;
        any.is::<E>()
    }

    /// The name of the error's type, as the compiler prints it. For people: not stable.
    pub fn type_name(&self) -> &'static str {
        (*self.0).type_name()
    }

    /// Renders the error for causes and reports. Runs the error's `Debug` once.
    pub fn note(&self) -> FailureNote {
        FailureNote::new(&*self.0, self.type_name())
    }
}

/// Prints the error's own `Debug`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An application error as text: what its `Debug` printed, and its type's name. Clones share the
/// text.
#[derive(Clone, PartialEq, Eq)]
pub struct FailureNote {
    text: Arc<str>,
    type_name: &'static str,
}

impl FailureNote {
    /// The most bytes of a rendering that are kept: a screenful. What is longer is cut at a
    /// character and ends in `..`.
    pub const MAX_BYTES: usize = 1024;

    /// Renders an error that stays with its owner. Runs the error's `Debug` once.
    pub fn of<E: fmt::Debug>(error: &E) -> FailureNote {
        FailureNote::new(error, type_name::<E>())
    }

    fn new(error: &dyn fmt::Debug, type_name: &'static str) -> FailureNote {
        let mut rendering = Bounded { text: String::new(), full: false };
        // The only error is our own "full" or one the user's Debug made up; in both cases what
        // was written so far is the note.
        let _ = write!(rendering, "{error:?}");
        FailureNote { text: rendering.text.into(), type_name }
    }

    /// What the error's `Debug` printed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the error's type, as the compiler prints it. For people: not stable.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

/// Prints the text, which is what the error's own `Debug` printed: a note of a note reads like the error.
impl fmt::Debug for FailureNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Prints the text.
impl fmt::Display for FailureNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Takes text up to the bound; then marks the cut and refuses, which ends a well-behaved `Debug`
/// early.
struct Bounded {
    text: String,
    full: bool,
}

const CUT: &str = "..";

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        // Room for the mark is always kept, since more may follow a text that just fits.
        let room = FailureNote::MAX_BYTES - CUT.len() - self.text.len();
        if more.len() > room {
            self.text.push_str(&more[..more.floor_char_boundary(room)]);
            self.text.push_str(CUT);
            self.full = true;
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[derive(Debug, PartialEq)]
    struct Refused(u8);

    #[test]
    fn comes_back_as_the_type_it_went_in() {
        assert_eq!(Failure::new(Refused(3)).downcast::<Refused>().unwrap(), Refused(3));
    }

    #[test]
    fn a_wrong_guess_loses_nothing() {
        let failure = Failure::new(Refused(3)).downcast::<String>().unwrap_err();
        assert_eq!(failure.downcast::<Refused>().unwrap(), Refused(3));
    }

    #[test]
    fn names_the_error_and_not_its_box() {
        let failure = Failure::new(Refused(3));
        assert_eq!(format!("{failure:?}"), "Refused(3)");
        assert!(failure.type_name().ends_with("Refused"), "{}", failure.type_name());
        assert_eq!(failure.note(), FailureNote::of(&Refused(3)));
    }

    #[test]
    fn a_note_is_cut_at_a_character_and_marked() {
        // 1022 bytes may be text, of which the quotation mark takes one and each letter two.
        let note = FailureNote::of(&"é".repeat(2000));
        assert_eq!(note.text(), format!("\"{}..", "é".repeat(510)));
        assert!(note.text().len() <= FailureNote::MAX_BYTES);
    }

    #[test]
    fn a_debug_that_ignores_the_refusal_adds_nothing_after_the_cut() {
        struct Stubborn;
        impl fmt::Debug for Stubborn {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let _ = f.write_str(&"x".repeat(2000));
                f.write_str("y").or(Ok(()))
            }
        }
        let note = FailureNote::of(&Stubborn);
        assert_eq!(note.text(), format!("{}..", "x".repeat(1022)));
    }
}
