//! Time is an authority too.
use asupersync::prelude::*;
use asupersync::Pure;

async fn leaf(cx: &mut Cx<Pure>) -> Res {
    cx.sleep(Duration::ZERO).await?;
    Ok(())
}
