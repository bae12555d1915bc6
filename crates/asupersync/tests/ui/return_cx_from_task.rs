//! Nor a task's its task.
use asupersync::prelude::*;

fn program(cx: &mut Cx) {
    cx.spawn(async |cx: &mut Cx| cx);
}
