//! How many, or which one? A range says both.
use asupersync::prelude::*;

#[asupersync::lab_test(seeds = 100)]
async fn holds(cx: &mut Cx) {}
