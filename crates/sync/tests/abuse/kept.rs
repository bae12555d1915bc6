//! Permits and guards that outlive the region they belong to. The region reports permits as leaked; using one after that is
//! too late, and gives back what it held all the same, once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
};

use asupersync_sync::{
    Sent, TryRecvError, broadcast, mpsc, mutex, oneshot, rwlock::RwLock, semaphore::Semaphore,
};
use cx::Cx;
use lab::{LabConfig, LabRuntime};

/// What a task of a region has made, taken out after the region has closed over it.
macro_rules! kept {
    ($cx:ident, |$inner:ident| $make:expr) => {{
        let place = Arc::new(Mutex::new(None));
        let put = place.clone();
        $cx.region(|cx| async {
            cx.spawn(async move |$inner: &mut Cx| {
                let made = $make;
                *put.lock().unwrap() = Some(made);
            });
        })
        .await;
        let kept = place.lock().unwrap().take();
        kept.expect("it was made")
    }};
}

/// Uses a permit too late: the value comes back, or, with debug assertions, a panic says why.
fn late<T: PartialEq + std::fmt::Debug>(value: T, send: impl FnOnce() -> Sent<T>) {
    match catch_unwind(AssertUnwindSafe(send)) {
        Ok(sent) => assert_eq!(sent.into_undelivered(), Some(value)),
        Err(panic) if cfg!(debug_assertions) => {
            let text = panic.downcast_ref::<String>().expect("a sentence");
            assert!(text.contains("reported it as leaked"), "{text}");
        }
        Err(panic) => resume_unwind(panic),
    }
}

/// Runs a program whose region reports a leak.
fn leaks(program: impl AsyncFnOnce(&mut Cx)) {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(async |cx| program(cx).await);
    let leak = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(leak.contains(file!()), "{leak}");
    assert!(lab.quiescence_oracle().is_ok());
}

#[test]
fn a_send_permit_that_is_used_too_late_sends_nothing() {
    leaks(async |cx| {
        let (tx, mut rx) = mpsc::unbounded();
        let mine = tx.clone();
        let permit = kept!(cx, |cx| mine.reserve(cx).unwrap().into_owned());
        late(1, || permit.send(1));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        drop(tx);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed), "its place was given up");
    });
}

#[test]
fn an_answer_that_is_owed_too_long_is_none() {
    leaks(async |cx| {
        let (tx, mut rx) = oneshot::channel();
        let permit = kept!(cx, |cx| tx.reserve(cx));
        late(1, || permit.send(1));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn a_broadcast_that_is_owed_too_long_is_none() {
    leaks(async |cx| {
        let (tx, mut rx) = broadcast::channel(1);
        let mine = tx.clone();
        let permit = kept!(cx, |cx| mine.reserve(cx));
        late(1, || permit.send(1));
        assert_eq!(rx.try_recv(), Err(broadcast::TryRecvError::Empty));
    });
}

#[test]
fn semaphore_permits_that_are_kept_too_long_come_back_when_they_are_dropped() {
    leaks(async |cx| {
        let slots = Arc::new(Semaphore::new(2));
        let mine = slots.clone();
        let permit = kept!(cx, |cx| mine.acquire_owned(cx, 2).await.unwrap());
        assert_eq!(slots.available(), 0, "the report gives nothing back");
        drop(permit);
        assert_eq!(slots.available(), 2);
    });
}

#[test]
fn a_leaked_permit_can_not_be_moved_house() {
    leaks(async |cx| {
        let (tx, _rx) = mpsc::channel::<u8>(1);
        let mine = tx.clone();
        let mut permit = kept!(cx, |cx| mine.reserve(cx).await.unwrap().into_owned());
        assert!(permit.rehome(cx).is_err());
        drop(permit);
        assert_eq!(tx.available(), 1);
    });
}

/// Guards are no obligations: a region closes over one, and the lock is free when it is dropped.
#[test]
fn a_guard_may_outlive_its_region() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(async |cx: &mut Cx| {
        let (lock, shared) = (Arc::new(mutex::Mutex::new(1)), Arc::new(RwLock::new(2)));
        let (one, two) = (lock.clone(), shared.clone());
        let guards = kept!(cx, |cx| (one.lock_owned(cx).await.unwrap(), two.read_owned(cx).await.unwrap()));
        assert!(lock.try_lock().is_none() && shared.try_write().is_none());
        assert_eq!((*guards.0, *guards.1), (1, 2));
        drop(guards);
        assert!(lock.try_lock().is_some() && shared.try_write().is_some());
    });
    assert!(lab.oracles().is_ok());
}
