//! [`Sent`]: what became of a value that was sent with a permit.
//!
//! Not here: the permits (`mpsc`, `oneshot`).

/// A value that was sent with a permit: delivered, or handed back because nobody can receive it any more.
///
/// Sending with a permit can't fail, so this isn't an error and may be ignored: the value is dropped then, as it would
/// have been with the receiver. Who has to know asks (`obligation.no-loss`).
pub struct Sent<T> {
    undelivered: Option<T>,
}

impl<T> Sent<T> {
    pub(crate) fn new(result: Result<(), T>) -> Self {
        Self { undelivered: result.err() }
    }

    /// The permit's region has closed over it and reported it as leaked. The caller has given the capacity back.
    ///
    /// # Panics
    /// In builds with debug assertions: whoever keeps a permit past its region has a bug, and this is where it shows.
    #[track_caller]
    pub(crate) fn too_late(value: T) -> Self {
        debug_assert!(false, "{LATE}");
        Self { undelivered: Some(value) }
    }

    /// Whether the value went into the channel while there was a receiver.
    pub fn is_delivered(&self) -> bool {
        self.undelivered.is_none()
    }

    /// The value, if it was not delivered.
    pub fn into_undelivered(self) -> Option<T> {
        self.undelivered
    }

    /// The same as a result.
    ///
    /// # Errors
    /// The value, if it was not delivered.
    pub fn into_result(self) -> Result<(), T> {
        self.undelivered.map_or(Ok(()), Err)
    }
}

impl<T> core::fmt::Debug for Sent<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sent").field("delivered", &self.is_delivered()).finish()
    }
}

/// What is said where a permit is used after its region reported it.
pub(crate) const LATE: &str =
    "a permit was used after its region had closed over it and reported it as leaked";
