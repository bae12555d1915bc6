//! The system's error numbers and texts, as Linux has them: the lab says the same on every machine.
use cx::port::IoFailure;

/// An error of the simulated system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errno(i32, &'static str);

pub(super) const TOO_MANY_FILES: Errno = Errno(24, "Too many open files");
pub(super) const BROKEN_PIPE: Errno = Errno(32, "Broken pipe");
pub(super) const ADDRESS_IN_USE: Errno = Errno(98, "Address already in use");
pub(super) const NO_ADDRESS: Errno = Errno(99, "Cannot assign requested address");
pub(super) const RESET: Errno = Errno(104, "Connection reset by peer");
pub(super) const NOT_CONNECTED: Errno = Errno(107, "Transport endpoint is not connected");
pub(super) const REFUSED: Errno = Errno(111, "Connection refused");

impl From<Errno> for IoFailure {
    fn from(Errno(code, words): Errno) -> IoFailure {
        IoFailure { code: Some(code), text: format!("{words} (os error {code})") }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_of_the_system() {
        for errno in [TOO_MANY_FILES, BROKEN_PIPE, ADDRESS_IN_USE, NO_ADDRESS, RESET, NOT_CONNECTED, REFUSED]
        {
            assert_eq!(IoFailure::from(errno).text, std::io::Error::from_raw_os_error(errno.0).to_string());
        }
    }
}
