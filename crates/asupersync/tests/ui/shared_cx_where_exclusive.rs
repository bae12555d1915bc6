//! A function that opens scopes takes `&mut Cx`; who has only `&Cx` cannot call it.
use asupersync::prelude::*;

async fn fetch(cx: &mut Cx) -> Res<u8> {
    cx.timeout(Duration::from_secs(1), async |cx| {
        cx.sleep(Duration::from_millis(5)).await?;
        Ok(7)
    })
    .await
}

async fn program(cx: &Cx) -> Res<u8> {
    fetch(cx).await
}
