//! ... and while a reference to it is kept, the outer `Cx` is of no use. (Used alone after its region it is
//! harmless: its spawns are refused. See `swap.rs`.)
use asupersync::prelude::*;

async fn escape(cx: &mut Cx) {
    let kept = cx.region(|scope| async move { scope }).await;
    cx.spawn(async |_| {});
    kept.spawn(async |_| {});
}
