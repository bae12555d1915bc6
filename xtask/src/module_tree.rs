//! Which files of a crate the compiler reaches, and which of them only on a hosted build.
//!
//! Follows `mod` lines from each target's root, with inline modules, `#[path]` and `include!`. A file that nothing
//! reaches is dead text that still looks like code: the rule `files.reachable` reports it.
//!
//! Not here: macros that write `mod` lines. This project has none.

use crate::source::{SourceFile, is_word_byte, words};
use crate::workspace::Krate;

/// A file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Path relative to the workspace.
    pub path: String,
    /// Whether it's compiled only for tests, loom or with `std`.
    pub hosted: bool,
}

/// Every file the crate's targets reach.
pub fn walk(krate: &Krate) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for target in &krate.targets {
        let hosted = !matches!(target.kind.as_str(), "lib" | "bin" | "proc-macro" | "rlib");
        visit(krate, Node { path: target.root.clone(), hosted }, true, &mut nodes);
    }
    nodes
}

fn visit(krate: &Krate, node: Node, is_root: bool, nodes: &mut Vec<Node>) {
    let Some(file) = krate.files.iter().find(|file| file.path == node.path) else { return };
    match nodes.iter_mut().find(|known| known.path == node.path) {
        // A file that two targets share is hosted only if all its users are: go down again when that changes.
        Some(known) if known.hosted && !node.hosted => known.hosted = false,
        Some(_) => return,
        None => nodes.push(node.clone()),
    }
    for child in children(file, is_root) {
        let path = child.paths.into_iter().find(|path| krate.files.iter().any(|file| file.path == *path));
        if let Some(path) = path {
            visit(krate, Node { path, hosted: node.hosted || child.hosted }, false, nodes);
        }
    }
}

struct Child {
    paths: Vec<String>,
    hosted: bool,
}

fn children(file: &SourceFile, is_root: bool) -> Vec<Child> {
    let (dir, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    let own = if is_root || stem == "mod" { dir.to_owned() } else { format!("{dir}/{stem}") };
    let code = file.code.as_bytes();
    let (mut depth, mut scanned) = (0usize, 0);
    let mut inline: Vec<(&str, usize)> = Vec::new();
    let mut out = Vec::new();
    let mut all = words(&file.code).peekable();
    while let Some((at, word)) = all.next() {
        for b in &code[scanned..at] {
            match b {
                b'{' => depth += 1,
                b'}' => {
                    depth = depth.saturating_sub(1);
                    inline.retain(|&(_, opened)| opened <= depth);
                }
                _ => {}
            }
        }
        scanned = at;
        let hosted = file.bare.as_bytes()[at] == b' ';
        if word == "include" && code.get(at + word.len()) == Some(&b'!') {
            out.extend(
                quoted(&file.text[at..]).map(|path| Child { paths: vec![resolve(dir, path)], hosted }),
            );
        }
        let Some(&(name_at, module)) = all.peek().filter(|_| word == "mod") else { continue };
        match file.code[name_at + module.len()..].trim_start().as_bytes().first() {
            // Depth counts the brace itself once it has been passed.
            Some(b'{') => inline.push((module, depth + 1)),
            Some(b';') => {
                let within: String = inline.iter().map(|(name, _)| format!("/{name}")).collect();
                let paths = match path_attribute(file, at) {
                    Some(path) => vec![resolve(dir, path)],
                    None => {
                        vec![format!("{own}{within}/{module}.rs"), format!("{own}{within}/{module}/mod.rs")]
                    }
                };
                out.push(Child { paths, hosted });
            }
            _ => {}
        }
    }
    out
}

/// The value of a `#[path = ".."]` that stands between the previous item and this `mod`.
fn path_attribute(file: &SourceFile, at: usize) -> Option<&str> {
    let from = file.code[..at].rfind([';', '}', '{']).map_or(0, |end| end + 1);
    let code = &file.code[from..at];
    let (path, _) = words(code).find(|&(at, word)| word == "path" && code[..at].trim_end().ends_with('['))?;
    quoted(&file.text[from + path..])
}

fn quoted(text: &str) -> Option<&str> {
    let after = text.split_once('"')?.1;
    after.split_once('"').map(|(inside, _)| inside)
}

fn resolve(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    debug_assert!(parts.iter().all(|part| part.bytes().any(is_word_byte)));
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::krate;

    fn reached(files: &[(&str, &str)]) -> Vec<(String, bool)> {
        let krate = krate("cx", files);
        let mut nodes: Vec<_> = walk(&krate).into_iter().map(|n| (n.path, n.hosted)).collect();
        nodes.sort();
        nodes
    }

    #[test]
    fn modules_are_followed_through_folders_inline_modules_and_paths() {
        let found = reached(&[
            ("src/lib.rs", "pub mod a; mod b { mod c; } #[path = \"odd/d.rs\"] mod d;"),
            ("src/a.rs", "mod e;"),
            ("src/a/e.rs", ""),
            ("src/b/c.rs", ""),
            ("src/odd/d.rs", ""),
            ("src/lost.rs", ""),
        ]);
        let paths: Vec<_> = found.iter().map(|(path, _)| path.trim_start_matches("crates/cx/src/")).collect();
        assert_eq!(paths, ["a.rs", "a/e.rs", "b/c.rs", "lib.rs", "odd/d.rs"]);
    }

    #[test]
    fn a_gated_module_is_hosted_with_all_below_it() {
        let found = reached(&[
            ("src/lib.rs", "mod a; #[cfg(test)] mod tests;"),
            ("src/a.rs", ""),
            ("src/tests.rs", "mod deep;"),
            ("src/tests/deep.rs", ""),
        ]);
        let hosted: Vec<_> =
            found.iter().filter(|(_, hosted)| *hosted).map(|(path, _)| path.as_str()).collect();
        assert_eq!(hosted, ["crates/cx/src/tests.rs", "crates/cx/src/tests/deep.rs"]);
    }
}
