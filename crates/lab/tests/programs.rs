//! Programs whose result follows from the rules, each run under many schedules. Beside each test stands what
//! must come out, and by which rules of `docs/spec`.
//!
//! Every run's trace is replayed against the model (`LabConfig::check_model`, on by default), and every program
//! ends with all oracles: quiescence, no leak, no orphan, losers drained, finalizers in order, requests carried
//! forward, no deadlock. A program that is about one of those failing says so.
//!
//! | module | programs |
//! |---|---|
//! | `failure` | what a member's end does to its siblings, its region and its caller |
//! | `requests` | requests that come at awkward moments, foreign combinators |
//! | `cleanup` | finalizers, releases, abandoning, daemons, shutdown, deadlock |
//! | `permits` | permits that move, leak, or are given back |
//! | `branches` | race, timeout, bracket |
//!
//! Not here: one test per rule (`rules.rs`), the lab itself (`lab.rs`).

#[path = "programs/boom.rs"]
mod boom;
#[path = "programs/branches.rs"]
mod branches;
#[path = "programs/cleanup.rs"]
mod cleanup;
#[path = "programs/failure.rs"]
mod failure;
#[path = "programs/permits.rs"]
mod permits;
#[path = "programs/requests.rs"]
mod requests;
