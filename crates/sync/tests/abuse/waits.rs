//! Waits that are given up at any poll, or polled when they are over.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};

use cx::Cx;
use types::CancelKind;

use crate::on_all;

/// Polls once, in a poll of the task of its own: in a lab each does one operation.
async fn polled<F: Future>(cx: &Cx, wait: &mut Pin<Box<F>>) -> Poll<F::Output> {
    cx.yield_now().await;
    poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await
}

#[test]
fn a_wait_that_is_dropped_after_any_number_of_polls_has_never_been() {
    on_all(|lab| {
        lab.run(|cx| async {
            let cx = &*cx;
            for polls in 0..4 {
                every_wait!(cx, name, wait => {
                    let mut wait = Box::pin(wait);
                    for _ in 0..polls {
                        assert!(polled(cx, &mut wait).await.is_pending(), "{name} is over too soon");
                    }
                });
            }
        });
    });
}

/// All futures here end in a request first; then they're polled once more, as no careful caller would.
#[test]
fn a_wait_that_ended_says_so_again_or_panics_but_does_no_harm() {
    on_all(|lab| {
        lab.run(|cx| async {
            cx.region(|cx| async {
                let (handle, cx) = (cx.handle(), &*cx);
                every_wait!(cx, name, wait => {
                    let mut wait = Box::pin(wait);
                    // The first of them is asked in its wait; from then on every wait is over at its first poll.
                    let waits = polled(cx, &mut wait).await.is_pending();
                    handle.cancel(CancelKind::Explicit, "enough", None);
                    let heard = !waits || polled(cx, &mut wait).await.is_ready();
                    assert!(heard, "{name} does not hear of the request");
                    cx.yield_now().await;
                    let again = poll_fn(|context| {
                        Poll::Ready(catch_unwind(AssertUnwindSafe(|| wait.as_mut().poll(context).is_ready())))
                    });
                    match again.await {
                        Ok(ready) => assert!(ready, "{name} waits again though it was refused"),
                        Err(panic) => {
                            let text = panic
                                .downcast_ref::<String>()
                                .map(String::as_str)
                                .or(panic.downcast_ref::<&str>().copied());
                            let says = text.is_some_and(|text| {
                                text.contains("polled after it was ready")
                                    || text.contains("resumed after")
                            });
                            assert!(says, "{name}: {text:?}");
                        }
                    }
                });
            })
            .await;
        });
    });
}
