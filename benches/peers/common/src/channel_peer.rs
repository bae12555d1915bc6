// Included (`include!`) by the peers that are channels and no runtimes: their tasks are tokio's. The including crate
// defines `mod channel`: `Tx, Rx, bounded, unbounded, send, push, recv`.

include!("channels.rs");

mod rt {
    use super::*;
    use tokio::runtime::Builder;

    pub const MODES: &[&str] = &["mt", "ct"];

    pub fn run<T: Send + 'static>(a: &Args, f: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = match a.mode.as_str() {
            "mt" => Builder::new_multi_thread().worker_threads(a.workers).build(),
            _ => Builder::new_current_thread().build(),
        };
        runtime.unwrap().block_on(async { tokio::spawn(f).await.unwrap() })
    }
    pub fn spawn<T: Send + 'static>(f: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
        tokio::spawn(f)
    }
    pub async fn join<T>(h: tokio::task::JoinHandle<T>) -> T {
        h.await.unwrap()
    }
    pub fn spawn_detached(f: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(f);
    }
    pub async fn yield_now() {
        tokio::task::yield_now().await
    }
    pub use super::channel::{bounded as mpsc, recv, send};
}

mod prim {
    pub use super::channel::{push, recv as pop, unbounded};
}

fn main() {
    let a: Args = common::args(rt::MODES[0]);
    if a.bench == "modes" {
        println!("{}", rt::MODES.join(" "));
        return;
    }
    check(rt::MODES.contains(&a.mode.as_str()), "unknown mode");
    let b = a.bench.as_str();
    let o = match b {
        "ping_pong" => rt::run(&a, ping_pong(a.n(1_000_000))),
        "mpsc_1p1c" => rt::run(&a, mpsc(a.n(5_000_000), 1)),
        "mpsc_8p1c" => rt::run(&a, mpsc(a.n(5_000_000), 8)),
        "unbounded_1p1c" => rt::run(&a, unbounded(a.n(5_000_000), 1)),
        "unbounded_8p1c" => rt::run(&a, unbounded(a.n(5_000_000), 8)),
        _ => common::unsupported(b),
    };
    common::emit(b, o)
}
