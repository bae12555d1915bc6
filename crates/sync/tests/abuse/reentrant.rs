//! Wakers and values whose code calls back into the primitive that is just waking, dropping or replacing them. No lock is held
//! then (`queue.unlocked-wake`), so nothing deadlocks; were one held, these tests would not end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Wake, Waker},
};

use asupersync_sync::{
    WaitNode,
    barrier::round::{Arrival, Round},
    broadcast::{
        self,
        tape::{Cursor, Tape},
    },
    event::flag::{Flag, Since},
    latch::count::Count,
    mpsc::{self, ring, unbounded::line},
    mutex::lock_word::LockWord,
    notify::signal::Signal,
    oneshot::word,
    rendezvous::table::{Offer, Table},
    rwlock::share::{Mode, Share},
    semaphore::permits::Permits,
    watch::{self, latest::Latest},
};

/// Calls back when it's woken and when it's dropped.
struct CallsBack {
    call: Box<dyn Fn() + Send + Sync>,
    calls: Arc<AtomicUsize>,
}

impl CallsBack {
    fn call(&self) {
        self.calls.fetch_add(1, Relaxed);
        (self.call)();
    }
}

impl Wake for CallsBack {
    fn wake(self: Arc<Self>) {
        self.call();
    }
}

impl Drop for CallsBack {
    fn drop(&mut self) {
        self.call();
    }
}

/// A waker that calls `call` back, and how often it did.
fn calling(call: impl Fn() + Send + Sync + 'static) -> (Waker, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    (Arc::new(CallsBack { call: Box::new(call), calls: calls.clone() }).into(), calls)
}

/// Puts such a waiter in (`poll`), replaces it, and lets it go (`open`): it has called back by waking and by being dropped.
fn calls_back<L: Send + Sync + 'static>(
    core: L,
    call: impl Fn(&L) + Clone + Send + Sync + 'static,
    mut poll: impl FnMut(&L, Waker) -> bool,
    open: impl FnOnce(&L),
) {
    let core = Arc::new(core);
    let waker = || {
        let (core, call) = (Arc::downgrade(&core), call.clone());
        calling(move || {
            if let Some(core) = core.upgrade() {
                call(&core);
            }
        })
    };
    let (first, replaced) = waker();
    assert!(!poll(&core, first));
    let (second, woken) = waker();
    assert!(!poll(&core, second));
    assert!(replaced.load(Relaxed) >= 1, "the first waker was dropped");
    open(&core);
    assert!(woken.load(Relaxed) >= 1, "the second one was woken");
    assert!(poll(&core, Waker::noop().clone()), "it has what it waited for");
}

#[test]
fn locks_and_permits_bear_wakers_that_use_them() {
    let mut node = WaitNode::new();
    calls_back(
        Permits::<Waker>::new(0),
        |slots| {
            assert!(slots.try_acquire(7).is_err());
            slots.release(0);
        },
        |slots, waker| slots.poll_acquire(&mut node, 1, || waker).is_ready(),
        |slots| slots.release(1),
    );
    let mut node = WaitNode::new();
    let lock = LockWord::<Waker>::new();
    assert!(lock.try_lock());
    calls_back(
        lock,
        |lock| {
            if lock.try_lock() {
                lock.unlock();
            }
        },
        |lock, waker| lock.poll_lock(&mut node, || waker).is_ready(),
        LockWord::unlock,
    );
    let mut node = WaitNode::new();
    let share = Share::<Waker>::default();
    assert!(share.try_acquire(Mode::Write));
    calls_back(
        share,
        |share| {
            if share.try_acquire(Mode::Read) {
                share.release(Mode::Read);
            }
            share.holders();
        },
        |share, waker| share.poll_acquire(&mut node, Mode::Read, || waker).is_ready(),
        |share| share.release(Mode::Write),
    );
    let share = Share::<Waker>::default();
    assert!(share.try_acquire(Mode::Read) && share.try_acquire(Mode::Upgradable));
    calls_back(
        share,
        |share| assert!(!share.try_acquire(Mode::Write)),
        |share, waker| share.poll_upgrade(|| waker).is_ready(),
        |share| share.release(Mode::Read),
    );
}

