//! Channels: two senders, one of which reserves first, and a receiver that receives in both ways.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
};

use asupersync_sync::{
    broadcast::{self, RecvError, TryRecvError},
    mpsc, oneshot, rendezvous,
    session::{self, AskError},
    watch,
};
use cx::Cx;

use crate::Books;

async fn bounded(cx: &mut Cx) {
    let (books, (tx, mut rx)) = (Books::default(), mpsc::channel(1));
    cx.region(|cx| async {
        let (sends, own) = (tx.clone(), books.clone());
        cx.spawn(async move |cx: &mut Cx| {
            for nth in 0..2 {
                let value = own.make(0, nth);
                if let Err(error) = sends.send(cx, value).await {
                    own.returned(error.into_inner());
                }
            }
        });
        let (reserves, own) = (tx.clone(), books.clone());
        cx.spawn(async move |cx: &mut Cx| {
            if let Ok(permit) = reserves.reserve(cx).await {
                cx.step().await;
                let sent = permit.send(own.make(1, 0));
                sent.into_undelivered().into_iter().for_each(|value| own.returned(value));
            }
        });
        drop(tx);
        if let Ok(first) = rx.recv_ack(cx).await {
            first.nack();
            if let Ok(first) = rx.recv_ack(cx).await {
                books.received(first.ack());
            }
        }
        while let Ok(value) = rx.recv(cx).await {
            books.received(value);
        }
        // Cancelled, or at the end: who still waits for room gets its value back.
        rx.close();
    })
    .await;
    while let Ok(value) = rx.try_recv() {
        books.received(value);
    }
    books.balance();
}

/// Nobody closes the channel: whatever is cancelled, all room is there again at the end.
async fn room(cx: &mut Cx) {
    let (tx, rx) = mpsc::channel::<u8>(2);
    cx.region(|cx| async {
        for count in [2, 1] {
            let tx = tx.clone();
            cx.spawn(async move |cx: &mut Cx| {
                if let Ok(permits) = tx.reserve_many(cx, count).await {
                    cx.step().await;
                    drop(permits);
                }
            });
        }
        drop(tx.reserve(cx).await);
    })
    .await;
    assert_eq!((tx.available(), rx.capacity()), (2, 2));
}

async fn unbounded(cx: &mut Cx) {
    let (books, (tx, mut rx)) = (Books::default(), mpsc::unbounded());
    cx.region(|cx| async {
        let (sends, own) = (tx.clone(), books.clone());
        cx.spawn(async move |cx: &mut Cx| {
            for nth in 0..2 {
                cx.step().await;
                if let Err(value) = sends.send(own.make(0, nth)) {
                    own.returned(value);
                }
            }
        });
        let (reserves, own) = (tx.clone(), books.clone());
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            if let Ok(permit) = reserves.reserve(cx) {
                cx.step().await;
                let sent = permit.send(own.make(1, 0));
                sent.into_undelivered().into_iter().for_each(|value| own.returned(value));
            }
        });
        drop(tx);
        if let Ok(first) = rx.recv_ack(cx).await {
            first.nack();
            if let Ok(first) = rx.recv_ack(cx).await {
                books.received(first.ack());
            }
        }
        while let Ok(value) = rx.recv(cx).await {
            books.received(value);
        }
    })
    .await;
    while let Ok(value) = rx.try_recv() {
        books.received(value);
    }
    books.balance();
}

/// Two who answer two questions, while the questions are withdrawn.
async fn answers(cx: &mut Cx) {
    let books = Books::default();
    let (channels, receivers): (Vec<_>, Vec<_>) = (0..2).map(|_| oneshot::channel()).unzip();
    cx.region(|cx| async {
        for (sender, tx) in channels.into_iter().enumerate() {
            let own = books.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                if let Err(value) = tx.send(own.make(sender as u32, 0)) {
                    own.returned(value);
                }
            });
        }
        let own = books.clone();
        cx.spawn(async move |cx: &mut Cx| {
            for mut rx in receivers {
                cx.step().await;
                rx.close();
                // Sent before it was closed: it's still to be had.
                if let Ok(value) = rx.recv(cx).await {
                    own.received(value);
                } else if let Ok(value) = rx.try_recv() {
                    own.received(value);
                }
            }
        });
    })
    .await;
    books.balance();
}

