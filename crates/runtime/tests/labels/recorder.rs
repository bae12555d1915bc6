//! A trace that several threads write: one list, one lock.
use region::Sink;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};
use trace::{Event, Label};
use types::{TaskId, Time};

/// See the module. Its clock starts before that of the runtime, so it's never behind that.
#[derive(Clone)]
pub(crate) struct Recorder {
    began: Instant,
    events: Arc<Mutex<Vec<Event>>>,
    /// On which thread each of them was taken.
    threads: Arc<Mutex<Vec<ThreadId>>>,
    /// How often it was called.
    calls: Arc<AtomicU32>,
}

impl Recorder {
    pub(crate) fn new() -> Recorder {
        Recorder {
            began: Instant::now(),
            events: Arc::default(),
            threads: Arc::default(),
            calls: Arc::default(),
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// How often the thread changed from one event to the next.
    pub(crate) fn changes(&self) -> usize {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    /// Gives the others time to get in between a step and its label, if there is a way: between two instructions they
    /// hardly ever do.
    fn dawdle(&self) {
        if self.calls.fetch_add(1, Relaxed).is_multiple_of(7) {
            std::thread::sleep(Duration::from_micros(200))
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, events: &mut Vec<Event>, task: Option<TaskId>, label: Label) {
        let time = Time::from_nanos(self.began.elapsed().as_nanos() as u64);
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(std::thread::current().id());
        events.push(Event { seq: events.len() as u64, time, task, label })
    }
}

impl Sink for Recorder {
    fn emit(&self, by: Option<TaskId>, label: Label) {
        self.dawdle();
        self.push(&mut self.lock(), by, label)
    }

    fn step(&self, by: Option<TaskId>, step: &mut dyn FnMut() -> Option<Label>) {
        self.dawdle();
        let mut events = self.lock();
        if let Some(label) = step() {
            self.push(&mut events, by, label)
        }
    }

    fn count(&self) -> u64 {
        self.lock().len() as u64
    }

    fn emit_since(&self, since: u64, by: Option<TaskId>, label: Label) -> bool {
        self.dawdle();
        let mut events = self.lock();
        let unchanged = events.len() as u64 == since;
        if unchanged {
            self.push(&mut events, by, label)
        }
        unchanged
    }
}
