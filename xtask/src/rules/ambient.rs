//! Rule 4, the part clippy can't see: who switched it off.
//!
//! clippy.toml bans the machine's clock, threads, environment and random seeds everywhere. Five crates may allow them,
//! and tests may. An `allow` anywhere else would be a hole in the lab's world.

use crate::finding::Finding;
use crate::layers::AMBIENT_ALLOWED;
use crate::workspace::Workspace;

/// Only the listed crates, and tests, allow clippy's disallowed methods and types.
pub fn switched_off_only_where_allowed(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in workspace.crates.iter().filter(|k| !AMBIENT_ALLOWED.contains(&k.name())) {
        for file in krate.shipped_files() {
            for lint in ["clippy::disallowed_methods", "clippy::disallowed_types"] {
                for (at, _) in file.bare.match_indices(lint) {
                    let message = format!(
                        "`{lint}` is allowed here, but crate `{}` may not touch the machine's clock, threads or environment: \
                         take the effect through a port of `cx`",
                        krate.name()
                    );
                    findings.push(Finding::new(&file.path, file.line(at), "ambient.allowed-where", message));
                }
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
    fn an_allow_in_the_wrong_crate_is_found() {
        let text = "//! x\n#![allow(clippy::disallowed_methods)]\n";
        assert_eq!(switched_off_only_where_allowed(&lib("sync", text)).len(), 1);
        assert_eq!(switched_off_only_where_allowed(&lib("runtime", text)), []);
    }

    #[test]
    fn tests_may_allow_it() {
        let allow = "#![allow(clippy::disallowed_methods)]";
        let files = [
            ("src/lib.rs", "#[cfg(test)] #[allow(clippy::disallowed_methods)] mod t {}"),
            ("tests/a.rs", allow),
        ];
        assert_eq!(switched_off_only_where_allowed(&workspace([krate("sync", &files)])), []);
    }
}
