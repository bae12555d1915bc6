//! `cargo xtask deps`: what a user of the facade downloads, and a limit on it.
//!
//! Counted are the third-party packages in the normal dependencies of the facade's default features for this machine.
//! Procedural macros and build scripts' helpers aren't: they don't end up in anybody's program.

use crate::layers::FACADE_DEPENDENCY_LIMIT;
use crate::shell::{cargo, output};
use std::collections::BTreeSet;
use std::path::Path;

/// Prints the list and its length.
///
/// # Errors
/// When the facade is missing or pulls in more than the limit.
pub fn deps(root: &Path, _: &[String]) -> Result<(), String> {
    let mut command = cargo(root);
    command.args([
        "tree",
        "-p",
        "asupersync",
        "-e",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let tree = output(&mut command)?;
    let third_party = third_party(&tree);
    third_party.iter().for_each(|package| println!("{package}"));
    let count = third_party.len();
    println!(
        "deps: {count} third-party crates in the facade's default features; the limit is {FACADE_DEPENDENCY_LIMIT}"
    );
    match count <= FACADE_DEPENDENCY_LIMIT {
        true => Ok(()),
        false => Err(format!(
            "deps: {count} crates, over the limit of {FACADE_DEPENDENCY_LIMIT}: `cargo tree -p asupersync` shows who asks"
        )),
    }
}

/// The packages of cargo's tree that come from a registry: `name version`, each once. Ours are followed by their path.
fn third_party(tree: &str) -> BTreeSet<&str> {
    let lines = tree.lines().map(|line| line.trim_end_matches("(*)").trim());
    lines.filter(|line| !line.is_empty() && !line.contains(" (/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_repeats_are_not_counted() {
        let tree = "asupersync v0.1.0 (/w/crates/asupersync)\nasupersync-cx v0.1.0 (/w/crates/cx) (*)\n\
                    slab v0.4.11\n\nsmallvec v1.15.0\nslab v0.4.11 (*)\n";
        assert_eq!(third_party(tree).into_iter().collect::<Vec<_>>(), ["slab v0.4.11", "smallvec v1.15.0"]);
    }
}
