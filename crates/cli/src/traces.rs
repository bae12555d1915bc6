//! Trace files: shown or drawn, compared, checked.
//!
//! Not here: the format (`trace`), the rules (`model`), the questions (`oracle`).
use crate::args::{Check, Pair, Show};
use crate::files::read;
use crate::{Done, Seen};
use lab::{Artefact, Footprints, Swapped};
use std::collections::BTreeMap;
use std::path::Path;
use timeline::{Run, TextLimits, Timeline, text};
use trace::{Event, Label};
use types::TaskId;

/// The events of a file that is whole.
fn events(path: &Path) -> Result<Vec<Event>, String> {
    let text = read(path)?;
    let events = trace::parse_lines(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    if events.is_empty() {
        return Err(format!("{} has no events: there is nothing to look at", path.display()));
    }
    // A trace that says its end was counted when it was read; one that breaks a rule says more than that it was cut.
    match model::replay(&events) {
        // What is missing could be anything.
        Ok(summary) if !summary.closed && trace::said_end(&text).is_none() => Err(format!(
            "{} ends before its root is closed, and its last line does not say that this is its end: it was cut after {} \
             events, none of which breaks a rule",
            path.display(),
            summary.events
        )),
        _ => Ok(events),
    }
}

/// Writes a run where it was asked for.
pub(crate) fn write(path: &Path, name: &str, run: &Run<'_>, replay: &str) -> Result<(), String> {
    let artefact = Artefact::at(path).map_err(|why| why.to_string())?;
    let written = artefact.write(name, run, replay);
    let first = written.map_err(|why| format!("failed to write {}: {why}", path.display()))?;
    println!("written to {}", first.display());
    Ok(())
}

/// `trace show`.
pub(crate) fn show(show: &Show) -> Done {
    let events = events(&show.trace)?;
    let title = show.trace.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let run = Run::new(&events).title(title.clone());
    match &show.out {
        Some(path) if path.extension().is_some_and(|e| e == "replay") => {
            return Err("a trace holds no schedule to replay: a failing test writes its own .replay".into());
        }
        Some(path) => write(path, &title, &run, "")?,
        None => print!("{}", text(&Timeline::of(&run), &TextLimits::default())),
    }
    Ok(if oracle::judge(&events).is_ok() { Seen::Nothing } else { Seen::Something })
}

/// `trace check`.
pub(crate) fn check(check: &Check) -> Done {
    let events = events(&check.trace)?;
    let mut seen = Seen::Nothing;
    match model::replay(&events) {
        Ok(summary) => println!(
            "the model agrees: {} events, {} regions, {} tasks, {} permits, {} leaked, the root {}",
            summary.events,
            summary.regions,
            summary.tasks,
            summary.obligations,
            summary.leaked,
            if summary.closed { "is closed" } else { "is still open" },
        ),
        Err(why) => {
            println!("the model disagrees: {why}");
            seen = Seen::Something
        }
    }
    match oracle::judge(&events) {
        Ok(()) => println!("the oracles found nothing"),
        Err(reports) => {
            reports.iter().for_each(|report| println!("{report}"));
            seen = Seen::Something
        }
    }
    Ok(seen)
}

/// `trace diff`, `lab diff`.
pub(crate) fn diff(pair: &Pair) -> Done {
    let (one, other) = (events(&pair.one)?, events(&pair.other)?);
    let mut seen = Seen::Nothing;
    if let (Some(steps), Some(others)) = (steps(&pair.one)?, steps(&pair.other)?) {
        seen = by_class(pair, (&one, &steps), (&other, &others));
        if seen == Seen::Nothing && one != other && first_task(&one, &other).is_none() {
            return Ok(seen);
        }
    }
    let differs = |(a, b): &(&Event, &Event)| (a.task, &a.label, a.time) != (b.task, &b.label, b.time);
    let first = one.iter().zip(&other).find(differs);
    let line = |name: &Path, event: Option<&Event>| match event {
        Some(event) => println!("  {}: {event}", name.display()),
        None => println!("  {}: its end", name.display()),
    };
    let at = first.map_or(one.len().min(other.len()), |(event, _)| event.seq as usize);
    if first.is_none() && one.len() == other.len() {
        println!("the same {} events", one.len());
        return Ok(seen);
    }
    println!("the first {at} events are the same; then");
    line(&pair.one, one.get(at));
    line(&pair.other, other.get(at));
    match first_task(&one, &other) {
        None => println!("every task does the same in both: only the order between tasks differs"),
        Some((task, nth, a, b)) => {
            let who = task.map_or("what is nobody's doing".into(), |task| format!("what {task} does"));
            println!("{who} differs from its event number {nth} on");
            line(&pair.one, a);
            line(&pair.other, b);
        }
    }
    Ok(Seen::Something)
}

/// The steps in a file, if it has any.
fn steps(path: &Path) -> Result<Option<Footprints>, String> {
    Footprints::read(&read(path)?).map_err(|why| format!("{}: {why}", path.display()))
}

/// Whether two runs are of one class; if not, the first two operations that depend on each other and come in another order.
fn by_class(pair: &Pair, one: (&[Event], &Footprints), other: (&[Event], &Footprints)) -> Seen {
    if one.1.class() == other.1.class() {
        println!("both runs are of one class: what depends on each other comes in the same order");
        return Seen::Nothing;
    }
    println!("the runs are of different classes");
    if let Some(Swapped { earlier, later, in_first }) = one.1.swapped(other.1) {
        let (events, here, there) =
            if in_first { (one.0, &pair.one, &pair.other) } else { (other.0, &pair.other, &pair.one) };
        println!("the first operations that depend on each other and come in another order:");
        println!("  {}: {} {}", here.display(), name(events, earlier.0), earlier.1);
        println!("    before {} {}", name(events, later.0), later.1);
        println!("  {}: the second one comes first, or the first one never", there.display());
    }
    Seen::Something
}

/// A task with the line that spawned it, if the trace has that.
fn name(events: &[Event], task: TaskId) -> String {
    let spawned = events.iter().find_map(|event| match &event.label {
        Label::TaskSpawn { task: spawned, site, .. } if *spawned == task => Some(site),
        _ => None,
    });
    spawned.map_or_else(|| task.to_string(), |site| format!("{task} (spawned at {site})"))
}

/// The first task that does something else in the two, from which of its events on, and what. Choices of the schedule
/// and the clock's moves are no task's doing.
type Differs<'a> = (Option<TaskId>, usize, Option<&'a Event>, Option<&'a Event>);

fn first_task<'a>(one: &'a [Event], other: &'a [Event]) -> Option<Differs<'a>> {
    let (one, other) = (by_task(one), by_task(other));
    one.keys().chain(other.keys()).find_map(|task| {
        let none = Vec::new();
        let (a, b) = (one.get(task).unwrap_or(&none), other.get(task).unwrap_or(&none));
        let same = a.iter().zip(b).take_while(|(a, b)| a.label == b.label).count();
        let differ = same < a.len() || same < b.len();
        differ.then(|| (*task, same + 1, a.get(same).copied(), b.get(same).copied()))
    })
}

fn by_task(events: &[Event]) -> BTreeMap<Option<TaskId>, Vec<&Event>> {
    let mut tasks: BTreeMap<Option<TaskId>, Vec<&Event>> = BTreeMap::new();
    for event in events {
        if !matches!(event.label, Label::Decision { .. } | Label::TimeAdvance { .. }) {
            tasks.entry(event.task).or_default().push(event)
        }
    }
    tasks
}
