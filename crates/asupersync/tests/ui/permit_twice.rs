//! A permit is for one value.
use asupersync::prelude::*;
use asupersync::sync::mpsc::Sender;

async fn program(cx: &mut Cx, tx: &Sender<u8>) -> Res {
    let permit = tx.reserve(cx).await?;
    permit.send(1);
    permit.send(2);
    Ok(())
}
