//! Tests in their surroundings: replays, seeds, time limits, what is written of a failure, and how far a search has come.
//!
//! Not here: what a search finds (`explored.rs`), how the attribute is written (the facade's `attributes.rs`).
use asupersync_lab::{
    Artefact, CancelSweep, Footprints, Given, Go, Grain, LabConfig, LabTest, Schedule, Search,
};
use cx::Cx;
use explore::Replay;
use futures::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use sync::mutex::Mutex;
use sync::shared::Shared;
use types::Res;

/// What `f` panics with.
fn failure(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it ought to fail");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
    }
}

fn given(set: impl FnOnce(&mut Given)) -> LabTest {
    let mut given = Given::default();
    set(&mut given);
    LabTest::new("krate::bank::adds", given)
}

/// `tasks` of them each add 1 by a look and a change.
async fn adds(cx: &mut Cx, tasks: u64) {
    let sum = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for _ in 0..tasks {
            let sum = sum.clone();
            scope.spawn(async move |cx| {
                cx.step().await;
                let seen = sum.get();
                cx.step().await;
                sum.set(seen + 1)
            });
        }
    })
    .await;
    assert_eq!(sum.get(), tasks, "an addition was lost");
}

async fn two(cx: &mut Cx) {
    adds(cx, 2).await
}

/// The variables of the line that repeats a failure.
fn settings(report: &str) -> (Option<String>, String, String) {
    let line = report.split("to run exactly this again: ").nth(1).expect("a line that repeats it");
    let (set, command) = line.split_once(" cargo ").expect("a command");
    let value = |name: &str| {
        set.split(' ').find_map(|word| word.strip_prefix(name)).map(|value| value[1..].to_string())
    };
    (value("LAB_SEED"), value("LAB_REPLAY").expect("the replay"), format!("cargo {}", command.trim()))
}

/// A folder for this test's files.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lab_test").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[test]
fn the_line_of_a_failing_search_repeats_it_and_names_the_test_without_its_crate() {
    let report = failure(|| given(|_| ()).search(0..1, Search::every(), two));
    let (seed, replay, command) = settings(&report);
    assert_eq!((seed, command.as_str()), (None, "cargo test bank::adds -- --exact"));
    let again = failure(|| given(|g| g.replay = Some(replay)).search(0..1, Search::every(), two));
    assert!(again.contains("fails as it was recorded: assertion") && !again.contains("smallest"), "{again}");
    for words in
        ["panicked at crates/lab/tests/lab_test.rs:", "racing pair", "departs from production's order once"]
    {
        assert!(report.contains(words) && again.contains(words), "{words}: {report}\n{again}");
    }
}

#[test]
fn a_seed_of_a_sampler_belongs_to_the_line() {
    let search = Search::sample(Schedule::Random, 50);
    let (seed, replay, _) = settings(&failure(|| given(|_| ()).search(7..9, search.clone(), two)));
    assert_eq!(seed.as_deref(), Some("7"));
    let again = given(|g| (g.seed, g.replay) = (seed, Some(replay)));
    assert!(failure(|| again.search(0..1, search, two)).contains("an addition was lost"));
}

#[test]
fn a_replay_is_made_smaller_on_request() {
    // Not shrunk: whatever the sampler came upon.
    let search = Search::sample(Schedule::Random, 50).shrink(0);
    let (_, replay, _) = settings(&failure(|| given(|_| ()).search(3..4, search, two)));
    let (seed, shrink) = (Some("3".to_string()), Some("1000".to_string()));
    let again = given(|g| (g.seed, g.replay, g.shrink) = (seed, Some(replay), shrink));
    let report = failure(|| again.search(0..1, Search::every(), two));
    assert!(report.contains("smallest schedule: departs from production's order once"), "{report}");
}

#[test]
fn a_replay_of_another_test_does_not_keep_this_one_from_running() {
    let report = failure(|| given(|_| ()).search(0..1, Search::every(), two));
    let (_, replay, _) = settings(&report);
    let runs = AtomicU64::new(0);
    let count = async |_: &mut Cx| _ = runs.fetch_add(1, Relaxed);
    let other = || LabTest::new("krate::other", Given { replay: Some(replay.clone()), ..Given::default() });
    other().search(0..1, Search::every(), count);
    other().sweep(0..5, count);
    assert_eq!(runs.load(Relaxed), 6);
}

