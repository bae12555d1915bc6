//! Conditional compilation: which code is there only on a machine with an operating system.
//!
//! Code under `cfg(test)`, `cfg(loom)`, `cfg(feature = "std")` and the builds for seeded bugs and labels may use `std` in a
//! crate that otherwise may not. `blank_hosted` takes it out. It errs on the strict side: what it can't read stays.
//!
//! Not here: files that are gated as a whole by the `mod` line that names them (`module_tree`).

use super::{blank, is_word_byte, past_closing};
use std::ops::Range;

/// `code` without the items whose `cfg` says that `std` is there.
pub fn blank_hosted(text: &str, code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    let mut i = 0;
    while let Some(hash) = code[i..].find('#').map(|at| i + at) {
        let inner = code[hash + 1..].starts_with('!');
        let open = hash + 1 + usize::from(inner);
        if !code[open..].starts_with('[') {
            i = hash + 1;
            continue;
        }
        let close = past_closing(code, open);
        i = close;
        if !is_hosted_attribute(&text[open + 1..close - 1]) {
            continue;
        }
        if inner {
            if only_attributes(&code[..hash]) {
                blank(&mut out, 0..code.len());
                break;
            }
            continue;
        }
        let range = hash..item_end(code, close);
        i = range.end;
        blank(&mut out, range);
    }
    String::from_utf8(out).expect("blanking replaces whole items")
}

/// The range of every `macro_rules!` body and of every procedural macro's entry function.
pub fn macro_items(code: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for (needle, is_attribute) in [("macro_rules!", false), ("#[proc_macro", true)] {
        for (at, _) in code.match_indices(needle) {
            let from = if is_attribute { past_closing(code, at + 1) } else { at };
            ranges.push(at..item_end(code, from));
        }
    }
    ranges
}

fn only_attributes(before: &str) -> bool {
    let mut rest = before.trim_start();
    while let Some(open) = rest.starts_with("#![").then_some(2) {
        rest = rest[past_closing(rest, open)..].trim_start();
    }
    rest.is_empty()
}

fn is_hosted_attribute(attribute: &str) -> bool {
    let attribute = attribute.trim();
    let predicate = attribute.strip_prefix("cfg").map(str::trim_start);
    predicate.and_then(|p| p.strip_prefix('(')).and_then(|p| p.strip_suffix(')')).is_some_and(implies_host)
}

fn implies_host(predicate: &str) -> bool {
    let predicate: String = predicate.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(inner) = predicate.strip_prefix("all(").and_then(|p| p.strip_suffix(')')) {
        return arguments(inner).iter().any(|p| implies_host(p));
    }
    if let Some(inner) = predicate.strip_prefix("any(").and_then(|p| p.strip_suffix(')')) {
        let arguments = arguments(inner);
        return !arguments.is_empty() && arguments.iter().all(|p| implies_host(p));
    }
    matches!(predicate.as_str(), "test" | "loom" | "asupersync_seeded" | "feature=\"std\"")
}

fn arguments(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut out) = (0usize, 0, Vec::new());
    for (i, b) in list.bytes().enumerate() {
        match b {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                out.push(&list[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(&list[start..]);
    out.retain(|argument| !argument.is_empty());
    out
}

/// Where the item, statement, field or arm ends that starts at `from`, further attributes included.
fn item_end(code: &str, from: usize) -> usize {
    let mut start = from;
    loop {
        start += code[start..].len() - code[start..].trim_start().len();
        if !code[start..].starts_with("#[") {
            break;
        }
        start = past_closing(code, start + 1);
    }
    let (ends_at_semicolon, ends_at_comma) = match first_keyword(&code[start..]) {
        "use" | "let" | "const" | "static" | "type" => (true, false),
        "fn" | "impl" | "mod" | "struct" | "enum" | "union" | "trait" | "unsafe" | "async" | "extern"
        | "macro_rules" => (false, false),
        _ => (false, true),
    };
    let bytes = code.as_bytes();
    let mut i = start;
    while i < bytes.len() {
        match bytes[i] {
            b'{' if !ends_at_semicolon => return past_closing(code, i),
            b'(' | b'[' | b'{' => i = past_closing(code, i),
            b';' => return i + 1,
            b',' if ends_at_comma => return i + 1,
            // The end of the enclosing block: what was gated was its last part.
            b')' | b']' | b'}' => return i,
            _ => i += 1,
        }
    }
    code.len()
}

/// The word that says what kind of item this is, past its visibility. A constant function is a function.
fn first_keyword(code: &str) -> &str {
    let mut rest = code;
    loop {
        let end = rest.bytes().position(|b| !is_word_byte(b)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start();
        match word {
            "pub" if after.starts_with('(') => rest = after[past_closing(after, 0)..].trim_start(),
            "pub" => rest = after,
            "const" if after.starts_with("fn") || after.starts_with("unsafe") => return "fn",
            _ => return word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, words};

    fn left(text: &str) -> String {
        let file = SourceFile::new("x.rs", text);
        words(&file.bare).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn items_for_tests_loom_and_std_are_taken_out() {
        assert_eq!(left("#[cfg(test)]\nmod tests { use std::x; }\nfn a() {}"), "fn a");
        assert_eq!(
            left("#[cfg(loom)] use loom::{a, b}; #[cfg(not(loom))] use core::a;"),
            "cfg not loom use core a"
        );
        assert_eq!(
            left("#[cfg(feature = \"std\")]\n#[inline]\npub fn f<A, B>(a: A, b: B) {} struct S;"),
            "struct S"
        );
        assert_eq!(left("#[cfg(all(unix, feature = \"std\"))] let a = [1; 4]; b"), "b");
    }

    #[test]
    fn what_may_be_built_without_std_stays() {
        assert!(left("#[cfg(any(test, unix))] fn a() {}").contains("fn a"));
        assert!(left("#[cfg(feature = \"alloc\")] fn a() {}").contains("fn a"));
        assert!(left("#[cfg(not(test))] fn a() {}").contains("fn a"));
    }

    #[test]
    fn fields_arms_and_whole_files_end_where_they_should() {
        assert_eq!(left("struct S { #[cfg(test)] pub a: Vec<u8>, b: u8 }"), "struct S b u8");
        assert_eq!(left("match x { #[cfg(test)] A => { y } B => z }"), "match x B z");
        assert_eq!(left("//! t\n#![allow(x)]\n#![cfg(loom)]\nfn a() {}"), "");
    }
}
