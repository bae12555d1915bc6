//! Rule 5: what a file is called, how it begins, that it's compiled at all, and that a crate's root only lists.

use crate::finding::Finding;
use crate::module_tree;
use crate::source::{gate, words};
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// Names that say where code was put instead of what it is.
const VAGUE: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// Every file begins with `//!`.
pub fn header(workspace: &Workspace) -> Vec<Finding> {
    let files = workspace.crates.iter().flat_map(|krate| &krate.files);
    files
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| {
            let message =
                "begin the file with `//!`: what lives here, why, its invariants by name, what is not here";
            Finding::new(&file.path, 1, "files.header", message)
        })
        .collect()
}

/// Every file is reached by a `mod` line from one of its crate's targets.
pub fn reachable(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let reached: BTreeSet<String> = module_tree::walk(krate).into_iter().map(|node| node.path).collect();
        for file in krate.files.iter().filter(|file| !reached.contains(&file.path)) {
            let message = "nothing compiles this file: name it in a `mod` line, or delete it";
            findings.push(Finding::new(&file.path, 0, "files.reachable", message));
        }
    }
    findings
}

/// No `mod.rs`, and no module whose name could hold anything.
pub fn names(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in workspace.crates.iter().flat_map(|krate| &krate.files) {
        if file.file_name() == "mod.rs" {
            let message = "use `foo.rs` beside `foo/` instead of `foo/mod.rs`";
            findings.push(Finding::new(&file.path, 0, "files.names", message));
        }
        let mut all = words(&file.code).peekable();
        while let Some((at, word)) = all.next() {
            let module =
                all.peek().map(|&(_, next)| next).filter(|next| word == "mod" && VAGUE.contains(next));
            if let Some(module) = module {
                let message = format!("`{module}` can hold anything: name the module after what it does");
                findings.push(Finding::new(&file.path, file.line(at), "files.names", message));
            }
        }
    }
    findings
}

/// A library's root, the facade's above all, lists modules and re-exports; functions and impls live in modules.
pub fn no_logic_in_lib(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in workspace.crates.iter().filter_map(|krate| krate.library()) {
        let macros = gate::macro_items(&file.bare);
        let found = words(&file.bare)
            .filter(|(_, word)| matches!(*word, "fn" | "impl"))
            .find(|(at, _)| !macros.iter().any(|range| range.contains(at)));
        if let Some((at, word)) = found {
            let message = format!(
                "`{word}` in a library's root: lib.rs only lists modules and re-exports; move it to a module"
            );
            findings.push(Finding::new(&file.path, file.line(at), "files.no-logic-in-lib", message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::{krate, lib, workspace};

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(header(&lib("cx", "// x\n")).len(), 1);
        assert_eq!(header(&lib("cx", "//! x\n")), []);
    }

    #[test]
    fn a_file_nothing_names_is_found() {
        let files = [("src/lib.rs", "mod a;"), ("src/a.rs", ""), ("src/lost.rs", "")];
        let found = reachable(&workspace([krate("cx", &files)]));
        assert_eq!((found.len(), found[0].path.as_str()), (1, "crates/cx/src/lost.rs"));
    }

    #[test]
    fn mod_rs_and_vague_modules_are_found() {
        assert_eq!(names(&workspace([krate("cx", &[("src/a/mod.rs", "")])])).len(), 1);
        assert_eq!(names(&lib("cx", "//! x\nmod util;\nmod utility_curve;\n"))[0].line, 2);
    }

    #[test]
    fn logic_in_a_library_root_is_found() {
        assert_eq!(no_logic_in_lib(&lib("cx", "//! x\npub mod a;\npub fn f() {}\n"))[0].line, 3);
        assert_eq!(
            no_logic_in_lib(&lib("cx", "//! x\npub mod a;\npub use a::B;\nextern crate alloc;\n")),
            []
        );
    }

    #[test]
    fn macros_may_stand_in_a_library_root() {
        let text = "macro_rules! m { () => { fn f() {} }; }\n#[proc_macro_attribute]\npub fn main(a: A) -> B { c(a) }\n";
        assert_eq!(no_logic_in_lib(&lib("macros", text)), []);
        assert_eq!(no_logic_in_lib(&lib("macros", &format!("{text}fn c() {{}}"))).len(), 1);
    }
}
