//! A hundred thousand waiters at one primitive: memory and polls are linear in their number, everybody is woken, and who left
//! in the middle is not. Also: a waiter that is polled again and again takes no more room than one.
//!
//! Polls and bytes are counted, nothing is timed: an operation that walked the line would not end in any case.
#![cfg(not(loom))]

mod counting;

use std::{
    hint::black_box,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Wake, Waker},
};

use asupersync_sync::{
    WaitNode,
    barrier::round::{Arrival, Round},
    broadcast::tape::{Cursor, Tape},
    event::flag::{Flag, Since},
    latch::count::Count,
    mpsc::ring,
    mutex::lock_word::LockWord,
    notify::signal::Signal,
    rendezvous::table::{Offer, Table},
    rwlock::share::{Mode, Share},
    semaphore::permits::Permits,
    watch::latest::Latest,
};
use counting::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

const CROWD: usize = 100_000;

/// The bytes of one test are counted at a time.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A primitive at which everybody waits until it's opened.
trait Line {
    /// One wait.
    type Wait: Default;
    fn shut() -> Self;
    /// Whether the wait is over. What it got is given back at once.
    fn poll(&self, wait: &mut Self::Wait, make: impl FnOnce() -> Waker) -> bool;
    fn leave(&self, wait: &mut Self::Wait);
    /// Lets everybody go, now or one after the other; so many wait.
    fn open(&self, waiting: usize);
}

impl Line for Permits<Waker> {
    type Wait = WaitNode;
    fn shut() -> Self {
        Permits::new(0)
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        let polled = self.poll_acquire(wait, 1, make);
        if polled.is_ready() {
            self.release(1);
        }
        polled.is_ready()
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.cancel(wait);
    }
    fn open(&self, _: usize) {
        self.release(1);
    }
}

impl Line for LockWord<Waker> {
    type Wait = WaitNode;
    fn shut() -> Self {
        let lock = LockWord::new();
        assert!(lock.try_lock());
        lock
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        let polled = self.poll_lock(wait, make);
        if polled.is_ready() {
            self.unlock();
        }
        polled.is_ready()
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.cancel(wait);
    }
    fn open(&self, _: usize) {
        self.unlock();
    }
}

/// Writers, one after the other.
impl Line for Share<Waker> {
    type Wait = WaitNode;
    fn shut() -> Self {
        let share = Share::default();
        assert!(share.try_acquire(Mode::Write));
        share
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        let polled = self.poll_acquire(wait, Mode::Write, make);
        if polled.is_ready() {
            self.release(Mode::Write);
        }
        polled.is_ready()
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.cancel(wait);
    }
    fn open(&self, _: usize) {
        self.release(Mode::Write);
    }
}

impl Line for Signal<Waker> {
    type Wait = WaitNode;
    fn shut() -> Self {
        Signal::new()
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        self.poll_notified(wait, make).is_ready()
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.cancel(wait);
    }
    fn open(&self, _: usize) {
        self.notify_waiters();
    }
}

impl Line for Flag<Waker> {
    type Wait = (WaitNode, Since);
    fn shut() -> Self {
        Flag::new(false)
    }
    fn poll(&self, wait: &mut Self::Wait, make: impl FnOnce() -> Waker) -> bool {
        self.poll_set(&mut wait.0, &mut wait.1, make).is_ready()
    }
    fn leave(&self, wait: &mut Self::Wait) {
        self.cancel(&mut wait.0);
    }
    fn open(&self, _: usize) {
        self.set();
    }
}

impl Line for Count<Waker> {
    type Wait = WaitNode;
    fn shut() -> Self {
        Count::new(1)
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        self.poll_open(wait, make).is_ready()
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.cancel(wait);
    }
    fn open(&self, _: usize) {
        self.down(1);
    }
}

