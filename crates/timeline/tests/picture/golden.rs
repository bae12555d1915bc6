//! Each story in each format as a stored file, and the pictures of `docs/pictures`.
//!
//! A change of the drawing changes many of them: look at them, then write them anew with
//! `TIMELINE_GOLDENS=write cargo test -p asupersync-timeline --test pictures golden`.
use crate::stories::{self, Story};
use asupersync_timeline::{TextLimits, Timeline, Window, html, json, mermaid, svg, text};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

fn around(line: &Timeline<'_>, (rows, lanes): (usize, usize)) -> Window {
    Window::around(line, rows, lanes)
}

/// Compares with the stored file, or stores it.
#[allow(clippy::disallowed_methods, reason = "how this test is run is told by its environment")]
fn check(path: &str, made: &str) {
    let path = format!("{HERE}/{path}");
    if std::env::var("TIMELINE_GOLDENS").is_ok_and(|how| how == "write") {
        std::fs::write(&path, made).expect("the folder is there");
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    if stored != made {
        let differs = stored.lines().zip(made.lines()).position(|(a, b)| a != b);
        let at = differs.unwrap_or(stored.lines().count().min(made.lines().count()));
        panic!(
            "{path} differs from line {}:\n  stored: {}\n  made:   {}",
            at + 1,
            stored.lines().nth(at).unwrap_or("(its end)"),
            made.lines().nth(at).unwrap_or("(its end)")
        );
    }
}

fn in_golden(story: &Story) {
    let run = story.run();
    let line = Timeline::of(&run);
    let file = |ending: &str| format!("tests/golden/{}.{ending}", story.name);
    check(&file("txt"), &text(&line, &TextLimits::default()));
    check(&file("svg"), &svg(&line, &around(&line, Window::PICTURE)));
    check(&file("mmd"), &mermaid(&line, &around(&line, Window::DIAGRAM)));
    check(&file("json"), &json(&line, &around(&line, Window::PAGE)));
}

#[test]
fn a_lost_update_shows_the_two_steps_that_race() {
    in_golden(&stories::lost_update());
}

#[test]
fn a_deadlock_shows_who_waits_for_whom() {
    in_golden(&stories::deadlock());
}

#[test]
fn a_stop_shows_whom_it_reached_and_when_they_saw_it() {
    in_golden(&stories::sweep());
}

#[test]
fn a_leak_shows_the_permit_that_nobody_settled() {
    in_golden(&stories::leak());
}

#[test]
fn the_pictures_of_the_documentation_are_those_of_the_stories() {
    let folder = "../../docs/pictures";
    for story in [stories::lost_update(), stories::deadlock(), stories::sweep(), stories::crowd()] {
        let run = story.run();
        let line = Timeline::of(&run);
        check(&format!("{folder}/{}.svg", story.name), &svg(&line, &around(&line, Window::PICTURE)));
    }
    let story = stories::sweep();
    let run = story.run();
    let line = Timeline::of(&run);
    check(&format!("{folder}/{}.html", story.name), &html(&line, &around(&line, Window::PAGE)));
}

#[test]
fn a_report_for_a_terminal_is_short_whatever_the_run() {
    for story in stories::all() {
        let run = story.run();
        let line = Timeline::of(&run);
        for lines in [12, 30, 60] {
            let limits = TextLimits { lines, ..TextLimits::default() };
            let report = text(&line, &limits);
            assert!(report.lines().count() <= lines, "{}: {report}", story.name);
            assert!(report.lines().all(|line| line.chars().count() <= limits.columns), "{report}");
            assert!(report.starts_with("FAILED"), "{report}");
        }
    }
}

#[test]
fn a_folded_tree_still_leads_to_the_task_that_failed() {
    let story = stories::many();
    let run = story.run();
    let report = text(&Timeline::of(&run), &TextLimits::default());
    let tree = report.split("THE LAST EVENTS").next().expect("the report has a tree");
    assert!(tree.contains(" 21.4 "), "{report}");
    assert!(tree.contains("alike)"), "{report}");
}

#[test]
fn the_same_run_gives_the_same_text() {
    for story in stories::all() {
        let run = story.run();
        let (a, b) = (Timeline::of(&run), Timeline::of(&run));
        let window = around(&a, Window::PAGE);
        assert_eq!(html(&a, &window), html(&b, &window));
    }
}
