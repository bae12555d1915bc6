//! Inside a region the outer `cx` is borrowed: nobody spawns into the wrong one by accident.
use asupersync::prelude::*;

async fn program(cx: &mut Cx) {
    cx.region(|scope| async {
        scope.spawn(async |_| {});
        cx.spawn(async |_| {});
    })
    .await;
}
