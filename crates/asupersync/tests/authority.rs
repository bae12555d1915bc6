//! `cx.narrow` and `cx.sync`: authority is given up piece by piece, code that names what it needs takes every row that
//! grants it, and everything that a context leads to may be shared between threads.
//!
//! Not here: what does not compile (`ui.rs`), contexts that are swapped or kept (`swap.rs`).
#![allow(clippy::disallowed_methods, reason = "threads stand for two who hold one context")]

use asupersync::prelude::*;
use asupersync::{All, Builder, Row, row};

row! {
    /// Sleeps and starts tasks.
    Working: Spawn, Time;
    /// Sleeps.
    Waiting: Time;
    /// May do nothing but wait and be cancelled.
    Nothing: ;
}

fn lab() -> LabRuntime {
    LabRuntime::new(LabConfig::default())
}

/// Code for whoever may read the clock: it names that, and no row.
fn hour<C: Row + MayTime>(cx: &Cx<C>) -> u64 {
    cx.now().as_nanos() / 3_600_000_000_000
}

#[test]
fn cx_narrow_authority_is_given_up_piece_by_piece() {
    lab().run(|cx| async {
        let working: &mut Cx<Working> = cx.narrow();
        working.spawn(async |_: &mut Cx<Working>| ());
        let waiting: &mut Cx<Waiting> = working.narrow();
        waiting.sleep(Duration::from_secs(3600)).await.unwrap();
        let nothing: &mut Cx<Nothing> = waiting.narrow();
        assert!(nothing.checkpoint().is_ok(), "no authority is needed to hear of a request");
        // Lent, not lost.
        assert_eq!(hour(cx), 1);
    });
}

/// A row says what it grants; what it doesn't name isn't granted, whatever authorities come to be. So is code written
/// that asks for one authority: every row that grants it will do.
#[test]
fn cx_narrow_code_that_names_what_it_needs_takes_every_row_that_grants_it() {
    lab().run(|cx| async {
        assert_eq!(hour::<All>(cx), 0);
        assert_eq!(hour::<Working>(cx.narrow()), 0);
        assert_eq!(hour::<Waiting>(cx.narrow::<Working>().narrow()), 0);
    });
}

#[test]
fn cx_sync_what_a_context_leads_to_may_be_shared() {
    fn shared<T: Sync + ?Sized>(_: &T) {}
    fn sent<T: Send>(_: T) {}
    lab().run(|cx| async {
        shared::<Cx<All>>(cx);
        shared::<Cx<Nothing>>(cx.narrow());
        sent::<&Cx<All>>(cx);
        let mut task = cx.spawn(async |_: &mut Cx| ());
        shared(&cx.handle());
        shared(&task);
        task.join(cx).await.unwrap();
        cx.region(|r| async {
            shared::<Cx>(r);
            r.masked(async |inner: &mut Cx| shared::<Cx>(inner)).await
        })
        .await;
    });
    // And used so: by two threads at once.
    let runtime = Builder::new().workers(1).build().unwrap();
    runtime.run(async |cx: &mut Cx| {
        let cx = &*cx;
        std::thread::scope(|threads| {
            let looks = [0, 1].map(|_| threads.spawn(|| (0..1000).all(|_| cx.checkpoint().is_ok())));
            assert!(looks.into_iter().all(|look| look.join().unwrap()));
        });
    });
}
