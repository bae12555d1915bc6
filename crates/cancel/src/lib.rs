//! The request, drain, finalize machine: what a cancel request is, how a second one changes the first, what
//! of it a scope can see, and when cleanup has taken too long. Pure: no clock, no waker, no lock.
//!
//! ```text
//! Running ──request──▶ CancelRequested ──seen at a checkpoint, unmasked──▶ Cancelling
//!    └──────────────────────────┬─────────────────────────────────────────────┘
//!                          body returned ──▶ Finalizing ──finalizers done──▶ Completed
//! ```
//! Rules kept here: `cancel.strengthen` ([`Slot::strengthen`]), `cancel.effective` ([`effective`]),
//! the phases' order ([`Phase::step`]), the deadline of `cancel.bounded` ([`cleanup_deadline`]).
//! Not here: who is told and woken (`region`), where a request is stored (`cx`, `region`).
#![no_std]
#![forbid(unsafe_code)]

mod effective;
mod grace;
mod phase;
mod slot;

pub use effective::{ScopeView, effective};
pub use grace::{DEFAULT_GRACE, FINALIZER_GRACE, FIRST_REPORT, REPORT_EVERY, SETTLE_GRACE, cleanup_deadline};
pub use phase::{Phase, Step};
pub use slot::{Slot, Strengthened};
