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

use crate::error::{NetError, OrCancelled};
use crate::turn::Turn;
use cx::port::IoFailure;
use cx::{Cx, Row};
use std::future::poll_fn;
use std::task::{Poll, Waker, ready};
use types::WaitKind;

/// One operation in one direction of a socket, polled as every leaf operation is: cancellation first, then the turn, then
/// the port, which registers the waker when it returns `Pending`.
async fn operation<C: Row, T>(
    cx: &Cx<C>,
    turn: &Turn,
    kind: &'static WaitKind,
    error: impl Fn(IoFailure) -> NetError,
    mut poll: impl FnMut(&Waker) -> Poll<Result<T, IoFailure>>,
) -> Result<T, OrCancelled<NetError>> {
    let mut taken = None;
    poll_fn(|context| {
        ready!(cx.poll_proceed(context))?;
        if taken.is_none() {
            taken = turn.take();
            if taken.is_none() {
                return Poll::Ready(Err(error(in_use()).into()));
            }
        }
        match poll(context.waker()) {
            Poll::Ready(result) => Poll::Ready(result.map_err(|failure| error(failure).into())),
            Poll::Pending => {
                cx.poll_wait(context, kind);
                Poll::Pending
            }
        }
    })
    .await
}

fn in_use() -> IoFailure {
    IoFailure { code: None, text: "another task is doing that".into() }
}
