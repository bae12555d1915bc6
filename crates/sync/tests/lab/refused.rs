//! A wait that was refused keeps nothing, though its future is still there: it may lie in a `select!` for long.
use crate::on_all;
use asupersync_sync::{RwLock, mpsc::TrySendError, session};
use cx::{Cx, TaskHandle};
use std::pin::pin;
use std::sync::Arc;
use types::Res;

/// Has the task wait, and then asks it to end.
async fn refuse(cx: &Cx, mut task: TaskHandle<(), types::Error>) {
    for _ in 0..8 {
        cx.yield_now().await
    }
    task.cancel("enough");
    assert!(task.join(cx).await.is_ok(), "it goes on, and looks");
}

#[test]
fn an_upgrade_that_was_refused_lets_others_read() {
    on_all(|lab| {
        lab.run(async |cx| {
            let lock = Arc::new(RwLock::new(()));
            let reads = lock.read(cx).await.unwrap();
            let its = lock.clone();
            let upgrades = cx.spawn(async move |cx: &mut Cx| -> Res {
                let mut upgrade = pin!(its.try_upgradable().expect("others only read").upgrade(cx));
                assert!((&mut upgrade).await.is_err());
                assert!(its.try_read().is_some() && its.try_upgradable().is_some());
                Ok(())
            });
            refuse(cx, upgrades).await;
            drop(reads);
            assert!(lock.try_write().is_some())
        })
    })
}

#[test]
fn a_server_that_was_refused_does_not_wait() {
    on_all(|lab| {
        lab.run(async |cx| {
            let (client, mut server) = session::pair::<u8, u8>();
            let serves = cx.spawn(async move |cx: &mut Cx| -> Res {
                let mut next = pin!(server.next(cx));
                assert!((&mut next).await.is_err());
                assert!(matches!(client.try_ask(1), Err(TrySendError::Full(1))));
                Ok(())
            });
            refuse(cx, serves).await
        })
    })
}
