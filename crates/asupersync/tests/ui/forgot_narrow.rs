//! The one weak spot: the compiler shows the two rows, but does not say `cx.narrow()`.
use asupersync::prelude::*;
use asupersync::TimeOnly;

async fn plugin(_cx: &mut Cx<TimeOnly>) {}

async fn program(cx: &mut Cx) {
    plugin(cx).await
}
