//! The workspace as values: its crates, their manifests, dependencies and files.
//!
//! Rules read these values only, so that a test plants a violation by writing a string. `load` fills them from the disk
//! and from `cargo metadata --no-deps`, which needs no network and no lock on the build.
//!
//! Not here: what is allowed (`layers`, `rules`).

use crate::layers::short_name;
use crate::module_tree;
use crate::source::SourceFile;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// All that the rules look at.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The members, in cargo's order.
    pub crates: Vec<Krate>,
    /// The text of Cargo.lock; empty when there is none yet.
    pub lock: String,
    /// The text of xtask/ratchet.txt.
    pub ratchet: String,
    /// The chapters of docs/spec that hold rules.
    pub chapters: Vec<Chapter>,
    /// The Rust files in folders named `ui`: cases that must not compile.
    pub cases: BTreeSet<String>,
}

/// One file of the specification.
#[derive(Clone, Debug, Default)]
pub struct Chapter {
    /// Its path, relative to the root.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One member of the workspace.
#[derive(Clone, Debug, Default)]
pub struct Krate {
    /// The package's name.
    pub package: String,
    /// Its folder, relative to the root.
    pub dir: String,
    /// The text of its Cargo.toml.
    pub manifest: String,
    /// What its manifest asks for.
    pub dependencies: Vec<Dependency>,
    /// Its targets.
    pub targets: Vec<Target>,
    /// Its Rust files that cargo compiles, or that lie beside those (snapshot folders named `ui` are left out).
    pub files: Vec<SourceFile>,
}

/// One line of a manifest's dependency tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The package asked for, whatever it's renamed to.
    pub package: String,
    /// Which table it stands in.
    pub kind: DependencyKind,
    /// The `cfg` or target it's limited to.
    pub target: Option<String>,
}

/// The table a dependency stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyKind {
    /// `[dependencies]`
    Normal,
    /// `[build-dependencies]`
    Build,
    /// `[dev-dependencies]`
    Dev,
}

/// A library, program, test, example or bench of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Cargo's word for what it is: `lib`, `test`, `example`, ...
    pub kind: String,
    /// Its root file, relative to the root of the workspace.
    pub root: String,
}

impl Krate {
    /// The short name: `cx` for the package `asupersync-cx`.
    pub fn name(&self) -> &str {
        short_name(&self.package)
    }

    /// The root file of its library, if it has one.
    pub fn library(&self) -> Option<&SourceFile> {
        let root = self.targets.iter().find(|t| matches!(t.kind.as_str(), "lib" | "proc-macro" | "rlib"))?;
        self.files.iter().find(|file| file.path == root.root)
    }

    /// The names of its targets of one kind.
    pub fn targets_of_kind(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.targets.iter().filter(move |t| t.kind == kind).map(|t| t.name.as_str())
    }

    /// The files of its library and programs without those that are compiled only for tests, loom or with `std`.
    pub fn shipped_files(&self) -> Vec<&SourceFile> {
        let hosted: BTreeSet<String> =
            module_tree::walk(self).into_iter().filter(|n| n.hosted).map(|n| n.path).collect();
        self.files.iter().filter(|f| !f.is_beside_the_library() && !hosted.contains(&f.path)).collect()
    }
}

/// The root of this workspace.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the root of the workspace").to_owned()
}

/// Reads the workspace at `root`.
///
/// # Errors
/// A sentence that says which file or command failed and how.
pub fn load(root: &Path) -> Result<Workspace, String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(&cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("failed to run {cargo}: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "failed to read the manifests: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("failed to parse cargo's metadata: {e}"))?;
    let packages = metadata["packages"].as_array().ok_or("failed to find packages in cargo's metadata")?;
    let crates = packages.iter().map(|package| load_crate(root, package)).collect::<Result<_, _>>()?;
    Ok(Workspace {
        crates,
        lock: fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default(),
        ratchet: read(&root.join(crate::rules::ratchet::FILE))?,
        chapters: chapters(root)?,
        cases: cases(root, packages)?,
    })
}

/// The chapters of the specification: what in docs/spec begins with a number.
fn chapters(root: &Path) -> Result<Vec<Chapter>, String> {
    let mut chapters = Vec::new();
    for path in entries(&root.join("docs/spec"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".md") {
            chapters.push(Chapter { path: relative(root, &path), text: read(&path)? });
        }
    }
    Ok(chapters)
}

fn cases(root: &Path, packages: &[Value]) -> Result<BTreeSet<String>, String> {
    let mut cases = BTreeSet::new();
    for package in packages {
        let folder = Path::new(text(&package["manifest_path"])).with_file_name("tests").join("ui");
        if folder.is_dir() {
            let files = entries(&folder)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
            cases.extend(files.map(|path| relative(root, &path)));
        }
    }
    Ok(cases)
}

/// What lies in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |e: std::io::Error| format!("failed to list {}: {e}", folder.display());
    let paths: Result<Vec<_>, _> =
        fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn load_crate(root: &Path, package: &Value) -> Result<Krate, String> {
    let manifest_path = PathBuf::from(text(&package["manifest_path"]));
    let dir = manifest_path.parent().ok_or("failed to find the folder of a manifest")?;
    let mut paths = Vec::new();
    for part in ["src", "tests", "examples", "benches", "build.rs"] {
        rust_files(&dir.join(part), &mut paths)?;
    }
    paths.sort();
    let files = paths
        .iter()
        .map(|path| Ok(SourceFile::new(relative(root, path), read(path)?)))
        .collect::<Result<_, String>>()?;
    Ok(Krate {
        package: text(&package["name"]).to_owned(),
        dir: relative(root, dir),
        manifest: read(&manifest_path)?,
        dependencies: list(&package["dependencies"]).iter().map(dependency).collect(),
        targets: list(&package["targets"]).iter().map(|target| load_target(root, target)).collect(),
        files,
    })
}

fn load_target(root: &Path, target: &Value) -> Target {
    Target {
        name: text(&target["name"]).to_owned(),
        kind: text(&target["kind"][0]).to_owned(),
        root: relative(root, Path::new(text(&target["src_path"]))),
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        package: text(&value["name"]).to_owned(),
        kind: match value["kind"].as_str() {
            Some("dev") => DependencyKind::Dev,
            Some("build") => DependencyKind::Build,
            _ => DependencyKind::Normal,
        },
        target: value["target"].as_str().map(str::to_owned),
    }
}

/// Collects the Rust files at or under `path`. Compile-fail snapshots (`ui/`) are data, not source of this project.
fn rust_files(path: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    if path.is_dir() {
        if path.file_name().is_some_and(|name| name == "ui") {
            return Ok(());
        }
        for entry in fs::read_dir(path).map_err(|e| format!("failed to list {}: {e}", path.display()))? {
            rust_files(&entry.map_err(|e| format!("failed to list {}: {e}", path.display()))?.path(), out)?;
        }
    } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
        out.push(path.to_owned());
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("failed to read {}: {e}", path.display()))
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
