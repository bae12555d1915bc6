//! Channels: values, room, and their order, through cancellation at every point.

use std::sync::Arc;

use asupersync_sync::{
    TryRecvError, WaitError,
    mpsc::{self, SendError, TryReserveError, TrySendError, channel},
};
use cx::Cx;
use types::Res;

use crate::{Done, Shared, on_all, pause};

#[test]
fn every_sender_is_received_in_its_order() {
    on_all(|lab| {
        let received = lab.run(|cx| async {
            let (tx, mut rx) = channel(2);
            for sender in 0..3 {
                let tx = tx.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    for value in 0..6 {
                        if (sender + value) % 2 == 0 {
                            tx.send(cx, (sender, value)).await?;
                        } else {
                            assert!(tx.reserve(cx).await?.send((sender, value)).is_delivered());
                        }
                    }
                    Ok(())
                });
            }
            drop(tx);
            let mut received = Vec::new();
            loop {
                match rx.recv(cx).await {
                    Ok(value) => received.push(value),
                    Err(WaitError::Closed) => return received,
                    Err(error) => panic!("{error}"),
                }
            }
        });
        for sender in 0..3 {
            let values: Vec<_> = received.iter().filter(|(of, _)| *of == sender).map(|(_, v)| *v).collect();
            assert_eq!(values, [0, 1, 2, 3, 4, 5]);
        }
    });
}

#[test]
fn room_is_given_in_the_order_in_which_it_was_asked_for() {
    on_all(|lab| {
        let (asked, received) = lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            tx.try_send(100).unwrap();
            let asked = Arc::new(Shared::<Vec<i32>>::default());
            for value in 0..5 {
                let (tx, asked) = (tx.clone(), asked.clone());
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    cx.yield_now().await;
                    let mut wait = tx.send(cx, value);
                    core::future::poll_fn(|context| {
                        let queued = core::pin::Pin::new(&mut wait).poll(context);
                        // After the yield this poll is a fresh one of the task, so the first one asks.
                        if queued.is_pending() && !asked.get().contains(&value) {
                            asked.get().push(value);
                        }
                        queued
                    })
                    .await?;
                    Ok(())
                });
            }
            pause(cx, 200).await;
            let mut received = Vec::new();
            assert_eq!(rx.recv(cx).await.unwrap(), 100);
            for _ in 0..5 {
                received.push(rx.recv(cx).await.unwrap());
            }
            (asked.get().clone(), received)
        });
        assert_eq!(asked, received);
    });
}

/// Senders are cancelled wherever they are. Every value is received or comes back: none is lost, none is in two places.
#[test]
fn cancelled_senders_get_their_values_back() {
    on_all(|lab| {
        let token = Arc::new(());
        let (received, returned, sent) = lab.run(|cx| async {
            let (tx, mut rx) = channel::<Arc<()>>(1);
            let returned = Arc::new(Shared::<usize>::default());
            let sent = Arc::new(Shared::<usize>::default());
            let mut senders = Vec::new();
            for sender in 0..3 {
                let (tx, token, returned, sent) = (tx.clone(), token.clone(), returned.clone(), sent.clone());
                senders.push(cx.spawn(async move |cx: &mut Cx| -> Done {
                    for round in 0..4 {
                        if (sender + round) % 2 == 0 {
                            match tx.send(cx, token.clone()).await {
                                Ok(()) => *sent.get() += 1,
                                Err(SendError::Cancelled(value, cancelled)) => {
                                    drop(value);
                                    *returned.get() += 1;
                                    return Err(cancelled);
                                }
                                Err(SendError::Closed(_)) => panic!("nobody closes"),
                            }
                        } else {
                            match tx.reserve(cx).await {
                                Ok(permit) => {
                                    pause(cx, 1).await;
                                    permit.send(token.clone());
                                    *sent.get() += 1;
                                }
                                Err(WaitError::Cancelled(cancelled)) => return Err(cancelled),
                                Err(WaitError::Closed) => panic!("nobody closes"),
                            }
                        }
                    }
                    Ok(())
                }));
            }
            drop(tx);
            let canceller = cx.spawn(async move |cx: &mut Cx| -> Res {
                for (n, sender) in senders.iter().enumerate() {
                    pause(cx, n as u64 + 2).await;
                    sender.cancel("the test says so");
                }
                for mut sender in senders {
                    let _ = sender.join(cx).await;
                }
                Ok(())
            });
            drop(canceller);
            let mut received = 0;
            while rx.recv(cx).await.is_ok() {
                received += 1;
            }
            (received, *returned.get(), *sent.get())
        });
        assert_eq!((received, returned <= 3), (sent, true));
        assert_eq!(Arc::strong_count(&token), 1);
    });
}

