//! The key-value server of `examples/kv` beside a real `redis-server`: the same bytes to both, the same answers back.
//!
//! `commands` draws requests from templates, good ones and bad ones, and compares each reply; `sessions` compares whole
//! conversations byte by byte, where requests are malformed or change what the connection is. Where no `redis-server` is
//! installed both say so in a line and pass: `commands/golden.txt` of the example holds recorded replies for that.
//!
//! Not here: what depends on the moment or the process (INFO, CLIENT LIST), and steps of SCAN, whose cursors are each
//! server's own affair.
#![cfg(unix)]

#[path = "kv_process/built.rs"]
mod built;
#[path = "kv_redis/commands.rs"]
mod commands;
#[path = "kv_redis/reply.rs"]
mod reply;
#[path = "kv_redis/servers.rs"]
mod servers;
#[path = "kv_redis/sessions.rs"]
mod sessions;
