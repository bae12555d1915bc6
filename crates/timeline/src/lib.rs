//! Pictures of a run: events in, text out.
//!
//! A failed run is a few hundred events of which five matter. This crate turns the events into a model of what
//! happened ([`Timeline`]: tasks, regions, requests, obligations, waits, and what had to come before what) and the
//! model into something to look at. It is pure: no clock, no file, no colour codes, the same text for the same run.
//!
//! | file | what lives there |
//! |---|---|
//! | `run` | [`Run`]: what a picture is made of: events, and what else the caller knows |
//! | `model` | [`Timeline`] and the nouns in it |
//! | `build` | from events to the model |
//! | `causes` | arrows: what had to come before what |
//! | `words` | a row of the model as a sentence |
//! | `plain` | untrusted text made harmless; spans of time; widths |
//! | `window` | [`Window`]: which tasks and rows of a big run are shown |
//! | `text` | for a terminal: the failure, who waits, the tree, the last events |
//! | `scene` | where things stand in the drawing: lanes across, time downwards |
//! | `theme` | colours, light and dark |
//! | `svg`, `html`, `mermaid`, `json` | the other ways to write it |
//!
//! Invariants kept here: `timeline.harmless` (no text of the program under test reaches an output unescaped, in
//! none of the formats), `timeline.bounded` (the size of an output depends on the window, not on the run),
//! `timeline.same` (an output is a function of the run).
//!
//! Not here: who records events (`trace`, the lab), who judges them (`oracle`).
#![forbid(unsafe_code)]

mod build;
mod causes;
mod html;
mod json;
mod mermaid;
mod model;
mod plain;
mod run;
mod scene;
mod svg;
mod text;
mod theme;
mod window;
mod words;

pub use html::html;
pub use json::{MOST, json};
pub use mermaid::mermaid;
pub use model::{
    Arrow, ArrowKind, Obligation, Region, Request, Row, RowOf, Scope, Settled, Task, Timeline, Timer,
    Trouble, Wait,
};
pub use run::{Failure, Run, StepRow, TouchAt, TouchRow, WaitRow};
pub use scene::{Mark, Place, Scene, Shape, scene};
pub use svg::svg;
pub use text::{TextLimits, text};
pub use window::Window;
