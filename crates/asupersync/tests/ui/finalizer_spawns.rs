//! A finalizer runs when its region admits nobody any more.
use asupersync::prelude::*;

fn program(cx: &mut Cx) -> Res {
    cx.finally(async |cx| {
        cx.spawn(async |_| {});
        Ok(())
    })?;
    Ok(())
}
