//! The client side of `kv --tree`: one request, one reply, with plain blocking sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest tree that is read.
const LONGEST: u64 = 64 << 20;

/// Asks the server at `address` for its live region tree.
///
/// # Errors
/// In one line: nobody answers there, or it is another kind of server.
pub(crate) fn tree(address: SocketAddr) -> Result<String, String> {
    let told = |error: std::io::Error| format!("no answer from {address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    stream.write_all(b"KV.TREE\r\n").map_err(told)?;
    let mut reply = BufReader::new(stream.take(LONGEST));
    let mut header = String::new();
    reply.read_line(&mut header).map_err(told)?;
    let header = header.trim_end();
    let Some(len) = header.strip_prefix('$').and_then(|len| len.parse().ok()) else {
        return Err(format!("the server at {address} is not a kv: it answers {header:?}"));
    };
    let mut text = vec![0; len];
    reply.read_exact(&mut text).map_err(told)?;
    String::from_utf8(text).map_err(|_| format!("the server at {address} sent a tree that is no text"))
}
