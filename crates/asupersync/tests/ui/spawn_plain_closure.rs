//! A closure that makes a future is no async closure: its future cannot borrow the `Cx` that the closure was lent.
use asupersync::prelude::*;

fn program(cx: &mut Cx) {
    cx.spawn(|cx| async move {
        cx.sleep(Duration::from_secs(1)).await?;
        Res::<()>::Ok(())
    });
}
