//! The command as it is called: what it prints, and what it ends with.
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a call came to: its exit code, and both outputs.
struct Called {
    code: i32,
    out: String,
    err: String,
}

fn called(arguments: &[&str]) -> Called {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asupersync"));
    // Cargo, where it is called in turn, builds beside this test: target/PROFILE/deps/command-HASH
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_path_buf();
    command.env("CARGO_TARGET_DIR", target).env_remove("LAB_REPLAY");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = command.args(arguments).current_dir(workspace).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Called { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Fails unless the call ends with `code` and says all of `said`.
#[track_caller]
fn check(arguments: &[&str], code: i32, said: &[&str]) -> Called {
    let called = called(arguments);
    let Called { code: found, out, err } = &called;
    assert_eq!(*found, code, "{arguments:?}\n{out}\n{err}");
    for words in said {
        assert!(
            out.contains(words) || err.contains(words),
            "{arguments:?} does not say `{words}`:\n{out}\n{err}"
        );
    }
    // Cargo and the arguments' reader say more.
    if code == 2 && !err.contains("--help") && !err.contains("Running") {
        assert_eq!(err.lines().count(), 1, "one clear line: {err}");
    }
    called
}

const LOST: &str = "Rx;Wx=$+1 || Rx;Wx=$+1";
const CROSSED: &str = "La;Lb;Ub;Ua || Lb;La;Ua;Ub";

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("command");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// The replay in what a failure prints.
fn replay_in(text: &str) -> String {
    let at = text.find("lab1,").unwrap_or_else(|| panic!("no replay in: {text}"));
    text[at..].split_whitespace().next().unwrap().to_string()
}

#[test]
fn an_exploration_shows_outcomes_and_the_smallest_failure_which_its_line_repeats() {
    let said = ["4 classes of schedules in 4 runs: all there are", "2  x=1   fails", "2  x=2\n"];
    let explored = check(&["lab", "explore", LOST, "--want", "x=2"], 1, &said);
    for words in
        ["fails: x is 1, and 2 is wanted", "smallest schedule: 1 departure from production's order, 1 delay"]
    {
        assert!(explored.out.contains(words), "{}", explored.out);
    }
    assert!(explored.out.contains("racing pair: task 2 reads x before task 1 writes x"), "{}", explored.out);
    let line = replay_in(&explored.out);
    check(&["lab", "replay", &line, "--want", "x=2"], 1, &["outcome: x=1", "3  task 2  writes x"]);
    assert!(explored.out.contains(&format!("asupersync lab replay {line} --want x=2\n")), "{}", explored.out);
    // Without the wish there is nothing wrong with it.
    check(&["lab", "replay", &line], 0, &["outcome: x=1"]);
}

#[test]
fn a_program_without_a_failure_is_explored_to_its_end() {
    check(&["lab", "explore", "Fx+1 || Fx+1", "--want", "x=2"], 0, &["2 classes", "all there are"]);
    let budget = ["lab", "explore", "Fx+1 || Fx+1", "--budget", "1"];
    let cut = check(&budget, 0, &["1 class of schedules, then the limit was reached"]);
    assert!(!cut.out.contains("1 of about 1 "), "there is another one: {}", cut.out);
    check(&["lab", "explore", "Fx+1 || Fx+1", "--limit", "2"], 0, &["2 classes", "all there are"]);
}

#[test]
fn an_exploration_that_its_limit_ends_has_not_passed() {
    let said =
        ["1 class of schedules, then the limit", "more schedules than the limit of 1 run", "--budget 1"];
    check(&["lab", "explore", "Fx+1 || Fx+1", "--limit", "1"], 2, &said);
    // A failure that was found before is one all the same.
    check(&["lab", "explore", LOST, "--want", "x=3", "--limit", "1"], 1, &["fails: x is 2, and 3 is wanted"]);
    check(&["lab", "explore", "Fx+1", "--limit", "1", "--budget", "1"], 2, &["cannot be used with"]);
    for nothing in ["--limit", "--budget", "--seconds"] {
        check(&["lab", "explore", "Fx+1", nothing, "0"], 2, &["invalid value '0'", nothing]);
        check(&["lab", "explore", "Fx+1", nothing, "NaN"], 2, &["invalid value 'NaN'", nothing]);
    }
    check(&["lab", "explore", "Fx+1", "--sample", "pos", "--runs", "0"], 2, &["invalid value '0'", "--runs"]);
}

#[test]
fn a_sampler_s_failure_is_made_small_too() {
    let arguments = ["lab", "explore", CROSSED, "--sample", "random", "--runs", "200", "--seed", "7"];
    check(&arguments, 1, &["task 1 never takes lock b", "2 steps", "which it never comes to"]);
}

#[test]
fn a_long_schedule_is_shrunk() {
    // Three tasks, one of which has nothing to do with the failure.
    let program = "Ry;Ry;Ry || Rx;Wx=$+1 || Rx;Wx=$+1";
    let run = |seed: &str| called(&["lab", "run", program, "--seed", seed, "--want", "x=2"]);
    let seeds = (0..100).map(|seed| seed.to_string());
    let failing = seeds.map(|seed| run(&seed)).find(|run| run.code == 1).expect("one of 100 seeds fails");
    let path = file("long.replay");
    std::fs::write(&path, replay_in(&failing.out)).unwrap();
    let shrunk = check(
        &["lab", "shrink", path.to_str().unwrap(), "--want", "x=2"],
        1,
        &["smallest schedule: 1 departure from production's order"],
    );
    check(&["lab", "replay", &replay_in(&shrunk.out), "--want", "x=2"], 1, &["outcome: y=0 x=1"]);
    check(
        &["lab", "shrink", path.to_str().unwrap()],
        2,
        &["does not fail: there is nothing to make smaller"],
    );
}

#[test]
fn a_row_of_a_table_is_a_program() {
    let table = "crates/explore/tests/data/lab-programs.tsv";
    check(&["lab", "explore", "--table", table, "--row", "lastzero(3)"], 0, &["12 classes", "all there are"]);
    check(&["lab", "explore", "--table", table, "--row", "nothing"], 2, &["has no row `nothing`"]);
    check(&["lab", "explore", "--table", "nothing.tsv", "--row", "x"], 2, &["failed to read nothing.tsv"]);
}

#[test]
fn runs_are_drawn_and_traces_are_shown_checked_and_compared() {
    let picture = file("run.svg");
    check(&["lab", "timeline", CROSSED, "--out", picture.to_str().unwrap()], 0, &["written to"]);
    assert!(std::fs::read_to_string(&picture).unwrap().contains("takes lock a"));
    let [one, other] = [("0", file("one.trace")), ("1", file("other.trace"))].map(|(seed, path)| {
        check(&["lab", "timeline", LOST, "--seed", seed, "--out", path.to_str().unwrap()], 0, &[]);
        path.to_str().unwrap().to_string()
    });
    check(&["trace", "check", &one], 0, &["the model agrees", "2 tasks", "the oracles found nothing"]);
    check(&["trace", "show", &one], 0, &["THE LAST EVENTS OF EACH TASK"]);
    let page = file("one.html");
    check(&["trace", "show", &one, "--out", page.to_str().unwrap()], 0, &["written to"]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));
    check(&["trace", "diff", &one, &one], 0, &["the same 5 events"]);
    let events = std::fs::read_to_string(&one).unwrap();
    std::fs::write(&other, events.replace("task-end task=1 end=ok", "task-end task=1 end=panicked")).unwrap();
    check(&["lab", "diff", &one, &other], 1, &["events are the same; then", "end=panicked", "what task"]);
    check(&["trace", "check", &other], 1, &["the model disagrees"]);
    // Cut: at the end of a line, in a line, in the middle; of another version; of nothing.
    let cut = file("cut.trace");
    let checked = |text: &str, said: &[&str]| {
        std::fs::write(&cut, text).unwrap();
        check(&["trace", "check", cut.to_str().unwrap()], 2, said)
    };
    let lines: Vec<&str> = events.lines().collect();
    checked(&lines[..3].join("\n"), &["ends before its root is closed", "it was cut after 2 events"]);
    checked(&events[..events.find("\n#step").unwrap() - 6], &["failed to read line"]);
    checked(&events.replace(&format!("{}\n", lines[2]), ""), &["says that it has 5 events, and it has 4"]);
    checked(&events.replace("asupersync-trace 1", "asupersync-trace 7"), &["of version 7 of the format"]);
    checked("asupersync-trace 1\n", &["has no events: there is nothing to look at"]);
    // Two that are cut look alike, and nothing has gone wrong in them yet.
    for text in [&lines[..3].join("\n"), "asupersync-trace 1\n"] {
        std::fs::write(&cut, text).unwrap();
        let path = cut.to_str().unwrap();
        for arguments in [
            &["trace", "show", path][..],
            &["trace", "show", path, "--out", page.to_str().unwrap()],
            &["trace", "diff", &one, path],
            &["trace", "diff", path, &one],
            &["lab", "diff", path, path],
        ] {
            let called = check(arguments, 2, &[path]);
            assert!(called.out.is_empty(), "{}", called.out);
        }
    }
}

#[test]
fn two_runs_are_compared_by_class() {
    let draw = |program: &str, seed: &str, name: &str| {
        let path = file(name).to_str().unwrap().to_string();
        called(&["lab", "timeline", program, "--seed", seed, "--out", &path]);
        path
    };
    // Nothing that meets: every order is of one class.
    let apart: Vec<String> =
        (0..8).map(|n| draw("Wx=1;Wx=2 || Wy=1;Wy=2", &n.to_string(), &format!("apart{n}.trace"))).collect();
    let orders = apart.iter().map(|path| std::fs::read_to_string(path).unwrap());
    assert!(orders.collect::<std::collections::BTreeSet<_>>().len() > 1, "the seeds draw several orders");
    for other in &apart[1..] {
        check(&["lab", "diff", &apart[0], other], 0, &["both runs are of one class"]);
    }
    let meet: Vec<String> =
        (0..8).map(|n| draw("Wx=1 || Rx", &n.to_string(), &format!("meet{n}.trace"))).collect();
    let mut all = meet[1..].iter().map(|other| called(&["lab", "diff", &meet[0], other]));
    let differs = all.find(|called| called.code == 1).expect("both orders are drawn");
    for words in
        ["the runs are of different classes", "come in another order", "writes x", "reads x", "before task"]
    {
        assert!(differs.out.contains(words), "`{words}` is not in: {}", differs.out);
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    check(&["lab", "explore", "Rx;Zx"], 2, &["failed to parse the program: at byte 3"]);
    check(&["lab", "explore", "Ux"], 2, &["a task unlocks a lock that it does not hold"]);
    check(&["lab", "explore", "Rx", "--want", "y=1"], 2, &["has no cell `y`"]);
    check(&["lab", "explore", "Rx", "--sample", "dfs"], 2, &["there is no schedule `dfs`"]);
    check(&["lab", "explore", "Rx", "--runs", "3"], 2, &["--sample"]);
    check(&["lab", "explore"], 2, &["Usage:"]);
    check(&["lab", "explore", "Rx", "--test", "a"], 2, &["cannot be used with"]);
    check(&["lab", "explore", "Rx", "--twice"], 2, &["--twice is for tests"]);
    check(&["lab", "explore", "Rx", "--time", "eager"], 2, &["--time is for tests"]);
    check(&["lab", "run", "Rx", "--random", "branch:4"], 2, &["--random is for tests"]);
    check(&["lab", "run", "--test", "a", "--time", "late"], 2, &["`late` is neither `eager`"]);
    check(&["lab", "explore", "--test", "a", "--random", "branch:1"], 2, &["nor `branch:BOUND`"]);
    check(&["lab", "explore", "--test", "a", "--limit", "3"], 2, &["--limit is for programs"]);
    check(&["lab", "timeline", "Rx", "--out", "a.gif"], 2, &["its ending is none of"]);
    check(&["lab", "replay", "lab1,mini:Rx,3"], 2, &["its end is missing"]);
    check(&["lab", "replay", "nonsense"], 2, &["the text isn't one"]);
    check(&["lab", "replay", "lab7,mini:Rx,1,-,,00000000"], 2, &["it has version 7"]);
    check(&["trace", "show", "Cargo.toml"], 2, &["the first line isn't"]);
    check(&["trace", "check", "nothing.trace"], 2, &["failed to read nothing.trace"]);
    check(&["lab", "frobnicate"], 2, &["unrecognized subcommand"]);
}

#[test]
fn a_changed_line_is_noticed_and_so_is_one_of_another_program() {
    let line = replay_in(&called(&["lab", "explore", LOST, "--want", "x=2"]).out);
    let changed = line.replace(",RW,", ",Rm,");
    assert_ne!(line, changed);
    check(&["lab", "replay", &changed], 2, &["failed to read the replay"]);
    check(
        &["lab", "timeline", CROSSED, "--replay", &line, "--out", "a.svg"],
        2,
        &["the recording is of `mini:"],
    );
}

/// The book's failing test, by way of cargo: found, replayed, made smaller, drawn.
#[test]
fn a_test_of_a_crate_is_explored_replayed_shrunk_and_drawn() {
    let cargo = ["--", "--offline", "-p", "asupersync", "--test", "book"];
    let with = |arguments: &[&str]| -> Vec<String> {
        [arguments, &cargo[..]].concat().iter().map(|s| s.to_string()).collect()
    };
    let check = |arguments: &[&str], code, said: &[&str]| {
        let arguments = with(arguments);
        check(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), code, said)
    };
    let name = "lost::money_is_neither_made_nor_lost";
    let explored = check(&["lab", "explore", "--test", name], 1, &["smallest schedule", "racing pair"]);
    let line = replay_in(&explored.err);
    check(&["lab", "replay", &line], 1, &["fails as it was recorded: assertion `left == right` failed"]);
    check(&["lab", "shrink", &line, "--runs", "100"], 1, &["departs from production's order once"]);
    let page = file("book.html");
    let _ = std::fs::remove_file(&page);
    let draw = ["lab", "timeline", "--test", name, "--out", page.to_str().unwrap()];
    check(&draw, 1, &["the run is written to"]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("writes value of book.rs:"));
    check(&["lab", "run", "--test", "mended::money_is_neither_made_nor_lost"], 0, &["1 passed"]);
    let passing =
        ["lab", "timeline", "--test", "mended::money_is_neither_made_nor_lost", "--out", "never.svg"];
    check(&passing, 2, &[]);
    check(&["lab", "run", "--test", "nobody::has_this_name"], 2, &[]);
}

/// Tests that pass in a world that is not asked to be eager, nor to try every number.
#[test]
fn the_world_of_a_test_is_said_on_the_command_line_and_by_the_line_that_repeats_a_failure() {
    let check = |arguments: &[&str], code, said: &[&str]| {
        let cargo = ["--", "--offline", "-p", "asupersync", "--test", "bad_input"];
        check(&[arguments, &cargo[..]].concat(), code, said)
    };
    let worlds = [
        ("wrong::takes_longer_than_it_may", ["--time", "eager"], "LAB_TIME=eager LAB_REPLAY="),
        ("wrong::has_bad_luck_with_one_number", ["--random", "branch:8"], "LAB_RANDOM=branch:8 LAB_REPLAY="),
    ];
    for (test, world, line) in worlds {
        let explore = ["lab", "explore", "--test", test];
        check(&explore, 0, &["1 passed"]);
        let failed = check(&[&explore[..], &world].concat(), 1, &["smallest schedule", line]);
        let replay = replay_in(&failed.err);
        let again = [&["lab", "replay", &replay][..], &world].concat();
        check(&again, 1, &["fails as it was recorded: "]);
    }
}

/// What a path may name, and what is said of it.
#[cfg(unix)]
#[test]
fn what_need_not_have_an_end_or_is_too_large_is_refused_and_not_read() {
    let path = |name: &str| file(name).to_str().unwrap().to_string();
    let (pipe, sparse, empty, zeros) = (path("pipe"), path("sparse"), path("empty"), path("zeros"));
    let _ = std::fs::remove_file(&pipe);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::File::create(&sparse).unwrap().set_len(2 << 30).unwrap();
    std::fs::File::create(&zeros).unwrap().set_len(4 << 20).unwrap();
    std::fs::write(&empty, "").unwrap();
    let whole = path("whole.trace");
    called(&["lab", "timeline", LOST, "--out", &whole]);
    let endless = "is no file but a pipe or a device";
    for (path, said) in [
        ("/dev/zero", endless),
        (&pipe, endless),
        ("crates", "crates is a folder"),
        (&sparse, "is larger than the 512 MiB that are read at most"),
        (&empty, ""),
        (&zeros, ""),
    ] {
        for arguments in [
            &["trace", "check", path][..],
            &["trace", "show", path],
            &["trace", "diff", path, &whole],
            &["trace", "diff", &whole, path],
            &["lab", "diff", &whole, path],
            &["lab", "replay", path],
            &["lab", "shrink", path],
            &["lab", "timeline", LOST, "--replay", path, "--out", "never.svg"],
            &["lab", "run", "--table", path, "--row", "a"],
        ] {
            let Called { err, .. } = check(arguments, 2, &[said]);
            assert!(err.len() < 1000, "a line for people: {}", &err[..1000]);
        }
    }
    std::fs::remove_file(&sparse).unwrap()
}

/// Tests that go wrong in ways that are not their program's, by way of cargo: each is told, and none passes.
#[test]
fn tests_that_cannot_be_trusted_are_told_and_never_pass() {
    let check = |arguments: &[&str], code, said: &[&str]| {
        let cargo = ["--", "--offline", "-p", "asupersync", "--test", "bad_input"];
        check(&[arguments, &cargo[..]].concat(), code, said)
    };
    let explore = |name: &str, code, said: &[&str]| check(&["lab", "explore", "--test", name], code, said);
    explore("wrong::is_decided_by_a_static", 1, &["does not repeat itself", "a static, a clock, a thread"]);
    explore("wrong::has_an_oracle_that_panics", 1, &["the oracle `broken` itself panicked at "]);
    explore("wrong::has_more_classes_than_its_budget", 0, &["3 of about ", "it ended early"]);
    explore(
        "wrong::has_more_classes_than_its_limit",
        1,
        &["more schedules than its limit of 3 runs: 3 of about"],
    );
    let twice = ["lab", "run", "--test", "wrong::passes_in_any_order", "--twice"];
    check(&twice, 1, &["does not repeat itself", "the order of a `HashMap`"]);
    check(&["lab", "run", "--test", "wrong::never_ends"], 1, &["stuck after 1000 steps: the limit on steps"]);
    let line = replay_in(&explore("wrong::loses_an_addition", 1, &["racing pair"]).err);
    check(&["lab", "replay", &line], 1, &["fails as it was recorded: assertion"]);
}

#[test]
fn a_replay_file_that_is_damaged_is_refused_whatever_it_is_of() {
    let line = replay_in(&called(&["lab", "explore", LOST, "--want", "x=2"]).out);
    let path = file("damaged.replay");
    for damaged in
        [&line[..line.len() - 1], &line.replace(",4,", ",5,"), &line.replace("lab1", "lab2"), "\u{0}", ""]
    {
        std::fs::write(&path, damaged).unwrap();
        for what in ["replay", "shrink"] {
            check(&["lab", what, path.to_str().unwrap()], 2, &["failed to read"]);
        }
    }
}
