//! What a `macro_rules!` hands on reads as if it had been written; holes are filled at any depth.
use super::*;

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|e| panic!("`{text}`: {e}"))
}

fn none_group(text: &str) -> TokenStream {
    TokenTree::from(Group::new(Delimiter::None, tokens(text))).into()
}

#[test]
fn groups_without_delimiters_read_as_what_is_in_them() {
    let mut stream = none_group("");
    stream.extend(none_group("a"));
    stream.extend([TokenTree::from(Group::new(Delimiter::None, none_group("..=")))]);
    stream.extend(tokens("7"));
    let mut input = Tokens::new(stream);
    assert!(input.takes_word("a"));
    assert!(!input.takes_sign('='), "two dots come first");
    assert!(input.takes_signs("..="));
    assert_eq!(input.takes_literal().map(|n| n.to_string()).as_deref(), Some("7"));
    assert!(input.is_empty() && input.next().is_none());
}

#[test]
fn what_is_not_next_is_left_where_it_is() {
    let mut input = Tokens::new(tokens("a (b) 1"));
    assert!(input.takes_literal().is_none() && input.takes_group(Delimiter::Parenthesis).is_none());
    assert!(!input.takes_word("b") && !input.takes_signs(".."));
    assert_eq!(input.takes_ident().map(|i| i.to_string()).as_deref(), Some("a"));
    assert!(input.takes_ident().is_none() && input.takes_group(Delimiter::Brace).is_none());
    assert!(input.takes_group(Delimiter::Parenthesis).is_some());
    assert!(input.takes_literal().is_some() && input.is_empty());
}

#[test]
fn holes_are_filled_at_any_depth_and_what_is_not_filled_vanishes() {
    let filled = fill("$f(x, [$y $z])$z;", &[("f", tokens("a.b")), ("y", tokens("1, 2"))]);
    assert_eq!(filled.to_string(), tokens("a.b(x, [1, 2]);").to_string());
}
