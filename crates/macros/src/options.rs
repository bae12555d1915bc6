//! What stands in an attribute's parentheses: `name = value`, separated by commas.
//!
//! Not here: what the values mean (`expand`), the options of `main` and `test` (`knobs`), the many of `lab_test` (`lab_test`).
pub(crate) mod knobs;
pub(crate) mod lab_test;

use crate::tokens::{Error, Ident, Literal, Result, Span, TokenStream, TokenTree, Tokens, fill, reads};

/// A whole number, as it was written.
pub(crate) struct Number {
    literal: Literal,
    value: u64,
}

impl Number {
    fn parse(input: &mut Tokens, shape: &str) -> Result<Number> {
        let wrong = input.error(shape);
        let Some(literal) = input.takes_literal() else { return Err(wrong) };
        let text = literal.to_string().replace('_', "");
        let (digits, radix) = match text.get(..2) {
            Some("0x") => (&text[2..], 16),
            Some("0o") => (&text[2..], 8),
            Some("0b") => (&text[2..], 2),
            _ => (&text[..], 10),
        };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let (digits, suffix) = digits.split_at(end);
        if digits.is_empty() || !matches!(suffix, "" | "u8" | "u16" | "u32" | "u64" | "usize") {
            return Err(wrong);
        }
        let value = u64::from_str_radix(digits, radix)
            .map_err(|_| Error::new(literal.span(), format!("`{literal}` is more than 64 bits hold")))?;
        Ok(Number { literal, value })
    }

    pub(crate) fn span(&self) -> Span {
        self.literal.span()
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        TokenTree::from(self.literal.clone()).into()
    }
}

/// `FROM..TO` or `FROM..=TO`, of literal numbers.
pub(crate) struct Range {
    from: Number,
    to: Number,
    inclusive: bool,
}

impl Range {
    fn parse(input: &mut Tokens) -> Result<Range> {
        let shape = "`seeds` is a range of numbers, such as `seeds = 0..100`";
        let from = Number::parse(input, shape)?;
        let inclusive = input.takes_signs("..=");
        if !inclusive && !input.takes_signs("..") {
            return Err(Error::new(from.span(), shape));
        }
        let to = Number::parse(input, shape)?;
        if from.value > to.value || from.value == to.value && !inclusive {
            // A test of no seed would pass whatever its body does.
            return Err(Error::new(to.span(), "this range of seeds is empty"));
        }
        Ok(Range { from, to, inclusive })
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        let code = if self.inclusive { "$from ..= $to" } else { "$from .. $to" };
        fill(code, &[("from", self.from.tokens()), ("to", self.to.tokens())])
    }
}

/// What one of the words in quotes stands for, all of which `shape` lists.
fn word<T>(input: &mut Tokens, shape: &str, meaning: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let wrong = input.error(shape);
    let literal = input.takes_literal().map(|literal| literal.to_string());
    let word = literal.as_deref().and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    word.and_then(meaning).ok_or(wrong)
}

/// Reads the options, each of which is known and stands once; `value` reads what follows the name, if something does.
fn each(
    options: TokenStream,
    known: &[&'static str],
    mut value: impl FnMut(&mut Tokens, &Ident, bool) -> Result<()>,
) -> Result<()> {
    let mut input = Tokens::new(options);
    let mut seen = Vec::new();
    while !input.is_empty() {
        let name = input.takes_ident().ok_or_else(|| input.error("expected an option's name"))?;
        let Some(which) = known.iter().find(|known| reads(&name, known)) else {
            let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Error::new(name.span(), format!("unknown option `{name}`: there are {list}")));
        };
        if seen.contains(which) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        seen.push(which);
        // An option that may stand without a value is read by whoever knows it.
        let valued = input.takes_sign('=');
        if !valued && !["explore", "twice"].contains(which) {
            return Err(Error::new(name.span(), format!("`{name}` wants a value: `{name} = ..`")));
        }
        value(&mut input, &name, valued)?;
        if !input.is_empty() && !input.takes_sign(',') {
            return Err(input.error("expected a comma between two options"));
        }
    }
    Ok(())
}