/// For as many as wait after others have left, and one more.
impl Line for Round<Waker> {
    type Wait = Arrival;
    fn shut() -> Self {
        Round::new(CROWD + 1)
    }
    fn poll(&self, wait: &mut Arrival, make: impl FnOnce() -> Waker) -> bool {
        self.poll_pass(wait, make).is_ready()
    }
    fn leave(&self, wait: &mut Arrival) {
        Round::leave(self, wait);
    }
    fn open(&self, waiting: usize) {
        for _ in waiting..CROWD {
            // Arrives and is forgotten: it stands for somebody who passes with the others.
            let mut arrival = Arrival::default();
            assert!(self.poll_pass(&mut arrival, || Waker::noop().clone()).is_pending());
            std::mem::forget(arrival);
        }
        assert!(self.poll_pass(&mut Arrival::default(), || Waker::noop().clone()).is_ready());
    }
}

impl Line for Latest<u8, Waker> {
    type Wait = WaitNode;
    fn shut() -> Self {
        Latest::new(0)
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        self.poll_changed(wait, 0, make).is_ready()
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.cancel(wait);
    }
    fn open(&self, _: usize) {
        self.replace(1);
    }
}

impl Line for Tape<u8, Waker> {
    type Wait = (WaitNode, Cursor<u8>);
    fn shut() -> Self {
        Tape::new(1)
    }
    fn poll(&self, wait: &mut Self::Wait, make: impl FnOnce() -> Waker) -> bool {
        self.poll_recv(&mut wait.0, &mut wait.1, make).is_ready()
    }
    fn leave(&self, wait: &mut Self::Wait) {
        self.cancel(&mut wait.0);
    }
    fn open(&self, _: usize) {
        assert_eq!(self.send(1), Ok(1));
    }
}

impl Line for Table<u8, Waker> {
    type Wait = (Offer, Option<u8>);
    fn shut() -> Self {
        Table::default()
    }
    fn poll(&self, (offer, value): &mut Self::Wait, make: impl FnOnce() -> Waker) -> bool {
        if !offer.is_made() {
            *value = Some(1);
        }
        self.poll_send(offer, value, make).is_ready()
    }
    fn leave(&self, (offer, _): &mut Self::Wait) {
        assert_eq!(self.withdraw(offer), Some(1));
    }
    fn open(&self, waiting: usize) {
        for _ in 0..waiting {
            assert_eq!(self.try_recv(), Ok(1));
        }
    }
}

/// A channel whose senders wait for room.
struct Full {
    tx: ring::Tx<u8, Waker>,
    rx: Mutex<ring::Rx<u8, Waker>>,
}

impl Line for Full {
    type Wait = WaitNode;
    fn shut() -> Self {
        let (tx, rx) = ring::channel(1);
        assert!(tx.try_send(0).is_ok());
        Full { tx, rx: Mutex::new(rx) }
    }
    fn poll(&self, wait: &mut WaitNode, make: impl FnOnce() -> Waker) -> bool {
        match self.tx.poll_permit(wait, make) {
            // Sends, and is received: room for the next.
            Poll::Ready(permit) => {
                assert!(permit.is_ok_and(|permit| permit.send(1).is_ok()));
                assert_eq!(self.rx.lock().unwrap().try_recv(), Ok(1));
                true
            }
            Poll::Pending => false,
        }
    }
    fn leave(&self, wait: &mut WaitNode) {
        self.tx.cancel(wait);
    }
    fn open(&self, _: usize) {
        assert_eq!(self.rx.lock().unwrap().try_recv(), Ok(0));
    }
}

/// A waiter that writes down that it was woken.
struct Numbered {
    number: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.number);
    }
}

