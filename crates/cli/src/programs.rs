//! The subcommands of `lab`, on programs of the mini-language; a test's are passed on.
//!
//! Not here: the schedules (`hunt`), tests (`harness`).
use crate::args::{Explore, Replay, Run, Shrink, Timeline, World};
use crate::harness::Test;
use crate::hunt::{self, Execution, Found, Limits, Picker};
use crate::subject::Subject;
use crate::telling::{self, Drawn};
use crate::{Done, Seen, files, traces};
use explore::Explorer;
use lab::Schedule;
use std::path::Path;
use std::time::Duration;

/// `lab run`.
pub(crate) fn run(run: Run) -> Done {
    let Some(subject) = Subject::of(&run.target, &run.row, &run.want)? else {
        programs_only(&[("--schedule", run.schedule.is_some()), ("--want", !run.want.is_empty())])?;
        let test = test(run.target.test.as_deref(), &run.cargo.cargo).set("LAB_SEED", run.seed);
        let test = test.set("LAB_TIME", run.world.time).set("LAB_RANDOM", run.world.random);
        return test.set("LAB_TWICE", run.twice.then_some(1)).run();
    };
    tests_only(&run.world, run.twice)?;
    let schedule = schedule(run.schedule, run.seed);
    let (execution, _) = hunt::execute(&subject, schedule.scheduler(run.seed.unwrap_or(0)));
    print!("{}", telling::steps(&subject, &execution));
    Ok(verdict(&subject, &execution))
}

/// `lab explore`.
pub(crate) fn explore(explore: Explore) -> Done {
    let Some(subject) = Subject::of(&explore.target, &explore.row, &explore.want)? else {
        programs_only(&[
            ("--sample", explore.sample.is_some()),
            ("--limit", explore.limit.is_some()),
            ("--budget", explore.budget.is_some()),
            ("--want", !explore.want.is_empty()),
        ])?;
        let test = test(explore.target.test.as_deref(), &explore.cargo.cargo).set("LAB_SEED", explore.seed);
        let test = test.set("LAB_TWICE", explore.twice.then_some(1));
        let test = test.set("LAB_TIME", explore.world.time).set("LAB_RANDOM", explore.world.random);
        return test.set("LAB_SECONDS", explore.seconds).out(explore.out.as_deref())?.run();
    };
    tests_only(&explore.world, explore.twice)?;
    let (picker, most) = match &explore.sample {
        Some(schedule) => {
            (Picker::Sample(schedule.scheduler(explore.seed.unwrap_or(0))), explore.runs.unwrap_or(1000))
        }
        None => {
            let explorer = Explorer::new();
            let explorer = match explore.seed {
                Some(seed) => explorer.in_random_order(seed),
                None => explorer,
            };
            (Picker::Every(Box::new(explorer)), explore.limit.or(explore.budget).unwrap_or(u64::MAX))
        }
    };
    let limits = Limits { runs: most, time: explore.seconds.map(Duration::from_secs) };
    let found = hunt::search(&subject, picker, &limits)?;
    println!("{}", summary(&found));
    for (outcome, (times, fails)) in &found.outcomes {
        println!("  {times:>8}  {outcome}{}", if *fails { "   fails" } else { "" })
    }
    let Some(first) = found.first else {
        // Whoever asked for every class and was given a part was not given an answer.
        return match explore.limit.filter(|_| !found.complete && !found.late) {
            Some(limit) => Err(format!(
                "there are more schedules than the limit of {}, and nothing is known of the others: raise --limit, or say \
                 --budget {limit} if so many are enough",
                count(limit, "run")
            )),
            None => Ok(Seen::Nothing),
        };
    };
    let (smallest, minimal) = hunt::shrink(&subject, first, 10_000);
    tell_failure(&subject, &smallest, minimal);
    if let Some(out) = &explore.out {
        draw(&subject, &smallest, out)?
    }
    Ok(Seen::Something)
}

