//! Who has had something from a pool for too long: notes of what is out, and the wait for a place, which watches them.
//!
//! Notes decide nothing, so exploration does not hear of them.
//!
//! Not here: taking anything away from whoever has it. Nobody could use it safely.

use core::{
    future::{Future, poll_fn},
    panic::Location,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cx::{Alarm, Cx, MayTime, port::Report};
use types::{Cancelled, ObligationKind, TaskId, Time, WaitKind};

use super::{Inner, Manage};
use crate::{
    WaitError,
    semaphore::{Permit, Semaphore},
};

static WATCHING: WaitKind = WaitKind::new("leases that are overdue");

/// Something that was leased for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overdue {
    /// Where it was leased.
    pub leased_at: &'static Location<'static>,
    /// By whom.
    pub by: TaskId,
    /// When.
    pub since: Time,
}

struct Note {
    lease: Overdue,
    reported: bool,
}

/// Notes of what is out; none without a lease time.
pub(super) struct Notes {
    lease_time: Option<Duration>,
    out: Mutex<(u64, BTreeMap<u64, Note>)>,
}

impl Notes {
    pub(super) fn new(lease_time: Option<Duration>) -> Self {
        Self { lease_time, out: Mutex::default() }
    }

    fn out(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Note>)> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn leased(
        &self,
        leased_at: &'static Location<'static>,
        by: TaskId,
        now: impl FnOnce() -> Time,
    ) -> u64 {
        if self.lease_time.is_none() {
            return 0;
        }
        let lease = Overdue { leased_at, by, since: now() };
        let (last, notes) = &mut *self.out();
        *last += 1;
        notes.insert(*last, Note { lease, reported: false });
        *last
    }

    pub(super) fn returned(&self, number: u64) {
        if self.lease_time.is_some() {
            self.out().1.remove(&number);
        }
    }

    pub(super) fn overdue(&self, now: Time) -> Vec<Overdue> {
        let Some(lease_time) = self.lease_time else { return Vec::new() };
        let late = |note: &&Note| note.lease.since + lease_time <= now;
        self.out().1.values().filter(late).map(|note| note.lease).collect()
    }

    /// When the next lease that was not reported will be overdue.
    fn next(&self) -> Option<Time> {
        let lease_time = self.lease_time?;
        let out = self.out();
        out.1.values().filter(|note| !note.reported).map(|note| note.lease.since + lease_time).min()
    }

    /// Those that are overdue and were not reported; they are now.
    fn to_report(&self, now: Time) -> Vec<Overdue> {
        let Some(lease_time) = self.lease_time else { return Vec::new() };
        let mut out = self.out();
        let late = |note: &&mut Note| !note.reported && note.lease.since + lease_time <= now;
        let report = |note: &mut Note| {
            note.reported = true;
            note.lease
        };
        out.1.values_mut().filter(late).map(report).collect()
    }

    fn report<C: MayTime>(&self, cx: &Cx<C>) {
        let now = cx.now();
        for Overdue { leased_at, by, since } in self.to_report(now) {
            cx.report(Report::LeaseOverdue { leased_at, by, out_for: now.saturating_since(since) })
        }
    }
}

/// An alarm for the next lease that will be overdue.
struct Watch<'c, C: MayTime> {
    cx: &'c Cx<C>,
    alarm: Option<Alarm>,
}

impl<C: MayTime> Watch<'_, C> {
    /// Reports what is overdue. Woken when the next one is; at `otherwise`, if that's earlier or there is none.
    fn poll(&mut self, notes: &Notes, mut otherwise: impl FnMut() -> Option<Time>, context: &Context<'_>) {
        loop {
            let Some(at) = notes.next().into_iter().chain(otherwise()).min() else { return };
            if self.alarm.as_ref().is_none_or(|alarm| alarm.at() != at)
                && let Some(mut old) = self.alarm.replace(Alarm::new(at))
            {
                old.disarm(self.cx)
            }
            if self.alarm.as_mut().is_none_or(|alarm| alarm.poll(self.cx, context).is_pending()) {
                return;
            }
            notes.report(self.cx);
        }
    }
}

impl<C: MayTime> Drop for Watch<'_, C> {
    fn drop(&mut self) {
        if let Some(alarm) = &mut self.alarm {
            alarm.disarm(self.cx)
        }
    }
}

/// Waits for a place, and reports meanwhile who keeps others waiting for too long.
pub(super) async fn place<M: Manage<C>, C: MayTime>(
    pool: &Inner<M, C>,
    cx: &Cx<C>,
    at: &'static Location<'static>,
) -> Result<Permit<Arc<Semaphore>>, WaitError> {
    let mut acquire = pin!(pool.places.acquire_owned_at(cx, 1, ObligationKind::Lease, at));
    let mut watch = Watch { cx, alarm: None };
    poll_fn(|context| {
        let acquired = acquire.as_mut().poll(context);
        if acquired.is_pending() && pool.notes.lease_time.is_some() {
            watch.poll(&pool.notes, || None, context);
        }
        acquired
    })
    .await
}

/// Reports what is overdue until a request is effective.
pub(super) async fn watch<M: Manage<C>, C: MayTime>(pool: &Inner<M, C>, cx: &Cx<C>) -> Cancelled {
    let mut watch = Watch { cx, alarm: None };
    // What is leased from now on will not be overdue before this. Nobody says when something is leased.
    let mut look = Time::ZERO;
    poll_fn(|context| match cx.poll_proceed(context) {
        Poll::Ready(Err(cancelled)) => Poll::Ready(cancelled),
        Poll::Ready(Ok(())) => {
            if let Some(lease_time) = pool.notes.lease_time {
                let next_look = || {
                    let now = cx.now();
                    if look <= now {
                        look = now + lease_time
                    }
                    Some(look)
                };
                watch.poll(&pool.notes, next_look, context);
            }
            cx.poll_wait(context, &WATCHING);
            Poll::Pending
        }
        Poll::Pending => Poll::Pending,
    })
    .await
}
