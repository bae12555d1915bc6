//! [`Scene`]: where everything stands in the drawing. Pure geometry: shapes with a place and a class, no markup.
//!
//! ```text
//!   event  time     main     1        2         who  what                              where
//!  ───────────────────────────────────────────────────────────────────────────────────────────
//!       3           ●───────▶┬                  main spawns 1                          bank.rs:12
//!       4           ●────────┼───────▶┬         main spawns 2                          bank.rs:12
//!      10           │        ◌────────▶         1    waits for the mutex, held by 2
//! ```
//! Time runs downwards, because a sentence is wide and a lane is narrow: so each row has its sentence beside it, and a
//! long run is a long page, which readers know how to scroll.
//!
//! Invariants, which the tests hold for runs of every size: `scene.inside` (nothing lies outside of the drawing),
//! `scene.apart` (no two texts overlap).
//!
//! Not here: colours (`theme`), markup (`svg`), what is shown (`window`).
use crate::model::Timeline;
use crate::plain::{cells, fit, place};
use crate::window::Window;
use crate::words;

mod arrows;
mod head;
mod lanes;
mod marks;
mod rows;

/// Height of a row.
pub(crate) const ROW: f64 = 24.0;
/// Height above the first row.
const TOP: f64 = 22.0;
/// Width left of the first lane: position and time.
const LEFT: f64 = 132.0;
/// Between the lanes and the sentences.
const GAP: f64 = 26.0;
/// Width of a character, as a part of the font's size. Fonts of fixed width lie between 0.60 and 0.62.
const CELL: f64 = 0.62;
/// Size of the sentences' font.
const FONT: f64 = 12.0;
/// Size of the small font.
const SMALL: f64 = 10.0;

/// A box around a text or a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A straight line.
    Line {
        /// From.
        a: (f64, f64),
        /// To.
        b: (f64, f64),
    },
    /// A box with rounded corners.
    Box {
        /// Where.
        place: Place,
        /// Radius of the corners.
        round: f64,
    },
    /// A circle.
    Dot {
        /// Its middle.
        at: (f64, f64),
        /// Its radius.
        r: f64,
    },
    /// A closed outline.
    Outline(Vec<(f64, f64)>),
    /// A curve that leaves and arrives horizontally.
    Curve {
        /// From.
        a: (f64, f64),
        /// To.
        b: (f64, f64),
    },
    /// A text in a font of fixed width.
    Text {
        /// Where its base line begins.
        at: (f64, f64),
        /// Size of the font.
        size: f64,
        /// The text, made harmless but not escaped.
        text: String,
        /// Whether it is turned to run upwards by 45 degrees.
        turned: bool,
    },
}

impl Shape {
    /// The box around it; around its unturned form if it is a turned text.
    #[must_use]
    pub fn bounds(&self) -> Place {
        let around = |points: &[(f64, f64)]| {
            let min = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(f64::INFINITY, f64::min);
            let max = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
            let (x, y) = (min(|p| p.0), min(|p| p.1));
            Place { x, y, w: max(|p| p.0) - x, h: max(|p| p.1) - y }
        };
        match self {
            Shape::Line { a, b } | Shape::Curve { a, b } => around(&[*a, *b]),
            Shape::Box { place, .. } => *place,
            Shape::Dot { at, r } => Place { x: at.0 - r, y: at.1 - r, w: 2.0 * r, h: 2.0 * r },
            Shape::Outline(points) => around(points),
            Shape::Text { at, size, text, .. } => {
                Place { x: at.0, y: at.1 - size * 0.8, w: width(text, *size), h: size * 1.05 }
            }
        }
    }
}

/// A shape, how it looks and what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What is drawn.
    pub shape: Shape,
    /// Its classes: the first says which layer it is on.
    pub class: String,
    /// The row it belongs to: index into [`Timeline::rows`].
    pub row: Option<usize>,
    /// The task it belongs to: index into [`Timeline::tasks`].
    pub task: Option<usize>,
    /// What is said about it when it is pointed at; empty for nothing.
    pub tip: String,
}

/// A drawing: three parts below each other, each with its own origin.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Width of all parts.
    pub width: f64,
    /// Title and failure.
    pub title: Vec<Mark>,
    /// Height of the title.
    pub title_height: f64,
    /// The lanes' names.
    pub head: Vec<Mark>,
    /// Height of the names.
    pub head_height: f64,
    /// The rows.
    pub body: Vec<Mark>,
    /// Height of the rows.
    pub body_height: f64,
}

/// The drawing of what the window shows. Linear in the window, but for what nests.
#[must_use]
pub fn scene(line: &Timeline<'_>, window: &Window) -> Scene {
    let sheet = Sheet::new(line, window);
    let mut scene = Scene { width: sheet.width, ..Scene::default() };
    head::title(&sheet, &mut scene);
    head::names(&sheet, &mut scene);
    let mut body = Vec::new();
    rows::bands(&sheet, &mut body);
    lanes::regions(&sheet, &mut body);
    rows::leaders(&sheet, &mut body);
    lanes::lives(&sheet, &mut body);
    lanes::requests(&sheet, &mut body);
    lanes::scopes(&sheet, &mut body);
    lanes::obligations(&sheet, &mut body);
    lanes::waits(&sheet, &mut body);
    arrows::all(&sheet, &mut body);
    marks::all(&sheet, &mut body);
    arrows::race(&sheet, &mut body);
    rows::sentences(&sheet, &mut body);
    scene.body = body;
    scene.body_height = sheet.bottom();
    scene
}

