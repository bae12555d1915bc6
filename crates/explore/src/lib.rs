//! Which schedules to run, and what was learnt from those that ran. A pure crate: it knows neither tasks nor
//! engines, only numbers for them; whoever executes programs (the lab, or a test's interpreter) asks a
//! [`Scheduler`] at every point where more than one thing could happen, and tells it what did.
#![forbid(unsafe_code)]

pub mod mini;
mod scheduler;

pub use scheduler::{Announced, Candidate, Ended, Point, Scheduler, Step, Stuck, Touch};
