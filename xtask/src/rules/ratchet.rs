//! Rule 6: files over 600 lines and functions over 70 stand on a list that only gets shorter.
//!
//! `xtask/ratchet.txt` has a line for each place not yet done, with its size and the reason. Growing past the recorded size
//! fails; so does shrinking without lowering the number, which `cargo xtask tidy --tighten` does. It never adds a line.

use crate::finding::Finding;
use crate::source::{SourceFile, past_closing, words};
use crate::workspace::Workspace;
use std::collections::BTreeMap;

/// Where the list lies, relative to the root.
pub const FILE: &str = "xtask/ratchet.txt";
/// Lines a file may have without an entry. Past this, look for the second noun hiding in it.
pub const FILE_LINES: usize = 600;
/// Lines a function may have without an entry.
pub const FUNCTION_LINES: usize = 70;

const RULE: &str = "size.ratchet";

/// Sizes against their limits and the list.
pub fn sizes(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut sizes = measure(workspace);
    for (i, line) in workspace.ratchet.lines().enumerate().filter(|(_, line)| is_entry(line)) {
        let report = |message: String| Finding::new(FILE, i + 1, RULE, message);
        let Some(entry) = parse(line) else {
            findings.push(report(
                "an entry is `KEY LINES # reason`, as in `fn crates/cx/src/scope.rs poll 84 # a table`"
                    .into(),
            ));
            continue;
        };
        match sizes.remove(entry.key) {
            Some((size, _, _)) if size == entry.lines => {}
            Some((size, path, line)) if size > entry.lines => {
                let message = format!(
                    "{} grew from {} to {size} lines; the list only shrinks: split it",
                    entry.key, entry.lines
                );
                findings.push(Finding::new(&path, line, RULE, message));
            }
            Some((size, _, _)) => findings.push(report(format!(
                "{} shrank to {size} lines: run `cargo xtask tidy --tighten` to keep it there",
                entry.key
            ))),
            None => findings.push(report(format!(
                "{} is within its limit or gone: run `cargo xtask tidy --tighten` to drop the entry",
                entry.key
            ))),
        }
    }
    for (key, (size, path, line)) in sizes {
        let (limit, advice) = match key.starts_with("fn ") {
            true => (FUNCTION_LINES, "split it into steps with names"),
            false => (FILE_LINES, "look for the second noun hiding in it"),
        };
        findings.push(Finding::new(
            &path,
            line,
            RULE,
            format!("{key} has {size} lines, over {limit}: {advice}"),
        ));
    }
    findings
}

/// The list with every entry lowered to what the tree has now; entries no longer needed are gone. Nothing is added.
pub fn tightened(workspace: &Workspace) -> String {
    let sizes = measure(workspace);
    let mut out = String::new();
    for line in workspace.ratchet.lines() {
        let Some(entry) = parse(line).filter(|_| is_entry(line)) else {
            out.extend([line, "\n"]);
            continue;
        };
        if let Some((size, _, _)) = sizes.get(entry.key) {
            out += &format!("{} {} # {}\n", entry.key, entry.lines.min(*size), entry.reason);
        }
    }
    out
}

struct Entry<'a> {
    key: &'a str,
    lines: usize,
    reason: &'a str,
}

fn is_entry(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with('#')
}

fn parse(line: &str) -> Option<Entry<'_>> {
    let (entry, reason) = line.split_once('#')?;
    let (key, lines) = entry.trim().rsplit_once(' ')?;
    let reason = reason.trim();
    (!reason.is_empty()).then_some(Entry { key, lines: lines.parse().ok()?, reason })
}

/// Everything over its limit: size, file and line by key. Functions of one name in one file share a key; the longest counts.
fn measure(workspace: &Workspace) -> BTreeMap<String, (usize, String, usize)> {
    let mut sizes = BTreeMap::new();
    for file in workspace.crates.iter().flat_map(|krate| &krate.files) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            sizes.insert(format!("file {}", file.path), (lines, file.path.clone(), 0));
        }
        for (name, line, lines) in functions(file).filter(|&(_, _, lines)| lines > FUNCTION_LINES) {
            let size =
                sizes.entry(format!("fn {} {name}", file.path)).or_insert((0, file.path.clone(), line));
            if lines > size.0 {
                *size = (lines, file.path.clone(), line);
            }
        }
    }
    sizes
}

/// Name, line and length of every function with a body.
fn functions(file: &SourceFile) -> impl Iterator<Item = (&str, usize, usize)> {
    let mut all = words(&file.code).peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, word) = all.next()?;
            let Some(&(name_at, name)) = all.peek().filter(|_| word == "fn") else { continue };
            // `fn(u8)` is a type: no name follows it directly.
            if file.code[at + 2..name_at].trim().is_empty()
                && let Some(open) = body(&file.code, name_at)
            {
                let first = file.line(at);
                return Some((name, first, file.line(past_closing(&file.code, open) - 1) - first + 1));
            }
        }
    })
}

fn body(code: &str, from: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'{' => return Some(i),
            b';' => return None,
            b'(' | b'[' => i = past_closing(code, i),
            _ => i += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::lib;

    const KEY: &str = "fn crates/cx/src/lib.rs long";

    fn with_function_of(lines: usize, ratchet: &str) -> Workspace {
        let body = "\n".repeat(lines - 2);
        let text = format!(
            "//! x\nfn short(f: fn(u8)) {{}}\nfn long(a: [u8; 4]) {{{body}\n}}\ntrait T {{ fn none(); }}\n"
        );
        Workspace { ratchet: ratchet.into(), ..lib("cx", &text) }
    }

    #[test]
    fn a_function_at_the_limit_passes_and_one_over_it_is_found() {
        assert_eq!(sizes(&with_function_of(70, "")), []);
        let found = sizes(&with_function_of(71, ""));
        assert_eq!((found.len(), found[0].line), (1, 3));
        assert!(found[0].message.contains("has 71 lines, over 70"), "{found:?}");
    }

    #[test]
    fn a_file_over_the_limit_is_found() {
        assert_eq!(sizes(&lib("cx", &"//!\n".repeat(600))), []);
        assert_eq!(sizes(&lib("cx", &"//!\n".repeat(601))).len(), 1);
    }

    #[test]
    fn an_entry_excuses_its_size_and_no_more() {
        assert_eq!(sizes(&with_function_of(80, &format!("# list\n{KEY} 80 # a table\n"))), []);
        assert!(
            sizes(&with_function_of(81, &format!("{KEY} 80 # a table")))[0]
                .message
                .contains("grew from 80 to 81")
        );
    }

    #[test]
    fn an_entry_that_is_too_high_or_has_no_reason_is_found() {
        assert!(
            sizes(&with_function_of(75, &format!("{KEY} 80 # a table")))[0].message.contains("shrank to 75")
        );
        assert!(
            sizes(&with_function_of(60, &format!("{KEY} 80 # a table")))[0]
                .message
                .contains("drop the entry")
        );
        assert!(sizes(&with_function_of(80, &format!("{KEY} 80")))[0].message.contains("an entry is"));
    }

    #[test]
    fn tightening_lowers_and_drops_but_never_raises() {
        let list = format!("# list\n{KEY} 80 # a table\nfile crates/cx/src/lib.rs 700 # was long\n");
        assert_eq!(tightened(&with_function_of(75, &list)), format!("# list\n{KEY} 75 # a table\n"));
        assert_eq!(tightened(&with_function_of(90, &list)), format!("# list\n{KEY} 80 # a table\n"));
    }
}
