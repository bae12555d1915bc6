//! The server: the same code in production and in the lab, which differ only in the `Cx` they pass.
//!
//! ```text
//! serve ─┬─ region "server"
//!        ├─ signals, dump, expiry,     daemons: they end when nobody else is left
//!        │  door
//!        └─ region "connections"       isolating: a connection that fails concerns nobody else
//!           ├─ body: the accept loop   ends when the region is asked to: then the drain has begun
//!           └─ connection #n           one task each, and below it the writer of a subscriber
//! ```
//! Shutting down is one request on the region of the connections. The accept loop returns with it; a
//! connection between two requests returns with it; one that owes an answer sends it in a masked section,
//! which the cleanup deadline pierces; one that has sent half a request has a second for the rest. So the drain needs no list of connections, no flag to poll and no
//! time-out of its own: `serve` returns when the region has closed.
//!
//! | file | what lives there |
//! |---|---|
//! | `config` | what the server is told, and where it reports to |
//! | `shared` | what all tasks share, and the answers to INFO and CLIENT LIST |
//! | `accept` | the accept loop: limits, and faults that pass |
//! | `door` | who comes while the server drains: the region tree for the operator, a refusal for all others |
//! | `connection` | one client from its first byte to its last |
//! | `held` | the bytes that are held for all clients together |
//! | `input` | the bytes of a connection that wait to be understood |
//! | `pipeline` | executing the requests that have arrived, under the lock of the store |
//! | `subscriber` | messages on their way to one client, and the task that writes them |
//! | `channels` | who subscribes to what |
//! | `expiry` | the timer of the next deadline |
//! | `drain` | asking for the end, counting who ended how, the report |
//! | `operator` | signals, the dump of the region tree, and the commands that are no Redis commands |
//!
//! Not here: the protocol (`resp`), the data (`store`), the commands (`commands`), flags and processes
//! (`main`).

#[path = "server/accept.rs"]
mod accept;
#[path = "server/channels.rs"]
mod channels;
#[path = "server/config.rs"]
mod config;
#[path = "server/connection.rs"]
mod connection;
#[path = "server/door.rs"]
mod door;
#[path = "server/drain.rs"]
mod drain;
#[path = "server/expiry.rs"]
mod expiry;
#[path = "server/held.rs"]
mod held;
#[path = "server/input.rs"]
mod input;
#[path = "server/operator.rs"]
mod operator;
#[path = "server/pipeline.rs"]
mod pipeline;
#[path = "server/shared.rs"]
mod shared;
#[path = "server/subscriber.rs"]
mod subscriber;

use asupersync::net::{ListenOptions, TcpListener};
use asupersync::sync::oneshot;
use asupersync::{Cx, RegionOptions, row};
use shared::Shared;
use std::sync::Arc;

pub(crate) use config::{Config, Journal};
pub(crate) use drain::Report;

row! {
    /// What the server may do: no files, no processes, no random numbers.
    pub(crate) Serving: Spawn, Time, Net, Signal;
}

/// The server could not begin: `Display` is the one line to print.
#[derive(Debug)]
pub(crate) struct ServeError(String);

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServeError {}

/// Serves until it is asked to end, then drains, and says how that went.
///
/// # Errors
/// The address cannot be listened on.
///
/// # Cancel behaviour
/// A request from outside is one more way to ask for the end: the drain is the same.
pub(crate) async fn serve(
    cx: &mut Cx<Serving>,
    config: Config,
    journal: Arc<dyn Journal>,
) -> Result<Report, ServeError> {
    let options = ListenOptions::new().backlog(BACKLOG);
    let listener =
        TcpListener::bind_with(cx, config.bind, options).map_err(|error| ServeError(error.to_string()))?;
    let shared = Arc::new(Shared::new(config, journal, listener.local_addr(), cx.handle(), cx.now()));
    let options = RegionOptions::fail_fast().name("server");
    let serving = shared.clone();
    cx.region_with(options, async |cx: &mut Cx<Serving>| {
        operator::watch(cx, &serving);
        expiry::start(cx, &serving);
        let (close, closed) = oneshot::channel();
        door::start(cx, &serving, closed);
        let grace = serving.config.grace;
        let failures = serving.clone();
        let options = RegionOptions::isolate()
            .name("connections")
            .grace(grace)
            .on_failure(move |failure| connection::report_failure(&failures, failure));
        cx.region_with(options, async |cx: &mut Cx<Serving>| {
            serving.drain.attach(cx.handle());
            serving.journal.line(&serving.greeting());
            let listener = accept::run(cx, &serving, listener).await;
            serving.drain.begin(cx.now(), serving.clients.len(), &*serving.journal);
            // The door waits for it as long as the region around this one is open.
            let _ = close.send(listener);
        })
        .await;
        serving.drain.end(cx.now());
    })
    .await;
    let unreturned = shared.config.limits.max_clients.saturating_sub(shared.places.available());
    Ok(shared.drain.report(&*shared.journal, unreturned))
}

/// Connections that the system keeps until they are accepted, as in Redis.
const BACKLOG: u32 = 511;
