//! Inline commands: a line of words with Redis's quoting rules, for people with telnet.
//!
//! Words are separated by white space. `"..."` knows `\n \r \t \b \a \xHH`, and a backslash before
//! any other byte stands for that byte; `'...'` knows only `\'`. A closing quote must be followed
//! by white space or the end of the line. A zero byte ends the line.

use super::args::Span;

/// Unbalanced quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Appends the words of `line` to `words` and their places in it to `spans`.
pub(super) fn split(line: &[u8], words: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), Unbalanced> {
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut rest = line;
    loop {
        let skipped = rest.iter().take_while(|&&byte| is_space(byte)).count();
        rest = &rest[skipped..];
        if rest.is_empty() {
            return Ok(());
        }
        let start = words.len() as u32;
        rest = word(rest, words)?;
        spans.push(Span { start, end: words.len() as u32 });
    }
}

/// Reads one word, which may start quoting in its middle, and returns what follows it.
fn word<'a>(mut rest: &'a [u8], words: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match *rest {
            [] => return Ok(rest),
            [b'"', ref after @ ..] => return closed(double_quoted(after, words)?),
            [b'\'', ref after @ ..] => return closed(single_quoted(after, words)?),
            [byte, ..] if is_space(byte) => return Ok(rest),
            [byte, ref after @ ..] => {
                words.push(byte);
                rest = after;
            }
        }
    }
}

fn closed(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest.first() {
        Some(&byte) if !is_space(byte) => Err(Unbalanced),
        _ => Ok(rest),
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], words: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, after) = match *rest {
            [] => return Err(Unbalanced),
            [b'"', ref after @ ..] => return Ok(after),
            [b'\\', b'x', high, low, ref after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(high) << 4 | hex(low), after)
            }
            [b'\\', escaped, ref after @ ..] => {
                let byte = match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => other,
                };
                (byte, after)
            }
            [byte, ref after @ ..] => (byte, after),
        };
        words.push(byte);
        rest = after;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], words: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, after) = match *rest {
            [] => return Err(Unbalanced),
            [b'\'', ref after @ ..] => return Ok(after),
            [b'\\', b'\'', ref after @ ..] => (b'\'', after),
            [byte, ref after @ ..] => (byte, after),
        };
        words.push(byte);
        rest = after;
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<String>, Unbalanced> {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        split(line.as_bytes(), &mut bytes, &mut spans)?;
        let text = |span: &Span| bytes[span.start as usize..span.end as usize].escape_ascii().to_string();
        Ok(spans.iter().map(text).collect())
    }

    #[test]
    fn words_and_quotes_split_as_in_redis() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \t ", &[]),
            ("get  a ", &["get", "a"]),
            (r#"set a "b c""#, &["set", "a", "b c"]),
            (r#"set a """#, &["set", "a", ""]),
            (r#""\x41\n\q\xzz""#, &["A\\nqxzz"]),
            (r"'it\'s \n'", &["it\\'s \\\\n"]),
            (r#"pre"fix" x"#, &["prefix", "x"]),
            ("a\0b c", &["a"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).as_deref(), Ok(&expected.map_vec()[..]), "{line}");
        }
    }

    trait MapVec {
        fn map_vec(&self) -> Vec<String>;
    }
    impl MapVec for &[&str] {
        fn map_vec(&self) -> Vec<String> {
            self.iter().map(|word| (*word).to_owned()).collect()
        }
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in [r#"set a "b"#, "set a 'b", r#""a"b"#, "'a'b", r#""a\"#, r#""a\""#] {
            assert_eq!(words(line), Err(Unbalanced), "{line}");
        }
    }
}
