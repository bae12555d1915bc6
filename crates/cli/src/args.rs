//! What can be asked for, in the words of `--help`.
//!
//! Not here: doing it.
use clap::{Args as Group, Parser, Subcommand};
use lab::Schedule;
use std::path::PathBuf;

/// Run, explore, replay, shrink and draw programs and tests of the lab; look at traces.
#[derive(Debug, Parser)]
#[command(
    name = "asupersync",
    version,
    after_help = "It ends with 0 if all is well, 1 if something was found, 2 if it could not be done."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

// Made once.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Schedules of a small program, or of one of your tests
    #[command(subcommand)]
    Lab(Lab),
    /// Trace files
    #[command(subcommand)]
    Trace(Trace),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Run one schedule and say what happened
    ///
    /// Example: asupersync lab run 'Rx;Wx=$+1 || Rx;Wx=$+1' --seed 3
    Run(Run),
    /// Run every class of schedules, or a sample, and make the first that fails small
    ///
    /// Example: asupersync lab explore 'Rx;Wx=$+1 || Rx;Wx=$+1' --want x=2
    Explore(Explore),
    /// Run exactly the schedule that a failure has printed
    ///
    /// Example: asupersync lab replay lab1,bank::transfer,7,8ae2c836,Zp,2ce34cc7
    Replay(Replay),
    /// Make a failing schedule smaller
    ///
    /// Example: asupersync lab shrink failed.replay --runs 10000
    Shrink(Shrink),
    /// Draw a run: a page (.html), a picture (.svg), a diagram (.mmd), data (.json), a report (.txt), a .trace
    ///
    /// Example: asupersync lab timeline 'La;Lb;Ub;Ua || Lb;La;Ua;Ub' --out deadlock.html
    Timeline(Timeline),
    /// Where two runs differ: two trace files. Whether both are of one class, and if not, which two operations come in
    /// another order
    ///
    /// Example: asupersync lab diff good.trace bad.trace
    Diff(Pair),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trace {
    /// Say what happened in a trace, or draw it
    ///
    /// Example: asupersync trace show failed.trace --out failed.svg
    Show(Show),
    /// Where two traces differ: the first event, and whether only the order of tasks does
    ///
    /// Example: asupersync trace diff good.trace bad.trace
    Diff(Pair),
    /// Check a trace against the model of the rules and ask all oracles
    ///
    /// Example: asupersync trace check failed.trace
    Check(Check),
}

/// A program, or a test.
#[derive(Debug, Group)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// A program in the mini-language: tasks separated by `||`, operations by `;` (Rx Wx=1 Wx=$+1 Fx+1 Cx:0>1 La Ua Ta
    /// Sc Xc Qc ?=0{..}:{..} #)
    #[arg(value_name = "PROGRAM")]
    pub(crate) program: Option<String>,
    /// Take the program from a table (tab-separated: name, program, ..)
    #[arg(long, value_name = "FILE", requires = "row")]
    pub(crate) table: Option<PathBuf>,
    /// One of your tests instead, by its path as `cargo test` knows it
    #[arg(long, value_name = "NAME")]
    pub(crate) test: Option<String>,
}

/// What else a table needs.
#[derive(Debug, Group)]
pub(crate) struct Row {
    /// Which row of the table
    #[arg(long, value_name = "NAME", requires = "table")]
    pub(crate) row: Option<String>,
}

/// What else a test needs.
#[derive(Debug, Group)]
pub(crate) struct Cargo {
    /// Arguments for `cargo test`, such as `-p my-crate`
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    pub(crate) cargo: Vec<String>,
}

/// What the lab of a test is like. The values are handed on in the words of the attribute.
#[derive(Debug, Group)]
pub(crate) struct World {
    /// Let the clock overtake tasks that could run, once or so many times in a run: eager, eager:TIMES (tests only)
    #[arg(long, value_name = "eager[:N]", value_parser = eager)]
    pub(crate) time: Option<String>,
    /// Try every value of random numbers below 16 or so much: branch, branch:BOUND (tests that explore only)
    #[arg(long, value_name = "branch[:N]", value_parser = branch)]
    pub(crate) random: Option<String>,
}

