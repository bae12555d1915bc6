//! What the source says of primitives: which there are, which mistakes can be switched on in them, and which tests name those.
//!
//! Not here: what running them shows (`table`).

use crate::module_tree;
use crate::source::{SourceFile, words};
use crate::workspace::{Krate, Workspace};
use std::collections::{BTreeMap, BTreeSet};

/// Modules at the top of a crate of primitives that are none: what the others are made of. A module that is neither here nor
/// has a row is reported.
pub const MACHINERY: &[(&str, &[&str])] = &[
    ("combinator", &["backoff", "crowd", "drive", "ext", "leg", "many", "runs", "tally"]),
    (
        "sync",
        &[
            "error",
            "gone",
            "items",
            "object",
            "park",
            "sent",
            "shared",
            "sync",
            "wait",
            "wait_queue",
            "wakes",
        ],
    ),
    ("time", &["cron", "ext", "schedule", "wheel"]),
];

/// A mistake that can be switched on, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `area.name`.
    pub name: String,
    /// The module it stands in, or the primitive whose name is its area.
    pub subject: String,
}

/// A test that names a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    mistake: String,
    krate: String,
    /// The file's test target, or `lib`.
    target: String,
    test: String,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// `crate::module`, in the order of their names.
    pub primitives: Vec<String>,
    /// In the order of their places.
    pub mistakes: Vec<Mistake>,
    /// In which tests.
    pub(super) namings: Vec<Naming>,
}

impl Known {
    /// Reads the source of these crates, and the tests of all.
    pub fn read(workspace: &Workspace, crates: &[&Krate]) -> Known {
        let mut known = Known::default();
        for krate in crates {
            known
                .primitives
                .extend(modules(krate).into_iter().map(|name| format!("{}::{name}", krate.name())));
        }
        known.primitives.sort();
        for krate in crates {
            let shipped: BTreeSet<String> =
                module_tree::walk(krate).into_iter().map(|node| node.path).collect();
            let of_library =
                |file: &&SourceFile| !file.is_beside_the_library() && shipped.contains(&file.path);
            for file in krate.files.iter().filter(of_library) {
                for name in seeded(&file.text) {
                    let subject = known.subject(krate.name(), &file.path, &name);
                    known.mistakes.push(Mistake { name, subject });
                }
            }
        }
        let names: BTreeSet<&str> = known.mistakes.iter().map(|mistake| mistake.name.as_str()).collect();
        let mut namings = Vec::new();
        for krate in &workspace.crates {
            for file in krate.files.iter() {
                for (mistake, test) in
                    named(file).into_iter().filter(|(name, _)| names.contains(name.as_str()))
                {
                    let (krate, target) = (krate.name().to_owned(), target(&file.path));
                    namings.push(Naming { mistake, krate, target, test });
                }
            }
        }
        known.namings = namings;
        known
    }

    /// Whose a mistake is: the module at the top of the crate that its file belongs to; or, if that is machinery, the primitive that
    /// the mistake's area is called after.
    fn subject(&self, krate: &str, path: &str, mistake: &str) -> String {
        let place = path.split_once("/src/").map_or(path, |(_, place)| place).trim_end_matches(".rs");
        let module = place.split('/').next().unwrap_or(place);
        let own = format!("{krate}::{module}");
        let area = mistake.split('.').next().unwrap_or(mistake);
        let called = format!("{krate}::{area}");
        if !self.primitives.contains(&own) && self.primitives.contains(&called) { called } else { own }
    }

    /// Whether some test of this crate names a mistake of a primitive.
    pub fn names_mistakes(&self, krate: &str) -> bool {
        self.namings.iter().any(|naming| naming.krate == krate)
    }

    /// Whether some test in this target of the crate does.
    pub fn is_named_in(&self, krate: &str, target: &str) -> bool {
        self.namings.iter().any(|naming| naming.krate == krate && naming.target == target)
    }

    /// The mistakes that some test notices, of those that passed (crate, last word of its path).
    pub fn noticed(&self, passed: &BTreeSet<(String, String)>) -> BTreeSet<String> {
        let passes = |naming: &&Naming| passed.contains(&(naming.krate.clone(), naming.test.clone()));
        self.namings.iter().filter(passes).map(|naming| naming.mistake.clone()).collect()
    }

    /// The mistakes that no test names.
    pub fn unnamed(&self) -> impl Iterator<Item = &Mistake> {
        self.mistakes
            .iter()
            .filter(|mistake| !self.namings.iter().any(|naming| naming.mistake == mistake.name))
    }

    /// How many mistakes each primitive or module has.
    pub fn counted(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut counted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for mistake in &self.mistakes {
            counted.entry(&mistake.subject).or_default().insert(&mistake.name);
        }
        counted
    }
}

/// The modules at the top of a crate that are primitives.
fn modules(krate: &Krate) -> Vec<String> {
    let machinery =
        MACHINERY.iter().find(|(name, _)| *name == krate.name()).map_or(&[][..], |(_, names)| names);
    let Some(library) = krate.library() else { return Vec::new() };
    let all: Vec<(usize, &str)> = words(&library.code).collect();
    let declared = all.windows(2).filter(|pair| pair[0].1 == "mod").map(|pair| pair[1]);
    // `mod tests { .. }` is none: only what has a file of its own.
    let in_a_file =
        declared.filter(|(at, name)| library.code[at + name.len()..].trim_start().starts_with(';'));
    let primitives = in_a_file.map(|(_, name)| name).filter(|name| !machinery.contains(name));
    primitives.map(str::to_owned).collect()
}

