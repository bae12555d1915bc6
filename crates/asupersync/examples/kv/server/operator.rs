//! What the server's operator can do: signals, and a look at the live region tree.

use super::Serving;
use super::shared::Shared;
use asupersync::net::signal::{Signal, Watch};
use asupersync::prelude::*;
use asupersync::region;
use std::sync::Arc;

/// Starts the tasks that wait for signals: daemons. In a world without signals they end at once.
pub(super) fn watch(cx: &Cx<Serving>, shared: &Arc<Shared>) {
    for (signal, why) in [
        (Signal::Interrupt, "shutdown asked by signal SIGINT"),
        (Signal::Terminate, "shutdown asked by signal SIGTERM"),
    ] {
        // Watched from here on, before anybody can connect.
        let Ok(watch) = Watch::new(cx, signal) else { continue };
        let shared = shared.clone();
        cx.spawn_daemon(async move |cx: &mut Cx<Serving>| shutdown(cx, &shared, watch, why).await);
    }
    let Ok(watch) = Watch::new(cx, Signal::User1) else { return };
    let shared = shared.clone();
    cx.spawn_daemon(async move |cx: &mut Cx<Serving>| dump(cx, &shared, watch).await);
}

/// The first such signal asks for the end, any later one does not wait for it.
async fn shutdown(cx: &mut Cx<Serving>, shared: &Shared, mut watch: Watch, why: &'static str) {
    cx.name_task(why.rsplit(' ').next().unwrap_or(why));
    while let Ok(times) = watch.recv(cx).await {
        let first = shared.ask_to_end(cx.now(), why, shared.config.grace);
        if !first || times > 1 {
            shared.journal.line("asked again: ending at once");
            (shared.config.exit_now)();
        }
    }
}

/// SIGUSR1 prints the region tree.
async fn dump(cx: &mut Cx<Serving>, shared: &Shared, mut watch: Watch) {
    cx.name_task("SIGUSR1");
    while watch.recv(cx).await.is_ok() {
        shared
            .journal
            .line(&format!("the region tree, asked for by SIGUSR1\n{}", tree(shared, cx.now()).trim_end()));
    }
}

/// The live region tree, in words.
pub(super) fn tree(shared: &Shared, now: Time) -> String {
    match shared.root.view() {
        Some(view) => region::render(&view, now),
        None => "the server has ended\n".into(),
    }
}
