//! The error stands at the type.
use asupersync::prelude::*;

#[asupersync::main]
async fn main(cx: &mut Cx) -> u8 {
    7
}
