//! A run that passes although a frame was left before its end says so, in whatever it was made; whoever wants it to fail asks
//! for the oracle.
//!
//! Not here: what counts as left (`oracle`'s tests), what becomes of the region (`rules/regions.rs`).
use asupersync_lab::{CancelSweep, LabConfig, Search, crew};
use cx::Cx;
use futures::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Polls a region's frame once, and drops it if it is not over by then.
async fn leaves(cx: &mut Cx, over: bool) {
    let frame = cx.region(async |scope: &mut Cx| {
        if !over {
            scope.yield_now().await
        }
    });
    assert_eq!(frame.now_or_never().is_some(), over);
    cx.yield_now().await
}

#[test]
fn a_search_says_in_how_many_runs_a_frame_was_left_and_which() {
    let program = |over| async move |cx: &mut Cx| leaves(cx, over).await;
    let found = Search::every().run("leaves", None, program(false));
    assert_eq!((found.runs, found.left.runs), (1, 1));
    let words = "; in 1 run a frame was left before its end, such as this: the body of the region at \
                 crates/lab/tests/left.rs:12 was abandoned";
    assert!(found.to_string().ends_with(words), "{found}");
    let drawn = Search::sample(asupersync_lab::Schedule::Random, 7).run("leaves", None, program(false));
    assert_eq!((drawn.runs, drawn.left.runs), (7, 7));
    let abreast = Search::every().run_abreast(crew!(2), "leaves", None, program(false));
    assert_eq!(abreast.left, found.left);
    let ended = Search::every().run("awaits", None, program(true));
    assert_eq!((ended.left.runs, ended.left.to_string().as_str()), (0, ""));
}

#[test]
fn a_sweep_of_cancellations_counts_such_runs() {
    let swept = |over| {
        let sweep = CancelSweep::new(LabConfig::default());
        sweep.run("leaves", None, async move |cx: &mut Cx| leaves(cx, over).await)
    };
    let (left, ended) = (swept(false), swept(true));
    assert!(left.left > 0 && left.left <= left.checkpoints, "{left}");
    assert!(left.to_string().contains(" a frame was left before its end"), "{left}");
    assert_eq!(ended.left, 0, "{ended}");
}

#[test]
fn whoever_asks_for_the_oracle_has_such_a_run_fail() {
    let config = LabConfig::default().oracle("bodies_abandoned", oracle::bodies_abandoned);
    let search = Search::every().config(config);
    let run = |over| search.run("leaves", None, async move |cx: &mut Cx| leaves(cx, over).await);
    assert_eq!(run(true).runs, 1);
    let text = catch_unwind(AssertUnwindSafe(|| run(false))).expect_err("a frame is left");
    let text = text.downcast::<String>().expect("a report");
    assert!(text.contains("the body of the region at crates/lab/tests/left.rs:12 was abandoned"), "{text}");
}
