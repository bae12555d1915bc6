//! The command line of `cargo xtask`: finds the subcommand, runs it, and turns what went wrong into one line and an exit code.
//!
//! 0: passed. 1: a step failed. 2: the command line made no sense.
#![forbid(unsafe_code)]
// A program reads its own arguments; clippy.toml bans that for libraries.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::process::ExitCode;
use xtask::steps::STEPS;
use xtask::workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some((_, _, step)) = STEPS.iter().find(|(step, ..)| step == name) else {
        eprint!("xtask: there is no subcommand `{name}`\n{}", usage());
        return ExitCode::from(2);
    };
    match step(&workspace::root(), rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask SUBCOMMAND [ARGUMENTS]\n");
    for (name, about, _) in STEPS {
        text += &format!("  {name:<10} {about}\n");
    }
    text
}
