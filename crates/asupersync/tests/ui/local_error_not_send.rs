//! The value of a local task may stay on its thread; its error moves to whoever awaits the region.
use asupersync::prelude::*;
use asupersync::Local;
use std::rc::Rc;

async fn task(_cx: &mut Cx) -> Res<Rc<u8>, Rc<u8>> {
    Ok(Rc::new(1))
}

fn program(local: &Local, cx: &mut Cx) {
    local.spawn(cx, task);
}
