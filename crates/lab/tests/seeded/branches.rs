//! Small programs about combinators: races, quorums, and what becomes of those who lose.
//!
//! One for each bug of the table in `seeded.rs`. A program is content with a correct kernel under every schedule.

use asupersync_lab::LabRuntime;
use combinator::CombineExt;
use cx::Cx;
use sync::oneshot;
use time::TimeExt;
use types::{Res, Time};

use super::boom::{Boom, assert_clean};
use super::{FOR_EVER, MS};

/// The loser of a race is asked to stop.
pub(crate) fn a_loser_is_asked(lab: &LabRuntime) {
    lab.run(|cx| async {
        cx.race(
            async |cx: &mut Cx| drop(cx.sleep(MS).await),
            async |cx: &mut Cx| drop(cx.sleep(100 * MS).await),
        )
        .await;
        assert_eq!(cx.now(), Time::ZERO + MS, "the loser went on to its end");
    });
    assert_clean(lab);
}

/// The loser of a race is polled once it was asked, though the winner's children still run.
pub(crate) fn a_loser_that_was_asked_is_polled(lab: &LabRuntime) {
    lab.run(|cx| async {
        let (heard, mut hears) = oneshot::channel::<()>();
        let mut watch = cx.spawn(async move |cx: &mut Cx| -> Res<Time> {
            hears.recv(cx).await.expect("the loser says so");
            Ok(cx.now())
        });
        cx.race(
            async |cx: &mut Cx| {
                cx.spawn(async |cx: &mut Cx| -> Res { Ok(cx.sleep(50 * MS).await?) });
                // Who is polled first takes turns: when this one returns, the other one was polled already.
                cx.step().await;
                cx.sleep(MS).await.unwrap();
            },
            async |cx: &mut Cx| {
                let _ = cx.sleep(FOR_EVER).await;
                heard.send(()).expect("somebody listens");
            },
        )
        .await;
        assert_eq!(watch.join(cx).await.unwrap(), Time::ZERO + MS, "the loser heard of it late");
    });
    assert_clean(lab);
}

/// A loser panics while it drains: its task hears of it.
pub(crate) fn a_losers_panic_is_heard_of(lab: &LabRuntime) {
    lab.run(|cx| async {
        let mut task = cx.spawn(async |cx: &mut Cx| -> Res {
            cx.race(
                async |cx: &mut Cx| drop(cx.sleep(MS).await),
                async |cx: &mut Cx| {
                    let _ = cx.sleep(FOR_EVER).await;
                    panic!("while draining")
                },
            )
            .await;
            Ok(())
        });
        let end = task.join(cx).await;
        assert!(!end.is_ok(), "nobody heard of the loser's panic");
    });
    assert_clean(lab);
}

/// A quorum out of reach stops waiting.
pub(crate) fn a_quorum_out_of_reach_stops_waiting(lab: &LabRuntime) {
    lab.run(|cx| async {
        let answers = [(1, false), (2, false), (90, true)];
        let quorum = cx
            .quorum(
                2,
                answers.map(|(after, answers)| {
                    async move |cx: &mut Cx| -> Res<(), Boom> {
                        cx.sleep(after * MS).await?;
                        if answers { Ok(()) } else { Err(Boom("down"))? }
                    }
                }),
            )
            .await;
        assert!(!quorum.is_reached());
        assert_eq!(cx.now(), Time::ZERO + 2 * MS, "it waited in vain");
    });
    assert_clean(lab);
}
