//! Programs whose outcome depends on where a step ends.
//!
//! Not here: how they are run (`check`).
use crate::check::check;
use cx::{Cx, RegionHandle};
use futures::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use sync::mpsc;
use sync::shared::Shared;
use trace::RegionPhase;
use types::Res;

/// Two who read, let others run, and write: an addition may be lost.
pub(crate) fn first_awaits() {
    check(&[1, 2], async |cx: &mut Cx| {
        let sum = Arc::new(Shared::new(0));
        cx.region(|s| async {
            for _ in 0..2 {
                let sum = sum.clone();
                s.spawn(async move |cx: &mut Cx| {
                    let before = sum.get();
                    cx.step().await;
                    sum.set(before + 1)
                });
            }
        })
        .await;
        sum.get()
    })
}

/// Of a task and a message, whichever is there first. The message is there from the start, and the task may have ended.
pub(crate) fn late_joins() {
    check(&[1, 2], async |cx: &mut Cx| {
        let mut joined = cx.spawn(async |cx: &mut Cx| cx.step().await);
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(()).expect("there is room");
        let mut first = cx.spawn(async move |cx: &mut Cx| -> Res<u32> {
            cx.step().await;
            let cx = &*cx;
            Ok(match select(pin!(joined.join(cx)), pin!(receiver.recv(cx))).await {
                Either::Left(_) => 1,
                Either::Right(_) => 2,
            })
        });
        first.join(cx).await.ok().expect("it returns")
    })
}

/// A sender goes before the message is acknowledged, or after.
pub(crate) fn acknowledged() {
    check(&[0, 1], async |cx: &mut Cx| {
        let (sender, mut receiver) = mpsc::channel::<u32>(1);
        let other = sender.clone();
        let gone = Arc::new(Shared::new(0));
        let goes = gone.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            goes.set(1);
            drop(sender)
        });
        let mut receives = cx.spawn(async move |cx: &mut Cx| -> Res<u32> {
            cx.step().await;
            let ack = receiver.recv_ack(cx).await.expect("a message is sent");
            cx.step().await;
            ack.ack();
            Ok(gone.get())
        });
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            assert!(other.send(cx, 2).await.is_ok())
        });
        receives.join(cx).await.ok().expect("it returns")
    })
}

/// What the body writes at its end may be written again before whoever awaited the region reads it, although the child had
/// ended.
pub(crate) fn closes() {
    check(&[1, 2], async |cx: &mut Cx| {
        let value = Arc::new(Shared::new(0));
        let other = value.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.step().await;
            other.set(2)
        });
        cx.region(|s| async {
            s.spawn(async |cx: &mut Cx| cx.step().await);
            s.step().await;
            value.set(1)
        })
        .await;
        value.get()
    })
}

/// What a task sees of a region of another one's, for which it may be too early or too late.
pub(crate) fn draining() {
    const SEEN: [Option<RegionPhase>; 4] =
        [None, Some(RegionPhase::Open), Some(RegionPhase::Draining), Some(RegionPhase::Closed)];
    check(&[0, 1, 2, 3], async |cx: &mut Cx| {
        let handle = Arc::new(Shared::new(None::<RegionHandle>));
        let seen = handle.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.region(|s| async {
                handle.write(|slot| *slot = Some(s.handle()));
                s.spawn(async |cx: &mut Cx| cx.step().await);
                s.step().await
            })
            .await;
        });
        let mut looks = cx.spawn(async move |cx: &mut Cx| -> Res<u32> {
            cx.step().await;
            let phase = seen.read(Option::clone).map(|handle| handle.phase());
            Ok(SEEN.iter().position(|seen| *seen == phase).expect("a phase that lasts for a step") as u32)
        });
        looks.join(cx).await.ok().expect("it returns")
    })
}

/// Who had to wait for a region has an operation to spend afterwards, and who need not wait, too.
pub(crate) fn polled_once() {
    check(&[1], async |cx: &mut Cx| {
        cx.spawn(async |cx: &mut Cx| cx.step().await);
        cx.region(|s| async {
            s.spawn(async |cx: &mut Cx| {
                cx.step().await;
                cx.step().await
            });
            s.step().await
        })
        .await;
        let mut step = pin!(cx.step());
        std::future::poll_fn(|context| Poll::Ready(u32::from(step.as_mut().poll(context).is_ready()))).await
    })
}
