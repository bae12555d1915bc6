//! `Shared`: what all tasks of the server share, and what INFO and CLIENT LIST say of it.
//!
//! The store has one lock, held while the requests that one read brought are executed, and never across a
//! wait. Execution is about a tenth of what a request costs; the rest, the system calls, runs in parallel on
//! all workers. Order of the locks: store, then clients or channels, then an outbox or a client's own.
//!
//! A panic under a lock ends the connection it happened in; the others go on with the data as they are,
//! which a command changes in one step after its checks (`commands.refused_whole`).

use super::super::commands::{ClientInfo, Host, ServerInfo, Session};
use super::super::limits::Limits;
use super::super::store::Store;
use super::Serving;
use super::channels::Channels;
use super::config::{Config, Journal};
use super::drain::{Asked, Drain};
use super::held::Pool;
use asupersync::sync::notify::Notify;
use asupersync::sync::semaphore::Semaphore;
use asupersync::{RegionHandle, Time};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The value behind a lock, also after a panic under it: see the module.
pub(super) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See the module.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) core: Mutex<Core>,
    pub(super) clients: Clients,
    pub(super) channels: Channels,
    pub(super) drain: Drain,
    /// Everything the server runs, for dumps.
    pub(super) root: RegionHandle<Serving>,
    /// A permit for each client: an obligation of the region of the connections until the client is gone.
    pub(super) places: Arc<Semaphore>,
    /// What large requests, replies and messages of all clients together may take.
    pub(super) pool: Arc<Pool>,
    /// The next deadline of the store has become an earlier one.
    pub(super) deadline_moved: Notify,
    address: SocketAddr,
    started: Time,
}

/// What the lock of the store guards.
pub(super) struct Core {
    pub(super) store: Store,
    /// The deadline that the timer of the expiry waits for, if any.
    pub(super) armed: Option<u64>,
    pub(super) tally: Tally,
}

/// Counters for INFO.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) connections: u64,
    pub(super) rejected: u64,
    pub(super) input_bytes: u64,
    pub(super) output_bytes: u64,
}

impl Shared {
    pub(super) fn new(
        mut config: Config,
        journal: Arc<dyn Journal>,
        address: SocketAddr,
        root: RegionHandle<Serving>,
        now: Time,
    ) -> Shared {
        let most = &mut config.limits.max_clients;
        *most = (*most).min(Semaphore::MAX);
        let places = Arc::new(Semaphore::new(*most));
        let core = Core { store: Store::new(config.seed), armed: None, tally: Tally::default() };
        Shared {
            journal,
            core: Mutex::new(core),
            clients: Clients::default(),
            channels: Channels::default(),
            drain: Drain::default(),
            root,
            places,
            pool: Pool::new(config.limits.max_held),
            deadline_moved: Notify::new(),
            address,
            started: now,
            config,
        }
    }

    /// Asks for the end of the server. False if that was done before; a shorter grace counts nevertheless.
    pub(super) fn ask_to_end(&self, now: Time, why: &'static str, grace: Duration) -> bool {
        let connected = self.clients.len();
        self.drain.ask(Asked { why, grace, at: now, connected })
    }

    /// The line that says where clients can connect.
    pub(super) fn greeting(&self) -> String {
        let Config { workers, process_id, limits, few_files, .. } = &self.config;
        let why = few_files.map_or_else(String::new, |files| format!(": ulimit -n {files} allows no more"));
        let s = if *workers == 1 { "" } else { "s" };
        format!(
            "listening on {} (process {process_id}, {workers} worker{s}, at most {} clients{why})",
            self.address, limits.max_clients
        )
    }

    /// Milliseconds since the Unix epoch, on this server's own clock.
    #[inline]
    pub(super) fn wall(&self, now: Time) -> u64 {
        self.config.epoch_ms + now.saturating_since(self.started).as_millis() as u64
    }

    /// The instant of a deadline of the store.
    pub(super) fn instant(&self, wall: u64) -> Time {
        let span = Duration::from_millis(wall.saturating_sub(self.config.epoch_ms));
        self.started.saturating_add(span)
    }
}

