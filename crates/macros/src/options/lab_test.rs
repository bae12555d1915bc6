//! The options of `lab_test`, and the calls that they stand for.
//!
//! Invariant `lab-test.no-idle-option`: an option that would do nothing beside the others is an error, and so is one that
//! would leave nothing to run.
//!
//! Not here: the function around them (`expand`).
use super::{Number, Range, each, word};
use crate::tokens::{Error, Ident, Result, Span, TokenStream, TokenTree, Tokens, fill};

const KNOWN: &[&str] =
    &["seeds", "explore", "runs", "limit", "budget", "grain", "faults", "time", "random", "cancel", "twice"];

/// See the module.
#[derive(Default)]
pub(crate) struct LabTest {
    seeds: Option<Range>,
    explore: Option<Explore>,
    runs: Option<Number>,
    limit: Option<Number>,
    budget: Option<Number>,
    grain: Option<(Span, Grain)>,
    faults: bool,
    /// How often the clock may overtake tasks.
    eager: Option<u32>,
    /// Random numbers below how much are tried.
    random: Option<(Span, u32)>,
    twice: bool,
    cancel: Option<(Span, bool)>,
}

/// Which schedules.
enum Explore {
    Every,
    /// Drawn; the constructor of the schedule.
    Sample(String),
}

enum Grain {
    Operation,
    Poll,
}

