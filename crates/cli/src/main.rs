//! The command `asupersync`: runs, explores, replays, shrinks and draws programs and tests of the lab, and looks at traces.
//!
//! | file | what lives there |
//! |---|---|
//! | `args` | what can be asked for |
//! | `subject` | a program of the mini-language: where it comes from, what it is called, when it fails |
//! | `hunt` | its schedules: one, all, or a sample; making a failing one small |
//! | `telling` | an execution of it in words, and as events for pictures |
//! | `programs` | the subcommands of `lab`, on such programs |
//! | `harness` | the same on a user's tests: `cargo test` with the lab's variables |
//! | `traces` | trace files: shown, compared, checked |
//! | `files` | reading a file, whatever a path names |
//!
//! It ends with 0 if all is well, 1 if something was found, and 2, with one line on standard error, if what was asked for
//! makes no sense or can't be done.
//!
//! Not here: the algorithms (`explore`), the pictures (`timeline`), the rules (`model`), the oracles (`oracle`).
#![forbid(unsafe_code)]
// A command: it reads arguments and clocks, and starts cargo.
#![allow(clippy::disallowed_methods)]

mod args;
mod files;
mod harness;
mod hunt;
mod programs;
mod subject;
mod telling;
mod traces;

use args::{Args, Command, Lab, Trace};
use clap::Parser;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Whether there is something to look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    Something,
}

/// What a subcommand comes to: what was seen, or in one line why it could not be done.
pub(crate) type Done = Result<Seen, String>;

fn main() -> ExitCode {
    // Ends the process with 2 by itself if the arguments make no sense.
    let args = Args::parse();
    // A program of the mini-language may be wrong in a way that only shows when it runs.
    std::panic::set_hook(Box::new(|_| ()));
    let done = catch_unwind(AssertUnwindSafe(|| run(args.command))).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("something went wrong");
        // An assertion's own words, without the values it compared.
        let line = text.lines().next().unwrap_or_default();
        Err(line.split_once("failed: ").map_or(line, |(_, words)| words).into())
    });
    match done {
        Ok(Seen::Nothing) => ExitCode::SUCCESS,
        Ok(Seen::Something) => ExitCode::from(1),
        Err(why) => {
            eprintln!("asupersync: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Done {
    match command {
        Command::Lab(Lab::Run(run)) => programs::run(run),
        Command::Lab(Lab::Explore(explore)) => programs::explore(explore),
        Command::Lab(Lab::Replay(replay)) => programs::replay(replay),
        Command::Lab(Lab::Shrink(shrink)) => programs::shrink(shrink),
        Command::Lab(Lab::Timeline(timeline)) => programs::timeline(timeline),
        Command::Lab(Lab::Diff(pair)) => traces::diff(&pair),
        Command::Trace(Trace::Show(show)) => traces::show(&show),
        Command::Trace(Trace::Diff(pair)) => traces::diff(&pair),
        Command::Trace(Trace::Check(check)) => traces::check(&check),
    }
}
