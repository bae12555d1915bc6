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

    /// The channels it subscribes to, in order.
    pub(crate) fn channels(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.channels.iter().map(|channel| &**channel)
    }
}
