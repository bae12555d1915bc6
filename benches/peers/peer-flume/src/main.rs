//! The channels of `flume`, in tasks of tokio: a channel is no runtime.
include!("../../common/src/channel_peer.rs");

mod channel {
    pub type Tx<T> = flume::Sender<T>;
    pub type Rx<T> = flume::Receiver<T>;
    pub fn bounded<T>(cap: usize) -> (Tx<T>, Rx<T>) {
        flume::bounded(cap)
    }
    pub fn unbounded() -> (Tx<u64>, Rx<u64>) {
        flume::unbounded()
    }
    pub async fn send<T: std::fmt::Debug>(tx: &Tx<T>, v: T) {
        tx.send_async(v).await.unwrap()
    }
    pub fn push(tx: &Tx<u64>, v: u64) {
        tx.send(v).unwrap()
    }
    pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
        rx.recv_async().await.ok()
    }
}
