//! A `Cx` cannot be taken out of its place.
use asupersync::prelude::*;

fn take(cx: &mut Cx) -> Cx {
    *cx
}
