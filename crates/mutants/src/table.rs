//! The table of mistakes that a suite writes, as tests: one for each row.

use crate::child::{self, MISTAKE};
use crate::shows::{End, Shows};
use std::env::var;
use std::time::Duration;

/// After this long a child is taken for one that never ends.
const PATIENCE: Duration = Duration::from_secs(300);
/// The same for a mistake that is to show just so: what passes without it in well under a second.
const SHORT: Duration = Duration::from_secs(20);

/// One row: a mistake, the check that must notice it, and how.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// The name of the switch, `"area.name"`.
    pub name: &'static str,
    /// The check, which passes without the mistake.
    pub check: fn(),
    /// How the check fails with it.
    pub shows: Shows,
}

/// Fails unless the check fails with the mistake as declared, and passes without. `test` is the path of the calling
/// test, crate included.
///
/// # Panics
/// When the mistake isn't noticed as declared, or the check fails without it.
pub fn check(test: &str, mistake: &Mistake) {
    is_caught(test, mistake);
    types::seeded::clean(mistake.check);
}

/// As [`check()`], but doesn't run the check without the mistake.
///
/// # Panics
/// When the mistake isn't noticed as declared.
pub fn is_caught(test: &str, mistake: &Mistake) {
    if let Err(why) = heard(test, mistake) {
        panic!("{why}")
    }
}

/// As [`is_caught`], with what the failing check said, for a suite that reports on all of its mistakes together. A test
/// may call it for one mistake after the other: their names have to differ then.
///
/// # Errors
/// Why it doesn't count as noticed, in a sentence that names the mistake.
pub fn heard(test: &str, mistake: &Mistake) -> Result<String, String> {
    match var(MISTAKE) {
        Ok(on) if on == mistake.name => {
            types::seeded::with(mistake.name, mistake.check);
            // The parent reads it as a success; whatever `check` does after this belongs to the parent.
            std::process::exit(0);
        }
        // The caller goes through several, and this process is for one that comes later.
        Ok(on) => {
            return Err(format!("`{}` is the business of another process than that of `{on}`", mistake.name));
        }
        Err(_) => {}
    }
    let path = test.split_once("::").map_or(test, |(_crate, path)| path);
    let patience = if mistake.shows == Shows::NeverEnds { SHORT } else { PATIENCE };
    let end = child::run(path, mistake.name, patience);
    match (mistake.shows.judge(&end), end) {
        (Ok(()), End::Passed(said) | End::Failed(said) | End::Hung(said)) => Ok(said),
        (Err(why), _) => Err(format!("`{}` {why}", mistake.name)),
    }
}

/// A test for each mistake: its check fails as declared with it, and passes without.
///
/// ```text
/// mutants::mistakes! {
///     name_of_the_test: "area.name" breaks path::of_the_check, says "a word" "another";
///     name_of_another: "area.other" breaks path::of_the_check, never ends;
/// }
/// ```
#[macro_export]
macro_rules! mistakes {
    ($($rows:tt)+) => { $crate::rows!(check: $($rows)+); };
}

/// As [`mistakes!`](crate::mistakes), for checks that have a test of their own in the same build: they aren't run
/// without the mistake again.
#[macro_export]
macro_rules! mutants {
    ($($rows:tt)+) => { $crate::rows!(is_caught: $($rows)+); };
}

/// The rows of both.
#[doc(hidden)]
#[macro_export]
macro_rules! rows {
    ($how:ident: $($test:ident: $name:literal breaks $check:expr, $verb:ident $($ends:ident)? $($word:literal)*;)+) => { $(
        #[test]
        fn $test() {
            let mistake =
                $crate::Mistake { name: $name, check: $check, shows: $crate::shows!($verb $($ends)? $($word)*) };
            $crate::$how(concat!(module_path!(), "::", stringify!($test)), &mistake);
        }
    )+ };
}

/// The end of a row.
#[doc(hidden)]
#[macro_export]
macro_rules! shows {
    (says $($word:literal)+) => { $crate::Shows::Says(&[$($word),+]) };
    (never ends) => { $crate::Shows::NeverEnds };
}
