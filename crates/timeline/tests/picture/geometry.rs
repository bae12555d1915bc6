//! `scene.inside` and `scene.apart`: nothing lies outside of the drawing, and no two texts overlap.
use crate::stories;
use asupersync_timeline::{Mark, Place, Shape, Timeline, Window, scene};

/// The texts of one part, but for the turned ones.
fn upright(marks: &[Mark]) -> Vec<(Place, &str)> {
    marks
        .iter()
        .filter_map(|mark| match &mark.shape {
            Shape::Text { text, turned: false, .. } if !text.is_empty() => {
                Some((mark.shape.bounds(), text.as_str()))
            }
            _ => None,
        })
        .collect()
}

fn overlap(a: Place, b: Place) -> bool {
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

#[track_caller]
fn check(name: &str, line: &Timeline<'_>, window: &Window) {
    let scene = scene(line, window);
    let parts = [
        ("title", &scene.title, scene.title_height),
        ("head", &scene.head, scene.head_height),
        ("body", &scene.body, scene.body_height),
    ];
    for (part, marks, height) in parts {
        for mark in marks {
            let place = match &mark.shape {
                // Turned by 45 degrees it reaches as far up as to the right.
                Shape::Text { at, turned: true, .. } => {
                    let reach = mark.shape.bounds().w * std::f64::consts::FRAC_1_SQRT_2;
                    Place { x: at.0, y: at.1 - reach, w: reach, h: reach }
                }
                shape => shape.bounds(),
            };
            let inside = place.x >= 0.0
                && place.y >= 0.0
                && place.x + place.w <= scene.width
                && place.y + place.h <= height;
            assert!(inside, "{name}, {part}: {mark:?} lies outside of {} x {height}", scene.width);
            assert!(place.w.is_finite() && place.h.is_finite(), "{name}, {part}: {mark:?}");
        }
        let mut texts = upright(marks);
        texts.sort_by(|a, b| a.0.y.total_cmp(&b.0.y));
        for (i, (a, text)) in texts.iter().enumerate() {
            for (b, other) in texts[i + 1..].iter().take_while(|(b, _)| b.y < a.y + a.h) {
                assert!(!overlap(*a, *b), "{name}, {part}: `{text}` and `{other}` overlap: {a:?}, {b:?}");
            }
        }
    }
    turned(name, &scene.head);
}

/// Turned texts run beside each other if their beginnings are far enough apart.
fn turned(name: &str, head: &[Mark]) {
    let mut begins: Vec<f64> = head
        .iter()
        .filter_map(|mark| match &mark.shape {
            Shape::Text { at, turned: true, .. } => Some(at.0),
            _ => None,
        })
        .collect();
    begins.sort_by(f64::total_cmp);
    for pair in begins.windows(2) {
        let apart = (pair[1] - pair[0]) * std::f64::consts::FRAC_1_SQRT_2;
        assert!(apart >= 12.0, "{name}: lanes' names are {apart} apart");
    }
}

#[test]
fn texts_do_not_overlap_and_nothing_lies_outside() {
    for story in stories::all() {
        let run = story.run();
        let line = Timeline::of(&run);
        for lanes in [1, 2, 4, 5, 8, 9, 12, 16, 24, 31, 60, 200] {
            for rows in [1, 7, 50, 1500] {
                check(
                    &format!("{} at {lanes} x {rows}", story.name),
                    &line,
                    &Window::around(&line, rows, lanes),
                );
            }
        }
    }
}

#[test]
fn long_names_are_cut_to_their_lane() {
    for story in stories::all() {
        let mut run = story.run();
        let line = Timeline::of(&run);
        let names =
            line.tasks.iter().map(|task| (task.id, format!("connection number {} 日本語", "9".repeat(200))));
        let regions = line.regions.iter().map(|region| (region.id, "a name without end ".repeat(20)));
        let (names, regions) = (names.collect(), regions.collect());
        (run.task_names, run.region_names) = (names, regions);
        run.title = "t".repeat(500);
        run.repeat = "r ".repeat(500);
        let line = Timeline::of(&run);
        for lanes in [1, 4, 8, 12, 24, 60] {
            check(&format!("{} with long names", story.name), &line, &Window::around(&line, 300, lanes));
        }
    }
}

#[test]
fn an_empty_run_can_be_drawn() {
    let run = asupersync_timeline::Run::new(&[]);
    let line = Timeline::of(&run);
    check("nothing", &line, &Window::around(&line, 10, 10));
}

#[test]
fn the_window_holds_the_failure_and_the_tasks_it_is_about() {
    for story in stories::all() {
        let run = story.run();
        let line = Timeline::of(&run);
        for (rows, lanes) in [(3, 3), (20, 4), Window::PICTURE, Window::PAGE] {
            let window = Window::around(&line, rows, lanes);
            assert!(window.rows.len() <= rows && window.lanes.len() <= lanes);
            let focus = line.focus().expect("there are rows");
            assert!(window.rows.contains(&focus), "{}: {focus} is not in {:?}", story.name, window.rows);
            let left_out: usize = window.left_out.iter().sum();
            assert_eq!(left_out + window.rows.len(), line.rows.len());
            for suspect in line.suspects().into_iter().take(lanes) {
                assert!(window.lanes.contains(&suspect), "{}: no lane for {suspect}", story.name);
            }
        }
    }
}
