//! The specification's rules and the tests that keep them: each rule names test functions that are there.
//!
//! A rule is a heading `` ### `area.name` `` in docs/spec. Below its `- Tests:` stand, in backticks, functions as
//! `file::function`, and cases that must not compile as files. Looked for is the function with its `#[test]`; whether it
//! fails when the rule is broken is for reviewers, and for the mutants.

use crate::finding::Finding;
use crate::source::SourceFile;
use crate::workspace::Workspace;

const RULE: &str = "spec.tests";

/// Every rule of the specification names at least one test function, and all it names is there.
pub fn tests(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chapter in &workspace.chapters {
        for section in sections(&chapter.text) {
            let report = |message: String| {
                Finding::new(&chapter.path, section.line, RULE, format!("`{}` {message}", section.id))
            };
            let Some((_, tests)) = section.body.split_once("\n- Tests:") else {
                findings.push(report("has no line `- Tests:`".into()));
                continue;
            };
            let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
            if !named.iter().any(|name| name.contains("::")) {
                findings.push(report("names no test function: write `file::function`".into()));
            }
            let missing = named.iter().filter(|name| !exists(workspace, name));
            findings
                .extend(missing.map(|name| report(format!("names `{name}`, which is no test of the tree"))));
        }
    }
    findings
}

struct Section<'a> {
    id: &'a str,
    line: usize,
    body: &'a str,
}

fn sections(chapter: &str) -> impl Iterator<Item = Section<'_>> {
    chapter.match_indices("### `").filter(|(at, _)| *at == 0 || chapter[..*at].ends_with('\n')).filter_map(
        |(at, heading)| {
            let (id, rest) = chapter[at + heading.len()..].split_once('`')?;
            let body = rest.split("\n### `").next().unwrap_or(rest);
            Some(Section { id, line: chapter[..at].lines().count() + 1, body })
        },
    )
}

fn exists(workspace: &Workspace, name: &str) -> bool {
    let Some((path, function)) = name.split_once("::") else {
        return workspace.cases.contains(name);
    };
    let mut files = workspace.crates.iter().flat_map(|krate| &krate.files);
    files.find(|file| file.path == path).is_some_and(|file| has_test(file, function))
}

/// Whether the file has this function, with `#[test]` among the attributes on the lines above it.
fn has_test(file: &SourceFile, function: &str) -> bool {
    let is_it = |line: &str| {
        let line = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(function))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let lines: Vec<&str> = file.code.lines().collect();
    lines.iter().enumerate().any(|(at, line)| {
        let mut above = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
        is_it(line) && above.any(|attribute| attribute.trim() == "#[test]")
    })
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::rules::planted::{krate, workspace};
    use crate::workspace::Chapter;

    const CODE: &str = "//! x\n#[test]\n#[cfg(unix)]\nfn a_test() {}\n\nfn no_test() {}\n// fn in_words()\n";

    fn check(chapter: &str) -> Vec<Finding> {
        let mut planted = workspace([krate("sync", &[("tests/a.rs", CODE)])]);
        planted.chapters = vec![Chapter { path: "docs/spec/09-x.md".into(), text: chapter.into() }];
        planted.cases = ["crates/sync/tests/ui/b.rs".to_owned()].into();
        tests(&planted)
    }

    #[test]
    fn a_rule_with_a_test_and_a_case_is_content() {
        let chapter = "# 9\n\n### `x.y`\nText.\n\n- Model: none.\n- Tests:\n  - `crates/sync/tests/a.rs::a_test`\n  \
                       - `crates/sync/tests/ui/b.rs`\n";
        assert_eq!(check(chapter), []);
    }

    #[test]
    fn a_rule_that_names_no_function_is_found_at_its_heading() {
        for tests in ["", "- Tests: see the crate `sync`.\n", "- Tests: `crates/sync/tests/ui/b.rs`.\n"] {
            let found = check(&format!("# 9\n\n### `x.y`\nText.\n\n{tests}"));
            assert!(!found.is_empty() && found.iter().all(|f| f.line == 3), "{tests}: {found:?}");
        }
    }

    #[test]
    fn a_name_without_a_test_behind_it_is_found() {
        for name in [
            "crates/sync/tests/a.rs::gone",
            "crates/sync/tests/a.rs::no_test",
            "crates/sync/tests/a.rs::in_words",
            "crates/sync/tests/a.rs::a_tes",
            "crates/sync/tests/other.rs::a_test",
            "crates/sync/tests/ui/gone.rs",
        ] {
            let chapter = format!("### `x.y`\n\n- Tests: `crates/sync/tests/a.rs::a_test`, `{name}`.\n");
            let found = check(&chapter);
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert!(found[0].message.contains(name), "{found:?}");
        }
    }

    #[test]
    fn each_of_several_rules_is_looked_at() {
        let good = "### `x.y`\n\n- Tests: `crates/sync/tests/a.rs::a_test`.\n\n";
        let found = check(&format!("{good}### `x.z`\n\n- Tests: none.\n\n{good}"));
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [5]);
    }
}
