//! Rule 3: crates that run without `std`, and crates that only compute.
//!
//! `no_std_header` and `no_std_paths` stand in for a build on bare metal where no such target is installed: a crate may say
//! `no_std` and still name `std` through `extern crate std`. `no_effects` keeps async, clocks, locks and sockets out
//! of the pure crates and of every `proto` module, so that they can be tested, and proved, by values alone.

use crate::finding::Finding;
use crate::layers::{PURE, Std, row_of};
use crate::source::words;
use crate::workspace::{Krate, Workspace};

/// Each crate whose row says so declares `no_std`; one with optional `std` declares it unless its feature is on.
pub fn no_std_header(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let Some(file) = krate.library().filter(|_| is_no_std(krate)) else { continue };
        let plain = file.code.contains("#![no_std]");
        let conditional =
            file.text.lines().any(|line| line.starts_with("#![cfg_attr(") && line.contains("no_std)]"));
        if !plain && !conditional {
            let message = format!(
                "crate `{}` runs without std: add `#![no_std]` (and `extern crate alloc;`)",
                krate.name()
            );
            findings.push(Finding::new(&file.path, 1, "pure.no-std-header", message));
        }
    }
    findings
}

/// No path through `std` in what a no_std build compiles.
pub fn no_std_paths(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in workspace.crates.iter().filter(|krate| is_no_std(krate)) {
        for file in krate.shipped_files() {
            for (at, _) in words(&file.bare).filter(|(_, word)| *word == "std") {
                let names_a_path =
                    file.bare[at + 3..].starts_with("::") && !file.bare[..at].ends_with("$crate::");
                let names_the_crate = file.bare[..at].trim_end().ends_with("extern crate");
                if names_a_path || names_the_crate {
                    let message = "`std` in a crate that runs without it: use `core` or `alloc`, a port that std layers \
                                   supply, or gate it with `#[cfg(feature = \"std\")]`";
                    findings.push(Finding::new(&file.path, file.line(at), "pure.no-std-paths", message));
                }
            }
        }
    }
    findings
}

/// No async, clock, lock or socket in pure crates and `proto` modules.
pub fn no_effects(workspace: &Workspace) -> Vec<Finding> {
    const EFFECTS: &[&str] = &[
        "async",
        "await",
        "Mutex",
        "RwLock",
        "Condvar",
        "Instant",
        "SystemTime",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "UnixListener",
    ];
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let pure = PURE.contains(&krate.name());
        for file in krate.shipped_files() {
            if !pure && !file.path.contains("/proto/") && file.file_name() != "proto.rs" {
                continue;
            }
            for (at, word) in words(&file.bare).filter(|(_, word)| EFFECTS.contains(word)) {
                let message = format!(
                    "`{word}` in pure code: decide here, act in a layer above (docs/STYLE.md, machines then hands)"
                );
                findings.push(Finding::new(&file.path, file.line(at), "pure.no-effects", message));
            }
        }
    }
    findings
}

/// Whether the crate has a build without `std`.
pub fn is_no_std(krate: &Krate) -> bool {
    row_of(krate.name()).is_some_and(|row| row.std != Std::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::{krate, lib, workspace};

    #[test]
    fn a_no_std_crate_says_so() {
        assert_eq!(no_std_header(&lib("types", "//! t\n")).len(), 1);
        assert_eq!(no_std_header(&lib("types", "//! t\n#![no_std]\n")), []);
        assert_eq!(no_std_header(&lib("sched", "//! s\n#![cfg_attr(not(feature = \"std\"), no_std)]\n")), []);
        assert_eq!(no_std_header(&lib("net", "//! n\n")), []);
    }

    #[test]
    fn a_std_path_is_found_and_a_gated_one_is_not() {
        let found = no_std_paths(&lib("cx", "//! c\nuse std::vec::Vec;\n"));
        assert_eq!((found.len(), found[0].line), (1, 2));
        assert_eq!(no_std_paths(&lib("cx", "extern crate std;")).len(), 1);
        assert_eq!(no_std_paths(&lib("cx", "//! std::x\n#[cfg(test)]\nmod t { use std::vec; }\n")), []);
        assert_eq!(no_std_paths(&lib("net", "use std::vec::Vec;")), []);
    }

    #[test]
    fn a_file_behind_a_gated_module_may_use_std() {
        let files = [
            ("src/lib.rs", "#[cfg(loom)] mod model;"),
            ("src/model.rs", "use std::x;"),
            ("tests/a.rs", "use std::x;"),
        ];
        assert_eq!(no_std_paths(&workspace([krate("task", &files)])), []);
    }

    #[test]
    fn effects_in_pure_code_are_found() {
        assert_eq!(no_effects(&lib("trace", "async fn f() {}")).len(), 1);
        assert_eq!(no_effects(&lib("net", "async fn f() {}")), []);
        let proto = krate("net", &[("src/lib.rs", "mod proto;"), ("src/proto.rs", "fn f(m: Mutex<u8>) {}")]);
        assert_eq!(no_effects(&workspace([proto])).len(), 1);
    }
}
