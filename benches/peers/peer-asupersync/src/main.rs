//! This project as a peer: the same bodies as for the others.
//!
//! The bodies know no capability context, so each task's body is wrapped once: the wrapper keeps the task's
//! `Cx` where the operations below find it while that task is being polled. That costs two thread-local
//! accesses a poll, which the figures include.
include!("../../common/src/bodies.rs");
include!("../../common/src/primitives.rs");

mod prim {
    use super::*;
    use asupersync::combinator::stream::{self, StreamExt};
    use asupersync::sync::mpsc::unbounded as queue;
    use asupersync::sync::{barrier as meeting, broadcast as all, rwlock, semaphore, watch as latest};
    use rt::cx;

    pub const UNSUPPORTED: &[&str] = &[];

    pub fn broadcast(capacity: usize) -> (all::Sender<u64>, all::Receiver<u64>) {
        all::channel(capacity)
    }
    pub fn subscribe(of: &all::Receiver<u64>) -> all::Receiver<u64> {
        of.resubscribe()
    }
    pub async fn tell(tx: &all::Sender<u64>, v: u64) {
        tx.send(v).unwrap();
    }
    pub async fn hear(rx: &mut all::Receiver<u64>) -> u64 {
        rx.recv(cx()).await.unwrap()
    }
    pub fn watch() -> (latest::Sender<u64>, latest::Receiver<u64>) {
        latest::channel(0)
    }
    pub fn set(tx: &latest::Sender<u64>, v: u64) {
        tx.send(v)
    }
    pub async fn changed(rx: &mut latest::Receiver<u64>) -> u64 {
        rx.changed(cx()).await.unwrap();
        *rx.borrow_and_update()
    }
    pub struct RwLock(rwlock::RwLock<u64>);
    impl RwLock {
        pub fn new(v: u64) -> RwLock {
            RwLock(rwlock::RwLock::new(v))
        }
        pub async fn read(&self) -> rwlock::ReadGuard<&rwlock::RwLock<u64>, u64> {
            self.0.read(cx()).await.unwrap()
        }
        pub async fn write(&self) -> rwlock::WriteGuard<&rwlock::RwLock<u64>, u64> {
            self.0.write(cx()).await.unwrap()
        }
    }
    pub use asupersync::sync::notify::Notify;
    pub use semaphore::Semaphore;
    pub async fn acquire(s: &Semaphore) -> semaphore::Permit<&Semaphore> {
        s.acquire(cx(), 1).await.unwrap()
    }
    pub async fn notified(n: &Notify) {
        n.notified(cx()).await.unwrap()
    }
    pub fn notify_one(n: &Notify) {
        n.notify_one()
    }
    pub fn barrier(n: usize) -> meeting::Barrier {
        meeting::Barrier::new(n)
    }
    pub async fn meet(b: &meeting::Barrier) -> bool {
        b.wait(cx()).await.unwrap().is_last()
    }
    pub fn unbounded() -> (queue::Sender<u64>, queue::Receiver<u64>) {
        asupersync::sync::mpsc::unbounded()
    }
    pub fn push(tx: &queue::Sender<u64>, v: u64) {
        tx.send(v).unwrap()
    }
    pub async fn pop(rx: &mut queue::Receiver<u64>) -> Option<u64> {
        rx.recv(cx()).await.ok()
    }
    pub async fn select8(rx: Vec<rt::Rx<u64>>, n: u64) -> u64 {
        let mut messages = stream::merge_all(rx);
        let mut sum = 0;
        for _ in 0..n {
            sum += messages.next(cx()).await.unwrap().unwrap();
        }
        sum
    }
    pub async fn buffer_unordered(n: u64) -> u64 {
        let one = |i| async move {
            rt::yield_now().await;
            i
        };
        stream::iter(0..n)
            .map(one)
            .buffer_unordered_in_task(64)
            .fold(cx(), 0, |a, b| async move { a + b })
            .await
            .unwrap()
    }
}

mod rt {
    use super::*;
    use asupersync::sync::{mpsc as chan, mutex, oneshot as one};
    use asupersync::{Builder, Cx, RegionHandle, TaskHandle, Time};
    use common::Served;
    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::task::Context;

    pub const MODES: &[&str] = &["mt", "ct"];
    pub const UNSUPPORTED: &[&str] = &["http_hello"];

    static ROOT: OnceLock<RegionHandle> = OnceLock::new();
    static BASE: OnceLock<(Instant, Time)> = OnceLock::new();

