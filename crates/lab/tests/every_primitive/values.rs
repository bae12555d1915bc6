//! Values that one task makes known to others: a cell that is filled once, a oneshot, a watched value, a broadcast; and what
//! tasks do with them.
//!
//! Not here: channels whose values are for one receiver each (`channels`).
use crate::hand::{Hand, Slot};
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
    pub(crate) fn new(tasks: usize) -> Self {
        let one = oneshot::channel();
        let (watch, watcher) = watch::channel(0);
        let (cast, listener) = broadcast::channel(1);
        Values {
            once: OnceCell::new(),
            one: (Slot::new(one.0), Slot::new(one.1)),
            watch: (Slot::new(watch), (0..tasks).map(|_| Slot::new(watcher.clone())).collect()),
            cast: (Slot::new(cast), (0..tasks).map(|_| Slot::new(listener.resubscribe())).collect()),
        }
    }

    pub(crate) async fn act(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) {
        match act {
            OnceInit | OnceFail | OnceGet | OnceSet => self.once(cx, act, hand).await,
            OneSend | OneReceive | OneTryReceive | OneClose | OneDropSender | OneClosed => {
                self.one(cx, act, hand).await
            }
            CastSend | CastReceive | CastTryReceive | CastDropSender => self.cast(cx, act, hand).await,
            _ => self.watch(cx, act, hand).await,
        }
    }

    async fn once(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) {
        let own = hand.own as u32;
        match act {
            OnceInit => {
                let make = async |cx: &mut Cx| -> Res<u32> {
                    cx.step().await;
                    cx.checkpoint()?;
                    Ok(own)
                };
                let made = self.once.get_or_try_init(cx, make).await;
                hand.note(made.map_err(|_| "unmade"))
            }
            OnceFail => {
                let fail = async |cx: &mut Cx| -> Res<u32, &str> {
                    cx.step().await;
                    Err(Stop::Err("planned"))
                };
                let made = self.once.get_or_try_init(cx, fail).await;
                hand.note(made.map_err(|_| "unmade"))
            }
            OnceGet => hand.note(self.once.get()),
            _ => hand.note(self.once.set(40 + own)),
        }
    }

    async fn one(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) {
        let (sender, receiver) = &self.one;
        match act {
            OneSend => match sender.take() {
                Some(sender) => hand.note(sender.send(7)),
                None => hand.note("none"),
            },
            OneDropSender => drop(sender.take()),
            OneClosed => match sender.lend() {
                Some(mut sender) => hand.note(sender.closed(cx).await),
                None => cx.step().await,
            },
            OneReceive => match receiver.lend() {
                Some(mut receiver) => hand.note(receiver.recv(cx).await),
                None => cx.step().await,
            },
            OneTryReceive => {
                if let Some(mut receiver) = receiver.lend() {
                    hand.note(receiver.try_recv())
                }
            }
            _ => {
                if let Some(mut receiver) = receiver.lend() {
                    receiver.close()
                }
            }
        }
    }

    async fn watch(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) {
        let (sender, receivers) = &self.watch;
        match act {
            WatchSend => {
                if let Some(sender) = sender.lend() {
                    let next = *sender.borrow() + 1;
                    sender.send(next);
                    hand.note(next)
                }
            }
            WatchDropSender => drop(sender.take()),
            _ => {
                let Some(mut receiver) = receivers[hand.own].lend() else { return };
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

    async fn cast(&self, cx: &mut Cx, act: Act, hand: &Hand<'_>) {
        let (sender, receivers) = &self.cast;
        match act {
            CastSend => {
                if let Some(sender) = sender.lend() {
                    hand.note(sender.send(hand.own as u32))
                }
            }
            CastDropSender => drop(sender.take()),
            _ => {
                let Some(mut receiver) = receivers[hand.own].lend() else { return };
                match act {
                    CastReceive => hand.note(receiver.recv(cx).await),
                    _ => hand.note(receiver.try_recv()),
                }
            }
        }
    }
}
