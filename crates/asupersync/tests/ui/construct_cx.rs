//! A `Cx` comes from a runtime, or from another `Cx`.
use asupersync::prelude::*;

fn program() {
    let _cx: Cx = asupersync::Cx(std::marker::PhantomData);
}
