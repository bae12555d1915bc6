//! Manifests: what a crate inherits from the workspace, and what it's called.
//!
//! One version, one edition, one licence and one set of lints; a crate that sets its own would drift unnoticed.

use crate::finding::Finding;
use crate::workspace::Workspace;

/// Fields every member takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// Every member inherits its package fields and lints, and its folder bears its short name.
pub fn inherits(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in &workspace.crates {
        let path = format!("{}/Cargo.toml", krate.dir);
        let mut report =
            |message: String| findings.push(Finding::new(&path, 0, "manifest.inherits", message));
        for field in INHERITED {
            if !is_inherited(&krate.manifest, "[package]", field) {
                report(format!(
                    "take `{field}` from the workspace: `{field}.workspace = true` under [package]"
                ));
            }
        }
        if !section(&krate.manifest, "[lints]").any(|line| squeezed(line) == "workspace=true") {
            report("take the workspace's lints: `[lints]` with `workspace = true`".into());
        }
        for line in
            ["[dependencies]", "[build-dependencies]"].iter().flat_map(|s| section(&krate.manifest, s))
        {
            if line.contains("path") && line.contains('=') && squeezed(line).contains("path=") {
                report(format!(
                    "name other members by their alias, `{{ workspace = true }}`, not by path: {}",
                    line.trim()
                ));
            }
        }
        if krate.dir.starts_with("crates/") && krate.dir != format!("crates/{}", krate.name()) {
            report(format!("package `{}` belongs in crates/{}", krate.package, krate.name()));
        }
    }
    findings
}

fn is_inherited(manifest: &str, header: &str, field: &str) -> bool {
    let (dotted, inline) = (format!("{field}.workspace=true"), format!("{field}={{workspace=true}}"));
    section(manifest, header).map(squeezed).any(|line| line == dotted || line == inline)
}

fn section<'a>(manifest: &'a str, header: &str) -> impl Iterator<Item = &'a str> {
    let lines = manifest.lines().skip_while(move |line| line.trim() != header);
    lines.skip(1).take_while(|line| !line.trim_start().starts_with('['))
}

fn squeezed(line: &str) -> String {
    let code = line.split('#').next().unwrap_or_default();
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted::{MANIFEST, krate, workspace};

    fn found(manifest: &str) -> Vec<Finding> {
        let mut krate = krate("cx", &[]);
        krate.manifest = manifest.into();
        inherits(&workspace([krate]))
    }

    #[test]
    fn a_manifest_that_inherits_everything_passes() {
        assert_eq!(found(MANIFEST), []);
        assert_eq!(
            found(&MANIFEST.replace("edition.workspace = true", "edition = { workspace = true }")),
            []
        );
    }

    #[test]
    fn a_field_of_its_own_is_found() {
        let found = found(&MANIFEST.replace("edition.workspace = true", "edition = \"2021\""));
        assert!(found.len() == 1 && found[0].message.contains("`edition`"), "{found:?}");
    }

    #[test]
    fn missing_lints_are_found() {
        assert_eq!(found(&MANIFEST.replace("[lints]\nworkspace = true", "")).len(), 1);
    }

    #[test]
    fn a_path_dependency_is_found() {
        assert_eq!(found(&format!("{MANIFEST}[dependencies]\ntypes = {{ path = \"../types\" }}\n")).len(), 1);
    }

    #[test]
    fn a_folder_under_another_name_is_found() {
        let mut krate = krate("cx", &[]);
        krate.dir = "crates/context".into();
        assert_eq!(inherits(&workspace([krate])).len(), 1);
    }
}
