//! The drawing as SVG: one picture that stands for itself.
//!
//! Everything that can be said is written into the picture: titles on what can be pointed at, classes for the layers, a
//! description for who can't see it. Colours follow the reader's light or dark screen where the renderer knows how.
//!
//! Not here: where things stand (`scene`), colours (`theme`).
use crate::model::Timeline;
use crate::plain::LONGEST;
use crate::scene::{Mark, Place, Scene, Shape, scene};
use crate::theme;
use crate::window::Window;
use std::fmt::Write;

/// The picture of what `window` shows, as a file of its own. Well under a kilobyte for each row.
#[must_use]
pub fn svg(line: &Timeline<'_>, window: &Window) -> String {
    let scene = scene(line, window);
    let (width, height) = (scene.width, scene.title_height + scene.head_height + scene.body_height);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">",
        w = Short(width),
        h = Short(height)
    );
    let title = crate::plain::clean(&line.run.title, LONGEST);
    let _ = writeln!(out, "<title>{}</title>", escaped(if title.is_empty() { "a run" } else { &title }));
    if let Some(trouble) = line.troubles.first() {
        let what = trouble.what.replace('\n', "; ");
        let _ = writeln!(out, "<desc>{}</desc>", escaped(&what));
    }
    let _ = writeln!(out, "<style>\n{}</style>", theme::literal());
    let _ = writeln!(out, "<rect class=\"paper\" width=\"{}\" height=\"{}\"/>", Short(width), Short(height));
    group(&mut out, &scene.title, 0.0);
    group(&mut out, &scene.head, scene.title_height);
    group(&mut out, &scene.body, scene.title_height + scene.head_height);
    out.push_str("</svg>\n");
    out
}

fn group(out: &mut String, marks: &[Mark], y: f64) {
    let _ = writeln!(out, "<g transform=\"translate(0 {})\">", Short(y));
    marks.iter().for_each(|mark| write_mark(out, mark));
    out.push_str("</g>\n");
}

/// The two parts that the page needs: the lanes' names, and the rows.
pub(crate) fn parts(scene: &Scene) -> (String, String) {
    let part = |marks: &[Mark], height: f64, id: &str| {
        let mut out = format!(
            "<svg id=\"{id}\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\">\n",
            w = Short(scene.width),
            h = Short(height)
        );
        marks.iter().for_each(|mark| write_mark(&mut out, mark));
        out.push_str("</svg>");
        out
    };
    (part(&scene.head, scene.head_height, "head"), part(&scene.body, scene.body_height, "body"))
}

/// A number with at most one digit after the point.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
        if rest == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{rest}") }
    }
}

fn write_mark(out: &mut String, mark: &Mark) {
    let mut with = format!(" class=\"{}\"", mark.class);
    if let Some(row) = mark.row {
        let _ = write!(with, " data-r=\"{row}\"");
    }
    if let Some(task) = mark.task {
        let _ = write!(with, " data-t=\"{task}\"");
    }
    let name = match &mark.shape {
        Shape::Line { a, b } => {
            let (x1, y1, x2, y2) = (Short(a.0), Short(a.1), Short(b.0), Short(b.1));
            let _ = write!(out, "<line{with} x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"");
            "line"
        }
        Shape::Box { place: Place { x, y, w, h }, round } => {
            let (x, y, w, h, r) = (Short(*x), Short(*y), Short(*w), Short(*h), Short(*round));
            let _ = write!(out, "<rect{with} x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\"");
            "rect"
        }
        Shape::Dot { at, r } => {
            let _ = write!(
                out,
                "<circle{with} cx=\"{}\" cy=\"{}\" r=\"{}\"",
                Short(at.0),
                Short(at.1),
                Short(*r)
            );
            "circle"
        }
        Shape::Outline(points) => {
            let _ = write!(out, "<polygon{with} points=\"");
            for (at, (x, y)) in points.iter().enumerate() {
                let _ = write!(out, "{}{},{}", if at == 0 { "" } else { " " }, Short(*x), Short(*y));
            }
            out.push('"');
            "polygon"
        }
        Shape::Curve { a, b } => {
            // Half-way across, both ends being horizontal.
            let middle = Short((a.0 + b.0) / 2.0);
            let (x1, y1, x2, y2) = (Short(a.0), Short(a.1), Short(b.0), Short(b.1));
            let _ = write!(out, "<path{with} d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\"");
            "path"
        }
        Shape::Text { at, size, text, turned } => {
            let _ = write!(
                out,
                "<text{with} x=\"{}\" y=\"{}\" font-size=\"{}\"",
                Short(at.0),
                Short(at.1),
                Short(*size)
            );
            if *turned {
                let _ = write!(out, " transform=\"rotate(-45 {} {})\"", Short(at.0), Short(at.1));
            }
            let _ = write!(out, ">{}", escaped(text));
            title(out, &mark.tip);
            out.push_str("</text>\n");
            return;
        }
    };
    if mark.tip.is_empty() {
        out.push_str("/>\n");
    } else {
        out.push('>');
        title(out, &mark.tip);
        let _ = writeln!(out, "</{name}>");
    }
}

fn title(out: &mut String, tip: &str) {
    if !tip.is_empty() {
        let _ = write!(out, "<title>{}</title>", escaped(tip));
    }
}

/// What may stand in markup, in text and between quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No XML may hold these, not even as references.
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
