//! Who sleeps and who searches: the protocol between workers that park and whoever publishes work.
//!
//! Why it exists: a task must not wait while everybody sleeps (liveness), and one task must not
//! wake everybody (a herd costs more than the task). So sleepers are listed in a bitmap, and a
//! *searcher*, a worker that looks for work outside its own lanes, is counted. While somebody
//! searches, publishing work wakes nobody: the searcher will come across it. The last searcher
//! that finds something wakes the next one, if more is left: a chain instead of a herd.
//!
//! ```text
//!             start_search                        end_search (found work)
//!   Working ----------------> Searching -----------------------------------> Working
//!      |                        |   ^
//!      | park_unless            |   | found work on the recheck, or
//!      v            park_unless v   | claimed by a notifier, which counted us
//!   Asleep <------------------- Asleep ------------------------------------> Working
//!                                          woke by itself (I/O, timer)
//! ```
//!
//! Bitmap and count share one word, so each arrow is one atomic step: a sleeper is claimed and
//! counted as a searcher at once, and of all threads that publish while nobody searches exactly
//! one claims a sleeper.
//!
//! | invariant | meaning |
//! |---|---|
//! | `idle.claimed-once` | a bit that is set is cleared by exactly one of: a notifier, its own worker |
//! | `idle.counted` | `searching` is the number of workers in state Searching, the ones on the way up included |
//! | `idle.no-lost-work` | when work was published and notified, then not (everybody that isn't busy sleeps, nobody searches, and the work still waits) |
//!
//! **Why no work is lost.** Publisher: publish, `fence(SeqCst)`, load the word. Leaver (a worker
//! that goes to sleep or stops searching): change the word, `fence(SeqCst)`, look for work. The
//! two fences are ordered one way or the other. If the publisher's comes first, the leaver sees
//! the work. If the leaver's comes first, the publisher sees the word after the change: the
//! sleeper is in it, the searcher isn't, and it claims. Either side alone would not do: without a
//! fence both may read the past (a store buffer, or a relaxed load that is early).
//!
//! **What the caller owes.** (1) Work is published before `notify_*` is called. (2) A worker that
//! was told [`End::Last`] looks at the injector and at its own backlog, and calls
//! [`notify_one`](Idle::notify_one) if something is there. (3) The closure of
//! [`park_unless`](Idle::park_unless) looks at everything it is asked to. (4) The unpark of a
//! worker is sticky: one that comes before the wait makes the wait return.
//!
//! Not here: how a worker waits (its event queue), stealing, the price of a wake, and what the
//! sentinel does with its time.

use core::fmt;

use crate::padded::CachePadded;
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// The most workers one runtime may have: the rest of the word counts searchers.
pub const MAX_WORKERS: usize = 56;

const SLEEPING: u64 = (1 << MAX_WORKERS) - 1;
const ONE_SEARCHER: u64 = 1 << MAX_WORKERS;
const NO_SENTINEL: u32 = u32::MAX;

/// The idle state of all workers of a runtime. See the [module](self).
pub struct Idle {
    shared: CachePadded<Shared>,
    workers: u32,
    /// How many workers may start to search on their own.
    searchers: u64,
}

struct Shared {
    /// Bits `0..MAX_WORKERS`: asleep. Above: the number of searchers.
    word: AtomicU64,
    /// Which sleeper keeps watch over the busy workers. A hint for the choice of whom to wake.
    sentinel: AtomicU32,
}

/// A worker's place in the bitmap, in `0..workers`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerIndex(u8);

/// What a worker that isn't asleep is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs tasks; not counted.
    Working,
    /// Looks for work outside its own lanes, and is counted.
    Searching,
}

/// Whether somebody else still searches. The answer of [`Idle::end_search`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the last searcher owes a look at the injector and its backlog"]
pub enum End {
    /// Nobody does: publishers relied on the caller until now, so if the injector or the
    /// caller's queue has more work, the caller wakes the next worker with `notify_one`.
    Last,
    /// Another searcher took over that duty.
    OthersSearch,
}

/// Where a worker must look before it sleeps. The argument of [`Idle::park_unless`]'s closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// Its own lanes, the injector, the shutdown flag.
    Own,
    /// Those and the queues of all other workers: it was the last searcher, so an owner that
    /// pushed in the meantime saw a searcher and woke nobody.
    Everything,
}

/// The answer of [`Idle::park_unless`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "Sleep must be followed by a wait and finish_park"]
pub enum Park {
    /// The worker is listed as asleep: it waits for its unpark, then calls
    /// [`finish_park`](Idle::finish_park).
    Sleep,
    /// There is work. The worker isn't listed, and is counted as Searching.
    Found,
}

/// Who ended a worker's sleep. The answer of [`Idle::finish_park`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a worker woken by a notifier is counted as searching"]
pub enum WokenBy {
    /// A notifier claimed it and counted it: it is Searching now.
    Notifier,
    /// Its own I/O, timer, or a left-over unpark: it is Working.
    Itself,
}

