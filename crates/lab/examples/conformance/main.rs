//! Runs programs of the mini-language as tasks on the real kernel and compares how many classes of executions the
//! exploration finds with how many there are. Called by `cargo xtask conformance lab`.
//!
//! ```text
//! conformance --programs FILE.tsv [--orders N | --order N] [--only NAME] [--grain operation|poll]
//!             [--mode parsimonious|wakeup-trees|sampler=NAME,runs=N[,seed=N]]
//! ```
//! A row of output is `name explored blocked expected`: how many executions were explored, in how many of them some task
//! never ended, and how many classes there are; of a sampler, how often it met what, and between which rates the truth lies.
//! Rows that differ or fail say how, and the command that runs that again, and the program ends with 1; an argument or a
//! file that makes no sense ends it with 2, and so does a table of which nothing is run.
//!
//! | file | what lives there |
//! |---|---|
//! | `explored` | every class |
//! | `sampled`, `hits` | a sample; its rates |
//! | `tasks` | a program as tasks on the real kernel |
//!
//! Not here: the table and the mini-language (`explore::mini`).

mod explored;
mod hits;
mod sampled;
mod tasks;

use asupersync_lab::{Grain, LabFailure};
use explore::Reduction;
use explore::mini::Program;
use explore::mini::table::{self, Row};
use std::any::Any;
use std::process::ExitCode;

const USAGE: &str = "usage: conformance --programs FILE.tsv [--orders N | --order N] [--only NAME] \
                     [--grain operation|poll] [--mode parsimonious|wakeup-trees|sampler=NAME,runs=N[,seed=N]]";

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    file: String,
    orders: u64,
    /// This random order and nothing else.
    order: Option<u64>,
    only: Option<String>,
    grain: Grain,
    reduction: Reduction,
    sampler: Option<sampled::Sampler>,
}

impl Asked {
    /// How the reduction is asked for.
    fn mode(&self) -> &'static str {
        match self.reduction {
            Reduction::Parsimonious => "parsimonious",
            Reduction::WakeupTrees => "wakeup-trees",
        }
    }

    /// The command that runs this program alone, in this way.
    fn again(&self, program: &str, mode: &str, order: Option<u64>) -> String {
        let grain = if self.grain == Grain::Poll { " --grain poll" } else { "" };
        let order = order.map_or(String::new(), |order| format!(" --order {order}"));
        let file = &self.file;
        format!("cargo xtask conformance lab --programs {file} --only {program} --mode {mode}{grain}{order}")
    }
}

/// What somebody panicked with, in words.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    let text = text.or_else(|| panic.downcast_ref::<LabFailure>().map(ToString::to_string));
    text.unwrap_or_else(|| "a panic without words".into())
}

fn main() -> ExitCode {
    let asked = match read(std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned())) {
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
        Some(sampler) => sampled::all(rows, sampler, &asked),
        None => explored::all(rows, &asked),
    };
    if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("conformance: {why}");
    ExitCode::from(2)
}

fn read(mut args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or(format!("{flag} wants a value"));
        match flag.as_str() {
            "--programs" => asked.file = value()?,
            "--orders" => asked.orders = number(&flag, &value()?)?,
            "--order" => asked.order = Some(number(&flag, &value()?)?),
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
    if asked.sampler.is_some() && (asked.orders > 0 || asked.order.is_some()) {
        return Err("a sampler knows no --order: say another seed in its --mode".into());
    }
    if asked.orders > 0 && asked.order.is_some() {
        return Err("--orders and --order are two answers to one question: so many, or that one".into());
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
