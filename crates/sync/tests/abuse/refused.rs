//! Numbers that make no sense, and peers that are gone.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use asupersync_sync::{
    TryRecvError, WaitError,
    barrier::Barrier,
    broadcast::{self, RecvError},
    latch::Latch,
    mpsc::{self, MAX_CAPACITY, SendError},
    oneshot, rendezvous,
    semaphore::{Semaphore, TryAcquireError},
    session::{self, AskError},
    watch,
};

use crate::on_all;

/// What a panic says.
fn panics<T>(call: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).map(drop).expect_err("it was accepted");
    let text = panic.downcast_ref::<String>().cloned();
    text.or(panic.downcast_ref::<&str>().map(|text| (*text).into())).expect("a sentence")
}

#[test]
fn capacities_of_none_or_of_more_than_there_can_be_are_refused_in_words() {
    assert!(panics(|| mpsc::channel::<u8>(0)).contains("capacity"));
    assert!(panics(|| mpsc::channel::<u8>(MAX_CAPACITY as usize + 1)).contains("capacity"));
    assert!(panics(|| mpsc::channel::<u8>(usize::MAX)).contains("capacity"));
    assert!(panics(|| broadcast::channel::<u8>(0)).contains("at least one value"));
    assert!(panics(|| Barrier::new(0)).contains("at least one"));
    assert!(!panics(|| Semaphore::new(Semaphore::MAX + 1)).is_empty());
    assert!(!panics(|| Semaphore::new(Semaphore::MAX).add(1)).is_empty());
    // What is nothing to wait for is no mistake.
    assert!(Latch::new(0).is_open());
}

#[test]
fn none_of_something_is_had_at_once_and_too_much_is_refused_or_waited_for() {
    on_all(|lab| {
        lab.run(|cx| async {
            let slots = Semaphore::new(0);
            assert_eq!(slots.acquire(cx, 0).await.unwrap().count(), 0);
            assert!(matches!(slots.try_acquire(cx, usize::MAX), Err(TryAcquireError::NoPermits)));
            let (tx, mut rx) = mpsc::channel::<u8>(2);
            let mut all = Vec::new();
            assert!(panics(|| drop(tx.reserve_many(cx, 0))).contains("room for 0"));
            assert!(panics(|| drop(tx.reserve_many(cx, 3))).contains("in a channel for 2"));
            assert!(panics(|| drop(rx.recv_many(cx, &mut all, 0))).contains("at most 0"));
        });
    });
}

#[test]
fn whoever_is_left_is_told_at_once_and_gets_back_what_was_not_taken() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, rx) = mpsc::channel(1);
            let permit = tx.reserve(cx).await.unwrap();
            drop(rx);
            assert!(tx.is_closed() && tx.reserve_many(cx, 1).await.is_err());
            assert!(matches!(tx.send(cx, 1).await, Err(SendError::Closed(1))));
            assert!(matches!(tx.reserve(cx).await, Err(WaitError::Closed)));
            assert_eq!(permit.send(2).into_undelivered(), Some(2));
            let (tx, mut rx) = mpsc::unbounded::<u8>();
            drop(tx);
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)) && rx.recv_ack(cx).await.is_err());

            let (tx, rx) = oneshot::channel();
            drop(rx);
            assert!(tx.is_closed() && tx.send(1) == Err(1));
            let (tx, mut rx) = oneshot::channel::<u8>();
            drop(tx);
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)), "and again");

            let (tx, rx) = rendezvous::channel();
            drop(rx);
            assert!(matches!(tx.send(cx, 1).await, Err(SendError::Closed(1))));
            let (tx, mut rx) = rendezvous::channel::<u8>();
            drop(tx);
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));

            let (client, server) = session::pair::<u8, u8>();
            drop(server);
            assert!(matches!(client.ask(cx, 1).await, Err(AskError::NotTaken(1))));
            let (client, mut server) = session::pair::<u8, u8>();
            drop(client);
            assert!(matches!(server.next(cx).await, Err(WaitError::Closed)));

            let (tx, mut rx) = broadcast::channel(1);
            assert!(tx.send(1) == Ok(1));
            drop(tx);
            assert!(matches!(rx.recv(cx).await, Ok(1)), "what was sent is received first");
            assert!(matches!(rx.recv(cx).await, Err(RecvError::Closed)));
            let (tx, mut rx) = watch::channel(1);
            tx.send(2);
            drop(tx);
            assert!(rx.changed(cx).await.is_ok() && *rx.borrow() == 2, "the last value is seen first");
            assert!(matches!(rx.changed(cx).await, Err(WaitError::Closed)));

            let slots = Semaphore::new(1);
            slots.close();
            assert!(matches!(slots.acquire(cx, 1).await, Err(WaitError::Closed)));
            assert!(matches!(slots.try_acquire(cx, 1), Err(TryAcquireError::Closed)));
        });
    });
}

/// Between the close and the moment at which its senders run, what was offered still lies there.
pub(crate) fn what_was_refused_is_not_received() {
    on_all(|lab| {
        lab.run(|cx| async {
            let cx = &*cx;
            let (tx, mut rx) = rendezvous::channel();
            let mut send = pin!(tx.send(cx, 7));
            while rx.offers() == 0 {
                cx.yield_now().await;
                assert!(poll_fn(|context| Poll::Ready(send.as_mut().poll(context).is_pending())).await);
            }
            rx.close();
            assert_eq!(rx.try_recv(), Err(TryRecvError::Closed), "what was refused was taken");
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));
            assert!(matches!(send.await, Err(SendError::Closed(7))), "it came back");
        });
    });
}

#[test]
fn what_a_closed_rendezvous_refused_goes_back_and_is_received_no_more() {
    what_was_refused_is_not_received();
}

#[cfg(asupersync_seeded)]
mutants::mistakes! {
    a_close_after_which_offers_are_taken: "table.refused-taken"
        breaks what_was_refused_is_not_received, says "what was refused was taken";
}
