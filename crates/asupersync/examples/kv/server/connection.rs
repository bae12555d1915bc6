//! One client, from its first byte to its last.
//!
//! ```text
//!        ┌──────────────── more to execute ───────────────┐
//! read ──▶ execute ──▶ effect ──▶ send ──▶ starved? ──yes──▶ between requests, asked to end? close
//!   ▲                                                  └──no──▶ read
//! ```
//! A request is read only when every reply before it was sent. A client that never reads therefore stops
//! being read: what it can make the server hold is one turn's replies and one buffer of requests.
//!
//! The end of the server arrives as a cancelled operation. Between requests that ends the connection at
//! once. In the middle of one the operation is repeated masked, until the cleanup deadline pierces the mask.

use super::Serving;
use super::operator::tree;
use super::pipeline::{self, Own, Pause, Talk};
use super::shared::{Client, Shared};
use super::subscriber::{self, Outbox};
use asupersync::net::{Half, OrCancelled, TcpStream};
use asupersync::prelude::*;
use asupersync::region::Isolated;
use asupersync::types::TaskId;
use asupersync::sync::semaphore::Permit;
use asupersync::{Never, TaskHandle};
use super::super::resp::encode;
use std::sync::Arc;

/// A client's place among those that may be connected.
pub(super) type Place = Permit<Arc<asupersync::sync::semaphore::Semaphore>>;

/// How a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By the client, or by a reply that closes.
    Closed,
    /// The network, or a client that was gone before it had its replies.
    Lost,
    /// The client read its messages too slowly.
    TooSlow,
    /// Asked to end between two requests.
    Idle,
    /// Asked to end, after the last answer.
    Answered,
    /// Asked to end, and out of time: this was not done.
    Abandoned(&'static str),
    /// Its handler panicked.
    Failed,
}

/// Enters the client, and takes it out again whatever happens.
struct Guest<'a> {
    shared: &'a Shared,
    client: Arc<Client>,
    talk: Talk,
    outbox: Option<Arc<Outbox>>,
    ended: Option<Ended>,
    task: TaskId,
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let Guest { shared, client, talk, ended, task, .. } = self;
        if ended.is_none() {
            shared.drain.failed(*task, client);
        }
        shared.channels.unsubscribe(talk.session.channels(), client.id);
        shared.clients.leave(client.id);
        shared.drain.count(client, ended.unwrap_or(Ended::Failed));
    }
}

/// The task of a connection.
pub(super) async fn run(cx: &mut Cx<Serving>, shared: Arc<Shared>, stream: TcpStream, place: Place) {
    let now = cx.now();
    let address = stream.peer_addr();
    let local = stream.local_addr().map_or_else(|_| "?".into(), |local| local.to_string());
    // Replies are written as a whole; holding them back for more would only delay them.
    let _ = stream.set_nodelay(true);
    let client = shared.clients.enter(address, local, now);
    cx.name_task(format!("connection #{} {address}", client.id));
    let talk = Talk::new(&shared, &client);
    let mut guest = Guest { shared: &shared, client, talk, outbox: None, ended: None, task: cx.task_id() };
    let stream = Arc::new(stream);
    let mut writer = None;
    let mut ended = converse(cx, &mut guest, &stream, &mut writer).await;
    if let (Some(outbox), Some(mut writer)) = (&guest.outbox, writer) {
        if outbox.overflowed() {
            let line = format!("subscriber #{} {address} reads too slowly: disconnected", guest.client.id);
            shared.journal.line(&line);
            ended = Ended::TooSlow;
        } else if !matches!(ended, Ended::Idle | Ended::Answered | Ended::Closed) {
            let _ = stream.shutdown(Half::Both);
        }
        outbox.close();
        let written = cx.masked(async |cx: &mut Cx<Serving>| writer.join(cx).await).await;
        if let Outcome::Ok(lost @ Ended::Abandoned(_)) = written {
            ended = lost;
        }
    }
    guest.ended = Some(ended);
    // The peer reads the end behind everything that was sent to it.
    let _ = stream.shutdown(Half::Write);
    drop(guest);
    place.release();
}

type Writer = TaskHandle<Ended, Never>;

