//! A task is given its `Cx` as `&mut Cx`.
use asupersync::prelude::*;

async fn fetch(cx: &Cx) -> Res<u8> {
    cx.sleep(Duration::from_millis(5)).await?;
    Ok(7)
}

fn program(cx: &mut Cx) {
    cx.spawn(fetch);
}
