//! Commands about the server: DBSIZE, FLUSHDB, INFO, CONFIG, SHUTDOWN.

use super::super::glob::{self, Case};
use super::super::resp::encode;
use super::refusal::{Refusal, SYNTAX};
use super::table::{Command, subcommand};
use super::{Call, Done, Effect, introspection};
use std::fmt::Write;

/// The version whose behaviour this server has; clients choose what they use by it.
pub(super) const REDIS_VERSION: &str = "7.0.15";

/// The rows of CONFIG.
#[rustfmt::skip]
pub(super) static CONFIG: &[Command] = &[
    subcommand("config|get", -3, true, config_get, "server", "Returns parameters that match patterns."),
    subcommand("config|help", 2, false, introspection::help, "server", "Lists the subcommands."),
    subcommand("config|resetstat", 2, true, config_resetstat, "server", "Sets the counters of INFO to zero."),
    subcommand("config|set", -4, true, config_set, "server", "Refused: the parameters are given at the start."),
];

/// CONFIG alone: its arity refuses it before.
pub(super) fn container(_call: &mut Call<'_>) -> Done {
    Err(Refusal::Arity)
}

/// DBSIZE.
pub(super) fn dbsize(call: &mut Call<'_>) -> Done {
    let keys = call.store.len();
    call.count(keys)
}

/// FLUSHDB [ASYNC | SYNC] and FLUSHALL [ASYNC | SYNC]: there is one database, and the memory is
/// given back before the reply in either case.
pub(super) fn flush(call: &mut Call<'_>) -> Done {
    match call.args.get(1) {
        None => {}
        Some(mode)
            if call.args.len() == 2
                && (mode.eq_ignore_ascii_case(b"async") || mode.eq_ignore_ascii_case(b"sync")) => {}
        Some(_) => return Err(SYNTAX),
    }
    call.store.clear();
    call.ok()
}

/// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. Nothing is ever saved, so SAVE fails as it does
/// in Redis when the save fails, unless forced.
pub(super) fn shutdown(call: &mut Call<'_>) -> Done {
    let (mut nosave, mut save, mut now, mut force, mut abort) = (false, false, false, false, false);
    for option in call.args.tail(1) {
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        let field = if is("nosave") {
            &mut nosave
        } else if is("save") {
            &mut save
        } else if is("now") {
            &mut now
        } else if is("force") {
            &mut force
        } else if is("abort") {
            &mut abort
        } else {
            return Err(SYNTAX);
        };
        *field = true;
    }
    if save && nosave || abort && (save || nosave || now || force) {
        return Err(SYNTAX);
    }
    if abort {
        return Err(Refusal::Text("ERR No shutdown in progress."));
    }
    if save && !force {
        return Err(Refusal::Text("ERR Errors trying to SHUTDOWN. Check logs."));
    }
    Ok(Effect::Shutdown { now })
}

