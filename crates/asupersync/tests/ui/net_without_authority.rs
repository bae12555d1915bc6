//! What business logic gets has no sockets.
use asupersync::NoIo;
use asupersync::net::TcpListener;
use asupersync::prelude::*;

async fn serve(cx: &mut Cx<NoIo>) {
    let _ = TcpListener::bind(cx, ([127, 0, 0, 1], 0));
}