#[test]
fn signals_bear_wakers_that_use_them() {
    let mut node = WaitNode::new();
    calls_back(
        Signal::<Waker>::new(),
        Signal::notify_waiters,
        |signal, waker| signal.poll_notified(&mut node, || waker).is_ready(),
        Signal::notify_one,
    );
    let (mut node, mut since) = (WaitNode::new(), Since::default());
    calls_back(
        Flag::<Waker>::new(false),
        Flag::reset,
        |flag, waker| flag.poll_set(&mut node, &mut since, || waker).is_ready(),
        Flag::set,
    );
    let mut node = WaitNode::new();
    calls_back(
        Count::<Waker>::new(1),
        |count| assert!(count.left() <= 1),
        |count, waker| count.poll_open(&mut node, || waker).is_ready(),
        |count| assert!(count.down(1)),
    );
    let mut arrival = Arrival::default();
    let nobody = || Waker::noop().clone();
    calls_back(
        Round::<Waker>::new(3),
        move |round| {
            let mut other = Arrival::default();
            assert!(round.poll_pass(&mut other, nobody).is_pending());
            round.leave(&mut other);
        },
        |round, waker| round.poll_pass(&mut arrival, || waker).is_ready(),
        |round| {
            let (mut second, mut last) = (Arrival::default(), Arrival::default());
            assert!(round.poll_pass(&mut second, nobody).is_pending());
            assert!(round.poll_pass(&mut last, nobody).is_ready());
            round.leave(&mut second);
        },
    );
}

#[test]
fn channels_bear_wakers_that_use_them() {
    let (tx, rx) = ring::channel::<u8, Waker>(1);
    assert!(tx.try_send(1).is_ok());
    let rx = std::sync::Mutex::new(rx);
    let mut node = WaitNode::new();
    let sender = tx.clone();
    calls_back(
        tx,
        |tx| assert!(tx.try_send(2).is_err() && !tx.is_closed()),
        |_, waker| match sender.poll_permit(&mut node, || waker) {
            std::task::Poll::Ready(permit) => permit.is_ok_and(|permit| permit.send(3).is_ok()),
            std::task::Poll::Pending => false,
        },
        |_| assert_eq!(rx.lock().unwrap().try_recv(), Ok(1)),
    );
    let (tx, mut rx) = ring::channel::<u8, Waker>(2);
    calls_back(
        tx,
        |tx| drop(tx.clone()),
        |_, waker| rx.poll_recv(|| waker).is_ready(),
        |tx| assert!(tx.try_send(1).is_ok()),
    );
    let (tx, mut rx) = line::channel::<u8, Waker>();
    let mut node = WaitNode::new();
    calls_back(
        tx,
        |tx| assert!(tx.len() <= 1),
        |_, waker| rx.poll_recv(&mut node, || waker).is_ready(),
        |tx| assert_eq!(tx.send(1), Ok(())),
    );
}

#[test]
fn rendezvous_broadcast_and_watch_bear_wakers_that_use_them() {
    let (mut offer, mut value) = (Offer::default(), Some(1));
    calls_back(
        Table::<u8, Waker>::default(),
        |table| assert!(table.offers() <= 1),
        |table, waker| table.poll_send(&mut offer, &mut value, || waker).is_ready(),
        |table| assert_eq!(table.try_recv(), Ok(1)),
    );
    let (mut node, mut at) = (WaitNode::new(), Cursor::default());
    calls_back(
        Tape::<u8, Waker>::new(1),
        |tape| assert_eq!(tape.capacity(), 1 + tape.len() - tape.len()),
        |tape, waker| tape.poll_recv(&mut node, &mut at, || waker).is_ready(),
        |tape| assert_eq!(tape.send(1), Ok(1)),
    );
    let mut node = WaitNode::new();
    calls_back(
        Latest::<u8, Waker>::new(0),
        |latest| drop(latest.look()),
        |latest, waker| latest.poll_changed(&mut node, 0, || waker).is_ready(),
        |latest| drop(latest.replace(1)),
    );
}

