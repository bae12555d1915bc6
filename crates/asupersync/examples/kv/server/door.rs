//! The door after closing time: while the server drains nobody is let in, but whoever asks is told.
//!
//! That is when one wants to see the region tree (`kv --tree`): who holds the end up? So the address is listened
//! on until the drain is over. KV.TREE is answered, every other request with `REFUSAL`, and the connection is
//! closed. Visitors hold nothing up: the door is a daemon of the server's region and ends with it.
//!
//! A visitor gets no place, no session and no access to the store; it has `PATIENCE` and `ROOM` for one
//! request, and at most `VISITORS` are heard at once.

use super::super::resp::{Decoder, encode};
use super::Serving;
use super::accept::BACK_OFF;
use super::operator::tree;
use super::pipeline::{Own, own};
use super::shared::Shared;
use asupersync::net::{Half, NetError, OrCancelled, TcpListener, TcpStream};
use asupersync::prelude::*;
use asupersync::sync::oneshot::Receiver;
use asupersync::sync::semaphore::Semaphore;
use std::sync::Arc;

/// How long a visitor may take to ask and to read its answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes of a visitor's request that are looked at.
const ROOM: usize = 512;
/// Visitors that are heard at once; the others are told without having been asked.
const VISITORS: usize = 64;

/// What everybody else is told.
const REFUSAL: &[u8] = b"-ERR server is shutting down\r\n";

/// Starts the task, a daemon. It begins when it is sent the listener of the server that lets nobody in any more.
pub(super) fn start(cx: &Cx<Serving>, shared: &Arc<Shared>, closed: Receiver<TcpListener>) {
    let shared = shared.clone();
    cx.spawn_daemon(async move |cx: &mut Cx<Serving>| attend(cx, shared, closed).await);
}

async fn attend(cx: &mut Cx<Serving>, shared: Arc<Shared>, mut closed: Receiver<TcpListener>) {
    cx.name_task("door");
    let Ok(listener) = closed.recv(cx).await else { return };
    let chairs = Arc::new(Semaphore::new(VISITORS));
    loop {
        match listener.accept(cx).await {
            Ok((stream, _)) => match chairs.try_acquire_owned(cx, 1) {
                Ok(chair) => {
                    let shared = shared.clone();
                    cx.spawn(async move |cx: &mut Cx<Serving>| {
                        cx.name_task("a visitor");
                        // Whoever does not read its answer in time goes without.
                        let _ = cx.timeout(PATIENCE, async |cx| hear(cx, &shared, &stream).await).await;
                        chair.release();
                    });
                }
                // Its send buffer is empty, so this waits for nobody.
                Err(_) => drop(stream.write_all(cx, REFUSAL).await),
            },
            Err(OrCancelled::Cancelled(_)) => return,
            // As in the accept loop, but the log is told nothing: who drains has other troubles.
            Err(OrCancelled::Failed(_)) => {
                if cx.sleep(BACK_OFF).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads one request and answers it.
async fn hear(cx: &mut Cx<Serving>, shared: &Shared, stream: &TcpStream) -> Res<(), NetError> {
    let mut room = [0; ROOM];
    let wants_tree = asks_for_tree(cx, shared, stream, &mut room).await?;
    if wants_tree {
        let mut reply = Vec::new();
        encode::bulk(&mut reply, tree(shared, cx.now()).as_bytes());
        stream.write_all(cx, &reply).await?;
    } else {
        stream.write_all(cx, REFUSAL).await?;
    }
    stream.shutdown(Half::Write)?;
    // Closing over bytes that were not read would reset the connection, and the answer might be lost with it.
    while stream.read(cx, &mut room).await? > 0 {}
    Ok(())
}

async fn asks_for_tree(
    cx: &Cx<Serving>,
    shared: &Shared,
    stream: &TcpStream,
    room: &mut [u8],
) -> Result<bool, OrCancelled<NetError>> {
    let mut decoder = Decoder::new(&shared.config.limits);
    let (mut start, mut end) = (0, 0);
    while end < room.len() {
        match stream.read(cx, &mut room[end..]).await? {
            0 => return Ok(false),
            n => end += n,
        }
        let Ok(decoded) = decoder.decode(&room[start..end]) else { return Ok(false) };
        if let Some(args) = decoded.command {
            return Ok(own(args, false) == Some(Own::Tree));
        }
        start += decoded.consumed;
    }
    Ok(false)
}
