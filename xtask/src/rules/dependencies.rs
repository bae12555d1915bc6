//! Rule 1: who may name whom.
//!
//! `rows` checks each crate against its row of the table; `engine_is_out_of_reach` follows the arrows, because a crate
//! that keeps to its row can still reach the engine through one that doesn't. Development dependencies are free: tests
//! of a primitive run in the lab.

use crate::finding::Finding;
use crate::layers::{ENGINE, LOOM, Layer, row_of, short_name};
use crate::workspace::{Dependency, DependencyKind, Krate, Workspace};

/// Each crate's normal and build dependencies stand in its row.
pub fn rows(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let Some(row) = row_of(krate.name()) else {
            let todo =
                "has no row in xtask/src/layers.rs: write an ADR that says why it's a crate and add its row";
            findings.push(at_manifest(krate, "name", format!("crate `{}` {todo}", krate.name())));
            continue;
        };
        for dependency in shipped(krate) {
            let name = short_name(&dependency.package);
            let is_ours = is_member(workspace, &dependency.package);
            let allowed = if is_ours { row.may_name } else { row.third_party };
            // `*` is the facade's: it may name every member, and no third party.
            if allowed.contains(&name) || is_ours && allowed == ["*"] || is_loom(dependency) {
                continue;
            }
            let kind = if is_ours { "crate" } else { "third-party package" };
            let message = format!(
                "`{}` may not name the {kind} `{name}`; its row allows {}. Move the code down a layer, take a port of `cx`, \
                 or change the row in xtask/src/layers.rs with an ADR",
                row.name,
                if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") },
            );
            findings.push(at_manifest(krate, name, message));
        }
    }
    findings
}

/// No primitive, I/O or protocol crate, and nothing below them, reaches the engine through any chain.
pub fn engine_is_out_of_reach(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let Some(row) = row_of(krate.name()) else { continue };
        if matches!(row.layer, Layer::Engine | Layer::Edge) {
            continue;
        }
        if let Some(chain) = chain_to_engine(workspace, krate, &mut vec![krate.name()]) {
            let message = format!(
                "`{}` reaches the engine: {}. Only engine and edge crates may; take what is needed through a port of `cx`",
                row.name,
                chain.join(" -> ")
            );
            findings.push(Finding::new(&manifest_path(krate), 0, "layers.engine", message));
        }
    }
    findings
}

fn chain_to_engine<'a>(
    workspace: &'a Workspace,
    krate: &'a Krate,
    path: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    for dependency in shipped(krate).filter(|d| is_member(workspace, &d.package)) {
        let name = short_name(&dependency.package);
        if path.contains(&name) {
            continue;
        }
        path.push(name);
        if ENGINE.contains(&name) {
            return Some(path.clone());
        }
        let next = workspace.crates.iter().find(|k| k.name() == name)?;
        if let Some(chain) = chain_to_engine(workspace, next, path) {
            return Some(chain);
        }
        path.pop();
    }
    None
}

fn shipped(krate: &Krate) -> impl Iterator<Item = &Dependency> {
    krate.dependencies.iter().filter(|d| d.kind != DependencyKind::Dev)
}

fn is_member(workspace: &Workspace, package: &str) -> bool {
    package.starts_with("asupersync") || workspace.crates.iter().any(|k| k.package == package)
}

fn is_loom(dependency: &Dependency) -> bool {
    dependency.package == LOOM && dependency.target.as_deref() == Some("cfg(loom)")
}

fn manifest_path(krate: &Krate) -> String {
    format!("{}/Cargo.toml", krate.dir)
}

fn at_manifest(krate: &Krate, word: &str, message: String) -> Finding {
    let line =
        krate.manifest.lines().position(|line| line.trim_start().starts_with(word)).map_or(0, |i| i + 1);
    Finding::new(&manifest_path(krate), line, "layers.rows", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::{naming, workspace};

    #[test]
    fn a_crate_keeps_to_its_row() {
        assert_eq!(rows(&workspace([naming("time", &["asupersync-types", "asupersync-cx", "slab"])])), []);
        let found = rows(&workspace([naming("time", &["asupersync-region"])]));
        assert!(found[0].message.contains("may not name the crate `region`"), "{found:?}");
    }

    #[test]
    fn a_third_party_package_outside_the_row_is_found() {
        let found = rows(&workspace([naming("types", &["smallvec"])]));
        assert!(
            found[0].message.contains("third-party package `smallvec`; its row allows none"),
            "{found:?}"
        );
    }

    #[test]
    fn loom_is_allowed_only_under_its_cfg() {
        let mut with_cfg = naming("task", &["loom"]);
        with_cfg.dependencies[0].target = Some("cfg(loom)".into());
        assert_eq!(rows(&workspace([with_cfg])), []);
        assert_eq!(rows(&workspace([naming("task", &["loom"])])).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert!(rows(&workspace([naming("helpers", &[])]))[0].message.contains("has no row"));
    }

    #[test]
    fn development_dependencies_are_free() {
        let mut krate = naming("sync", &["asupersync-lab"]);
        krate.dependencies[0].kind = DependencyKind::Dev;
        let workspace = workspace([krate]);
        assert_eq!(rows(&workspace), []);
        assert_eq!(engine_is_out_of_reach(&workspace), []);
    }

    #[test]
    fn a_way_to_the_engine_through_another_crate_is_found() {
        let crates = [
            naming("net", &["asupersync-time"]),
            naming("time", &["asupersync-reactor"]),
            naming("reactor", &[]),
        ];
        let found = engine_is_out_of_reach(&workspace(crates));
        assert!(found[0].message.contains("net -> time -> reactor"), "{found:?}");
    }
}
