//! Executors of others inside of a poll: a thread that polls a task has its budget, and nobody renews that meanwhile.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use asupersync_sync::mpsc;
use cx::Cx;
use lab::{LabConfig, LabRuntime};

/// More polls than it takes to be found out.
const MANY: u32 = 20_000;

/// As any `block_on`, for what never has to wait.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..MANY {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("it is polled without end")
}

pub(crate) fn an_inner_executor_is_told() {
    let lab = LabRuntime::new(LabConfig::default());
    let said = catch_unwind(AssertUnwindSafe(|| {
        lab.run(async |cx: &mut Cx| {
            let (tx, mut rx) = mpsc::channel(1);
            let cx = &*cx;
            block_on(async {
                tx.send(cx, 1).await.unwrap();
                rx.recv(cx).await.unwrap();
            });
        })
    }));
    let said = said.expect_err("the second operation has no budget");
    let said = said.downcast_ref::<String>().map(String::as_str).or(said.downcast_ref::<&str>().copied());
    let said = said.expect("a text");
    assert!(
        said.contains("inside of a poll of its own") && said.contains("executors.rs"),
        "what is said is: {said}"
    );
}

#[test]
fn an_executor_inside_of_a_poll_panics_in_a_lab_and_says_why() {
    an_inner_executor_is_told();
}

#[cfg(asupersync_seeded)]
mutants::mistakes! {
    an_inner_executor_that_spins: "coop.spins"
        breaks an_inner_executor_is_told, says "it is polled without end";
}
