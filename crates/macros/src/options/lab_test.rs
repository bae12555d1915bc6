//! The options of `lab_test`, and the calls that they stand for.
//!
//! Invariant `lab-test.no-idle-option`: an option that would do nothing beside the others is an error, and so is one that
//! would leave nothing to run.
//!
//! Not here: the function around them (`expand`).
use super::{Range, each, range};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitBool, LitInt, LitStr, Result};

const KNOWN: &[&str] = &["seeds", "explore", "runs", "limit", "grain", "faults", "cancel"];

/// See the module.
#[derive(Default)]
pub(crate) struct LabTest {
    seeds: Option<Range>,
    explore: Option<Explore>,
    runs: Option<LitInt>,
    limit: Option<LitInt>,
    grain: Option<(Span, Grain)>,
    faults: bool,
    cancel: Option<(Span, bool)>,
}

/// Which schedules.
enum Explore {
    Every,
    /// Drawn; the constructor of the schedule.
    Sample(TokenStream),
}

enum Grain {
    Operation,
    Poll,
}

impl Parse for LabTest {
    fn parse(input: ParseStream<'_>) -> Result<LabTest> {
        let mut options = LabTest::default();
        each(input, KNOWN, |name, valued| {
            match name.to_string().as_str() {
                "seeds" => options.seeds = Some(range(input)?),
                "explore" => options.explore = Some(if valued { explore(input)? } else { Explore::Every }),
                "runs" => options.runs = Some(number(input, name)?),
                "limit" => options.limit = Some(number(input, name)?),
                "grain" => options.grain = Some((name.span(), grain(input)?)),
                "faults" => options.faults = faults(input)?,
                _ => options.cancel = Some((name.span(), cancel(input)?)),
            }
            Ok(())
        })?;
        options.check()?;
        Ok(options)
    }
}

impl LabTest {
    fn check(&self) -> Result<()> {
        let LabTest { explore, runs, limit, grain, cancel, .. } = self;
        let wrong = |span, text: &str| Err(Error::new(span, text));
        if let (Some((span, _)), Some(_)) = (cancel, explore) {
            return wrong(
                *span,
                "`cancel` and `explore` are two tests: an exploration tries every moment of the requests that the test makes",
            );
        }
        match (explore, runs, limit) {
            (None | Some(Explore::Every), Some(runs), _) => {
                wrong(runs.span(), "`runs` is for samplers, such as `explore = \"pct:3\"`")
            }
            (None | Some(Explore::Sample(_)), _, Some(limit)) => {
                wrong(limit.span(), "`limit` is for `explore = \"every\"`: it ends an exploration early")
            }
            _ => match grain {
                Some((span, _)) if explore.is_none() => wrong(
                    *span,
                    "`grain` is for `explore`: a sweep over seeds runs every task as it would run",
                ),
                _ => Ok(()),
            },
        }
    }

    /// What is called on the test, for the function of this name.
    pub(crate) fn call(&self, name: &Ident) -> TokenStream {
        let seeds = self.seeds.as_ref();
        match &self.explore {
            None => {
                let seeds = seeds.map_or(quote!(0..32), |range| quote!(#range));
                let config = self.faults.then(|| {
                    quote!(.config(::asupersync::lab::LabConfig::default().net(::asupersync::lab::NetProfile::faulty())))
                });
                match self.cancel {
                    None => quote!(#config.sweep(#seeds, #name)),
                    Some((_, pairs)) => self.cancel_sweep(name, pairs),
                }
            }
            Some(explore) => {
                let seeds = seeds.map_or(quote!(0..1), |range| quote!(#range));
                let search = self.search(explore);
                quote!(.search(#seeds, #search, #name))
            }
        }
    }

    fn cancel_sweep(&self, name: &Ident, pairs: bool) -> TokenStream {
        let seeds = self.seeds.as_ref().map_or(quote!(0..1), |range| quote!(#range));
        let config = quote!(::asupersync::lab::LabConfig::default());
        let net = self.faults.then(|| quote!(.net(::asupersync::lab::NetProfile::faulty())));
        let pairs = pairs.then(|| quote!(.pairs(true)));
        quote!(.cancel_sweep(#seeds, ::asupersync::lab::CancelSweep::new(#config #net) #pairs, #name))
    }

    fn search(&self, explore: &Explore) -> TokenStream {
        let LabTest { runs, limit, faults, .. } = self;
        let how = match explore {
            Explore::Every => quote!(every()),
            Explore::Sample(schedule) => {
                let runs = runs.as_ref().map_or(quote!(1000), |runs| quote!(#runs));
                quote!(sample(#schedule, #runs))
            }
        };
        let limit = limit.as_ref().map(|limit| quote!(.limit(#limit)));
        let faults = faults.then(|| quote!(.faults()));
        let grain = self.grain.as_ref().map(|(_, grain)| match grain {
            Grain::Operation => quote!(.grain(::asupersync::lab::Grain::Operation)),
            Grain::Poll => quote!(.grain(::asupersync::lab::Grain::Poll)),
        });
        quote!(::asupersync::lab::Search::#how #limit #grain #faults)
    }
}

fn number(input: ParseStream<'_>, name: &Ident) -> Result<LitInt> {
    let shape = format!("`{name}` is a number, such as `{name} = 1000`");
    let n: LitInt = input.parse().map_err(|e| Error::new(e.span(), shape))?;
    if n.base10_parse::<u64>()? == 0 {
        return Err(Error::new(n.span(), format!("with `{name} = 0` nothing would be run")));
    }
    Ok(n)
}

/// A word in quotes.
fn word(input: ParseStream<'_>, shape: &str) -> Result<LitStr> {
    input.parse().map_err(|e| Error::new(e.span(), shape))
}

fn explore(input: ParseStream<'_>) -> Result<Explore> {
    let shape =
        "`explore` is \"every\", \"random\", \"pct:DEPTH\", \"pos\" or \"urw\"; alone it is \"every\"";
    let word = word(input, shape)?;
    let schedule = match word.value().as_str() {
        "every" => return Ok(Explore::Every),
        "random" => quote!(Random),
        "pos" => quote!(Pos),
        "urw" => quote!(Urw),
        other => match other.strip_prefix("pct:").and_then(|depth| depth.parse::<u32>().ok()) {
            Some(depth) if depth > 0 => quote!(pct(#depth)),
            _ => return Err(Error::new(word.span(), shape)),
        },
    };
    Ok(Explore::Sample(quote!(::asupersync::lab::Schedule::#schedule)))
}

fn grain(input: ParseStream<'_>) -> Result<Grain> {
    let shape = "`grain` is \"operation\" or \"poll\"";
    let word = word(input, shape)?;
    match word.value().as_str() {
        "operation" => Ok(Grain::Operation),
        "poll" => Ok(Grain::Poll),
        _ => Err(Error::new(word.span(), shape)),
    }
}

fn faults(input: ParseStream<'_>) -> Result<bool> {
    let shape = "`faults` is `true`, `false` or \"net\"";
    if input.peek(LitBool) {
        return Ok(input.parse::<LitBool>()?.value());
    }
    let word = word(input, shape)?;
    if word.value() == "net" { Ok(true) } else { Err(Error::new(word.span(), shape)) }
}

/// Whether pairs are to be tried too.
fn cancel(input: ParseStream<'_>) -> Result<bool> {
    let shape = "`cancel` is \"sweep\" or \"pairs\"";
    let word = word(input, shape)?;
    match word.value().as_str() {
        "sweep" => Ok(false),
        "pairs" => Ok(true),
        _ => Err(Error::new(word.span(), shape)),
    }
}
