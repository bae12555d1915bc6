//! It would run twice.
use asupersync::prelude::*;

#[asupersync::test]
#[test]
async fn holds(cx: &mut Cx) {}
