//! With the type that the compiler asks for it is no better: the future of an ordinary closure borrows what the closure was
//! lent.
use asupersync::prelude::*;

fn program(cx: &mut Cx) {
    cx.spawn(|cx: &mut Cx| async move {
        cx.sleep(Duration::from_secs(1)).await?;
        Res::<()>::Ok(())
    });
}
