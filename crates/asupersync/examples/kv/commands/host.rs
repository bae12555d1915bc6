//! `Host`: what the commands ask of the server around them.

use super::super::limits::Limits;

/// The server, as INFO, CONFIG and CLIENT see it. It is asked only by these commands, except for
/// `limits`, which every command that adds data reads.
pub(crate) trait Host {
    /// The limits in force.
    fn limits(&self) -> &Limits;
    /// The server's own figures.
    fn server(&self) -> ServerInfo;
    /// All connected clients, in the order of their ids.
    fn clients(&self) -> Vec<ClientInfo>;
}

/// The server's own figures.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerInfo {
    /// Forty hexadecimal digits that name this run of the server.
    pub(crate) run_id: String,
    /// Process id, 0 in the lab.
    pub(crate) process_id: u32,
    /// Address listened on.
    pub(crate) bind: String,
    /// Port listened on.
    pub(crate) port: u16,
    /// Worker threads.
    pub(crate) workers: usize,
    /// Seconds since the start.
    pub(crate) uptime_seconds: u64,
    /// Connections accepted since the start.
    pub(crate) total_connections: u64,
    /// Connections refused because of the limit on clients.
    pub(crate) rejected_connections: u64,
    /// Clients connected now.
    pub(crate) connected_clients: usize,
    /// Bytes read from clients.
    pub(crate) input_bytes: u64,
    /// Bytes written to clients.
    pub(crate) output_bytes: u64,
    /// Channels with a subscriber.
    pub(crate) channels: usize,
}

/// One line of CLIENT LIST.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientInfo {
    /// The connection's number, never used twice.
    pub(crate) id: u64,
    /// The client's address and port.
    pub(crate) address: String,
    /// The server's address and port.
    pub(crate) local_address: String,
    /// The name given with CLIENT SETNAME.
    pub(crate) name: Vec<u8>,
    /// Seconds since it connected.
    pub(crate) age_seconds: u64,
    /// Seconds since its last request.
    pub(crate) idle_seconds: u64,
    /// Channels it subscribes to.
    pub(crate) subscriptions: usize,
    /// Bytes received and not yet executed.
    pub(crate) query_buffer: usize,
    /// Bytes of replies not yet sent.
    pub(crate) output_buffer: usize,
    /// The last command's name, as `Session::last_command` gives it.
    pub(crate) last_command: &'static str,
}
