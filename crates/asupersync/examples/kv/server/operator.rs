//! What the server's operator can do: signals, and a look at the live region tree.

use super::Serving;
use super::shared::Shared;
use asupersync::net::signal;
use asupersync::port::Signal;
use asupersync::prelude::*;
use asupersync::region;
use std::sync::Arc;

/// Starts the tasks that wait for signals: daemons. In a world without signals they end at once.
pub(super) fn watch(cx: &Cx<Serving>, shared: &Arc<Shared>) {
    for (signal, why) in [
        (Signal::Interrupt, "shutdown asked by signal SIGINT"),
        (Signal::Terminate, "shutdown asked by signal SIGTERM"),
    ] {
        let shared = shared.clone();
        cx.spawn_daemon(async move |cx: &mut Cx<Serving>| shutdown(cx, &shared, signal, why).await);
    }
    let shared = shared.clone();
    cx.spawn_daemon(async move |cx: &mut Cx<Serving>| dump(cx, &shared).await);
}

/// The first such signal asks for the end, any later one does not wait for it.
async fn shutdown(cx: &mut Cx<Serving>, shared: &Shared, signal: Signal, why: &'static str) -> Res {
    cx.name_task(format!("signal {signal:?}"));
    while signal::wait(cx, signal).await.is_ok() {
        if !shared.drain.ask(cx.now(), why, shared.config.grace) {
            shared.journal.line("asked again: ending at once");
            (shared.config.exit_now)();
        }
    }
    Ok(())
}

/// SIGUSR1 prints the region tree.
async fn dump(cx: &mut Cx<Serving>, shared: &Shared) -> Res {
    cx.name_task("signal User1");
    while signal::wait(cx, Signal::User1).await.is_ok() {
        shared.journal.line(tree(shared, cx.now()).trim_end());
    }
    Ok(())
}

/// The live region tree, in words.
pub(super) fn tree(shared: &Shared, now: Time) -> String {
    match shared.root.view() {
        Some(view) => region::render(&view, now),
        None => "the server has ended\n".into(),
    }
}
