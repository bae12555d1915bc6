//! Rust source as a rule sees it: text, the same text with comments and literals blanked, and line numbers.
//!
//! A rule that looks for a word must not find it in a comment, a string or a doc example. A full parser would be a
//! dependency tree of its own; blanking keeps byte offsets, so that whatever is found in the blanked text can be looked up
//! in the original.
//!
//! Not here: conditional compilation (`gate`) and which files belong to a crate (`module_tree`).

pub mod gate;

/// One file of a crate.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path relative to the root of the workspace, with `/`.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// `text` with comments and literals replaced by spaces, byte for byte.
    pub code: String,
    /// `code` with everything replaced by spaces that is compiled only for tests, loom or with the feature `std`.
    pub bare: String,
}

impl SourceFile {
    /// Reads the text once into its three views.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        let code = blank_comments_and_literals(&text);
        let bare = gate::blank_hosted(&text, &code);
        SourceFile { path: path.into(), text, code, bare }
    }

    /// The file's name without its folder.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The line of a byte offset, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|&&b| b == b'\n').count() + 1
    }

    /// Whether the file stands outside what is shipped: tests, examples, benches.
    pub fn is_beside_the_library(&self) -> bool {
        ["/tests/", "/examples/", "/benches/"].iter().any(|dir| self.path.contains(dir))
            || self.file_name() == "tests.rs"
    }
}

/// Every identifier and keyword of blanked code with its offset. Numbers are skipped.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = code.as_bytes();
    let mut i = 0;
    std::iter::from_fn(move || {
        while i < bytes.len() && !is_word_byte(bytes[i]) {
            i += 1;
        }
        let start = i;
        while i < bytes.len() && is_word_byte(bytes[i]) {
            i += 1;
        }
        (start < i).then(|| (start, &code[start..i]))
    })
    .filter(|(_, word)| !word.as_bytes()[0].is_ascii_digit())
}

/// Whether the byte can be part of an identifier; bytes of non-ASCII letters count, so that a word is never cut inside one.
pub fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// The offset just past the bracket that closes the one at `open`, or the end of the code when it is missing.
pub fn past_closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (i, b) in code.bytes().enumerate().skip(open) {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Replaces a range by spaces and keeps its line breaks.
pub fn blank(bytes: &mut [u8], range: std::ops::Range<usize>) {
    for b in &mut bytes[range] {
        if *b != b'\n' {
            *b = b' ';
        }
    }
}

fn blank_comments_and_literals(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let end = literal_end(text, i);
        if end > i {
            blank(&mut out, i..end);
            i = end;
        } else if is_word_byte(bytes[i]) {
            // A word is taken whole, so that the `r` of `for"x"` is not read as the head of a raw string.
            while i < bytes.len() && is_word_byte(bytes[i]) {
                i += 1;
            }
        } else {
            i += 1;
        }
    }
    String::from_utf8(out).expect("blanking replaces whole characters")
}

/// The end of the comment or literal that starts at `i`, or `i` itself when none does.
fn literal_end(text: &str, i: usize) -> usize {
    let rest = &text[i..];
    if rest.starts_with("//") {
        return i + rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return i + block_comment_length(rest);
    }
    for prefix in ["br", "cr", "r"] {
        if let Some(after) = rest.strip_prefix(prefix) {
            let hashes = after.len() - after.trim_start_matches('#').len();
            if after[hashes..].starts_with('"') {
                let open = prefix.len() + hashes + 1;
                let close = format!("\"{}", "#".repeat(hashes));
                return i + rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len());
            }
        }
    }
    for prefix in ["", "b", "c"] {
        if let Some(after) = rest.strip_prefix(prefix) {
            if after.starts_with('"') {
                return i + prefix.len() + quoted_length(after, b'"');
            }
            if after.starts_with('\'') && prefix != "c" {
                let mut chars = after.chars().skip(1);
                let escaped = chars.next() == Some('\\');
                // Neither an escape nor a quote after one character: this is a lifetime or a label.
                return if escaped || chars.next() == Some('\'') {
                    i + prefix.len() + quoted_length(after, b'\'')
                } else {
                    i
                };
            }
        }
    }
    i
}

fn quoted_length(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut i = 1;
    while i < bytes.len() && bytes[i] != quote {
        i += if bytes[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(bytes.len())
}

fn block_comment_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut i, mut depth) = (0, 0usize);
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"/*" => (depth, i) = (depth + 1, i + 2),
            b"*/" => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<String> {
        let file = SourceFile::new("src/x.rs", text);
        assert_eq!(file.code.len(), text.len());
        words(&file.code).map(|(_, word)| word.to_owned()).collect()
    }

    #[test]
    fn comments_and_literals_hold_no_words() {
        assert_eq!(seen("a // unsafe\nb /* unsafe /* x */ y */ c"), ["a", "b", "c"]);
        assert_eq!(
            seen(r##"let s = "un\"safe"; let t = r#"x " unsafe"#; d"##),
            ["let", "s", "let", "t", "d"]
        );
        assert_eq!(seen("b\"x\" b'\\'' 'y' '\\u{41}' 'é' z"), ["z"]);
    }

    #[test]
    fn lifetimes_labels_and_raw_identifiers_are_code() {
        assert_eq!(
            seen("fn f<'a>(x: &'a str) { 'l: loop {} } r#type"),
            ["fn", "f", "a", "x", "a", "str", "l", "loop", "r", "type"]
        );
    }

    #[test]
    fn lines_are_counted_from_one() {
        let file = SourceFile::new("x.rs", "//! a\n\nfn f() {}\n");
        assert_eq!(file.line(file.text.find("fn").expect("is there")), 3);
    }
}
