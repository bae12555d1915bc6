//! Wakers of others, whose clone, wake and drop are code: it comes back to what the waker is for, or panics. No lock of the
//! kernel is held meanwhile, and nobody but their owner is concerned.
use super::watchdog::watched;
use super::{kept, quiet};
use combinator::TaskSet;
use cx::{Cx, Joins, Reserved, Row, TaskHandle};
use raw::{Hooks, waker};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use sync::mpsc;
use time::TimeExt;
use types::{CancelKind, Never, ObligationKind, Outcome, TaskId};

#[path = "wakers/raw.rs"]
mod raw;

/// Calls its owner back when it is cloned, woken and dropped. Not from within such a call.
struct CallsBack<F> {
    call: F,
    inside: AtomicBool,
    calls: AtomicUsize,
}

impl<F: Fn() + Send + Sync + 'static> CallsBack<F> {
    fn new(call: F) -> Arc<CallsBack<F>> {
        Arc::new(CallsBack { call, inside: AtomicBool::new(false), calls: AtomicUsize::new(0) })
    }

    fn calls(&self) {
        if !self.inside.swap(true, SeqCst) {
            (self.call)();
            self.calls.fetch_add(1, SeqCst);
            self.inside.store(false, SeqCst)
        }
    }
}

impl<F: Fn() + Send + Sync + 'static> Hooks for CallsBack<F> {
    fn cloned(&self) {
        self.calls()
    }
    fn woken(&self) {
        self.calls()
    }
    fn dropped(&self) {
        self.calls()
    }
}

/// Panics wherever it is told to.
#[derive(Default)]
struct Panics {
    cloned: AtomicBool,
    woken: AtomicBool,
    dropped: AtomicBool,
}

impl Hooks for Panics {
    fn cloned(&self) {
        assert!(!self.cloned.load(SeqCst), "cloned")
    }
    fn woken(&self) {
        assert!(!self.woken.load(SeqCst), "woken")
    }
    fn dropped(&self) {
        assert!(!self.dropped.load(SeqCst), "dropped")
    }
}

impl Panics {
    /// One that panics when it is woken.
    fn woken() -> Waker {
        waker(Arc::new(Panics { woken: AtomicBool::new(true), ..Panics::default() }))
    }
}

/// Polls `future` once through `waker`: it has to wait.
fn waits(future: Pin<&mut impl Future>, waker: &Waker) {
    assert!(future.poll(&mut Context::from_waker(waker)).is_pending())
}

/// Polls `future` through `waker` until it's ready, whenever this task is polled.
async fn through<T>(waker: &Waker, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(&mut Context::from_waker(waker));
        if polled.is_pending() {
            context.waker().wake_by_ref()
        }
        polled
    })
    .await
}

/// Runs `body` on runtimes of several sizes.
fn on_all(what: &'static str, body: impl AsyncFn(&mut Cx)) {
    for n in [1, 2] {
        watched(what, quiet(n), async |cx| body(cx).await)
    }
}

type Shared<T> = Arc<Mutex<Option<T>>>;

/// What is in it, taken out under the lock and used without.
fn with<T: Clone>(shared: &Shared<T>, call: impl FnOnce(T)) {
    let there = shared.lock().expect("never poisoned").clone();
    if let Some(there) = there {
        call(there)
    }
}

#[test]
fn a_waker_may_use_the_region_whose_end_it_waits_for() {
    on_all("a waker that uses a draining region", async |cx| {
        let place: Shared<cx::RegionHandle> = Arc::default();
        let region = place.clone();
        let hooks = CallsBack::new(move || {
            with(&region, |region| {
                assert!(region.view().is_some() || region.id().is_none());
                region.cancel(CancelKind::Explicit, "its waker says so", None)
            })
        });
        let drains = cx.region(|scope| async {
            *place.lock().expect("never poisoned") = Some(scope.handle());
            scope.spawn(async |cx: &mut Cx| drop(cx.sleep(Duration::from_secs(3600)).await));
        });
        through(&waker(hooks.clone()), drains).await;
        assert!(hooks.calls.load(SeqCst) > 0);
    });
}

/// A permit on its way out of the region that waits for it.
type Left = Arc<Mutex<Option<Reserved>>>;

