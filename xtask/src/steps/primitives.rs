//! `cargo xtask test --primitives`: a table with a row for each primitive: on how many schedules its programs ran, at how many
//! checkpoints they were cancelled, and how many known mistakes in it the suites notice.
//!
//! Nothing is listed by hand. A primitive is a module at the top of a crate that has a test target named `primitives`, but
//! for those that are only [machinery](known::MACHINERY). Its row comes from `lab::prove`, which each program of such a target calls with
//! the module's path; its mistakes are the `types::seeded!` in the module's files. So a new module without a row fails the
//! step, and so does a mistake that nothing notices.
//!
//! | file | what |
//! |---|---|
//! | `known` | what the source says: primitives, mistakes, and the tests that name them |
//! | `table` | what was found, as a table; and the copy of it in `docs/primitives.md` |
//!
//! Not here: the suites themselves, and how they are built (`suites`).

pub mod known;
pub mod table;

use crate::shell::{cargo, heard};
use crate::workspace::{self, Krate, Workspace};
use known::Known;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use table::Table;

/// The name of the test target that makes a crate's modules primitives.
const TARGET: &str = "primitives";

/// Where the table is copied to.
pub const PAGE: &str = "docs/primitives.md";

/// Explores and sweeps every primitive, has every known mistake in them noticed, and prints the table. `--short` leaves the
/// mistakes to the steps `mutants` and `loom`, and only says how many are known. `--write` puts the table into the page.
///
/// # Errors
/// When a program fails, a primitive has no row, a mistake goes unnoticed, or the page has other figures.
pub fn primitives(root: &Path, arguments: &[String]) -> Result<(), String> {
    let (mut short, mut write) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--short" => short = true,
            "--write" => write = true,
            other => {
                return Err(format!("primitives: `{other}` makes no sense; there are --short and --write"));
            }
        }
    }
    let workspace = workspace::load(root)?;
    let crates = crates(&workspace);
    if crates.is_empty() {
        return Err(format!("primitives: found no test target named {TARGET}"));
    }
    let known = Known::read(&workspace, &crates);
    let mut rows = Vec::new();
    for krate in &crates {
        let mut command = cargo(root);
        command.args(["test", "-p", &krate.package, "--test", TARGET, "--", "--show-output"]);
        rows.extend(table::rows(&heard(&format!("primitives of {}", krate.name()), &mut command)?));
    }
    let noticed = if short { None } else { Some(noticed(root, &workspace, &known)?) };
    let table = Table::new(&known, &rows, noticed.as_ref());
    println!("{table}");
    let mut wrong = table.wrong;
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path).map_err(|e| format!("primitives: {PAGE}: {e}"))?;
    let lines = table::lines(&table.entries);
    let written =
        table::written(&page, &lines).ok_or(format!("primitives: {PAGE} has no place for the table"))?;
    if write {
        fs::write(&path, written).map_err(|e| format!("primitives: {PAGE}: {e}"))?;
    } else if written != page {
        wrong.push(format!("{PAGE} has other figures: cargo xtask test --primitives --write"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("primitives:\n  {}", wrong.join("\n  "))) }
}

/// The crates whose modules are primitives.
pub fn crates(workspace: &Workspace) -> Vec<&Krate> {
    let has_rows = |krate: &&Krate| krate.targets_of_kind("test").any(|name| name == TARGET);
    workspace.crates.iter().filter(has_rows).collect()
}

/// Runs every suite that names a mistake of a primitive; the mistakes whose tests all passed.
fn noticed(root: &Path, workspace: &Workspace, known: &Known) -> Result<BTreeSet<String>, String> {
    let mut passed = BTreeSet::new();
    for krate in workspace.crates.iter().filter(|krate| known.names_mistakes(krate.name())) {
        let only = |target: &str| known.is_named_in(krate.name(), target);
        let suites = [super::suites::seeded_suite(root, krate, only), super::suites::loom_suite(root, krate)];
        for (name, mut command) in suites.into_iter().flatten() {
            for test in table::passed(&heard(&name, &mut command)?) {
                passed.insert((krate.name().to_owned(), test));
            }
        }
    }
    Ok(known.noticed(&passed))
}
