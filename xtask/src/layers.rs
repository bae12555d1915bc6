//! The layer table of docs/ARCHITECTURE.md, as data. It is the one place that says which crate may name which.
//!
//! A row may stand here before its crate exists. A crate without a row is an error, and so is a new name in a row without
//! an ADR: talk first.
//!
//! Not here: the rules that read the table (`rules`).

/// Whether a crate may use `std`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Std {
    /// `#![no_std]`, with `alloc` at most.
    No,
    /// `no_std` unless its feature `std` is on.
    Optional,
    /// Free to use it.
    Yes,
}

/// Where a crate stands. Layers of a higher kind may not reach the engine, whatever their own row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Words the others speak.
    Vocabulary,
    /// What is true about tasks, regions, cancellation and obligations.
    Kernel,
    /// The capability context and its ports.
    Context,
    /// What runs tasks: threads, the virtual world, the reactor, the judges.
    Engine,
    /// Locks, channels, combinators, services, actors.
    Primitives,
    /// Bytes, sockets, files, TLS.
    Io,
    /// HTTP, gRPC, databases, messaging.
    Protocols,
    /// What users name: facade, macros, tools.
    Edge,
    /// The executable model, and this program.
    Tooling,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Folder and short name; the package is `asupersync-NAME` (the facade and xtask go by their own names).
    pub name: &'static str,
    /// Where it stands.
    pub layer: Layer,
    /// The crates of this workspace it may name.
    pub may_name: &'static [&'static str],
    /// The third-party packages it may name.
    pub third_party: &'static [&'static str],
    /// Its relation to `std`.
    pub std: Std,
}

const KERNEL: &[&str] = &["types", "trace", "cancel", "obligation", "region", "task"];
const RUNTIME: &[&str] = &[
    "types",
    "trace",
    "cancel",
    "obligation",
    "region",
    "task",
    "cx",
    "oracle",
    "monitor",
    "time",
    "sched",
    "reactor",
];
const LAB: &[&str] = &[
    "types",
    "trace",
    "cancel",
    "obligation",
    "region",
    "task",
    "cx",
    "oracle",
    "time",
    "sched",
    "model",
    "explore",
    "monitor",
    "timeline",
];
const ANY: &[&str] = &["*"];

const fn row(
    name: &'static str,
    layer: Layer,
    may_name: &'static [&'static str],
    third_party: &'static [&'static str],
    std: Std,
) -> Row {
    Row { name, layer, may_name, third_party, std }
}

/// The table, from the bottom up.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row("types",      Layer::Vocabulary, &[], &[], Std::No),
    row("trace",      Layer::Vocabulary, &["types"], &[], Std::No),
    row("http-proto", Layer::Vocabulary, &[], &["httparse", "http", "bytes"], Std::No),
    row("raptorq",    Layer::Vocabulary, &["types"], &["raptorq"], Std::Yes),

    row("cancel",     Layer::Kernel, &["types"], &[], Std::No),
    row("obligation", Layer::Kernel, &["types"], &[], Std::No),
    row("task",       Layer::Kernel, &["types", "cancel", "obligation"], &[], Std::No),
    row("region",     Layer::Kernel, &["types", "trace", "cancel", "obligation", "task"], &[], Std::No),

    row("cx",         Layer::Context, KERNEL, &["smallvec"], Std::No),
    row("time",       Layer::Context, &["types", "cx"], &["slab", "pin-project", "pin-project-lite", "futures-core"], Std::No),

    row("explore",    Layer::Engine, &["types", "trace"], &[], Std::Yes),
    row("monitor",    Layer::Engine, &["types", "trace", "oracle"], &[], Std::Yes),
    row("oracle",     Layer::Engine, &["types", "trace"], &[], Std::No),
    row("timeline",   Layer::Engine, &["types", "trace", "oracle"], &[], Std::Yes),
    row("sched",      Layer::Engine, &["types", "trace", "cancel", "obligation", "region", "task", "cx"],
                                     &["crossbeam-queue", "parking_lot", "smallvec"], Std::Optional),
    row("reactor",    Layer::Engine, &["types", "cx"], &["polling", "libc", "signal-hook-registry"], Std::Yes),
    row("runtime",    Layer::Engine, RUNTIME, &["parking_lot", "crossbeam-queue"], Std::Yes),
    row("lab",        Layer::Engine, LAB, &[], Std::Yes),

    row("sync",       Layer::Primitives, &["types", "obligation", "cx"],
                                         &["parking_lot", "slab", "smallvec", "pin-project", "pin-project-lite",
                                           "futures-core", "futures-sink"], Std::Yes),
    row("combinator", Layer::Primitives, &["types", "cancel", "cx", "time", "sync"],
                                         &["pin-project", "pin-project-lite", "smallvec", "futures-core"], Std::No),
    row("service",    Layer::Primitives, &["cx", "time", "sync", "combinator"],
                                         &["pin-project", "pin-project-lite", "tower-service"], Std::No),
    row("actor",      Layer::Primitives, &["cx", "obligation", "time", "sync", "combinator", "trace"], &[], Std::No),

    row("io",         Layer::Io, &["types", "cx"], &["pin-project", "pin-project-lite", "smallvec", "bytes", "futures-io"], Std::Yes),
    row("net",        Layer::Io, &["types", "cx", "time", "io", "combinator"], &["socket2"], Std::Yes),
    row("os",         Layer::Io, &["types", "cx", "time", "io", "sync"], &["libc", "rustix"], Std::Yes),
    row("tls",        Layer::Io, &["cx", "time", "io"], &["rustls"], Std::Yes),

    row("http",       Layer::Protocols, &["http-proto", "cx", "io", "net", "tls", "time", "sync", "combinator", "service"],
                                        &["http", "http-body", "bytes"], Std::Yes),
    row("grpc",       Layer::Protocols, &["cx", "http", "io", "time", "combinator", "service"], &["prost", "bytes"], Std::Yes),
    row("database",   Layer::Protocols, &["cx", "io", "net", "tls", "sync", "combinator"], &["postgres-protocol"], Std::Yes),
    row("sqlite",     Layer::Protocols, &["cx", "io", "sync", "combinator", "database"], &["rusqlite"], Std::Yes),
    row("messaging",  Layer::Protocols, &["cx", "io", "net", "tls", "sync", "combinator"], &[], Std::Yes),
    row("remote",     Layer::Protocols, &["types", "cx", "messaging", "grpc", "io", "net", "time", "sync", "combinator"], &[], Std::Yes),

    row("observe",    Layer::Edge, &["types", "trace", "oracle", "cx", "sync", "io"], &["serde", "tracing"], Std::Yes),
    row("macros",     Layer::Edge, &[], &[], Std::Yes),
    row("asupersync", Layer::Edge, ANY, &[], Std::Yes),
    row("cli",        Layer::Edge, &["asupersync", "types", "trace", "explore", "oracle", "timeline", "lab", "model", "observe"],
                                     &["clap", "ratatui"], Std::Yes),

    row("mutants",    Layer::Tooling, &["types"], &[], Std::Yes),
    row("model",      Layer::Tooling, &["types", "trace"], &[], Std::No),
    row("xtask",      Layer::Tooling, &[], &["serde_json"], Std::Yes),
];

