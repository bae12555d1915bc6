//! Readers of a read-write lock look at its value at the same time, so a value that must not be looked at from two threads
//! can't be shared by one (a mutex could).
use asupersync::prelude::*;
use asupersync::sync::rwlock::RwLock;
use std::cell::Cell;
use std::sync::Arc;

async fn program(cx: &mut Cx) {
    let lock = Arc::new(RwLock::new(Cell::new(1_u8)));
    cx.spawn(async move |cx: &mut Cx| -> Res {
        lock.read(cx).await?.set(2);
        Ok(())
    });
}
