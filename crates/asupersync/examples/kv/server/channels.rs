//! `Channels`: who subscribes to what.
//!
//! One lock keeps together what has to be seen together: a subscription and its confirmation, and the order
//! of messages, which is the same for all subscribers. It is taken below the lock of the store and above
//! that of an outbox; nothing waits under it.

use super::super::resp::encode;
use super::shared::locked;
use super::subscriber::Outbox;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Name = Box<[u8]>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Channels(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_name: BTreeMap<Name, BTreeMap<u64, Arc<Outbox>>>,
    /// The message being delivered, encoded once for all subscribers.
    message: Vec<u8>,
}

impl Channels {
    /// How many channels have a subscriber.
    pub(super) fn len(&self) -> usize {
        locked(&self.0).by_name.len()
    }

    /// Delivers a message and returns how many subscribers the channel has.
    pub(super) fn publish(&self, channel: &[u8], payload: &[u8]) -> usize {
        let mut inner = locked(&self.0);
        let inner = &mut *inner;
        let Some(subscribers) = inner.by_name.get(channel) else { return 0 };
        inner.message.clear();
        encode::message(&mut inner.message, channel, payload);
        for outbox in subscribers.values() {
            outbox.push(&inner.message);
        }
        inner.message.shrink_to(KEPT);
        subscribers.len()
    }

    /// Subscribes and confirms, in one step: nobody's message comes between the two, and none that is sent
    /// after the client has seen the confirmation is missed.
    pub(super) fn subscribe(&self, channels: Vec<Name>, outbox: &Arc<Outbox>, confirmations: &[u8]) {
        let mut inner = locked(&self.0);
        outbox.push(confirmations);
        for channel in channels {
            inner.by_name.entry(channel).or_default().insert(outbox.id(), outbox.clone());
        }
    }

    /// Takes a client out of some channels.
    pub(super) fn unsubscribe<'a>(&self, channels: impl Iterator<Item = &'a [u8]>, id: u64) {
        let mut inner = locked(&self.0);
        for channel in channels {
            let Some(subscribers) = inner.by_name.get_mut(channel) else { continue };
            subscribers.remove(&id);
            if subscribers.is_empty() {
                inner.by_name.remove(channel);
            }
        }
    }
}

/// Bytes of the message buffer that are kept between messages.
const KEPT: usize = 16 * 1024;
