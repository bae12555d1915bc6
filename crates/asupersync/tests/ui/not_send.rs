//! Tasks move between threads; the message names the value and the await.
use asupersync::prelude::*;
use std::rc::Rc;

async fn task(cx: &mut Cx) -> Res {
    let shared = Rc::new(1);
    cx.sleep(Duration::ZERO).await?;
    drop(shared);
    Ok(())
}

fn program(cx: &mut Cx) {
    cx.spawn(task);
}
