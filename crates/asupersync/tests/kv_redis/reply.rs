//! Replies, read from a connection.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One reply of RESP2.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    /// A simple string, an error, an integer, or one that is missing: the line.
    Line(String),
    Bulk(Vec<u8>),
    Array(Vec<Reply>),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Line(line) => f.write_str(line),
            Reply::Bulk(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Reply::Array(elements) => f.debug_list().entries(elements).finish(),
        }
    }
}

/// A connection to a server.
pub(crate) struct Talk(BufReader<TcpStream>);

impl Talk {
    pub(crate) fn connect(port: u16) -> Talk {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server accepts");
        // Where one of the servers does not answer at all, the test shall end.
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("not zero");
        Talk(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("sent");
    }

    pub(crate) fn reply(&mut self) -> Reply {
        let mut line = Vec::new();
        let read = self.0.read_until(b'\n', &mut line);
        assert!(read.is_ok() && !line.is_empty(), "a reply: {read:?}");
        // Errors repeat the client's words, which need not be text.
        let line = line.trim_ascii_end().escape_ascii().to_string();
        let len = || line[1..].parse::<usize>().ok();
        match (line.chars().next(), len()) {
            (Some('$'), Some(len)) => {
                let mut bytes = vec![0; len + 2];
                self.0.read_exact(&mut bytes).expect("a bulk string");
                bytes.truncate(len);
                Reply::Bulk(bytes)
            }
            (Some('*'), Some(len)) => Reply::Array((0..len).map(|_| self.reply()).collect()),
            (Some('+' | '-' | ':' | '$' | '*'), _) => Reply::Line(line),
            _ => panic!("no reply: {line:?}"),
        }
    }

    /// Everything up to the end of the stream, or up to and with `last`.
    pub(crate) fn read_up_to(&mut self, last: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        while !all.ends_with(last) {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(0) => break,
                // A server that closes over bytes it has not read resets the connection: that is its end too.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("after {:?}: {error}", all.escape_ascii().to_string()),
                Ok(_) => all.push(byte[0]),
            }
        }
        all
    }
}
