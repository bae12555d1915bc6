//! The searches against each mistake, and the table that is printed of it.
//!
//! Each mistake has a process of its own (`mutants`), which runs both searches and says what they found.
//!
//! Not here: the mistakes, the limits (`table`).

use std::any::Any;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use asupersync_lab::Search;
use mutants::{Mistake, Shows};

use crate::{BUGS, Bug, every, sampled};

/// Said by a process in which both searches found the mistake.
const BOTH: &str = "both searches met the mistake";
/// Before what they found.
const FOUND: &str = "found: ";

/// A mistake that breaks the taking down of a failed run too: a body may not outlive the call that runs it, so the process ends
/// with the first execution that fails, and no search can report it. The lab says what it was before that.
const FATAL: &str = "task.no-requeue";
/// Said at the end of such a process.
const LAST_WORDS: &[&str] = &[
    "a run failed, and its tasks cannot be taken down",
    "deadlock: nothing can run",
    "is runnable",
    "to run exactly this again: LAB_REPLAY=lab1,task.no-requeue,",
    "a task could not be dropped after a failed run: aborting",
];

/// What a failing search says.
fn message(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<String>().map_or("a panic that is no report", |text| text)
}

/// Runs one search: the execution that failed and how it showed, or why that doesn't count.
fn hunt(search: &Search, bug: &Bug, limit: u64) -> Result<(u64, String), String> {
    let search = search.clone().shrink(20);
    let run = catch_unwind(AssertUnwindSafe(|| search.run_labs(bug.name, None, bug.program)));
    let payload = match run {
        Ok(found) => return Err(format!("not met in {limit} executions: {found}")),
        Err(payload) => payload,
    };
    let report = message(&*payload);
    if let Some(missing) = bug.words.iter().find(|word| !report.contains(**word)) {
        return Err(format!("it fails, but not with {missing:?}: {report}"));
    }
    let (_, rest) = report.split_once("fails in run ").ok_or("a report without its run")?;
    let (run, what) = rest.split_once(": ").ok_or("a report without its failure")?;
    let run = run.parse().map_err(|_| format!("`{run}` is no number"))?;
    Ok((run, what.lines().next().unwrap_or_default().into()))
}

/// In the process of one mistake: both searches. It fails with [`BOTH`] if they found it, or in other words.
fn search(name: &str) {
    let bug = BUGS.iter().find(|bug| bug.name == name).expect("a mistake of the table");
    match (hunt(&every(bug.every), bug, bug.every), hunt(&sampled(bug.sampled), bug, bug.sampled)) {
        (Ok((by_class, what)), Ok((by_sample, _))) => {
            println!("\n{FOUND}{by_class}\t{by_sample}\t{what}");
            panic!("{BOTH}")
        }
        (by_class, by_sample) => panic!("every class: {by_class:?}\nsampler: {by_sample:?}"),
    }
}

macro_rules! mistakes {
    ($($test:ident: $name:literal in $file:literal, noticed by $program:path, which says $($word:literal)+
        $(or, explored, $($explored:literal)+)?, found within $every:literal and $sampled:literal;)+) => {
        /// As the processes get them.
        const MISTAKES: &[Mistake] =
            &[$(Mistake { name: $name, check: || search($name), shows: Shows::Says(&[BOTH]) }),+];
    };
}

table!(mistakes);

/// The row of a mistake, from what its process said.
fn row(name: &str, said: &str) -> String {
    let found = said.lines().find_map(|line| line.strip_prefix(FOUND)).expect("what both searches found");
    let mut parts = found.splitn(3, '\t');
    let mut part = || parts.next().expect("two numbers and words");
    let (by_class, by_sample) = (part(), part());
    let shows: String = part().chars().take(90).collect();
    format!("{name:<36} | {by_class:>5} | {by_sample:>5} | {shows}")
}

#[test]
fn every_mistake_is_met_by_both_searches_within_what_is_stated() {
    let test = concat!(module_path!(), "::every_mistake_is_met_by_both_searches_within_what_is_stated");
    let head = ("mistake", "every", "random", "shows as");
    let mut text = format!("\n{:<36} | {:>5} | {:>5} | {}\n", head.0, head.1, head.2, head.3);
    let mut missed = Vec::new();
    let mut met = 0;
    for mistake in MISTAKES {
        if mistake.name == FATAL {
            let _ = writeln!(
                text,
                "{FATAL:<36} |     - |      - | the process ends, with words of its own (LAST_WORDS)"
            );
            continue;
        }
        match mutants::heard(test, mistake) {
            Ok(said) => {
                met += 1;
                let _ = writeln!(text, "{}", row(mistake.name, &said));
            }
            Err(why) => {
                let _ = writeln!(text, "{:<36} | MISSED", mistake.name);
                missed.push(why)
            }
        }
    }
    let _ = writeln!(
        text,
        "{met} of {} met by both, each within the executions stated for it; the other one has tests of its own",
        MISTAKES.len()
    );
    // Not `print!`: the matrix is to be seen also when nothing fails.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

/// One search against the mistake that ends the process. Comes back only if the search doesn't meet it.
fn meets_the_end(search: fn(u64) -> Search, limit: fn(&Bug) -> u64) {
    let bug = BUGS.iter().find(|bug| bug.name == FATAL).expect("a mistake of the table");
    let found = search(limit(bug)).run_labs(FATAL, None, bug.program);
    println!("not met: {found}")
}

#[track_caller]
fn has_last_words(test: &str, check: fn()) {
    let fatal = Mistake { name: FATAL, check, shows: Shows::Says(LAST_WORDS) };
    if let Err(why) = mutants::heard(test, &fatal) {
        panic!("{why}")
    }
}

#[test]
fn a_search_of_every_class_that_a_mistake_ends_says_what_failed_and_how_to_repeat_it() {
    let name = "::a_search_of_every_class_that_a_mistake_ends_says_what_failed_and_how_to_repeat_it";
    let test = format!("{}{name}", module_path!());
    has_last_words(&test, || meets_the_end(every, |bug| bug.every))
}

#[test]
fn a_sampler_that_a_mistake_ends_says_what_failed_and_how_to_repeat_it() {
    let test = format!(
        "{}{}",
        module_path!(),
        "::a_sampler_that_a_mistake_ends_says_what_failed_and_how_to_repeat_it"
    );
    has_last_words(&test, || meets_the_end(sampled, |bug| bug.sampled))
}
