//! One client, from its first byte to its last.
//!
//! ```text
//!        ┌──────────────── more to execute ────────────────┐
//! read ──▶ execute ──▶ send ──▶ effect ──▶ starved? ──no───┘
//!   ▲                                      └─yes─▶ asked to end, and between two requests? close
//!   └──────────────────────────────────────────no──┘
//! ```
//! A request is read only when every reply before it was sent. A client that never reads therefore stops
//! being read: what it can make the server hold is one turn's replies and one buffer of requests.
//!
//! The end of the server arrives as a cancelled operation. A reply that is being made or sent is finished
//! masked, until the cleanup deadline pierces the mask. Of requests, those that have arrived are answered, and
//! the rest of one that has begun is waited for as long as `LAST_READ` says: nothing was promised to whoever has
//! sent half of one, so no drain fails for it. Nothing there, and the connection ends at once.
//! An operation that was cancelled has done nothing (`cancel.first`), so repeating it repeats nothing; and
//! while nobody asks for the end no mask is opened, which would cost every request.

use super::super::resp::encode;
use super::Serving;
use super::operator::tree;
use super::pipeline::{self, Own, Pause, Talk};
use super::shared::{Client, Shared};
use super::subscriber::{self, Outbox};
use asupersync::net::{Half, NetError, OrCancelled, TcpStream};
use asupersync::prelude::*;
use asupersync::region::Isolated;
use asupersync::sync::semaphore::{Permit, Semaphore};
use asupersync::types::TaskId;
use asupersync::{Never, TaskHandle};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// How long a connection still reads once the server was asked to end, unless half of the grace is less: for
/// the rest of a request that has begun, counted from when it was first missed. Segments on their way have
/// come by then; whoever sends a byte now and then does not hold the drain up.
pub(super) const LAST_READ: Duration = Duration::from_secs(1);

/// A client's place among those that may be connected.
pub(super) type Place = Permit<Arc<Semaphore>>;

/// How a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The client sends no more. As in Redis, it is not asked whether it still reads.
    Left,
    /// By a reply that closes.
    Closed,
    /// The network, or a client that was gone before it had its replies.
    Lost,
    /// The client read its messages too slowly.
    TooSlow,
    /// Asked to end between two requests.
    Idle,
    /// Asked to end, after the last answer.
    Answered,
    /// Asked to end, with part of a request whose rest did not come.
    Unfinished,
    /// Asked to end, and out of time: this was not done.
    Abandoned(&'static str),
    /// Its handler panicked.
    Failed,
}

/// What follows an effect.
enum Next {
    /// Everything that has arrived is executed and answered.
    Read,
    /// There is more to execute; others have a turn first.
    Again,
}

/// A connected client. Dropping it takes it out of everything it was entered in, whatever happened.
struct Guest<'a> {
    shared: &'a Shared,
    client: Arc<Client>,
    stream: Arc<TcpStream>,
    talk: Talk,
    /// Once it has subscribed: where everything goes that is sent to it, and the task that writes it.
    outbox: Option<Arc<Outbox>>,
    writer: Option<TaskHandle<Ended, Never>>,
    /// The server was asked to end: nothing is read after this instant.
    last_read: Option<Time>,
    task: TaskId,
    ended: Option<Ended>,
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
    let address = stream.peer_addr();
    let local = stream.local_addr().map_or_else(|_| "?".into(), |local| local.to_string());
    // Replies are written as a whole; holding them back for more would only delay them.
    let _ = stream.set_nodelay(true);
    let client = shared.clients.enter(address, local, cx.now());
    cx.name_task(format!("connection #{} {address}", client.id));
    let talk = Talk::new(&shared, &client);
    let mut guest = Guest {
        shared: &shared,
        client,
        stream: Arc::new(stream),
        talk,
        outbox: None,
        writer: None,
        last_read: None,
        task: cx.task_id(),
        ended: None,
    };
    let Err(ended) = guest.converse(cx).await;
    let ended = guest.see_off(cx, ended).await;
    guest.ended = Some(ended);
    drop(guest);
    place.release();
}

