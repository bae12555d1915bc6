//! The migration page says what became of every item: `docs/migration.md` beside `docs/migration-items.txt`.
//!
//! `migration.complete`: in each section the left column and the list hold the same names, and what the middle column offers
//! is in the section's code, which the doctests compile and run: a method as a call with as many arguments, a path with what it
//! is a part of, and neither in a comment or a text. Not here: whether that code does what its row says.
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../docs/migration.md");
const ITEMS: &str = include_str!("../../../docs/migration-items.txt");

/// What a section of the page says.
#[derive(Default)]
struct Section {
    /// In the left column.
    theirs: Vec<String>,
    /// The middle column.
    ours: Vec<String>,
    /// Its code, without comments and texts.
    code: String,
    /// Fences that don't begin code which is compiled and run.
    idle: Vec<String>,
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A row's example of ours, such as `tx.send(cx, value)`, `stream::iter`, `select!`.
struct Example<'e> {
    name: &'e str,
    /// What stands before the name: `.`, a path's part and `::`, or nothing.
    before: &'e str,
    is_macro: bool,
    /// How many, if it is a call.
    arguments: Option<usize>,
}

impl Example<'_> {
    fn new(text: &str) -> Example<'_> {
        let end = text.find(['(', '<', ' ', '!']).unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        let at = path.rfind(['.', ':']).map_or(0, |at| at + 1);
        let (whole, name) = path.split_at(at);
        let before = if whole.ends_with('.') {
            "."
        } else {
            // `mpsc::` of `sync::mpsc::Sender`.
            let owner = whole.trim_end_matches(':');
            &whole[owner.rfind(':').map_or(0, |at| at + 1)..]
        };
        let arguments = rest.find('(').and_then(|at| arguments(&rest[at + 1..]));
        Example { name, before, is_macro: rest.starts_with('!'), arguments }
    }

    /// Whether it stands at this place of the code.
    fn is_at(&self, code: &str, at: usize) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (ahead, behind) = (&code[..at], &code[at + self.name.len()..]);
        if ahead.ends_with(is_word) || behind.starts_with(is_word) {
            return false;
        }
        let behind = match behind.strip_prefix("::<").and_then(|it| it.find(">(")) {
            Some(end) => &behind["::<".len() + end + 1..],
            None => behind,
        };
        let in_group = || {
            let open = ahead.rfind(['{', '}', ';']).filter(|open| ahead[*open..].starts_with('{'));
            open.is_some_and(|open| ahead[..open].ends_with(self.before))
        };
        let owned = ahead.ends_with(self.before) || (self.arguments.is_none() && in_group());
        let called = |wanted| behind.strip_prefix('(').and_then(arguments) == Some(wanted);
        owned && (!self.is_macro || behind.starts_with('!')) && self.arguments.is_none_or(called)
    }

    fn is_in(&self, code: &str) -> bool {
        code.match_indices(self.name).any(|(at, _)| self.is_at(code, at))
    }
}

/// How many arguments stand before the parenthesis that closes; `None` if none does.
fn arguments(text: &str) -> Option<usize> {
    let (mut depth, mut commas, mut some, mut in_head) = (0, 0, false, false);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return Some(commas + usize::from(some)),
            ')' | ']' | '}' => depth -= 1,
            // Of a closure's head.
            '|' if depth == 0 => in_head = !in_head,
            ',' if depth == 0 && !in_head => {
                commas += usize::from(some);
                some = false;
                continue;
            }
            _ => {}
        }
        some |= !c.is_whitespace();
    }
    None
}

/// A line of code without its comment, and with nothing in its texts.
fn bare(line: &str) -> String {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let code = line.split("//").next().unwrap_or(line);
    code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

fn sections(page: &str) -> BTreeMap<String, Section> {
    let mut sections = BTreeMap::<String, Section>::new();
    let (mut name, mut is_code) = (String::new(), false);
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            if is_code && line != "```rust" {
                sections.entry(name.clone()).or_default().idle.push(line.to_owned())
            }
        } else if is_code {
            let section = sections.entry(name.clone()).or_default();
            section.code.push_str(&bare(line));
            section.code.push('\n');
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
        faults.extend(section.idle.iter().map(|fence| format!("{name}: {fence} is not compiled and run")));
        let missing = section.ours.iter().filter(|ours| !Example::new(ours).is_in(&section.code));
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
    let page = "## `sea`\n| there | here | |\n|---|---|---|\n| `fish`, `whale` | `cx.swim(far)` | |\n```rust\ncx.swim(near);\n```\n";
    assert_eq!(faults(page, "# names\n[sea]\nfish\nwhale\n"), [""; 0]);
    assert_eq!(faults(page, "[sea]\nfish\nwhale\ncrab\n"), ["sea: no row for crab"]);
    assert_eq!(faults(page, "[sea]\nfish\n"), ["sea: whale is not in the list"]);
    let missing = ["sea: cx.swim(far) is in no code of the section"];
    for silent in [
        "sink(far);",
        "swim(near);",
        "cx.swim();",
        "cx.swim(a, b);",
        "// cx.swim(far)",
        "say(\"cx.swim(far)\");",
    ] {
        assert_eq!(
            faults(&page.replace("cx.swim(near);", silent), "[sea]\nfish\nwhale\n"),
            missing,
            "{silent}"
        );
    }
    let idle = page.replace("```rust", "```rust,ignore");
    assert_eq!(faults(&idle, "[sea]\nfish\nwhale\n"), ["sea: ```rust,ignore is not compiled and run"]);
}

#[test]
fn a_path_stands_with_what_it_is_a_part_of_and_a_call_with_its_arguments() {
    for (example, code, found) in [
        ("mpsc::Sender", "let tx: sync::mpsc::Sender<u8>;", true),
        ("mpsc::Sender", "use sync::mpsc::{Receiver, Sender};", true),
        ("mpsc::Sender", "use sync::watch::{Receiver, Sender};", false),
        ("mpsc::Sender", "use sync::{mpsc::{self}, watch::Sender};", false),
        ("stream::iter", "stream::iterate(it)", false),
        ("select!", "select(a, b)", false),
        ("select!", "select! { }", true),
        ("set.join_next(cx)", "set.join_next(&cx)", true),
        ("rx.stream(cx)", "rx.stream::<Vec<(u8, u8)>, _>(cx).next(cx)", true),
        ("cx.timeout(span, body)", "cx.timeout(ms(1), async |cx| [a, b])", true),
        ("items.fold(first, f)", "items.fold(0, |a, b| a + b)", true),
        ("items.fold(first, f)", "items.fold(cx, 0, |a, b| a + b)", false),
    ] {
        assert_eq!(Example::new(example).is_in(code), found, "{example} in {code}");
    }
}