/// A crowd waits, a third of it leaves out of order, the rest is let go. Returns bytes and polls for each waiter.
fn crowd<L: Line>(name: &str) {
    let _turn = turn();
    let woken = Arc::new(Mutex::new(Vec::with_capacity(2 * CROWD)));
    let wakers: Vec<Waker> =
        (0..CROWD).map(|number| Arc::new(Numbered { number, woken: woken.clone() }).into()).collect();
    let line = L::shut();
    let mut waits: Vec<L::Wait> = (0..CROWD).map(|_| L::Wait::default()).collect();
    let before = ALLOCATOR.live();
    for (wait, waker) in waits.iter_mut().zip(&wakers) {
        assert!(!line.poll(wait, || waker.clone()));
    }
    let bytes = ALLOCATOR.live() - before;

    // Every third, in an order that has nothing to do with theirs (37 and the crowd have no common divisor).
    let left = |number: usize| number.is_multiple_of(3);
    for number in (0..CROWD).map(|nth| nth * 37 % CROWD).filter(|number| left(*number)) {
        line.leave(&mut waits[number]);
    }
    let waiting = (0..CROWD).filter(|number| !left(*number)).count();
    line.open(waiting);

    let (mut polls, mut over) = (0, vec![false; CROWD]);
    loop {
        let number = woken.lock().unwrap().pop();
        let Some(number) = number else { break };
        polls += 1;
        assert!(!left(number), "{name}: woken after it had left");
        if !over[number] {
            over[number] = line.poll(&mut waits[number], || wakers[number].clone());
        }
    }
    assert_eq!(over.iter().filter(|over| **over).count(), waiting, "{name}: somebody was not let go");
    println!("{name}: {} bytes for each waiter, {:.2} polls", bytes / CROWD, polls as f64 / waiting as f64);
    assert!(bytes < 160 * CROWD, "{name}: {bytes} bytes");
    assert!(polls <= 2 * waiting, "{name}: {polls} polls for {waiting} waiters");
    black_box(line);
}

/// One waiter is polled a hundred thousand times, each time with another waker, and woken by nobody.
fn storm<L: Line>(name: &str) {
    let _turn = turn();
    let line = L::shut();
    let mut wait = L::Wait::default();
    let token = Arc::new(Numbered { number: 0, woken: Arc::default() });
    assert!(!line.poll(&mut wait, || token.clone().into()));
    let before = ALLOCATOR.live();
    for _ in 0..CROWD {
        assert!(!line.poll(&mut wait, || token.clone().into()));
    }
    // The test harness allocates too, now and then; a byte for each poll would be far more.
    let taken = ALLOCATOR.live().saturating_sub(before);
    assert!(taken < CROWD / 2, "{name}: polling took {taken} bytes");
    assert_eq!(Arc::strong_count(&token), 2, "{name}: more than the last waker is kept");
    line.leave(&mut wait);
    assert_eq!(Arc::strong_count(&token), 1, "{name}: a waker is kept for somebody who left");
}

macro_rules! lines {
    ($($crowd:ident $storm:ident: $line:ty, $name:literal;)+) => {$(
        #[test]
        fn $crowd() {
            crowd::<$line>($name);
        }

        #[test]
        fn $storm() {
            storm::<$line>($name);
        }
    )+};
}

lines! {
    a_crowd_at_a_semaphore a_storm_at_a_semaphore: Permits<Waker>, "semaphore";
    a_crowd_at_a_mutex a_storm_at_a_mutex: LockWord<Waker>, "mutex";
    a_crowd_at_a_rwlock a_storm_at_a_rwlock: Share<Waker>, "rwlock";
    a_crowd_at_a_notify a_storm_at_a_notify: Signal<Waker>, "notify";
    a_crowd_at_an_event a_storm_at_an_event: Flag<Waker>, "event";
    a_crowd_at_a_latch a_storm_at_a_latch: Count<Waker>, "latch";
    a_crowd_at_a_barrier a_storm_at_a_barrier: Round<Waker>, "barrier";
    a_crowd_at_a_watch a_storm_at_a_watch: Latest<u8, Waker>, "watch";
    a_crowd_at_a_broadcast a_storm_at_a_broadcast: Tape<u8, Waker>, "broadcast";
    a_crowd_at_a_rendezvous a_storm_at_a_rendezvous: Table<u8, Waker>, "rendezvous";
    a_crowd_at_a_channel a_storm_at_a_channel: Full, "mpsc";
}
