//! The bound to add is in the message.
use asupersync::prelude::*;

async fn leaf(cx: &mut Cx<impl MayTime>) {
    cx.trace("hi");
}
