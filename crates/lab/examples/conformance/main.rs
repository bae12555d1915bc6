//! Runs programs of the mini-language as tasks on the real kernel and compares how many classes of executions the
//! exploration finds with how many there are. Called by `cargo xtask conformance lab`.
//!
//! ```text
//! conformance --programs FILE.tsv [--orders N] [--only NAME] [--grain operation|poll]
//!             [--mode parsimonious|wakeup-trees|sampler=NAME,runs=N[,seed=N]]
//! ```
//! A row of output is `name explored blocked expected`: how many executions were explored, in how many of them some task
//! never ended, and how many classes there are. Rows that differ say how, and the program ends with 1; an argument or a
//! file that makes no sense ends it with 2, and so does a table of which nothing is run.

mod explored;
mod sampled;
mod tasks;

use asupersync_lab::Grain;
use explore::Reduction;
use explore::mini::Program;
use explore::mini::table::{self, Row};
use std::process::ExitCode;

const USAGE: &str = "usage: conformance --programs FILE.tsv [--orders N] [--only NAME] [--grain operation|poll] \
                     [--mode parsimonious|wakeup-trees|sampler=NAME,runs=N[,seed=N]]";

/// What was asked for.
struct Asked {
    file: String,
    orders: u64,
    only: Option<String>,
    grain: Grain,
    reduction: Reduction,
    sampler: Option<sampled::Sampler>,
}

fn main() -> ExitCode {
    let asked = match read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => return refuse(&format!("{why}\n{USAGE}")),
    };
    let text = match std::fs::read_to_string(&asked.file) {
        Ok(text) => text,
        Err(why) => return refuse(&format!("cannot read {}: {why}", asked.file)),
    };
    let rows = match table::read(&text) {
        Ok(rows) => rows,
        Err(why) => return refuse(&format!("{}: {why}", asked.file)),
    };
    let rows: Vec<&Row<'_>> =
        rows.iter().filter(|row| asked.only.as_ref().is_none_or(|only| only == row.name)).collect();
    if rows.is_empty() {
        return refuse(&match &asked.only {
            Some(only) => format!("{} has no row `{only}`: nothing was run", asked.file),
            None => format!("{} has no rows: nothing was run", asked.file),
        });
    }
    let (rows, left_out): (Vec<&Row<'_>>, Vec<_>) =
        rows.into_iter().partition(|row| asked.grain == Grain::Operation || !share_receivers(&row.program));
    for row in &left_out {
        println!(
            "# {} is left out: several tasks receive from one channel, whose receiver can't be shared with --grain poll",
            row.name
        )
    }
    if rows.is_empty() {
        return refuse("nothing was run: all rows were left out");
    }
    let rows = rows.into_iter();
    let differing = match &asked.sampler {
        Some(sampler) => sampled::all(rows, sampler, asked.grain),
        None => explored::all(rows, asked.orders, asked.grain, asked.reduction),
    };
    if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("conformance: {why}");
    ExitCode::from(2)
}

fn read(mut args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        file: String::new(),
        orders: 0,
        only: None,
        grain: Grain::Operation,
        reduction: Reduction::default(),
        sampler: None,
    };
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or(format!("{flag} wants a value"));
        match flag.as_str() {
            "--programs" => asked.file = value()?,
            "--orders" => asked.orders = number(&flag, &value()?)?,
            "--only" => asked.only = Some(value()?),
            "--grain" => {
                asked.grain = match value()?.as_str() {
                    "operation" => Grain::Operation,
                    "poll" => Grain::Poll,
                    other => return Err(format!("--grain is `operation` or `poll`, not `{other}`")),
                }
            }
            "--mode" => match value()?.as_str() {
                "parsimonious" => asked.reduction = Reduction::Parsimonious,
                "wakeup-trees" => asked.reduction = Reduction::WakeupTrees,
                sampler => asked.sampler = Some(sampled::Sampler::read(sampler)?),
            },
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    if asked.file.is_empty() {
        return Err("--programs is missing".into());
    }
    Ok(asked)
}

fn number(flag: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{flag} wants a number, not `{text}`"))
}

/// Whether several tasks receive from one channel: the real one has one receiver, which they can only share where nothing
/// is polled before it is possible.
fn share_receivers(program: &Program) -> bool {
    (0..program.channels().len())
        .any(|channel| program.tasks().iter().filter(|ops| tasks::receives(ops, channel)).count() > 1)
}

/// Row and line for the reader: what was found beside what was expected.
fn line(row: &Row<'_>, explored: u64, blocked: u64) {
    println!("{}\t{explored}\t{blocked}\t{}", row.name, row.traces);
}
