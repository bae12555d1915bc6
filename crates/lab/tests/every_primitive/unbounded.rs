//! A channel without a bound, and what tasks do with it.
//!
//! Not here: channels with room for so many (`channels`).
use crate::ends::{End, Ends, Slot};
use crate::hand::Hand;
use cx::Cx;
use sync::mpsc::{self, unbounded};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Send,
    /// Reserves, and sends after a step; or gives it up.
    Commit,
    Abort,
    Receive,
    TryReceive,
    ReceiveAck,
    ReceiveNack,
    Close,
    LookAtChannel,
    DropSender,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Receive | ReceiveAck | ReceiveNack | Commit | Abort)
    }

    pub(crate) fn needs(self) -> Option<End> {
        let receives = matches!(self, Receive | TryReceive | ReceiveAck | ReceiveNack | Close);
        receives.then_some(End::Taker)
    }
}

pub(crate) const UNBOUNDED: &[Act] = &[
    Send,
    Send,
    Commit,
    Abort,
    Receive,
    TryReceive,
    ReceiveAck,
    ReceiveNack,
    Close,
    LookAtChannel,
    DropSender,
];

pub(crate) struct Unbounded {
    /// What sends where senders are not moved into tasks: it is never dropped.
    sender: Option<unbounded::Sender<u32>>,
    pub(crate) receiver: Slot<unbounded::Receiver<u32>>,
}

impl Unbounded {
    /// And a sender to be moved.
    pub(crate) fn new(ends: Ends) -> (Self, Option<unbounded::Sender<u32>>) {
        let (sender, receiver) = mpsc::unbounded();
        let receiver = ends.taken(receiver);
        match ends.are_moved() {
            true => (Unbounded { sender: None, receiver }, Some(sender)),
            false => (Unbounded { sender: Some(sender), receiver }, None),
        }
    }

    pub(crate) async fn act(&self, cx: &Cx, act: Act, hand: &mut Hand<'_>) {
        match act {
            Receive | TryReceive | ReceiveAck | ReceiveNack | Close => self.receive(cx, act, hand).await,
            DropSender => drop(hand.senders.unbounded.take()),
            _ => match hand.senders.unbounded.as_ref().or(self.sender.as_ref()) {
                Some(sender) => send(sender, cx, act, hand).await,
                None => cx.step().await,
            },
        }
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

async fn send(sender: &unbounded::Sender<u32>, cx: &Cx, act: Act, hand: &Hand<'_>) {
    let own = hand.own as u32;
    match act {
        Send => hand.note(sender.send(own)),
        Commit | Abort => match sender.reserve(cx) {
            Ok(owed) => {
                cx.step().await;
                if act == Commit { hand.note(owed.send(50 + own)) } else { owed.abort() }
            }
            Err(closed) => hand.note(closed),
        },
        _ => hand.note((sender.len(), sender.is_closed())),
    }
}
