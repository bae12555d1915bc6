//! The timer of the next deadline, so that a key that nobody asks for goes too.
//!
//! One timer on the wheel serves all keys: it stands at the store's earliest deadline. Whoever makes an
//! earlier one notifies (`pipeline`); a deadline that went away makes the timer fire once for nothing.

use super::Serving;
use super::shared::{Shared, locked};
use asupersync::prelude::*;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// Keys that are removed before others have a turn at the store.
const BATCH: usize = 256;

/// Starts the task, a daemon.
pub(super) fn start(cx: &Cx<Serving>, shared: &Arc<Shared>) {
    let shared = shared.clone();
    cx.spawn_daemon(async move |cx: &mut Cx<Serving>| run(cx, &shared).await);
}

async fn run(cx: &mut Cx<Serving>, shared: &Shared) -> Res {
    cx.name_task("expiry");
    loop {
        let Some(next) = remove_due(shared, cx.now()) else {
            cx.yield_now().await;
            continue;
        };
        // What was notified since the look at the store is kept.
        let mut moved = pin!(shared.deadline_moved.notified(cx));
        let mut due = pin!(cx.sleep_until(next));
        poll_fn(|context| match moved.as_mut().poll(context) {
            Poll::Ready(moved) => Poll::Ready(moved),
            Poll::Pending => due.as_mut().poll(context),
        })
        .await?;
    }
}

/// Removes keys whose deadline has come. Returns when to look again, or `None` if there may be more now.
fn remove_due(shared: &Shared, now: Time) -> Option<Time> {
    let mut core = locked(&shared.core);
    if core.store.expire_due(shared.wall(now), BATCH) == BATCH {
        return None;
    }
    core.armed = core.store.next_deadline();
    Some(core.armed.map_or(Time::MAX, |deadline| shared.instant(deadline)))
}
