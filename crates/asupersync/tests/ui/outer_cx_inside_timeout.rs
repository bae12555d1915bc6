//! The body of a timeout has a `Cx` of its own, which has the deadline: the outer one is lent meanwhile.
use asupersync::prelude::*;

async fn program(cx: &mut Cx) -> Res {
    cx.timeout(Duration::from_secs(1), async |_| {
        cx.sleep(Duration::from_secs(5)).await?;
        Ok(())
    })
    .await
}
