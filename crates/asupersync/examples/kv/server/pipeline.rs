//! Executing the requests that have arrived, under the lock of the store, until something else has to be
//! done first.
//!
//! Parsing and execution are interleaved: a request is a list of ranges into the bytes it came in, so
//! nothing is copied between the socket and the store, and what one read brought is executed under one lock.
//! A turn is bounded by `TURN` requests and by the limit on reply bytes: a client that sends without end, or
//! never reads, holds neither the lock nor memory for long. Replies that do not fit what the server holds for all
//! its clients are dropped, and the connection is closed.

use super::super::commands::{Effect, Session, execute};
use super::super::resp::{Args, Decoder, encode};
use super::held::{self, Share};
use super::input::Input;
use super::shared::{Client, Core, Shared, View, locked};
use asupersync::Time;

/// Requests of one client that are executed before others have a turn.
const TURN: usize = 1024;
/// Capacity of the reply buffer that is kept between turns.
const KEPT: usize = 16 * 1024;

/// One client's side of the conversation.
pub(super) struct Talk {
    pub(super) decoder: Decoder,
    pub(super) session: Session,
    pub(super) input: Input,
    /// Replies that are not sent yet.
    pub(super) out: Vec<u8>,
    /// For `out`, the decoder, since many small arguments take more than the bytes that name them, and the channels
    /// of the session.
    share: Share,
    /// Bytes that have arrived since they were last counted.
    pub(super) arrived: usize,
}

impl Talk {
    pub(super) fn new(shared: &Shared, client: &Client) -> Talk {
        Talk {
            decoder: Decoder::new(&shared.config.limits),
            session: Session::new(client.id),
            input: Input::new(&shared.pool),
            out: Vec::new(),
            share: Share::new(&shared.pool),
            arrived: 0,
        }
    }

    /// The replies were sent.
    pub(super) fn sent(&mut self) {
        self.out.clear();
        self.out.shrink_to(KEPT);
        // Less is always granted; what was refused a moment ago may be more, and its connection ends.
        let _ = self.share.resize(self.held());
    }

    fn held(&self) -> usize {
        self.out.capacity() + self.decoder.held() + self.session.held()
    }

    /// Replaces what is in `out`: there is no room for it, or for more of the request.
    pub(super) fn refuse(&mut self) {
        self.sent();
        self.out.extend_from_slice(held::REFUSAL);
    }
}

/// Why execution pauses. What is in `out` is to be sent in any case.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// All that has arrived was executed: read on.
    Starved,
    /// Enough for one turn: let others go first, then go on.
    Full,
    /// Close once everything is sent.
    Close,
    /// Somebody asked for the end of the server, and with `now` without waiting for anybody.
    Shutdown {
        now: bool,
    },
    Subscribe(Vec<Box<[u8]>>),
    Unsubscribe(Vec<Box<[u8]>>),
    /// One of this server's own commands.
    Own(Own),
}

/// Commands that Redis does not have; what they need is not there while the store is locked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// KV.TREE: the live region tree.
    Tree,
    /// KV.SLEEP milliseconds: a handler that takes its time.
    Sleep(u64),
    /// KV.PANIC: a handler with a bug.
    Panic,
}

/// Executes what has arrived. `now` is this turn's instant.
pub(super) fn run(shared: &Shared, talk: &mut Talk, client: &Client, now: Time) -> Pause {
    if talk.input.is_empty() {
        return Pause::Starved;
    }
    let wall = shared.wall(now);
    let before = talk.out.len();
    let mut core = locked(&shared.core);
    let mut pause = turn(shared, &mut core, talk, wall, now);
    if !talk.share.resize(talk.held()) {
        talk.refuse();
        if !matches!(pause, Pause::Shutdown { .. }) {
            pause = Pause::Close;
        }
    }
    core.tally.input_bytes += std::mem::take(&mut talk.arrived) as u64;
    core.tally.output_bytes += talk.out.len().saturating_sub(before) as u64;
    let next = core.store.next_deadline();
    let earlier = next.is_some_and(|next| core.armed.is_none_or(|armed| next < armed));
    if earlier {
        core.armed = next;
    }
    drop(core);
    if earlier {
        shared.deadline_moved.notify_one();
    }
    client.note(&talk.session, talk.input.filled().len(), talk.out.len(), now);
    pause
}

fn turn(shared: &Shared, core: &mut Core, talk: &mut Talk, wall: u64, now: Time) -> Pause {
    let Core { store, tally, .. } = core;
    let Talk { decoder, session, input, out, .. } = talk;
    let host = View { shared, tally, now };
    for _ in 0..TURN {
        if out.len() >= shared.config.limits.max_output {
            return Pause::Full;
        }
        let decoded = match decoder.decode(input.filled()) {
            Ok(decoded) => decoded,
            Err(error) => {
                let start = out.len();
                error.reply(out);
                session.settle(out, start);
                return Pause::Close;
            }
        };
        let consumed = decoded.consumed;
        let Some(args) = decoded.command else {
            input.executed(consumed);
            return Pause::Starved;
        };
        let start = out.len();
        let effect = match own(args, shared.config.debug_commands) {
            Some(own) => {
                input.executed(consumed);
                return Pause::Own(own);
            }
            None => execute(store, session, &host, args, wall, out),
        };
        if effect == Effect::Publish {
            encode::count(out, shared.channels.publish(args.at(1), args.at(2)));
        }
        input.executed(consumed);
        session.settle(out, start);
        match effect {
            Effect::None | Effect::Publish | Effect::Renamed => {}
            Effect::Close => return Pause::Close,
            Effect::Shutdown { now } => return Pause::Shutdown { now },
            Effect::Subscribe(channels) => return Pause::Subscribe(channels),
            Effect::Unsubscribe(channels) => return Pause::Unsubscribe(channels),
        }
    }
    Pause::Full
}

/// One of this server's own commands, if it is one; a malformed one is an unknown command.
#[inline]
pub(super) fn own(args: Args<'_>, debug: bool) -> Option<Own> {
    let name = args.at(0);
    if name.get(2) != Some(&b'.') || !name[..2].eq_ignore_ascii_case(b"kv") {
        return None;
    }
    let rest = &name[3..];
    if rest.eq_ignore_ascii_case(b"tree") && args.len() == 1 {
        Some(Own::Tree)
    } else if debug && rest.eq_ignore_ascii_case(b"sleep") && args.len() == 2 {
        std::str::from_utf8(args.at(1)).ok()?.parse().ok().map(Own::Sleep)
    } else if debug && rest.eq_ignore_ascii_case(b"panic") && args.len() == 1 {
        Some(Own::Panic)
    } else {
        None
    }
}
