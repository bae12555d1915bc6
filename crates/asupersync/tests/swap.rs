//! A `Cx` is its place: swapping two of them exchanges nothing, and one that was kept past its region is harmless.
//!
//! Safe code gets hold of two `&mut Cx` at once only across two worlds, one run inside the other: within one task the
//! borrow of the outer context lasts as long as the inner one.
//!
//! Not here: what does not compile (`ui.rs`).
use asupersync::prelude::*;
use asupersync::{All, NoIo, Provides, Row, With};
use std::mem::swap;

/// Everything about a context that a swap could exchange.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    world: u64,
    task: String,
    region: String,
    cancelled: Option<CancelKind>,
}

fn standing<C: Row + MayTime>(cx: &Cx<C>) -> Standing {
    Standing {
        world: cx.now().as_nanos(),
        task: cx.task_id().to_string(),
        region: format!("{:?}", cx.handle().id()),
        cancelled: cx.checkpoint().err().map(|c| c.kind()),
    }
}

/// Swaps the contexts of two worlds: the first is cancelled, the second is not and is an hour further on.
fn swapped_across_worlds<A, B>(seed: u64, check: A)
where
    A: FnOnce(&mut Cx, &mut Cx) -> B,
{
    let (near, far) = (lab(seed), lab(seed + 1));
    near.run(|cx| async {
        cx.region(|near| async {
            near.handle().cancel(CancelKind::Explicit, "to tell them apart", None);
            let before = standing(near);
            far.run(|far| async {
                far.sleep(Duration::from_secs(3600)).await.unwrap();
                let beyond = standing(far);
                assert!(before.world != beyond.world && before.cancelled != beyond.cancelled);
                check(near, far);
                assert_eq!((standing(near), standing(far)), (before, beyond));
            });
        })
        .await
    });
    assert!(far.oracles().is_ok() && near.oracles().is_ok());
}

fn lab(seed: u64) -> LabRuntime {
    LabRuntime::new(LabConfig::default().seed(seed))
}

#[test]
fn swapping_two_contexts_moves_neither_place_nor_cancellation() {
    for seed in 0..32 {
        swapped_across_worlds(seed, |near: &mut Cx, far: &mut Cx| swap(near, far));
    }
}

#[test]
fn swapping_two_narrowed_contexts_moves_nothing_either() {
    for seed in 0..32 {
        swapped_across_worlds(seed, |near: &mut Cx, far: &mut Cx| {
            swap::<Cx<NoIo>>(near.narrow(), far.narrow());
        });
    }
}

#[test]
fn a_task_spawned_after_a_swap_belongs_where_its_context_stands() {
    for seed in 0..32 {
        let (near, far) = (lab(seed), lab(seed + 1));
        near.run(|near| async {
            far.run(|far| async {
                swap(near, far);
                far.spawn(async |cx| {
                    cx.sleep(Duration::from_secs(60)).await.unwrap();
                    cx.trace("far");
                });
            });
            near.spawn(async |cx| cx.trace("near"));
        });
        assert_eq!((near.notes(), far.notes()), (vec!["near".to_string()], vec!["far".to_string()]));
        assert_eq!((near.now().as_nanos(), far.now().as_nanos()), (0, 60_000_000_000));
        assert!(far.oracles().is_ok() && near.oracles().is_ok());
    }
}

struct Tenant(&'static str);

impl Provides<Tenant> for Tenant {
    fn provide(&self) -> &Tenant {
        self
    }
}

#[test]
fn a_user_s_capability_stays_with_the_place_it_was_supplied_to() {
    fn name(cx: &Cx<With<All, Tenant>>) -> &'static str {
        cx.env::<Tenant>().0
    }
    let (near, far) = (lab(1), lab(2));
    near.run(|cx| async {
        cx.with(Tenant("near"), async |near| {
            far.run(|cx| async {
                cx.with(Tenant("far"), async |far| {
                    swap(near, far);
                    assert_eq!((name(near), name(far)), ("near", "far"));
                })
                .await
            });
            assert_eq!(name(near), "near");
        })
        .await
    });
}

#[test]
fn a_context_kept_past_its_region_is_refused_and_harmless() {
    for seed in 0..32 {
        let lab = lab(seed);
        let refused = lab.run(|cx| async {
            let kept = cx
                .region(|scope| async move {
                    scope.spawn(async |cx| cx.trace("member"));
                    scope
                })
                .await;
            let mut handle = kept.spawn(async |_| -> Res { panic!("it must not run") });
            handle.join(kept).await
        });
        let Outcome::Cancelled(why) = refused else { panic!("{refused:?}") };
        assert_eq!(why.kind(), CancelKind::SpawnRefused);
        assert_eq!(lab.notes(), ["member"]);
        assert!(lab.oracles().is_ok());
    }
}

#[test]
fn a_context_kept_past_its_run_is_refused_and_harmless() {
    let lab = lab(1);
    let kept = lab.run(|cx| async move { cx });
    assert!(kept.try_spawn(async |_| -> Res { panic!("it must not run") }).is_err());
    assert!(lab.quiescence_oracle().is_ok());
}

#[test]
fn a_try_region_through_a_context_whose_region_has_closed_is_refused() {
    let lab = LabRuntime::new(LabConfig::default().seed(5));
    let refused = lab.run(|cx| async {
        let kept = cx.region(|scope| async { scope }).await;
        let mut ran = false;
        let result: Res = kept
            .try_region(|_inner| async {
                ran = true;
                Ok(())
            })
            .await;
        assert!(!ran, "the body of a refused region ran");
        result
    });
    let Err(Stop::Cancelled(why)) = refused else { panic!("opened a region in a closed one: {refused:?}") };
    assert_eq!(why.kind(), asupersync::CancelKind::SpawnRefused);
    assert!(lab.quiescence_oracle().is_ok());
}
