//! The channels of `kanal`, in tasks of tokio: a channel is no runtime.
include!("../../common/src/channel_peer.rs");

mod channel {
    pub type Tx<T> = kanal::AsyncSender<T>;
    pub type Rx<T> = kanal::AsyncReceiver<T>;
    pub fn bounded<T>(cap: usize) -> (Tx<T>, Rx<T>) {
        kanal::bounded_async(cap)
    }
    pub fn unbounded() -> (Tx<u64>, Rx<u64>) {
        kanal::unbounded_async()
    }
    pub async fn send<T: std::fmt::Debug>(tx: &Tx<T>, v: T) {
        tx.send(v).await.unwrap()
    }
    pub fn push(tx: &Tx<u64>, v: u64) {
        assert!(tx.try_send(v).unwrap())
    }
    pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
        rx.recv().await.ok()
    }
}