impl LabTest {
    pub(crate) fn parse(tokens: TokenStream) -> Result<LabTest> {
        let mut options = LabTest::default();
        each(tokens, KNOWN, |input, name, valued| {
            match name.to_string().as_str() {
                "seeds" => options.seeds = Some(Range::parse(input)?),
                "explore" => options.explore = Some(if valued { explore(input)? } else { Explore::Every }),
                "runs" => options.runs = Some(number(input, name)?),
                "limit" => options.limit = Some(number(input, name)?),
                "budget" => options.budget = Some(number(input, name)?),
                "grain" => options.grain = Some((name.span(), grain(input)?)),
                "faults" => options.faults = faults(input)?,
                "time" => options.eager = Some(eager(input)?),
                "random" => options.random = Some((name.span(), random(input)?)),
                "twice" => options.twice = !valued || twice(input)?,
                _ => options.cancel = Some((name.span(), cancel(input)?)),
            }
            Ok(())
        })?;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<()> {
        let LabTest { explore, runs, limit, budget, grain, random, cancel, .. } = self;
        let wrong = |span, text: &str| Err(Error::new(span, text));
        if let (Some((span, _)), Some(_)) = (cancel, explore) {
            return wrong(
                *span,
                "`cancel` and `explore` are two tests: an exploration tries every moment of the requests that the test makes",
            );
        }
        if let (Some(_), Some(budget)) = (limit, budget) {
            return wrong(
                budget.span(),
                "`limit` and `budget` are two answers to more runs than that: with `limit` the test fails, with `budget` it passes",
            );
        }
        if let (Some((span, _)), None) = (random, explore) {
            return wrong(*span, "`random` is for `explore`: a sweep draws the numbers of its seeds");
        }
        match (explore, runs, self.most()) {
            (None | Some(Explore::Every), Some(runs), _) => {
                wrong(runs.span(), "`runs` is for samplers, such as `explore = \"pct:3\"`")
            }
            (Some(Explore::Sample(_)), _, Some((name, number))) => wrong(
                number.span(),
                &format!("`{name}` is for `explore = \"every\"`: how many a sampler draws is `runs`"),
            ),
            (None, _, Some((name, number))) if cancel.is_none() => {
                wrong(number.span(), &format!("`{name}` is for `explore = \"every\"` and for `cancel`"))
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

    /// How many runs there may be, and as what.
    fn most(&self) -> Option<(&'static str, &Number)> {
        let limit = self.limit.as_ref().map(|number| ("limit", number));
        limit.or(self.budget.as_ref().map(|number| ("budget", number)))
    }

    /// What is called on the test, for the function of this name.
    pub(crate) fn call(&self, name: &Ident) -> TokenStream {
        let code = match (&self.explore, self.cancel) {
            (Some(explore), _) => format!(".search($seeds, {}, $name)", self.search(explore)),
            (None, Some((_, pairs))) => {
                let config = self.config();
                let pairs = if pairs { ".pairs(true)" } else { "" };
                let most = self.called_most();
                format!(
                    ".cancel_sweep($seeds, ::asupersync::lab::CancelSweep::new({config}){pairs}{most}, $name)"
                )
            }
            (None, None) if self.faults || self.eager.is_some() => {
                format!(".config({}).sweep($seeds, $name)", self.config())
            }
            (None, None) => ".sweep($seeds, $name)".to_string(),
        };
        let all = if self.explore.is_none() && self.cancel.is_none() { "0..32" } else { "0..1" };
        let holes = [
            ("seeds", self.seeds.as_ref().map_or_else(|| fill(all, &[]), Range::tokens)),
            ("name", TokenTree::from(name.clone()).into()),
            ("runs", self.runs.as_ref().map_or_else(|| fill("1000", &[]), Number::tokens)),
            ("most", self.most().map_or_else(TokenStream::new, |(_, number)| number.tokens())),
        ];
        let twice = if self.twice { ".twice()" } else { "" };
        fill(&format!("{twice}{code}"), &holes)
    }

    /// How the labs of a sweep are made.
    fn config(&self) -> String {
        format!("{CONFIG}{}{}", if self.faults { FAULTY } else { "" }, self.called_eager())
    }

    fn called_eager(&self) -> String {
        self.eager.map_or_else(String::new, |overtakings| format!(".eager_time({overtakings}u32)"))
    }

    fn called_most(&self) -> String {
        self.most().map_or_else(String::new, |(name, _)| format!(".{name}($most)"))
    }

    fn search(&self, explore: &Explore) -> String {
        let how = match explore {
            Explore::Every => "every()".to_string(),
            Explore::Sample(schedule) => format!("sample(::asupersync::lab::Schedule::{schedule}, $runs)"),
        };
        let most = self.called_most();
        let grain = match &self.grain {
            None => "",
            Some((_, Grain::Operation)) => ".grain(::asupersync::lab::Grain::Operation)",
            Some((_, Grain::Poll)) => ".grain(::asupersync::lab::Grain::Poll)",
        };
        let faults = if self.faults { ".faults()" } else { "" };
        let eager = self.called_eager();
        let random =
            self.random.map_or_else(String::new, |(_, below)| format!(".branch_on_random({below}u32)"));
        format!("::asupersync::lab::Search::{how}{most}{grain}{faults}{eager}{random}")
    }
}

const CONFIG: &str = "::asupersync::lab::LabConfig::default()";
const FAULTY: &str = ".net(::asupersync::lab::NetProfile::faulty())";

fn number(input: &mut Tokens, name: &Ident) -> Result<Number> {
    let n = Number::parse(input, &format!("`{name}` is a number, such as `{name} = 1000`"))?;
    if n.value == 0 {
        return Err(Error::new(n.span(), format!("with `{name} = 0` nothing would be run")));
    }
    Ok(n)
}

fn explore(input: &mut Tokens) -> Result<Explore> {
    let shape =
        "`explore` is \"every\", \"random\", \"pct:DEPTH\", \"pos\" or \"urw\"; alone it is \"every\"";
    word(input, shape, |word| {
        let schedule = match word {
            "every" => return Some(Explore::Every),
            "random" => "Random".to_string(),
            "pos" => "Pos".to_string(),
            "urw" => "Urw".to_string(),
            other => {
                let depth: u32 = other.strip_prefix("pct:")?.parse().ok()?;
                (depth > 0).then(|| format!("pct({depth}u32)"))?
            }
        };
        Some(Explore::Sample(schedule))
    })
}

fn grain(input: &mut Tokens) -> Result<Grain> {
    word(input, "`grain` is \"operation\" or \"poll\"", |word| match word {
        "operation" => Some(Grain::Operation),
        "poll" => Some(Grain::Poll),
        _ => None,
    })
}

fn boolean(input: &mut Tokens) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find_map(|(name, value)| input.takes_word(name).then_some(value))
}

fn twice(input: &mut Tokens) -> Result<bool> {
    boolean(input).ok_or_else(|| input.error("`twice` is `true` or `false`; alone it is `true`"))
}

fn faults(input: &mut Tokens) -> Result<bool> {
    if let Some(value) = boolean(input) {
        return Ok(value);
    }
    word(input, "`faults` is `true`, `false` or \"net\"", |word| (word == "net").then_some(true))
}

/// How often the clock may overtake tasks.
fn eager(input: &mut Tokens) -> Result<u32> {
    let shape = "`time` is \"eager\", where the clock may overtake tasks once, or \"eager:TIMES\"";
    word(input, shape, |word| match word {
        "eager" => Some(1),
        times => times.strip_prefix("eager:")?.parse().ok().filter(|times| *times > 0),
    })
}

/// Below how much random numbers are tried.
fn random(input: &mut Tokens) -> Result<u32> {
    let shape = "`random` is \"branch\", for numbers below 16 or less, or \"branch:BOUND\", of 2 to 1024";
    word(input, shape, |word| match word {
        "branch" => Some(16),
        bound => bound.strip_prefix("branch:")?.parse().ok().filter(|bound| (2..=1024).contains(bound)),
    })
}

/// Whether pairs are to be tried too.
fn cancel(input: &mut Tokens) -> Result<bool> {
    word(input, "`cancel` is \"sweep\" or \"pairs\"", |word| match word {
        "sweep" => Some(false),
        "pairs" => Some(true),
        _ => None,
    })
}
