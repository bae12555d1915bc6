//! Streams of receivers whose consumer knows nothing of requests and polls them until they are at their end, and after it.

use std::{fmt::Debug, future::poll_fn, pin::Pin};

use asupersync_sync::{
    TryRecvError,
    broadcast::{self, RecvError},
    mpsc, oneshot, rendezvous, watch,
};
use cx::Cx;
use types::{CancelKind, Cancelled, FusedStream};

use crate::on_all;

/// As `while let Some(item) = stream.next().await` of a crate that has no `Cx`.
async fn to_its_end<T: Debug, E: Debug>(
    name: &str,
    mut stream: impl FusedStream<Item = Result<T, E>> + Unpin,
    refused: fn(E) -> bool,
) {
    let mut said = 0;
    assert!(!stream.is_terminated(), "{name} is over before it began");
    while let Some(item) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        assert!(item.is_err_and(refused), "{name} took something");
        said += 1;
        assert_eq!(said, 1, "{name} says a request for ever");
    }
    assert_eq!(said, 1, "{name} ends without a word");
    assert!(stream.is_terminated(), "{name} does not know that it is over");
    assert!(poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await.is_none());
}

fn says_a_request(_: Cancelled) -> bool {
    true
}

/// What a request refused is still there for whoever makes another stream, or receives without one.
pub(crate) fn requests_are_said_once() {
    on_all(|lab| {
        lab.run(async |cx| {
            let (tx, mut bounded) = mpsc::channel(1);
            tx.try_send(1).unwrap();
            let (tx, mut unbounded) = mpsc::unbounded();
            tx.send(2).unwrap();
            let (tx, mut once) = oneshot::channel();
            tx.send(3).unwrap();
            let (tx, mut last) = watch::channel(0);
            tx.send(4);
            let (tx, mut all) = broadcast::channel(1);
            tx.send(5).unwrap();
            let (offers, mut hands) = rendezvous::channel();
            let mut offering =
                cx.spawn(async move |cx: &mut Cx| offers.send(cx, 6).await.map_err(|_| "not taken").unwrap());
            while hands.offers() == 0 {
                cx.yield_now().await;
            }
            cx.region(|cx| async {
                cx.handle().cancel(CancelKind::Explicit, "enough", None);
                to_its_end("mpsc", bounded.stream(cx), says_a_request).await;
                to_its_end("unbounded", unbounded.stream(cx), says_a_request).await;
                to_its_end("oneshot", once.stream(cx), says_a_request).await;
                to_its_end("watch", last.stream(cx), says_a_request).await;
                to_its_end("rendezvous", hands.stream(cx), says_a_request).await;
                to_its_end("broadcast", all.stream(cx), |e| matches!(e, RecvError::Cancelled(_))).await;
            })
            .await;
            assert_eq!((bounded.try_recv(), unbounded.try_recv(), once.try_recv()), (Ok(1), Ok(2), Ok(3)));
            assert!(last.has_changed() && all.try_recv() == Ok(5));
            assert_eq!((hands.try_recv(), hands.try_recv()), (Ok(6), Err(TryRecvError::Empty)));
            offering.join(cx).await.unwrap();
        });
    });
}

#[test]
fn a_stream_says_a_request_once_and_is_over() {
    requests_are_said_once();
}

/// A request that comes in the middle of a wait.
#[test]
fn a_stream_that_waits_hears_of_a_request_and_is_over() {
    on_all(|lab| {
        lab.run(async |cx| {
            let (_bounded, mut values) = mpsc::channel::<u8>(1);
            let (_sender, mut last) = watch::channel(0);
            let mut task = cx.spawn(async move |cx: &mut Cx| {
                to_its_end("mpsc", values.stream(cx), says_a_request).await;
                to_its_end("watch", last.stream(cx), says_a_request).await;
            });
            for _ in 0..20 {
                cx.yield_now().await;
            }
            task.cancel("enough");
            task.join(cx).await.unwrap();
        });
    });
}

#[cfg(asupersync_seeded)]
mutants::mistakes! {
    a_stream_that_never_ends: "items.refused-for-ever"
        breaks requests_are_said_once, says "says a request for ever";
}
