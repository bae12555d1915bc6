//! Neither can a child's own row.
use asupersync::prelude::*;
use asupersync::NoIo;

async fn needs_all(_cx: &mut Cx) {}

async fn small(cx: &mut Cx<NoIo>) {
    cx.spawn_as(needs_all);
}
