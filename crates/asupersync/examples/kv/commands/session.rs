//! `Session`: what a connection remembers between its requests.

use std::collections::BTreeSet;

/// Which requests the client wants an answer to: CLIENT REPLY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replies {
    /// Each.
    All,
    /// None, until it says otherwise.
    None,
    /// All but the one being executed, which asked for that, and the one after it.
    AllButThisAndNext,
    /// All but the one being executed.
    AllButThis,
}

/// The state of one connection. Dropping it forgets its subscriptions; the server takes them out
/// of its own registry with `Session::channels`.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) id: u64,
    pub(super) name: Vec<u8>,
    pub(super) library_name: Vec<u8>,
    pub(super) library_version: Vec<u8>,
    pub(super) channels: BTreeSet<Box<[u8]>>,
    /// What the channels take: theirs is the only part of a session that can grow.
    channel_bytes: usize,
    pub(super) last_command: &'static str,
    pub(super) replies: Replies,
    /// What the request being executed writes is no reply but a confirmation of a subscription, which is sent
    /// like a message: whatever `replies` says.
    pub(super) pushes: bool,
}

#[allow(dead_code, reason = "the connection loop uses what the commands do not")]
impl Session {
    /// The session of the connection with this number.
    pub(crate) fn new(id: u64) -> Self {
        Session {
            id,
            name: Vec::new(),
            library_name: Vec::new(),
            library_version: Vec::new(),
            channels: BTreeSet::new(),
            channel_bytes: 0,
            last_command: "NULL",
            replies: Replies::All,
            pushes: false,
        }
    }

    /// A request was executed and its reply is what `out` holds from `start` on: takes that back if the client
    /// does not want it.
    #[inline]
    pub(crate) fn settle(&mut self, out: &mut Vec<u8>, start: usize) {
        let pushes = std::mem::take(&mut self.pushes);
        if self.replies == Replies::All {
            return;
        }
        if !pushes {
            out.truncate(start);
        }
        self.replies = match self.replies {
            Replies::AllButThisAndNext => Replies::AllButThis,
            Replies::AllButThis => Replies::All,
            same => same,
        };
    }

    /// The connection's number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The name given with CLIENT SETNAME, else empty.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The name of the last command, for CLIENT LIST.
    pub(crate) fn last_command(&self) -> &'static str {
        self.last_command
    }

    /// Whether it subscribes to any channel, so that only a few commands are allowed.
    #[inline]
    pub(crate) fn is_subscribed(&self) -> bool {
        !self.channels.is_empty()
    }

    /// Subscribes to a channel. False if it did already.
    pub(super) fn join(&mut self, channel: &[u8]) -> bool {
        let new = self.channels.insert(Box::from(channel));
        self.channel_bytes += if new { channel_cost(channel) } else { 0 };
        new
    }

    /// Takes a channel out; `None` if it was not subscribed to.
    pub(super) fn part(&mut self, channel: &[u8]) -> Option<Box<[u8]>> {
        let left = self.channels.take(channel)?;
        self.channel_bytes -= channel_cost(&left);
        Some(left)
    }

    /// Takes the first channel out; `None` if there is no more.
    pub(super) fn part_first(&mut self) -> Option<Box<[u8]>> {
        let left = self.channels.pop_first()?;
        self.channel_bytes -= channel_cost(&left);
        Some(left)
    }

    /// Estimated bytes that its channels take, here and in the server's registry.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.channel_bytes
    }

    /// The channels it subscribes to, in order.
    pub(crate) fn channels(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.channels.iter().map(|channel| &**channel)
    }
}

/// What one subscription takes: its name is kept twice, and the places in the two registries take about as much as
/// a short list's first node.
fn channel_cost(name: &[u8]) -> usize {
    2 * name.len() + 384
}
