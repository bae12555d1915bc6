//! Options of `main` say what they take.
use asupersync::prelude::*;

#[asupersync::main(workers = 2, grace = "250ms", after_grace = "kill")]
async fn main(cx: &mut Cx) -> Res {
    cx.checkpoint()?;
    Ok(())
}
