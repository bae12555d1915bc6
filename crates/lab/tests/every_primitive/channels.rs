//! A channel with room for one value, and what tasks do with it.
//!
//! Not here: channels without a bound (`unbounded`), or without room (`exchanges`), values that are made known (`values`).
use crate::ends::{End, Ends, Slot};
use crate::hand::{Hand, Held};
use cx::Cx;
use sync::mpsc;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Send,
    TrySend,
    Receive,
    TryReceive,
    ReceiveAck,
    ReceiveNack,
    Close,
    Reserve,
    Commit,
    Abort,
    LookAtChannel,
    DropSender,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Send | Receive | ReceiveAck | ReceiveNack | Reserve)
    }

    pub(crate) fn needs(self) -> Option<End> {
        let receives = matches!(self, Receive | TryReceive | ReceiveAck | ReceiveNack | Close);
        receives.then_some(End::Taker)
    }
}

pub(crate) const CHANNEL: &[Act] = &[
    Send,
    TrySend,
    Receive,
    TryReceive,
    ReceiveAck,
    ReceiveNack,
    Close,
    Reserve,
    Commit,
    Abort,
    LookAtChannel,
    DropSender,
];

pub(crate) struct Channels {
    /// What sends where senders are not moved into tasks: it is never dropped.
    sender: Option<mpsc::Sender<u32>>,
    pub(crate) receiver: Slot<mpsc::Receiver<u32>>,
}

impl Channels {
    /// And a sender to be moved.
    pub(crate) fn new(ends: Ends) -> (Self, Option<mpsc::Sender<u32>>) {
        let (sender, receiver) = mpsc::channel(1);
        let receiver = ends.taken(receiver);
        match ends.are_moved() {
            true => (Channels { sender: None, receiver }, Some(sender)),
            false => (Channels { sender: Some(sender), receiver }, None),
        }
    }

    /// Whether the task goes on: it was neither refused nor too late.
    pub(crate) async fn act<'w>(&'w self, cx: &Cx, act: Act, hand: &mut Hand<'w>) -> bool {
        match act {
            Receive | TryReceive | ReceiveAck | ReceiveNack | Close => self.receive(cx, act, hand).await,
            Commit => {
                if let Some(Held::Room(room)) = hand.first(|held| matches!(held, Held::Room(_))) {
                    hand.note(room.send(50 + hand.own as u32))
                }
            }
            Abort => drop(hand.first(|held| matches!(held, Held::Room(_)))),
            DropSender => drop(hand.senders.bounded.take()),
            _ => return self.send(cx, act, hand).await,
        }
        true
    }

    async fn send(&self, cx: &Cx, act: Act, hand: &mut Hand<'_>) -> bool {
        let own = hand.own as u32;
        let Some(sender) = hand.senders.bounded.as_ref().or(self.sender.as_ref()) else {
            cx.step().await;
            return true;
        };
        match act {
            Send => {
                let sent = sender.send(cx, own).await;
                hand.note(&sent);
                return sent.is_ok();
            }
            TrySend => hand.note(sender.try_send(own)),
            Reserve => match sender.reserve(cx).await.map(mpsc::Permit::into_owned) {
                Ok(room) => {
                    hand.note("ok");
                    hand.keep(Held::Room(room))
                }
                Err(refused) => {
                    hand.note(refused);
                    return false;
                }
            },
            _ => hand.note((sender.len(), sender.available(), sender.is_closed())),
        }
        true
    }

    async fn receive(&self, cx: &Cx, act: Act, hand: &Hand<'_>) {
        let Some(mut receiver) = self.receiver.lend(hand) else {
            if act.waits() {
                cx.step().await
            }
            return;
        };
        match act {
            Receive => hand.note(receiver.recv(cx).await),
            TryReceive => hand.note(receiver.try_recv()),
            ReceiveAck | ReceiveNack => match receiver.recv_ack(cx).await {
                Ok(value) => {
                    hand.note(*value);
                    cx.step().await;
                    if act == ReceiveAck { hand.note(value.ack()) } else { value.nack() }
                }
                Err(none) => hand.note(none),
            },
            _ => receiver.close(),
        }
    }
}
