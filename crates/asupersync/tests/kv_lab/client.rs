//! A client that speaks RESP2 over a simulated connection.

use asupersync::net::{Half, NetError, OrCancelled, TcpStream};
use asupersync::prelude::*;
use std::net::SocketAddr;

/// A connection, and what has come and was not taken.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buf: Vec<u8>,
}

type Failure = OrCancelled<NetError>;

impl Client {
    /// Connects; waits while nobody listens yet.
    pub(crate) async fn connect(cx: &Cx, to: SocketAddr) -> Client {
        loop {
            match TcpStream::connect(cx, to).await {
                Ok(stream) => return Client { stream, buf: Vec::new() },
                Err(error) => assert!(!error.is_cancelled(), "{error}"),
            }
            cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels a client");
        }
    }

    /// As [`Client::connect`], `None` if nobody listens (any more).
    pub(crate) async fn try_connect(cx: &Cx, to: SocketAddr) -> Option<Client> {
        let stream = TcpStream::connect(cx, to).await.ok()?;
        Some(Client { stream, buf: Vec::new() })
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&self, cx: &Cx, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(cx, bytes).await
    }

    /// The next reply, whole and unparsed; `None` at the end of the stream.
    pub(crate) async fn try_reply(&mut self, cx: &Cx) -> Result<Option<Vec<u8>>, Failure> {
        let mut room = [0; 1024];
        loop {
            if let Some(len) = reply_len(&self.buf) {
                let rest = self.buf.split_off(len);
                return Ok(Some(std::mem::replace(&mut self.buf, rest)));
            }
            match self.stream.read(cx, &mut room).await? {
                0 if self.buf.is_empty() => return Ok(None),
                0 => panic!("the stream ended in the middle of {:?}", text(&self.buf)),
                n => self.buf.extend_from_slice(&room[..n]),
            }
        }
    }

    /// As [`Client::try_reply`], for a stream that may end in the middle of a reply: that is its end too.
    pub(crate) async fn try_reply_or_cut(&mut self, cx: &Cx) -> Result<Option<Vec<u8>>, Failure> {
        let mut room = [0; 1024];
        while reply_len(&self.buf).is_none() {
            match self.stream.read(cx, &mut room).await? {
                0 => return Ok(None),
                n => self.buf.extend_from_slice(&room[..n]),
            }
        }
        self.try_reply(cx).await
    }

    /// The next reply as text.
    pub(crate) async fn reply(&mut self, cx: &Cx) -> String {
        match self.try_reply(cx).await {
            Ok(Some(reply)) => text(&reply),
            Ok(None) => panic!("the stream ended where a reply should be"),
            Err(error) => panic!("{error}"),
        }
    }

    /// One request in words, one reply.
    pub(crate) async fn call(&mut self, cx: &Cx, request: &str) -> String {
        self.send(cx, &encode(request)).await.expect("sent");
        self.reply(cx).await
    }

    /// Expects the end of the stream, or a reset.
    pub(crate) async fn expect_end(&mut self, cx: &Cx) {
        match self.try_reply(cx).await {
            Ok(None) | Err(OrCancelled::Failed(_)) => {}
            Ok(Some(reply)) => panic!("{:?} instead of the end", text(&reply)),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends no more.
    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Half::Write).expect("shut");
    }
}

/// A request of words, as an array of bulk strings.
pub(crate) fn encode(request: &str) -> Vec<u8> {
    let words: Vec<&str> = request.split_whitespace().collect();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

fn text(reply: &[u8]) -> String {
    String::from_utf8_lossy(reply).into_owned()
}

/// The length of the first reply in `bytes`, if it is complete.
fn reply_len(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse::<i64>().ok();
    match bytes[0] {
        b'+' | b'-' | b':' => Some(line),
        b'$' => {
            let len = usize::try_from(number()?).ok().map_or(line, |len| line + len + 2);
            (bytes.len() >= len).then_some(len)
        }
        b'*' => {
            let mut len = line;
            for _ in 0..number()?.max(0) {
                len += reply_len(&bytes[len..])?;
            }
            Some(len)
        }
        other => panic!("{:?} begins no reply", other as char),
    }
}
