//! The accept loop: who may come in, and what happens when the system cannot let anybody in.
//!
//! It is the body of the region of the connections, so a request to end that region ends it. No failure to
//! accept ends it: a process without free descriptors (EMFILE), a system without (ENFILE) and a client that
//! was gone before it was accepted (ECONNABORTED) all pass, so it waits a moment and tries again.

use super::Serving;
use super::connection::{self, Place};
use super::shared::{Shared, locked};
use asupersync::net::{OrCancelled, TcpListener, TcpStream};
use asupersync::prelude::*;
use std::sync::Arc;

/// How long to wait after a failure to accept: long enough not to burn a core while descriptors are short.
pub(super) const BACK_OFF: Duration = Duration::from_millis(100);
/// The same trouble is not told again before this.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// What a client beyond the limit is told.
const REFUSAL: &[u8] = b"-ERR max number of clients reached\r\n";

/// Accepts until the region is asked to end, and gives the listener back.
pub(super) async fn run(cx: &mut Cx<Serving>, shared: &Arc<Shared>, listener: TcpListener) -> TcpListener {
    let mut faults = Trouble::default();
    let mut crowd = Trouble::default();
    loop {
        match listener.accept(cx).await {
            Ok((stream, _)) => {
                let place = shared.places.try_acquire_owned(cx, 1);
                count(shared, place.is_err());
                match place {
                    Ok(place) => admit(cx, shared, stream, place),
                    Err(_) => {
                        crowd.tell(shared, cx.now(), || {
                            let most = shared.config.limits.max_clients;
                            format!("all {most} places for clients are taken: more are refused")
                        });
                        // Its send buffer is empty, so this waits for nobody.
                        let _ = stream.write_all(cx, REFUSAL).await;
                    }
                }
            }
            Err(OrCancelled::Cancelled(_)) => return listener,
            Err(OrCancelled::Failed(error)) => {
                faults.tell(shared, cx.now(), || format!("{error}: trying again every {BACK_OFF:?}"));
                if cx.sleep(BACK_OFF).await.is_err() {
                    return listener;
                }
            }
        }
    }
}

fn count(shared: &Shared, rejected: bool) {
    let mut core = locked(&shared.core);
    core.tally.connections += 1;
    core.tally.rejected += u64::from(rejected);
}

fn admit(cx: &Cx<Serving>, shared: &Arc<Shared>, stream: TcpStream, place: Place) {
    let shared = shared.clone();
    cx.spawn(async move |cx: &mut Cx<Serving>| connection::run(cx, shared, stream, place).await);
}

/// Trouble that is told once, not once for each client that meets it.
#[derive(Default)]
struct Trouble {
    told: Option<Time>,
}

impl Trouble {
    fn tell(&mut self, shared: &Shared, now: Time, line: impl FnOnce() -> String) {
        if self.told.is_none_or(|told| now.saturating_since(told) >= SAY_AGAIN) {
            self.told = Some(now);
            shared.journal.line(&line());
        }
    }
}
