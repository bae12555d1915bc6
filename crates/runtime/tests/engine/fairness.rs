//! Nobody starves: beside a pair that wake each other for ever, beside one that is always ready, and between
//! the home thread's own tasks and the others.
use super::watchdog::watched;
use super::workers;
use cx::Cx;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use sync::mpsc;

/// Two tasks that hand a ball to each other until the game is over.
fn ping_pong(cx: &Cx, over: &Arc<AtomicBool>) {
    let (to_pong, mut from_ping) = mpsc::channel::<()>(1);
    let (to_ping, mut from_pong) = mpsc::channel::<()>(1);
    let (one, two) = (over.clone(), over.clone());
    cx.spawn(async move |cx: &mut Cx| {
        while !one.load(SeqCst) {
            if to_pong.send(cx, ()).await.is_err() || from_pong.recv(cx).await.is_err() {
                break;
            }
        }
    });
    cx.spawn(async move |cx: &mut Cx| {
        while !two.load(SeqCst) {
            if from_ping.recv(cx).await.is_err() || to_ping.send(cx, ()).await.is_err() {
                break;
            }
        }
    });
}

#[test]
fn a_pair_that_wake_each_other_for_ever_leave_room_for_a_third() {
    for n in [1, 2] {
        watched("ping, pong and a third", workers(n), async |cx| {
            let over = Arc::new(AtomicBool::new(false));
            ping_pong(cx, &over);
            let mut third = cx.spawn(async |cx: &mut Cx| {
                for _ in 0..1000 {
                    cx.yield_now().await
                }
            });
            third.join(cx).await.ok().expect("it had its turns");
            over.store(true, SeqCst);
        });
    }
}

#[test]
fn they_leave_room_for_the_root_body() {
    watched("ping, pong and the root", workers(1), async |cx| {
        let over = Arc::new(AtomicBool::new(false));
        ping_pong(cx, &over);
        for _ in 0..1000 {
            cx.yield_now().await
        }
        over.store(true, SeqCst);
    });
}

#[test]
fn a_task_that_spawns_at_every_turn_leaves_room_for_the_root_body() {
    watched("a spawner and the root", workers(1), async |cx| {
        // One dispatch from the queue, one from the LIFO slot, in turn: whatever the engine counts by twos
        // would meet the same one each time.
        let over = Arc::new(AtomicBool::new(false));
        for spawned in 1..4 {
            let over = over.clone();
            cx.spawn(async move |cx: &mut Cx| {
                while !over.load(SeqCst) {
                    for _ in 0..spawned {
                        cx.spawn(async |_: &mut Cx| {});
                    }
                    cx.yield_now().await
                }
            });
        }
        for _ in 0..1000 {
            cx.yield_now().await
        }
        over.store(true, SeqCst);
    });
}

#[test]
fn the_root_body_leaves_room_for_the_others() {
    watched("the root and a task", workers(1), async |cx| {
        let over = Arc::new(AtomicBool::new(false));
        let done = over.clone();
        cx.spawn(async move |cx: &mut Cx| {
            for _ in 0..1000 {
                cx.yield_now().await
            }
            done.store(true, SeqCst);
        });
        while !over.load(SeqCst) {
            cx.yield_now().await
        }
    });
}

#[test]
fn a_task_whose_operations_are_always_ready_gives_way_when_its_budget_is_spent() {
    watched("always ready", workers(1), async |cx| {
        let over = Arc::new(AtomicBool::new(false));
        let done = over.clone();
        let (sender, mut receiver) = mpsc::channel::<u64>(4);
        let mut busy = cx.spawn(async move |cx: &mut Cx| {
            // Nothing here ever waits, and nothing yields.
            while !over.load(SeqCst) {
                sender.send(cx, 1).await.expect("there is room");
                receiver.recv(cx).await.expect("there is one");
            }
        });
        cx.spawn(async move |cx: &mut Cx| {
            for _ in 0..100 {
                cx.yield_now().await
            }
            done.store(true, SeqCst);
        });
        busy.join(cx).await.ok().expect("it saw the flag");
    });
}