fn eager(text: &str) -> Result<String, String> {
    lab::overtakings(text).map(|_| text.into())
}

fn branch(text: &str) -> Result<String, String> {
    lab::numbers_below(text).map(|_| text.into())
}

#[derive(Debug, Group)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) row: Row,
    /// Seed of the schedule
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Make every run again with the same decisions, and say where it does something else (tests only)
    #[arg(long)]
    pub(crate) twice: bool,
    /// Who is next: random, fifo, round-robin, pct:DEPTH, pos, urw (programs only). Without it: production's order, or
    /// random with a seed
    #[arg(long, value_name = "NAME")]
    pub(crate) schedule: Option<Schedule>,
    /// What a cell is to hold at the end (programs only; may be repeated)
    #[arg(long, value_name = "CELL=NUMBER")]
    pub(crate) want: Vec<String>,
    #[command(flatten)]
    pub(crate) world: World,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

#[derive(Debug, Group)]
pub(crate) struct Explore {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) row: Row,
    /// Draw schedules instead: random, pct:DEPTH, pos, urw (programs only; a test says it in its attribute)
    #[arg(long, value_name = "NAME")]
    pub(crate) sample: Option<Schedule>,
    /// How many to draw (with --sample) [default: 1000]
    #[arg(long, value_name = "N", requires = "sample", value_parser = at_least_one())]
    pub(crate) runs: Option<u64>,
    /// Seed of the sample
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How many runs there may be: more are an answer that is missing, which ends it with 2 (programs only)
    #[arg(long, value_name = "N", conflicts_with = "sample", value_parser = at_least_one())]
    pub(crate) limit: Option<u64>,
    /// End after so many runs, and say of how many; that is enough (programs only)
    #[arg(long, value_name = "N", conflicts_with_all = ["sample", "limit"], value_parser = at_least_one())]
    pub(crate) budget: Option<u64>,
    /// End after so many seconds, and say of how much it has seen how much; that is enough
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    pub(crate) seconds: Option<u64>,
    /// What a cell is to hold at the end (programs only; may be repeated)
    #[arg(long, value_name = "CELL=NUMBER")]
    pub(crate) want: Vec<String>,
    /// Make every run again with the same decisions, and say where it does something else (tests only)
    #[arg(long)]
    pub(crate) twice: bool,
    /// Where the smallest failing run is written
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) world: World,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

#[derive(Debug, Group)]
pub(crate) struct Replay {
    /// The line that a failure has printed (`LAB_REPLAY=` in front of it doesn't matter), or a file with it
    #[arg(value_name = "REPLAY")]
    pub(crate) replay: String,
    /// The seed that stood in the same line, if one did (tests only)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What a cell is to hold at the end (programs only; may be repeated)
    #[arg(long, value_name = "CELL=NUMBER")]
    pub(crate) want: Vec<String>,
    /// Where the run is written
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) world: World,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

#[derive(Debug, Group)]
pub(crate) struct Shrink {
    #[command(flatten)]
    pub(crate) replay: Replay,
    /// How many runs may be spent
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_one())]
    pub(crate) runs: u64,
}

#[derive(Debug, Group)]
pub(crate) struct Timeline {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) row: Row,
    /// Where to, and as what: the ending says it. A path without an ending is a folder for everything
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// A recorded schedule: the line, or a file with it
    #[arg(long, value_name = "REPLAY")]
    pub(crate) replay: Option<String>,
    /// Seed of the schedule
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

#[derive(Debug, Group)]
pub(crate) struct Pair {
    /// A trace file
    #[arg(value_name = "ONE")]
    pub(crate) one: PathBuf,
    /// Another one
    #[arg(value_name = "OTHER")]
    pub(crate) other: PathBuf,
}

#[derive(Debug, Group)]
pub(crate) struct Show {
    /// A trace file
    #[arg(value_name = "TRACE")]
    pub(crate) trace: PathBuf,
    /// Write it there instead, as its ending says
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Group)]
pub(crate) struct Check {
    /// A trace file
    #[arg(value_name = "TRACE")]
    pub(crate) trace: PathBuf,
}

/// A number of which none would be nothing at all.
fn at_least_one() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Args::command().debug_assert();
    }
}
