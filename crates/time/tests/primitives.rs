//! A row for each kind of timer: small programs on every schedule there is, and cancelled at each checkpoint and at each pair
//! of them. After each run nothing has fired early, and no timer is left.
//!
//! `cargo xtask test --primitives` makes a table of these rows; a module of this crate without a row fails it.
//!
//! Not here: the wheel, which is pure (`wheel`'s own tests), and which ticks are missed how (`sleeping.rs`).

use std::{future::poll_fn, pin::Pin, time::Duration};

use asupersync_time::{Schedule, TimeExt};
use cx::Cx;
use lab::prove;
use types::{Stream, Time};

const SECOND: Duration = Duration::from_secs(1);

/// Two who sleep equally long, and one who cancels another at that very instant.
#[test]
fn nobody_sleeps_too_short() {
    let proof = prove("time::sleep", async |cx: &mut Cx| {
        cx.region(|cx| async {
            let sleeper = async |cx: &mut Cx| {
                let woken = cx.now() + SECOND;
                assert!(cx.sleep(SECOND).await.is_err() || cx.now() >= woken, "it fired early");
            };
            let other = cx.spawn(async move |cx: &mut Cx| {
                sleeper(cx).await;
                // Asked before this, or not.
                let _ = cx.sleep(SECOND).await;
            });
            cx.spawn(async move |cx: &mut Cx| {
                sleeper(cx).await;
                other.cancel("at the same instant");
            });
        })
        .await;
        assert!(cx.now() <= Time::ZERO + 2 * SECOND, "a timer outlived its sleep");
    });
    assert!(proof.explored > 2 && proof.swept > 3, "{proof}");
}

#[test]
fn ticks_come_in_their_time() {
    let proof = prove("time::interval", async |cx: &mut Cx| {
        cx.region(|cx| async {
            let ticking = cx.spawn(async move |cx: &mut Cx| {
                let cx = &*cx;
                let mut ticks = cx.interval(SECOND);
                let mut last = None;
                for _ in 0..3 {
                    let Ok(tick) = ticks.tick(cx).await else { return };
                    assert!(cx.now() >= tick && last < Some(tick), "a tick came early, or twice");
                    last = Some(tick);
                }
            });
            cx.spawn(async move |cx: &mut Cx| {
                let _ = cx.sleep(SECOND).await;
                ticking.cancel("at the instant of a tick");
            });
        })
        .await;
        assert!(cx.now() <= Time::ZERO + 2 * SECOND, "a timer outlived its interval");
    });
    assert!(proof.explored > 2 && proof.swept > 3, "{proof}");
}

/// The same as a stream, whose consumer looks for a request before each tick.
#[test]
fn ticks_of_a_stream_come_in_their_time() {
    let proof = prove("time::interval", async |cx: &mut Cx| {
        cx.region(|cx| async {
            let ticking = cx.spawn(async move |cx: &mut Cx| {
                let cx = &*cx;
                let mut interval = cx.interval(SECOND);
                let mut ticks = interval.stream(cx);
                let mut last = None;
                for _ in 0..3 {
                    if cx.checkpoint().is_err() {
                        return;
                    }
                    let tick = poll_fn(|context| Pin::new(&mut ticks).poll_next(context)).await;
                    assert!(tick <= Some(cx.now()) && last < tick, "a tick came early, or twice");
                    last = tick;
                }
            });
            cx.spawn(async move |cx: &mut Cx| {
                let _ = cx.sleep(SECOND).await;
                ticking.cancel("at the instant of a tick");
            });
        })
        .await;
        assert!(cx.now() <= Time::ZERO + 2 * SECOND, "a timer outlived its interval");
    });
    assert!(proof.explored > 2 && proof.swept > 3, "{proof}");
}

/// Two who wait for the same minute, and one who cancels the other at that very instant.
#[test]
fn an_occurrence_is_not_early_and_not_twice() {
    let proof = prove("time::occurrences", async |cx: &mut Cx| {
        cx.region(|cx| async {
            let waiter = async |cx: &mut Cx| -> usize {
                let cx = &*cx;
                let every_minute: Schedule = "* * * * *".parse().unwrap();
                let mut minutes = cx.schedule(every_minute).unwrap();
                let (mut seen, mut last) = (0, None);
                while seen < 2 {
                    let Ok(Some(minute)) = minutes.next(cx).await else { break };
                    assert!(cx.wall_now() >= Some(minute) && last < Some(minute), "early, or twice");
                    (seen, last) = (seen + 1, Some(minute));
                }
                seen
            };
            let other = cx.spawn(async move |cx: &mut Cx| {
                waiter(cx).await;
            });
            cx.spawn(async move |cx: &mut Cx| {
                let _ = cx.sleep(60 * SECOND).await;
                other.cancel("at the same instant");
            });
        })
        .await;
        assert!(cx.now() <= Time::ZERO + 120 * SECOND, "a timer outlived its schedule");
    });
    assert!(proof.explored > 2 && proof.swept > 3, "{proof}");
}
