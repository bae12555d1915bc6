//! Programs with known numbers, run by the real thing. `lab`: small concurrent programs, explored on the real kernel.
//!
//! The output is the table alone, so that other programs can read it.

use crate::shell::{cargo, output};
use std::env;
use std::path::{Path, PathBuf};

/// Programs that every change is held against.
const OWN: &str = "crates/explore/tests/data/lab-programs.tsv";

/// `conformance lab [--programs FILE] [...]`: see `crates/lab/examples/conformance/main.rs` for the arguments.
///
/// # Errors
/// When a program's numbers differ, or the arguments make no sense.
pub fn conformance(root: &Path, arguments: &[String]) -> Result<(), String> {
    let Some((area, arguments)) = arguments.split_first() else {
        return Err("conformance: of what? There is: lab".into());
    };
    match area.as_str() {
        "lab" => lab(root, arguments),
        other => Err(format!("conformance: there is no `{other}`; there is: lab")),
    }
}

fn lab(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut arguments = arguments.to_vec();
    match arguments.iter().position(|argument| argument == "--programs") {
        // Relative to where the caller stands, not to the workspace.
        Some(at) => {
            let file = arguments.get_mut(at + 1).ok_or("conformance: --programs wants a file")?;
            let here = env::current_dir().map_err(|e| format!("conformance: where are we? {e}"))?;
            *file = here.join(&*file).display().to_string();
        }
        None => arguments.extend(["--programs".into(), root.join(OWN).display().to_string()]),
    }
    let mut build = cargo(root);
    build.args(["build", "--release", "-p", "asupersync-lab", "--example", "conformance"]);
    // Linking as for a release costs minutes and changes nothing that is looked at here.
    build.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    build.args(["--quiet", "--message-format", "json-render-diagnostics"]);
    let program = built(&output(&mut build)?)?;
    let status = crate::shell::program(&program.display().to_string(), root)
        .args(&arguments)
        .status()
        .map_err(|e| format!("conformance lab: failed to start: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("conformance lab: not as expected ({status})")) }
}

/// Where cargo put the example.
fn built(messages: &str) -> Result<PathBuf, String> {
    let of_program = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let name = message["target"]["name"].as_str()?;
        (name == "conformance").then(|| message["executable"].as_str().map(PathBuf::from))?
    };
    messages.lines().find_map(of_program).ok_or_else(|| "conformance: cargo built no such example".into())
}
