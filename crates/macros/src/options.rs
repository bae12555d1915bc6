//! What stands in an attribute's parentheses: `name = value`, separated by commas.
//!
//! Not here: what the values mean (`expand`).
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitInt, Result, Token};

/// The options of `main` and `test`.
#[derive(Default)]
pub(crate) struct Workers(pub(crate) Option<LitInt>);

/// The options of `lab_test`.
#[derive(Default)]
pub(crate) struct Seeds(pub(crate) Option<Range>);

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
        each(input, "workers", || {
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

impl Parse for Seeds {
    fn parse(input: ParseStream<'_>) -> Result<Seeds> {
        let mut seeds = None;
        each(input, "seeds", || {
            seeds = Some(range(input)?);
            Ok(())
        })?;
        Ok(Seeds(seeds))
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

/// Reads `name = value` pairs. Knows one name, which may stand once.
fn each(input: ParseStream<'_>, known: &str, mut value: impl FnMut() -> Result<()>) -> Result<()> {
    let mut seen = false;
    while !input.is_empty() {
        let name = input.call(Ident::parse_any)?;
        if name != known {
            return Err(Error::new(name.span(), format!("unknown option `{name}`: there is `{known}`")));
        }
        if seen {
            return Err(Error::new(name.span(), format!("`{known}` is given twice")));
        }
        seen = true;
        input.parse::<Token![=]>()?;
        value()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
