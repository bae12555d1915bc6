//! `main` needs an async fn.
use asupersync::prelude::*;

#[asupersync::main]
fn main(cx: &mut Cx) {}
