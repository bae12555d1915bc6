//! Threads for closures that block: started when all are busy, kept a while when idle, most recently used
//! first.
use crate::thread;
use cx::port::{Blocking, Reports};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// The pool. Jobs are queued in order; there is no bound on the queue, because every job belongs to a task
/// whose region bounds it.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    ended: Condvar,
    limit: usize,
    keep_alive: Duration,
    name: String,
    stack_size: Option<usize>,
    reports: Arc<dyn Reports>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(
        limit: usize,
        keep_alive: Duration,
        name: &str,
        stack_size: Option<usize>,
        reports: Arc<dyn Reports>,
    ) -> Pool {
        Pool(Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            ended: Condvar::new(),
            limit,
            keep_alive,
            name: format!("{name}-blocking"),
            stack_size,
            reports,
        }))
    }

    /// Drops what has not begun and waits at most `limit` for what runs. True if nothing runs any more.
    pub(crate) fn close(&self, limit: Duration) -> bool {
        let mut state = self.0.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.jobs);
        self.0.work.notify_all();
        drop(state);
        drop(dropped);
        let state = self.0.lock();
        let waited = self.0.ended.wait_timeout_while(state, limit, |s| s.threads > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.threads == 0
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs run outside the lock, so a poisoned state is a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // The job reports its own panic to its task; anything else ends here.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (next, timeout) =
                self.work.wait_timeout(state, self.keep_alive).unwrap_or_else(PoisonError::into_inner);
            state = next;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        drop(state);
        task::raw::flush_thread_cache();
        self.ended.notify_all();
    }
}

impl Blocking for Pool {
    fn submit(&self, job: Job) {
        let mut state = self.0.lock();
        if state.closed {
            drop(state);
            return drop(job);
        }
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.threads >= self.0.limit {
            drop(state);
            return self.0.work.notify_one();
        }
        state.threads += 1;
        drop(state);
        let shared = self.0.clone();
        let (name, reports) = (self.0.name.clone(), &*self.0.reports);
        if thread::start(name, self.0.stack_size, reports, move || shared.work()).is_none() {
            // No thread to be had: the job stays queued for those there are. Without any it is dropped, which
            // its task is told.
            let mut state = self.0.lock();
            state.threads -= 1;
            let lost = if state.threads == 0 { std::mem::take(&mut state.jobs) } else { VecDeque::new() };
            drop(state);
            drop(lost);
        }
    }
}