impl Guest<'_> {
    /// Executes, sends and reads until the connection ends.
    async fn converse(&mut self, cx: &mut Cx<Serving>) -> Result<Never, Ended> {
        loop {
            let pause = pipeline::run(self.shared, &mut self.talk, &self.client, cx.now());
            match self.act(cx, pause).await? {
                Next::Read => self.read(cx).await?,
                Next::Again => cx.yield_now().await,
            }
        }
    }

    /// Sends what there is, and does what the last request asked for.
    async fn act(&mut self, cx: &mut Cx<Serving>, pause: Pause) -> Result<Next, Ended> {
        if let Pause::Subscribe(channels) = pause {
            self.subscribe(cx, channels);
            return Ok(Next::Again);
        }
        self.flush(cx).await?;
        match pause {
            Pause::Starved => return Ok(Next::Read),
            Pause::Full | Pause::Subscribe(_) => {}
            Pause::Close => return Err(Ended::Closed),
            Pause::Shutdown { now } => {
                let grace = if now { Duration::ZERO } else { self.shared.config.grace };
                self.shared.ask_to_end(cx.now(), "shutdown asked by a client's SHUTDOWN", grace);
                return Err(Ended::Closed);
            }
            Pause::Unsubscribe(channels) => {
                let channels = channels.iter().map(|channel| &**channel);
                self.shared.channels.unsubscribe(channels, self.client.id);
            }
            Pause::Own(own) => {
                perform(cx, self.shared, own, &mut self.talk.out).await?;
                self.flush(cx).await?;
            }
        }
        Ok(Next::Again)
    }

    /// Enters the client in channels; the confirmations are in `out`.
    fn subscribe(&mut self, cx: &Cx<Serving>, channels: Vec<Box<[u8]>>) {
        let Guest { shared, client, stream, outbox, writer, .. } = self;
        let outbox = outbox.get_or_insert_with(|| {
            let outbox = Arc::new(Outbox::new(shared, client, stream));
            let own = outbox.clone();
            *writer =
                Some(cx.spawn(async move |cx: &mut Cx<Serving>| {
                    Ok::<_, Never>(subscriber::write(cx, own).await)
                }));
            outbox
        });
        shared.channels.subscribe(channels, outbox, &self.talk.out);
        self.talk.sent();
    }

    /// Sends what is in `out`, or has the writer send it.
    async fn flush(&mut self, cx: &mut Cx<Serving>) -> Result<(), Ended> {
        if self.talk.out.is_empty() {
            return Ok(());
        }
        match &self.outbox {
            Some(outbox) => outbox.push(&self.talk.out),
            None => {
                if send(cx, &self.stream, &self.talk.out).await? {
                    self.asked_to_end(cx.now());
                }
            }
        }
        self.talk.sent();
        Ok(())
    }

    /// Reads more. This is where the end of the server ends a connection.
    async fn read(&mut self, cx: &mut Cx<Serving>) -> Result<(), Ended> {
        let ending = self.last_read.is_some();
        let read = if ending {
            self.read_at_last(cx, Ended::Answered).await?
        } else {
            let Some(room) = self.talk.input.room() else { return Err(self.too_much(cx).await) };
            match self.stream.read(cx, room).await {
                Err(OrCancelled::Cancelled(_)) => {
                    self.asked_to_end(cx.now());
                    self.read_at_last(cx, Ended::Idle).await?
                }
                Err(OrCancelled::Failed(_)) => return Err(Ended::Lost),
                Ok(n) => n,
            }
        };
        if read == 0 {
            return Err(Ended::Left);
        }
        self.talk.arrived += read;
        if self.talk.input.arrived(read) {
            // More is waiting in the socket: others go first.
            cx.yield_now().await;
        }
        Ok(())
    }

    /// There is no room for the rest of a request: says so, and how the connection ends.
    async fn too_much(&mut self, cx: &mut Cx<Serving>) -> Ended {
        self.talk.refuse();
        match self.flush(cx).await {
            Ok(()) => Ended::Closed,
            Err(ended) => ended,
        }
    }

    /// Notes that the server was asked to end, and from it how long this connection still reads.
    fn asked_to_end(&mut self, now: Time) {
        let span = LAST_READ.min(self.shared.config.grace / 2);
        self.last_read.get_or_insert_with(|| now.saturating_add(span));
    }

    /// Reads on although the server was asked to end: between two requests only what has arrived already, for
    /// it may be one that was sent in full; otherwise the rest of the request that has begun. With nothing more
    /// to read the connection ends, and between two requests it ends as `between`.
    async fn read_at_last(&mut self, cx: &mut Cx<Serving>, between: Ended) -> Result<usize, Ended> {
        let until = self.last_read.unwrap_or(Time::ZERO);
        let begun = !self.talk.input.is_empty();
        let Some(room) = self.talk.input.room() else { return Err(self.too_much(cx).await) };
        let stream = &*self.stream;
        let read = async |cx: &mut Cx<Serving>| -> Res<Option<usize>, NetError> {
            Ok(if begun { Some(stream.read(cx, room).await?) } else { read_now(cx, stream, room).await? })
        };
        match cx.masked(async |cx: &mut Cx<Serving>| cx.deadline(until, read).await).await {
            Ok(Some(n)) if begun || n > 0 => Ok(n),
            Ok(_) | Err(Stop::Cancelled(_)) => Err(if begun { Ended::Unfinished } else { between }),
            Err(Stop::Err(_)) => Err(Ended::Lost),
        }
    }

    /// Waits for what is still to be written, if the client can be expected to read it; then says how the
    /// connection has really ended.
    async fn see_off(&mut self, cx: &mut Cx<Serving>, mut ended: Ended) -> Ended {
        if let (Some(outbox), Some(mut writer)) = (&self.outbox, self.writer.take()) {
            if outbox.overflowed() {
                let Client { id, address, .. } = &*self.client;
                self.shared
                    .journal
                    .line(&format!("subscriber #{id} {address} reads too slowly: disconnected"));
                ended = Ended::TooSlow;
            } else if matches!(ended, Ended::Left | Ended::Lost | Ended::Abandoned(_)) {
                // The writer's write fails, and it ends. A connection that is gone has nothing to shut.
                let _ = self.stream.shutdown(Half::Both);
            }
            outbox.close();
            let written = cx.masked(async |cx: &mut Cx<Serving>| writer.join(cx).await).await;
            ended = match (ended, written) {
                // What the connection itself left undone is why there was nothing more to write.
                (Ended::Abandoned(_), _) => ended,
                (_, Outcome::Ok(abandoned @ Ended::Abandoned(_))) => abandoned,
                // The writer was out of time before this came.
                (_, Outcome::Ok(Ended::Closed)) if !outbox.is_empty() => {
                    Ended::Abandoned("what came too late to be sent")
                }
                _ => ended,
            };
        }
        // The peer reads the end behind everything that was sent to it.
        let _ = self.stream.shutdown(Half::Write);
        ended
    }
}

