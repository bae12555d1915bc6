//! Reading tokens one by one, and writing code with holes in it: the little of a parser that these attributes need.
//!
//! Why not `syn` and `quote`: they would be a third of what a hello world compiles, for the head of one function.
//!
//! Invariants:
//! - `tokens.transparent`: a group without delimiters, which is how a `macro_rules!` hands on what it matched, reads as
//!   what is in it.
//!
//! Not here: what a function or an option looks like (`function`, `options`).
//!
//! Outside of a compiler `proc_macro` panics, so the unit tests work on the same types of `proc_macro2`.
#[cfg(not(test))]
pub(crate) use proc_macro::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree, token_stream};
#[cfg(test)]
pub(crate) use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree, token_stream};

/// A mistake, and the words to change.
#[derive(Debug)]
pub(crate) struct Error {
    from: Span,
    to: Span,
    text: String,
}

pub(crate) type Result<T> = core::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(span: Span, text: impl Into<String>) -> Error {
        Error::between(span, span, text)
    }

    /// About all words from the first to the last one.
    pub(crate) fn between(from: Span, to: Span, text: impl Into<String>) -> Error {
        Error { from, to, text: text.into() }
    }

    /// `::core::compile_error! { "text" }`. The compiler underlines from its first token to its last.
    pub(crate) fn into_compile_error(self) -> TokenStream {
        let text = TokenTree::from(Literal::string(&self.text));
        let mut code = at(self.from, fill("::core::compile_error!", &[]));
        code.extend(at(self.to, fill("{ $text }", &[("text", text.into())])));
        code
    }
}

/// What has not been read yet.
#[derive(Clone)]
pub(crate) struct Tokens {
    /// The innermost group without delimiters comes last.
    rest: Vec<token_stream::IntoIter>,
    /// Where "something is missing" is reported: the last token that was read.
    last: Span,
}

impl Tokens {
    pub(crate) fn new(stream: TokenStream) -> Tokens {
        Tokens { rest: vec![stream.into_iter()], last: Span::call_site() }
    }

    /// The next token, which is not a group without delimiters.
    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        loop {
            match self.rest.last_mut()?.next() {
                None => drop(self.rest.pop()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None => {
                    self.rest.push(group.stream().into_iter())
                }
                Some(token) => {
                    self.last = token.span();
                    return Some(token);
                }
            }
        }
    }

    pub(crate) fn peek(&self) -> Option<TokenTree> {
        self.clone().next()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.peek().is_none()
    }

    /// Where the next token is, or the last one was.
    pub(crate) fn span(&self) -> Span {
        self.peek().map_or(self.last, |token| token.span())
    }

    /// An error at the next token.
    pub(crate) fn error(&self, text: impl Into<String>) -> Error {
        Error::new(self.span(), text)
    }

    /// What `wanted` makes of the next token, which has been read unless that is nothing.
    fn takes<T>(&mut self, wanted: impl FnOnce(TokenTree) -> Option<T>) -> Option<T> {
        let mut ahead = self.clone();
        let found = wanted(ahead.next()?)?;
        *self = ahead;
        Some(found)
    }

    /// Whether the next token is this sign; if so it has been read.
    pub(crate) fn takes_sign(&mut self, sign: char) -> bool {
        self.takes(|token| is_sign(&token, sign).then_some(())).is_some()
    }

    /// As [`Tokens::takes_sign`], of signs that stand together.
    pub(crate) fn takes_signs(&mut self, signs: &str) -> bool {
        let mut ahead = self.clone();
        let are_next = signs.chars().all(|sign| ahead.takes_sign(sign));
        if are_next {
            *self = ahead;
        }
        are_next
    }

    /// Whether the next token is this word; if so it has been read.
    pub(crate) fn takes_word(&mut self, word: &str) -> bool {
        self.takes(|token| is_word(&token, word).then_some(())).is_some()
    }

    /// The group between such delimiters that comes next; if one does it has been read.
    pub(crate) fn takes_group(&mut self, delimiter: Delimiter) -> Option<Group> {
        self.takes(|token| match token {
            TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
            _ => None,
        })
    }

    /// The name or keyword that comes next; if one does it has been read.
    pub(crate) fn takes_ident(&mut self) -> Option<Ident> {
        self.takes(|token| if let TokenTree::Ident(ident) = token { Some(ident) } else { None })
    }

    /// The literal that comes next; if one does it has been read.
    pub(crate) fn takes_literal(&mut self) -> Option<Literal> {
        self.takes(|token| if let TokenTree::Literal(literal) = token { Some(literal) } else { None })
    }
}

pub(crate) fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == sign)
}

pub(crate) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if reads(ident, word))
}

/// Whether the name or keyword is this one.
pub(crate) fn reads(ident: &Ident, word: &str) -> bool {
    // `proc_macro`'s has no comparison of its own.
    ident.to_string().as_str() == word
}

/// The code, with each `$name` replaced by what is filled in for it. Names that are not filled in vanish.
///
/// # Panics
/// If the code is not made of Rust's tokens.
pub(crate) fn fill(code: &str, holes: &[(&str, TokenStream)]) -> TokenStream {
    let code: TokenStream = code.parse().unwrap_or_else(|e| panic!("the attribute's own code `{code}`: {e}"));
    filled(code, holes)
}

fn filled(code: TokenStream, holes: &[(&str, TokenStream)]) -> TokenStream {
    let mut out = TokenStream::new();
    let mut code = code.into_iter();
    while let Some(token) = code.next() {
        match token {
            TokenTree::Punct(p) if p.as_char() == '$' => {
                let name = code.next().map(|name| name.to_string()).unwrap_or_default();
                if let Some((_, tokens)) = holes.iter().find(|(hole, _)| *hole == name) {
                    out.extend(tokens.clone());
                }
            }
            TokenTree::Group(group) => {
                out.extend([TokenTree::Group(Group::new(group.delimiter(), filled(group.stream(), holes)))])
            }
            token => out.extend([token]),
        }
    }
    out
}

/// The same code, which errors point to as if it stood there.
pub(crate) fn at(span: Span, code: TokenStream) -> TokenStream {
    code.into_iter()
        .map(|token| {
            let mut token = match token {
                TokenTree::Group(group) => Group::new(group.delimiter(), at(span, group.stream())).into(),
                token => token,
            };
            token.set_span(span);
            token
        })
        .collect()
}

#[cfg(test)]
mod tests;
