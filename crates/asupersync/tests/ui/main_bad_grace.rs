//! Options of `main` say what they take.
use asupersync::prelude::*;

#[asupersync::main(grace = 5)]
async fn main(cx: &mut Cx) -> Res {
    cx.checkpoint()?;
    Ok(())
}
