//! Glob patterns as Redis matches them in KEYS, SCAN and CONFIG GET.
//!
//! `*` any run, `?` any byte, `[abc]`, `[^abc]`, `[a-z]`, `\x` the byte x. Matching is on bytes.
//! Only the last `*` seen is ever retried, so the cost is at most pattern length times text length;
//! the textbook recursion takes exponential time for a pattern such as `a*a*a*a*b`.
//! What is not here: any knowledge of keys.

/// How letters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// Byte for byte.
    Exact,
    /// ASCII letters match in either case.
    Ignore,
}

/// Whether all of `text` matches `pattern`.
pub(crate) fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to resume when a byte fails to match: after the last star, one byte further on.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            retry = Some((p, t));
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        if p < pattern.len() {
            let (hit, next) = element(&pattern[p..], text[t], case);
            if hit {
                p += next;
                t += 1;
                continue;
            }
        }
        let Some((after_star, from)) = retry else { return false };
        retry = Some((after_star, from + 1));
        (p, t) = (after_star, from + 1);
    }
}

/// Matches one byte against the first element of `pattern` (never a star) and tells how many bytes
/// of the pattern the element takes.
fn element(pattern: &[u8], byte: u8, case: Case) -> (bool, usize) {
    match pattern[0] {
        b'?' => (true, 1),
        b'[' => class(pattern, byte, case),
        b'\\' if pattern.len() > 1 => (same(pattern[1], byte, case), 2),
        literal => (same(literal, byte, case), 1),
    }
}

/// Matches `[...]`. As in Redis, a class without its `]` ends with the pattern, and a `]` right
/// after the `[` closes an empty class.
fn class(pattern: &[u8], byte: u8, case: Case) -> (bool, usize) {
    let mut i = 1;
    let negated = pattern.get(i) == Some(&b'^');
    if negated {
        i += 1;
    }
    let mut hit = false;
    let fold = |b: u8| if case == Case::Ignore { b.to_ascii_lowercase() } else { b };
    loop {
        match pattern[i..] {
            [] => break,
            [b'\\', escaped, ..] => {
                hit |= escaped == byte;
                i += 2;
            }
            [b']', ..] => {
                i += 1;
                break;
            }
            [from, b'-', to, ..] => {
                let (from, to) = (fold(from.min(to)), fold(from.max(to)));
                hit |= (from..=to).contains(&fold(byte));
                i += 3;
            }
            [single, ..] => {
                hit |= same(single, byte, case);
                i += 1;
            }
        }
    }
    (hit != negated, i)
}

fn same(a: u8, b: u8, case: Case) -> bool {
    match case {
        Case::Exact => a == b,
        Case::Ignore => a.eq_ignore_ascii_case(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hallo", true),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h[a-b]llo", "hcllo", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a[\\]]b", "a]b", true),
            ("a\\", "a\\", true),
            ("[abc", "b", true),
            ("[]a", "a", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("a**b", "ab", true),
            ("user:*:name", "user:17:name", true),
        ];
        for &(pattern, text, expected) in cases {
            let found = matches(pattern.as_bytes(), text.as_bytes(), Case::Exact);
            assert_eq!(found, expected, "{pattern} against {text}");
        }
        assert!(matches(b"MAX*", b"maxclients", Case::Ignore));
        assert!(!matches(b"MAX*", b"maxclients", Case::Exact));
    }

    /// The recursive method would need more steps here than there are atoms in the room.
    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "a*".repeat(60) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(3000).as_bytes(), Case::Exact));
    }
}
