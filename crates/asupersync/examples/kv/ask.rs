//! The client side of `kv --tree`: one request, one reply, with plain blocking sockets.
//!
//! Not here: what the tree says (`server::operator`), who answers while the server drains (`server::door`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest tree that is read.
const LONGEST: u64 = 64 << 20;

/// What a draining server says to whoever comes when it hears as many as it can.
const DRAINING: &str = "-ERR server is shutting down";
/// How often it is asked again, and after how long: those it hears have a second each.
const ATTEMPTS: usize = 16;
const AGAIN: Duration = Duration::from_millis(250);

/// Asks the server at `address` for its live region tree.
///
/// # Errors
/// In one line: nobody answers there, or it is another kind of server.
pub(crate) fn tree(address: SocketAddr) -> Result<String, String> {
    for _ in 0..ATTEMPTS {
        if let Some(tree) = ask(address)? {
            return Ok(tree);
        }
        #[allow(clippy::disallowed_methods, reason = "a process that has nothing else to do")]
        std::thread::sleep(AGAIN);
    }
    Err(format!("the server at {address} drains and hears too many others; kill -USR1 has it print its tree"))
}

/// Asks once. `None` if the server hears nobody more at the moment.
fn ask(address: SocketAddr) -> Result<Option<String>, String> {
    let told = |error: std::io::Error| format!("no answer from {address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    stream.write_all(b"KV.TREE\r\n").map_err(told)?;
    let mut reply = BufReader::new(stream.take(LONGEST));
    let mut header = String::new();
    reply.read_line(&mut header).map_err(told)?;
    let header = header.trim_end();
    if header == DRAINING {
        return Ok(None);
    }
    if header.is_empty() {
        return Err(format!("no answer from {address}: the connection was closed"));
    }
    let Some(len) = header.strip_prefix('$').and_then(|len| len.parse().ok()) else {
        return Err(format!("the server at {address} is not a kv: it answers {header:?}"));
    };
    let mut text = vec![0; len];
    reply.read_exact(&mut text).map_err(told)?;
    let text = String::from_utf8(text);
    text.map(Some).map_err(|_| format!("the server at {address} sent a tree that is no text"))
}