#[test]
fn what_makes_no_sense_is_refused_with_the_variable_s_name() {
    let every = || Search::every();
    let told = |set: fn(&mut Given)| failure(|| given(set).search(0..1, every(), async |_: &mut Cx| {}));
    assert!(told(|g| g.replay = Some("lab9,a,1,-,,0".into())).starts_with("lab: LAB_REPLAY: failed to read"));
    assert!(told(|g| g.trace_out = Some("run.gif".into())).starts_with("lab: LAB_TRACE_OUT: failed to see"));
    let seconds = told(|g| {
        g.seconds = Some("a minute".into());
        g.clock = Some(Box::new(|| Duration::ZERO));
    });
    assert_eq!(seconds, "lab: LAB_SECONDS is `a minute`, but must be a number");
}

#[test]
fn a_replay_that_no_longer_fails_says_so_and_so_does_one_that_is_not_followed() {
    let (_, replay, _) = settings(&failure(|| given(|_| ()).search(0..1, Search::every(), two)));
    let mended = async |cx: &mut Cx| {
        let sum = Arc::new(Shared::new(0));
        cx.region(|scope| async {
            for _ in 0..2 {
                let sum = sum.clone();
                scope.spawn(async move |cx| {
                    cx.step().await;
                    sum.write(|n| *n += 1);
                    cx.step().await;
                });
            }
        })
        .await;
        assert_eq!(sum.get(), 2);
    };
    let told = failure(|| given(|g| g.replay = Some(replay.clone())).search(0..1, Search::every(), mended));
    assert!(told.contains("follows the replay, ends at decision 8 of 9 and does not fail"), "{told}");
    let short = async |cx: &mut Cx| cx.step().await;
    let told = failure(|| given(|g| g.replay = Some(replay)).search(0..1, Search::every(), short));
    assert!(told.contains("no longer follows the replay: decision"), "{told}");
}

#[test]
fn a_sweep_s_decisions_are_a_replay_too() {
    let leaks = async |cx: &mut Cx| -> Res {
        let lock = Arc::new([Mutex::new(()), Mutex::new(())]);
        for mine in 0..2 {
            let lock = lock.clone();
            cx.spawn(async move |cx| -> Res {
                let _one = lock[mine].lock(cx).await?;
                let _other = lock[1 - mine].lock(cx).await?;
                Ok(())
            });
        }
        Ok(())
    };
    let folder = folder("sweep");
    let out = || Some(folder.to_string_lossy().into_owned());
    let told = failure(|| given(|g| g.trace_out = out()).sweep(0..32, leaks));
    assert!(told.contains("deadlock"), "{told}");
    let replay = std::fs::read_to_string(folder.join("krate.bank.adds.replay")).unwrap();
    let report = std::fs::read_to_string(folder.join("krate.bank.adds.txt")).unwrap();
    assert!(report.contains("waits for the mutex, held by"), "{report}");
    let seed = report.split("LAB_SEED=").nth(1).unwrap().split(' ').next().unwrap().to_string();
    let again = failure(|| given(|g| (g.replay, g.seed) = (Some(replay), Some(seed))).sweep(0..1, leaks));
    assert!(again.contains("deadlock"), "{again}");
}

/// Two additions, one of which may be lost, beside a task that has nothing to do with them.
async fn two_and_another(cx: &mut Cx) {
    let mut other = cx.spawn(async |cx| {
        for _ in 0..5 {
            cx.step().await
        }
    });
    adds(cx, 2).await;
    let _ = other.join(cx).await;
}

#[test]
fn a_failing_sweep_reports_the_smallest_schedule_with_its_racing_pair_and_one_line() {
    let report = failure(|| given(|_| ()).sweep(0..100, two_and_another));
    assert!(report.starts_with("`krate::bank::adds` fails with seed "), "{report}");
    let said = [
        "an addition was lost",
        "panicked at crates/lab/tests/lab_test.rs:",
        "smallest schedule: departs from production's order once (1 delay)",
        "reads the value created at crates/lab/tests/lab_test.rs:",
        "came before\n  the task spawned at crates/lab/tests/lab_test.rs:",
    ];
    said.iter().for_each(|words| assert!(report.contains(words), "{words}: {report}"));
    assert_eq!(report.matches("LAB_REPLAY=").count(), 1, "{report}");
    assert_eq!(report.lines().last().map(|line| line.contains("LAB_REPLAY=")), Some(true), "{report}");
    // The line alone repeats it, in the order that was reported.
    let (seed, replay, command) = settings(&report);
    assert_eq!(command, "cargo test bank::adds -- --exact");
    let again = failure(|| given(|g| (g.seed, g.replay) = (seed, Some(replay))).sweep(0..1, two_and_another));
    assert!(again.starts_with("`krate::bank::adds` fails as it was recorded: assertion"), "{again}");
    assert!(
        again.contains("\nschedule: departs from production's order once") && again.contains("racing pair")
    );
}