/// Room that was assigned to a waiter which is cancelled before it looks goes to the next, and the channel goes on.
#[test]
fn room_assigned_to_a_cancelled_sender_goes_to_the_next() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            tx.try_send(0).unwrap();
            let first = tx.clone();
            let mut first = cx.spawn(async move |cx: &mut Cx| -> Res {
                first.reserve(cx).await?.send(1);
                Ok(())
            });
            pause(cx, 50).await;
            let second = tx.clone();
            let mut second = cx.spawn(async move |cx: &mut Cx| -> Res {
                second.send(cx, 2).await?;
                Ok(())
            });
            pause(cx, 50).await;
            // One step: the room goes to the first waiter, which is cancelled before it is polled.
            assert_eq!(rx.try_recv(), Ok(0));
            first.cancel("too late");
            assert!(first.join(cx).await.is_cancelled());
            second.join(cx).await.unwrap();
            assert_eq!(rx.recv(cx).await.unwrap(), 2);
            assert_eq!(tx.try_send(3), Ok(()));
        });
    });
}

/// `cancel.first`: an item that is ready stays in the channel.
#[test]
fn a_cancelled_receiver_takes_nothing() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(4);
            let mut receiver = cx.spawn(async move |cx: &mut Cx| -> Result<_, WaitError> {
                let taken = rx.recv(cx).await;
                assert!(taken.as_ref().is_err_and(WaitError::is_cancelled), "{taken:?}");
                assert!(rx.recv_ack(cx).await.is_err());
                Ok(rx)
            });
            pause(cx, 30).await;
            tx.try_send(7).unwrap();
            receiver.cancel("at the same time");
            let mut rx = receiver.join(cx).await.unwrap();
            assert_eq!(rx.recv(cx).await.unwrap(), 7);
        });
    });
}

/// The receiver is cancelled at every point of its life in turn; who comes after it finds what it left.
#[test]
fn a_value_is_received_once_through_a_row_of_cancelled_receivers() {
    for patience in 0..12 {
        on_all(|lab| {
            let received = lab.run(|cx| async {
                let (tx, mut rx) = channel(2);
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    for value in 0..8 {
                        tx.send(cx, value).await?;
                    }
                    Ok(())
                });
                let all = Arc::new(Shared::<Vec<i32>>::default());
                loop {
                    let seen = all.clone();
                    let mut receiver = cx.spawn(async move |cx: &mut Cx| -> Result<_, types::Never> {
                        loop {
                            match rx.recv(cx).await {
                                Ok(value) => seen.get().push(value),
                                Err(error) => return Ok((rx, error.is_cancelled())),
                            }
                        }
                    });
                    pause(cx, patience).await;
                    receiver.cancel("next, please");
                    let (left, was_cancelled) = receiver.join(cx).await.unwrap();
                    rx = left;
                    if !was_cancelled {
                        return all.get().clone();
                    }
                    // A receiver that is cancelled at once takes nothing, so that somebody else has to.
                    match rx.try_recv() {
                        Ok(value) => all.get().push(value),
                        Err(TryRecvError::Empty) => {}
                        Err(TryRecvError::Closed) => return all.get().clone(),
                    }
                }
            });
            assert_eq!(received, [0, 1, 2, 3, 4, 5, 6, 7]);
        });
    }
}

#[test]
fn a_refused_value_is_the_next_one_again() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(2);
            tx.send(cx, 1).await.unwrap();
            tx.send(cx, 2).await.unwrap();
            let first = rx.recv_ack(cx).await.unwrap();
            assert_eq!((*first, tx.try_send(3)), (1, Err(TrySendError::Full(3))));
            first.nack();
            drop(rx.recv_ack(cx).await.unwrap());
            assert_eq!(rx.recv_ack(cx).await.unwrap().ack(), 1);
            tx.try_send(3).unwrap();
            assert_eq!(rx.recv(cx).await.unwrap(), 2);
            assert_eq!(rx.recv_ack(cx).await.unwrap().ack(), 3);
            drop(tx);
            assert!(matches!(rx.recv_ack(cx).await, Err(WaitError::Closed)));
        });
    });
}