/// The names in `seeded!("..")`.
fn seeded(text: &str) -> Vec<String> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let calls = code.split("seeded!(").skip(1);
    calls
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned))
        .collect()
}

/// The mistakes that tests name, in a table's row (`test: "area.name"`) or in the body of a function.
fn named(file: &SourceFile) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut function, mut opened) = (String::new(), false);
    for line in file.text.lines() {
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        if let Some((_, rest)) = line.split_once("fn ") {
            function = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        }
        // The switch itself names nothing, also where its name stands on the next line.
        let is_switch = std::mem::replace(&mut opened, line.trim_end().ends_with("seeded!("));
        if is_switch || line.contains("seeded!(") {
            continue;
        }
        for (at, literal) in line.split('"').enumerate().filter(|(at, _)| at % 2 == 1) {
            let before = line.split('"').next().filter(|_| at == 1).unwrap_or_default().trim_end();
            let row = before
                .strip_suffix(':')
                .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'));
            found.push((literal.to_owned(), row.unwrap_or(&function).to_owned()));
        }
    }
    found
}

/// The test target that a file belongs to: `tests/NAME.rs` or `tests/NAME/..`; `lib` for the rest.
fn target(path: &str) -> String {
    let Some((_, place)) = path.split_once("/tests/") else { return "lib".into() };
    place.split('/').next().unwrap_or(place).trim_end_matches(".rs").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Target;

    fn krate() -> Krate {
        let target = |name: &str, kind: &str, root: &str| Target {
            name: name.into(),
            kind: kind.into(),
            root: root.into(),
        };
        let file = |path: &str, text: &str| SourceFile::new(path, text);
        Krate {
            package: "asupersync-sync".into(),
            targets: vec![
                target("sync", "lib", "crates/sync/src/lib.rs"),
                target("primitives", "test", "crates/sync/tests/primitives/main.rs"),
            ],
            files: vec![
                file(
                    "crates/sync/src/lib.rs",
                    "pub mod mutex;\nmod wait_queue;\n#[cfg(test)]\nmod tests { }\n",
                ),
                file("crates/sync/src/mutex.rs", "mod word;"),
                file(
                    "crates/sync/src/mutex/word.rs",
                    "// seeded!(\"mutex.none\")\nif seeded!(\"mutex.lost\") {}",
                ),
                file("crates/sync/src/wait_queue.rs", "seeded!(\"queue.old\"); seeded!(\n \"mutex.late\")"),
                file(
                    "crates/sync/tests/primitives/main.rs",
                    "rows! {\n  notices_it: \"mutex.lost\" breaks x;\n}\nfn other() {\n\"queue.old\"\n}",
                ),
            ],
            ..Krate::default()
        }
    }

    #[test]
    fn a_primitive_is_a_module_that_is_no_machinery_and_has_the_mistakes_of_its_files() {
        let workspace = Workspace { crates: vec![krate()], ..Workspace::default() };
        let known = Known::read(&workspace, &super::super::crates(&workspace));
        assert_eq!(known.primitives, ["sync::mutex"]);
        let subjects: Vec<_> = known.mistakes.iter().map(|m| (m.name.as_str(), m.subject.as_str())).collect();
        let expected =
            [("mutex.lost", "sync::mutex"), ("queue.old", "sync::wait_queue"), ("mutex.late", "sync::mutex")];
        assert_eq!(subjects, expected);
        assert_eq!(known.unnamed().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["mutex.late"]);
        let passed = [("sync".to_owned(), "notices_it".to_owned()), ("lab".into(), "other".into())].into();
        assert_eq!(known.noticed(&passed), ["mutex.lost".to_owned()].into());
        assert!(known.is_named_in("sync", "primitives") && !known.is_named_in("sync", "lib"));
    }

    /// What is built of locks and of other primitives has no model of its own; what has words of its own has one.
    #[test]
    fn a_primitive_whose_threads_share_words_has_a_loom_model() {
        let workspace = crate::workspace::load(&crate::workspace::root()).expect("the workspace can be read");
        let (mut modelled, mut built) = (BTreeSet::new(), BTreeSet::new());
        for krate in super::super::crates(&workspace) {
            let models: String =
                krate.files.iter().filter(|f| f.path.contains("/tests/loom")).map(|f| &*f.text).collect();
            for module in modules(krate) {
                let place = format!("{}/src/{module}", krate.dir);
                let own = |file: &&SourceFile| {
                    file.path.strip_prefix(&place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
                };
                let shares = |(_, word): (usize, &str)| word.starts_with("Atomic") || word == "UnsafeCell";
                if krate.files.iter().filter(own).any(|file| words(&file.bare).any(shares)) {
                    assert!(
                        words(&models).any(|(_, word)| word == module),
                        "{place} has words of its own and no model"
                    );
                    modelled.insert(module);
                } else {
                    built.insert(module);
                }
            }
        }
        assert!(modelled.contains("mpsc") && modelled.contains("stream"), "{modelled:?}");
        for module in ["once_cell", "pool", "session", "sleep", "rate"] {
            assert!(
                built.contains(module),
                "{module} is built of others no more: say so in docs/primitives.md"
            );
        }
    }

    #[test]
    fn machinery_that_is_gone_is_not_listed() {
        let workspace = crate::workspace::load(&crate::workspace::root()).expect("the workspace can be read");
        for (name, modules) in MACHINERY {
            let krate =
                workspace.crates.iter().find(|krate| krate.name() == *name).expect("the crate exists");
            for module in *modules {
                let file = format!("{}/src/{module}.rs", krate.dir);
                assert!(krate.files.iter().any(|f| f.path == file), "`{file}` isn't there any more");
            }
        }
    }
}
