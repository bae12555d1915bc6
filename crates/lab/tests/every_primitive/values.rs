//! Values that one task makes known to others: a cell that is filled once, a oneshot, a watched value, a broadcast; and what
//! tasks do with them.
//!
//! Not here: channels whose values are for one receiver each (`channels`).
use crate::ends::{End, Ends, Slot};
use crate::hand::Hand;
use cx::Cx;
use sync::once_cell::OnceCell;
use sync::{broadcast, oneshot, watch};
use types::{Res, Stop};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    OnceInit,
    OnceFail,
    OnceGet,
    OnceSet,
    OneSend,
    OneReceive,
    OneTryReceive,
    OneClose,
    OneDropSender,
    OneClosed,
    WatchSend,
    WatchChanged,
    WatchWaitFor,
    WatchHasChanged,
    WatchBorrow,
    WatchUpdate,
    WatchDropSender,
    CastSend,
    CastReceive,
    CastTryReceive,
    CastDropSender,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        let once = matches!(self, OnceInit | OnceFail | OneReceive | OneClosed);
        once || matches!(self, WatchChanged | WatchWaitFor | CastReceive)
    }

    pub(crate) fn needs(self) -> Option<End> {
        match self {
            OneSend | OneDropSender | OneClosed => Some(End::Giver),
            WatchSend | WatchDropSender | CastSend | CastDropSender => Some(End::Giver),
            OneReceive | OneTryReceive | OneClose => Some(End::Taker),
            _ => None,
        }
    }
}

pub(crate) const ONCE: &[Act] = &[OnceInit, OnceFail, OnceGet, OnceSet];
pub(crate) const ONESHOT: &[Act] = &[OneSend, OneReceive, OneTryReceive, OneClose, OneDropSender, OneClosed];
pub(crate) const WATCH: &[Act] =
    &[WatchSend, WatchChanged, WatchWaitFor, WatchHasChanged, WatchBorrow, WatchUpdate, WatchDropSender];
pub(crate) const CAST: &[Act] = &[CastSend, CastSend, CastReceive, CastTryReceive, CastDropSender];

pub(crate) struct Values {
    once: OnceCell<u32>,
    one: (Slot<oneshot::Sender<u32>>, Slot<oneshot::Receiver<u32>>),
    /// A receiver for each task, as of the broadcast.
    watch: (Slot<watch::Sender<u32>>, Vec<Slot<watch::Receiver<u32>>>),
    cast: (Slot<broadcast::Sender<u32>>, Vec<Slot<broadcast::Receiver<u32>>>),
}

impl Values {
    pub(crate) fn new(tasks: usize, ends: Ends) -> Self {
        let one = oneshot::channel();
        let (watch, watcher) = watch::channel(0);
        let (cast, listener) = broadcast::channel(1);
        Values {
            once: OnceCell::new(),
            one: (ends.given(one.0), ends.taken(one.1)),
            watch: (ends.given(watch), (0..tasks).map(|task| ends.slot(task, watcher.clone())).collect()),
            cast: (
                ends.given(cast),
                (0..tasks).map(|task| ends.slot(task, listener.resubscribe())).collect(),
            ),
        }
    }

    /// This task ends.
    pub(crate) fn leave(&self, task: usize) {
        self.one.0.leave(task);
        self.one.1.leave(task);
        self.watch.0.leave(task);
        self.watch.1.iter().for_each(|receiver| receiver.leave(task));
        self.cast.0.leave(task);
        self.cast.1.iter().for_each(|receiver| receiver.leave(task));
    }

    pub(crate) async fn act(&self, cx: &Cx, act: Act, hand: &Hand<'_>) {
        match act {
            OnceInit | OnceFail | OnceGet | OnceSet => self.once(cx, act, hand).await,
            OneSend | OneReceive | OneTryReceive | OneClose | OneDropSender | OneClosed => {
                self.one(cx, act, hand).await
            }
            CastSend | CastReceive | CastTryReceive | CastDropSender => self.cast(cx, act, hand).await,
            _ => self.watch(cx, act, hand).await,
        }
    }

    async fn once(&self, cx: &Cx, act: Act, hand: &Hand<'_>) {
        let own = hand.own as u32;
        match act {
            OnceInit => {
                let make = async {
                    cx.step().await;
                    cx.checkpoint()?;
                    Res::<u32>::Ok(own)
                };
                let made = self.once.get_or_await(cx, make).await;
                hand.note(made.map_err(|_| "unmade"))
            }
            OnceFail => {
                let fail = async {
                    cx.step().await;
                    Res::<u32, &str>::Err(Stop::Err("planned"))
                };
                let made = self.once.get_or_await(cx, fail).await;
                hand.note(made.map_err(|_| "unmade"))
            }
            OnceGet => hand.note(self.once.get()),
            _ => hand.note(self.once.set(40 + own)),
        }
    }

    async fn one(&self, cx: &Cx, act: Act, hand: &Hand<'_>) {
        let (sender, receiver) = &self.one;
        match act {
            OneSend => match sender.take(hand) {
                Some(sender) => hand.note(sender.send(7)),
                None => hand.note("none"),
            },
            OneDropSender => drop(sender.take(hand)),
            OneClosed => match sender.lend(hand) {
                Some(mut sender) => hand.note(sender.closed(cx).await),
                None => cx.step().await,
            },
            OneReceive => match receiver.lend(hand) {
                Some(mut receiver) => hand.note(receiver.recv(cx).await),
                None => cx.step().await,
            },
            OneTryReceive => {
                if let Some(mut receiver) = receiver.lend(hand) {
                    hand.note(receiver.try_recv())
                }
            }
            _ => {
                if let Some(mut receiver) = receiver.lend(hand) {
                    receiver.close()
                }
            }
        }
    }

    async fn watch(&self, cx: &Cx, act: Act, hand: &Hand<'_>) {
        let (sender, receivers) = &self.watch;
        match act {
            WatchSend => {
                if let Some(sender) = sender.lend(hand) {
                    let next = *sender.borrow() + 1;
                    sender.send(next);
                    hand.note(next)
                }
            }
            WatchDropSender => drop(sender.take(hand)),
            _ => {
                let Some(mut receiver) = receivers[hand.own].lend(hand) else { return };
                match act {
                    WatchChanged => {
                        hand.note(receiver.changed(cx).await);
                        hand.note(*receiver.borrow())
                    }
                    WatchWaitFor => hand.note(receiver.wait_for(cx, |value| *value >= 2).await),
                    WatchHasChanged => hand.note((receiver.has_changed(), receiver.is_closed())),
                    WatchBorrow => hand.note(*receiver.borrow()),
                    _ => hand.note(*receiver.borrow_and_update()),
                }
            }
        }
    }

    async fn cast(&self, cx: &Cx, act: Act, hand: &Hand<'_>) {
        let (sender, receivers) = &self.cast;
        match act {
            CastSend => {
                if let Some(sender) = sender.lend(hand) {
                    hand.note(sender.send(hand.own as u32))
                }
            }
            CastDropSender => drop(sender.take(hand)),
            _ => {
                let Some(mut receiver) = receivers[hand.own].lend(hand) else { return };
                match act {
                    CastReceive => hand.note(receiver.recv(cx).await),
                    _ => hand.note(receiver.try_recv()),
                }
            }
        }
    }
}