/// `lab replay`.
pub(crate) fn replay(replay: Replay) -> Done {
    let recorded = read_replay(&replay.replay)?;
    let Some(subject) = Subject::of_replay(&recorded, &replay.want)? else {
        return test_replay(&replay, &recorded)?.run();
    };
    tests_only(&replay.world, false)?;
    let execution = followed(&subject, recorded)?;
    print!("{}", telling::steps(&subject, &execution));
    if let Some(out) = &replay.out {
        draw(&subject, &execution, out)?
    }
    Ok(verdict(&subject, &execution))
}

/// `lab shrink`.
pub(crate) fn shrink(shrink: Shrink) -> Done {
    let Shrink { replay, runs } = shrink;
    let recorded = read_replay(&replay.replay)?;
    let Some(subject) = Subject::of_replay(&recorded, &replay.want)? else {
        return test_replay(&replay, &recorded)?.set("LAB_SHRINK", Some(runs)).run();
    };
    tests_only(&replay.world, false)?;
    let execution = followed(&subject, recorded)?;
    if execution.failure.is_none() {
        return Err(
            "the recorded schedule does not fail: there is nothing to make smaller (was there a --want?)"
                .into(),
        );
    }
    let (smallest, minimal) = hunt::shrink(&subject, execution.taken, runs);
    tell_failure(&subject, &smallest, minimal);
    if let Some(out) = &replay.out {
        draw(&subject, &smallest, out)?
    }
    Ok(Seen::Something)
}

/// `lab timeline`.
pub(crate) fn timeline(timeline: Timeline) -> Done {
    let recorded = timeline.replay.as_deref().map(read_replay).transpose()?;
    let Some(subject) = Subject::of(&timeline.target, &timeline.row, &[])? else {
        let test = test(timeline.target.test.as_deref(), &timeline.cargo.cargo);
        let line = recorded.map(|replay| replay.line());
        return test.set("LAB_SEED", timeline.seed).set("LAB_REPLAY", line).draw(&timeline.out);
    };
    let execution = match recorded {
        Some(recorded) => {
            let name = subject.name();
            let decisions = recorded.decisions_of(&name).map_err(|why| why.to_string())?;
            followed(&subject, explore::Replay::new(name, decisions))?
        }
        None => {
            let scheduler = schedule(None, timeline.seed).scheduler(timeline.seed.unwrap_or(0));
            hunt::execute(&subject, scheduler).0
        }
    };
    draw(&subject, &execution, &timeline.out)?;
    Ok(verdict(&subject, &execution))
}

/// Production's order unless something else was asked for.
fn schedule(named: Option<Schedule>, seed: Option<u64>) -> Schedule {
    named.unwrap_or(if seed.is_some() { Schedule::Random } else { Schedule::Fifo })
}

fn test<'a>(name: Option<&str>, cargo: &'a [String]) -> Test<'a> {
    Test::new(name.unwrap_or_default(), cargo)
}

fn test_replay<'a>(replay: &'a Replay, recorded: &explore::Replay) -> Result<Test<'a>, String> {
    programs_only(&[("--want", !replay.want.is_empty())])?;
    let test = Test::of_program(&recorded.program, &replay.cargo.cargo).set("LAB_SEED", replay.seed);
    let test =
        test.set("LAB_TIME", replay.world.time.as_ref()).set("LAB_RANDOM", replay.world.random.as_ref());
    test.set("LAB_REPLAY", Some(recorded.line())).out(replay.out.as_deref())
}

/// What a test decides in its own source.
fn programs_only(flags: &[(&str, bool)]) -> Result<(), String> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => {
            Err(format!("{flag} is for programs: a test says it in its own attribute or body"))
        }
        None => Ok(()),
    }
}