/// Reads what has arrived, if anything has; does not wait for it.
async fn read_now(
    cx: &Cx<Serving>,
    stream: &TcpStream,
    room: &mut [u8],
) -> Result<Option<usize>, OrCancelled<NetError>> {
    let mut read = pin!(stream.read(cx, room));
    let mut looked = false;
    poll_fn(|context| match read.as_mut().poll(context) {
        Poll::Ready(read) => Poll::Ready(read.map(Some)),
        // The first look may have been refused because it was others' turn: they have it, then the second one counts.
        Poll::Pending if !looked => {
            looked = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(Ok(None)),
    })
    .await
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
///
/// # Errors
/// The cleanup deadline passed first. There is no reply then: one could not be sent any more.
async fn perform(cx: &mut Cx<Serving>, shared: &Shared, own: Own, out: &mut Vec<u8>) -> Result<(), Ended> {
    match own {
        Own::Tree => encode::bulk(out, tree(shared, cx.now()).as_bytes()),
        Own::Sleep(ms) => {
            let span = Duration::from_millis(ms);
            match cx.masked(async |cx: &mut Cx<Serving>| cx.sleep(span).await).await {
                Ok(()) => encode::simple(out, "OK"),
                Err(_) => return Err(Ended::Abandoned("a handler that was still at work")),
            }
        }
        Own::Panic => panic!("a client sent KV.PANIC"),
    }
    Ok(())
}

/// A connection's task has failed: says which, and with what.
pub(super) fn report_failure(shared: &Shared, failure: &Isolated) {
    let who = shared.drain.who_failed(failure.task).unwrap_or_else(|| "a connection".into());
    let what = failure.loss.as_ref().map_or_else(|| "it failed".into(), |loss| loss.to_string());
    shared.journal.line(&format!("{who} was closed, its handler has a bug: {what}"));
}
