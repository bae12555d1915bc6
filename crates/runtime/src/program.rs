//! Whole programs and tests: a body that returns what a task returns, and what its outcome means to whoever
//! started the process. The attributes `main` and `test` stand for these two functions.
//!
//! Not here: running the body (`running`), reading arguments or the environment.
use crate::builder::Builder;
use crate::running::EndReport;
use cx::port::Report;
use cx::{All, Cx};
use std::process::ExitCode;
use types::{CancelKind, Res, Stop, TaskOutput};

/// Runs a program: `body` on a runtime of `builder`, and the exit code for its outcome.
///
/// | exit code | when |
/// |---|---|
/// | 0 | `body` returned `Ok` or `()`, and nothing was lost |
/// | 1 | it failed or was cancelled, or a child failed and nobody joined it, or a shutdown wrote tasks off |
/// | 2 | the runtime could not be made: a knob out of its range, or the system refused |
///
/// What failed is printed on standard error as one line. A body that fails cancels what it started, as any task's does, so
/// that the program ends.
///
/// The body runs in the root region. So `cx.handle().cancel(CancelKind::Shutdown, ..)` there, from a signal say, ends the
/// process in bounded time: what does not stop by the deadline is written off and named, and the exit code is 1. The exception
/// is a task that spins or blocks on this very thread: it is reported, and holds the end up ([`Runtime::run`](crate::Runtime::run)).
///
/// ```no_run
/// use asupersync_runtime::{Builder, program};
/// use types::Res;
///
/// fn main() -> std::process::ExitCode {
///     program(Builder::new().workers(2), async |cx| -> Res {
///         cx.checkpoint()?;
///         Ok(())
///     })
/// }
/// ```
///
/// # Panics
/// With the body's panic, or a child's that nobody joined.
#[track_caller]
pub fn program<T: TaskOutput>(builder: Builder, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> ExitCode {
    match complaint(builder, body) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, text)) => {
            eprintln!("error: {}", one_line(&text));
            ExitCode::from(code)
        }
    }
}

/// Runs a test: `body` on a runtime of `builder`.
///
/// ```
/// use asupersync_runtime::{Builder, test};
/// test(Builder::new().workers(2), async |cx| cx.spawn(async |_| {}).join(cx).await);
/// ```
///
/// # Panics
/// With the body's panic, or a child's that nobody joined; if the body failed or was cancelled; if a child
/// failed and nobody joined it; if a shutdown wrote tasks off; if the runtime could not be made.
#[track_caller]
pub fn test<T: TaskOutput>(builder: Builder, body: impl AsyncFnOnce(&mut Cx<All>) -> T) {
    if let Err((_, text)) = complaint(builder, body) {
        panic!("{text}")
    }
}

/// What there is to complain about, with its exit code.
#[track_caller]
fn complaint<T: TaskOutput>(
    builder: Builder,
    body: impl AsyncFnOnce(&mut Cx<All>) -> T,
) -> Result<(), (u8, String)> {
    let runtime = builder.build().map_err(|e| (2, e.to_string()))?;
    let reports = runtime.reports();
    // In the root itself, so that its handle is the process's: a shutdown through it writes off what does not stop.
    let whole = async |cx: &mut Cx<All>| -> Res<T::Ok, T::Err> {
        let result = body(cx).await.into_outcome().ok();
        if result.is_err() {
            // As any task's region does. (A panic goes on, and has the same effect.)
            cx.handle().cancel(CancelKind::Explicit, "the program's body failed", None)
        }
        result
    };
    let (result, cause, left) = match runtime.try_run(whole) {
        Ok(result) => (result, None, Vec::new()),
        Err(report) => {
            let EndReport { value, cause, written_off } = *report;
            (value, Some(cause), written_off)
        }
    };
    // The body's own failure first: it knows best, and the end's cause is often its consequence.
    let (why, hidden) = match (result, cause) {
        (Ok(_), None) => return Ok(()),
        (Err(Stop::Err(e)), cause) => (format!("{e:?}"), cause),
        // What the root's end tells is why: the failure of a child.
        (Err(Stop::Cancelled(c)), Some(why)) if c.kind() == CancelKind::SiblingFailed => {
            (why.to_string(), None)
        }
        (Err(Stop::Cancelled(c)), cause) => (c.to_string(), cause.filter(|cause| !cause.same_request(&c))),
        (Ok(_), Some(c)) => (c.to_string(), None),
    };
    if let Some(cause) = hidden.filter(|cause| cause.kind() == CancelKind::ChildFailed) {
        reports.report(Report::Unclean { cause })
    }
    if left.is_empty() {
        return Err((1, why));
    }
    Err((1, format!("{}; {why}", Report::WrittenOff { tasks: left })))
}

/// Causes are printed on lines of their own; here they follow on the same one.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ')
        }
        line.push_str(word)
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Error;

    fn said(body: impl AsyncFnOnce(&mut Cx<All>) -> Res) -> Option<String> {
        complaint(Builder::new().workers(1), body).err().map(|(code, text)| {
            assert_eq!(code, 1);
            one_line(&text)
        })
    }

    #[test]
    fn a_body_that_returns_has_nothing_to_complain_about() {
        assert_eq!(said(async |_| Ok(())), None);
        assert!(complaint(Builder::new().workers(1), async |_| ()).is_ok());
    }

    #[test]
    fn an_error_is_one_line_with_its_causes() {
        let text = said(async |_| Err(Stop::Err(Error::msg("failed to start\n  because of the test"))));
        assert_eq!(text.as_deref(), Some("failed to start because of the test"));
    }

    #[test]
    fn a_failed_body_ends_the_children_that_would_run_for_ever() {
        let text = said(async |cx| {
            cx.spawn(async |cx| -> Res {
                loop {
                    cx.checkpoint()?;
                    cx.yield_now().await;
                }
            });
            Err(Stop::Err(Error::msg("failed")))
        });
        assert_eq!(text.as_deref(), Some("failed"));
    }

    #[test]
    fn a_child_that_fails_unjoined_is_a_complaint() {
        let text = said(async |cx| {
            cx.spawn(async |_| -> Res { Err(Stop::Err(Error::msg("lost"))) });
            Ok(())
        });
        assert!(text.as_ref().is_some_and(|t| t.contains("lost")), "{text:?}");
    }

    #[test]
    fn a_childs_failure_is_the_complaint_and_not_what_it_did_to_the_body() {
        let text = said(async |cx| {
            cx.spawn(async |_| -> Res { Err(Stop::Err(Error::msg("the cause"))) });
            loop {
                cx.checkpoint()?;
                cx.yield_now().await;
            }
        });
        assert!(text.as_ref().is_some_and(|t| t.contains("the cause")), "{text:?}");
    }

    #[test]
    fn a_bad_knob_has_a_code_of_its_own_and_its_name() {
        let (code, text) = complaint(Builder::new().workers(0), async |_| ()).unwrap_err();
        assert!(code == 2 && text.contains("`workers` is 0"), "{code} {text}");
    }

    #[test]
    #[should_panic(expected = "not today")]
    fn a_test_panics_with_the_body_s_error() {
        test(Builder::new().workers(1), async |_| -> Res { Err(Stop::Err(Error::msg("not today"))) });
    }
}
