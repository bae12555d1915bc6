//! The rules that hold the layers, one function each.
//!
//! A rule takes the workspace as a value and returns what breaks it. Beside each rule stands a test that plants a
//! violation and one that shows the nearest thing that is allowed. Rule 4 (no ambient authority) is clippy's, by
//! clippy.toml; here only who may switch that off is checked. Rule 7 (features add, never change) is for reviewers.
//!
//! Not here: formatting and lints (cargo fmt, clippy), licences and advisories (deny.toml).

pub mod ambient;
pub mod dependencies;
pub mod files;
pub mod lockfile;
pub mod manifests;
pub mod pure;
pub mod ratchet;
pub mod spec;
pub mod unsafety;

use crate::finding::Finding;
use crate::workspace::Workspace;

/// A rule: its name and the function that looks for what breaks it.
pub type Rule = (&'static str, fn(&Workspace) -> Vec<Finding>);

/// Every rule, in the order of docs/ARCHITECTURE.md.
pub const RULES: &[Rule] = &[
    ("layers.rows", dependencies::rows),
    ("layers.engine", dependencies::engine_is_out_of_reach),
    ("layers.forbidden-packages", lockfile::forbidden_packages),
    ("unsafe.raw-files", unsafety::only_in_raw_files),
    ("unsafe.forbidden-elsewhere", unsafety::forbidden_elsewhere),
    ("pure.no-std-header", pure::no_std_header),
    ("pure.no-std-paths", pure::no_std_paths),
    ("pure.no-effects", pure::no_effects),
    ("ambient.allowed-where", ambient::switched_off_only_where_allowed),
    ("files.header", files::header),
    ("files.reachable", files::reachable),
    ("files.names", files::names),
    ("files.no-logic-in-lib", files::no_logic_in_lib),
    ("size.ratchet", ratchet::sizes),
    ("manifest.inherits", manifests::inherits),
    ("spec.tests", spec::tests),
];

/// Runs every rule and returns what they found, sorted by place.
pub fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|(_, rule)| rule(workspace)).collect();
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
pub(crate) mod planted {
    //! Workspaces made of strings, for planting violations.

    use crate::source::SourceFile;
    use crate::workspace::{Dependency, DependencyKind, Krate, Target, Workspace};

    /// A manifest that breaks no rule.
    pub(crate) const MANIFEST: &str = "[package]\nname = \"x\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n";

    /// A crate with these files, given relative to its folder.
    pub(crate) fn krate(name: &str, files: &[(&str, &str)]) -> Krate {
        let dir = format!("crates/{name}");
        let mut targets =
            vec![Target { name: name.into(), kind: "lib".into(), root: format!("{dir}/src/lib.rs") }];
        for (path, _) in files.iter().filter(|(path, _)| path.starts_with("tests/")) {
            targets.push(Target { name: (*path).into(), kind: "test".into(), root: format!("{dir}/{path}") });
        }
        Krate {
            package: format!("asupersync-{name}"),
            manifest: MANIFEST.into(),
            dependencies: Vec::new(),
            targets,
            files: files.iter().map(|(path, text)| SourceFile::new(format!("{dir}/{path}"), *text)).collect(),
            dir,
        }
    }

    /// A crate without files that names these packages.
    pub(crate) fn naming(name: &str, packages: &[&str]) -> Krate {
        let dependency = |package: &&str| Dependency {
            package: (*package).into(),
            kind: DependencyKind::Normal,
            target: None,
        };
        Krate { dependencies: packages.iter().map(dependency).collect(), ..krate(name, &[]) }
    }

    /// A workspace of these crates.
    pub(crate) fn workspace(crates: impl IntoIterator<Item = Krate>) -> Workspace {
        Workspace { crates: crates.into_iter().collect(), ..Workspace::default() }
    }

    /// A workspace of one crate with one library file.
    pub(crate) fn lib(name: &str, text: &str) -> Workspace {
        workspace([krate(name, &[("src/lib.rs", text)])])
    }
}
