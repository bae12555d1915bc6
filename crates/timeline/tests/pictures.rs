//! Pictures of small runs that went wrong, in every format: what they show, that they can be read, that nothing of the
//! program under test gets out of its place, and that big runs stay small.
//!
//! | module | what it holds |
//! |---|---|
//! | `stories` | the runs: stored traces of the lab, and one made by hand |
//! | `golden` | each story in each format as a stored file |
//! | `geometry` | nothing overlaps, nothing lies outside |
//! | `harmless` | hostile names, notes and paths |
//! | `model` | what is made of events and touches that the stories don't have |
//! | `reader` | a small reader of JSON, and what was written read back |
//! | `big` | 10^5 events |
//!
//! Not here: live runs of the lab (`lab.rs`).

#[path = "picture/big.rs"]
mod big;
#[path = "picture/geometry.rs"]
mod geometry;
#[path = "picture/golden.rs"]
mod golden;
#[path = "picture/harmless.rs"]
mod harmless;
#[path = "picture/model.rs"]
mod model;
#[path = "picture/reader.rs"]
mod reader;
#[path = "picture/stories.rs"]
mod stories;
