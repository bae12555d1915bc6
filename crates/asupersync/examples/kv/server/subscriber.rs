//! Messages on their way to one subscriber: `Outbox`, and the task that writes what is in it.
//!
//! Once a client has subscribed to anything, everything it is sent goes through its outbox, replies too, so
//! that nothing is written into the middle of something else. Messages are kept as bytes, one after the
//! other: what has gathered while the writer waited is one write.
//!
//! Invariant `outbox.bounded`: at most `limit` bytes wait, those being written included, and no more than is left
//! for all clients together. A message beyond it is not kept: the client reads too slowly, and is disconnected, as
//! Redis does.

use super::Serving;
use super::connection::{Ended, send};
use super::held::Share;
use super::shared::{Client, Shared, locked};
use asupersync::Cx;
use asupersync::net::{Half, TcpStream};
use asupersync::sync::notify::Notify;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

/// See the module.
pub(super) struct Outbox {
    client: Arc<Client>,
    stream: Arc<TcpStream>,
    limit: usize,
    queue: Mutex<Queue>,
    /// The queue is not empty any more, or closed.
    filled: Notify,
}

#[derive(Debug)]
struct Queue {
    bytes: Vec<u8>,
    /// For `bytes` and what is being written.
    share: Share,
    /// Bytes that the writer has taken and is writing.
    writing: usize,
    /// Nothing more will be put in.
    closed: bool,
    /// A message was refused: the client is being disconnected.
    overflowed: bool,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("client", &self.client.id).finish_non_exhaustive()
    }
}

impl Outbox {
    pub(super) fn new(shared: &Shared, client: &Arc<Client>, stream: &Arc<TcpStream>) -> Outbox {
        Outbox {
            client: client.clone(),
            stream: stream.clone(),
            limit: shared.config.subscriber_bytes,
            queue: Mutex::new(Queue {
                bytes: Vec::new(),
                share: Share::new(&shared.pool),
                writing: 0,
                closed: false,
                overflowed: false,
            }),
            filled: Notify::new(),
        }
    }

    /// The client's number.
    pub(super) fn id(&self) -> u64 {
        self.client.id
    }

    /// Puts bytes in. If they are too many, disconnects the client instead.
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut queue = locked(&self.queue);
        if queue.overflowed || queue.closed || bytes.is_empty() {
            return;
        }
        let held = queue.bytes.len() + queue.writing + bytes.len();
        if held > self.limit || !queue.share.resize(held) {
            queue.overflowed = true;
            queue.bytes = Vec::new();
            drop(queue);
            // Wakes its reader, which reads the end, and its writer, whose write fails. A connection that is
            // gone already has nothing to shut.
            let _ = self.stream.shutdown(Half::Both);
            self.filled.notify_one();
            return;
        }
        let was_empty = queue.bytes.is_empty();
        queue.bytes.extend_from_slice(bytes);
        drop(queue);
        self.client.unsent.store(held, Relaxed);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Nothing more will be put in: the writer ends once everything is sent.
    pub(super) fn close(&self) {
        locked(&self.queue).closed = true;
        self.filled.notify_one();
    }

    /// Whether the client read too slowly.
    pub(super) fn overflowed(&self) -> bool {
        locked(&self.queue).overflowed
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        locked(&self.queue).bytes.is_empty()
    }

    /// Exchanges what is there for the buffer that was written. `None` if there will be nothing any more.
    fn take(&self, written: &mut Vec<u8>) -> Option<()> {
        written.clear();
        written.shrink_to(KEPT);
        let mut queue = locked(&self.queue);
        if queue.overflowed || queue.closed && queue.bytes.is_empty() {
            return None;
        }
        std::mem::swap(&mut queue.bytes, written);
        queue.writing = written.len();
        // Less is always granted.
        let _ = queue.share.resize(written.len());
        self.client.unsent.store(written.len(), Relaxed);
        Some(())
    }
}

/// Capacity that is kept between messages.
const KEPT: usize = 16 * 1024;

/// The task of a subscriber: writes until the outbox is closed and empty, or cannot be written. Once the
/// server is asked to end it writes what is there and what its connection still answers.
pub(super) async fn write(cx: &mut Cx<Serving>, outbox: Arc<Outbox>) -> Ended {
    cx.name_task(format!("subscriber #{}", outbox.id()));
    let mut bytes = Vec::new();
    loop {
        let Some(()) = outbox.take(&mut bytes) else { return Ended::Closed };
        if bytes.is_empty() {
            if outbox.filled.notified(cx).await.is_err() {
                // Asked to end: the connection closes the outbox when it has said its last.
                let waited = cx.masked(async |cx: &mut Cx<Serving>| outbox.filled.notified(cx).await).await;
                if waited.is_err() && outbox.is_empty() {
                    // Out of time, with nothing undone here. What its connection still works at, that one tells.
                    return Ended::Closed;
                }
            }
            continue;
        }
        if let Err(ended) = send(cx, &outbox.stream, &bytes).await {
            return ended;
        }
    }
}
