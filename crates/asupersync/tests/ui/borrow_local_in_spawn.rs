//! A task may outlive the function that spawned it: it borrows nothing from there. (`join` and `race` may.)
use asupersync::prelude::*;

async fn program(cx: &mut Cx) {
    let data = vec![1];
    cx.spawn(async |_| {
        let _ = data.len();
    });
}
