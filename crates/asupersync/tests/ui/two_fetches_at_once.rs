//! Two operations of one task that run at the same time: `join` gives each a `Cx`.
use asupersync::prelude::*;

async fn fetch(cx: &mut Cx) -> Res<u8> {
    cx.sleep(Duration::from_millis(5)).await?;
    Ok(7)
}

async fn program(cx: &mut Cx) -> Res<(u8, u8)> {
    let (a, b) = (fetch(cx), fetch(cx));
    Ok((a.await?, b.await?))
}
