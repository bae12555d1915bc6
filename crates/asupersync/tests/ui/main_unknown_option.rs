//! An option that there is not is named beside those that there are.
use asupersync::prelude::*;

#[asupersync::main(deadline = "5s")]
async fn main(cx: &mut Cx) -> Res {
    cx.checkpoint()?;
    Ok(())
}
