//! `cargo xtask tidy`: the rules, printed for people. The test `xtask/tests/tidy.rs` runs the same.

use crate::rules::{self, ratchet};
use crate::workspace;
use std::fs;
use std::path::Path;

/// Checks every rule, or with `--tighten` writes the shorter ratchet list first.
///
/// # Errors
/// The number of broken rules, after each has been printed; or what couldn't be read.
pub fn tidy(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut workspace = workspace::load(root)?;
    match arguments {
        [] => {}
        [flag] if flag == "--tighten" => {
            workspace.ratchet = ratchet::tightened(&workspace);
            fs::write(root.join(ratchet::FILE), &workspace.ratchet)
                .map_err(|e| format!("failed to write {}: {e}", ratchet::FILE))?;
        }
        _ => return Err("tidy takes no argument but --tighten".into()),
    }
    let findings = rules::check(&workspace);
    for finding in &findings {
        println!("{finding}");
    }
    let files: usize = workspace.crates.iter().map(|krate| krate.files.len()).sum();
    let looked_at =
        format!("{} rules over {} crates and {files} files", rules::RULES.len(), workspace.crates.len());
    match findings.len() {
        0 => println!("tidy: {looked_at}: clean"),
        n => return Err(format!("tidy: {looked_at}: {n} findings")),
    }
    Ok(())
}
