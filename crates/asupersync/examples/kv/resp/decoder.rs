//! `Decoder`: an incremental parser of RESP2 requests that looks at every byte once.
//!
//! The caller owns the buffer. It calls `decode` with all bytes it has not yet dropped; after each
//! call it drops `consumed` bytes from the front, and after a call without a command it waits for
//! more. Between calls the decoder remembers how far it came, as offsets from the front of the
//! buffer:
//!
//! ```text
//!   *3\r\n $3\r\nSET\r\n $5\r\nhel            a 40 MB value in 10 000 pieces is 10 000 cheap calls:
//!   ^start               ^pos  ^scanned       only the length is compared until the value is whole
//! ```
//!
//! Invariants: `decoder.once`: no byte before `scanned` is searched again, and the bytes of an
//! argument are never looked at. `decoder.bounded`: what a request can make the caller hold is
//! refused as soon as its header announces it, not when it has arrived. `decoder.dead`: after an
//! error every call gives the same error; like Redis, the connection is closed after the reply.
//!
//! As Redis does, line ends after an argument are skipped, not checked.

use super::super::limits::Limits;
use super::args::{Args, Span};
use super::{encode, inline, number};

/// What `decode` found.
pub(crate) struct Decoded<'a> {
    /// Bytes to drop from the front of the buffer once `command` has been executed. It can be more
    /// than zero without a command: empty lines and empty arrays are skipped.
    pub(crate) consumed: usize,
    /// The next request, or none until more bytes arrive.
    pub(crate) command: Option<Args<'a>>,
}

/// The client broke the protocol. `reply` is what it is told; then the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    /// The `*` line is not a number or announces more arguments than the limit.
    InvalidMultibulkLength,
    /// The `$` line is not a number, is negative, or announces more bytes than the limit.
    InvalidBulkLength,
    /// An argument does not start with `$`.
    ExpectedBulk(u8),
    /// The `*` line does not end.
    TooBigCountString,
    /// The `$` line does not end.
    TooBigBulkString,
    /// An inline command does not end.
    TooBigInline,
    /// An inline command with a quote that is not closed, or not followed by white space.
    UnbalancedQuotes,
    /// The whole request is larger than the limit. Redis closes without a word here.
    TooBigRequest,
}

impl ProtocolError {
    /// Writes the error reply with Redis's words.
    pub(crate) fn reply(self, out: &mut Vec<u8>) {
        let mut text = b"ERR Protocol error: ".to_vec();
        match self {
            ProtocolError::InvalidMultibulkLength => text.extend_from_slice(b"invalid multibulk length"),
            ProtocolError::InvalidBulkLength => text.extend_from_slice(b"invalid bulk length"),
            ProtocolError::ExpectedBulk(got) => {
                text.extend_from_slice(b"expected '$', got '");
                text.push(got);
                text.push(b'\'');
            }
            ProtocolError::TooBigCountString => text.extend_from_slice(b"too big mbulk count string"),
            ProtocolError::TooBigBulkString => text.extend_from_slice(b"too big bulk count string"),
            ProtocolError::TooBigInline => text.extend_from_slice(b"too big inline request"),
            ProtocolError::UnbalancedQuotes => text.extend_from_slice(b"unbalanced quotes in request"),
            ProtocolError::TooBigRequest => text.extend_from_slice(b"too big request"),
        }
        encode::error(out, &text);
    }
}

/// The parser of one connection.
pub(crate) struct Decoder {
    max_args: usize,
    max_bulk: usize,
    max_inline: usize,
    max_request: usize,
    /// First byte of the request being read.
    start: usize,
    /// First byte not yet understood.
    pos: usize,
    /// Bytes before this one were searched for a line end already.
    scanned: usize,
    /// Arguments still to come; 0 between requests.
    remaining: usize,
    /// The announced length of the argument at `pos`, once its header was read.
    bulk: Option<usize>,
    failed: Option<ProtocolError>,
    spans: Vec<Span>,
    /// The unquoted words of an inline command.
    words: Vec<u8>,
    /// Bytes looked at, for the test of `decoder.once`.
    #[cfg(test)]
    pub(super) examined: usize,
}

/// Where the arguments of a finished request are.
enum Found {
    Nothing,
    InBuffer,
    InWords,
}

/// Arguments and words kept allocated between requests; what a large request needed beyond it is
/// given back.
const KEPT: usize = 1024;

impl Decoder {
    /// A decoder at the start of a connection.
    pub(crate) fn new(limits: &Limits) -> Self {
        Decoder {
            max_args: limits.max_args,
            max_bulk: limits.max_bulk,
            max_inline: limits.max_inline,
            // Spans hold 32-bit offsets, and up to this much of a buffer can be empty lines.
            max_request: limits.max_request.min(u32::MAX as usize / 2),
            start: 0,
            pos: 0,
            scanned: 0,
            remaining: 0,
            bulk: None,
            failed: None,
            spans: Vec::new(),
            words: Vec::new(),
            #[cfg(test)]
            examined: 0,
        }
    }

