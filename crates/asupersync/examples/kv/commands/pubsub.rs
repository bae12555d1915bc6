//! Channels: what a session subscribes to. Delivering messages is the server's work.

use super::super::resp::encode;
use super::{Call, Done, Effect};

/// PUBLISH channel message. The server delivers it and writes the reply.
pub(super) fn publish(_call: &mut Call<'_>) -> Done {
    Ok(Effect::Publish)
}

/// SUBSCRIBE channel ...
pub(super) fn subscribe(call: &mut Call<'_>) -> Done {
    call.session.pushes = true;
    let mut joined = Vec::new();
    for channel in call.args.tail(1) {
        if call.session.join(channel) {
            joined.push(Box::from(channel));
        }
        confirm(call.out, b"subscribe", Some(channel), call.session.channels.len());
    }
    Ok(if joined.is_empty() { Effect::None } else { Effect::Subscribe(joined) })
}

/// UNSUBSCRIBE [channel ...], from all without a channel.
pub(super) fn unsubscribe(call: &mut Call<'_>) -> Done {
    call.session.pushes = true;
    let mut left = Vec::new();
    if call.args.len() > 1 {
        for channel in call.args.tail(1) {
            left.extend(call.session.part(channel));
            confirm(call.out, b"unsubscribe", Some(channel), call.session.channels.len());
        }
    } else {
        while let Some(channel) = call.session.part_first() {
            confirm(call.out, b"unsubscribe", Some(&channel), call.session.channels.len());
            left.push(channel);
        }
        if left.is_empty() {
            confirm(call.out, b"unsubscribe", None, 0);
        }
    }
    Ok(if left.is_empty() { Effect::None } else { Effect::Unsubscribe(left) })
}

fn confirm(out: &mut Vec<u8>, action: &[u8], channel: Option<&[u8]>, count: usize) {
    encode::array(out, 3);
    encode::bulk(out, action);
    match channel {
        Some(channel) => encode::bulk(out, channel),
        None => encode::nil(out),
    }
    encode::count(out, count);
}
