//! What a pool does when another thread closes it between two of its own steps.
//!
//! Not here: everything that tasks can bring about (`tests/lab/pool.rs`).

use lab::{LabConfig, LabRuntime};
use types::Never;

use super::*;

struct Numbers;

impl Manage for Numbers {
    type Item = u32;
    type Error = Never;
    async fn create(&self, cx: &mut Cx) -> Res<u32, Never> {
        cx.checkpoint()?;
        Ok(7)
    }
}

#[test]
fn who_has_a_place_of_a_pool_that_was_closed_since_leases_nothing() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(async |cx| {
        let pool = Pool::new(2, Numbers);
        drop(pool.lease(cx).await.unwrap());
        // The places are still to be had, as for whoever had got one just before.
        pool.0.state.write(|state| state.closed = true);
        assert!(matches!(pool.lease(cx).await, Err(Stop::Err(PoolError::Closed))));
        assert!(pool.try_lease(cx).is_none());
        assert_eq!((pool.out(), pool.0.places.available()), (0, 2));
    });
    lab.oracles().unwrap();
}