/// Width of a text.
fn width(text: &str, size: f64) -> f64 {
    cells(text) as f64 * size * CELL
}

/// How many characters fit.
fn room(width: f64, size: f64) -> usize {
    (width / (size * CELL)).max(0.0) as usize
}

/// A sentence as it stands on the sheet.
struct Sentence {
    who: Option<usize>,
    did: String,
    site: String,
}

/// The measures of one drawing.
struct Sheet<'a> {
    line: &'a Timeline<'a>,
    window: &'a Window,
    /// From lane to lane.
    step: f64,
    /// The column of each task that is shown.
    column: Vec<Option<usize>>,
    sentences: Vec<Sentence>,
    /// Where the three parts of a sentence begin.
    who_x: f64,
    did_x: f64,
    site_x: f64,
    width: f64,
    /// The place of the row that is shown as the failure.
    failed: Option<usize>,
}

impl<'a> Sheet<'a> {
    fn new(line: &'a Timeline<'a>, window: &'a Window) -> Self {
        let lanes = window.lanes.len();
        let step = match lanes {
            0..=4 => 112.0,
            5..=8 => 92.0,
            9..=14 => 72.0,
            15..=30 => 40.0,
            _ => 28.0,
        };
        let mut column = vec![None; line.tasks.len()];
        for (place, &task) in window.lanes.iter().enumerate() {
            column[task] = Some(place);
        }
        let sentences: Vec<Sentence> = window
            .rows
            .iter()
            .map(|&row| {
                let phrase = words::phrase(line, row);
                let site = crate::plain::fit_end(&phrase.site.unwrap_or_default(), 28);
                Sentence { who: line.rows[row].task, did: fit(&phrase.did, 72), site }
            })
            .collect();
        let widest = |of: &dyn Fn(&Sentence) -> usize| sentences.iter().map(of).max().unwrap_or(0) as f64;
        let path = |s: &Sentence| s.who.map_or(0, |task| cells(&line.tasks[task].path).min(12));
        let unit = FONT * CELL;
        let who_x = LEFT + lanes as f64 * step + GAP;
        let did_x = who_x + (widest(&path) + 1.5) * unit;
        let site_x = did_x + (widest(&|s| cells(&s.did)).max(36.0) + 2.0) * unit;
        let width = site_x + (widest(&|s| cells(&s.site)) + 1.0) * FONT * CELL + 16.0;
        let failed = line.troubles.first().and_then(|trouble| trouble.row).and_then(|row| window.exact(row));
        Sheet { line, window, step, column, sentences, who_x, did_x, site_x, width: width.max(640.0), failed }
    }

    /// The middle of a column.
    fn column_x(&self, column: usize) -> f64 {
        LEFT + (column as f64 + 0.5) * self.step
    }

    /// The middle of a task's lane, if it is shown.
    fn x(&self, task: usize) -> Option<f64> {
        self.column[task].map(|column| self.column_x(column))
    }

    /// The middle of a row, by its place.
    fn y(&self, place: usize) -> f64 {
        TOP + (place as f64 + 0.5) * ROW
    }

    /// Below the last row.
    fn rows_end(&self) -> f64 {
        TOP + self.window.rows.len() as f64 * ROW
    }

    /// Height of the body: one more line for what comes after.
    fn bottom(&self) -> f64 {
        self.rows_end() + 34.0
    }

    /// The span of rows as heights, from the middle of the first to that of the last; what goes on reaches to the end of
    /// the rows, what began before the first row comes from above it.
    fn span(&self, from: usize, to: Option<usize>) -> Option<(f64, f64)> {
        let (first, last) = self.window.span(from, to)?;
        let begun = self.window.rows.first().is_some_and(|&row| row > from);
        let open = to.is_none() || to > self.window.rows.last().copied();
        let top = if begun { TOP - 6.0 } else { self.y(first) };
        let bottom = if open { self.rows_end() + 6.0 } else { self.y(last) };
        Some((top, bottom.max(top)))
    }

    /// Class of a task's colour.
    fn colour(&self, task: usize) -> String {
        format!("c{}", task % crate::theme::LANES)
    }
}

/// A mark of a class; row, task and tip are added by those who have them.
fn mark(shape: Shape, class: impl Into<String>) -> Mark {
    Mark { shape, class: class.into(), row: None, task: None, tip: String::new() }
}

impl Mark {
    fn row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    fn task(mut self, task: usize) -> Self {
        self.task = Some(task);
        self
    }

    fn tip(mut self, tip: impl Into<String>) -> Self {
        self.tip = tip.into();
        self
    }
}

fn text(at: (f64, f64), size: f64, text: impl Into<String>, class: &str) -> Mark {
    mark(Shape::Text { at, size, text: text.into(), turned: false }, class)
}

/// What a lane is called below its path: the task's name, or where it was spawned.
pub(crate) fn subtitle(line: &Timeline<'_>, task: usize) -> String {
    let task = &line.tasks[task];
    match (&task.name, &task.site) {
        (name, _) if !name.is_empty() => name.clone(),
        (_, Some(site)) => {
            let place = place(site);
            place.rsplit(['/', '\\']).next().unwrap_or_default().to_string()
        }
        _ => String::new(),
    }
}
