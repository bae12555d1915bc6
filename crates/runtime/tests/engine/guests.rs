//! Tasks of a region as futures that executors of others poll ([`cx::Guest`]).
use super::watchdog::watched;
use super::workers;
use cx::{Cx, Guest};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Stop};

/// The smallest executor there is.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark()
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_thread_waits_for_a_guest_on_an_executor_of_its_own() {
    let runtime = workers(2);
    let handle = runtime.handle();
    let thread = thread::spawn(move || {
        (0..200_u32)
            .map(|n| {
                let guest = handle.guest(async move |cx: &mut Cx| -> Res<u32> {
                    cx.sleep(Duration::from_micros(u64::from(n % 3))).await?;
                    Ok(n)
                });
                match block_on(guest.unwrap_or_else(|_| panic!("the region is open"))) {
                    Outcome::Ok(n) => n,
                    other => panic!("{other:?}"),
                }
            })
            .sum::<u32>()
    });
    watched("guests of a thread", runtime, async |cx| {
        while !thread.is_finished() {
            cx.yield_now().await
        }
    });
    assert_eq!(thread.join().expect("it only waits"), 19_900);
}

#[test]
fn a_failure_that_a_guest_took_is_handled() {
    let runtime = workers(2);
    let taken = watched("a guest that fails", runtime, async |cx| {
        cx.region_with(cx::RegionOptions::keep_going(), async |r: &mut Cx| {
            let guest = r.handle().guest(async |_: &mut Cx| -> Res<(), u8> { Err(Stop::Err(7)) });
            // A future of others, as any task may await one.
            guest.unwrap_or_else(|_| panic!("the region is open")).await
        })
        .await
    });
    assert!(matches!(taken, Outcome::Err(7)), "{taken:?}");
}

#[test]
fn a_guest_that_is_dropped_has_its_task_asked_to_end_and_the_region_waits_for_that() {
    let (say, said) = channel();
    watched("a dropped guest", workers(2), async |cx| {
        cx.region(async |r: &mut Cx| {
            let guest = r.handle().guest(async move |cx: &mut Cx| {
                let told = cx.cancelled().await;
                cx.masked(async |cx: &mut Cx| cx.sleep(Duration::from_millis(5)).await).await?;
                say.send(told.kind()).expect("somebody listens");
                Ok::<(), types::Cancelled>(())
            });
            let mut guest: Guest<_, _> = guest.unwrap_or_else(|_| panic!("the region is open"));
            let mut polled = pin!(async { (&mut guest).await });
            std::future::poll_fn(|context| {
                assert!(polled.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            drop(guest)
        })
        .await;
        assert_eq!(said.try_recv(), Ok(CancelKind::Explicit), "the region has waited");
    });
}

#[test]
fn a_region_that_is_over_gives_a_guests_body_back() {
    let runtime = workers(1);
    let handle = runtime.handle();
    watched("nothing", runtime, async |_| ());
    let refused = handle.guest(async |_: &mut Cx| panic!("it runs"));
    assert!(refused.is_err(), "nobody is admitted");
}

/// As many operations as many budgets have, in one poll of the task: nobody renews its budget meanwhile.
#[test]
fn an_executor_inside_of_a_tasks_poll_goes_on_when_the_budget_is_spent() {
    const TIMES: u32 = 2_000;
    let sum = watched("an executor inside of a poll", workers(1), async |cx| {
        let (tx, mut rx) = sync::mpsc::channel(1);
        let cx = &*cx;
        let both = async {
            let mut sum = 0;
            for n in 0..TIMES {
                tx.send(cx, n).await.expect("it is received");
                sum += rx.recv(cx).await.expect("it was sent");
            }
            sum
        };
        let mut polls = 0_u32;
        let mut both = pin!(both);
        let sum = block_on(std::future::poll_fn(|context| {
            polls += 1;
            assert!(polls < 100_000, "it is polled without end");
            both.as_mut().poll(context)
        }));
        cx.yield_now().await;
        sum
    });
    assert_eq!(sum, TIMES * (TIMES - 1) / 2);
}

/// Threads that a task waits for share the budget of its poll.
#[test]
fn threads_that_a_task_waits_for_go_on_when_its_budget_is_spent() {
    const TIMES: u32 = 2_000;
    watched("threads with a task's context", workers(1), async |cx| {
        let (tx, mut rx) = sync::mpsc::channel(1);
        let cx = &*cx;
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..TIMES {
                    block_on(tx.send(cx, n)).expect("it is received");
                }
            });
            for n in 0..TIMES {
                assert_eq!(block_on(rx.recv(cx)).expect("it was sent"), n);
            }
        });
    });
}
