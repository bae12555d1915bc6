//! A region's `Cx` cannot leave it by value ...
use asupersync::prelude::*;

async fn escape(cx: &mut Cx) {
    let _kept: Cx = cx.region(|scope| async move { *scope }).await;
}