async fn converse(
    cx: &mut Cx<Serving>,
    guest: &mut Guest<'_>,
    stream: &Arc<TcpStream>,
    writer: &mut Option<Writer>,
) -> Ended {
    let shared = guest.shared;
    let mut draining = false;
    loop {
        let now = cx.now();
        let pause = pipeline::run(shared, &mut guest.talk, &guest.client, now);
        let mut close = false;
        let mut more = false;
        match pause {
            Pause::Starved => {}
            Pause::Full => more = true,
            Pause::Close => close = true,
            Pause::Shutdown { now } => {
                let grace = if now { Duration::ZERO } else { shared.config.grace };
                shared.drain.ask(cx.now(), "shutdown asked by a client's SHUTDOWN", grace);
                close = true;
            }
            Pause::Subscribe(channels) => {
                let outbox = guest.outbox.get_or_insert_with(|| {
                    let outbox = Arc::new(Outbox::new(shared, &guest.client, stream));
                    let own = outbox.clone();
                    *writer = Some(cx.spawn(async move |cx: &mut Cx<Serving>| Ok::<_, Never>(subscriber::write(cx, own).await)));
                    outbox
                });
                shared.channels.subscribe(channels, outbox, &guest.talk.out);
                guest.talk.sent();
                more = true;
            }
            Pause::Unsubscribe(channels) => {
                shared.channels.unsubscribe(channels.iter().map(|c| &**c), guest.client.id);
                more = true;
            }
            Pause::Own(own) => {
                perform(cx, shared, own, &mut guest.talk.out).await;
                more = true;
            }
        }
        if !guest.talk.out.is_empty() {
            match &guest.outbox {
                Some(outbox) => outbox.push(&guest.talk.out),
                None => match send(cx, stream, &guest.talk.out).await {
                    Ok(asked) => draining |= asked,
                    Err(ended) => return ended,
                },
            }
            guest.talk.sent();
        }
        if close {
            return Ended::Closed;
        }
        if more {
            cx.yield_now().await;
            continue;
        }
        let between = guest.talk.input.is_empty();
        if draining && between {
            return Ended::Answered;
        }
        let room = guest.talk.input.room();
        let read = match stream.read(cx, room).await {
            Err(OrCancelled::Cancelled(_)) if between => return Ended::Idle,
            Err(OrCancelled::Cancelled(_)) => {
                draining = true;
                cx.masked(async |cx: &mut Cx<Serving>| stream.read(cx, room).await).await
            }
            read => read,
        };
        match read {
            Ok(0) => return Ended::Closed,
            Ok(n) => {
                guest.talk.arrived += n;
                if guest.talk.input.arrived(n) {
                    // More is waiting in the socket: others go first.
                    cx.yield_now().await;
                }
            }
            Err(OrCancelled::Cancelled(_)) => return Ended::Abandoned("a request that did not arrive in full"),
            Err(OrCancelled::Failed(_)) => return Ended::Lost,
        }
    }
}

/// Sends everything. What was begun before the server was asked to end is finished masked.
///
/// True if that was asked meanwhile.
///
/// # Errors
/// How the connection has ended, if the bytes cannot be sent.
pub(super) async fn send(cx: &mut Cx<Serving>, stream: &TcpStream, mut bytes: &[u8]) -> Result<bool, Ended> {
    let mut asked = false;
    while !bytes.is_empty() {
        let written = match stream.write(cx, bytes).await {
            Err(OrCancelled::Cancelled(_)) => {
                asked = true;
                cx.masked(async |cx: &mut Cx<Serving>| stream.write(cx, bytes).await).await
            }
            written => written,
        };
        match written {
            Ok(n) => bytes = &bytes[n..],
            Err(OrCancelled::Cancelled(_)) => return Err(Ended::Abandoned("a reply that was not read")),
            Err(OrCancelled::Failed(_)) => return Err(Ended::Lost),
        }
    }
    Ok(asked)
}

/// Performs one of this server's own commands.
async fn perform(cx: &mut Cx<Serving>, shared: &Shared, own: Own, out: &mut Vec<u8>) {
    match own {
        Own::Tree => encode::bulk(out, tree(shared, cx.now()).as_bytes()),
        Own::Sleep(ms) => {
            let slept = cx.masked(async |cx: &mut Cx<Serving>| cx.sleep(Duration::from_millis(ms)).await).await;
            match slept {
                Ok(()) => encode::simple(out, "OK"),
                Err(_) => encode::error(out, b"ERR the server ended before the sleep was over"),
            }
        }
        Own::Panic => panic!("a client sent KV.PANIC"),
    }
}

/// A connection's task has failed: says which, and with what.
pub(super) fn report_failure(shared: &Shared, failure: &Isolated) {
    let who = shared.drain.who_failed(failure.task).unwrap_or_else(|| "a connection".into());
    let what = failure.note().map_or_else(|| "it failed".into(), |note| note.to_string());
    shared.journal.line(&format!("{who} was closed, its handler has a bug: {what}"));
}
