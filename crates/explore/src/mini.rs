//! The mini-language: small concurrent programs in a line of text, for tests of exploration whose numbers are known.
//!
//! ```text
//! program  = task "||" task ...                   a task may be "*3 ops": three copies of it
//! ops      = op ";" op ...
//! Wx=7     store 7 ($: the value this task read last; $+1: one more)
//! Rx       load
//! Fx+1     fetch_add; reads the value from before
//! Cx:0>7   compare_exchange of 0 by 7; reads the value from before
//! Lm Um    lock and unlock                  Tm       try_lock; reads 1 or 0
//! Sc Xc    send and blocking receive        Qc       try_recv; reads 1 or 0
//! ?=7{ops} the ops if the value read last is 7; ?!7{ops} if it is not; either with :{ops} for the other case
//! #        the task stops for ever, without an operation of its own
//! ```
//! A name is letters, digits and `_`; cells, locks and channels have separate names. All cells start at 0, locks are
//! free, channels are unbounded, first in first out, and empty. One step is one operation; what `?` decides belongs to
//! the step before it.
//!
//! Not here: what is done with the schedules (everything else in this crate), the real kernel (the lab, which
//! interprets the same [`Op`]s).

mod code;
mod machine;
mod parse;
mod program;
pub mod table;

pub use machine::{End, Machine};
pub use parse::ParseError;
pub use program::{Cell, Channel, Lock, Op, Operand, Program};
