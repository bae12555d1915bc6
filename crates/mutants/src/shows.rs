//! How a mistake shows, and whether what a child process did is that.

/// How a check that meets a mistake must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The check fails, and all of these words are in what it prints.
    Says(&'static [&'static str]),
    /// The check never ends: no assertion can see it, only the clock on the wall.
    NeverEnds,
}

/// How a child process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It succeeded, with this output.
    Passed(String),
    /// It failed, by an exit code or a signal, with this output.
    Failed(String),
    /// It was still running when patience ended, and was killed.
    Hung(String),
}

impl Shows {
    /// Why `end` isn't how the mistake was to show.
    pub(crate) fn judge(self, end: &End) -> Result<(), String> {
        match (self, end) {
            (_, End::Passed(_)) => Err("went unnoticed".into()),
            (Shows::NeverEnds, End::Hung(_)) => Ok(()),
            (Shows::NeverEnds, End::Failed(said)) => {
                Err(format!("was to hang its check, which failed instead:\n{}", excerpt(said)))
            }
            (Shows::Says(words), End::Hung(said)) => Err(format!(
                "hung its check instead of failing it with {words:?}: give the check a limit\n{}",
                excerpt(said)
            )),
            (Shows::Says(words), End::Failed(said)) => match words.iter().find(|word| !said.contains(**word))
            {
                None => Ok(()),
                Some(word) => Err(format!("made its check fail, but not with {word:?}:\n{}", excerpt(said))),
            },
        }
    }
}

/// The beginning and the end of a long output: the first failure, and what became of it.
fn excerpt(said: &str) -> String {
    const ENOUGH: usize = 2000;
    if said.len() <= 2 * ENOUGH {
        return said.to_owned();
    }
    let first = said.floor_char_boundary(ENOUGH);
    let last = said.ceil_char_boundary(said.len() - ENOUGH);
    format!("{}\n[..]\n{}", &said[..first], &said[last..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAYS: Shows = Shows::Says(&["lost", "wake"]);

    #[test]
    fn a_failure_counts_only_with_every_declared_word() {
        assert_eq!(SAYS.judge(&End::Failed("a wake was lost".into())), Ok(()));
        assert!(
            SAYS.judge(&End::Failed("a value was lost".into())).unwrap_err().contains("not with \"wake\"")
        );
    }

    #[test]
    fn a_hang_counts_only_where_it_was_declared() {
        let hung = End::Hung(String::new());
        assert!(SAYS.judge(&hung).unwrap_err().contains("hung"));
        assert_eq!(Shows::NeverEnds.judge(&hung), Ok(()));
        assert!(Shows::NeverEnds.judge(&End::Failed("a wake was lost".into())).is_err());
    }

    #[test]
    fn a_success_never_counts() {
        let passed = End::Passed("lost wake".into());
        assert!(SAYS.judge(&passed).is_err() && Shows::NeverEnds.judge(&passed).is_err());
    }

    #[test]
    fn a_long_output_is_cut_between_characters() {
        let said = format!("first {} last", "é".repeat(4000));
        let shown = excerpt(&said);
        assert!(
            shown.starts_with("first") && shown.ends_with("last") && shown.len() < 4100,
            "{}",
            shown.len()
        );
        assert_eq!(excerpt("short"), "short");
    }
}
