//! What a task returns goes to whoever joins it, on any thread.
use asupersync::prelude::*;
use std::rc::Rc;

async fn task(_cx: &mut Cx) -> Res<Rc<u8>> {
    Ok(Rc::new(1))
}

fn program(cx: &mut Cx) {
    cx.spawn(task);
}
