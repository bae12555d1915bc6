//! The migration page says what became of every item: `docs/migration.md` beside `docs/migration-items.txt`.
//!
//! `migration.complete`: in each section the left column and the list hold the same names, and what the middle column offers
//! is in the section's code, which the doctests compile. Not here: whether that code does what its row says.
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../docs/migration.md");
const ITEMS: &str = include_str!("../../../docs/migration-items.txt");

/// What a section of the page says.
#[derive(Default)]
struct Section {
    /// In the left column.
    theirs: Vec<String>,
    /// The middle column.
    ours: Vec<String>,
    /// The words of its code.
    words: BTreeSet<String>,
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The name that an example such as `tx.send(cx, value)` or `stream::iter` is about.
fn subject(example: &str) -> &str {
    let path = example.split(['(', '<', ' ', '!']).next().unwrap_or(example);
    path.rsplit(['.', ':']).next().unwrap_or(path)
}

fn sections(page: &str) -> BTreeMap<String, Section> {
    let mut sections = BTreeMap::<String, Section>::new();
    let (mut name, mut is_code) = (String::new(), false);
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned);
            sections.entry(name.clone()).or_default().words.extend(words);
        } else if let Some(title) = line.strip_prefix("## ") {
            name = title.replace('`', "");
        } else if line.starts_with('|') && line.contains('`') {
            let cells: Vec<_> = line.split('|').collect();
            let section = sections.entry(name.clone()).or_default();
            section.theirs.extend(quoted(cells[1]).map(str::to_owned));
            section.ours.extend(quoted(cells[2]).map(str::to_owned));
        }
    }
    sections
}

fn listed(items: &str) -> BTreeMap<String, Vec<String>> {
    let mut listed = BTreeMap::<String, Vec<String>>::new();
    let mut name = String::new();
    for line in items.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(title) => name = title.to_owned(),
            None => listed.entry(name.clone()).or_default().push(line.to_owned()),
        }
    }
    listed
}

/// What is wrong with a page, as lines that name the section and the item.
fn faults(page: &str, items: &str) -> Vec<String> {
    let (sections, listed) = (sections(page), listed(items));
    let mut faults = Vec::new();
    for (name, items) in &listed {
        let rows = sections.get(name).map_or(&[][..], |section| &section.theirs);
        faults.extend(
            items.iter().filter(|item| !rows.contains(item)).map(|item| format!("{name}: no row for {item}")),
        );
    }
    for (name, section) in &sections {
        let known = listed.get(name).map_or(&[][..], Vec::as_slice);
        let unknown = section.theirs.iter().filter(|item| !known.contains(item));
        faults.extend(unknown.map(|item| format!("{name}: {item} is not in the list")));
        let missing = section.ours.iter().filter(|ours| !section.words.contains(subject(ours)));
        faults.extend(missing.map(|ours| format!("{name}: {ours} is in no code of the section")));
    }
    faults
}

#[test]
fn every_item_has_a_row_and_every_replacement_is_compiled() {
    let faults = faults(PAGE, ITEMS);
    assert!(faults.is_empty(), "docs/migration.md does not hold what it promises:\n{}", faults.join("\n"));
}

#[test]
fn a_dropped_row_an_unknown_name_and_a_replacement_without_code_are_found() {
    let page = "## `sea`\n| there | here | |\n|---|---|---|\n| `fish`, `whale` | `cx.swim(far)` | |\n```rust\nswim();\n```\n";
    assert_eq!(faults(page, "# names\n[sea]\nfish\nwhale\n"), [""; 0]);
    assert_eq!(faults(page, "[sea]\nfish\nwhale\ncrab\n"), ["sea: no row for crab"]);
    assert_eq!(faults(page, "[sea]\nfish\n"), ["sea: whale is not in the list"]);
    let silent = page.replace("swim();", "sink();");
    assert_eq!(faults(&silent, "[sea]\nfish\nwhale\n"), ["sea: cx.swim(far) is in no code of the section"]);
}
