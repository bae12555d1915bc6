//! What stands in an attribute's parentheses: `name = value`, separated by commas.
//!
//! Not here: what the values mean (`expand`), the many options of `lab_test` (`lab_test`).
pub(crate) mod lab_test;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitInt, Result, Token};

/// The options of `main` and `test`.
#[derive(Default)]
pub(crate) struct Workers(pub(crate) Option<LitInt>);

/// `FROM..TO` or `FROM..=TO`, of literal numbers.
pub(crate) struct Range {
    from: LitInt,
    to: LitInt,
    inclusive: bool,
}

impl ToTokens for Range {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Range { from, to, inclusive } = self;
        tokens.extend(if *inclusive { quote!(#from..=#to) } else { quote!(#from..#to) })
    }
}

impl Parse for Workers {
    fn parse(input: ParseStream<'_>) -> Result<Workers> {
        let mut workers = None;
        each(input, &["workers"], |_, _| {
            let n: LitInt = input
                .parse()
                .map_err(|e| Error::new(e.span(), "`workers` is a number, such as `workers = 4`"))?;
            if n.base10_parse::<usize>()? == 0 {
                return Err(Error::new(n.span(), "at least one worker is needed: the calling thread"));
            }
            workers = Some(n);
            Ok(())
        })?;
        Ok(Workers(workers))
    }
}

fn range(input: ParseStream<'_>) -> Result<Range> {
    let shape = "`seeds` is a range of numbers, such as `seeds = 0..100`";
    let from: LitInt = input.parse().map_err(|e| Error::new(e.span(), shape))?;
    let inclusive = input.peek(Token![..=]);
    if inclusive {
        input.parse::<Token![..=]>()?;
    } else {
        input.parse::<Token![..]>().map_err(|_| Error::new(from.span(), shape))?;
    }
    let to: LitInt = input.parse().map_err(|_| Error::new(from.span(), shape))?;
    let (low, high) = (from.base10_parse::<u64>()?, to.base10_parse::<u64>()?);
    if low > high || low == high && !inclusive {
        // A test of no seed would pass whatever its body does.
        return Err(Error::new(to.span(), "this range of seeds is empty"));
    }
    Ok(Range { from, to, inclusive })
}

/// Reads the options, each of which is known and stands once; `value` reads what follows the name, if something does.
fn each(
    input: ParseStream<'_>,
    known: &[&'static str],
    mut value: impl FnMut(&Ident, bool) -> Result<()>,
) -> Result<()> {
    let mut seen = Vec::new();
    while !input.is_empty() {
        let name = input.call(Ident::parse_any)?;
        let Some(which) = known.iter().find(|known| name == *known) else {
            let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let there = if known.len() == 1 { "there is" } else { "there are" };
            return Err(Error::new(name.span(), format!("unknown option `{name}`: {there} {list}")));
        };
        if seen.contains(which) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        seen.push(which);
        // An option that may stand without a value is read by whoever knows it.
        let valued = input.peek(Token![=]);
        if valued {
            input.parse::<Token![=]>()?;
        } else if name != "explore" {
            return Err(Error::new(name.span(), format!("`{name}` wants a value: `{name} = ..`")));
        }
        value(&name, valued)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
