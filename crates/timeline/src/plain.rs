//! Untrusted text made harmless, spans of time in words, and how wide a text is.
//!
//! Names, notes and paths come from the program under test, which may hold anything: terminal escapes, text that
//! runs backwards, a megabyte. [`clean`] is the one door through which such text comes into this crate's sentences; the
//! formats escape what is special to them on top of it.
//!
//! Not here: the escapes of the formats (`svg`, `json`, `mermaid`).
use std::fmt::Write;

/// The longest name or note that is shown, in characters. What is longer is cut.
pub(crate) const LONGEST: usize = 120;

/// One line without control characters and without marks that turn the direction of writing, at most `most`
/// characters long.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut left = most;
    for c in text.chars() {
        if left == 0 {
            out.pop();
            out.push('…');
            break;
        }
        left -= 1;
        out.push(match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            // Marks and overrides of direction, and separators that some readers take for line ends.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                '\u{fffd}'
            }
            '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            c => c,
        });
    }
    out
}

/// How many columns a text takes in a font of fixed width.
pub(crate) fn cells(text: &str) -> usize {
    text.chars().map(cell).sum()
}

fn cell(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe4f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The text, cut so that it takes at most `most` columns.
pub(crate) fn fit(text: &str, most: usize) -> String {
    if cells(text) <= most {
        return text.to_string();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        if used + cell(c) + 1 > most {
            break;
        }
        used += cell(c);
        out.push(c);
    }
    if most > 0 {
        out.push('…');
    }
    out
}

/// As [`fit`], but it is the end that is kept: of a path, the file and the line.
pub(crate) fn fit_end(text: &str, most: usize) -> String {
    if cells(text) <= most {
        return text.to_string();
    }
    let (mut kept, mut used) = (Vec::new(), 0);
    for c in text.chars().rev() {
        if used + cell(c) + 1 > most {
            break;
        }
        used += cell(c);
        kept.push(c);
    }
    let mut out = String::new();
    if most > 0 {
        out.push('…');
    }
    out.extend(kept.into_iter().rev());
    out
}

/// The text in lines of at most so many columns, broken at blanks where there are some.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().map_or(0, |line| cells(line));
        let word = fit(word, columns.max(1));
        match lines.last_mut() {
            Some(line) if last == 0 => line.push_str(&word),
            Some(line) if last + 1 + cells(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// A source file in its last directory, and the line.
pub(crate) fn place(site: &trace::Site) -> String {
    let file = site.file();
    let start = file.rmatch_indices(['/', '\\']).nth(1).map_or(0, |(i, _)| i + 1);
    clean(&format!("{}:{}", &file[start..], site.line()), LONGEST)
}

/// `0`, `350 ns`, `1.5 µs`, `3 ms`, `5.25 s`, `2 h 3 min`: at most three digits after the point, and none that are
/// zero.
pub(crate) fn span(nanos: u64) -> String {
    const MINUTE: u64 = 60_000_000_000;
    match nanos {
        0 => "0".into(),
        u64::MAX => "never".into(),
        1..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => decimal(nanos, 1_000, "µs"),
        1_000_000..1_000_000_000 => decimal(nanos, 1_000_000, "ms"),
        1_000_000_000..MINUTE => decimal(nanos, 1_000_000_000, "s"),
        _ => {
            let (mut minutes, seconds) = (nanos / MINUTE, nanos % MINUTE);
            let mut text = String::new();
            if minutes >= 60 {
                let _ = write!(text, "{} h ", minutes / 60);
                minutes %= 60;
            }
            if minutes > 0 {
                let _ = write!(text, "{minutes} min ");
            }
            if seconds > 0 {
                text.push_str(&decimal(seconds, 1_000_000_000, "s"));
            }
            text.trim_end().to_string()
        }
    }
}

fn decimal(nanos: u64, unit: u64, name: &str) -> String {
    let thousandths = nanos % unit * 1_000 / unit;
    let fraction = format!(".{thousandths:03}");
    format!("{}{} {name}", nanos / unit, fraction.trim_end_matches('0').trim_end_matches('.'))
}

/// `1 task`, `3 tasks`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short_and_exact_to_the_digit_shown() {
        let cases = [
            (0, "0"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (3_000_000, "3 ms"),
            (3_050_000, "3.05 ms"),
            (5_000_000_000, "5 s"),
            (61_000_000_000, "1 min 1 s"),
            (7_380_000_000_000, "2 h 3 min"),
            (u64::MAX, "never"),
        ];
        for (nanos, words) in cases {
            assert_eq!(span(nanos), words);
        }
    }

    #[test]
    fn terminal_escapes_and_turned_text_do_not_pass() {
        assert_eq!(clean("a\x1b[31mb\nc\u{202e}d\0", 99), "a\u{fffd}[31mb c\u{fffd}d\u{fffd}");
    }

    #[test]
    fn what_is_cut_says_so_and_is_no_longer_than_asked() {
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("abcd", 4), "abcd");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit_end("src/main.rs:31", 6), "…rs:31");
        assert_eq!(cells(&fit("日本語日本語", 6)), 5);
    }
}
