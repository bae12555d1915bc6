//! Requests on scopes inside a task, and what they reach.
use crate::executor::Executor;
use crate::{Log, a_while, forever, poll_once, says_why, until};
use asupersync_cx::{Branch, Cx, RegionOptions, ScopeKind};
use std::panic::Location;
use std::task::Poll;
use std::time::Duration;
use types::CancelKind;

#[test]
fn a_checkpoint_outside_a_branch_does_not_make_the_branch_deaf() {
    Executor::new().run(async |cx| {
        let branch = Branch::new(cx, ScopeKind::Branch);
        let mut body = Box::pin(branch.run(async |cx: &mut Cx| {
            cx.yield_now().await;
            cx.checkpoint().map_err(|c| c.kind())
        }));
        assert!(poll_once(&mut body).await.is_pending());
        branch.request(CancelKind::LostRace, "it lost", Location::caller(), None);
        assert!(cx.checkpoint().is_ok(), "nobody asked the task");
        assert_eq!(poll_once(&mut body).await, Poll::Ready(Err(CancelKind::LostRace)));
        drop(body);
        drop(branch);
        assert!(cx.checkpoint().is_ok());
    });
}

#[test]
fn a_request_on_a_branch_reaches_what_a_branch_inside_it_spawned() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let outer = Branch::new(cx, ScopeKind::Branch);
        let mine = log.clone();
        let mut body = Box::pin(outer.run(async |cx: &mut Cx| {
            let inner = Branch::new(cx, ScopeKind::Branch);
            inner
                .run(async |cx: &mut Cx| {
                    let child = mine.clone();
                    cx.spawn(async move |cx: &mut Cx| says_why(cx, &child).await);
                    // Looks at no checkpoint: only the request itself can reach the child.
                    until(cx, || mine.has("LostRace")).await
                })
                .await
        }));
        assert!(poll_once(&mut body).await.is_pending());
        outer.request(CancelKind::LostRace, "it lost", Location::caller(), None);
        body.await
    });
    assert_eq!(log.all(), ["LostRace"]);
}

#[test]
fn a_request_below_a_mask_is_not_hidden_by_it() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        cx.masked(async |cx: &mut Cx| {
            let branch = Branch::new(cx, ScopeKind::Branch);
            let mut body = Box::pin(branch.run(async |cx: &mut Cx| {
                cx.region(async |r: &mut Cx| {
                    let child = log.clone();
                    r.spawn(async move |cx: &mut Cx| says_why(cx, &child).await);
                    until(r, || log.has("LostRace")).await
                })
                .await
            }));
            assert!(poll_once(&mut body).await.is_pending());
            branch.request(CancelKind::LostRace, "it lost", Location::caller(), None);
            body.await
        })
        .await
    });
}

#[test]
fn what_a_mask_keeps_away_arrives_when_the_cleanup_deadline_pierces_it() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let options = RegionOptions::fail_fast().grace(Duration::from_nanos(500));
        cx.region_with(options, async |r: &mut Cx| {
            let mine = log.clone();
            r.spawn(async move |cx: &mut Cx| {
                cx.masked(async |cx: &mut Cx| {
                    cx.region(async |r: &mut Cx| {
                        let child = mine.clone();
                        r.spawn(async move |cx: &mut Cx| says_why(cx, &child).await);
                    })
                    .await
                })
                .await
            });
            a_while(r).await;
            r.handle().cancel(CancelKind::Explicit, "the end", None);
            a_while(r).await;
            log.say(format!("at {}", r.now().as_nanos()));
        })
        .await;
        log.say(format!("closed at {}", cx.now().as_nanos()));
    });
    assert_eq!(log.all(), ["at 0", "Explicit", "closed at 500"]);
}

#[test]
fn the_body_of_the_root_hears_a_request_on_the_root_region() {
    let kind = Executor::new().run(async |cx| {
        cx.handle().cancel(CancelKind::Shutdown, "the end", None);
        forever(cx).await.kind()
    });
    assert_eq!(kind, CancelKind::Shutdown);
}
