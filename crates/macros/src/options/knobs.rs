//! The options of `main` and `test`: those knobs of a runtime's builder that a program without a `Builder` of its own needs.
//!
//! Not here: the function around them (`expand`), what a knob does (`runtime::Builder`, which checks it again).
use super::{Number, each, word};
use crate::tokens::{Error, Result, TokenStream, Tokens, fill};

const KNOWN: &[&str] = &["workers", "grace", "after_grace"];

/// See the module.
#[derive(Default)]
pub(crate) struct Knobs {
    workers: Option<Number>,
    /// In milliseconds.
    grace: Option<u64>,
    after_grace: Option<&'static str>,
}

impl Knobs {
    pub(crate) fn parse(options: TokenStream) -> Result<Knobs> {
        let mut knobs = Knobs::default();
        each(options, KNOWN, |input, name, _| {
            match name.to_string().as_str() {
                "workers" => knobs.workers = Some(workers(input)?),
                "grace" => knobs.grace = Some(grace(input)?),
                _ => knobs.after_grace = Some(after_grace(input)?),
            }
            Ok(())
        })?;
        Ok(knobs)
    }

    /// So many workers, unless it says how many.
    pub(crate) fn workers_or(mut self, default: u8) -> Result<Knobs> {
        if self.workers.is_none() {
            self.workers = Some(Number::parse(&mut Tokens::new(fill(&default.to_string(), &[])), "")?);
        }
        Ok(self)
    }

    /// What is called on a builder.
    pub(crate) fn calls(&self) -> TokenStream {
        let workers = self.workers.as_ref().map(|n| fill(".workers($n)", &[("n", n.tokens())]));
        let grace = self
            .grace
            .map(|millis| fill(&format!(".grace(::core::time::Duration::from_millis({millis}u64))"), &[]));
        let after = self
            .after_grace
            .map(|choice| fill(&format!(".after_grace(::asupersync::AfterGrace::{choice})"), &[]));
        [workers, grace, after].into_iter().flatten().collect()
    }
}

fn workers(input: &mut Tokens) -> Result<Number> {
    let n = Number::parse(input, "`workers` is a number, such as `workers = 4`")?;
    if n.value == 0 {
        return Err(Error::new(n.span(), "at least one worker is needed: the calling thread"));
    }
    Ok(n)
}

/// Milliseconds.
fn grace(input: &mut Tokens) -> Result<u64> {
    let shape = "`grace` is a time in quotes, such as \"5s\": a whole number of `ms`, `s` or `min`";
    word(input, shape, |word| {
        let end = word.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = word.split_at(end);
        let unit: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(unit)
    })
}

fn after_grace(input: &mut Tokens) -> Result<&'static str> {
    word(input, "`after_grace` is \"wait\" or \"abandon\"", |word| match word {
        "wait" => Some("Wait"),
        "abandon" => Some("Abandon"),
        _ => None,
    })
}
