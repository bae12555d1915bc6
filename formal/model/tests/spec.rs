//! The spec and the model name the same things: each rule the model refuses by has a heading in
//! `docs/spec/`, each heading says where it's modelled and tested, and what it names is there.

use std::{collections::BTreeSet, fs, path::Path};

use asupersync_model::RULES;

/// The chapters, as one text.
fn chapters() -> String {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec");
    let mut files: Vec<_> =
        fs::read_dir(&spec).expect("the spec is there").flatten().map(|file| file.path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name != "README.md"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("a chapter can be read")).collect()
}

/// The rules, each with its text.
fn rules(text: &str) -> Vec<(&str, &str)> {
    let sections = text.split("\n### `").skip(1);
    sections.map(|section| section.split_once('`').expect("a heading ends with a backtick")).collect()
}

#[test]
fn every_rule_that_refuses_has_exactly_one_heading() {
    let text = chapters();
    let headings: Vec<&str> = rules(&text).iter().map(|(id, _)| *id).collect();
    let distinct: BTreeSet<&str> = headings.iter().copied().collect();
    assert_eq!(distinct.len(), headings.len(), "a rule has two headings");
    let missing: Vec<_> = RULES.iter().filter(|rule| !distinct.contains(*rule)).collect();
    assert!(missing.is_empty(), "no heading for {missing:?}");
}

#[test]
fn every_heading_says_where_it_is_modelled_and_tested() {
    let text = chapters();
    for (id, body) in rules(&text) {
        assert!(body.contains("\n- Model: ") && body.contains("\n- Tests:"), "{id} lacks its two lines");
    }
}

#[test]
fn every_function_the_spec_names_exists() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = chapters();
    let mut named = 0;
    for (id, body) in rules(&text) {
        let (_, model) = body.split_once("\n- Model: ").expect("checked above");
        let (model, _) = model.split_once("\n- Tests:").expect("checked above");
        for path in model.split('`').skip(1).step_by(2) {
            let Some((file, function)) = path.split_once("::") else { continue };
            let code = fs::read_to_string(source.join(file).with_extension("rs")).unwrap_or_default();
            let found =
                code.contains(&format!("fn {function}(")) || code.contains(&format!("fn {function}<"));
            assert!(found, "{id} names `{path}`, which doesn't exist");
            named += 1;
        }
    }
    assert!(named > RULES.len(), "only {named} functions were looked up");
}

#[test]
fn every_rule_the_model_lists_is_used_and_every_used_one_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code: String = fs::read_dir(source)
        .expect("the source is there")
        .flatten()
        .filter(|file| file.file_name() != "lib.rs")
        .map(|file| fs::read_to_string(file.path()).expect("source can be read"))
        .collect();
    for rule in RULES {
        assert!(code.contains(&format!("\"{rule}\"")), "{rule} is listed and refuses nothing");
    }
}
