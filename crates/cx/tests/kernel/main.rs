//! The kernel at its edges, on an engine of a hundred lines: bodies that panic before they are futures, contexts
//! kept past their region, frames that are forgotten, wakers of others. Everything here is safe code, and
//! `cargo +nightly miri test -p asupersync-cx --test kernel` finds nothing in it.
// Some tests need real threads.
#![allow(clippy::disallowed_methods)]

mod executor;
mod frames;
#[path = "../../examples/embedded/raw.rs"]
mod raw;
mod scopes;
mod spawning;
mod threads;
mod waking;

use asupersync_cx::Cx;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, ready};
use types::{Cancelled, WaitKind};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().expect("nobody panics in here").push(what.into())
    }
    fn all(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics in here").clone()
    }
    fn has(&self, what: &str) -> bool {
        self.all().iter().any(|line| line == what)
    }
}

static FOREVER: WaitKind = WaitKind::new("nothing that ever comes");

/// A leaf operation that waits until it is cancelled.
async fn forever(cx: &Cx) -> Cancelled {
    poll_fn(|context| {
        if let Err(cancelled) = ready!(cx.poll_proceed(context)) {
            return Poll::Ready(cancelled);
        }
        cx.poll_wait(context, &FOREVER);
        Poll::Pending
    })
    .await
}

/// Says how it was cancelled.
async fn says_why(cx: &Cx, log: &Log) {
    let cancelled = forever(cx).await;
    log.say(format!("{:?}", cancelled.kind()))
}

/// Polls once.
async fn poll_once<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Lets everybody else run until something has happened. Looks at no checkpoint.
async fn until(cx: &Cx, happened: impl Fn() -> bool) {
    for _ in 0..1000 {
        if happened() {
            return;
        }
        cx.yield_now().await
    }
    panic!("it does not happen")
}

/// Lets everybody else run for a while.
async fn a_while(cx: &Cx) {
    for _ in 0..20 {
        cx.yield_now().await
    }
}
