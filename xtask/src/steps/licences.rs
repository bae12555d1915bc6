//! `cargo xtask licences`: every package of the tree may be used, and comes from where it should.
//!
//! The same lists that `cargo deny check licenses sources` reads, without that tool and without a network: the licence
//! expressions are in `cargo metadata`, the allow list in deny.toml. Advisories need a database and are not looked at
//! here; banned packages are `rules::lockfile`'s.
//!
//! A licence expression is SPDX's (<https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>): `OR`, `AND`,
//! `WITH` and parentheses, `AND` before `OR`; and the older form with a slash for `OR`.

use crate::shell::{cargo, output};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every package that `cargo metadata` lists, tests' and other targets' included.
///
/// # Errors
/// The packages whose licence isn't allowed or isn't stated, or that come from elsewhere.
pub fn licences(root: &Path, _: &[String]) -> Result<(), String> {
    let deny = fs::read_to_string(root.join("deny.toml")).map_err(|e| format!("licences: deny.toml: {e}"))?;
    let allowed = allow_list(&deny).ok_or("licences: deny.toml has no list [licenses] allow")?;
    let mut command = cargo(root);
    command.args(["metadata", "--format-version", "1", "--offline", "--locked"]);
    let metadata: Value = serde_json::from_str(&output(&mut command)?)
        .map_err(|e| format!("licences: cargo's metadata: {e}"))?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let (used, wrong) = judge(packages, &allowed);
    for (licence, count) in used {
        println!("{count:4} {licence}");
    }
    wrong.iter().for_each(|line| println!("{line}"));
    match (packages.len(), wrong.len()) {
        (0, _) => Err("licences: cargo lists no package".into()),
        (n, 0) => {
            println!("licences: {n} packages, all allowed by deny.toml");
            Ok(())
        }
        (_, n) => Err(format!("licences: {n} packages may not be used")),
    }
}

/// How often each licence expression occurs, and a line for each package that may not be used.
fn judge<'a>(packages: &'a [Value], allowed: &[&str]) -> (BTreeMap<&'a str, usize>, Vec<String>) {
    let (mut used, mut wrong) = (BTreeMap::new(), Vec::new());
    for package in packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let package_line = |why: String| format!("{} {}: {why}", text("name"), text("version"));
        let licence = package["license"].as_str().unwrap_or("none stated");
        *used.entry(licence).or_default() += 1;
        if !may_be_used(licence, allowed) {
            wrong.push(package_line(format!("licence `{licence}` isn't allowed by deny.toml")));
        }
        // Members of the workspace have no source.
        if let Some(source) = package["source"].as_str()
            && source != CRATES_IO
        {
            wrong.push(package_line(format!("comes from {source}, not from crates.io")));
        }
    }
    (used, wrong)
}

/// The list `allow` of the section `[licenses]`, which stands on one or several lines.
fn allow_list(deny: &str) -> Option<Vec<&str>> {
    let (_, section) = deny.split_once("\n[licenses]\n")?;
    let section = section.split("\n[").next()?;
    let (_, list) = section.split_once("\nallow = [").or_else(|| section.split_once("allow = ["))?;
    let (list, _) = list.split_once(']')?;
    Some(list.split('"').skip(1).step_by(2).collect())
}

/// Whether an expression can be met with licences of the list. What can't be read can't be met.
fn may_be_used(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any_of(&mut rest, allowed) == Some(true) && rest.is_empty()
}

/// `a OR b OR ..`: `None` if it can't be read.
fn any_of(rest: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    let mut met = all_of(rest, allowed)?;
    while take(rest, "OR") {
        met |= all_of(rest, allowed)?;
    }
    Some(met)
}

/// `a AND b AND ..`
fn all_of(rest: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    let mut met = one(rest, allowed)?;
    while take(rest, "AND") {
        met &= one(rest, allowed)?;
    }
    Some(met)
}

/// A licence, perhaps with an exception, or an expression in parentheses.
fn one(rest: &mut &[&str], allowed: &[&str]) -> Option<bool> {
    if take(rest, "(") {
        let met = any_of(rest, allowed)?;
        return take(rest, ")").then_some(met);
    }
    let (&licence, after) = rest.split_first()?;
    *rest = after;
    if ["OR", "AND", "WITH", ")"].contains(&licence) {
        return None;
    }
    if !take(rest, "WITH") {
        return Some(allowed.contains(&licence));
    }
    let (&exception, after) = rest.split_first()?;
    *rest = after;
    Some(allowed.contains(&format!("{licence} WITH {exception}").as_str()))
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    let found = rest.first() == Some(&word);
    if found {
        *rest = &rest[1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALLOWED: &[&str] = &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];

    #[test]
    fn one_allowed_licence_of_several_is_enough() {
        for expression in
            ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "Apache-2.0 WITH LLVM-exception OR Unlicense", "(MIT)"]
        {
            assert!(may_be_used(expression, ALLOWED), "{expression}");
        }
    }

    #[test]
    fn all_of_several_that_hold_together_must_be_allowed() {
        assert!(may_be_used("(MIT OR Apache-2.0) AND Unicode-3.0", ALLOWED));
        assert!(!may_be_used("(MIT OR Apache-2.0) AND GPL-3.0", ALLOWED));
        // `AND` binds closer.
        assert!(may_be_used("GPL-3.0 AND Unicode-3.0 OR MIT", ALLOWED));
        assert!(!may_be_used("GPL-3.0 AND (Unicode-3.0 OR MIT)", ALLOWED));
    }

    #[test]
    fn an_exception_is_allowed_only_by_its_name() {
        assert!(!may_be_used("MIT WITH some-exception", ALLOWED));
        assert!(!may_be_used("GPL-2.0 WITH LLVM-exception", ALLOWED));
    }

    #[test]
    fn what_cannot_be_read_is_not_allowed() {
        for expression in ["", "MIT MIT", "OR MIT", "(MIT", "MIT)", "MIT OR", "none stated", "MIT WITH"] {
            assert!(!may_be_used(expression, ALLOWED), "{expression}");
        }
    }

    #[test]
    fn a_package_without_a_licence_or_from_elsewhere_is_found() {
        let package = |name: &str, licence: Value, source: Value| json!({"name": name, "version": "1.0.0", "license": licence, "source": source});
        let packages = [
            package("good", json!("MIT"), json!(CRATES_IO)),
            package("ours", json!("MIT"), Value::Null),
            package("silent", Value::Null, json!(CRATES_IO)),
            package("strange", json!("MIT"), json!("git+https://example.org/strange")),
        ];
        let (used, wrong) = judge(&packages, ALLOWED);
        assert_eq!(used.get("MIT"), Some(&3));
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(
            wrong[0].starts_with("silent 1.0.0") && wrong[1].contains("git+https://example.org"),
            "{wrong:?}"
        );
    }

    #[test]
    fn the_allow_list_is_read_on_one_line_and_on_several() {
        let one =
            "[graph]\n\n[licenses]\nversion = 2\nallow = [\"MIT\", \"ISC\"]\n\n[bans]\nallow = [\"x\"]\n";
        assert_eq!(allow_list(one), Some(vec!["MIT", "ISC"]));
        let several = "\n[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n]\n";
        assert_eq!(allow_list(several), Some(vec!["MIT", "ISC"]));
        assert_eq!(allow_list("[bans]\nallow = []\n"), None);
    }
}
