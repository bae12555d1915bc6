//! A limit on the runs of an exploration, and no exploration.
use asupersync::prelude::*;

#[asupersync::lab_test(seeds = 0..10, limit = 100)]
async fn holds(cx: &mut Cx) {}
