//! One stream into channels: nothing is lost or taken for nobody, and no pump keeps another from its room.
use super::stream_programs::{Pump, pumps};
use asupersync_combinator::stream::{self, Undelivered};
use cx::Cx;
use lab::{CancelSweep, LabConfig, LabRuntime, Search};
use sync::mpsc;
use types::{Never, Outcome};

#[test]
pub(crate) fn a_pump_that_is_cancelled_anywhere_loses_no_item() {
    for how in [Pump::Forward, Pump::RoundRobin, Pump::ByKey, Pump::Broadcast] {
        let swept = CancelSweep::new(LabConfig::default())
            .run("pump", None, async move |cx: &mut Cx| pumps(cx, how, 4).await);
        assert!(swept.complete && swept.checkpoints > 10 && swept.acknowledged > 0, "{how:?}: {swept}");
    }
}

#[test]
fn pumps_deliver_everything_on_every_schedule() {
    for how in [Pump::Forward, Pump::RoundRobin, Pump::ByKey, Pump::Broadcast] {
        let found = Search::every().run("pump", None, async move |cx: &mut Cx| pumps(cx, how, 3).await);
        assert!(found.complete, "{how:?}: {found}");
    }
}

#[test]
fn outputs_whose_receivers_are_gone_are_left_out_and_the_last_one_ends_the_pump() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let (a, gone) = mpsc::channel(8);
        let (b, mut stays) = mpsc::channel(8);
        drop(gone);
        stream::round_robin(cx, &mut stream::iter(0..3), &[a.clone(), b.clone()]).await.unwrap();
        stream::broadcast(cx, &mut stream::iter(7..8), &[a.clone(), b.clone()]).await.unwrap();
        assert_eq!((0..4).map(|_| stays.try_recv().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 7]);
        drop(stays);
        let mut source = stream::iter(0..3);
        for outputs in [&[a.clone(), b.clone()][..], &[]] {
            let end = stream::round_robin(cx, &mut source, outputs).await;
            assert!(matches!(end, Err(Undelivered::Closed(None))), "{end:?}");
            let end = stream::broadcast(cx, &mut source, outputs).await;
            assert!(matches!(end, Err(Undelivered::Closed(None))), "{end:?}");
        }
        let end = stream::by_key(cx, &mut source, &[a], |_| 0).await;
        assert!(
            matches!(end, Err(Undelivered::Closed(Some(0)))),
            "it is known only when it was taken: {end:?}"
        );
    });
}

/// A pump whose source is idle takes no room from one that has something, and two that share outputs do not wait for each
/// other.
#[test]
fn a_pump_holds_no_room_while_it_waits() {
    let found = Search::every().run("idle", None, async |cx: &mut Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let other = tx.clone();
        let mut idle = cx.spawn(async move |cx: &mut Cx| -> Result<bool, Never> {
            let mut never = stream::pending();
            Ok(stream::forward(cx, &mut never, &tx).await.is_err())
        });
        cx.spawn(async move |cx: &mut Cx| {
            stream::forward(cx, &mut stream::iter([1, 2]), &other).await.unwrap();
        });
        assert_eq!((rx.recv(cx).await.unwrap(), rx.recv(cx).await.unwrap()), (1, 2));
        idle.cancel("it has waited long enough");
        assert!(matches!(idle.join(cx).await, Outcome::Ok(true)));
    });
    assert!(found.complete, "{found}");
    let found = Search::every().run("crossed", None, async |cx: &mut Cx| {
        let ((a, mut lefts), (b, mut rights)) = (mpsc::channel(1), mpsc::channel(1));
        let crossed = [b.clone(), a.clone()];
        cx.spawn(async move |cx: &mut Cx| {
            stream::broadcast(cx, &mut stream::iter([1, 3]), &[a, b]).await.unwrap();
        });
        cx.spawn(async move |cx: &mut Cx| {
            stream::broadcast(cx, &mut stream::iter([2, 4]), &crossed).await.unwrap();
        });
        for _ in 0..4 {
            lefts.recv(cx).await.unwrap();
            rights.recv(cx).await.unwrap();
        }
    });
    assert!(found.complete, "{found}");
}