/// The engine: what no primitive, I/O or protocol crate may reach, not even through another crate.
pub const ENGINE: &[&str] = &["sched", "runtime", "reactor", "lab"];

/// Crates whose files named `raw.rs`, or under `raw/`, may hold `unsafe`. All others forbid it.
pub const UNSAFE_ALLOWED: &[&str] =
    &["task", "cx", "region", "obligation", "time", "sync", "sched", "reactor", "runtime", "lab", "os"];

/// Crates that may use the machine's clock, threads and environment. `mutants` is for tests, which may anyway.
pub const AMBIENT_ALLOWED: &[&str] = &["runtime", "reactor", "os", "mutants", "xtask", "cli"];

/// Crates that only compute: no async, clock, lock or socket. Every `proto` module is held to the same.
pub const PURE: &[&str] = &["types", "cancel", "trace", "oracle", "http-proto", "model"];

/// Packages that may not be anywhere in the dependency tree (also in deny.toml).
pub const FORBIDDEN_PACKAGES: &[&str] = &[
    "tokio",
    "tokio-util",
    "hyper",
    "hyper-util",
    "reqwest",
    "axum",
    "async-std",
    "smol",
    "async-executor",
    "async-global-executor",
    "async-io",
];

/// How many third-party crates the facade's default features may pull in, build-time machinery aside.
pub const FACADE_DEPENDENCY_LIMIT: usize = 12;

/// A crate that is allowed only under `cfg(loom)`.
pub const LOOM: &str = "loom";

/// The row of a crate, by its short name.
pub fn row_of(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// The short name of a package: `asupersync-cx` is `cx`.
pub fn short_name(package: &str) -> &str {
    package.strip_prefix("asupersync-").unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches_engine(row: &Row, depth: usize) -> bool {
        assert!(depth < TABLE.len(), "the table has a cycle through `{}`", row.name);
        row.may_name.iter().any(|&name| {
            ENGINE.contains(&name) || reaches_engine(row_of(name).expect("rows name rows"), depth + 1)
        })
    }

    #[test]
    fn the_table_has_no_cycle_and_keeps_the_engine_out_of_the_layers_above_it() {
        for row in TABLE.iter().filter(|row| row.may_name != ANY && row.layer != Layer::Edge) {
            let reached = reaches_engine(row, 0);
            assert!(
                !reached || row.layer == Layer::Engine,
                "the row of `{}` lets it reach the engine",
                row.name
            );
        }
    }

    #[test]
    fn every_name_is_listed_once() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(TABLE[i + 1..].iter().all(|other| other.name != row.name), "`{}` has two rows", row.name);
        }
    }

    #[test]
    fn no_std_rows_name_no_std_rows_only() {
        for row in TABLE.iter().filter(|row| row.std == Std::No) {
            for name in row.may_name {
                let below = row_of(name).expect("rows name rows");
                // `sync` is to become no_std; until then its two users on top are held to it by their own headers.
                let exception = *name == "sync" || *name == "combinator";
                assert!(below.std != Std::Yes || exception, "`{}` is no_std but may name `{name}`", row.name);
            }
        }
    }
}