#[test]
fn a_replay_in_a_sweep_is_made_smaller_on_request_and_not_otherwise() {
    // Whatever a sampler came upon, in steps as a sweep takes them.
    let search = Search::sample(Schedule::Random, 200).shrink(0).grain(Grain::Poll);
    let (_, line, _) = settings(&failure(|| given(|_| ()).search(3..4, search, two_and_another)));
    let departures = |line: &str| Replay::read(line).unwrap().decisions.deviations().len();
    assert!(departures(&line) > 2, "{line}");
    let again = |runs: Option<&str>| {
        let (seed, line, runs) = (Some("3".to_string()), Some(line.clone()), runs.map(str::to_string));
        let test = given(|g| (g.seed, g.replay, g.shrink) = (seed, line, runs));
        failure(|| test.sweep(0..1, two_and_another))
    };
    let (as_it_is, smaller) = (again(None), again(Some("1000")));
    assert_eq!(settings(&as_it_is).1, line);
    assert!(smaller.contains("smallest schedule: departs from production's order once"), "{smaller}");
    assert_eq!(departures(&settings(&smaller).1), 1, "{smaller}");
}

#[test]
fn a_failure_that_a_search_would_not_see_is_reported_as_it_was_found() {
    // Nobody is woken, a timeout hides it, and only a lab on its own polls those who wait before it moves the clock.
    let hidden = async |cx: &mut Cx| {
        let up = Arc::new(AtomicU64::new(0));
        let raises = up.clone();
        cx.spawn(async move |cx: &mut Cx| {
            cx.yield_now().await;
            raises.store(1, Relaxed)
        });
        let flag = std::future::poll_fn(|_| match up.load(Relaxed) {
            0 => std::task::Poll::Pending,
            _ => std::task::Poll::Ready(()),
        });
        futures::select_biased! {
            () = flag.fuse() => {}
            _ = time::TimeExt::sleep(cx, Duration::from_secs(1)).fuse() => {}
        }
    };
    let report = failure(|| given(|_| ()).sweep(0..32, hidden));
    assert!(
        report.contains(": lost wake-up: ") && report.contains("the schedule is as it was found"),
        "{report}"
    );
    let (seed, replay, _) = settings(&report);
    let again = failure(|| given(|g| (g.seed, g.replay) = (seed, Some(replay))).sweep(0..1, hidden));
    assert!(again.contains("fails as it was recorded: lost wake-up"), "{again}");
}

/// One balance goes down, and after an await another one up.
async fn moves(cx: &mut Cx) {
    let both = Arc::new((Shared::new(10), Shared::new(0)));
    let its = both.clone();
    let mut task = cx.spawn(async move |cx: &mut Cx| -> Res {
        cx.yield_now().await;
        cx.checkpoint()?;
        its.0.write(|n| *n -= 3);
        cx.yield_now().await;
        cx.checkpoint()?;
        its.1.write(|n| *n += 3);
        Ok(())
    });
    let _ = task.join(cx).await;
    assert!(!task.is_finished() || both.0.get() + both.1.get() == 10, "money is lost");
}

