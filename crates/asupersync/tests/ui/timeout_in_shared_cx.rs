//! What opens a scope of its own (`region`, `timeout`, `race`) wants the `Cx` for itself.
use asupersync::prelude::*;

async fn fetch(cx: &Cx) -> Res<u8> {
    cx.timeout(Duration::from_secs(1), async |cx| {
        cx.sleep(Duration::from_millis(5)).await?;
        Ok(7)
    })
    .await
}