#[test]
fn waits_for_the_other_side_bear_wakers_that_use_it() {
    let (mut node, (tx, rx)) = (WaitNode::new(), ring::channel::<u8, Waker>(1));
    calls_back(
        tx,
        |tx| assert!(tx.is_empty() && tx.free() == 1),
        |tx, waker| tx.leaving().poll(&mut node, || waker).is_ready(),
        |_| drop(rx),
    );
    let mut node = WaitNode::new();
    calls_back(
        Latest::<u8, Waker>::new(0),
        |latest| drop(latest.replace(1)),
        |latest, waker| latest.leaving().poll(&mut node, || waker).is_ready(),
        |latest| latest.leave_receivers(),
    );
    let (tx, mut rx) = word::channel::<u8, Waker>();
    let tx = std::sync::Mutex::new(Some(tx));
    calls_back(
        tx,
        |tx| assert!(tx.lock().unwrap().as_ref().is_none_or(|tx| !tx.is_closed())),
        |_, waker| rx.poll_recv(|| waker).is_ready(),
        |tx| {
            let tx = tx.lock().unwrap().take();
            assert!(tx.is_some_and(|tx| tx.send(1).is_ok()));
        },
    );
}

/// A value that sends another one when it is dropped.
struct SendsWhenDropped<F: Fn()>(F);

impl<F: Fn()> Drop for SendsWhenDropped<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn channels_bear_values_that_use_them_when_they_are_dropped() {
    type Value = SendsWhenDropped<Box<dyn Fn() + Send + Sync>>;
    let drops = Arc::new(AtomicUsize::new(0));
    let value = |call: Box<dyn Fn() + Send + Sync>| {
        let drops = drops.clone();
        SendsWhenDropped(Box::new(move || {
            drops.fetch_add(1, Relaxed);
            call();
        }) as Box<dyn Fn() + Send + Sync>)
    };
    let (tx, rx) = mpsc::channel::<Value>(4);
    let sends = tx.clone();
    assert!(tx.try_send(value(Box::new(move || assert!(sends.is_closed())))).is_ok());
    drop(rx);
    let (tx, rx) = mpsc::unbounded::<Value>();
    let sends = tx.clone();
    assert!(tx.send(value(Box::new(move || assert!(sends.is_closed())))).is_ok());
    drop(rx);
    let (tx, rx) = broadcast::channel::<Value>(1);
    for _ in 0..2 {
        let sends = tx.clone();
        assert!(tx.send(value(Box::new(move || assert!(sends.receivers() <= 1)))).is_ok());
    }
    drop(rx);
    let (tx, rx) = watch::channel::<Option<Value>>(None);
    let sends = tx.clone();
    tx.send(Some(value(Box::new(move || assert_eq!(sends.receivers(), 1)))));
    tx.send(None);
    drop(rx);
    assert_eq!(drops.load(Relaxed), 5);
}

/// A value that looks at its channel when it's cloned and when it's dropped.
struct Watched {
    channel: Arc<std::sync::Mutex<Option<watch::Sender<Watched>>>>,
    uses: Arc<AtomicUsize>,
}

impl Watched {
    fn use_channel(&self) {
        let channel = self.channel.lock().unwrap().clone();
        if let Some(channel) = channel {
            self.uses.fetch_add(1, Relaxed);
            assert_eq!(channel.receivers(), channel.borrow().channel.lock().unwrap().iter().count());
        }
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        self.use_channel();
        Self { channel: self.channel.clone(), uses: self.uses.clone() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.use_channel();
    }
}

#[test]
fn a_watched_value_may_use_its_channel_when_it_is_copied_for_a_change_and_when_the_original_goes() {
    let (place, uses) = (Arc::new(std::sync::Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
    let (tx, rx) = watch::channel(Watched { channel: place.clone(), uses: uses.clone() });
    let looked = rx.borrow();
    *place.lock().unwrap() = Some(tx.clone());
    assert!(tx.send_if_modified(|_| true));
    assert_eq!(uses.load(Relaxed), 1, "it was copied");
    drop(looked);
    assert_eq!(uses.load(Relaxed), 2, "the original went");
    let last = place.lock().unwrap().take();
    drop((last, tx, rx));
}

#[test]
fn a_change_that_panics_leaves_a_watched_value_that_can_be_looked_at_and_changed() {
    let (tx, rx) = watch::channel(1);
    let change = || {
        tx.send_if_modified(|value| {
            *value = 2;
            panic!("halfway")
        })
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(change)).is_err());
    assert_eq!((*rx.borrow(), rx.has_changed()), (2, false));
    assert!(tx.send_if_modified(|value| std::mem::replace(value, 3) == 2));
    assert_eq!((*rx.borrow(), rx.has_changed()), (3, true));
}
