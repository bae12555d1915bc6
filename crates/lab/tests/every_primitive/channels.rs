//! Channels whose values are for one receiver: with room for one, with none, and with an answer for each; and what tasks do
//! with them.
//!
//! Not here: values that are made known (`values`).
use crate::hand::{Hand, Held, Slot};
use cx::Cx;
use std::sync::Arc;
use sync::{mpsc, rendezvous, session};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Send,
    TrySend,
    Receive,
    TryReceive,
    Close,
    Reserve,
    Commit,
    Abort,
    LookAtChannel,
    HandOver,
    TakeOver,
    TryTakeOver,
    CloseHandOver,
    Ask,
    Answer,
    CloseServer,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Send | Receive | Reserve | HandOver | TakeOver | Ask | Answer)
    }
}

pub(crate) const CHANNEL: &[Act] =
    &[Send, TrySend, Receive, TryReceive, Close, Reserve, Commit, Abort, LookAtChannel];
pub(crate) const RENDEZVOUS: &[Act] = &[HandOver, HandOver, TakeOver, TryTakeOver, CloseHandOver];
pub(crate) const SESSION: &[Act] = &[Ask, Answer, Answer, CloseServer];

pub(crate) struct Channels {
    channel: (mpsc::Sender<u32>, Slot<mpsc::Receiver<u32>>),
    rendezvous: (Arc<rendezvous::Sender<u32>>, Slot<rendezvous::Receiver<u32>>),
    session: (session::Client<u32, u32>, Slot<session::Server<u32, u32>>),
}

impl Channels {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let (giver, taker) = rendezvous::channel();
        let (client, server) = session::pair();
        Channels {
            channel: (sender, Slot::new(receiver)),
            rendezvous: (Arc::new(giver), Slot::new(taker)),
            session: (client, Slot::new(server)),
        }
    }

    /// Whether the task goes on: it was neither refused nor too late.
    pub(crate) async fn act<'w>(&'w self, cx: &mut Cx, act: Act, hand: &mut Hand<'w>) -> bool {
        match act {
            HandOver | TakeOver | TryTakeOver | CloseHandOver => self.rendezvous(cx, act, hand).await,
            Ask | Answer | CloseServer => self.session(cx, act, hand).await,
            _ => self.channel(cx, act, hand).await,
        }
    }

    async fn channel<'w>(&'w self, cx: &mut Cx, act: Act, hand: &mut Hand<'w>) -> bool {
        let (sender, receiver) = &self.channel;
        let own = hand.own as u32;
        match act {
            Send => {
                let sent = sender.send(cx, own).await;
                hand.note(&sent);
                return sent.is_ok();
            }
            TrySend => hand.note(sender.try_send(own)),
            Receive => match receiver.lend() {
                Some(mut receiver) => hand.note(receiver.recv(cx).await),
                None => cx.step().await,
            },
            TryReceive => {
                if let Some(mut receiver) = receiver.lend() {
                    hand.note(receiver.try_recv())
                }
            }
            Close => {
                if let Some(mut receiver) = receiver.lend() {
                    receiver.close()
                }
            }
            Reserve => match sender.reserve(cx).await {
                Ok(room) => {
                    hand.note("ok");
                    hand.keep(Held::Room(room))
                }
                Err(refused) => {
                    hand.note(refused);
                    return false;
                }
            },
            Commit => {
                if let Some(Held::Room(room)) = hand.first(|held| matches!(held, Held::Room(_))) {
                    hand.note(room.send(50 + own))
                }
            }
            Abort => drop(hand.first(|held| matches!(held, Held::Room(_)))),
            _ => hand.note((sender.len(), sender.available(), sender.is_closed())),
        }
        true
    }

    async fn rendezvous(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) -> bool {
        let (giver, taker) = &self.rendezvous;
        match act {
            HandOver => {
                let given = giver.send(cx, hand.own as u32).await;
                hand.note(&given);
                return given.is_ok();
            }
            TakeOver => match taker.lend() {
                Some(mut taker) => hand.note(taker.recv(cx).await),
                None => cx.step().await,
            },
            TryTakeOver => {
                if let Some(mut taker) = taker.lend() {
                    hand.note(taker.try_recv())
                }
            }
            _ => {
                if let Some(mut taker) = taker.lend() {
                    taker.close()
                }
            }
        }
        true
    }

    async fn session(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) -> bool {
        let (client, server) = &self.session;
        match act {
            Ask => {
                let answer = client.ask(cx, hand.own as u32).await;
                hand.note(&answer);
                return answer.is_ok();
            }
            Answer => match server.lend() {
                Some(mut server) => match server.next(cx).await {
                    Ok((question, reply)) => {
                        hand.note(question);
                        cx.step().await;
                        hand.note(reply.send(question + 10))
                    }
                    Err(none) => hand.note(none),
                },
                None => cx.step().await,
            },
            _ => {
                if let Some(mut server) = server.lend() {
                    server.close()
                }
            }
        }
        true
    }
}
