//! Streams: where they come from, what changes them on the way, and how they are taken.
//!
//! | file | what lives there |
//! |---|---|
//! | `ext` | [`StreamExt`]: adapters and consumers as methods of every [`Stream`] |
//! | `try_ext` | [`TryStreamExt`]: those of streams of results |
//! | `cx_ext` | [`StreamCxExt`]: those that need a clock or a region, and so a `Cx` |
//! | `source` | [`iter()`], [`once`], [`repeat`], [`from_fn`], [`unfold`], .. |
//! | `each` | one item in, at most one out, at once: [`Map`], [`Filter`], [`FilterMap`], [`Inspect`], [`Enumerate`], [`Scan`] |
//! | `then` | one item in, one out, after a future: [`Then`] |
//! | `part` | a part of the items: [`Take`], [`TakeWhile`], [`TakeUntil`], [`Skip`], [`SkipWhile`], [`Fuse`] |
//! | `peek` | a look ahead: [`Peekable`] |
//! | `chain` | one after the other: [`Chain`], [`Flatten`], [`FlatMap`] |
//! | `zip` | in pairs: [`Zip`] |
//! | `merge` | side by side: [`Merge`], [`MergeAll`], and by key: [`StreamMap`] |
//! | `group` | several items as one: [`Chunks`], [`Windows`] |
//! | `timer` | the clock of the adapters that have one |
//! | `timed` | items and the clock: [`Timeout`], [`Throttle`], [`Debounce`] |
//! | `timed_group` | several items as one, by the clock: [`ChunksTimeout`], [`Tumbling`], [`Sliding`] |
//! | `tasks` | items worked on by tasks of a region: [`Buffered`], [`BufferUnordered`] |
//! | `reports` | where these tasks report |
//! | `in_task` | items worked on side by side in the consumer's own task |
//! | `woken` | which of many futures in one task were woken |
//! | `spell` | how long an adapter without a `Cx` goes on in one poll |
//! | `next` | one item: [`Next`], [`TryNext`] |
//! | `consume` | all items: `collect`, `fold`, `for_each` and their `try_` forms; [`Cut`] |
//! | `fan_out` | one stream into many channels: [`forward`], [`round_robin`], [`by_key`], [`broadcast`] |
//! | `foreign` | ours as theirs and theirs as ours, with feature `futures` |
//!
//! What holds for all of them:
//! - Cancellation is the consumer's business: [`StreamExt::next`] and the consumers built on it take a `&Cx`, and when a
//!   request is effective they return it before anything is taken (`cancel.first`). Adapters never see it, so none drops
//!   anything because of it.
//! - `stream.conserved`: an item that was taken from the source is on its way to the consumer, or is held by the adapter,
//!   which then has a method that gives it back, or was dropped by what the adapter's name says (`filter`, `skip`,
//!   `debounce`). A consumer that was cancelled may go on later, or masked, and gets what was held first.
//! - Order is that of the source, except where a name says otherwise (`unordered`, `merge`).
//! - Dropping an adapter drops what it holds. Tasks that it spawned are asked to stop, and their region awaits them.
//! - No adapter polls a source after its end, and none that takes more than one source, or holds anything, needs
//!   [`StreamExt::fuse`]. After their own end [`Map`] and its like are as their source is.
//! - `stream.gives-way`: no adapter keeps the task while its source always has an item. One that gives none of its own for long
//!   returns in between, after 128 items or, where it has a `&Cx`, when the task's budget is spent; its consumer looks then for a
//!   request or a timeout.
//! - Adapters that take a `&Cx` take it for its clock or its region.
//!
//! The shapes are those of Rust's iterators and of the `futures` crate, whose names are kept where they mean the same.
//!
//! Not here: the trait (`types`), channels as streams (`sync`), pipelines of tasks (`combinator`'s own).

mod chain;
mod consume;
mod cx_ext;
mod each;
mod ext;
mod fan_out;
#[cfg(feature = "futures")]
mod foreign;
mod group;
mod in_task;
mod merge;
mod next;
mod part;
mod peek;
mod reports;
mod source;
mod spell;
mod tasks;
mod then;
mod timed;
mod timed_group;
mod timer;
mod try_ext;
mod woken;
mod zip;

pub use chain::{Chain, FlatMap, Flatten};
pub use consume::Cut;
pub use cx_ext::{KeepLast, StreamCxExt};
pub use each::{Enumerate, Filter, FilterMap, Inspect, Map, MapErr, MapOk, Scan};
pub use ext::StreamExt;
pub use fan_out::{Undelivered, broadcast, by_key, forward, round_robin};
#[cfg(feature = "futures")]
pub use foreign::{FromFutures, IntoFutures, from_futures, into_futures};
pub use group::{Chunks, Windows};
pub use in_task::{BufferUnorderedInTask, BufferedInTask};
pub use merge::{Merge, MergeAll, StreamMap, merge_all};
pub use next::{Next, TryNext};
pub use part::{Fuse, Skip, SkipWhile, Take, TakeUntil, TakeWhile};
pub use peek::{Peek, Peekable};
pub use source::{
    Empty, FromFn, Iter, Once, Pending, PollFn, Repeat, Unfold, empty, from_fn, iter, once, pending, poll_fn,
    repeat, unfold,
};
pub use tasks::{BufferUnordered, Buffered};
pub use then::Then;
pub use timed::{Debounce, Elapsed, Throttle, Timeout};
pub use timed_group::{ChunksTimeout, Sliding, Tumbling};
pub use try_ext::TryStreamExt;
pub use types::{FusedStream, Stream};
pub use zip::Zip;
