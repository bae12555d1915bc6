//! Replies, written straight into the connection's output buffer.
//!
//! Each function appends one complete RESP2 element; `array` appends only the header, the caller
//! appends as many elements as it announced.

use super::number::{Digits, format_i64};

/// `+text`. The text is the server's own and holds no line break.
#[inline]
pub(crate) fn simple(out: &mut Vec<u8>, text: &str) {
    out.push(b'+');
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `-text`. Line breaks can come from the client's own words: as in Redis, those at the end are
/// dropped and others become spaces.
pub(crate) fn error(out: &mut Vec<u8>, text: &[u8]) {
    let breaks = text.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let text = &text[..text.len() - breaks];
    out.push(b'-');
    out.extend(text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

/// `:value`.
#[inline]
pub(crate) fn integer(out: &mut Vec<u8>, value: i64) {
    header(out, b':', value);
}

/// `:count`, for lengths.
#[inline]
pub(crate) fn count(out: &mut Vec<u8>, count: usize) {
    integer(out, i64::try_from(count).unwrap_or(i64::MAX));
}

/// `$length`, the bytes.
#[inline]
pub(crate) fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 26);
    header(out, b'$', bytes.len() as i64);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// An integer as a bulk string.
#[inline]
pub(crate) fn bulk_integer(out: &mut Vec<u8>, value: i64) {
    let mut digits: Digits = [0; 20];
    bulk(out, format_i64(value, &mut digits));
}

/// The missing bulk string.
#[inline]
pub(crate) fn nil(out: &mut Vec<u8>) {
    out.extend_from_slice(b"$-1\r\n");
}

/// The missing array.
pub(crate) fn nil_array(out: &mut Vec<u8>) {
    out.extend_from_slice(b"*-1\r\n");
}

/// The header of an array of `len` elements.
#[inline]
pub(crate) fn array(out: &mut Vec<u8>, len: usize) {
    header(out, b'*', len as i64);
}

/// A published message, as a subscriber receives it.
#[allow(dead_code, reason = "the connection loop writes messages, the commands don't")]
pub(crate) fn message(out: &mut Vec<u8>, channel: &[u8], payload: &[u8]) {
    array(out, 3);
    bulk(out, b"message");
    bulk(out, channel);
    bulk(out, payload);
}

#[inline]
fn header(out: &mut Vec<u8>, kind: u8, value: i64) {
    if let Ok(digit @ 0..=9) = u8::try_from(value) {
        out.extend_from_slice(&[kind, b'0' + digit, b'\r', b'\n']);
        return;
    }
    // Kind, at most 20 bytes of digits, line end: built here so that the buffer grows once.
    let mut line = [0u8; 23];
    let mut digits: Digits = [0; 20];
    let text = format_i64(value, &mut digits);
    line[0] = kind;
    line[1..=text.len()].copy_from_slice(text);
    line[text.len() + 1] = b'\r';
    line[text.len() + 2] = b'\n';
    out.extend_from_slice(&line[..text.len() + 3]);
}
