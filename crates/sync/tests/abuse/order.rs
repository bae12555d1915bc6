//! Fairness, measured: how long somebody waits at most, with everybody else doing their worst. The bounds are those of
//! `docs/primitives.md`.

use std::{
    sync::{Arc, Mutex},
    task::{Poll, Wake, Waker},
};

use asupersync_sync::{
    WaitNode,
    mpsc::ring,
    mutex::lock_word::{LockWord, PATIENCE},
    notify::signal::Signal,
    rwlock::share::{Mode, Share},
    semaphore::permits::Permits,
};

/// Writes down who was woken.
struct Named(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// So many waiters in line: their places, and who was woken so far.
struct InLine {
    nodes: Vec<WaitNode>,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl InLine {
    fn new(count: usize, mut poll: impl FnMut(usize, &mut WaitNode, Waker) -> bool) -> InLine {
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut nodes: Vec<WaitNode> = (0..count).map(|_| WaitNode::new()).collect();
        for (number, node) in nodes.iter_mut().enumerate() {
            assert!(!poll(number, node, Arc::new(Named(number, woken.clone())).into()));
        }
        InLine { nodes, woken }
    }

    fn next_woken(&self) -> Option<usize> {
        let mut woken = self.woken.lock().unwrap();
        if woken.is_empty() { None } else { Some(woken.remove(0)) }
    }
}

/// Somebody takes the lock each time it's free, before those who were woken can look. The waiter at position `p` owns it after
/// `(p + 1) (PATIENCE + 1)` unlocks at the latest, and with this adversary exactly then.
#[test]
fn a_mutex_is_handed_over_in_the_end_however_greedy_others_are() {
    let lock = LockWord::<Waker>::new();
    assert!(lock.try_lock());
    let mut line = InLine::new(3, |_, node, waker| lock.poll_lock(node, || waker).is_ready());
    let mut unlocks = 0;
    for position in 0..3 {
        loop {
            lock.unlock();
            unlocks += 1;
            // Greedy: it's there before whoever was woken.
            let greedy = lock.try_lock();
            if let Some(number) = line.next_woken() {
                let again = Waker::from(Arc::new(Named(number, line.woken.clone())));
                if lock.poll_lock(&mut line.nodes[number], || again).is_ready() {
                    assert!(!greedy && number == position, "out of turn");
                    break;
                }
            }
        }
        assert_eq!(unlocks, (position + 1) * (PATIENCE + 1), "position {position}");
    }
}

/// Nobody passes whoever stands in line, however little they want.
#[test]
fn a_semaphore_serves_in_order_and_lets_nobody_overtake() {
    let slots = Permits::<Waker>::new(0);
    let wanted = [3, 1, 2, 1];
    let mut line =
        InLine::new(4, |number, node, waker| slots.poll_acquire(node, wanted[number], || waker).is_ready());
    let mut served = Vec::new();
    for given in 1..=wanted.iter().sum::<usize>() {
        slots.release(1);
        assert!(slots.try_acquire(1).is_err() || given == 7, "somebody overtook those in line");
        while let Some(number) = line.next_woken() {
            let nobody = || Waker::noop().clone();
            assert!(slots.poll_acquire(&mut line.nodes[number], wanted[number], nobody).is_ready());
            served.push((number, given));
        }
    }
    assert_eq!(served, [(0, 3), (1, 4), (2, 6), (3, 7)]);
}

/// Readers that come while a writer waits, wait behind it; those next to each other go together.
#[test]
fn a_rwlock_serves_in_order_readers_together() {
    use Mode::{Read, Write};
    let share = Share::<Waker>::default();
    assert!(share.try_acquire(Read));
    let modes = [Write, Read, Read, Write, Read];
    let mut line =
        InLine::new(5, |number, node, waker| share.poll_acquire(node, modes[number], || waker).is_ready());
    assert!(!share.try_acquire(Read), "a reader overtook the writer in line");
    let mut turns = Vec::new();
    share.release(Read);
    loop {
        let together: Vec<usize> = std::iter::from_fn(|| line.next_woken()).collect();
        if together.is_empty() {
            break;
        }
        for &number in &together {
            let nobody = || Waker::noop().clone();
            assert!(share.poll_acquire(&mut line.nodes[number], modes[number], nobody).is_ready());
        }
        together.iter().for_each(|&number| share.release(modes[number]));
        turns.push(together);
    }
    assert_eq!(turns, [vec![0], vec![1, 2], vec![3], vec![4]]);
}

#[test]
fn room_and_notifications_go_to_whoever_has_waited_longest() {
    let (tx, mut rx) = ring::channel::<usize, Waker>(1);
    assert!(tx.try_send(9).is_ok());
    let mut line = InLine::new(4, |_, node, waker| tx.poll_permit(node, || waker).is_ready());
    let mut received = Vec::new();
    while let Ok(value) = rx.try_recv() {
        received.push(value);
        assert!(
            line.woken.lock().unwrap().is_empty() || tx.try_send(8).is_err(),
            "room was taken from under one"
        );
        if let Some(number) = line.next_woken() {
            match tx.poll_permit(&mut line.nodes[number], || Waker::noop().clone()) {
                Poll::Ready(permit) => assert!(permit.is_ok_and(|permit| permit.send(number).is_ok())),
                Poll::Pending => panic!("woken without room"),
            }
        }
    }
    assert_eq!(received, [9, 0, 1, 2, 3]);

    let something = Signal::<Waker>::new();
    let mut line = InLine::new(4, |_, node, waker| something.poll_notified(node, || waker).is_ready());
    for number in 0..4 {
        something.notify_one();
        assert_eq!(line.next_woken(), Some(number));
        let nobody = || Waker::noop().clone();
        assert!(something.poll_notified(&mut line.nodes[number], nobody).is_ready());
    }
}
