//! Requests and their replies: a peer that leaves in the middle is an outcome, and says how far it came.
//!
//! ```text
//! client   ask(cx, request) ──offered──▶ taken ──▶ reply
//!                               │           └──the server leaves, or drops the reply──▶ AskError::Left
//!                               └──the server leaves──▶ AskError::NotTaken(request)
//!          a cancellation before it is taken, before the reply, after it: AskError::Withdrawn, Cancelled, Replied(reply)
//! server   next(cx) ──▶ (request, Reply)     Reply ──send──▶ Sent: also says if the client has left
//! ```
//!
//! ```
//! use asupersync_sync::session;
//! use types::Res;
//!
//! async fn double(cx: &mut cx::Cx) -> Res<u32> {
//!     let (client, mut server) = session::pair::<u32, u32>();
//!     cx.spawn(async move |cx: &mut cx::Cx| -> Res {
//!         while let Ok((request, reply)) = server.next(cx).await {
//!             reply.send(2 * request);
//!         }
//!         Ok(())
//!     });
//!     Ok(client.ask(cx, 21).await.unwrap_or(0))
//! }
//! ```
//!
//! Made of a [`rendezvous`] for the request, so that it's known whether it was taken, and a [`oneshot`] for the reply,
//! which is an obligation of the server's region: a region that settles over one reports where it was taken.
//!
//! Not here: requests that queue up at a server (an `mpsc` of `oneshot`s), replies of several parts.

use core::{future::Future, panic::Location};

use cx::{Cx, Row};
use obligation::AlreadyLeaked;
use types::Cancelled;

use crate::{
    Closed, Sent, TryRecvError, WaitError,
    mpsc::{SendError, TrySendError},
    oneshot,
    rendezvous::{self, Receiver, Sender},
    wait::{Fused, Made},
};

/// Two peers: one asks `Q`, the other replies `R`.
#[track_caller]
pub fn pair<Q, R>() -> (Client<Q, R>, Server<Q, R>) {
    let (asks, asked) = rendezvous::channel();
    (Client { asks }, Server { asked })
}

/// Asks. Clones ask the same server.
#[derive(Debug)]
pub struct Client<Q, R> {
    asks: Sender<(Q, oneshot::Sender<R>)>,
}

impl<Q, R> Clone for Client<Q, R> {
    fn clone(&self) -> Self {
        Self { asks: self.asks.clone() }
    }
}

/// Why a request was not answered as it should be. Whatever has come by then is in it: requests that were not taken, and a
/// reply that was delivered.
pub enum AskError<Q, R> {
    /// The server has left and had not taken the request: it comes back.
    NotTaken(Q),
    /// The server had taken the request, and has left or given the reply up.
    Left,
    /// A cancellation was effective before the request was taken: it comes back.
    Withdrawn(Q, Cancelled),
    /// A cancellation was effective before the reply. The server has the request; its reply will go back to it.
    Cancelled(Cancelled),
    /// A cancellation was effective when the reply was there: the server was told that it is delivered
    /// ([`Sent::is_delivered`]).
    Replied(R, Cancelled),
}

impl<Q, R> core::fmt::Debug for AskError<Q, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl<Q, R> core::fmt::Display for AskError<Q, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotTaken(_) => f.write_str("the server left before it took the request"),
            Self::Left => f.write_str("the server left without a reply"),
            Self::Withdrawn(_, cancelled) | Self::Cancelled(cancelled) | Self::Replied(_, cancelled) => {
                cancelled.fmt(f)
            }
        }
    }
}

