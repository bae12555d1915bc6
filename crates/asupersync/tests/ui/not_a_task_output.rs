//! A task's result says whether it failed or was cancelled.
use asupersync::prelude::*;

fn program(cx: &mut Cx) {
    cx.spawn(async |_| 42u32);
}
