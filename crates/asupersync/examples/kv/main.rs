//! `kv`: a key-value server that speaks the Redis protocol, on asupersync.
//!
//! ```text
//! cargo run --release -p asupersync --example kv              serves on 127.0.0.1:6379
//! cargo run --release -p asupersync --example kv -- --tree    prints the region tree of the running one
//! ```
//! This file is the process around it: flags, the runtime, signals' last word, exit codes, the log. It is
//! the only one that touches the environment; everything below `server` runs in the lab as well
//! (`tests/kv_lab.rs`). It looks like a program written by a user of the crate, because it is one.

mod ask;
mod commands;
mod files;
mod flags;
mod glob;
mod limits;
mod log;
mod resp;
mod server;
mod store;

use asupersync::{Builder, Cx};
use flags::{Flags, Job};
use log::{Log, RuntimeReports};
use server::Config;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Something is wrong with what was asked for: a flag, a port in use.
const USAGE: u8 = 2;
/// The drain had to abandon something, or the answer could not be had.
const UNCLEAN: u8 = 1;
/// What shells give a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    let job = flags::parse(std::env::args_os().skip(1));
    match job {
        Ok(Job::Help) => tell(flags::HELP),
        Ok(Job::Tree(flags)) => match ask::tree(flags.address()) {
            Ok(tree) => tell(&tree),
            Err(error) => fail(UNCLEAN, &error),
        },
        Ok(Job::Serve(flags)) => serve(flags),
        Err(error) => fail(USAGE, &format!("{error} (kv --help lists the flags)")),
    }
}

/// Prints what was asked for. A reader that has gone has read what it wanted (`kv --tree | head`); a full device is
/// an answer that was not had.
fn tell(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(UNCLEAN, &format!("failed to print: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// One clear line, and the exit code.
fn fail(code: u8, line: &str) -> ExitCode {
    // With nobody to read it, the exit code says it alone.
    let _ = writeln!(std::io::stderr(), "kv: {line}");
    ExitCode::from(code)
}

fn serve(mut flags: Flags) -> ExitCode {
    let log = Arc::new(Log::default());
    let few_files = files::limit().filter(|&files| flags.limits.max_clients > files::places(files));
    if let Some(files) = few_files {
        flags.limits.max_clients = files::places(files);
    }
    let runtime =
        Builder::new().workers(flags.workers).name("kv").reports(RuntimeReports(log.clone())).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(USAGE, &error.to_string()),
    };
    let journal = log.clone();
    let served = runtime.run(async move |cx: &mut Cx| {
        let config = configure(cx, flags, few_files);
        server::serve(cx.narrow(), config, journal).await
    });
    match served {
        Ok(report) => {
            log.say(&report);
            ExitCode::from(if report.is_clean() { 0 } else { UNCLEAN })
        }
        Err(error) => fail(USAGE, &error.to_string()),
    }
}

#[allow(clippy::disallowed_methods, reason = "the process reads the wall clock once, for EXAT and PXAT")]
fn configure(cx: &Cx, flags: Flags, few_files: Option<usize>) -> Config {
    let epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Config {
        bind: flags.address(),
        grace: flags.grace,
        workers: flags.workers,
        debug_commands: flags.debug,
        limits: flags.limits,
        few_files,
        epoch_ms: u64::try_from(epoch.as_millis()).unwrap_or(u64::MAX / 2),
        seed: cx.random(),
        run_id: format!("{:016x}{:016x}{:08x}", cx.random(), cx.random(), cx.random() as u32),
        process_id: std::process::id(),
        subscriber_bytes: 32 << 20,
        exit_now: || std::process::exit(INTERRUPTED),
    }
}
