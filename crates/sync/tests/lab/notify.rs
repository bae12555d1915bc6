//! Notifications: nobody misses one, and a cancelled waiter passes its own on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use asupersync_sync::notify::Notify;
use cx::Cx;

use crate::{Done, on_all, pause};

#[test]
fn a_token_goes_round() {
    on_all(|lab| {
        let turns = lab.run(|cx| async {
            let ring: Arc<[Notify; 3]> = Arc::default();
            let turns = Arc::new(AtomicUsize::new(0));
            ring[0].notify_one();
            let mut tasks = Vec::new();
            for place in 0..3 {
                let (ring, turns) = (ring.clone(), turns.clone());
                tasks.push(cx.spawn(async move |cx: &mut Cx| -> Done {
                    for round in 0..4 {
                        ring[place].notified(cx).await?;
                        assert_eq!(turns.fetch_add(1, Relaxed), 3 * round + place);
                        ring[(place + 1) % 3].notify_one();
                    }
                    Ok(())
                }));
            }
            for mut task in tasks {
                task.join(cx).await.unwrap();
            }
            turns.load(Relaxed)
        });
        assert_eq!(turns, 12);
    });
}

/// Enter, look, wait: a change between the look and the wait is not missed.
#[test]
fn a_change_is_not_missed_between_looking_and_waiting() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (open, changed) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
            let mut tasks = Vec::new();
            for _ in 0..3 {
                let (open, changed) = (open.clone(), changed.clone());
                tasks.push(cx.spawn(async move |cx: &mut Cx| -> Done {
                    loop {
                        let mut change = changed.notified(cx);
                        change.enable();
                        if open.load(Relaxed) {
                            return Ok(());
                        }
                        cx.yield_now().await;
                        change.await?;
                    }
                }));
            }
            pause(cx, 4).await;
            open.store(true, Relaxed);
            changed.notify_waiters();
            for mut task in tasks {
                task.join(cx).await.unwrap();
            }
        });
    });
}

#[test]
fn a_cancelled_waiter_passes_its_notification_on() {
    on_all(|lab| {
        lab.run(|cx| async {
            let something = Arc::new(Notify::new());
            let wait = |cx: &mut Cx| {
                let something = something.clone();
                cx.spawn(async move |cx: &mut Cx| -> Done { something.notified(cx).await })
            };
            let mut first = wait(cx);
            pause(cx, 20).await;
            let mut second = wait(cx);
            pause(cx, 20).await;
            something.notify_one();
            first.cancel("at the same time");
            assert!(first.join(cx).await.is_cancelled());
            second.join(cx).await.unwrap();
        });
    });
}

#[test]
fn a_stored_notification_that_was_taken_and_not_used_is_stored_again() {
    on_all(|lab| {
        lab.run(|cx| async {
            let something = Notify::new();
            something.notify_one();
            let mut unused = something.notified(cx);
            assert!(unused.enable() && unused.enable());
            let mut other = something.notified(cx);
            assert!(!other.enable());
            drop(unused);
            other.await.unwrap();
        });
    });
}
