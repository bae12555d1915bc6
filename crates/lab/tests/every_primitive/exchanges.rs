//! What is handed over from one task to another, with no room between them, or with an answer for each; and what tasks do
//! with it.
//!
//! Not here: channels that hold values (`channels`, `unbounded`).
use crate::ends::{End, Ends, Slot};
use crate::hand::Hand;
use cx::Cx;
use sync::{rendezvous, session};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
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
        matches!(self, HandOver | TakeOver | Ask | Answer)
    }

    pub(crate) fn needs(self) -> Option<End> {
        (!matches!(self, HandOver | Ask)).then_some(End::Taker)
    }
}

pub(crate) const RENDEZVOUS: &[Act] = &[HandOver, HandOver, TakeOver, TryTakeOver, CloseHandOver];
pub(crate) const SESSION: &[Act] = &[Ask, Answer, Answer, CloseServer];

pub(crate) struct Exchanges {
    rendezvous: (rendezvous::Sender<u32>, Slot<rendezvous::Receiver<u32>>),
    session: (session::Client<u32, u32>, Slot<session::Server<u32, u32>>),
}

impl Exchanges {
    pub(crate) fn new(ends: Ends) -> Self {
        let (giver, taker) = rendezvous::channel();
        let (client, server) = session::pair();
        Exchanges { rendezvous: (giver, ends.taken(taker)), session: (client, ends.taken(server)) }
    }

    /// This task ends.
    pub(crate) fn leave(&self, task: usize) {
        self.rendezvous.1.leave(task);
        self.session.1.leave(task)
    }

    /// Whether the task goes on: it was neither refused nor too late.
    pub(crate) async fn act(&self, cx: &Cx, act: Act, hand: &Hand<'_>) -> bool {
        match act {
            HandOver | TakeOver | TryTakeOver | CloseHandOver => self.rendezvous(cx, act, hand).await,
            Ask | Answer | CloseServer => self.session(cx, act, hand).await,
        }
    }

    async fn rendezvous(&self, cx: &Cx, act: Act, hand: &Hand<'_>) -> bool {
        let (giver, taker) = &self.rendezvous;
        match act {
            HandOver => {
                let given = giver.send(cx, hand.own as u32).await;
                hand.note(&given);
                return given.is_ok();
            }
            TakeOver => match taker.lend(hand) {
                Some(mut taker) => hand.note(taker.recv(cx).await),
                None => cx.step().await,
            },
            TryTakeOver => {
                if let Some(mut taker) = taker.lend(hand) {
                    hand.note(taker.try_recv())
                }
            }
            _ => {
                if let Some(mut taker) = taker.lend(hand) {
                    taker.close()
                }
            }
        }
        true
    }

    async fn session(&self, cx: &Cx, act: Act, hand: &Hand<'_>) -> bool {
        let (client, server) = &self.session;
        match act {
            Ask => {
                let answer = client.ask(cx, hand.own as u32).await;
                hand.note(&answer);
                return answer.is_ok();
            }
            Answer => match server.lend(hand) {
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
                if let Some(mut server) = server.lend(hand) {
                    server.close()
                }
            }
        }
        true
    }
}
