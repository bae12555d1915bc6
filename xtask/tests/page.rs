//! The page of primitives has a row for every one of them, with figures.
//!
//! Not here: whether the figures are right, which takes running the programs (`cargo xtask test --primitives`).

use std::fs;
use xtask::steps::primitives::{self, PAGE, known::Known, table};
use xtask::workspace;

#[test]
fn the_page_has_a_row_for_every_primitive() {
    let root = workspace::root();
    let workspace = workspace::load(&root).expect("the workspace can be read");
    let known = Known::read(&workspace, &primitives::crates(&workspace));
    assert!(known.primitives.len() > 20 && known.mistakes.len() > 40, "the source was read");
    let page = fs::read_to_string(root.join(PAGE)).expect("the page can be read");
    let rows = table::read(&page);
    let missing: Vec<&String> =
        known.primitives.iter().filter(|name| rows.get(*name).is_none_or(|row| row.explored == 0)).collect();
    assert!(missing.is_empty(), "{PAGE} needs rows: cargo xtask test --primitives --write\n{missing:#?}");
}
