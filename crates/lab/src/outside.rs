//! Touches from outside: what a thread that is not the lab's does to what a run's tasks share.
//!
//! Its moment is nobody's decision, so a run in which it happens can't be repeated, and its result means little: the run
//! fails, and says which thread did what to which object, at which line. A thread that wakes a task is seen by the
//! engine (`arrivals`); this is for those that only look, or change what nobody waits for.
//!
//! Objects are called the same in every run, on whichever thread. So that a touch can be told to be of one run and not of
//! another one that goes on at the same time, what an object is told to be called is mixed with a number of the thread that
//! runs the lab.
//!
//! Invariant `outside.own-run`: a touch is held against a run only if it came after that run had begun, and its object was
//! created in a run of the same thread under the same name.
//!
//! A thread that has ever run a lab itself is not looked at: it may drop what is left of its own runs whenever it likes.
//!
//! Not here: what the lab's own thread does to objects (`watch`).
use crate::names::Names;
use crate::world::locked;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::*};
use trace::{Access, ObjectId, ObjectKind};

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    /// What the object is told to be called.
    told: ObjectId,
    access: Access,
    at: Option<&'static Location<'static>>,
    thread: String,
    /// How many there were before.
    nth: u64,
}

/// How many are kept: who asks has been waiting since the beginning of one run at most.
const KEPT: usize = 64;

static TOUCHED: Mutex<VecDeque<Touched>> = Mutex::new(VecDeque::new());
/// How many there were. Counted while the list is locked.
static NOTED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// What the names of this thread's objects are mixed with; 0 if it has never run a lab.
    static SALT: Cell<u64> = const { Cell::new(0) };
    /// The run of a lab that goes on here, if it is one in which steps are not looked at.
    static PLAIN: RefCell<Option<Plain>> = const { RefCell::new(None) };
}

/// This thread's number to mix with. It runs a lab from now on.
pub(crate) fn salt() -> u64 {
    match SALT.get() {
        0 => new_salt(),
        salt => salt,
    }
}

#[cold]
fn new_salt() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let salt = region::mix(0x6F75_7473, NEXT.fetch_add(1, Relaxed)).max(1);
    SALT.set(salt);
    salt
}

/// How many touches there were in this process.
pub(crate) fn noted() -> u64 {
    NOTED.load(Acquire)
}

/// A thread on which no run goes on does this to an object of a run, by the name that it was told.
#[cold]
pub(crate) fn note(told: ObjectId, access: Access, at: Option<&'static Location<'static>>) {
    if SALT.get() != 0 {
        return;
    }
    let thread = std::thread::current().name().unwrap_or("without a name").to_string();
    let mut touched = locked(&TOUCHED);
    let nth = NOTED.load(Relaxed);
    if touched.len() == KEPT {
        touched.pop_front();
    }
    touched.push_back(Touched { told, access, at, thread, nth });
    NOTED.store(nth + 1, Release);
}

/// The first touch since there were so many, of an object that `is_ours`.
#[cold]
fn since(from: u64, is_ours: impl Fn(ObjectId) -> bool) -> Option<Touched> {
    let touched = locked(&TOUCHED);
    touched.iter().find(|touched| touched.nth >= from && is_ours(touched.told)).cloned()
}

/// In words, the first touch of an object of a run on this thread that began when there were so many. `created` are the run's.
pub(crate) fn told(
    from: u64,
    created: &[(ObjectId, ObjectKind, &'static Location<'static>)],
) -> Option<String> {
    if noted() == from {
        return None;
    }
    let salt = salt();
    let own = |told: ObjectId| ObjectId(told.0 ^ salt);
    let touched = since(from, |told| created.iter().any(|(id, ..)| *id == own(told)))?;
    let mut names = Names::default();
    created.iter().for_each(|(id, kind, at)| names.object(*id, *kind, at));
    let Touched { told, access, at, thread, .. } = touched;
    let at = at.map(|at| format!(", at {}:{}", at.file(), at.line())).unwrap_or_default();
    Some(format!(
        "the thread `{thread}`, which is not the lab's, {access} {}{at}",
        names.of_object(own(told))
    ))
}

/// The objects of a run in which steps are not looked at.
struct Plain {
    from: u64,
    created: Vec<(ObjectId, ObjectKind, &'static Location<'static>)>,
}

/// How many objects of such a run are looked after: it may be long.
const CREATED: usize = 1 << 16;

/// As long as it is there, objects that are created on this thread are those of a run whose steps nobody looks at.
pub(crate) struct Looked(());

impl Looked {
    /// From here on. `None` inside of another run.
    pub(crate) fn begin() -> Option<Looked> {
        _ = salt();
        PLAIN.with_borrow_mut(|plain| {
            let free = plain.is_none();
            plain.get_or_insert_with(|| Plain { from: noted(), created: Vec::new() });
            // Not `then_some`: one that is made and dropped at once would end what it must not.
            free.then(|| Looked(()))
        })
    }

    /// What was done to them from outside so far, in words.
    pub(crate) fn told(&self) -> Option<String> {
        PLAIN.with_borrow(|plain| plain.as_ref().and_then(|Plain { from, created }| told(*from, created)))
    }
}

impl Drop for Looked {
    fn drop(&mut self) {
        // A thread that ends has no such variable any more.
        let _ = PLAIN.try_with(RefCell::take);
    }
}

/// An object is created where steps are not looked at: what it is told to be called, if a run goes on.
pub(crate) fn created(kind: ObjectKind, at: &'static Location<'static>) -> Option<ObjectId> {
    let of_run = |plain: &RefCell<Option<Plain>>| {
        let mut plain = plain.borrow_mut();
        let Plain { created, .. } = plain.as_mut()?;
        let id = ObjectId(region::mix(0x706C_6169, created.len() as u64));
        (created.len() < CREATED).then(|| {
            created.push((id, kind, at));
            ObjectId(id.0 ^ salt())
        })
    };
    PLAIN.try_with(of_run).ok().flatten()
}
