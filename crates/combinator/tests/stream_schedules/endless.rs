//! A source that always has an item, behind adapters that never have one of their own: they give way, so that a timeout and a
//! cancellation come.
use super::*;
use std::future::pending;
use std::task::Context;

/// Numbers without an end and without a wait. Nobody who gives way takes so many as it bears.
struct Endless(u64);

impl Stream for Endless {
    type Item = u64;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u64>> {
        self.0 += 1;
        assert!(self.0 < 1 << 18, "the adapter keeps the task");
        Poll::Ready(Some(self.0))
    }
}

/// A stream that would take the source's items for ever.
type Hungry<'c> = Pin<Box<dyn Stream<Item = ()> + Send + 'c>>;
type Adapt = for<'c> fn(&'c Cx) -> Hungry<'c>;

const FAR: usize = usize::MAX;

/// Every adapter that may take more than one item from its source in one poll.
const HUNGRY: &[(&str, Adapt)] = &[
    ("filter", |_| Box::pin(Endless(0).filter(|_| false).map(drop))),
    ("filter_map", |_| Box::pin(Endless(0).filter_map(|_| None))),
    ("skip", |_| Box::pin(Endless(0).skip(FAR).map(drop))),
    ("skip_while", |_| Box::pin(Endless(0).skip_while(|_| true).map(drop))),
    ("flatten", |_| Box::pin(Endless(0).map(|_| stream::empty()).flatten())),
    ("flat_map", |_| Box::pin(Endless(0).flat_map(|_| stream::empty()))),
    ("chunks", |_| Box::pin(Endless(0).chunks(FAR).map(drop))),
    ("windows that fill", |_| Box::pin(Endless(0).windows(FAR, 1).map(drop))),
    ("windows far apart", |_| Box::pin(Endless(0).windows(1, FAR).skip(1).map(drop))),
    ("buffered_in_task", |_| {
        Box::pin(
            Endless(0)
                .map(|n| async move {
                    if n == 1 {
                        pending().await
                    }
                })
                .buffered_in_task(FAR),
        )
    }),
    ("buffer_unordered_in_task", |_| Box::pin(Endless(0).map(|_| pending()).buffer_unordered_in_task(FAR))),
    ("debounce", |cx| Box::pin(Endless(0).debounce(cx, ms(60)).map(drop))),
    ("chunks_timeout", |cx| Box::pin(Endless(0).chunks_timeout(cx, FAR, Duration::MAX).map(drop))),
    ("tumbling", |cx| Box::pin(Endless(0).tumbling(cx, Duration::MAX, FAR).map(drop))),
    ("buffered", |cx| {
        Box::pin(Endless(0).map(|_| async |cx: &mut Cx| drop(cx.cancelled().await)).buffered(cx, 1 << 20))
    }),
    ("buffer_unordered", |cx| {
        Box::pin(
            Endless(0).map(|_| async |cx: &mut Cx| drop(cx.cancelled().await)).buffer_unordered(cx, 1 << 20),
        )
    }),
];

#[test]
fn a_timeout_ends_every_adapter_whose_source_always_has_an_item() {
    for &(name, adapt) in HUNGRY {
        // The clock goes on by itself although somebody can always run.
        let lab = LabRuntime::new(LabConfig::default().eager_time(1));
        lab.run(|cx| async {
            let ended: Res<_> = cx.timeout(ms(50), async |cx| Ok(adapt(cx).next(cx).await?)).await;
            assert!(ended.is_err(), "{name}");
            assert_eq!(cx.now(), at(50), "{name}");
        });
    }
}

#[test]
fn a_cancellation_ends_every_adapter_whose_source_always_has_an_item() {
    for &(name, adapt) in HUNGRY {
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            let mut task =
                cx.spawn(async move |cx: &mut Cx| -> Res<bool> { Ok(adapt(cx).next(cx).await.is_err()) });
            yields(cx, 20).await;
            task.cancel("enough");
            assert!(task.join(cx).await.ok().unwrap(), "{name}");
        });
    }
}