/// What the commands see of the server while the store is locked.
pub(super) struct View<'a> {
    pub(super) shared: &'a Shared,
    pub(super) tally: &'a Tally,
    pub(super) now: Time,
}

impl Host for View<'_> {
    #[inline]
    fn limits(&self) -> &Limits {
        &self.shared.config.limits
    }

    fn server(&self) -> ServerInfo {
        let Shared { config, address, started, clients, channels, .. } = self.shared;
        ServerInfo {
            run_id: config.run_id.clone(),
            process_id: config.process_id,
            bind: address.ip().to_string(),
            port: address.port(),
            workers: config.workers,
            uptime_seconds: self.now.saturating_since(*started).as_secs(),
            total_connections: self.tally.connections,
            rejected_connections: self.tally.rejected,
            connected_clients: clients.len(),
            input_bytes: self.tally.input_bytes,
            output_bytes: self.tally.output_bytes,
            channels: channels.len(),
        }
    }

    fn clients(&self) -> Vec<ClientInfo> {
        locked(&self.shared.clients.by_id).values().map(|client| client.describe(self.now)).collect()
    }
}

/// All connected clients.
#[derive(Debug, Default)]
pub(super) struct Clients {
    by_id: Mutex<BTreeMap<u64, Arc<Client>>>,
    last_id: AtomicU64,
}

impl Clients {
    /// Enters a client, with a number that no other has had.
    pub(super) fn enter(&self, address: SocketAddr, local: String, now: Time) -> Arc<Client> {
        let id = self.last_id.fetch_add(1, Relaxed) + 1;
        let client = Arc::new(Client {
            id,
            address,
            local,
            since: now,
            seen: AtomicU64::new(now.as_nanos()),
            unread: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            told: Mutex::new(Told { name: Vec::new(), subscriptions: 0, last_command: "NULL" }),
        });
        locked(&self.by_id).insert(id, client.clone());
        client
    }

    /// The client is gone.
    pub(super) fn leave(&self, id: u64) {
        locked(&self.by_id).remove(&id);
    }

    /// How many are connected.
    pub(super) fn len(&self) -> usize {
        locked(&self.by_id).len()
    }
}

/// What others may know of a client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) address: SocketAddr,
    local: String,
    since: Time,
    /// When it last sent something.
    seen: AtomicU64,
    /// Bytes received and not executed.
    unread: AtomicUsize,
    /// Bytes of replies and messages not sent.
    pub(super) unsent: AtomicUsize,
    told: Mutex<Told>,
}

#[derive(Debug)]
struct Told {
    name: Vec<u8>,
    subscriptions: usize,
    last_command: &'static str,
}

impl Client {
    /// Notes how a turn of its connection has ended.
    #[inline]
    pub(super) fn note(&self, session: &Session, unread: usize, unsent: usize, now: Time) {
        self.seen.store(now.as_nanos(), Relaxed);
        self.unread.store(unread, Relaxed);
        self.unsent.store(unsent, Relaxed);
        let mut told = locked(&self.told);
        told.last_command = session.last_command();
        told.subscriptions = session.channels().len();
        // Most have no name: not even a comparison then.
        if !(told.name.is_empty() && session.name().is_empty()) && told.name != session.name() {
            told.name = session.name().to_vec();
        }
    }

    fn describe(&self, now: Time) -> ClientInfo {
        let told = locked(&self.told);
        ClientInfo {
            id: self.id,
            address: self.address.to_string(),
            local_address: self.local.clone(),
            name: told.name.clone(),
            age_seconds: now.saturating_since(self.since).as_secs(),
            idle_seconds: now.saturating_since(Time::from_nanos(self.seen.load(Relaxed))).as_secs(),
            subscriptions: told.subscriptions,
            query_buffer: self.unread.load(Relaxed),
            output_buffer: self.unsent.load(Relaxed),
            last_command: told.last_command,
        }
    }
}