/// The parameters CONFIG GET knows, with their values.
fn parameters(call: &Call<'_>) -> Vec<(&'static str, String)> {
    let (limits, server) = (call.host.limits(), call.host.server());
    vec![
        ("appendonly", "no".to_owned()),
        ("bind", server.bind),
        ("client-query-buffer-limit", limits.max_request.to_string()),
        ("databases", "1".to_owned()),
        ("maxclients", limits.max_clients.to_string()),
        ("maxmemory", limits.max_memory.to_string()),
        ("maxmemory-clients", limits.max_held.to_string()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("port", server.port.to_string()),
        ("proto-max-bulk-len", limits.max_bulk.to_string()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ]
}

fn config_get(call: &mut Call<'_>) -> Done {
    let mut found = parameters(call);
    found.retain(|(name, _)| {
        call.args.tail(2).any(|pattern| glob::matches(pattern, name.as_bytes(), Case::Ignore))
    });
    encode::array(call.out, 2 * found.len());
    for (name, value) in found {
        encode::bulk(call.out, name.as_bytes());
        encode::bulk(call.out, value.as_bytes());
    }
    Ok(Effect::None)
}

fn config_set(call: &mut Call<'_>) -> Done {
    if !call.args.len().is_multiple_of(2) {
        return Err(Refusal::Arity);
    }
    let known = parameters(call);
    for name in call.args.tail(2).step_by(2) {
        if !known.iter().any(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name)) {
            let before = "ERR Unknown option or number of arguments for CONFIG SET - '";
            return Err(Refusal::quoting(before, name, "'"));
        }
    }
    let before = "ERR CONFIG SET failed (possibly related to argument '";
    Err(Refusal::quoting(before, call.args.at(2), "') - can't set immutable config"))
}

fn config_resetstat(call: &mut Call<'_>) -> Done {
    call.store.stats = Default::default();
    call.ok()
}

/// INFO [section ...].
pub(super) fn info(call: &mut Call<'_>) -> Done {
    let wanted = |name: &str| {
        let everything = ["all", "default", "everything"];
        call.args.len() == 1
            || call.args.tail(1).any(|section| {
                section.eq_ignore_ascii_case(name.as_bytes())
                    || everything.iter().any(|all| section.eq_ignore_ascii_case(all.as_bytes()))
            })
    };
    let mut text = String::new();
    let sections: [(&str, Section); 5] = [
        ("Server", server_lines),
        ("Clients", client_lines),
        ("Memory", memory_lines),
        ("Stats", stats_lines),
        ("Keyspace", keyspace_lines),
    ];
    for (name, lines) in sections {
        if !wanted(name) {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\r\n");
        }
        // Writing to a string doesn't fail.
        let _ = write!(text, "# {name}\r\n");
        for (field, value) in lines(call) {
            let _ = write!(text, "{field}:{value}\r\n");
        }
    }
    encode::bulk(call.out, text.as_bytes());
    Ok(Effect::None)
}

/// A field of INFO with its value.
type Line = (&'static str, String);

/// Collects the fields of a section.
type Section = fn(&Call<'_>) -> Vec<Line>;

fn server_lines(call: &Call<'_>) -> Vec<Line> {
    let server = call.host.server();
    vec![
        ("redis_version", REDIS_VERSION.to_owned()),
        ("redis_mode", "standalone".to_owned()),
        ("server_name", "asupersync-kv".to_owned()),
        ("arch_bits", usize::BITS.to_string()),
        ("process_id", server.process_id.to_string()),
        ("run_id", server.run_id),
        ("tcp_port", server.port.to_string()),
        ("worker_threads", server.workers.to_string()),
        ("uptime_in_seconds", server.uptime_seconds.to_string()),
        ("uptime_in_days", (server.uptime_seconds / 86_400).to_string()),
    ]
}

fn client_lines(call: &Call<'_>) -> Vec<Line> {
    vec![
        ("connected_clients", call.host.server().connected_clients.to_string()),
        ("maxclients", call.host.limits().max_clients.to_string()),
        ("blocked_clients", "0".to_owned()),
    ]
}

fn memory_lines(call: &Call<'_>) -> Vec<Line> {
    let (used, most) = (call.store.used_memory(), call.host.limits().max_memory);
    vec![
        ("used_memory", used.to_string()),
        ("used_memory_human", human(used)),
        ("maxmemory", most.to_string()),
        ("maxmemory_human", human(most)),
        ("maxmemory_policy", "noeviction".to_owned()),
    ]
}

fn stats_lines(call: &Call<'_>) -> Vec<Line> {
    let (server, stats) = (call.host.server(), call.store.stats);
    vec![
        ("total_connections_received", server.total_connections.to_string()),
        ("total_commands_processed", stats.commands.to_string()),
        ("total_net_input_bytes", server.input_bytes.to_string()),
        ("total_net_output_bytes", server.output_bytes.to_string()),
        ("rejected_connections", server.rejected_connections.to_string()),
        ("expired_keys", stats.expired.to_string()),
        ("evicted_keys", "0".to_owned()),
        ("keyspace_hits", stats.hits.to_string()),
        ("keyspace_misses", stats.misses.to_string()),
        ("pubsub_channels", server.channels.to_string()),
        ("pubsub_patterns", "0".to_owned()),
    ]
}

fn keyspace_lines(call: &Call<'_>) -> Vec<Line> {
    let (keys, expires) = (call.store.len(), call.store.expiring());
    if keys == 0 {
        return Vec::new();
    }
    vec![("db0", format!("keys={keys},expires={expires},avg_ttl=0"))]
}

/// Bytes as `12B`, `1.50K`, `3.00M`, as INFO shows them.
fn human(bytes: usize) -> String {
    let units = [(1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')];
    match units.into_iter().find(|&(unit, _)| bytes >= unit) {
        Some((unit, letter)) => format!("{:.2}{letter}", bytes as f64 / unit as f64),
        None => format!("{bytes}B"),
    }
}
