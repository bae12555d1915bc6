//! [`Artefact`]: where a failing run is written, and as what: its events for later, or a picture to look at.
//!
//! Which it is, the path's ending says; a path without one is a folder that gets everything.
//!
//! Not here: the pictures (`timeline`), what is in them (`telling`).
use crate::footprints::Footprints;
use std::fmt;
use std::path::{Path, PathBuf};
use timeline::{Run, TextLimits, Timeline, Window};

/// A path for a failing run, by its ending:
///
/// | ending | what is written |
/// |---|---|
/// | `.trace` | the events, one a line |
/// | `.replay` | the decisions, in the form for files |
/// | `.txt` | the report for a terminal |
/// | `.html` `.svg` `.mmd` `.json` | the timeline: a page, a picture, a Mermaid diagram, data |
/// | none | a folder, which is made if it is not there, for all of these, called like the test |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artefact {
    path: PathBuf,
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Trace,
    Replay,
    Text,
    Html,
    Svg,
    Mermaid,
    Json,
}

const KINDS: [(&str, Kind); 7] = [
    ("trace", Kind::Trace),
    ("replay", Kind::Replay),
    ("txt", Kind::Text),
    ("html", Kind::Html),
    ("svg", Kind::Svg),
    ("mmd", Kind::Mermaid),
    ("json", Kind::Json),
];

/// The ending says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind(String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to see what to write into `{}`: its ending is none of", self.0)?;
        KINDS.iter().try_for_each(|(ending, _)| write!(f, " .{ending}"))?;
        f.write_str(" (a path without an ending is a folder for all of them)")
    }
}

impl std::error::Error for UnknownKind {}

impl Artefact {
    /// At this path.
    ///
    /// # Errors
    /// If the path has an ending that is none of those listed above.
    pub fn at(path: impl Into<PathBuf>) -> Result<Artefact, UnknownKind> {
        let path = path.into();
        let Some(ending) = path.extension().map(|e| e.to_string_lossy().to_lowercase()) else {
            return Ok(Artefact { path, kind: None });
        };
        match KINDS.iter().find(|(known, _)| *known == ending) {
            Some(&(_, kind)) => Ok(Artefact { path, kind: Some(kind) }),
            None => Err(UnknownKind(path.display().to_string())),
        }
    }

    /// Writes a run, and returns the file to look at first. `test` names the files of a folder; `replay` is what
    /// `.replay` gets. Folders are made where they are missing; files that are there are replaced.
    ///
    /// # Errors
    /// If a file or a folder can't be written.
    pub fn write(&self, test: &str, run: &Run<'_>, replay: &str) -> std::io::Result<PathBuf> {
        match self.kind {
            Some(kind) => write(&self.path, &content(kind, run, replay)).map(|()| self.path.clone()),
            None => self.write_all(test, run, replay),
        }
    }

    /// As [`Artefact::write`]: what came of it, in words, for a report that has to go on.
    pub(crate) fn written(&self, test: &str, run: &Run<'_>, replay: &str) -> String {
        match self.write(test, run, replay) {
            Ok(path) => format!("the run is written to {}", path.display()),
            Err(why) => format!("the run could not be written to {}: {why}", self.path.display()),
        }
    }

    fn write_all(&self, test: &str, run: &Run<'_>, replay: &str) -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(&self.path)?;
        let harmless = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '-' };
        let name: String = test.replace("::", ".").chars().map(harmless).take(100).collect();
        for (ending, kind) in KINDS {
            write(&self.path.join(format!("{name}.{ending}")), &content(kind, run, replay))?;
        }
        Ok(self.path.join(format!("{name}.html")))
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?
    }
    std::fs::write(path, text)
}

fn content(kind: Kind, run: &Run<'_>, replay: &str) -> String {
    let line = || Timeline::of(run);
    let window = |line: &Timeline<'_>, (rows, lanes)| Window::around(line, rows, lanes);
    match kind {
        Kind::Trace => {
            let mut text = String::new();
            // Writing to a string does not fail.
            let _ = trace::write_lines(&mut text, run.events);
            Footprints::write(&mut text, run);
            let _ = trace::write_end(&mut text, run.events.len());
            text
        }
        Kind::Replay => replay.into(),
        Kind::Text => timeline::text(&line(), &TextLimits::default()),
        Kind::Html => timeline::html(&line(), &window(&line(), Window::PAGE)),
        Kind::Svg => timeline::svg(&line(), &window(&line(), Window::PICTURE)),
        Kind::Mermaid => timeline::mermaid(&line(), &window(&line(), Window::DIAGRAM)),
        Kind::Json => timeline::json(&line(), &window(&line(), Window::PAGE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_is_written() {
        assert_eq!(Artefact::at("a/b.SVG").unwrap().kind, Some(Kind::Svg));
        assert_eq!(Artefact::at("a.b/c").unwrap().kind, None);
        let why = Artefact::at("run.png").unwrap_err().to_string();
        assert!(
            why.starts_with("failed to see what to write into `run.png`") && why.contains(".html"),
            "{why}"
        );
    }
}
