//! The rules that hold the layers, run over this very workspace by `cargo test`; and the two tables of crates, the one that
//! people read and the one that tools read, held together.

use std::fs;
use xtask::{layers, rules, workspace};

#[test]
fn the_workspace_keeps_its_rules() {
    let workspace = workspace::load(&workspace::root()).expect("the workspace can be read");
    assert!(workspace.crates.iter().any(|krate| krate.package == "xtask"), "the tree was read");
    let findings = rules::check(&workspace);
    let report: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    assert!(
        findings.is_empty(),
        "{} broken rules (cargo xtask tidy prints the same):\n{report}",
        findings.len()
    );
}

#[test]
fn the_architecture_page_lists_every_row_and_marks_the_planned_ones() {
    let root = workspace::root();
    let workspace = workspace::load(&root).expect("the workspace can be read");
    let page = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).expect("the page can be read");
    let wrong: Vec<String> = layers::TABLE
        .iter()
        .filter_map(|row| {
            let exists = workspace.crates.iter().any(|krate| krate.name() == row.name);
            let begin = format!("| `{}` | {}|", row.name, if exists { "" } else { "planned " });
            (!page.lines().any(|line| line.starts_with(&begin))).then_some(begin)
        })
        .collect();
    assert!(wrong.is_empty(), "docs/ARCHITECTURE.md needs lines that begin with these: {wrong:#?}");
}