/// Workers die in the middle of their work; what they had not acknowledged is worked on again, in order.
#[test]
fn work_that_was_not_acknowledged_is_done_again() {
    on_all(|lab| {
        let (done, attempts) = lab.run(|cx| async {
            let (tx, mut rx) = channel(3);
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for job in 0..5 {
                    tx.send(cx, job).await?;
                }
                Ok(())
            });
            let done = Arc::new(Shared::<Vec<i32>>::default());
            let mut attempts = 0;
            loop {
                attempts += 1;
                let finished = done.clone();
                let mut worker = cx.spawn(async move |cx: &mut Cx| -> Result<_, types::Never> {
                    loop {
                        match rx.recv_ack(cx).await {
                            Ok(job) => {
                                pause(cx, 3).await;
                                if cx.checkpoint().is_err() {
                                    job.nack();
                                    return Ok((rx, true));
                                }
                                finished.get().push(job.ack());
                            }
                            Err(error) => return Ok((rx, error.is_cancelled())),
                        }
                    }
                });
                pause(cx, 10).await;
                if attempts < 4 {
                    worker.cancel("it was tired");
                }
                let (left, again) = worker.join(cx).await.unwrap();
                rx = left;
                if !again {
                    return (done.get().clone(), attempts);
                }
            }
        });
        assert_eq!(done, [0, 1, 2, 3, 4], "{attempts} attempts");
    });
}

#[test]
fn a_closed_channel_refuses_waiters_and_delivers_what_was_promised() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let permit = tx.reserve(cx).await.unwrap();
            assert_eq!(tx.try_reserve(cx).unwrap_err(), TryReserveError::Full);
            let waiting = tx.clone();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Result<bool, types::Never> {
                Ok(matches!(waiting.send(cx, 5).await, Err(SendError::Closed(5))))
            });
            pause(cx, 20).await;
            rx.close();
            assert!(tx.is_closed());
            assert!(waiting.join(cx).await.unwrap());
            assert_eq!(tx.try_reserve(cx).unwrap_err(), TryReserveError::Closed);
            assert!(matches!(tx.reserve(cx).await, Err(WaitError::Closed)));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            assert!(permit.send(1).is_delivered());
            assert_eq!(rx.recv(cx).await.unwrap(), 1);
            assert!(matches!(rx.recv(cx).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn a_permit_hands_its_value_back_when_the_receiver_is_gone() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, rx) = channel(2);
            let (first, second) = (tx.reserve(cx).await.unwrap(), tx.reserve(cx).await.unwrap());
            drop(rx);
            assert_eq!(first.send("back").into_undelivered(), Some("back"));
            second.send("nobody asks");
            assert!(matches!(tx.send(cx, "no").await, Err(SendError::Closed("no"))));
        });
    });
}

#[test]
fn a_permit_that_is_given_up_is_room_for_the_next() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = channel(1);
            let held = tx.reserve(cx).await.unwrap();
            let other = tx.clone();
            let mut other = cx.spawn(async move |cx: &mut Cx| -> Res {
                drop(other.reserve(cx).await?);
                other.reserve(cx).await?.into_owned().send(1);
                Ok(())
            });
            pause(cx, 20).await;
            held.abort();
            other.join(cx).await.unwrap();
            assert_eq!(rx.recv(cx).await.unwrap(), 1);
            assert_eq!((tx.len(), tx.capacity(), rx.is_empty()), (0, 1, true));
        });
    });
}

/// The futures that tasks await must be `Send`, also when generic code awaits them.
#[test]
fn waits_may_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    fn generic<T: Send>(cx: &Cx, tx: &mpsc::Sender<T>, rx: &mut mpsc::Receiver<T>, value: T) {
        is_send(tx.send(cx, value));
        is_send(tx.reserve(cx));
        is_send(rx.recv(cx));
        is_send(rx.recv_ack(cx));
    }
    let _ = generic::<std::cell::Cell<u8>>;
}
