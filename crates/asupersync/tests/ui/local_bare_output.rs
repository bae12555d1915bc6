//! A local task says how it may end, like any other.
use asupersync::prelude::*;
use asupersync::Local;
use std::rc::Rc;

fn program(local: &Local, cx: &mut Cx) {
    local.spawn(cx, async |_: &mut Cx| Rc::new(1));
}
