//! The key-value server of `examples/kv` in the lab: the same code, on a simulated network, over many seeds.
//!
//! Every run is judged by all oracles and replayed against the model; the drain has to balance. The unit tests
//! of the server's parts run here as well, since nothing else builds an example's tests.
//!
//! | file | what lives there |
//! |---|---|
//! | `harness` | one run: the server, clients beside it, a signal at the end, the verdict |
//! | `client` | a client that speaks the protocol over a simulated connection |
//! | `serving` | pipelines, pieces, half-closes, pub/sub, expiry |
//! | `hostile` | limits, garbage, clients that leave or never read, handlers that fail, faults of the network |
//! | `ending` | the drain, at every step |
//! | `explored` | two clients and few commands: all schedules within a bound of production's, and drawn ones |

#![allow(dead_code, reason = "the server's parts are shared with the example, which uses all of them")]

#[path = "../examples/kv/commands.rs"]
mod commands;
#[path = "../examples/kv/files.rs"]
mod files;
#[path = "../examples/kv/flags.rs"]
mod flags;
#[path = "../examples/kv/glob.rs"]
mod glob;
#[path = "../examples/kv/limits.rs"]
mod limits;
#[path = "../examples/kv/resp.rs"]
mod resp;
#[path = "../examples/kv/server.rs"]
mod server;
#[path = "../examples/kv/store.rs"]
mod store;

#[path = "kv_lab/client.rs"]
mod client;
#[path = "kv_lab/ending.rs"]
mod ending;
#[path = "kv_lab/explored.rs"]
mod explored;
#[path = "kv_lab/harness.rs"]
mod harness;
#[path = "kv_lab/hostile.rs"]
mod hostile;
#[path = "kv_lab/serving.rs"]
mod serving;
