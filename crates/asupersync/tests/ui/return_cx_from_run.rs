//! Nor can the root's leave its runtime.
use asupersync::prelude::*;

fn program() {
    let _kept = asupersync::run(async |cx: &mut Cx| cx);
}
