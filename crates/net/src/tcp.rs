//! TCP: [`TcpListener`] and [`TcpStream`].
//!
//! ```
//! use asupersync_net::{TcpListener, TcpStream};
//! use types::Res;
//!
//! async fn echo(cx: &mut cx::Cx, stream: TcpStream) -> Res {
//!     let mut bytes = [0; 4096];
//!     loop {
//!         match stream.read(cx, &mut bytes).await? {
//!             0 => return Ok(()),
//!             n => stream.write_all(cx, &bytes[..n]).await?,
//!         }
//!     }
//! }
//!
//! async fn serve(cx: &mut cx::Cx) -> Res {
//!     let listener = TcpListener::bind(cx, ([127, 0, 0, 1], 0))?;
//!     cx.try_region(|cx| async {
//!         loop {
//!             let (stream, _from) = listener.accept(cx).await?;
//!             cx.spawn(async move |cx: &mut cx::Cx| echo(cx, stream).await);
//!         }
//!     })
//!     .await
//! }
//! ```
//!
//! | file | what lives there |
//! |---|---|
//! | `listener` | [`TcpListener`], [`ListenOptions`] |
//! | `stream` | [`TcpStream`] |
//!
//! Not here: names, time limits, buffers.

mod listener;
mod stream;

pub use listener::{ListenOptions, TcpListener};
pub use stream::TcpStream;

use crate::error::{Doing, NetError, OrCancelled};
use crate::turn::{Taken, Turn};
use cx::port::IoFailure;
use cx::{Cx, Row};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use types::WaitKind;

/// One operation in one direction of a socket, polled as every leaf operation is: cancellation first, then the turn, then
/// the port, which registers the waker when it returns `Pending`.
///
/// It borrows what an error would be made of, and is a future by hand: an `async` block around a closure copies addresses at
/// every call.
struct Operation<'a, C: Row, P> {
    cx: &'a Cx<C>,
    turn: &'a Turn,
    taken: Option<Taken<'a>>,
    kind: &'static WaitKind,
    doing: Doing,
    address: &'a SocketAddr,
    poll: P,
}

/// Nothing of an operation is pinned: what waits is the port's.
impl<C: Row, P> Unpin for Operation<'_, C, P> {}

impl<C: Row, P, T> Future for Operation<'_, C, P>
where
    P: FnMut(&Waker) -> Poll<Result<T, IoFailure>>,
{
    type Output = Result<T, OrCancelled<NetError>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        ready!(this.cx.poll_proceed(context))?;
        if this.taken.is_none() {
            this.taken = this.turn.take();
            if this.taken.is_none() {
                return Poll::Ready(Err(this.error(in_use())));
            }
        }
        match (this.poll)(context.waker()) {
            Poll::Ready(Ok(value)) => Poll::Ready(Ok(value)),
            Poll::Ready(Err(failure)) => Poll::Ready(Err(this.error(failure))),
            Poll::Pending => {
                this.cx.poll_wait(context, this.kind);
                Poll::Pending
            }
        }
    }
}

impl<C: Row, P> Operation<'_, C, P> {
    #[cold]
    fn error(&self, failure: IoFailure) -> OrCancelled<NetError> {
        NetError::new(self.doing, Some(*self.address), failure).into()
    }
}

fn in_use() -> IoFailure {
    IoFailure { code: None, text: "another task is doing that".into() }
}
