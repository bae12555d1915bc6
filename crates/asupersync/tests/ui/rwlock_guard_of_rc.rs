//! A guard goes to another task only if what it shows may: here it shows a part that must stay on its thread.
use asupersync::prelude::*;
use asupersync::sync::rwlock::{RwLock, WriteGuard};
use std::rc::Rc;

fn moves<T: Send>(_: T) {}

async fn program(cx: &mut Cx, lock: &RwLock<Rc<u8>>) -> Res {
    let guard = lock.write(cx).await?;
    moves(WriteGuard::map(guard, |value| value));
    Ok(())
}