impl<Q, R> Client<Q, R> {
    /// Asks and waits for the reply. Dropping the future withdraws a request that was not taken, and refuses the reply to
    /// one that was; a reply that had come already is dropped with it.
    ///
    /// # Errors
    /// The server has left, or a cancellation was effective: see [`AskError`] for what became of the request and its
    /// reply.
    #[track_caller]
    pub fn ask<'a, C: Row>(
        &'a self,
        cx: &'a Cx<C>,
        request: Q,
    ) -> impl Future<Output = Result<R, AskError<Q, R>>> + use<'a, Q, R, C> {
        let (replies, mut replied) = oneshot::channel();
        let taken = self.asks.send(cx, (request, replies));
        async move {
            match taken.await {
                Ok(()) => {}
                Err(SendError::Closed((request, _))) => return Err(AskError::NotTaken(request)),
                Err(SendError::Cancelled((request, _), cancelled)) => {
                    return Err(AskError::Withdrawn(request, cancelled));
                }
            }
            match replied.recv(cx).await {
                Ok(reply) => Ok(reply),
                Err(WaitError::Closed) => Err(AskError::Left),
                Err(WaitError::Cancelled(cancelled)) => {
                    // Refused first: what is sent from here on goes back to the server, and what is there was sent before.
                    replied.close();
                    Err(match replied.try_recv() {
                        Ok(reply) if !types::seeded!("session.reply-dropped") => {
                            AskError::Replied(reply, cancelled)
                        }
                        _ => AskError::Cancelled(cancelled),
                    })
                }
            }
        }
    }

    /// Asks a server that waits for a request just now, and that nobody else asks. Never waits, and isn't refused under
    /// cancellation. What comes back receives the reply; its end without one is what [`AskError::Left`] is for `ask`.
    ///
    /// The request is in the server's hand then: if its wait is given up at that moment, the next one gets the request, and if the
    /// server leaves without one, it's dropped.
    ///
    /// # Errors
    /// The server doesn't wait ([`TrySendError::Full`]), or takes nothing any more: with the request.
    pub fn try_ask(&self, request: Q) -> Result<oneshot::Receiver<R>, TrySendError<Q>> {
        let (replies, replied) = oneshot::channel();
        match self.asks.try_send((request, replies)) {
            Ok(()) => Ok(replied),
            Err(TrySendError::Full((request, _))) => Err(TrySendError::Full(request)),
            Err(TrySendError::Closed((request, _))) => Err(TrySendError::Closed(request)),
        }
    }

    /// As [`ask`](Self::ask), for a thread that polls no tasks: it sleeps meanwhile.
    ///
    /// # Errors
    /// The server has left: [`AskError::NotTaken`] or [`AskError::Left`].
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_ask(&self, request: Q) -> Result<R, AskError<Q, R>> {
        let (replies, mut replied) = oneshot::channel();
        self.asks.blocking_send((request, replies)).map_err(|(request, _)| AskError::NotTaken(request))?;
        replied.blocking_recv().map_err(|Closed| AskError::Left)
    }

    /// Whether the server takes no more requests.
    pub fn is_closed(&self) -> bool {
        self.asks.is_closed()
    }
}

/// Takes requests. Dropping it gives those back that were not taken.
#[derive(Debug)]
pub struct Server<Q, R> {
    asked: Receiver<(Q, oneshot::Sender<R>)>,
}

impl<Q, R> Server<Q, R> {
    /// Waits for the oldest request and takes it. The [`Reply`] is an obligation of the region that `cx` stands in.
    ///
    /// # Errors
    /// Closed: every client has left. Cancelled: no request was taken.
    #[track_caller]
    pub fn next<'a, C: Row>(
        &'a mut self,
        cx: &'a Cx<C>,
    ) -> impl Future<Output = Result<(Q, Reply<R>), WaitError>> + Unpin + Fused + use<'a, Q, R, C> {
        let (taking, site) = (self.asked.recv(cx), Location::caller());
        Made::of(taking, move |taken: Result<(Q, oneshot::Sender<R>), WaitError>| {
            let (request, sender) = taken?;
            Ok((request, Reply(sender.reserve_at(cx, site))))
        })
    }

    /// Takes the oldest request if there is one. Never waits, and isn't refused under cancellation: `cx` says whose obligation
    /// the [`Reply`] is.
    ///
    /// # Errors
    /// None waits now, or none will come.
    #[track_caller]
    pub fn try_next<C: Row>(&mut self, cx: &Cx<C>) -> Result<(Q, Reply<R>), TryRecvError> {
        let (request, sender) = self.asked.try_recv()?;
        Ok((request, Reply(sender.reserve_at(cx, Location::caller()))))
    }

    /// As [`next`](Self::next), for a thread that polls no tasks: it sleeps meanwhile. The [`Reply`] is no obligation until a
    /// task takes it over ([`Reply::rehome`]): a thread has no region.
    ///
    /// # Errors
    /// Every client has left.
    ///
    /// # Panics
    /// Inside a task, in a lab as on a worker: it would stop all others.
    #[track_caller]
    pub fn blocking_next(&mut self) -> Result<(Q, Reply<R>), Closed> {
        let (request, sender) = self.asked.blocking_recv()?;
        Ok((request, Reply(sender.reserve_by_thread(Location::caller()))))
    }

    /// How many requests wait to be taken.
    pub fn waiting(&self) -> usize {
        self.asked.offers()
    }

    /// Takes no more requests: those that were not taken go back to their clients.
    pub fn close(&mut self) {
        if types::seeded!("session.close-unheard") {
            return;
        }
        self.asked.close();
    }
}

/// A reply that is owed. Dropping it tells the client that none will come ([`AskError::Left`]).
#[derive(Debug)]
#[must_use = "dropping a reply tells the client that none will come"]
pub struct Reply<R>(oneshot::Permit<R>);

impl<R> Reply<R> {
    /// Replies. Can't wait, fail or be cancelled. If the client has left, [`Sent`] hands the reply back.
    ///
    /// # Panics
    /// With debug assertions, if the region it belonged to has closed over it and reported it as leaked. Otherwise the reply
    /// comes back then.
    #[track_caller]
    pub fn send(self, reply: R) -> Sent<R> {
        self.0.send(reply)
    }

    /// Whether the client still waits; if not, the work may be saved.
    pub fn is_wanted(&self) -> bool {
        !self.0.is_closed()
    }

    /// Makes it an obligation of the region that `cx` stands in, before it is handed there.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.0.rehome(cx)
    }
}