#[test]
fn a_sweep_of_cancellations_is_repeated_by_its_line_and_written() {
    let sweep = || CancelSweep::new(LabConfig::default());
    let folder = folder("cancelled");
    let out = folder.join("run.txt").to_string_lossy().into_owned();
    let report = failure(|| given(|g| g.trace_out = Some(out)).cancel_sweep(4..5, sweep(), moves));
    assert!(
        report.contains("fails when this is cancelled: task#") && report.contains("money is lost"),
        "{report}"
    );
    let text = std::fs::read_to_string(folder.join("run.txt")).unwrap();
    assert!(text.contains("is asked to stop"), "{text}");
    let line = report.split("to run exactly this again: ").nth(1).unwrap();
    let (set, command) = line.split_once(" cargo ").unwrap();
    assert_eq!(command, "test bank::adds -- --exact");
    let steps = set.strip_prefix("LAB_SEED=4 LAB_CANCEL=").unwrap().to_string();
    let repeat = |steps: &str| {
        let steps = Some(steps.to_string());
        failure(|| {
            given(|g| (g.seed, g.cancel) = (Some("4".into()), steps)).cancel_sweep(0..1, sweep(), moves)
        })
    };
    assert_eq!(repeat(&steps).split("\nto run").next(), report.split("\nthe run is").next());
    assert!(repeat("0").contains("does not fail when it is cancelled before step 0 (seed 4)"));
    assert!(repeat("x").contains("the steps to cancel before are `x`, but must be numbers"));
}

#[test]
fn a_failing_search_is_written_with_its_race_and_what_waits() {
    let folder = folder("search");
    let search = || Search::every().write_failure(Artefact::at(&folder).unwrap());
    let report = failure(|| _ = search().run("lost", None, two));
    assert!(report.contains("the run is written to"), "{report}");
    for ending in ["trace", "replay", "txt", "html", "svg", "mmd", "json"] {
        let text = std::fs::read_to_string(folder.join(format!("lost.{ending}"))).unwrap();
        assert!(!text.is_empty(), "{ending}");
    }
    let json = std::fs::read_to_string(folder.join("lost.json")).unwrap();
    assert!(json.contains("\"race\":[") && json.contains("writes value of lab_test.rs:"), "{json}");
    let events = std::fs::read_to_string(folder.join("lost.trace")).unwrap();
    assert!(trace::parse_lines(&events).unwrap().len() > 10);

    let crossed = async |cx: &mut Cx| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        for mine in 0..2 {
            let locks = locks.clone();
            cx.spawn(async move |cx| -> Res {
                let _one = locks[mine].lock(cx).await?;
                let _other = locks[1 - mine].lock(cx).await?;
                Ok(())
            });
        }
    };
    failure(|| _ = search().run("crossed", None, crossed));
    let text = std::fs::read_to_string(folder.join("crossed.txt")).unwrap();
    assert!(text.contains("waits for the lock of lab_test.rs:") && text.contains("held by 2"), "{text}");
}

#[test]
fn steps_stand_in_the_trace_where_they_happened() {
    let folder = folder("steps");
    let search = Search::every().write_failure(Artefact::at(folder.join("run.json")).unwrap());
    failure(|| _ = search.run("lost", None, two));
    let json = std::fs::read_to_string(folder.join("run.json")).unwrap();
    // The last row of a value that is written is before the row at which its writer ends.
    let row = |text: &str| json.rfind(text).unwrap_or_else(|| panic!("no `{text}` in {json}"));
    assert!(row("writes value of") < row("\"did\":\"end"), "{json}");
}

#[test]
fn a_written_trace_holds_its_steps_and_says_which_operations_another_run_does_in_another_order() {
    let folder = folder("classes");
    let written = |search: Search, name: &str| {
        let path = folder.join(name);
        failure(|| _ = search.write_failure(Artefact::at(&path).unwrap()).run("lost", None, two));
        let text = std::fs::read_to_string(path).unwrap();
        Footprints::read(&text).expect("its own lines").expect("a search looks at steps")
    };
    let one = written(Search::every(), "one.trace");
    let again = written(Search::every(), "again.trace");
    assert_eq!((one.class() == again.class(), one.swapped(&again)), (true, None));
    let others = (0..32).map(|seed| {
        let search = Search::sample(Schedule::Random, 1000).seed(seed).shrink(0);
        written(search, "other.trace")
    });
    let (mut same, mut swaps) = (0, 0);
    for other in others {
        match one.swapped(&other) {
            None => same += usize::from(one.class() == other.class()),
            Some(swap) => {
                assert_ne!(one.class(), other.class());
                assert!(swap.earlier.0 != swap.later.0 && swap.later.1.contains("lab_test.rs:"), "{swap:?}");
                swaps += 1
            }
        }
    }
    assert!(same + swaps == 32 && swaps > 0, "{same} of the same class, {swaps} with a swap");
}

