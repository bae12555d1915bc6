//! The event vocabulary: what the kernel says about itself, one label per step.
//!
//! One vocabulary serves everybody who looks at a run: the trace file, the oracles that judge it,
//! the executable model that replays it, dumps and metrics. So a step of `docs/spec/` that has no
//! label cannot be checked, and a label that belongs to no step is noise.
//!
//! | file | what lives there |
//! |---|---|
//! | `label` | [`Label`]: the steps, grouped by [`Chapter`] |
//! | `kinds` | the small words a label is made of: [`RegionPhase`], [`ScopeKind`], [`End`], ... |
//! | `event` | [`Event`]: a label with its position, time and acting task; the line form of a trace |
//! | `site`  | [`Site`]: a place in the user's source, 16 bytes, parsed or compiled in |
//! | `word`  | how each field is written as one word and read back |
//! | `access` | [`Access`]: what a step does to a shared object, for exploration |
//! | `ring`  | [`Ring`]: the last `n` events |
//!
//! Invariants kept here: `trace.round-trip` (every event is one line, and reading that line gives
//! the same event), `trace.stable` (the name of a label and of its fields never changes meaning).
//!
//! Not here: who emits what when (the kernel), what is legal (the model in `formal/model`), what is
//! a failure (the oracles).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod access;
mod event;
mod kinds;
mod label;
mod ring;
mod site;
mod word;

pub use access::{Access, ObjectId, ObjectKind};
pub use event::{Event, TraceError, parse_lines, said_end, write_end, write_lines, write_whole};
pub use kinds::{
    Choice, End, Escalation, FinalizerEnd, FinalizerId, Refused, RegionKind, RegionPhase, ScopeEnd, ScopeId,
    ScopeKind, Text, TimerId,
};
pub use label::{Chapter, Label};
pub use ring::Ring;
pub use site::Site;
pub use word::ParseError;
