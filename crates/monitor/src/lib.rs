//! Monitors: questions about how often something goes wrong, answered honestly after every single observation.
//!
//! In the lab and in production the same question comes up: "at most 5 % of drains overrun their budget: is that still
//! true?". A p-value may be looked at once. A monitor is looked at after every event, by people who stop when it turns red.
//! The tests here are built for that (e-processes: test martingales and their kin; Ramdas, Grünwald, Vovk, Shafer, Stat.
//! Sci. 2023): the chance of EVER raising a false alarm is bounded, however often and whenever one looks.
//!
//! ```
//! use asupersync_monitor::{Level, Monitor, Question};
//!
//! let mut drains = Monitor::new(Question::DRAINS);
//! for drain in 0..200 {
//!     drains.observe(drain % 4 == 3); // every fourth overruns, and 5 % were promised
//! }
//! let verdict = drains.verdict(Level::ONE_PERCENT);
//! assert!(verdict.is_rejection());
//! assert!(verdict.to_string().starts_with("drains: evidence e = "));
//! assert!(verdict.to_string().ends_with(
//!     "against 'at most 5 % of drains overrun', after 200 drains, 50 of them bad",
//! ));
//! ```
//!
//! On events, many questions at once, with one bound on what is named wrongly:
//!
//! ```
//! use asupersync_monitor::{Level, Limits, Panel};
//! use trace::Event;
//!
//! let mut panel = Panel::kernel(Limits::default());
//! for seq in 0..40 {
//!     let line = format!("{seq} 0 - obligation-leak obligation={seq}");
//!     panel.observe(&line.parse::<Event>()?);
//! }
//! let named: Vec<&str> = panel.findings(Level::FIVE_PERCENT).iter().map(|m| m.question().name()).collect();
//! assert_eq!(named, ["leaks"]);
//! # Ok::<(), trace::ParseError>(())
//! ```
//!
//! And what a row of clean runs says, if they were sampled:
//!
//! ```
//! use asupersync_monitor::{CleanRuns, Level, Rate, Sampled};
//!
//! let mut runs = CleanRuns::new(&Sampled::independently(7));
//! for _ in 0..CleanRuns::needed(Rate::new(0.01)?, Level::FIVE_PERCENT) {
//!     runs.observe(false);
//! }
//! assert_eq!(
//!     runs.statement(Level::FIVE_PERCENT).to_string(),
//!     "after 299 clean runs the rate of violating schedules is below 0.997 %, with 95 % confidence",
//! );
//! # Ok::<(), asupersync_monitor::Refusal>(())
//! ```
//!
//! | file | what lives there |
//! |---|---|
//! | `rate` | [`Rate`], [`Level`], [`Share`]; the nulls [`AtMost`] and [`Exactly`] |
//! | `process` | [`EProcess`] and its kinds: [`Grid`], [`Ratio`], [`Betting`], [`Mixture`] |
//! | `evidence` | [`EValue`]; [`product`], [`average`], [`e_bh`] |
//! | `detector` | [`Detector`], for runs without an end |
//! | `confidence` | [`RateSequence`], [`MeanSequence`]: how large, not just whether |
//! | `clean` | [`CleanRuns`] and [`Coverage`] |
//! | `question`, `monitor`, `panel`, `readers` | questions, their verdicts, many on one stream, and the kernel's events |
//! | `refusal` | [`Refusal`]: why a number wasn't taken |
//! | `special` | three functions of the logarithmic domain |
//!
//! What holds for the whole crate: no clock, no thread, no random number; a value is decided by what was observed. Evidence is
//! kept as a logarithm. Hard invariants are refused ([`Refusal::Never`]): one violation is a proof, and oracles find those.
//!
//! Not here: running anything, choosing schedules (`explore`), judging one trace (`oracle`). In plain words: `docs/monitors.md`.

#![forbid(unsafe_code)]

mod clean;
mod confidence;
mod detector;
mod evidence;
pub mod guide;
mod monitor;
mod panel;
mod process;
mod question;
mod rate;
pub mod readers;
mod refusal;
mod special;

pub use clean::{CleanRuns, Coverage, Enumerated, Sampled, Statement};
pub use confidence::{Interval, MeanSequence, NormalMixture, RateSequence};
pub use detector::{Detector, Form};
pub use evidence::{EValue, average, e_bh, product};
pub use monitor::{Monitor, Verdict};
pub use panel::{Limits, Panel, Report};
pub use process::{Bet, Beta, Betting, EProcess, Fixed, Grid, Kelly, Mixture, PlugIn, Ratio, Stake, Wealth};
pub use question::Question;
pub use rate::{AtMost, Exactly, Level, Rate, Share};
pub use refusal::Refusal;
