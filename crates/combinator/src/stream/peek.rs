//! [`Peekable`]: a look at the next item before it is taken.
use super::then::plus;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use cx::{Cx, Row};
use pin_project_lite::pin_project;
use types::{Cancelled, Stream, WaitKind};

static PEEKING: WaitKind = WaitKind::new("a look at the next item of a stream");

pin_project! {
    /// Stream of [`StreamExt::peekable`](super::StreamExt::peekable). Holds one item at most.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Peekable<S: Stream> {
        #[pin]
        source: S,
        // What was looked at: an item, or the end.
        next: Option<Option<S::Item>>,
    }
}

impl<S: Stream> Peekable<S> {
    pub(super) fn new(source: S) -> Self {
        Peekable { source, next: None }
    }

    /// The source, and the item that was looked at and not taken.
    pub fn into_parts(self) -> (S, Option<S::Item>) {
        (self.source, self.next.flatten())
    }

    /// Looks at the next item, which stays where it is; `None` at the end.
    pub fn poll_peek(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<&S::Item>> {
        self.poll_peek_mut(context).map(|next| next.map(|item| &*item))
    }

    /// As [`poll_peek`](Self::poll_peek), to change the item before it is taken.
    pub fn poll_peek_mut(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<&mut S::Item>> {
        let this = self.project();
        if this.next.is_none() {
            *this.next = Some(ready!(this.source.poll_next(context)));
        }
        Poll::Ready(this.next.as_mut().and_then(Option::as_mut))
    }

    /// As [`peek`](Self::peek), to change the item before it is taken.
    ///
    /// # Errors
    /// As there.
    pub async fn peek_mut<C: Row>(&mut self, cx: &Cx<C>) -> Result<Option<&mut S::Item>, Cancelled>
    where
        S: Unpin,
    {
        self.peek(cx).await?;
        Ok(self.next.as_mut().and_then(Option::as_mut))
    }

    /// Takes the next item if `wanted` says so; otherwise it stays the next one. `None` as well at the end.
    ///
    /// # Errors
    /// Cancelled: nothing was taken.
    pub async fn next_if<C: Row>(
        &mut self,
        cx: &Cx<C>,
        wanted: impl FnOnce(&S::Item) -> bool,
    ) -> Result<Option<S::Item>, Cancelled>
    where
        S: Unpin,
    {
        self.peek(cx).await?;
        Ok(self
            .next
            .as_mut()
            .and_then(|next| next.take_if(|item| wanted(item)))
            .inspect(|_| self.next = None))
    }

    /// Looks at the next item, which stays where it is; `None` at the end.
    ///
    /// # Errors
    /// Cancelled, also if an item is there.
    pub fn peek<'s, 'c, C: Row>(&'s mut self, cx: &'c Cx<C>) -> Peek<'s, 'c, S, C>
    where
        S: Unpin,
    {
        Peek { stream: Some(self), cx }
    }
}

impl<S: Stream> Stream for Peekable<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        match this.next {
            // The end is remembered, so that the source is not polled after it.
            Some(None) => Poll::Ready(None),
            Some(next) => {
                let item = next.take();
                *this.next = None;
                Poll::Ready(item)
            }
            None => {
                let item = ready!(this.source.poll_next(context));
                if item.is_none() {
                    *this.next = Some(None)
                }
                Poll::Ready(item)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.next {
            Some(None) => (0, Some(0)),
            Some(Some(_)) => plus(self.source.size_hint(), 1),
            None => self.source.size_hint(),
        }
    }
}

/// Future of [`Peekable::peek`].
#[must_use = "futures do nothing unless awaited"]
pub struct Peek<'s, 'c, S: Stream, C> {
    /// Until it was ready with an item.
    stream: Option<&'s mut Peekable<S>>,
    cx: &'c Cx<C>,
}

impl<S: Stream, C> core::fmt::Debug for Peek<'_, '_, S, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Peek")
    }
}

/// Nothing in it is pinned.
impl<S: Stream, C> Unpin for Peek<'_, '_, S, C> {}

impl<'s, S: Stream + Unpin, C: Row> Future for Peek<'s, '_, S, C> {
    type Output = Result<Option<&'s S::Item>, Cancelled>;

    /// # Panics
    /// If it is polled after it was ready with an item.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let cx = self.cx;
        let Some(stream) = self.stream.as_mut() else {
            panic!("a look at a stream was polled after it was ready")
        };
        ready!(cx.poll_around(context, &PEEKING, |context| {
            Pin::new(&mut **stream).poll_peek(context).map(|_| ())
        }))?;
        let seen = self.stream.take().and_then(|stream| stream.next.as_ref());
        Poll::Ready(Ok(seen.and_then(Option::as_ref)))
    }
}
