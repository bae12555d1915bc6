//! `cargo xtask no-std`: the crates that promise to run without `std` are built that way.
//!
//! Each crate is built alone, so that a feature another one switches on can't hide a missing one, and for two bare-metal
//! targets, which proves that nothing below it brings `std` in: one with addresses of 64 bits and one of 32. Both have 64-bit
//! atomics, which the kernel's words are made of; most 32-bit microcontrollers don't (Cortex-M, RISC-V 32), and there
//! `obligation` and `task`, and so all above them, say so instead of compiling (docs/ARCHITECTURE.md, "On bare metal").
//! A target that isn't installed is added; one that can't be is skipped in a line of its own.
//!
//! A crate that is written without `std` on top of one that needs it is checked for this machine instead, and so are all
//! where no target is to be had. The source is searched for paths through `std` in any case: weaker, because a dependency
//! could still bring it in.

use crate::layers::{Std, row_of};
use crate::rules::pure;
use crate::shell::{cargo, output, program, run, skipped, target_dir};
use crate::workspace::{self, DependencyKind, Krate, Workspace};
use std::path::Path;

/// Bare-metal targets with 64-bit atomics.
const BARE_METAL: [&str; 2] = ["x86_64-unknown-none", "armv7a-none-eabi"];

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
    let crates: Vec<_> = workspace.crates.iter().filter(|krate| pure::is_no_std(krate)).collect();
    if crates.is_empty() {
        return Err("no-std: found none of the crates that should build without std".into());
    }
    let targets: Vec<_> = BARE_METAL.into_iter().filter(|target| is_there(root, target)).collect();
    match targets.is_empty() {
        true => println!("no-std: source clean; checking {} crates for this machine", crates.len()),
        false => {
            println!("no-std: source clean; building {} crates for {}", crates.len(), targets.join(" and "))
        }
    }
    for krate in crates {
        let held_up = needs_std_below(&workspace, krate);
        if let Some(below) = held_up {
            println!(
                "no-std {}: it stands on `{below}`, which needs std so far; checked for this machine",
                krate.name()
            );
        }
        if held_up.is_some() || targets.is_empty() {
            build(root, krate, "check", None)?;
            continue;
        }
        for target in &targets {
            build(root, krate, "build", Some(target))?;
        }
    }
    Ok(())
}

/// Whether the target is installed, or can be.
fn is_there(root: &Path, target: &str) -> bool {
    let installed = output(program("rustup", root).args(["target", "list", "--installed"]));
    if installed.is_ok_and(|list| list.lines().any(|line| line == target)) {
        return true;
    }
    match output(program("rustup", root).args(["target", "add", target])) {
        Ok(_) => true,
        Err(why) => {
            skipped(&format!("no-std for {target}"), why.lines().next().unwrap_or_default());
            false
        }
    }
}

fn build(root: &Path, krate: &Krate, how: &str, target: Option<&str>) -> Result<(), String> {
    let mut command = cargo(root);
    command.args([how, "--lib", "--no-default-features", "-p", &krate.package]);
    command.env("CARGO_TARGET_DIR", target_dir(root, "no-std"));
    command.args(target.iter().flat_map(|target| ["--target", target]));
    run(&format!("no-std {}", krate.name()), &mut command)
}

/// A crate of the workspace that this one is built on and that needs `std`, whatever this one's own source says.
fn needs_std_below<'w>(workspace: &'w Workspace, krate: &Krate) -> Option<&'w str> {
    let shipped = |d: &&workspace::Dependency| {
        d.kind == DependencyKind::Normal && d.target.as_deref() != Some("cfg(loom)")
    };
    let normal = krate.dependencies.iter().filter(shipped);
    normal.filter_map(|d| workspace.crates.iter().find(|other| other.package == d.package)).find_map(
        |below| match row_of(below.name()) {
            Some(row) if row.std == Std::Yes => Some(below.name()),
            _ => needs_std_below(workspace, below),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::{naming, workspace};

    #[test]
    fn a_crate_on_top_of_one_that_needs_std_is_found_through_others() {
        let mut tested = naming("time", &["asupersync-cx", "asupersync-sync"]);
        tested.dependencies[1].kind = DependencyKind::Dev;
        let mut ordinary = naming("combinator", &["asupersync-cx", "asupersync-sync"]);
        ordinary.dependencies[1].target = Some("cfg(not(loom))".into());
        let all = workspace([
            naming("types", &[]),
            naming("cx", &["asupersync-types"]),
            naming("sync", &["asupersync-cx"]),
            ordinary,
            naming("actor", &["asupersync-combinator"]),
            tested,
        ]);
        let below = |name| {
            let krate = all.crates.iter().find(|krate| krate.name() == name);
            needs_std_below(&all, krate.expect("it was planted"))
        };
        assert_eq!(
            ["cx", "combinator", "actor", "time"].map(below),
            [None, Some("sync"), Some("sync"), None]
        );
    }
}
