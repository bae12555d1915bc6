//! RESP2, the Redis protocol, without any input or output of its own.
//!
//! `Decoder` turns a connection's bytes into requests, `encode` writes replies into a `Vec<u8>`,
//! `number` reads and writes decimal integers. A request is handed out as `Args`: ranges into the
//! connection's own buffer, so a request costs no allocation and no copy.
//! What is not here: sockets, buffers, and the meaning of any command.

// The explicit paths let a lab test include this file with `#[path]` too: a file included that way
// would otherwise look for its children beside itself.
#[path = "resp/args.rs"]
mod args;
#[path = "resp/decoder.rs"]
mod decoder;
#[path = "resp/encode.rs"]
pub(crate) mod encode;
#[path = "resp/inline.rs"]
mod inline;
#[path = "resp/number.rs"]
pub(crate) mod number;
#[cfg(test)]
#[path = "resp/tests.rs"]
mod tests;

pub(crate) use args::Args;
pub(crate) use decoder::Decoder;