#[test]
fn a_search_without_traces_makes_none_and_its_failure_repeats_all_the_same() {
    let crossed = async |cx: &mut Cx| {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        cx.region(|scope| async {
            for turned in [false, true] {
                let locks = locks.clone();
                scope.spawn(async move |cx: &mut Cx| -> Res {
                    let (one, other) = if turned { (&locks.1, &locks.0) } else { (&locks.0, &locks.1) };
                    let _one = one.lock(cx).await?;
                    let _other = other.lock(cx).await?;
                    Ok(())
                });
            }
        })
        .await;
    };
    // Queues are in the picture, so that a trace would show the circle: the report says more than the run did.
    let untraced = || Search::every().grain(Grain::Poll).config(LabConfig::default().traced(false));
    untraced().run_labs("quiet", None, |lab| {
        lab.run(async |cx: &mut Cx| cx.trace("a note"));
        assert!(lab.events().is_empty(), "nothing was to be traced");
    });
    let told = failure(|| _ = untraced().run("crossed", None, crossed));
    assert!(told.contains("deadlock: "), "{told}");
    let line = told.split("to run exactly this again: ").nth(1).unwrap_or_else(|| panic!("no line: {told}"));
    let replay = &line[line.find("lab1,").expect("a replay")..];
    let replay = replay.split_whitespace().next().expect("a replay");
    let again = failure(|| _ = untraced().run("crossed", Some(replay), crossed));
    assert!(again.contains("fails as it was recorded: deadlock: "), "{again}");
    assert!(again.contains("to run exactly this again: "), "{again}");
}

#[test]
fn a_test_s_configuration_is_that_of_its_searches_too() {
    let bounded = LabConfig::default().max_steps(50);
    let told = failure(|| {
        let test = LabTest::new("bounded", Given::default()).config(bounded.clone());
        test.search(0..1, Search::sample(Schedule::Random, 1), async |cx: &mut Cx| {
            loop {
                cx.yield_now().await
            }
        })
    });
    assert!(told.contains("stuck after 50 steps"), "{told}");
}

#[test]
fn the_line_of_a_search_that_reads_no_environment_says_what_has_to_read_it() {
    let told = failure(|| _ = Search::every().run("lost", None, two));
    assert!(told.ends_with("(if the test hands LAB_REPLAY on: by the attribute, by `LabTest`, or as the second argument of `Search::run`)"), "{told}");
    let told = failure(|| LabTest::new("lost", Given::default()).search(0..1, Search::every(), two));
    assert!(told.ends_with(" cargo test lost -- --exact"), "{told}");
}

#[test]
fn a_watched_search_tells_how_far_it_is_and_ends_when_it_is_told_to() {
    let told = Arc::new(AtomicU64::new(0));
    let counts = told.clone();
    let search = Search::every().progress(move |progress| {
        counts.store(progress.runs, Relaxed);
        let likely = progress.likely().expect("every class is counted");
        assert!(likely.done == progress.runs && progress.unseen().is_none());
        assert!(progress.to_string().contains("classes of about"), "{progress}");
        if progress.runs == 20 { Go::Stop } else { Go::On }
    });
    let quiet = async |cx: &mut Cx| {
        let sum = Arc::new(Shared::new(0));
        for _ in 0..5 {
            let sum = sum.clone();
            cx.spawn(async move |cx| {
                cx.step().await;
                sum.write(|n| *n += 1)
            });
        }
    };
    let found = search.run("counts", None, quiet);
    assert_eq!((found.runs, found.complete, told.load(Relaxed)), (20, false, 20));
    assert!(found.to_string().starts_with("20 of about "), "{found}");
    let (least, most) = found.likely.expect("it was cut short").range();
    assert!(least <= 120.0 && 120.0 <= most, "there are 5! classes, and it says {least} to {most}");
}

#[test]
fn a_limit_that_is_just_enough_is_not_called_one() {
    let two = async |cx: &mut Cx| {
        let sum = Arc::new(Shared::new(0));
        for _ in 0..2 {
            let sum = sum.clone();
            cx.spawn(async move |cx| {
                cx.step().await;
                sum.write(|n| *n += 1)
            });
        }
    };
    assert!(Search::every().limit(2).run("two", None, two).complete);
    assert!(!Search::every().budget(1).run("two", None, two).complete);
    // Whoever asked for all and is given a part has not passed.
    for search in [Search::every(), Search::within_delays(1)] {
        let cut = catch_unwind(AssertUnwindSafe(|| search.limit(1).run("two", None, two)));
        let text = *cut.expect_err("the limit was hit").downcast::<String>().expect("a message");
        for words in
            ["`two` has more schedules than its limit of 1 run: ", "it ended early", "say `budget = 1`"]
        {
            assert!(text.contains(words), "`{words}` is not in: {text}");
        }
    }
    // Of a sampler it only is how many it draws.
    assert_eq!(Search::sample(Schedule::Random, 9).limit(5).run("two", None, two).runs, 5);
}

