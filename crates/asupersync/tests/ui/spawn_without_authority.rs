//! Spawning takes an authority that this row does not grant.
use asupersync::prelude::*;
use asupersync::TimeOnly;

async fn leaf(cx: &mut Cx<TimeOnly>) {
    cx.spawn(async |_| {});
}
