//! Things that are leased and given back.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use asupersync_sync::pool::{Health, Manage, Pool, Recycle};
use cx::Cx;
use lab::{LabConfig, LabRuntime};
use types::{Cancelled, Error, Res};

/// Counts the things that are there; the first one can't be made.
#[derive(Default)]
struct Things {
    tried: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

struct Thing {
    alive: Arc<AtomicUsize>,
    in_use: bool,
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Relaxed);
    }
}

impl Manage for Things {
    type Item = Thing;
    type Error = Error;

    async fn create(&self, cx: &mut Cx) -> Res<Thing> {
        let first = self.tried.fetch_add(1, Relaxed) == 0;
        cx.step().await;
        cx.checkpoint()?;
        if first {
            return Err(Error::msg("the first one fails").into());
        }
        assert_eq!(self.alive.fetch_add(1, Relaxed), 0, "more than the pool's size");
        Ok(Thing { alive: self.alive.clone(), in_use: false })
    }

    async fn check(&self, cx: &mut Cx, _: &mut Thing) -> Result<Health, Cancelled> {
        cx.step().await;
        cx.checkpoint()?;
        Ok(Health::Well)
    }
}

pub(crate) async fn leased(cx: &mut Cx) {
    let things = Things::default();
    let alive = things.alive.clone();
    let pool = Pool::new(1, things);
    cx.region(|cx| async {
        for shared in [false, true] {
            let pool = pool.clone();
            cx.spawn(async move |cx: &mut Cx| {
                let leased = if shared { pool.lease_shared(cx).await } else { pool.lease(cx).await };
                if let Ok(mut thing) = leased {
                    assert!(!core::mem::replace(&mut thing.in_use, true), "leased twice");
                    cx.step().await;
                    thing.in_use = false;
                }
            });
        }
    })
    .await;
    assert_eq!((pool.out(), pool.idle()), (0, alive.load(Relaxed)));
    // Its place is there, whatever became of the two: otherwise this waits for ever.
    let again = cx.masked(async |cx| pool.lease(cx).await.map(drop)).await;
    assert!(again.is_ok_and(|()| alive.load(Relaxed) == 1) || alive.load(Relaxed) == 0);
    pool.close();
    assert_eq!(alive.load(Relaxed), 0, "a closed pool keeps something");
}

/// Makes things that look at their pool as they go.
#[derive(Clone, Default)]
struct Leaving(Arc<Mutex<Option<Pool<Leaving>>>>);

/// What was leased while it went.
struct Leaves(Leaving, Arc<AtomicUsize>);

impl Drop for Leaves {
    fn drop(&mut self) {
        let out = self.0.0.lock().unwrap().as_ref().map_or(0, Pool::out);
        self.1.store(out, Relaxed);
    }
}

impl Manage for Leaving {
    type Item = Leaves;
    type Error = Error;

    async fn create(&self, _: &mut Cx) -> Res<Leaves> {
        Ok(Leaves(self.clone(), Arc::default()))
    }

    fn recycle(&self, _: &mut Leaves) -> Recycle {
        Recycle::Drop
    }
}

pub(crate) fn discarded() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(async |cx| {
        let things = Leaving::default();
        let pool = Pool::new(1, things.clone());
        *things.0.lock().unwrap() = Some(pool.clone());
        for discards in [true, false] {
            let thing = pool.lease(cx).await.unwrap();
            let out = thing.1.clone();
            if discards {
                thing.discard()
            } else {
                drop(thing)
            }
            assert_eq!((out.load(Relaxed), pool.out()), (1, 0), "its place was free before it was gone");
        }
        let pool = things.0.lock().unwrap().take();
        drop(pool);
    });
}

#[test]
fn the_place_of_what_is_discarded_or_not_kept_is_free_once_it_is_gone_and_not_before() {
    discarded();
}

proven! {
    leases: "sync::pool", leased;
}