#[test]
fn who_knows_of_others_does_not_say_that_there_are_as_many_as_it_has_seen() {
    let found = Search::every().budget(1).run("two", None, async |cx: &mut Cx| {
        let sum = Arc::new(Shared::new(0));
        for _ in 0..2 {
            let sum = sum.clone();
            cx.spawn(async move |_| sum.write(|n| *n += 1));
        }
    });
    assert!(!found.complete);
    assert!(!found.to_string().contains("1 of about 1 "), "{found}");
}

#[test]
fn the_time_limit_ends_a_search_and_a_sweep() {
    let runs = AtomicU64::new(0);
    let count = async |_: &mut Cx| _ = runs.fetch_add(1, Relaxed);
    let limited = || {
        let mut now = 0;
        let clock = move || {
            now += 1;
            Duration::from_secs(now)
        };
        given(|g| {
            g.seconds = Some("3".into());
            g.clock = Some(Box::new(clock))
        })
    };
    limited().sweep(0..100, count);
    assert_eq!(runs.swap(0, Relaxed), 3);
    limited().search(0..1, Search::sample(Schedule::Random, 100), count);
    assert_eq!(runs.swap(0, Relaxed), 3);
}

#[test]
fn a_program_that_does_not_repeat_itself_is_a_failure_and_not_a_complete_search() {
    let runs = AtomicU64::new(0);
    let fickle = async |cx: &mut Cx| {
        let odd = runs.fetch_add(1, Relaxed) % 2 == 1;
        let value = Arc::new((Shared::new(0), Shared::new(0)));
        for _ in 0..3 {
            let value = value.clone();
            cx.spawn(async move |cx| {
                cx.step().await;
                if odd {
                    value.0.set(1)
                } else {
                    value.1.set(1)
                }
                cx.step().await;
                value.0.set(2);
            });
        }
    };
    let told = failure(|| _ = Search::every().run("fickle", None, fickle));
    assert!(told.starts_with("lab: `fickle` does not repeat itself"), "{told}");
    assert!(told.contains("two runs with the same decisions part in step "), "{told}");
}

#[test]
#[allow(clippy::disallowed_types, reason = "a random seed is what is to be found")]
fn a_failure_that_a_random_seed_decides_is_told_with_where_the_runs_part_and_without_a_line_that_repeats_it()
{
    use std::hash::{BuildHasher, RandomState};
    let fickle = async |cx: &mut Cx| {
        cx.step().await;
        let drawn = RandomState::new().hash_one(1);
        cx.trace(format!("drew {drawn}"));
        assert_ne!(drawn % 100, 7, "it drew what it cannot bear");
    };
    let searched = failure(|| _ = Search::sample(Schedule::Random, 1_000_000).run("fickle", None, fickle));
    let swept = failure(|| asupersync_lab::sweep("fickle", 0..1_000_000, fickle));
    for told in [searched, swept] {
        for words in [
            "it drew what it cannot bear",
            "this did not repeat: with the same decisions it does not fail; something decides that the lab does not see",
            "two runs with the same decisions part in step ",
            "notes `drew ",
            "its schedule, which alone does not make it fail: ",
        ] {
            assert!(told.contains(words), "`{words}` is not in: {told}");
        }
        assert!(!told.contains("to run exactly this again"), "{told}");
    }
}

#[test]
fn a_search_that_runs_everything_twice_finds_what_no_run_fails_of() {
    let runs = AtomicU64::new(0);
    let counts = async |cx: &mut Cx| cx.trace(format!("run {}", runs.fetch_add(1, Relaxed)));
    assert!(Search::every().run("counts", None, counts).complete);
    let told = failure(|| _ = Search::every().twice().run("counts", None, counts));
    assert!(told.starts_with("lab: `counts` does not repeat itself, in run 1: two runs"), "{told}");
    assert!(told.contains("a counter in a static"), "{told}");
}
