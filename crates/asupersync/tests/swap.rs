//! A `Cx` is its place: swapping two of them exchanges neither authority nor place, and one that was kept past its
//! region is harmless.
//!
//! Not here: what does not compile (`ui.rs`).
use asupersync::prelude::*;
use asupersync::sync::mpsc;
use asupersync::{Provides, TimeOnly};

/// Each branch of a race has its own cancel state. Swapping the contexts must leave every request where it was.
#[test]
fn swapping_two_contexts_moves_no_place() {
    for seed in 0..64 {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        lab.run(|outer| async {
            let before = (outer.task_id(), outer.handle().id());
            let mut other = outer.spawn(async |cx| -> Res<(String, bool)> {
                cx.sleep(Duration::from_secs(1)).await?;
                Ok((cx.task_id().to_string(), true))
            });
            outer
                .region(|scope| async {
                    let inside = scope.handle().id();
                    let inner: &mut Cx = scope.region(async |inner| inner).await;
                    let place = inner.handle().id();
                    // The one thing that owning two `&mut Cx` of one row lets safe code do with what they point to.
                    std::mem::swap(inner, inner_of_nobody(&mut Nobody::default()));
                    assert_eq!(inner.handle().id(), place);
                    assert_ne!(inner.handle().id(), inside);
                })
                .await;
            assert_eq!((outer.task_id(), outer.handle().id()), before);
            assert!(other.join(outer).await.is_ok());
        });
        assert!(lab.oracles().is_ok());
    }
}