/// What programs have no need of.
fn tests_only(world: &World, twice: bool) -> Result<(), String> {
    let refused = |flag, why| Err(format!("{flag} is for tests: {why}"));
    match (&world.time, &world.random) {
        (Some(_), _) => refused("--time", "a program of a line has no clock"),
        (None, Some(_)) => refused("--random", "a program of a line draws no numbers"),
        (None, None) if twice => refused("--twice", "nothing outside decides what a program of a line does"),
        (None, None) => Ok(()),
    }
}

/// The line itself, or a file with it.
fn read_replay(text: &str) -> Result<explore::Replay, String> {
    let path = Path::new(text);
    // A line is no path that exists: whatever does was meant as a file, and is refused if it is none.
    let content = if path.exists() { files::read(path)? } else { text.into() };
    explore::Replay::read(&content).map_err(|why| why.to_string())
}

fn followed(subject: &Subject, recorded: explore::Replay) -> Result<Execution, String> {
    match hunt::replay(subject, recorded.decisions) {
        (execution, None) => Ok(execution),
        (_, Some(divergence)) => Err(format!("the program does not follow the replay: {divergence}")),
    }
}

fn verdict(subject: &Subject, execution: &Execution) -> Seen {
    println!("outcome: {}", execution.outcome);
    match &execution.failure {
        Some(why) => {
            println!("fails: {why}");
            println!("{}", again(subject, execution));
            Seen::Something
        }
        None => Seen::Nothing,
    }
}

fn again(subject: &Subject, execution: &Execution) -> String {
    format!("to run exactly this again: {}", command(subject, execution))
}

fn command(subject: &Subject, execution: &Execution) -> String {
    let line = explore::Replay::new(subject.name(), execution.taken.decisions.clone()).line();
    let wanted: String = subject.wanted().map(|want| format!(" --want {want}")).collect();
    format!("asupersync lab replay {line}{wanted}")
}

fn tell_failure(subject: &Subject, smallest: &Execution, minimal: bool) {
    let taken = &smallest.taken;
    println!("fails: {}", smallest.failure.as_deref().unwrap_or("(but not when it was run again)"));
    println!(
        "{} schedule: {} from production's order, {}, {}",
        if minimal { "smallest" } else { "smallest so far" },
        count(taken.decisions.deviations().len() as u64, "departure"),
        count(taken.delays, "delay"),
        count(taken.steps, "step"),
    );
    print!("{}", telling::steps(subject, smallest));
    match smallest.steps.racing_pair() {
        Some(pair) => println!("racing pair: {}", telling::pair(subject, &pair)),
        None => println!("no race: it fails in production's order too"),
    }
    println!("{}", again(subject, smallest));
}

fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn classes_of(n: u64) -> String {
    if n == 1 { "1 class".into() } else { format!("{n} classes") }
}

fn summary(found: &Found) -> String {
    let (classes, runs) = (found.coverage.classes(), found.coverage.runs());
    match (&found.survey, found.complete) {
        (_, true) => format!("{} of schedules in {}: all there are", classes_of(classes), count(runs, "run")),
        (Some(survey), false) => {
            let why = if found.late { "the time was over" } else { "the limit was reached" };
            let estimate = survey.estimate();
            // An estimate of what was seen already says nothing of the others that there are.
            let others = if estimate.likely.round() > estimate.done as f64 {
                estimate.to_string()
            } else {
                format!("{} of more than {}", estimate.done, count(estimate.done, "execution"))
            };
            format!("{} of schedules, then {why}: {others}", classes_of(classes))
        }
        (None, false) => found.coverage.to_string(),
    }
}

fn draw(subject: &Subject, execution: &Execution, out: &Path) -> Result<(), String> {
    let drawn = Drawn::of(subject, execution);
    let run = drawn.run(subject, execution, &command(subject, execution));
    let replay = explore::Replay::new(subject.name(), execution.taken.decisions.clone());
    traces::write(out, "program", &run, &replay.file(&execution.outcome))
}