async fn answer(cx: &mut Cx) {
    let (books, (tx, mut rx)) = (Books::default(), oneshot::channel());
    cx.region(|cx| async {
        let own = books.clone();
        cx.spawn(async move |cx: &mut Cx| {
            let owed = tx.reserve(cx);
            cx.step().await;
            // Whoever is cancelled owes nothing any more.
            if cx.checkpoint().is_ok() {
                let sent = owed.send(own.make(0, 0));
                sent.into_undelivered().into_iter().for_each(|value| own.returned(value));
            }
        });
        if let Ok(value) = rx.recv(cx).await {
            books.received(value);
        }
    })
    .await;
    if let Ok(value) = rx.try_recv() {
        books.received(value);
    }
    books.balance();
}

async fn hands(cx: &mut Cx) {
    let (books, (tx, mut rx)) = (Books::default(), rendezvous::channel());
    cx.region(|cx| async {
        for sender in 0..2 {
            let (tx, own) = (tx.clone(), books.clone());
            cx.spawn(async move |cx: &mut Cx| {
                let value = own.make(sender, 0);
                if let Err(error) = tx.send(cx, value).await {
                    own.returned(error.into_inner());
                }
            });
        }
        drop(tx);
        while let Ok(value) = rx.recv(cx).await {
            books.received(value);
        }
        rx.close();
    })
    .await;
    assert_eq!(rx.offers(), 0);
    books.balance();
}

/// Two clients and a server that gives every other reply up.
pub(crate) async fn requests(cx: &mut Cx) {
    let (client, mut server) = session::pair::<u32, u32>();
    let [taken, delivered, answered] = [(); 3].map(|()| Arc::new(AtomicU32::new(0)));
    let kept = Arc::new(Mutex::new(None));
    cx.region(|cx| async {
        for request in 0..2 {
            let (client, answered) = (client.clone(), answered.clone());
            cx.spawn(async move |cx: &mut Cx| match client.ask(cx, request).await {
                Ok(reply) | Err(AskError::Replied(reply, _)) => {
                    assert_eq!(reply, 2 * request);
                    answered.fetch_add(1, Relaxed);
                }
                Err(AskError::NotTaken(back) | AskError::Withdrawn(back, _)) => assert_eq!(back, request),
                Err(AskError::Left | AskError::Cancelled(_)) => {}
            });
        }
        drop(client);
        let (took, sent, keeps) = (taken.clone(), delivered.clone(), kept.clone());
        cx.spawn(async move |cx: &mut Cx| {
            while let Ok((request, reply)) = server.next(cx).await {
                if took.fetch_add(1, Relaxed) == 0 {
                    sent.fetch_add(u32::from(reply.send(2 * request).is_delivered()), Relaxed);
                }
            }
            // Closed, and not only dropped: who still asks hears of it.
            server.close();
            *keeps.lock().unwrap() = Some(server);
        });
    })
    .await;
    let [taken, delivered, answered] = [taken, delivered, answered].map(|count| count.load(Relaxed));
    assert!(answered <= 1 && answered <= taken, "{answered} replies to {taken} requests");
    assert_eq!(answered, delivered, "a reply that was delivered was dropped");
}

/// All that is there, received or lost.
fn rest(rx: &mut broadcast::Receiver<u32>, all: &mut Vec<u32>, lost: &mut u64) {
    loop {
        match rx.try_recv() {
            Ok(value) => all.push(value),
            Err(TryRecvError::Lagged(n)) => *lost += n,
            Err(_) => return,
        }
    }
}

