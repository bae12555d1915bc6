//! The channels of `flume`, in tasks of tokio: a channel is no runtime.
include!("../../common/src/channels.rs");

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
    pub type Tx<T> = flume::Sender<T>;
    pub type Rx<T> = flume::Receiver<T>;
    pub fn mpsc<T>(cap: usize) -> (Tx<T>, Rx<T>) {
        flume::bounded(cap)
    }
    pub async fn send<T: std::fmt::Debug>(tx: &Tx<T>, v: T) {
        tx.send_async(v).await.unwrap()
    }
    pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
        rx.recv_async().await.ok()
    }
}

mod prim {
    use super::*;

    pub fn unbounded() -> (rt::Tx<u64>, rt::Rx<u64>) {
        flume::unbounded()
    }
    pub fn push(tx: &rt::Tx<u64>, v: u64) {
        tx.send(v).unwrap()
    }
    pub async fn pop(rx: &mut rt::Rx<u64>) -> Option<u64> {
        rt::recv(rx).await
    }
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