/// A region whose task leaves a permit behind, for which it waits.
async fn leaves_a_permit(cx: &mut Cx, place: Left) {
    cx.region(|scope| async {
        scope.spawn(async move |cx: &mut Cx| {
            let permit = cx.reserve(ObligationKind::SendPermit, Location::caller());
            *place.lock().expect("never poisoned") = Some(permit);
        });
    })
    .await
}

/// Polls that region until its members have ended, so that it's the permit it waits for from then on.
async fn left(mut region: Pin<&mut impl Future>, place: &Left) {
    poll_fn(|context| {
        assert!(region.as_mut().poll(context).is_pending());
        if place.lock().expect("never poisoned").is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await
}

#[test]
fn a_waker_may_settle_the_obligation_that_its_region_waits_for() {
    on_all("a waker that settles an obligation", async |cx| {
        let place = Left::default();
        let permit = place.clone();
        let hooks = CallsBack::new(move || {
            let permit = permit.lock().expect("never poisoned").take();
            assert!(permit.is_none_or(|permit| permit.commit().is_ok()));
        });
        let mut settles = pin!(leaves_a_permit(cx, place.clone()));
        left(settles.as_mut(), &place).await;
        through(&waker(hooks.clone()), settles).await;
        assert!(hooks.calls.load(SeqCst) > 0);
        assert!(place.lock().expect("never poisoned").is_none());
    });
}

#[test]
fn a_waker_may_stop_the_task_whose_wait_it_is_registered_for() {
    on_all("a waker that stops its task", async |cx| {
        let place: Arc<Mutex<Option<TaskHandle<(), Never>>>> = Arc::default();
        let itself = place.clone();
        let hooks = CallsBack::new(move || {
            if let Some(task) = &*itself.lock().expect("never poisoned") {
                task.cancel("its waker says so")
            }
        });
        let waits = hooks.clone();
        let (tell, told) = (place.clone(), Arc::new(AtomicBool::new(false)));
        let begins = told.clone();
        let task = cx.spawn(async move |cx: &mut Cx| {
            while !begins.load(SeqCst) {
                cx.yield_now().await
            }
            let refused = through(&waker(waits), cx.sleep(Duration::from_secs(3600))).await;
            assert_eq!(refused.map_err(|c| c.kind()), Err(CancelKind::Explicit));
        });
        *tell.lock().expect("never poisoned") = Some(task);
        told.store(true, SeqCst);
        while !place.lock().expect("never poisoned").as_ref().is_none_or(|task| task.is_finished()) {
            cx.yield_now().await
        }
        let task = place.lock().expect("never poisoned").take();
        let outcome = task.expect("put there before").join(cx).await;
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
        assert!(hooks.calls.load(SeqCst) > 0);
    });
}

/// A member of a set that ends when whoever has its waker wakes it.
#[derive(Clone, Default)]
struct EndsWhenWoken(Shared<Waker>);

impl Joins for EndsWhenWoken {
    type Ok = ();
    type Err = Never;
    fn id(&self) -> TaskId {
        TaskId::from_u64(1)
    }
    fn try_join<C: Row>(&mut self, _: &Cx<C>) -> Option<Outcome<(), Never>> {
        Some(Outcome::Ok(()))
    }
    fn wake_at_end(&mut self, waker: &Waker) -> bool {
        *self.0.lock().expect("never poisoned") = Some(waker.clone());
        true
    }
    fn cancel_at(&self, _: &'static str, _: &'static Location<'static>) {}
}

#[test]
fn a_waker_may_end_a_member_of_the_set_that_it_waits_for() {
    on_all("a waker that ends a member of its set", async |cx| {
        let member = EndsWhenWoken::default();
        let mut set = TaskSet::adopting();
        set.adopt(member.clone());
        let hooks = CallsBack::new(move || {
            let end = member.0.lock().expect("never poisoned").take();
            if let Some(end) = end {
                end.wake()
            }
        });
        let ended = through(&waker(hooks), set.join_next(cx)).await;
        assert!(matches!(ended, Ok(Some(Outcome::Ok(())))), "{ended:?}");
    });
}

#[test]
fn a_region_whose_frame_is_polled_through_a_waker_that_panics_when_cloned_ends_all_the_same() {
    on_all("a panic in a clone", async |cx| {
        let ended = Arc::new(AtomicBool::new(false));
        let hooks = Arc::new(Panics::default());
        let bad = waker(hooks.clone());
        {
            let ends = ended.clone();
            let mut drains = pin!(cx.region(|scope| async {
                scope.spawn(async move |cx: &mut Cx| {
                    cx.cancelled().await;
                    ends.store(true, SeqCst);
                });
            }));
            hooks.cloned.store(true, SeqCst);
            let polled =
                catch_unwind(AssertUnwindSafe(|| drains.as_mut().poll(&mut Context::from_waker(&bad))));
            assert!(polled.is_err(), "the poll's caller hears of it");
        }
        // Its frame is gone now, which cancels what is in it.
        while !ended.load(SeqCst) {
            cx.yield_now().await
        }
        hooks.cloned.store(false, SeqCst);
        cx.region(|scope| async { drop(scope.spawn(async |_: &mut Cx| {})) }).await;
    });
}

#[test]
fn a_task_ends_though_wakers_that_waited_in_it_panic_when_they_are_dropped() {
    for n in [1, 2] {
        let (runtime, kept) = kept(n);
        watched("panics in drops of wakers", runtime, async |cx| {
            for _ in 0..10 {
                let mut task = cx.spawn(async |cx: &mut Cx| {
                    let hooks = Arc::new(Panics::default());
                    waits(pin!(cx.cancelled()), &waker(hooks.clone()));
                    // The one above is gone; its clone is with the task.
                    hooks.dropped.store(true, SeqCst);
                });
                let outcome = task.join(cx).await;
                assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
            }
        });
        assert_eq!(kept.say("a waker that is not this runtime's panicked"), 10);
    }
}

/// Two panics at once would end the process.
#[test]
fn a_task_s_end_wakes_its_joiner_and_its_region_though_both_wakers_panic() {
    on_all("two wakers of one end panic", async |cx| {
        for _ in 0..10 {
            let place: Arc<Mutex<Option<TaskHandle<u8, Never>>>> = Arc::default();
            {
                let mut drains = pin!(cx.region(|scope| async {
                    let mut task = scope.spawn(async |cx: &mut Cx| {
                        let _ = cx.sleep(Duration::from_millis(1)).await;
                        Ok::<u8, Never>(7)
                    });
                    assert!(task.wake_at_end(&Panics::woken()));
                    *place.lock().expect("never poisoned") = Some(task);
                }));
                waits(drains.as_mut(), &Panics::woken());
                let finished =
                    || place.lock().expect("never poisoned").as_ref().is_some_and(|t| t.is_finished());
                while !finished() {
                    GivesWay::default().await;
                }
                drains.await;
            }
            let task = place.lock().expect("never poisoned").take();
            assert!(matches!(task.expect("put there").try_join(cx), Some(Outcome::Ok(7))));
        }
    });
}

/// Gives way once, without a `Cx`: that is lent out.
#[derive(Default)]
struct GivesWay(bool);

impl Future for GivesWay {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn a_value_that_was_taken_is_not_lost_to_the_panic_of_a_sender_s_waker() {
    on_all("panics in senders' wakers", async |cx| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(1).expect("room");
        let mut waiting = pin!(tx.send(cx, 2));
        for received in [1, 2] {
            if received == 1 {
                waits(waiting.as_mut(), &Panics::woken());
            }
            let value = match received {
                1 => rx.recv(cx).await.ok(),
                _ => {
                    waiting.as_mut().await.expect("there is room now");
                    rx.try_recv().ok()
                }
            };
            assert_eq!(value, Some(received));
        }
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(1).expect("room");
        let mut waiting = pin!(tx.reserve(cx));
        waits(waiting.as_mut(), &Panics::woken());
        assert_eq!(rx.recv_ack(cx).await.expect("it is there").ack(), 1);
        drop(waiting.as_mut().await.expect("there is room now"));
    });
}

#[test]
fn a_value_that_was_sent_is_there_though_its_receiver_s_waker_panics() {
    on_all("panics in receivers' wakers", async |cx| {
        let (tx, mut rx) = mpsc::channel(1);
        {
            waits(pin!(rx.recv(cx)), &Panics::woken());
        }
        let mut receive = pin!(rx.recv(cx));
        waits(receive.as_mut(), &Panics::woken());
        tx.reserve(cx).await.expect("room").send(1);
        assert_eq!(receive.await.ok(), Some(1));
        let (tx, mut rx) = sync::oneshot::channel();
        let mut receive = pin!(rx.recv(cx));
        waits(receive.as_mut(), &Panics::woken());
        assert_eq!(tx.send(2), Ok(()));
        assert_eq!(receive.await.ok(), Some(2));
        let lock = sync::mutex::Mutex::new(3);
        let held = lock.try_lock().expect("free");
        let mut next = pin!(lock.lock(cx));
        waits(next.as_mut(), &Panics::woken());
        drop(held);
        assert_eq!(*next.await.expect("it was given to us"), 3);
    });
}

#[test]
fn a_permit_is_sent_though_the_region_that_waits_for_it_has_a_waker_that_panics() {
    on_all("a panic in a closer's waker", async |cx| {
        let place = Left::default();
        let mut settles = pin!(leaves_a_permit(cx, place.clone()));
        left(settles.as_mut(), &place).await;
        waits(settles.as_mut(), &Panics::woken());
        let permit = place.lock().expect("never poisoned").take();
        assert!(permit.is_some_and(|permit| permit.commit().is_ok()));
        settles.await
    });
}

/// Polls `future` once through a waker that panics when it is cloned, and drops it: the poll's caller hears of that.
fn is_refused_a_clone(future: impl Future) {
    let bad = waker(Arc::new(Panics { cloned: AtomicBool::new(true), ..Panics::default() }));
    let mut future = pin!(future);
    let poll = || drop(future.as_mut().poll(&mut Context::from_waker(&bad)));
    assert!(catch_unwind(AssertUnwindSafe(poll)).is_err());
}

#[test]
fn a_wait_whose_waker_panics_when_it_is_cloned_has_taken_nothing_and_stands_in_no_line() {
    on_all("panics in clones of waits", async |cx| {
        let (tx, mut rx) = mpsc::channel(1);
        is_refused_a_clone(rx.recv(cx));
        tx.try_send(1).expect("room");
        is_refused_a_clone(tx.send(cx, 2));
        is_refused_a_clone(tx.reserve(cx));
        assert_eq!(rx.recv(cx).await.ok(), Some(1));
        tx.send(cx, 3).await.expect("the room is nobody else's");
        assert_eq!((rx.try_recv().ok(), rx.len()), (Some(3), 0));

        let (lock, slots) = (sync::mutex::Mutex::new(()), sync::semaphore::Semaphore::new(1));
        let shared = sync::rwlock::RwLock::new(());
        {
            let _held = (lock.try_lock(), slots.try_acquire(cx, 1), shared.try_write());
            is_refused_a_clone(lock.lock(cx));
            is_refused_a_clone(slots.acquire(cx, 1));
            is_refused_a_clone(shared.read(cx));
            is_refused_a_clone(shared.write(cx));
        }
        assert!(lock.try_lock().is_some() && slots.available() == 1 && shared.try_write().is_some());

        let told = sync::notify::Notify::new();
        is_refused_a_clone(told.notified(cx));
        told.notify_one();
        assert!(told.notified(cx).await.is_ok(), "the notification is still there");

        let (tx, mut rx) = sync::oneshot::channel();
        is_refused_a_clone(rx.recv(cx));
        assert_eq!(tx.send(4), Ok(()));
        assert_eq!(rx.recv(cx).await.ok(), Some(4));

        let mut task = cx.spawn(async |cx: &mut Cx| {
            cx.yield_now().await;
            Ok::<_, Never>(5)
        });
        // It may have ended by now on another worker: then nobody has to be cloned.
        let bad = waker(Arc::new(Panics { cloned: AtomicBool::new(true), ..Panics::default() }));
        let joins = || {
            let mut join = pin!(task.join(cx));
            join.as_mut().poll(&mut Context::from_waker(&bad)).map(Outcome::ok)
        };
        match catch_unwind(AssertUnwindSafe(joins)) {
            Ok(polled) => assert!(matches!(polled, Poll::Ready(Ok(5)))),
            Err(_) => assert!(matches!(task.join(cx).await, Outcome::Ok(5))),
        }
    });
}

/// The wakers that `std` makes, for those who do not write tables.
#[test]
fn a_waker_of_an_arc_that_panics_when_it_is_dropped_with_its_last_clone_is_contained() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the last clone")
        }
    }
    on_all("a panic in the last drop", async |cx| {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            let bomb = Waker::from(Arc::new(Bomb));
            waits(pin!(cx.sleep(Duration::from_millis(1))), &bomb);
            // The timer is taken back with the sleep, and the task keeps the last one.
            drop(bomb);
        });
        let outcome = task.join(cx).await;
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    });
}
