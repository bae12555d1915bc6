//! Programs in which two threads are at the same place at the same time, again and again: an end and its join, an end
//! and a request, the last permit of a region and its close, a request that is raised while it is acknowledged.
use cx::{Cx, RegionHandle};
use std::future::Future;
use std::hint::spin_loop;
use std::pin::Pin;
use std::task::{Context, Waker};
use sync::mpsc;
use sync::oneshot;
use time::TimeExt;
use types::{CancelKind, Cancelled, Res};

/// Looks again and again whether tasks are over, that the other worker has.
async fn joins(cx: &mut Cx) -> Result<(), Cancelled> {
    for _ in 0..12 {
        let spawn = |n: u32| cx.spawn(async move |_: &mut Cx| (0..n * 50).for_each(|_| spin_loop()));
        let mut tasks: Vec<_> = (0..6).map(spawn).collect();
        while !tasks.is_empty() {
            tasks.retain_mut(|task| task.try_join(cx).is_none());
            cx.yield_now().await
        }
    }
    Ok(())
}

/// Asks tasks to end that end by themselves.
async fn requests(cx: &mut Cx) -> Result<(), Cancelled> {
    for n in 0..12 {
        let spawn = |m: u32| {
            cx.spawn(async move |cx: &mut Cx| {
                (0..m * 20).for_each(|_| spin_loop());
                cx.yield_now().await;
                cx.checkpoint()
            })
        };
        let mut tasks: Vec<_> = (0..6).map(spawn).collect();
        for _ in 0..n {
            cx.yield_now().await
        }
        tasks.iter().for_each(|task| task.cancel("it may be over"));
        for task in &mut tasks {
            let _ = task.join(cx).await;
        }
    }
    Ok(())
}

/// Closes regions whose last permit is committed, given up or moved by another task.
async fn permits(cx: &mut Cx) -> Result<(), Cancelled> {
    let (give, mut holder) = mpsc::channel::<(u32, mpsc::OwnedPermit<u32>)>(1);
    let mut other = cx.spawn(async move |cx: &mut Cx| -> Res {
        while let Ok((n, mut permit)) = holder.recv(cx).await {
            (0..n % 7 * 8).for_each(|_| spin_loop());
            match n % 3 {
                0 => drop(permit.send(n)),
                1 => permit.abort(),
                _ => {
                    // Its region may wait for it, but is not over.
                    permit.rehome(cx).expect("nobody leaks in time");
                    let _ = permit.send(n);
                }
            }
        }
        Ok(())
    });
    let (tx, mut values) = mpsc::channel(64);
    for n in 0..60 {
        let (theirs, hand) = (tx.clone(), give.clone());
        cx.region(async |r: &mut Cx| {
            r.spawn(async move |cx: &mut Cx| -> Res {
                let permit = theirs.reserve(cx).await?.into_owned();
                let _ = hand.send(cx, (n, permit)).await;
                Ok(())
            });
        })
        .await;
        // The body's own, which passes up when it returns.
        let passed = cx.region(async |r: &mut Cx| tx.reserve(r).await.map(mpsc::Permit::into_owned)).await;
        if let Ok(permit) = passed {
            let _ = give.send(cx, (n, permit)).await;
        }
        while values.try_recv().is_ok() {}
    }
    drop(give);
    let _ = other.join(cx).await;
    Ok(())
}

/// Has outcomes taken by whoever is no task: this future polls the guests itself, as an executor of others would.
async fn guests(cx: &mut Cx) -> Result<(), Cancelled> {
    for _ in 0..12 {
        let handle = cx.handle();
        let guest = |n: u32| handle.guest(async move |_: &mut Cx| (0..n * 50).for_each(|_| spin_loop()));
        let mut guests: Vec<_> = (0..6).filter_map(|n| guest(n).ok()).collect();
        while !guests.is_empty() {
            guests.retain_mut(|guest| {
                Pin::new(guest).poll(&mut Context::from_waker(Waker::noop())).is_pending()
            });
            cx.yield_now().await
        }
    }
    Ok(())
}

/// Raises a request on a region whose tasks look for it all the time.
async fn raises(cx: &mut Cx) -> Result<(), Cancelled> {
    for _ in 0..20 {
        let (give, mut take) = oneshot::channel::<RegionHandle>();
        cx.spawn(async move |cx: &mut Cx| {
            let Ok(region) = take.recv(cx).await else { return };
            for kind in [CancelKind::Explicit, CancelKind::Deadline, CancelKind::BudgetExhausted] {
                region.cancel(kind, "once more", None);
                cx.yield_now().await
            }
        });
        cx.region(async |r: &mut Cx| {
            let _ = give.send(r.handle());
            for _ in 0..4 {
                r.spawn(async |cx: &mut Cx| {
                    for _ in 0..40 {
                        let told = cx.checkpoint();
                        cx.yield_now().await;
                        if told.is_err() {
                            let _ = cx.checkpoint();
                            let _ = cx.sleep(std::time::Duration::ZERO).await;
                        }
                    }
                });
            }
        })
        .await;
    }
    Ok(())
}

/// All of them, side by side.
pub(crate) async fn contended(cx: &mut Cx) {
    cx.region(async |r: &mut Cx| {
        r.spawn(joins);
        r.spawn(requests);
        r.spawn(permits);
        r.spawn(raises);
        r.spawn(guests);
        r.spawn(joins);
        r.spawn(permits);
    })
    .await
}
