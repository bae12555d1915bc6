//! Regions whose frames do not end as they should, and contexts that outlive their regions.
use crate::executor::Executor;
use crate::{Log, a_while, forever, poll_once, says_why};
use asupersync_cx::{Branch, Cx, ScopeKind};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::task::Poll;
use types::{CancelKind, ObligationKind, Outcome};

#[test]
fn a_context_kept_past_its_region_spawns_nothing_and_reserves_in_the_region_around() {
    Executor::new().run(async |cx| {
        let kept: &mut Cx = cx.region(|r| async move { r }).await;
        let permits = [(); 3].map(|()| kept.reserve(ObligationKind::Lease, Location::caller()));
        assert!(permits.iter().all(|permit| permit.id().is_some()));
        let mut refused = kept.spawn(async |_: &mut Cx| ());
        let Outcome::Cancelled(c) = refused.join(kept).await else { panic!("it was admitted") };
        assert_eq!(c.kind(), CancelKind::SpawnRefused);
        let [first, second, third] = permits;
        assert_eq!(first.commit(), Ok(()));
        drop(second);
        cx.region(|_| async { assert_eq!(third.abort(), Ok(())) }).await;
    });
}

#[test]
fn a_region_opened_through_a_context_kept_past_its_region_says_where_and_whose_fault_that_is() {
    Executor::new().run(async |cx| {
        let opened = line!() + 1;
        let kept: &mut Cx = cx.region(|r| async move { r }).await;
        let opens = line!() + 1;
        let mut frame = Box::pin(kept.region(async |_: &mut Cx| ()));
        let polled = poll_fn(|context| {
            Poll::Ready(catch_unwind(AssertUnwindSafe(|| frame.as_mut().poll(context).is_ready())))
        });
        let panic = polled.await.expect_err("its region is closed");
        let said = panic.downcast_ref::<String>().expect("a text");
        let file = file!();
        assert!(said.contains(&format!("the code at {file}:{opens}:")), "{said}");
        assert!(said.contains(&format!("opened at {file}:{opened}:")), "{said}");
        assert!(said.contains("is Closed") && said.contains("kept past the end of its own region"), "{said}");
    });
}

#[test]
fn the_children_of_a_forgotten_frame_are_cancelled_when_its_task_ends() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let mine = log.clone();
        let task = cx.spawn(async move |cx: &mut Cx| {
            let child = mine.clone();
            let mut frame = Box::pin(cx.region(async |r: &mut Cx| {
                r.spawn(async move |cx: &mut Cx| says_why(cx, &child).await);
                pending::<()>().await
            }));
            assert!(poll_once(&mut frame).await.is_pending());
            std::mem::forget(frame);
            // The place of the forgotten frame's scope is used again, and all open regions are looked at.
            cx.region(async |_: &mut Cx| ()).await;
            let branch = Branch::new(cx, ScopeKind::Branch);
            branch.request(CancelKind::LostRace, "it lost", Location::caller(), None);
            branch.run(async |cx: &mut Cx| assert!(cx.checkpoint().is_err())).await;
            a_while(cx).await;
            mine.say("body over");
        });
        drop(task);
    });
    assert_eq!(log.all(), ["body over", "BodyDropped"]);
}

#[test]
fn a_frame_dropped_while_its_region_settles_is_closed_by_a_janitor() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let mine = log.clone();
        let mut permit = None;
        cx.region(async |cx: &mut Cx| {
            let given = &mut permit;
            let (give, take) = std::sync::mpsc::channel();
            let mut frame = Box::pin(cx.region(async move |r: &mut Cx| {
                r.finally(async move |_: &mut Cx<_>| {
                    mine.say("finalized");
                    Ok(())
                })
                .expect("an open region registers finalizers");
                r.spawn(async move |cx: &mut Cx| {
                    give.send(cx.reserve(ObligationKind::Lease, Location::caller())).expect("it is taken");
                });
            }));
            while !log.has("finalized") {
                assert!(poll_once(&mut frame).await.is_pending());
                forget_turn().await;
            }
            *given = Some(take.recv().expect("the task has sent it"));
            // Now it waits for the permit. The janitor goes on waiting.
            drop(frame);
            a_while(cx).await;
            log.say("given back");
            drop(given.take());
        })
        .await;
        log.say("closed");
    });
    assert_eq!(log.all(), ["finalized", "given back", "closed"]);
}

/// Lets everybody else run once, without a context.
async fn forget_turn() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await
}

#[test]
fn a_region_opened_just_when_its_task_is_cancelled_hears_of_it() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let mine = log.clone();
        let task = cx.spawn(async move |cx: &mut Cx| {
            // Cancelled before it opens the region.
            forever(cx).await;
            cx.region(async |r: &mut Cx| {
                let child = mine.clone();
                r.spawn(async move |cx: &mut Cx| says_why(cx, &child).await);
            })
            .await
        });
        a_while(cx).await;
        task.cancel("enough");
    });
    assert_eq!(log.all(), ["Explicit"]);
}
