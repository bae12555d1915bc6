//! [`Manage`]: what a pool has to know of the things in it.
//!
//! Not here: when it's asked (`pool`).

use core::future::Future;

use cx::{All, Cx};
use types::{Cancelled, Res};

/// How something idle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// It can be leased.
    Well,
    /// It's dropped, and the next one is looked at.
    Sick,
}

/// What becomes of something that is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recycle {
    /// It's kept for the next one.
    Keep,
    /// It's dropped.
    Drop,
}

/// Makes, checks and recycles the things of a pool. `C` is what its contexts may do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not manage a pool",
    label = "needs `impl Manage for {Self}`",
    note = "it takes the two types `Item` and `Error`, and `async fn create(&self, cx: &mut Cx) -> Res<Self::Item, Self::Error>`"
)]
pub trait Manage<C = All>: Send + Sync + 'static {
    /// What is pooled.
    type Item: Send + 'static;
    /// Why one can't be made.
    type Error;

    /// Makes one. It may wait, fail, be cancelled or panic: the pool loses nothing by it. What it spawns belongs to the region of
    /// whoever leases.
    fn create(&self, cx: &mut Cx<C>) -> impl Future<Output = Res<Self::Item, Self::Error>> + Send;

    /// Looks one over that was idle, before it's leased. Unless it's said otherwise everything is well.
    ///
    /// # Errors
    /// Cancelled: the item is dropped then, and the lease refused. What else goes wrong is [`Health::Sick`].
    fn check(
        &self,
        _cx: &mut Cx<C>,
        _item: &mut Self::Item,
    ) -> impl Future<Output = Result<Health, Cancelled>> + Send {
        async { Ok(Health::Well) }
    }

    /// Prepares one that is given back for the next one. It can't wait: it runs where a lease is dropped. Unless it's said
    /// otherwise everything is kept.
    fn recycle(&self, _item: &mut Self::Item) -> Recycle {
        Recycle::Keep
    }
}
