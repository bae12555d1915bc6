//! What the server is told when it begins, and where it says what happens.

use super::super::limits::Limits;
use std::net::SocketAddr;
use std::time::Duration;

/// How to serve. Everything that differs between a process and the lab, and everything random, is a value
/// here: the server reads no environment, no wall clock and no process id.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where to listen; port 0 takes any.
    pub(crate) bind: SocketAddr,
    /// What a client can make the server hold.
    pub(crate) limits: Limits,
    /// The number of files that may be open, if there are fewer places for clients because of it.
    pub(crate) few_files: Option<usize>,
    /// How long requests in progress may take once the end was asked for.
    pub(crate) grace: Duration,
    /// Worker threads, for INFO.
    pub(crate) workers: usize,
    /// Milliseconds since the Unix epoch at the moment when the server begins.
    pub(crate) epoch_ms: u64,
    /// Seed of the store's hash function.
    pub(crate) seed: u64,
    /// Forty hexadecimal digits that name this run.
    pub(crate) run_id: String,
    /// Process id, 0 in the lab.
    pub(crate) process_id: u32,
    /// Whether KV.SLEEP and KV.PANIC are there: handlers that take their time, and that fail.
    pub(crate) debug_commands: bool,
    /// Bytes of messages that may wait for one subscriber before it is disconnected [the first number of
    /// `client-output-buffer-limit pubsub`].
    pub(crate) subscriber_bytes: usize,
    /// Ends the process at once, on the second Ctrl-C. Does nothing in the lab.
    pub(crate) exit_now: fn(),
}

/// Where the server says what happens.
pub(crate) trait Journal: Send + Sync {
    /// One event, in one line (or, for a dump of the region tree, several).
    fn line(&self, text: &str);
    /// How many of the runtime's own reports spoke of an obligation that was not resolved.
    fn leaks(&self) -> u64;
}