async fn to_all(cx: &mut Cx) {
    let (tx, first) = broadcast::channel(1);
    let receivers = [first.clone(), first];
    let sent = Arc::new(AtomicU32::new(0));
    cx.region(|cx| async {
        for mut rx in receivers {
            cx.spawn(async move |cx: &mut Cx| {
                let (mut all, mut lost) = (Vec::new(), 0);
                loop {
                    match rx.recv(cx).await {
                        Ok(value) => all.push(value),
                        Err(RecvError::Lagged(n)) => lost += n,
                        Err(RecvError::Closed) => {
                            assert_eq!(all.len() as u64 + lost, 2, "received and lost");
                            return;
                        }
                        Err(RecvError::Cancelled(_)) => break,
                    }
                }
                rest(&mut rx, &mut all, &mut lost);
                assert!(all.is_sorted() && all.len() as u64 + lost <= 2);
            });
        }
        let counts = sent.clone();
        cx.spawn(async move |cx: &mut Cx| {
            for value in 0..2 {
                cx.step().await;
                counts.fetch_add(u32::from(tx.send(value).is_ok()), Relaxed);
            }
        });
    })
    .await;
    assert!(sent.load(Relaxed) <= 2);
}

async fn latest(cx: &mut Cx) {
    let (tx, rx) = watch::channel(0);
    cx.region(|cx| async {
        for mut rx in [rx.clone(), rx.clone()] {
            cx.spawn(async move |cx: &mut Cx| {
                let mut seen = vec![0];
                loop {
                    match rx.changed(cx).await {
                        Ok(()) => seen.push(*rx.borrow_and_update()),
                        Err(error) => {
                            assert!(seen.is_sorted());
                            // The end comes after the last value was seen.
                            assert!(error.is_cancelled() || seen.last() == Some(&2), "{seen:?}");
                            return;
                        }
                    }
                }
            });
        }
        cx.spawn(async move |cx: &mut Cx| {
            for value in 1..=2 {
                cx.step().await;
                tx.send(value);
            }
        });
    })
    .await;
    assert_eq!((*rx.borrow(), rx.is_closed()), (2, true));
}

/// Two wait for the receiver to leave, one of them gives up; somebody else sends meanwhile.
async fn deserted(cx: &mut Cx) {
    let (tx, mut rx) = mpsc::channel(1);
    cx.region(|cx| async {
        for patient in [true, false] {
            let tx = tx.clone();
            cx.spawn(async move |cx: &mut Cx| {
                if patient {
                    let told = tx.closed(cx).await;
                    assert!(told.is_err() || tx.is_closed());
                } else if tx.send(cx, 1).await.is_ok() {
                    let mut closed = pin!(tx.closed(cx));
                    let _ = poll_fn(|context| Poll::Ready(closed.as_mut().poll(context))).await;
                }
            });
        }
        for _ in 0..2 {
            cx.step().await;
            let _ = rx.try_recv();
        }
        drop(rx);
    })
    .await;
    assert!(tx.is_closed() && tx.try_send(1).is_err());
}

/// Who works on an answer learns that nobody wants it any more, or has sent it.
async fn unwanted(cx: &mut Cx) {
    let (mut answer, mut answered) = oneshot::channel();
    cx.region(|cx| async {
        cx.spawn(async move |cx: &mut Cx| {
            if answer.closed(cx).await.is_ok() {
                assert!(answer.is_closed() && answer.send(1).is_err());
            }
        });
        cx.spawn(async move |cx: &mut Cx| {
            assert!(answered.try_recv().is_err());
            cx.step().await;
            answered.close();
        });
    })
    .await;
}

/// One sender and one receiver: there is nothing to choose, but what is cancelled.
#[test]
fn an_answer_that_is_owed_comes_or_its_receiver_knows() {
    let proof = lab::prove("sync::oneshot", answer);
    assert!(proof.swept > 3, "{proof}");
}

proven! {
    a_bounded_channel_loses_nothing: "sync::mpsc", bounded;
    a_bounded_channel_keeps_its_room: "sync::mpsc", room;
    an_unbounded_channel_loses_nothing: "sync::mpsc::unbounded", unbounded;
    an_answer_to_a_question_that_is_withdrawn_comes_or_goes_back: "sync::oneshot", answers;
    a_sender_hears_that_nobody_receives: "sync::mpsc", deserted;
    who_answers_hears_that_nobody_asks: "sync::oneshot", unwanted;
    a_value_goes_from_hand_to_hand: "sync::rendezvous", hands;
    a_request_is_answered_or_its_client_knows: "sync::session", requests;
    a_broadcast_is_received_or_its_loss_counted: "sync::broadcast", to_all;
    the_last_value_is_seen: "sync::watch", latest;
}
