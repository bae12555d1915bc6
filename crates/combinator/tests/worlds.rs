//! What the tests of laws share: outcomes over every schedule, and arrivals whose order is open.
//!
//! Holds no test itself: a file that needs it says `mod worlds;`.
#![allow(dead_code, reason = "each test binary uses a part of it")]
use cx::Cx;
use lab::{CancelSweep, LabConfig, Search, Swept};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use sync::oneshot;
use sync::shared::Shared;
use types::{Res, Stop, TaskOutput};

/// Everything that `program` returns on any schedule. Every class of schedules is run.
#[track_caller]
pub(crate) fn outcomes<R: Ord + Debug + Clone + Send + Sync + 'static>(
    program: impl AsyncFnOnce(&mut Cx) -> R + Clone,
) -> BTreeSet<R> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let log = seen.clone();
    let found = Search::every().run("outcomes", None, async move |cx: &mut Cx| {
        let outcome = program(cx).await;
        log.lock().unwrap().insert(outcome);
    });
    assert!(found.complete, "{found}");
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// `program` once for each of its checkpoints, cancelled there, and for each pair of them.
#[track_caller]
pub(crate) fn swept<T: TaskOutput>(program: impl AsyncFnOnce(&mut Cx) -> T + Clone) -> Swept {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("swept", None, program);
    assert!(swept.complete && swept.checkpoints > 2 && swept.acknowledged > 0, "{swept}");
    swept
}

/// Values that arrive in any order: each is sent by a task of its own. The tasks meet in one value as they send, so
/// that every order of arrivals is a class of schedules: by themselves they commute, as far as an exploration can tell,
/// and a waiter that either of them wakes is the only one to see a difference.
pub(crate) fn arrivals<T: Send + 'static, const N: usize>(
    cx: &Cx,
    values: [T; N],
) -> [oneshot::Receiver<T>; N] {
    let arrived = Arc::new(Shared::new(0));
    values.map(|value| {
        let (tx, rx) = oneshot::channel();
        let arrived = arrived.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            arrived.write(|n| *n += 1);
            // Nobody may be left to take it.
            let _ = tx.send(value);
        });
        rx
    })
}

/// What arrives: a value, or `Err` for what is a failure to the combinator.
pub(crate) async fn arrival<T>(cx: &Cx, mut from: oneshot::Receiver<Result<T, Failed>>) -> Res<T, Failed> {
    match from.recv(cx).await {
        Ok(value) => Ok(value?),
        Err(sync::WaitError::Cancelled(c)) => Err(Stop::Cancelled(c)),
        Err(sync::WaitError::Closed) => panic!("every sender sends"),
    }
}

/// A failure with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failed(pub(crate) char);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed", self.0)
    }
}
impl std::error::Error for Failed {}

/// How a body ended, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End<T> {
    Ok(T),
    Failed(char),
    Cancelled(types::CancelKind),
}

pub(crate) fn end<T>(result: Res<T, Failed>) -> End<T> {
    match result {
        Ok(value) => End::Ok(value),
        Err(Stop::Err(Failed(who))) => End::Failed(who),
        Err(Stop::Cancelled(c)) => End::Cancelled(c.kind()),
    }
}

/// Counts bodies that began and bodies that returned: those that were dropped half way are the difference.
#[derive(Clone, Default)]
pub(crate) struct Census {
    began: Arc<AtomicU32>,
    returned: Arc<AtomicU32>,
}

impl Census {
    pub(crate) async fn counted<T>(&self, body: impl Future<Output = T>) -> T {
        self.began.fetch_add(1, SeqCst);
        let value = body.await;
        self.returned.fetch_add(1, SeqCst);
        value
    }

    pub(crate) fn began(&self) -> u32 {
        self.began.load(SeqCst)
    }

    /// Nobody was abandoned: whoever began has returned.
    #[track_caller]
    pub(crate) fn all_returned(&self) {
        assert_eq!(self.began.load(SeqCst), self.returned.load(SeqCst), "a body was dropped half way");
    }
}
