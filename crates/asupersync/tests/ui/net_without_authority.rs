//! What business logic gets has no sockets.
use asupersync::net::TcpListener;
use asupersync::prelude::*;
use asupersync::NoIo;

async fn serve(cx: &mut Cx<NoIo>) -> Res {
    TcpListener::bind(cx, ([127, 0, 0, 1], 0).into()).await?;
    Ok(())
}
