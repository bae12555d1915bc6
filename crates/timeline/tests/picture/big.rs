//! `timeline.bounded`: 10^5 events make pictures no larger than a small run's, and 10^4 tasks do.
use asupersync_timeline::{
    Failure, Run, StepRow, TextLimits, Timeline, TouchRow, Window, html, json, mermaid, svg, text,
};
use trace::{Access, Event, Label, ObjectId, ObjectKind, RegionKind, Site};
use types::{AfterGrace, ObligationId, ObligationKind, Policy, RegionId, TaskId, Time};

const MB: usize = 1 << 20;

/// `tasks` tasks that reserve, commit, park and are woken in turn until there are `events` events; then one panics.
fn busy(events: u64, tasks: u64) -> Vec<Event> {
    let (root, site) = (RegionId::from_u64(1), Site::new("src/busy.rs", 3));
    let mut all = vec![Event::new(
        0,
        Time::ZERO,
        Label::RegionOpen {
            region: root,
            parent: None,
            within: None,
            kind: RegionKind::Root,
            policy: Policy::FailFast,
            after_grace: AfterGrace::Wait,
            shielded: false,
            site: site.clone(),
        },
    )];
    let task = |n: u64| TaskId::from_u64(100 + n % tasks);
    for n in 0..tasks {
        let label = Label::TaskSpawn { task: task(n), region: root, daemon: false, site: site.clone() };
        all.push(Event::new(all.len() as u64, Time::ZERO, label));
    }
    let mut n = 0;
    while (all.len() as u64) < events - 1 {
        let obligation = ObligationId::from_u64(n);
        let (kind, by, site) = (ObligationKind::SendPermit, Some(task(n)), site.clone());
        let labels = [
            Label::TaskWake { task: task(n), by: Some(task(n + 1)) },
            Label::TaskPoll { task: task(n) },
            Label::ObligationReserve { obligation, region: root, kind, by, site },
            Label::ObligationCommit { obligation },
            Label::TaskPark { task: task(n), what: "a message".into() },
        ];
        for label in labels {
            all.push(Event::new(all.len() as u64, Time::from_nanos(n * 1000), label).by(task(n)));
        }
        n += 1;
    }
    let end =
        Label::TaskEnd { task: task(7), end: trace::End::Panicked, failure: true, consequential: false };
    all.push(Event::new(all.len() as u64, Time::from_nanos(n * 1000), end).by(task(7)));
    all
}

fn sizes(line: &Timeline<'_>) {
    let window = |(rows, lanes): (usize, usize)| Window::around(line, rows, lanes);
    let page = html(line, &window(Window::PAGE));
    assert!(page.len() < 4 * MB, "the page has {} bytes", page.len());
    let picture = svg(line, &window(Window::PICTURE));
    assert!(picture.len() < MB / 4, "the picture has {} bytes", picture.len());
    let model = json(line, &window(Window::PAGE));
    assert!(model.len() < 8 * MB, "the model has {} bytes", model.len());
    let diagram = mermaid(line, &window(Window::DIAGRAM));
    assert!(diagram.len() < MB / 16, "the diagram has {} bytes", diagram.len());
    let report = text(line, &TextLimits::default());
    assert!(report.lines().count() <= 60 && report.contains("panicked"), "{report}");
    for made in [page, picture, model, diagram] {
        assert!(made.contains("panicked"), "the failure is in every picture");
    }
}

#[test]
fn a_hundred_thousand_events_make_pictures_of_a_bounded_size() {
    let events = busy(100_000, 50);
    let run = Run::new(&events).title("busy");
    sizes(&Timeline::of(&run));
}

#[test]
fn ten_thousand_tasks_make_pictures_of_a_bounded_size() {
    let events = busy(100_000, 10_000);
    let run = Run::new(&events).title("crowded");
    sizes(&Timeline::of(&run));
}

#[test]
fn a_hundred_thousand_steps_have_their_arrows() {
    let task = |n: u64| TaskId::from_u64(1 + n % 3);
    let step = |n: u64| StepRow {
        step: n,
        task: Some(task(n)),
        at: 0,
        touches: vec![TouchRow {
            object: ObjectId(9),
            kind: ObjectKind::Queue,
            access: if n.is_multiple_of(2) { Access::Send } else { Access::Receive },
            site: None,
        }],
        enabled: vec![task(n + 1)],
    };
    let steps: Vec<StepRow> = (0..100_000).map(step).collect();
    let failure = Failure { what: "panicked".into(), at: None, tasks: vec![task(1)] };
    let run = Run::new(&[]).steps(&steps).failure(failure);
    let line = Timeline::of(&run);
    let messages = line.arrows.iter().filter(|arrow| arrow.kind == asupersync_timeline::ArrowKind::Message);
    assert_eq!(messages.count(), 50_000);
    sizes(&line);
}

#[test]
fn a_chain_of_ten_thousand_tasks_is_no_recursion() {
    let mut events = busy(2, 1);
    events.truncate(1);
    let site = Site::new("src/chain.rs", 1);
    for n in 0..10_000_u64 {
        let (task, region) = (TaskId::from_u64(10 + 2 * n), RegionId::from_u64(11 + 2 * n));
        let owner = if n == 0 { RegionId::from_u64(1) } else { RegionId::from_u64(9 + 2 * n) };
        let seq = events.len() as u64;
        let spawn = Label::TaskSpawn { task, region: owner, daemon: false, site: site.clone() };
        events.push(Event::new(seq, Time::ZERO, spawn));
        let open = Label::RegionOpen {
            region,
            parent: Some(owner),
            within: Some(task.into()),
            kind: RegionKind::Implicit,
            policy: Policy::FailFast,
            after_grace: AfterGrace::Wait,
            shielded: false,
            site: site.clone(),
        };
        events.push(Event::new(seq + 1, Time::ZERO, open));
    }
    let failure = Failure { what: "panicked".into(), at: None, tasks: vec![TaskId::from_u64(10)] };
    let run = Run::new(&events).failure(failure);
    let line = Timeline::of(&run);
    assert_eq!(line.order.len(), 10_001);
    sizes(&line);
}
