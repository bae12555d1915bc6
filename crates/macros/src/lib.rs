//! The attributes `main`, `test` and `lab_test`. Nothing needs them: each one writes the few lines that call
//! a plain function of the facade, and its documentation shows them.
//!
//! | file | what lives there |
//! |---|---|
//! | `tokens` | reading tokens one by one, and code with holes in it |
//! | `function` | the head of an async fn that takes one `cx: &mut Cx`, and what is wrong with any other |
//! | `options` | what stands in the attribute's parentheses |
//! | `expand` | the code that each attribute stands for |
//!
//! Invariants:
//! - `macros.no-follow-up`: a mistake gives one error, at the words to change; code that would only give
//!   errors of its own is left out.
//! - `macros.body-untouched`: the function is passed on token by token as an inner function of the same name,
//!   so that errors and backtraces point to the user's lines.
//!
//! Not here: running anything (`runtime`, `lab`). The attributes name `::asupersync`, so they need the facade.
#![forbid(unsafe_code)]

mod expand;
mod function;
mod options;
mod tokens;

#[cfg(not(test))]
use proc_macro::TokenStream;

/// Makes an `async fn main(cx: &mut Cx) -> T` the program's `main`.
///
/// `T` is what a task may return: `()`, `Res<T>`, `Result<T, E>` or `Outcome<T, E>`. The exit code is 0; 1 if
/// `main` failed or was cancelled, or if a child failed that nobody joined; 2 if the runtime could not be
/// made. Whatever it is that failed is printed on standard error, as one line.
///
/// # Options
/// | option | what it does | without it |
/// |---|---|---|
/// | `workers = 4` | worker threads, this one among them | the machine's parallelism |
/// | `grace = "5s"`, `"250ms"`, `"1min"` | the deadline of every end that was asked for without one of its own, the program's among them: cleanup is to be over so long after the request. What a request of kind `Shutdown` could not stop by then is written off a second later, and the program ends | `"10s"` |
/// | `after_grace = "abandon"`, `"wait"` | whether the tasks that are still there then are dropped between two polls, or waited for and reported | `"wait"` |
///
/// Each is a knob of `asupersync::Builder`, which has more of them.
///
/// ```text
/// #[asupersync::main(workers = 4)]            fn main() -> std::process::ExitCode {
/// async fn main(cx: &mut Cx) -> Res {             async fn main(cx: &mut Cx) -> Res { .. }
///     ..                               ──▶        let builder = asupersync::Builder::new().workers(4);
/// }                                               asupersync::runtime::program(builder, main)
///                                             }
/// ```
#[cfg(not(test))]
#[proc_macro_attribute]
pub fn main(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::main(options, function)
}

/// Makes an `async fn(cx: &mut Cx) -> T` a test on the real runtime: real threads, real time.
///
/// It fails if the function panics, returns an error or is cancelled, or if a child fails that nobody joined.
/// Other attributes (`#[should_panic]`, `#[ignore]`) stay with the test.
///
/// # Options
/// `workers = N`: worker threads, the test's own among them. Without it 2: enough for tasks to run at the
/// same time, without a thread for every core in every test. `grace` and `after_grace` as for [`main`](macro@main).
///
/// ```text
/// #[asupersync::test]                         #[test]
/// async fn adds(cx: &mut Cx) -> Res {         fn adds() {
///     ..                               ──▶        async fn adds(cx: &mut Cx) -> Res { .. }
/// }                                               let builder = asupersync::Builder::new().workers(2);
///                                                 asupersync::runtime::test(builder, adds)
///                                             }
/// ```
#[cfg(not(test))]
#[proc_macro_attribute]
pub fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::test(options, function)
}

/// Makes an `async fn(cx: &mut Cx) -> T` a test in the lab: again and again, each time with another order of the same
/// steps, in virtual time.
///
/// A run fails if the function panics, returns an error or is cancelled; on a deadlock; if a rule of the
/// model is broken; or if an oracle finds something: a leaked obligation, a task without an owner, a loser
/// that was not drained, something that is left at the end. The failure ends with the line that runs exactly this again:
/// `LAB_REPLAY=lab1,.. cargo test NAME -- --exact`. What other variables of the environment do stands at
/// `asupersync::lab::LabTest`.
///
/// # Options
/// | option | what it does | without it |
/// |---|---|---|
/// | `seeds = 0..100`, `seeds = 0..=99` | one run for each seed; with `explore`, one search | `0..32`; with `explore`, `0..1` |
/// | `explore`, `explore = "every"` | every class of schedules, each once | a run for each seed |
/// | `explore = "random"`, `"pct:3"`, `"pos"`, `"urw"` | a sampler draws the schedules | |
/// | `runs = 5000` | how many it draws for each seed | 1000 |
/// | `limit = 100000` | how many runs `explore = "every"` or `cancel` may need: with more the test fails, and says how many there likely are | no limit; 100000 for `cancel` |
/// | `budget = 100000` | as `limit`, but the test passes after so many runs, and says of how much it has seen how much | no budget |
/// | `grain = "poll"` | with `explore`: tasks queue up and are woken as in production | `"operation"` |
/// | `cancel = "sweep"`, `"pairs"` | one run for each checkpoint of each task, cancelled exactly there; or also for each pair | nobody is cancelled |
/// | `twice` | every run is made again with the same decisions, and fails where it does something else: at the first step that differs, with its line | |
/// | `faults = true`, `faults = "net"` | the simulated network fails now and then; `explore = "every"` tries both each time | no faults |
/// | `time = "eager"`, `"eager:2"` | the clock may move before tasks that could run, once or so many times in a run: who is slow meets his timeout | it moves when nothing can run |
/// | `random = "branch"`, `"branch:6"` | with `explore`: every value of `cx.random_below(n)` is tried, for n up to 16, or so much | the seed's numbers |
///
/// ```text
/// #[asupersync::lab_test(explore)]            #[test]
/// async fn drains(cx: &mut Cx) -> Res {       fn drains() {
///     ..                               ──▶        async fn drains(cx: &mut Cx) -> Res { .. }
/// }                                               let name = concat!(module_path!(), "::", "drains");
///                                                 let test = asupersync::lab::LabTest::new(name, asupersync::lab::given!());
///                                                 test.search(0..1, asupersync::lab::Search::every(), drains)
///                                             }
/// ```
/// Without `explore` the last line is `test.sweep(0..32, drains)`.
#[cfg(not(test))]
#[proc_macro_attribute]
pub fn lab_test(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::lab_test(options, function)
}
