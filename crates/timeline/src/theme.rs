//! Colours, light and dark, and which class has which.
//!
//! One table holds both sides of every colour, so that none is forgotten on one of them; a test measures the contrast of
//! every one that text is written in (WCAG 2.1, 1.4.3: at least 4.5 to 1).
//!
//! The rules below say `$name` for a colour. A picture of its own gets the literal values, because some renderers of
//! SVG know no variables; the page gets variables, so that a button can switch them.
//!
//! Not here: shapes (`scene`).
use std::fmt::Write;

/// So many colours for lanes.
pub(crate) const LANES: usize = 8;

/// Name, light, dark, whether text is written in it.
const COLOURS: &[(&str, &str, &str, bool)] = &[
    ("paper", "#ffffff", "#10151b", false),
    ("ink", "#1b2430", "#dfe6ee", true),
    ("faint", "#5f6b7d", "#93a0b0", true),
    ("line", "#d5dbe3", "#2c3642", false),
    ("hair", "#e8ecf1", "#1e2630", false),
    ("tint", "#3b6fb6", "#6aa2ee", false),
    ("fail", "#c01f2e", "#ff8078", true),
    ("failpaper", "#fdecec", "#3a1a1d", false),
    ("cancel", "#b8400a", "#ff9a57", true),
    ("wait", "#8a6100", "#e8c14a", true),
    ("permit", "#157a3c", "#67d88a", true),
    ("scope", "#6d3fc4", "#b79bff", true),
    ("race", "#a81cb8", "#f08bff", true),
    ("racepaper", "#faeafc", "#32183a", false),
    ("clockpaper", "#eef3fa", "#18222e", false),
    ("c0", "#1f5fbf", "#7ab0ff", true),
    ("c1", "#117247", "#5ed39b", true),
    ("c2", "#7a3fb5", "#c69bf7", true),
    ("c3", "#86550e", "#e0b06a", true),
    ("c4", "#0a6a79", "#58cbd9", true),
    ("c5", "#ab2c76", "#f591c4", true),
    ("c6", "#47566d", "#a9b8cf", true),
    ("c7", "#606a0c", "#c3cf63", true),
];

const RULES: &str = "\
svg{background:$paper}
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:$ink;white-space:pre}
.paper{fill:$paper}
.title,.strong{font-weight:700}
.failure{fill:$fail;font-weight:700}
.faint,.site,.region-name{fill:$faint}
.time{fill:$ink;font-weight:700}
.did.bad{fill:$fail;font-weight:700}.did.race{fill:$race;font-weight:700}.did.after,.did.clock{fill:$faint}.did.remark{font-style:italic}
.who{font-weight:700}
.rule{stroke:$line}
.leader{stroke:$line;stroke-dasharray:1 4}
.band{fill:none;pointer-events:all}.band.failed{fill:$failpaper}.band.racing{fill:$racepaper}.band.clock{fill:$clockpaper}
.region{fill:$tint;fill-opacity:.07;stroke:$tint;stroke-opacity:.5}.region.own{fill-opacity:.03;stroke-dasharray:3 3;stroke-opacity:.4}
.life{stroke-width:2;opacity:.55}
.busy{fill-opacity:.28}
.end.fine{stroke:$paper}.end.cancelled{fill:$paper;stroke:$cancel;stroke-width:2}.end.bad{stroke:$fail;stroke-width:3;stroke-linecap:round}
.note{fill:$paper;stroke-width:2.5}
.arrow{fill:none;stroke:$faint;stroke-width:1.3}.arrow-point{fill:$faint}
.arrow.message,.arrow.data{stroke:$tint}.arrow-point.message,.arrow-point.data{fill:$tint}
.arrow.handover,.arrow.moment,.arrow.wake{stroke-dasharray:5 3}
.cancel.shade{stroke:$cancel;stroke-width:7;opacity:.22}
.cancel.reach{stroke:$cancel;stroke-width:1.6}
.cancel.told{fill:$cancel}
.cancel.seen{fill:$paper;stroke:$cancel;stroke-width:2}
.scope{stroke:$scope;stroke-width:2.2;stroke-linecap:round}.scope.combinator{stroke-width:3}.scope.branch{opacity:.65}.scope.masked{stroke-dasharray:2 4}
.permit{stroke:$permit;stroke-width:2}.permit.end{fill:$permit}.permit.back{stroke:$faint}.permit.back.end{fill:$faint}
.permit.leaked,.permit.open{stroke:$fail}.permit.open{stroke-dasharray:4 3}
.wait.span{stroke:$wait;stroke-width:5;stroke-dasharray:4 4}
.wait.for{stroke:$wait;stroke-width:2}.wait.point{fill:$wait}.wait.ring{fill:$paper;stroke:$wait;stroke-width:2.4}
.race.ring{fill:none;stroke:$race;stroke-width:2.6}.race.line{fill:none;stroke:$race;stroke-width:2;stroke-dasharray:6 4}
";

fn lane_rules() -> String {
    let mut rules = String::new();
    for n in 0..LANES {
        let _ = writeln!(
            rules,
            "text.c{n},.dot.c{n},.busy.c{n},.end.fine.c{n}{{fill:$c{n}}}.life.c{n},.note.c{n}{{stroke:$c{n}}}"
        );
    }
    rules
}

/// Rules with literal colours: the light ones, and the dark ones where the reader's screen asks for them.
pub(crate) fn literal() -> String {
    let rules = format!("{RULES}{}", lane_rules());
    format!(
        "{}@media(prefers-color-scheme:dark){{\n{}}}\n",
        coloured(&rules, |c| c.1.into()),
        coloured(&rules, |c| c.2.into())
    )
}

/// Rules with variables, and the variables.
pub(crate) fn variable() -> String {
    let table = |of: fn(&(&str, &str, &str, bool)) -> String| COLOURS.iter().map(of).collect::<String>();
    let light = table(|c| format!("--{}:{};", c.0, c.1));
    let dark = table(|c| format!("--{}:{};", c.0, c.2));
    let rules = coloured(&format!("{RULES}{}", lane_rules()), |c| format!("var(--{})", c.0));
    format!(
        ":root{{color-scheme:light;{light}}}\n\
         @media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n\
         :root[data-theme=dark]{{color-scheme:dark;{dark}}}\n{rules}"
    )
}

fn coloured(rules: &str, value: impl Fn(&(&str, &str, &str, bool)) -> String) -> String {
    let mut names: Vec<_> = COLOURS.iter().collect();
    // Longer names first: `$fail` is the beginning of `$failpaper`.
    names.sort_by_key(|colour| std::cmp::Reverse(colour.0.len()));
    names
        .into_iter()
        .fold(rules.to_string(), |rules, colour| rules.replace(&format!("${}", colour.0), &value(colour)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.1).
    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits")) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_colour_of_text_can_be_read_on_every_paper_light_and_dark() {
        for paper in COLOURS.iter().filter(|colour| colour.0.ends_with("paper")) {
            for text in COLOURS.iter().filter(|colour| colour.3) {
                let (light, dark) = (contrast(paper.1, text.1), contrast(paper.2, text.2));
                assert!(light >= 4.5, "{} on {}: {light:.2}", text.0, paper.0);
                assert!(dark >= 4.5, "{} on {}, dark: {dark:.2}", text.0, paper.0);
            }
        }
    }

    #[test]
    fn no_colour_is_left_unnamed() {
        assert!(!literal().contains('$') && !variable().contains('$'));
    }
}
