//! Rule 2: `unsafe` stands only in files named `raw.rs`, or under `raw/`, of the crates that may have it.
//!
//! A reviewer of memory safety then has a short list of files to read. That each block carries a `// SAFETY:` is clippy's
//! `undocumented_unsafe_blocks`, denied in CI; that the comment names the invariant and who keeps it is the reviewer's.

use crate::finding::Finding;
use crate::layers::UNSAFE_ALLOWED;
use crate::source::words;
use crate::workspace::Workspace;

/// The word `unsafe` stands in raw files of the listed crates only, their tests included.
pub fn only_in_raw_files(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let may = UNSAFE_ALLOWED.contains(&krate.name());
        for file in &krate.files {
            if may && (file.file_name() == "raw.rs" || file.path.contains("/raw/")) {
                continue;
            }
            for (at, _) in words(&file.code).filter(|(_, word)| *word == "unsafe") {
                let message = if may {
                    "`unsafe` outside a raw file: move it to `raw.rs` (or under `raw/`) behind a safe type"
                        .to_owned()
                } else {
                    format!(
                        "crate `{}` may not use `unsafe`: find a safe way, or move it to a crate that may",
                        krate.name()
                    )
                };
                findings.push(Finding::new(&file.path, file.line(at), "unsafe.raw-files", message));
            }
        }
    }
    findings
}

/// Every crate that may not have `unsafe` says so to the compiler.
pub fn forbidden_elsewhere(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in workspace.crates.iter().filter(|k| !UNSAFE_ALLOWED.contains(&k.name())) {
        let roots = krate.targets.iter().filter(|t| matches!(t.kind.as_str(), "lib" | "proc-macro" | "bin"));
        for file in roots.filter_map(|root| krate.files.iter().find(|file| file.path == root.root)) {
            if !file.code.contains("#![forbid(unsafe_code)]") {
                let message = "add `#![forbid(unsafe_code)]`: this crate isn't on the list of those that may use `unsafe`";
                findings.push(Finding::new(&file.path, 1, "unsafe.forbidden-elsewhere", message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::{krate, lib, workspace};

    #[test]
    fn unsafe_outside_a_raw_file_is_found() {
        let found = only_in_raw_files(&lib("task", "//! t\nmod a;\nfn f() { unsafe { g() } }"));
        assert_eq!((found.len(), found[0].line), (1, 3));
    }

    #[test]
    fn raw_files_of_listed_crates_may() {
        let files =
            [("src/raw.rs", "unsafe fn f() {}"), ("src/cell/raw/word.rs", "unsafe impl Send for X {}")];
        assert_eq!(only_in_raw_files(&workspace([krate("task", &files)])), []);
        assert_eq!(only_in_raw_files(&workspace([krate("net", &files)])).len(), 2);
    }

    #[test]
    fn talking_about_unsafe_is_not_using_it() {
        assert_eq!(only_in_raw_files(&lib("net", "//! unsafe\n#![forbid(unsafe_code)]\n// unsafe\n")), []);
    }

    #[test]
    fn a_crate_that_may_not_must_forbid_it() {
        assert_eq!(forbidden_elsewhere(&lib("net", "//! n\n")).len(), 1);
        assert_eq!(forbidden_elsewhere(&lib("net", "//! n\n#![forbid(unsafe_code)]\n")), []);
        assert_eq!(forbidden_elsewhere(&lib("task", "//! t\n")), []);
    }
}
