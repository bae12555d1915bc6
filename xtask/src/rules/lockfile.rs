//! Rule 1, second half: packages that may not be anywhere in the tree, not even for tests.
//!
//! Cargo.lock is read rather than the manifests: what comes in through a dependency of a dependency counts too. Peers and
//! interop clients that need these live in workspaces of their own.

use crate::finding::Finding;
use crate::layers::FORBIDDEN_PACKAGES;
use crate::workspace::Workspace;

/// Cargo.lock names no other runtime and nothing that is built on one.
pub fn forbidden_packages(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (i, line) in workspace.lock.lines().enumerate() {
        let name = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"'));
        if let Some(name) = name.filter(|name| FORBIDDEN_PACKAGES.contains(name)) {
            let message = format!(
                "package `{name}` is in the dependency tree; `cargo tree -i {name}` says who brings it. \
                 Drop that dependency or move its user to an excluded workspace"
            );
            findings.push(Finding::new("Cargo.lock", i + 1, "layers.forbidden-packages", message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_lock(lock: &str) -> Workspace {
        Workspace { lock: lock.into(), ..Workspace::default() }
    }

    #[test]
    fn a_forbidden_package_is_found_at_its_line() {
        let found =
            forbidden_packages(&with_lock("[[package]]\nname = \"slab\"\n\n[[package]]\nname = \"tokio\"\n"));
        assert_eq!((found.len(), found[0].line), (1, 5));
    }

    #[test]
    fn a_name_that_only_begins_alike_is_not() {
        assert_eq!(forbidden_packages(&with_lock("name = \"smol_str\"\nname = \"hyperloglog\"\n")), []);
    }
}
