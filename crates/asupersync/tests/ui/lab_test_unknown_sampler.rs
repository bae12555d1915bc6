//! Which samplers there are.
use asupersync::prelude::*;

#[asupersync::lab_test(explore = "dfs")]
async fn holds(cx: &mut Cx) {}
