//! One test for each rule of `docs/spec`, named after it: the rule's id with underscores, then what is tried.
//! Each runs under many schedules, its trace is replayed against the model, and all oracles look at it.
//!
//! Not here: rules that other crates test (`docs/spec` says which), whole programs (`programs.rs`), known mistakes
//! (`seeded.rs`).
#![cfg(not(asupersync_seeded))]

#[path = "programs/boom.rs"]
mod boom;
#[path = "rules/cancellation.rs"]
mod cancellation;
#[path = "rules/cleanup.rs"]
mod cleanup;
#[path = "rules/masks.rs"]
mod masks;
#[path = "rules/obligations.rs"]
mod obligations;
#[path = "rules/regions.rs"]
mod regions;
#[path = "rules/results.rs"]
mod results;
#[path = "rules/vocabulary.rs"]
mod vocabulary;

/// Every rule that `docs/spec` sends here has a test with its name.
#[test]
fn every_rule_that_the_spec_sends_here_is_tested() {
    let sources = [
        include_str!("rules/cancellation.rs"),
        include_str!("rules/cleanup.rs"),
        include_str!("rules/masks.rs"),
        include_str!("rules/obligations.rs"),
        include_str!("rules/regions.rs"),
        include_str!("rules/results.rs"),
        include_str!("rules/vocabulary.rs"),
    ]
    .concat();
    let chapters = [
        include_str!("../../../docs/spec/01-vocabulary.md"),
        include_str!("../../../docs/spec/02-regions.md"),
        include_str!("../../../docs/spec/03-cancellation.md"),
        include_str!("../../../docs/spec/04-obligations.md"),
        include_str!("../../../docs/spec/05-capabilities.md"),
        include_str!("../../../docs/spec/06-scheduling.md"),
        include_str!("../../../docs/spec/07-determinism.md"),
        include_str!("../../../docs/spec/08-events.md"),
    ]
    .concat();
    let mut found = 0;
    for section in chapters.split("\n### `").skip(1) {
        let Some((rule, text)) = section.split_once('`') else { continue };
        if !text.contains("crates/lab/tests/rules.rs") {
            continue;
        }
        found += 1;
        let name = format!("fn {}_", rule.replace(['.', '-'], "_"));
        assert!(sources.contains(&name), "no test is named after {rule}");
    }
    assert!(found > 30, "the spec's form has changed: {found} rules found");
}
