//! A future has no `Cx` of its own, so it cannot be told to stop.
use asupersync::prelude::*;

fn program(cx: &mut Cx) {
    cx.spawn(async {});
}
