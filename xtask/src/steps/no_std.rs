//! `cargo xtask no-std`: the crates that promise to run without `std` are built that way.
//!
//! Each crate is built alone, so that a feature another one switches on can't hide a missing one. Where a bare-metal
//! target is installed it's used, which proves it. Elsewhere the crates are checked for this machine without default features and
//! the source is searched for paths through `std`: weaker, because a dependency could still bring `std` in.

use crate::rules::pure;
use crate::shell::{cargo, output, program, run, target_dir};
use crate::workspace;
use std::path::Path;

/// Bare-metal targets with 64-bit atomics, the preferred one first.
const BARE_METAL: &[&str] = &["x86_64-unknown-none", "aarch64-unknown-none", "riscv64gc-unknown-none-elf"];

/// Builds every no_std crate alone, after the check of its source.
///
/// # Errors
/// The crate that doesn't build, or the places where its source names `std`.
pub fn no_std(root: &Path, _: &[String]) -> Result<(), String> {
    let workspace = workspace::load(root)?;
    let mut findings = pure::no_std_header(&workspace);
    findings.extend(pure::no_std_paths(&workspace));
    findings.iter().for_each(|finding| println!("{finding}"));
    if !findings.is_empty() {
        return Err(format!("no-std: {} findings in the source", findings.len()));
    }
    let installed =
        output(program("rustup", root).args(["target", "list", "--installed"])).unwrap_or_default();
    let target = BARE_METAL.iter().find(|target| installed.lines().any(|line| line == **target));
    match target {
        Some(target) => println!("no-std: source clean; building for {target}"),
        None => println!(
            "no-std: source clean; no bare-metal target installed (rustup target add {}), so checking for this machine",
            BARE_METAL[0]
        ),
    }
    let crates: Vec<_> = workspace.crates.iter().filter(|krate| pure::is_no_std(krate)).collect();
    if crates.is_empty() {
        return Err("no-std: found none of the crates that should build without std".into());
    }
    for krate in crates {
        let mut command = cargo(root);
        command.args([if target.is_some() { "build" } else { "check" }, "--lib", "--no-default-features"]);
        command.args(["-p", &krate.package]).env("CARGO_TARGET_DIR", target_dir(root, "no-std"));
        command.args(target.iter().flat_map(|target| ["--target", target]));
        run(&format!("no-std {}", krate.name()), &mut command)?;
    }
    Ok(())
}
