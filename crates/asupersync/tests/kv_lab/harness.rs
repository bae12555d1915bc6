//! One run: the server as a task, clients beside it, a signal when they are through, the verdict.

use crate::limits::Limits;
use crate::server::{Config, Journal, Report, Serving, serve};
use asupersync::lab::{LabSignals, NetProfile};
use asupersync::net::signal::Signal;
use asupersync::prelude::*;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

/// Where the server listens.
pub(crate) fn address() -> SocketAddr {
    ([127, 0, 0, 1], 6379).into()
}

/// How the runs are made.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) seeds: std::ops::Range<u64>,
    pub(crate) net: NetProfile,
    pub(crate) config: Config,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            seeds: 0..60,
            net: NetProfile::default(),
            config: Config {
                bind: address(),
                limits: Limits::default(),
                few_files: None,
                grace: Duration::from_secs(10),
                workers: 1,
                epoch_ms: 1_700_000_000_000,
                seed: 7,
                run_id: "0".repeat(40),
                process_id: 0,
                debug_commands: true,
                subscriber_bytes: 32 << 20,
                exit_now: || {},
            },
        }
    }
}

impl Setup {
    pub(crate) fn seeds(mut self, seeds: std::ops::Range<u64>) -> Setup {
        self.seeds = seeds;
        self
    }

    pub(crate) fn net(mut self, change: impl FnOnce(NetProfile) -> NetProfile) -> Setup {
        self.net = change(self.net);
        self
    }

    pub(crate) fn config(mut self, change: impl FnOnce(&mut Config)) -> Setup {
        change(&mut self.config);
        self
    }
}

/// What the program and its judge can use.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) lines: Arc<Lines>,
    pub(crate) signals: LabSignals,
    pub(crate) seed: u64,
}

/// The server's log.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic under it").clone()
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }
}

impl Journal for Lines {
    fn line(&self, text: &str) {
        self.0.lock().expect("no panic under it").push(text.to_owned());
    }

    fn leaks(&self) -> u64 {
        // The lab's own oracle looks for them.
        0
    }
}

/// For each seed: runs the server, and `clients` beside it; when they are through, asks the server to end.
/// `judge` looks at the drain's report. All oracles must be content.
pub(crate) fn check(
    setup: Setup,
    clients: impl AsyncFnOnce(&mut Cx, World) + Clone + Send + 'static,
    judge: impl Fn(&Report, &World),
) {
    for seed in setup.seeds.clone() {
        run(&setup, seed, clients.clone(), &judge);
    }
}

/// One run of [`check`]; returns how many steps it took and its trace.
pub(crate) fn run(
    setup: &Setup,
    seed: u64,
    clients: impl AsyncFnOnce(&mut Cx, World),
    judge: &dyn Fn(&Report, &World),
) -> (u64, String) {
    let lab = LabRuntime::new(LabConfig::default().seed(seed).net(setup.net.clone()));
    let world = World { lines: Arc::default(), signals: lab.signals(), seed };
    let ran = catch_unwind(AssertUnwindSafe(|| inside(&lab, setup, &world, clients, judge)));
    if let Err(payload) = ran {
        eprintln!("failed with seed {seed}; the server's log:");
        world.lines.all().iter().for_each(|line| eprintln!("  {line}"));
        resume_unwind(payload)
    }
    (lab.steps(), lab.trace())
}

/// The server in a lab that somebody else made, with clients beside it, and the verdict.
pub(crate) fn inside(
    lab: &LabRuntime,
    setup: &Setup,
    world: &World,
    clients: impl AsyncFnOnce(&mut Cx, World),
    judge: &dyn Fn(&Report, &World),
) {
    let (config, journal, signals) = (setup.config.clone(), world.lines.clone(), world.signals.clone());
    let beside = world.clone();
    let report = lab.run(|cx| async move {
        cx.region(|scope| async move {
            let mut server = scope.spawn(async move |cx: &mut Cx| {
                let cx: &mut Cx<Serving> = cx.narrow();
                serve(cx, config, journal).await
            });
            clients(scope, beside).await;
            signals.raise(Signal::Terminate);
            server.join(scope).await
        })
        .await
    });
    let report = match report {
        Outcome::Ok(report) => report,
        other => panic!("the server ended in {other:?}"),
    };
    assert_eq!(report.leaked, 0, "{report}");
    if let Err(found) = lab.oracles() {
        panic!("{found}");
    }
    judge(&report, world);
}

/// Whether everybody left in peace.
pub(crate) fn clean(report: &Report, world: &World) {
    assert!(report.is_clean(), "{report}");
    assert_eq!(world.lines.count("listening on 127.0.0.1:6379"), 1);
    assert_eq!(world.lines.count("draining"), 1);
}
