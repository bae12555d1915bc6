//! Narrowing cannot widen.
use asupersync::prelude::*;
use asupersync::TimeOnly;

async fn needs_all(_cx: &mut Cx) {}

async fn small(cx: &mut Cx<TimeOnly>) {
    needs_all(cx.narrow()).await
}
