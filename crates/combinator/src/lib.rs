//! Combinators: several bodies at once inside one task, or one body under a limit.
//!
//! | file | what lives there |
//! |---|---|
//! | `ext` | [`CombineExt`]: all of them, as methods of a `Cx` |
//! | `join` | `join`, `join_all`, `try_join`, `try_join_all` |
//! | `race` | `race`, `race_all`, `select` |
//! | `select` | [`SelectExt`]: `select3` to `select8`, `select_all`, biased and fair |
//! | `many` | [`ManyExt`]: `for_each_concurrent`, `map_reduce`, `hedge` and their kin, as methods of a `Cx` |
//! | `each` | `for_each_concurrent`, `try_for_each_concurrent`, `map_reduce` |
//! | `hedge` | `hedge`: another attempt when the first is late |
//! | `pipeline` | stages with bounded channels between them |
//! | [`plan`] | trees of the others as values: their worst case, their laws, their run |
//! | `task_set` | [`TaskSet`]: tasks that come and go, joined in the order in which they end |
//! | `quorum` | `quorum`, `first_ok` |
//! | `limit` | `timeout`, `deadline`, `budgeted`; `until_cancelled` of foreign futures |
//! | `bracket` | `bracket`: acquire, use, release |
//! | [`retry`] | `retry`, `retry_if`, and a budget that callers share |
//! | [`backoff`] | how long to wait between attempts: pure |
//! | [`bulkhead`] | so many at a time, so many waiting, the rest told at once |
//! | [`breaker`] | calls that keep failing are refused for a while |
//! | [`rate`] | so many per so long: token bucket, GCRA, and the line in front of them |
//! | [`stream`] | streams: adapters, sources, consumers |
//! | `tally` | who has won: a pure machine |
//! | `leg` | one branch on its way: body, drain, closed |
//! | `runs` | values that are combined with their neighbours: pure |
//! | `crowd` | polls legs that begin one after another, a few at a time |
//! | `drive` | polls the legs of one combinator and carries out what the tally decides |
//!
//! What holds for all of them:
//! - Bodies run inside the task of the caller: they borrow its locals and need not be `'static`. They take
//!   turns, not threads: for parallel work spawn tasks.
//! - Each body has a branch: a scope with a cancel state of its own. What it spawns there belongs to the
//!   branch and has ended when the combinator returns.
//! - `race.drained`: nobody is dropped half way. Losers are asked to stop (`LostRace`) when the winner's body
//!   returns, and the combinator returns after every one of them has.
//! - A body that panics before the combinator is decided stops the others (`SiblingFailed`); the panic goes
//!   on when they have ended. After the decision it is escalated as `ChildFailed`, like the failures of
//!   children that nobody joined: the winner's value is returned, and the next checkpoint says what was lost.
//! - A combinator whose future is dropped drops its bodies; their children are cancelled, and the region
//!   around awaits them.
//!
//! Not here: branches themselves (`cx`), channels (`sync`).
#![cfg(not(loom))]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod backoff;
mod bracket;
pub mod breaker;
pub mod bulkhead;
mod crowd;
mod drive;
mod each;
mod ext;
mod hedge;
mod join;
mod leg;
mod limit;
mod many;
mod pipeline;
pub mod plan;
mod quorum;
mod race;
pub mod rate;
pub mod retry;
mod runs;
mod select;
pub mod stream;
mod tally;
mod task_set;

pub use bracket::Released;
pub use ext::CombineExt;
pub use hedge::Hedge;
pub use many::ManyExt;
pub use pipeline::{Flow, OnRequest, Pipeline, Source, Stage};
pub use quorum::Quorum;
pub use race::Either;
pub use select::{Of3, Of4, Of5, Of6, Of7, Of8, SelectExt};
pub use task_set::TaskSet;