    /// Looks for the next request in `buf`, which starts where the last `consumed` ended.
    ///
    /// Cost: the bytes that are new since the last call, except the bytes of arguments.
    ///
    /// # Errors
    /// `ProtocolError` when the bytes are no request; every later call fails the same way.
    #[inline]
    pub(crate) fn decode<'a>(&'a mut self, buf: &'a [u8]) -> Result<Decoded<'a>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.remaining == 0 && !self.spans.is_empty() {
            self.forget_last_request();
        }
        let found = match self.advance(buf) {
            Ok(found) => found,
            Err(error) => {
                self.failed = Some(error);
                return Err(error);
            }
        };
        let args = match found {
            Found::Nothing => return Ok(Decoded { consumed: self.rebase(), command: None }),
            Found::InBuffer => Args::new(buf, &self.spans),
            Found::InWords => Args::new(&self.words, &self.spans),
        };
        let consumed = self.pos;
        (self.start, self.pos, self.scanned) = (0, 0, 0);
        Ok(Decoded { consumed, command: Some(args) })
    }

    /// Bytes on the heap: eight to sixteen for each argument of the largest request so far, until the next one has
    /// begun, and the words of an inline command.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.spans.capacity() * size_of::<Span>() + self.words.capacity()
    }

    fn forget_last_request(&mut self) {
        self.spans.clear();
        self.words.clear();
        if self.spans.capacity() > KEPT {
            self.spans.shrink_to(KEPT);
        }
        if self.words.capacity() > KEPT {
            self.words.shrink_to(KEPT);
        }
    }

    /// Makes all offsets relative to the request being read and returns what lies before it.
    fn rebase(&mut self) -> usize {
        let skipped = if self.remaining == 0 { self.pos } else { self.start };
        if skipped > 0 {
            self.pos -= skipped;
            self.scanned = self.scanned.saturating_sub(skipped);
            for span in &mut self.spans {
                span.start -= skipped as u32;
                span.end -= skipped as u32;
            }
        }
        self.start = 0;
        skipped
    }

    fn advance(&mut self, buf: &[u8]) -> Result<Found, ProtocolError> {
        while self.remaining == 0 {
            let Some(&first) = buf.get(self.pos) else { return Ok(Found::Nothing) };
            self.start = self.pos;
            if first != b'*' {
                let Some(line) = self.line(buf, b'\n', 0, ProtocolError::TooBigInline)? else {
                    return Ok(Found::Nothing);
                };
                inline::split(line, &mut self.words, &mut self.spans)
                    .map_err(|inline::Unbalanced| ProtocolError::UnbalancedQuotes)?;
                if self.spans.is_empty() {
                    continue;
                }
                return Ok(Found::InWords);
            }
            let Some(line) = self.line(buf, b'\r', 1, ProtocolError::TooBigCountString)? else {
                return Ok(Found::Nothing);
            };
            let count = number::parse_i64(&line[1..]).ok_or(ProtocolError::InvalidMultibulkLength)?;
            // A count of zero or less asks for nothing and gets no answer.
            self.remaining = usize::try_from(count).unwrap_or(0);
            if self.remaining > self.max_args {
                return Err(ProtocolError::InvalidMultibulkLength);
            }
        }
        while self.remaining > 0 {
            let len = match self.bulk {
                Some(len) => len,
                None => {
                    let Some(line) = self.line(buf, b'\r', 1, ProtocolError::TooBigBulkString)? else {
                        return Ok(Found::Nothing);
                    };
                    self.admit(line)?
                }
            };
            // The two bytes of the line end after the argument count too.
            if buf.len() - self.pos < len + 2 {
                self.bulk = Some(len);
                return Ok(Found::Nothing);
            }
            self.bulk = None;
            let end = self.pos + len;
            self.spans.push(Span { start: self.pos as u32, end: end as u32 });
            self.pos = end + 2;
            self.remaining -= 1;
        }
        Ok(Found::InBuffer)
    }

    /// Reads a `$` line and checks the length it announces against the limits.
    #[inline]
    fn admit(&self, line: &[u8]) -> Result<usize, ProtocolError> {
        let kind = line.first().copied().unwrap_or(b'\r');
        if kind != b'$' {
            return Err(ProtocolError::ExpectedBulk(kind));
        }
        let len = number::parse_i64(&line[1..])
            .and_then(|len| usize::try_from(len).ok())
            .filter(|&len| len <= self.max_bulk)
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if self.pos - self.start + len > self.max_request {
            return Err(ProtocolError::TooBigRequest);
        }
        Ok(len)
    }

    /// The line at `pos` up to its `end` byte, moving `pos` behind it and the `after` bytes that
    /// follow; none while it is not complete.
    #[inline]
    fn line<'b>(
        &mut self,
        buf: &'b [u8],
        end: u8,
        after: usize,
        too_big: ProtocolError,
    ) -> Result<Option<&'b [u8]>, ProtocolError> {
        let from = self.scanned.max(self.pos);
        let found = buf[from..].iter().position(|&byte| byte == end);
        #[cfg(test)]
        {
            self.examined += found.map_or(buf.len() - from, |offset| offset + 1);
        }
        let stop = found.map_or(buf.len(), |offset| from + offset);
        // The limit counts the line without its end, so that it does not depend on where the
        // pieces of the stream were cut.
        if stop - self.pos > self.max_inline {
            return Err(too_big);
        }
        if found.is_none() || stop + after >= buf.len() {
            self.scanned = stop;
            return Ok(None);
        }
        let line = &buf[self.pos..stop];
        self.pos = stop + 1 + after;
        Ok(Some(line))
    }
}
