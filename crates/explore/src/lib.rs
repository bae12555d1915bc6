//! Which schedules to run, and what was learnt from those that ran. A pure crate: it knows neither tasks nor
//! engines, only numbers for them; whoever executes programs (the lab, or a test's interpreter) asks a
//! [`Scheduler`] at every point where more than one thing could happen, and tells it what did.
#![forbid(unsafe_code)]

mod causality;
mod classified;
mod conflict;
mod coverage;
mod delay;
mod dpor;
mod estimate;
mod explorer;
mod fingerprint;
mod footprint;
pub mod mini;
mod names;
mod objects;
mod relation;
mod sample;
mod scheduler;
mod script;
mod shrink;

pub use classified::Classified;
pub use conflict::conflicting;
pub use coverage::{Coverage, Diff};
pub use delay::DelayBound;
pub use dpor::Counts;
pub use estimate::{Census, Count, Estimate, Survey};
pub use explorer::{Explorer, Reduction};
pub use fingerprint::{Fingerprint, Fingerprinter};
pub use objects::Objects;
pub use relation::{Mark, Relation, relate};
pub use sample::{
    Decisions, Delay, Departure, Deviation, Divergence, Expected, Fifo, Found, Pct, Pos, Random, Recorded,
    Recording, Replay, ReplayError, RoundRobin, Taken, Urw, name_of,
};
pub use scheduler::{Announced, Candidate, Crowd, Ended, Point, Request, Scheduler, Step, Stuck, Touch};
pub use script::Unrepeatable;
pub use shrink::{RacingPair, Row, Shrinker, Side, StepLog, Verdict};
