//! `timeline.harmless`: hostile names, notes and paths come out as text in every format.
use crate::reader::read;
use crate::stories;
use asupersync_timeline::{Failure, Run, TextLimits, Timeline, Window, html, json, mermaid, svg, text};
use trace::{Event, Label, RegionKind, Site};
use types::{AfterGrace, Policy, RegionId, TaskId, Time};

const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"'><svg onload=alert(1)>",
    "]]></style><b>",
    "\x1b[2J\x1b]0;owned\x07",
    "\u{202e}txet desrever\u{2066}",
    "a\u{0}b\u{8}c\u{7f}d\u{9b}31m",
    "end; participant x\n    t0->>t0: forged %%{init: {}}%%",
    "line\u{2028}separator\u{2029}s \r\n and \t tabs",
    "\u{fffe}\u{ffff}\\u003c\\\"",
];

/// A run in which everything that can be named is named `text`.
fn events(text: &str) -> Vec<Event> {
    let site = || Site::new(text, 7);
    let root = Label::RegionOpen {
        region: RegionId::from_u64(1),
        parent: None,
        within: None,
        kind: RegionKind::Root,
        policy: Policy::FailFast,
        after_grace: AfterGrace::Wait,
        shielded: false,
        site: site(),
    };
    let spawn = Label::TaskSpawn {
        task: TaskId::from_u64(2),
        region: RegionId::from_u64(1),
        daemon: false,
        site: site(),
    };
    let holder = Some(TaskId::from_u64(1));
    let wait = Label::WaitFor { task: TaskId::from_u64(2), holder, what: text.to_string().into() };
    let labels = [
        root,
        spawn,
        Label::User { text: text.to_string().into() },
        wait,
        Label::ForeignCall { what: text.to_string().into() },
    ];
    labels.into_iter().zip(0..).map(|(label, seq)| Event::new(seq, Time::ZERO, label)).collect()
}

fn hostile_run<'a>(events: &'a [Event], text: &str) -> Run<'a> {
    let failure = Failure { what: format!("{text}\n{text} task#2 region#1"), at: Some(4), tasks: Vec::new() };
    let mut run = Run::new(events).title(text).repeat(text).failure(failure);
    run.task_names = [1, 2].map(|id| (TaskId::from_u64(id), text.to_string())).into();
    run.region_names = [(RegionId::from_u64(1), text.to_string())].into();
    run
}

/// Each hostile text, and each as the beginning of a very long one.
fn each(check: impl Fn(&str, &Timeline<'_>, &Window)) {
    let long = HOSTILE.iter().map(|text| text.repeat(2_000));
    for text in HOSTILE.iter().map(ToString::to_string).chain(long) {
        let events = events(&text);
        let run = hostile_run(&events, &text);
        let line = Timeline::of(&run);
        let window = Window::around(&line, 100, 10);
        check(&text[..text.floor_char_boundary(40)], &line, &window);
    }
}

fn no_controls(text: &str, made: &str) {
    let bad = made.chars().find(|&c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    });
    assert_eq!(bad, None, "{text:?} got through");
    assert!(made.len() < 400_000, "{text:?} makes {} bytes", made.len());
}

/// The names of all elements of a piece of markup, and whether its tags are closed in order.
fn elements(markup: &str) -> Vec<String> {
    let (mut names, mut open, mut rest) = (Vec::new(), Vec::new(), markup);
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = tag.find('>').expect("every tag ends");
        let inner = &tag[..end];
        let name: String =
            inner.trim_start_matches('/').chars().take_while(|c| c.is_alphanumeric()).collect();
        match inner {
            _ if inner.starts_with('/') => assert_eq!(open.pop(), Some(name.clone()), "closed out of order"),
            _ if inner.ends_with('/') => names.push(name),
            _ => {
                open.push(name.clone());
                names.push(name);
            }
        }
        let quotes = inner.matches('"').count();
        assert!(quotes % 2 == 0 && !inner.contains('<'), "a tag is torn: {inner}");
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty(), "left open: {open:?}");
    names
}

#[test]
fn a_picture_has_no_element_that_the_program_made() {
    const OURS: &[&str] =
        &["svg", "title", "desc", "style", "rect", "g", "text", "line", "circle", "polygon", "path"];
    each(|text, line, window| {
        let made = svg(line, window);
        no_controls(text, &made);
        for name in elements(&made) {
            assert!(OURS.contains(&name.as_str()), "{text:?} made a `{name}`");
        }
    });
}

#[test]
fn a_page_has_two_scripts_and_no_handler_in_markup() {
    each(|text, line, window| {
        let made = html(line, window);
        no_controls(text, &made);
        assert_eq!(made.matches("<script").count(), 2, "{text:?}");
        assert_eq!(made.matches("</script").count(), 2, "{text:?}");
        assert_eq!(made.matches("<img").count() + made.matches("<b>").count(), 0, "{text:?}");
        assert!(made.contains("Content-Security-Policy") && !made.contains("http-equiv=\"refresh"));
        let (before, data) = made.split_once("id=\"data\">").expect("the page has its data");
        let data = data.split_once("</script>").expect("which ends").0;
        read(data).expect("which can be read");
        // Outside of the scripts and the style, everything is well-formed markup.
        let body = &before[before.find("<header>").expect("there is a header")..];
        let main = body.rfind("<script").expect("the data's script");
        for name in elements(
            &body[..main]
                .replace("<input ", "<input/ ")
                .replace("checked>", "checked/>")
                .replace("aria-label=\"find a task\">", "/>"),
        ) {
            assert_ne!(name, "img", "{text:?}");
        }
    });
}

#[test]
fn a_report_for_a_terminal_has_no_escapes_and_no_extra_lines() {
    each(|text, line, _| {
        let made = asupersync_timeline::text(line, &TextLimits::default());
        no_controls(text, &made);
        assert!(made.lines().count() <= 60);
    });
}

#[test]
fn json_reads_back_whatever_the_names() {
    each(|text, line, window| {
        let made = json(line, window);
        no_controls(text, &made);
        read(&made).unwrap_or_else(|why| panic!("{text:?}: {why}"));
    });
}

#[test]
fn a_diagram_has_one_statement_for_each_row_and_no_forged_one() {
    each(|text, line, window| {
        let made = mermaid(line, window);
        no_controls(text, &made);
        // Title, two participants, five rows, the failure.
        assert_eq!(made.lines().count(), 1 + 1 + 2 + 5 + 1, "{text:?}: {made}");
        assert!(!made.contains("%%"), "{text:?}: {made}");
        for statement in made.lines().skip(1) {
            let rest = statement.replace("<br/>", "");
            let arrows = rest.matches("->>").count() + rest.matches("--x").count();
            assert!(arrows <= 1 && !rest.contains('<') && !rest.contains('"'), "{statement}");
            // Every `;` closes an escape.
            let escapes = rest.split('#').skip(1).filter(|after| {
                after.split_once(';').is_some_and(|(digits, _)| digits.chars().all(|c| c.is_ascii_digit()))
            });
            assert_eq!(escapes.count(), rest.matches(';').count(), "{statement}");
        }
    });
}

#[test]
fn notes_are_shown_and_not_dropped() {
    let story = stories::sweep();
    let run = story.run();
    let line = Timeline::of(&run);
    let window = Window::around(&line, 100, 10);
    assert!(svg(&line, &window).contains("“the work is late”"));
    assert!(
        text(&line, &TextLimits { last: 50, lines: 500, ..TextLimits::default() })
            .contains("“the work is late”")
    );
}