/// The watch over the busy workers, held by one sleeper at a time; given up on drop.
#[must_use = "the watch is given up when this is dropped"]
pub struct Sentinel<'i> {
    idle: &'i Idle,
}

impl Idle {
    /// All `workers` awake and working.
    ///
    /// # Panics
    ///
    /// If `workers` is 0 or more than [`MAX_WORKERS`]; builders check it earlier.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        assert!(
            (1..=MAX_WORKERS).contains(&workers),
            "a runtime has 1 to {MAX_WORKERS} workers, not {workers}"
        );
        let shared = Shared { word: AtomicU64::new(0), sentinel: AtomicU32::new(NO_SENTINEL) };
        Idle {
            shared: CachePadded::new(shared),
            workers: workers as u32,
            searchers: (workers as u64 / 2).max(1),
        }
    }

    /// For work that another thread's worker should find: an injector push, a shutdown flag.
    ///
    /// Call it after the work was published. Returns a worker that the caller must unpark now, or
    /// `None` when somebody searches or nobody sleeps. One fence and one load when there is
    /// nothing to do.
    #[must_use = "the claimed worker must be unparked"]
    pub fn notify_published(&self) -> Option<WorkerIndex> {
        if !types::seeded!("idle.no-publish-fence") {
            fence(Ordering::SeqCst);
        }
        self.claim_unless_searching()
    }

    /// For a push to the caller's own queue, when the backlog is worth a second worker.
    ///
    /// As [`notify_published`](Self::notify_published) without the fence: one relaxed load when
    /// there is nothing to do. It may miss a worker that is just falling asleep, which costs
    /// parallelism until the owner's next push or tick, never progress: the owner is running and
    /// will come to the task itself.
    #[must_use = "the claimed worker must be unparked"]
    pub fn notify_local(&self) -> Option<WorkerIndex> {
        self.claim_unless_searching()
    }

    /// Claims a sleeper, whether or not somebody searches, and counts it as Searching on its
    /// behalf. Returns the worker that the caller must unpark now; `None` when nobody sleeps.
    ///
    /// The sentinel is claimed last, the others lowest index first, so that under light load the
    /// same few workers keep their caches warm.
    #[must_use = "the claimed worker must be unparked"]
    pub fn notify_one(&self) -> Option<WorkerIndex> {
        self.claim_if(|_| true)
    }

    fn claim_unless_searching(&self) -> Option<WorkerIndex> {
        self.claim_if(|word| searching(word) == 0)
    }

    fn claim_if(&self, wanted: impl Fn(u64) -> bool) -> Option<WorkerIndex> {
        let mut word = self.shared.word.load(Ordering::Relaxed);
        while word & SLEEPING != 0 && wanted(word) {
            let bit = self.choose(word & SLEEPING);
            let claimed = if types::seeded!("idle.notify-without-claim") { 0 } else { bit };
            let counted = if types::seeded!("idle.claim-uncounted") { 0 } else { ONE_SEARCHER };
            let next = (word & !claimed) + counted;
            // Release: what the notifier published happens before the worker's `finish_park`.
            match self.shared.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Some(WorkerIndex(bit.trailing_zeros() as u8)),
                Err(now) => word = now,
            }
        }
        None
    }

    /// One of the `sleeping` bits.
    fn choose(&self, sleeping: u64) -> u64 {
        let watch = match self.shared.sentinel.load(Ordering::Relaxed) {
            NO_SENTINEL => 0,
            sentinel => 1 << sentinel,
        };
        let others = sleeping & !watch;
        let candidates = if others != 0 { others } else { sleeping };
        candidates & candidates.wrapping_neg()
    }

    /// A worker without work asks to search: `true` makes it Searching.
    ///
    /// Refused while half the workers (one at least) search: more of them would only take turns
    /// on the same queues. A refused worker takes from the injector or parks.
    #[must_use = "on true the worker is counted as searching"]
    pub fn start_search(&self) -> bool {
        let mut word = self.shared.word.load(Ordering::Relaxed);
        loop {
            if searching(word) >= self.searchers {
                return false;
            }
            let next = word + ONE_SEARCHER;
            match self.shared.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// A searcher found work, and is Working from here on. Called before the found task runs.
    pub fn end_search(&self) -> End {
        let before = self.shared.word.fetch_sub(ONE_SEARCHER, Ordering::AcqRel);
        debug_assert!(searching(before) > 0, "only a searcher ends its search (`idle.counted`)");
        if searching(before) != 1 {
            return End::OthersSearch;
        }
        // A publisher that saw us searching woke nobody: the look at the injector that the caller
        // owes must not be answered from before we stopped.
        if !types::seeded!("idle.no-end-fence") {
            fence(Ordering::SeqCst);
        }
        if types::seeded!("idle.no-chain") { End::OthersSearch } else { End::Last }
    }

    /// Lists `worker` as asleep, ends its search if it was in one, then asks `has_work` whether
    /// it should stay awake after all.
    ///
    /// The order is the point (`idle.no-lost-work`): list, fence, look. The closure looks where
    /// its argument says, without a timeout and without sleeping. If it unwinds, the worker stays
    /// listed although it doesn't sleep, so it mustn't.
    ///
    /// On [`Park::Found`] the worker counts as Searching even above the limit: publishers may
    /// rely on it from the moment it was seen awake, so it ends that search by the rules.
    pub fn park_unless(
        &self,
        worker: WorkerIndex,
        role: Role,
        has_work: impl FnOnce(Recheck) -> bool,
    ) -> Park {
        let bit = self.bit(worker);
        let before = match role {
            Role::Working => self.shared.word.fetch_add(bit, Ordering::AcqRel),
            Role::Searching => self.shared.word.fetch_sub(ONE_SEARCHER - bit, Ordering::AcqRel),
        };
        debug_assert_eq!(before & bit, 0, "{worker:?} was listed as asleep already (`idle.claimed-once`)");
        debug_assert!(role == Role::Working || searching(before) > 0, "`idle.counted`");
        if !types::seeded!("idle.no-park-fence") {
            fence(Ordering::SeqCst);
        }
        let last = role == Role::Searching && searching(before) == 1;
        let recheck = if last { Recheck::Everything } else { Recheck::Own };
        if types::seeded!("idle.no-recheck") || !has_work(recheck) {
            return Park::Sleep;
        }
        self.cancel_park(bit);
        Park::Found
    }

    /// Takes the bit back, as Searching. A notifier that was faster has done just that.
    fn cancel_park(&self, bit: u64) {
        let mut word = self.shared.word.load(Ordering::Relaxed);
        while word & bit != 0 {
            let next = (word & !bit) + ONE_SEARCHER;
            match self.shared.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        // Acquire, with the notifier's release: its claim happens before what we do next.
        fence(Ordering::Acquire);
    }

    /// The worker has come back from its wait, for whatever reason.
    pub fn finish_park(&self, worker: WorkerIndex) -> WokenBy {
        let bit = self.bit(worker);
        // Acquire: what the notifier published is visible.
        let before = self.shared.word.fetch_and(!bit, Ordering::AcqRel);
        if before & bit == 0 { WokenBy::Notifier } else { WokenBy::Itself }
    }

    /// Takes the watch for `worker`, which is about to wait; `None` when a sleeper holds it.
    ///
    /// While it waits with a timeout, [`notify_one`](Self::notify_one) prefers the others, so the
    /// watch isn't given up for the first task that comes along.
    pub fn claim_sentinel(&self, worker: WorkerIndex) -> Option<Sentinel<'_>> {
        self.bit(worker);
        self.shared
            .sentinel
            .compare_exchange(NO_SENTINEL, u32::from(worker.0), Ordering::AcqRel, Ordering::Relaxed)
            .ok()
            .map(|_| Sentinel { idle: self })
    }

    /// Whether nobody runs: the sentinel needs no timeout then. A value from the recent past.
    #[must_use]
    pub fn all_asleep(&self) -> bool {
        self.sleeping() == self.workers as usize
    }

    /// How many workers are listed as asleep. A value from the recent past; one relaxed load.
    #[must_use]
    pub fn sleeping(&self) -> usize {
        (self.shared.word.load(Ordering::Relaxed) & SLEEPING).count_ones() as usize
    }

    /// One of those asleep, the highest index, which is woken least. A value from the recent past; one relaxed
    /// load.
    #[must_use]
    pub fn a_sleeper(&self) -> Option<WorkerIndex> {
        let sleeping = self.shared.word.load(Ordering::Relaxed) & SLEEPING;
        sleeping.checked_ilog2().map(|bit| WorkerIndex(bit as u8))
    }

    /// How many workers search. A value from the recent past; one relaxed load.
    #[must_use]
    pub fn searching(&self) -> usize {
        searching(self.shared.word.load(Ordering::Relaxed)) as usize
    }

    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers as usize
    }

    /// The place of worker number `index`.
    ///
    /// # Panics
    ///
    /// If there is no such worker.
    #[must_use]
    pub fn worker(&self, index: usize) -> WorkerIndex {
        assert!(index < self.workers(), "worker {index} of {}", self.workers);
        WorkerIndex(index as u8)
    }

    fn bit(&self, worker: WorkerIndex) -> u64 {
        assert!(u32::from(worker.0) < self.workers, "{worker:?} belongs to another runtime");
        1 << worker.0
    }
}

fn searching(word: u64) -> u64 {
    word >> MAX_WORKERS
}

impl Drop for Sentinel<'_> {
    fn drop(&mut self) {
        self.idle.shared.sentinel.store(NO_SENTINEL, Ordering::Release);
    }
}

impl WokenBy {
    /// What the worker is counted as from here on.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            WokenBy::Notifier => Role::Searching,
            WokenBy::Itself => Role::Working,
        }
    }
}

impl WorkerIndex {
    /// The number of the worker, from 0.
    #[must_use]
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Debug for WorkerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker#{}", self.0)
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idle")
            .field("workers", &self.workers)
            .field("sleeping", &self.sleeping())
            .field("searching", &self.searching())
            .finish()
    }
}

impl fmt::Debug for Sentinel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinel").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
