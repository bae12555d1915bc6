//! What has no value: notifications, events, latches, barriers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use asupersync_sync::{barrier::Barrier, event::Event, latch::Latch, notify::Notify};
use cx::Cx;

/// Whoever was spawned in this step may come first: the step that spawns goes on to its second scheduling point.
async fn others_first(cx: &Cx) {
    cx.step().await;
    cx.step().await;
}

/// One notification goes from one to the next, whether it was waited for to the end or not.
async fn notify(cx: &mut Cx) {
    let (something, gone) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        for _ in 0..2 {
            let (something, gone) = (something.clone(), gone.clone());
            cx.spawn(async move |cx: &mut Cx| {
                let _ = something.notified(cx).await;
                gone.fetch_add(1, Relaxed);
                something.notify_one();
            });
        }
        others_first(cx).await;
        something.notify_one();
    })
    .await;
    assert_eq!(gone.load(Relaxed), 2);
    assert!(something.notified(cx).enable(), "the last notification is stored");
}

/// All who wait go on, and who is notified so passes nothing on.
async fn notify_all(cx: &mut Cx) {
    let (something, ready) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    cx.region(|cx| async {
        for _ in 0..2 {
            let (something, ready) = (something.clone(), ready.clone());
            cx.spawn(async move |cx: &mut Cx| {
                let mut wait = something.notified(cx);
                wait.enable();
                // Enabled before it looked: what comes after the look reaches it.
                if !ready.load(Relaxed) {
                    let _ = wait.await;
                }
            });
        }
        others_first(cx).await;
        ready.store(true, Relaxed);
        something.notify_waiters();
    })
    .await;
    assert!(!something.notified(cx).enable(), "nothing is stored");
}

/// The flag is set and reset at once: whoever waited goes on.
async fn event(cx: &mut Cx) {
    let (flag, seen) = (Arc::new(Event::new(false)), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        for _ in 0..2 {
            let (flag, seen) = (flag.clone(), seen.clone());
            cx.spawn(async move |cx: &mut Cx| {
                seen.fetch_add(usize::from(flag.wait(cx).await.is_ok()), Relaxed);
            });
        }
        others_first(cx).await;
        flag.set();
        flag.reset();
        cx.step().await;
        flag.set();
    })
    .await;
    assert!(flag.is_set() && seen.load(Relaxed) <= 2);
}

async fn latch(cx: &mut Cx) {
    let latch = Arc::new(Latch::new(2));
    cx.region(|cx| async {
        for _ in 0..2 {
            let latch = latch.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                latch.count_down();
            });
        }
        let waits = latch.clone();
        cx.spawn(async move |cx: &mut Cx| {
            assert!(waits.wait(cx).await.is_err() || waits.is_open());
        });
        if latch.wait(cx).await.is_ok() {
            assert!(latch.is_open());
        }
    })
    .await;
    assert_eq!((latch.left(), latch.count_down()), (0, true));
}

/// Whoever gives up before the other one has come comes again, and the two pass together.
async fn barrier(cx: &mut Cx) {
    let (barrier, passed, last) =
        (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    cx.region(|cx| async {
        for _ in 0..2 {
            let (barrier, passed, last) = (barrier.clone(), passed.clone(), last.clone());
            cx.spawn(async move |cx: &mut Cx| {
                let mut ended = barrier.wait(cx).await;
                // A wait that is given up after the other one has passed was over.
                if ended.is_err() && passed.load(Relaxed) == 0 {
                    ended = cx.masked(async |cx| barrier.wait(cx).await).await;
                }
                passed.fetch_add(1, Relaxed);
                last.fetch_add(usize::from(ended.is_ok_and(|passed| passed.is_last())), Relaxed);
            });
        }
    })
    .await;
    assert_eq!((passed.load(Relaxed), last.load(Relaxed)), (2, 1), "passed, and came last");
}

proven! {
    a_notification_is_never_lost: "sync::notify", notify;
    all_who_wait_are_notified: "sync::notify", notify_all;
    a_pulse_is_not_missed: "sync::event", event;
    a_latch_opens: "sync::latch", latch;
    a_barrier_is_passed_together: "sync::barrier", barrier;
}