    thread_local! {
        static CX: Cell<*const Cx> = const { Cell::new(std::ptr::null()) };
    }
    /// Polls `f` with the task's context at hand.
    pub struct WithCx<'a, F> {
        cx: &'a Cx,
        f: F,
    }
    impl<F: Future> Future for WithCx<'_, F> {
        type Output = Result<F::Output, Never>;
        #[inline]
        fn poll(self: Pin<&mut Self>, c: &mut Context<'_>) -> Poll<Self::Output> {
            // SAFETY: `f` is structurally pinned and never moved out.
            let this = unsafe { self.get_unchecked_mut() };
            let before = CX.replace(this.cx);
            // SAFETY: as above.
            let r = unsafe { Pin::new_unchecked(&mut this.f) }.poll(c);
            CX.set(before);
            r.map(Ok)
        }
    }
    /// Says what the closure's signature is, for every lifetime.
    #[inline]
    fn body<F: Future, G: for<'a> FnOnce(&'a mut Cx) -> WithCx<'a, F>>(g: G) -> G {
        g
    }
    /// A task's body: a plain future, with the context beside it.
    macro_rules! with_cx {
        ($f:expr) => {
            body({
                let f = $f;
                move |cx| WithCx { cx, f }
            })
        };
    }
    /// The context of the task that is being polled. The lifetime is a lie that the bodies keep: they use it
    /// within the task only.
    #[inline]
    pub fn cx() -> &'static Cx {
        unsafe { &*CX.get() }
    }

    pub fn run<T: Send + 'static>(a: &Args, f: impl Future<Output = T> + Send + 'static) -> T {
        // The process ends while detached tasks are still parked, which a runtime would wait for: it runs on a
        // thread of its own (its worker 0), and this one only waits for the value.
        let workers = if a.mode == "mt" { a.workers } else { 1 };
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = Builder::new().workers(workers).build().unwrap();
            let _ = ROOT.set(runtime.handle());
            runtime.run(async |cx: &mut Cx| {
                let _ = BASE.set((Instant::now(), cx.now()));
                let mut root = cx.spawn(with_cx!(f));
                let _ = tell.send(root.join(cx).await.unwrap());
            })
        });
        told.recv().unwrap()
    }
    type Never = asupersync::Never;
    pub type Handle<T> = TaskHandle<T, Never>;
    /// What the bodies spawn with a handle they also join: a child of the task that spawns it.
    #[inline]
    pub fn spawn<T: Send + 'static>(f: impl Future<Output = T> + Send + 'static) -> Handle<T> {
        cx().spawn(with_cx!(f))
    }
    #[inline]
    pub async fn join<T>(mut h: Handle<T>) -> T {
        h.join(cx()).await.unwrap()
    }
    pub fn spawn_detached(f: impl Future<Output = ()> + Send + 'static) {
        let root = ROOT.get().unwrap();
        if root.try_spawn(with_cx!(f)).is_err() {
            panic!("the root region is closed")
        }
    }
    pub async fn yield_now() {
        cx().yield_now().await
    }
    pub struct Sleep(asupersync::time::Sleep<'static, asupersync::All>);
    impl Future for Sleep {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, c: &mut Context<'_>) -> Poll<()> {
            Pin::new(&mut self.0).poll(c).map(|_| ())
        }
    }
    pub fn sleep_until(at: Instant) -> Sleep {
        let (base, time) = BASE.get().unwrap();
        // A nanosecond more: both clocks were read one after the other.
        Sleep(asupersync::time::Sleep::new(
            cx(),
            *time + at.saturating_duration_since(*base) + Duration::from_nanos(1),
        ))
    }
    pub type OneTx<T> = one::Sender<T>;
    pub use one::channel as oneshot;
    pub fn send1<T>(tx: OneTx<T>, v: T) {
        let _ = tx.send(v);
    }
    pub async fn recv1<T>(mut rx: one::Receiver<T>) -> T {
        match rx.recv(cx()).await {
            Ok(v) => v,
            Err(_) => panic!("the sender is gone"),
        }
    }
    pub type Tx<T> = chan::Sender<T>;
    pub type Rx<T> = chan::Receiver<T>;
    pub fn mpsc<T>(cap: usize) -> (Tx<T>, Rx<T>) {
        chan::channel(cap)
    }
    #[inline]
    pub async fn send<T: std::fmt::Debug>(tx: &Tx<T>, v: T) {
        if tx.send(cx(), v).await.is_err() {
            panic!("the receiver is gone")
        }
    }
    pub fn try_send<T: std::fmt::Debug>(tx: &Tx<T>, v: T) {
        if tx.try_send(v).is_err() {
            panic!("the receiver is gone, or the channel full")
        }
    }
    #[inline]
    pub async fn recv<T>(rx: &mut Rx<T>) -> Option<T> {
        rx.recv(cx()).await.ok()
    }
    pub fn remote<T>() -> (Tx<T>, Rx<T>) {
        mpsc(1)
    }
    pub use recv as remote_recv;
    pub use try_send as remote_send;

    pub struct Mutex<T>(mutex::Mutex<T>);
    impl<T> Mutex<T> {
        pub fn new(v: T) -> Mutex<T> {
            Mutex(mutex::Mutex::new(v))
        }
        #[inline]
        pub async fn lock(&self) -> mutex::Guard<'_, T> {
            match self.0.lock(cx()).await {
                Ok(g) => g,
                Err(c) => panic!("{c}"),
            }
        }
    }

    /// 100 group tasks with a region each of 1000 parked tasks; one request on the region around them all.
    pub async fn cancel_tree(n: u64) -> Out {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let (tell, mut told) = mpsc(1);
        let left = Arc::new(AtomicU64::new(n));
        let all: Arc<OnceLock<RegionHandle>> = Arc::default();
        let (a2, l2) = (all.clone(), left.clone());
        let tree = ROOT.get().unwrap().try_spawn(async move |cx: &mut Cx| {
            cx.region(|scope| async {
                let _ = a2.set(scope.handle());
                for _ in 0..100 {
                    let (tell, left) = (tell.clone(), l2.clone());
                    scope.spawn(async move |cx: &mut Cx| {
                        cx.region(|group| async {
                            for _ in 0..n / 100 {
                                let e = Ended { left: left.clone(), tell: tell.clone() };
                                group.spawn(async move |cx: &mut Cx| {
                                    let _e = e;
                                    STARTED.fetch_add(1, SeqCst);
                                    cx.cancelled().await;
                                });
                            }
                        })
                        .await;
                    });
                }
            })
            .await;
        });
        check(tree.is_ok(), "cancel_tree spawned");
        while STARTED.load(SeqCst) < n {
            yield_now().await;
        }
        let c = Clock::start();
        all.get().unwrap().cancel(asupersync::CancelKind::Explicit, "the benchmark says so", None);
        check(recv(&mut told).await == Some(1), "cancel_tree told");
        let o = c.stop(n);
        check(left.load(SeqCst) == 0, "cancel_tree ended");
        o
    }
    /// TaskHandle::cancel on each, then join each.
    pub async fn cancel_flat(n: u64) -> Out {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let (tell, mut told) = mpsc(1);
        let left = Arc::new(AtomicU64::new(n));
        let hs: Vec<_> = (0..n)
            .map(|_| {
                let e = Ended { left: left.clone(), tell: tell.clone() };
                ROOT.get()
                    .unwrap()
                    .try_spawn(async move |cx: &mut Cx| {
                        let _e = e;
                        STARTED.fetch_add(1, SeqCst);
                        Err::<(), _>(cx.cancelled().await)
                    })
                    .unwrap_or_else(|_| panic!("closed"))
            })
            .collect();
        while STARTED.load(SeqCst) < n {
            yield_now().await;
        }
        let c = Clock::start();
        for h in &hs {
            h.cancel("the benchmark says so");
        }
        let mut k = 0;
        for mut h in hs {
            k += h.join(cx()).await.is_cancelled() as u64;
        }
        let o = c.stop(n);
        check(k == n && left.load(SeqCst) == 0 && recv(&mut told).await == Some(1), "cancel_flat ended");
        o
    }

    pub fn serve_echo(a: &Args) -> ! {
        use asupersync::net::TcpListener;
        let bench = a.bench.clone();
        run(a, async move {
            let l = TcpListener::bind(cx(), ([127, 0, 0, 1], 0)).unwrap_or_else(|e| panic!("{e:?}"));
            let st = Arc::new(Served::default());
            common::serve_until_eof(&bench, l.local_addr().port(), st.clone());
            loop {
                let Ok((s, _)) = l.accept(cx()).await else { panic!("accept") };
                s.set_nodelay(true).unwrap();
                st.open.fetch_add(1, SeqCst);
                let st = st.clone();
                spawn_detached(async move {
                    let (mut b, mut total) = ([0u8; 1024], 0usize);
                    loop {
                        match s.read(cx(), &mut b).await {
                            Ok(0) | Err(_) => break,
                            Ok(k) => {
                                if s.write_all(cx(), &b[..k]).await.is_err() {
                                    break;
                                }
                                total += k;
                            }
                        }
                    }
                    st.ops.fetch_add(total as u64 / 64, SeqCst);
                    st.open.fetch_sub(1, SeqCst);
                });
            }
        })
    }
    pub fn serve_http(_: &Args) -> ! {
        common::unsupported("http_hello")
    }
}
