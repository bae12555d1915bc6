//! A generic function has the authorities that its bounds name.
use asupersync::prelude::*;

async fn leaf(cx: &mut Cx<impl MayTime>) {
    cx.spawn(async |_| {});
}
