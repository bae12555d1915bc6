//! The cell: header, then the future, later the outcome, in one allocation.
//!
//! Invariants: `task.drop-before-wake`, and its side of `task.outcome-once`: an outcome that is still in the
//! cell when it is freed is dropped then. Not here: the join slot (`join`), polling's panic guard (`run`).
use super::engine;
use super::header::{Header, TaskRef};
use super::join::JoinRef;
use super::polled::Noted;
use super::run::{Progress, Runnable, borrowed_waker};
use super::slab;
use super::waiter::Waiter;
use crate::slot::{JoinSlot, Published};
use crate::{Loss, Owner, Raise, Verdict, Whose, Word, control};
use alloc::boxed::Box;
use core::alloc::Layout;
use core::any::Any;
use core::cell::UnsafeCell;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, needs_drop, offset_of};
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, Ordering::*};
use core::task::{Context, Poll};
use types::{Failure, Outcome, Panic, TaskId, TaskOutput};

/// What the untyped parts of the crate need to know about a cell's type.
#[derive(Debug)]
pub(crate) struct Vtable {
    pub(crate) poll: unsafe fn(NonNull<Header>, &mut Progress),
    pub(crate) drop_future: unsafe fn(NonNull<Header>),
    pub(crate) finish_panicked: unsafe fn(NonNull<Header>, Box<dyn Any + Send>, &mut Progress),
    pub(crate) discard: fn(&Header, Whose, &mut dyn FnMut()),
    drop_outcome: unsafe fn(NonNull<Header>),
    pub(crate) take_loss: unsafe fn(NonNull<Header>) -> Option<Loss>,
    release: fn(&Header),
    pub(crate) type_name: fn() -> &'static str,
    layout: Layout,
    pub(crate) outcome_offset: usize,
}

union Stage<F, O> {
    future: ManuallyDrop<F>,
    outcome: ManuallyDrop<O>,
}

type OutcomeOf<T> = Outcome<<T as TaskOutput>::Ok, <T as TaskOutput>::Err>;

#[repr(C)]
struct Cell<F, T: TaskOutput> {
    header: Header,
    stage: UnsafeCell<Stage<F, OutcomeOf<T>>>,
}

struct Typed<F, T, O>(PhantomData<(F, T, O)>);

impl<F, T, O> Typed<F, T, O>
where
    F: Future<Output = T>,
    T: TaskOutput,
    O: Owner,
{
    const VTABLE: Vtable = Vtable {
        poll: Self::poll,
        drop_future: Self::drop_future,
        finish_panicked: Self::finish_panicked,
        discard: O::discard,
        drop_outcome: Self::drop_outcome,
        take_loss: Self::take_loss,
        release: O::release,
        type_name: core::any::type_name::<F>,
        layout: Layout::new::<Cell<F, T>>(),
        outcome_offset: offset_of!(Cell<F, T>, stage),
    };

    /// # Safety
    /// `task` is the header of a `Cell<F, T>` whose runnable the caller owns.
    unsafe fn poll(task: NonNull<Header>, progress: &mut Progress) {
        // SAFETY: the runnable keeps the cell alive, and nobody else touches the stage.
        unsafe {
            let header = task.as_ref();
            let wakes = header.word.begin_poll();
            let waker = borrowed_waker(task);
            let mut context = Context::from_waker(&waker);
            let control = header.control();
            if control & (control::BODY_GONE | control::ABANDON) != 0 {
                return Self::poll_cold(task, control, wakes, &mut context, progress);
            }
            let future = &mut *(*task.cast::<Cell<F, T>>().as_ref().stage.get()).future;
            let polled = {
                let _noted = Noted::new(header);
                Pin::new_unchecked(future).poll(&mut context)
            };
            match polled {
                Poll::Pending => {
                    *progress = Progress::Released;
                    if header.word.end_poll(wakes) {
                        engine::requeue(task)
                    }
                }
                Poll::Ready(value) => {
                    *progress = Progress::FutureGone;
                    let mut held = Held::<T, O> { value: Some(value), task: header, owner: PhantomData };
                    Self::drop_future(task);
                    let Some(value) = held.value.take() else { unreachable!("only its drop takes it") };
                    // The end may free what it borrows.
                    core::mem::forget(held);
                    Self::body_ended(task, value.into_outcome(), wakes, &mut context, progress)
                }
            }
        }
    }

    /// The task drains its children, or is to be abandoned.
    #[cold]
    unsafe fn poll_cold(
        task: NonNull<Header>,
        control: u32,
        wakes: u64,
        context: &mut Context<'_>,
        progress: &mut Progress,
    ) {
        // SAFETY: as `poll`.
        unsafe {
            if control & control::BODY_GONE == 0 {
                O::abandoned(task.as_ref());
                *progress = Progress::FutureGone;
                Self::drop_future(task);
                let outcome = Outcome::Panicked(Panic::abandoned("its cleanup deadline had passed"));
                Self::body_ended(task, outcome, wakes, context, progress)
            } else {
                *progress = Progress::Draining;
                Self::drain(task, wakes, context, progress)
            }
        }
    }

    /// # Safety
    /// As `poll`; the future is gone and no outcome is in the cell.
    #[inline]
    unsafe fn body_ended(
        task: NonNull<Header>,
        outcome: Outcome<T::Ok, T::Err>,
        wakes: u64,
        context: &mut Context<'_>,
        progress: &mut Progress,
    ) {
        // SAFETY: as `poll`.
        unsafe {
            let cell = task.cast::<Cell<F, T>>().as_ref();
            (*cell.stage.get()).outcome = ManuallyDrop::new(outcome);
            let header = &cell.header;
            let plain = matches!((*cell.stage.get()).outcome.severity(), types::Severity::Ok)
                && header.ext.load(Acquire).is_null()
                && header.control() & control::TRACE == 0;
            *progress = Progress::Draining;
            if !plain && Self::tell_body_ended(task) {
                header.control.fetch_or(control::BODY_GONE, AcqRel);
                return Self::drain(task, wakes, context, progress);
            }
            Self::finish(task, progress)
        }
    }

    /// Tells the owner. True if the task owns children that have to end first.
    ///
    /// # Safety
    /// As `poll`; the outcome is in the cell.
    unsafe fn tell_body_ended(task: NonNull<Header>) -> bool {
        // SAFETY: as `poll`.
        unsafe {
            let cell = task.cast::<Cell<F, T>>().as_ref();
            let bomb = Bomb;
            let drains = O::body_ended(&cell.header, verdict(&(*cell.stage.get()).outcome));
            core::mem::forget(bomb);
            drains
        }
    }

    /// # Safety
    /// As `poll`; the outcome is in the cell.
    #[cold]
    unsafe fn drain(task: NonNull<Header>, wakes: u64, context: &mut Context<'_>, progress: &mut Progress) {
        // SAFETY: as `poll`.
        unsafe {
            let cell = task.cast::<Cell<F, T>>().as_ref();
            let verdict = verdict(&(*cell.stage.get()).outcome);
            match O::poll_drain(&cell.header, verdict, context) {
                Poll::Pending => {
                    *progress = Progress::Released;
                    if cell.header.word.end_poll(wakes) {
                        engine::requeue(task)
                    }
                }
                Poll::Ready(raise) => {
                    let outcome = &mut *(*cell.stage.get()).outcome;
                    let raised = match raise {
                        Raise::Nothing => None,
                        Raise::Cancelled(c) => Some(Outcome::Cancelled(c)),
                        Raise::Panicked(p) => Some(Outcome::Panicked(p)),
                    };
                    if let Some(raised) = raised {
                        let outdone = match outcome {
                            // The body's own panic stays.
                            Outcome::Panicked(_) => raised,
                            _ => core::mem::replace(outcome, raised),
                        };
                        match outdone {
                            Outcome::Err(error) => O::outdone(&cell.header, Failure::new(error)),
                            outdone => {
                                let mut outdone = Some(outdone);
                                O::discard(&cell.header, Whose::Member, &mut || drop(outdone.take()))
                            }
                        }
                    }
                    Self::finish(task, progress)
                }
            }
        }
    }

    /// Publishes the outcome, leaves the region, completes.
    ///
    /// # Safety
    /// As `poll`; the outcome is in the cell.
    #[inline]
    unsafe fn finish(task: NonNull<Header>, progress: &mut Progress) {
        // SAFETY: as `poll`; after `swap` the outcome belongs to whoever takes it, and is not looked at again:
        // what the verdict borrows is a clone.
        unsafe {
            let cell = task.cast::<Cell<F, T>>().as_ref();
            let header = &cell.header;
            let outcome = &*(*cell.stage.get()).outcome;
            let cancelled = match outcome {
                Outcome::Cancelled(c) => Some(c.clone()),
                _ => None,
            };
            let verdict = match (&cancelled, verdict(outcome)) {
                (Some(c), _) => Verdict::Cancelled(c),
                (None, Verdict::Err) => Verdict::Err,
                (None, Verdict::Panicked) => Verdict::Panicked,
                (None, _) => Verdict::Ok,
            };
            let severity = outcome.severity() as u32;
            if severity != 0 {
                header.control.fetch_or(severity << control::SEVERITY_SHIFT, AcqRel);
            }
            let before = header.join.publish();
            // From here on the outcome is final: what panics before the task has left ends the process.
            if before == Published::Unclaimed {
                if severity != 0 {
                    header.control.fetch_or(control::UNCLAIMED, AcqRel);
                } else {
                    // Nobody wants it. It is dropped before the region hears of the end: what its drop does
                    // still happens inside the region.
                    header.join.discard();
                    if needs_drop::<T::Ok>() {
                        let bomb = Bomb;
                        O::discard(header, Whose::Member, &mut || Self::drop_outcome(task));
                        core::mem::forget(bomb);
                    }
                }
            }
            let joiner = match before {
                Published::Waiter(raw) => Some(Waiter::from_raw(raw)),
                Published::Nobody | Published::Unclaimed => None,
            };
            Self::leave(task, verdict, joiner, progress)
        }
    }

    /// The end of a task whose outcome is published.
    ///
    /// # Safety
    /// As `poll`; called once, and the task is not touched afterwards.
    #[inline]
    unsafe fn leave(
        task: NonNull<Header>,
        verdict: Verdict<'_>,
        joiner: Option<Waiter>,
        progress: &mut Progress,
    ) {
        /// Wakes when dropped, so that a waker that panics does not take the other one's wake with it.
        struct Wake(Option<Waiter>);
        impl Drop for Wake {
            fn drop(&mut self) {
                if let Some(waiter) = self.0.take() {
                    waiter.wake()
                }
            }
        }
        // SAFETY: as `poll`; the live reference is given up by `complete`, and only the one that sees the last
        // reference go frees the cell.
        unsafe {
            let bomb = Bomb;
            let closer = O::ended(task.as_ref(), verdict);
            core::mem::forget(bomb);
            *progress = Progress::Released;
            let _closer = Wake(closer);
            let _joiner = Wake(joiner);
            if task.as_ref().word.complete(task.as_ref().spare()) {
                free(task)
            }
        }
    }

    /// # Safety
    /// As `poll`; the future is gone. With `Draining` an outcome is in the cell and is replaced.
    unsafe fn finish_panicked(task: NonNull<Header>, payload: Box<dyn Any + Send>, progress: &mut Progress) {
        // SAFETY: as `poll`.
        unsafe {
            let cell = task.cast::<Cell<F, T>>().as_ref();
            let outcome = Outcome::Panicked(Panic::from_payload(payload));
            let slot = &mut (*cell.stage.get()).outcome;
            if *progress == Progress::Draining {
                let mut replaced = Some(core::mem::replace(&mut **slot, outcome));
                O::discard(&cell.header, Whose::Member, &mut || drop(replaced.take()));
            } else {
                *slot = ManuallyDrop::new(outcome);
            }
            if *progress != Progress::Draining && Self::tell_body_ended(task) {
                // The children are awaited by the next poll; the wakes stay counted, so it is still ours.
                *progress = Progress::Released;
                cell.header.control.fetch_or(control::BODY_GONE, AcqRel);
                engine::requeue(task)
            } else {
                Self::finish(task, progress)
            }
        }
    }

    /// # Safety
    /// The future is in the cell and is not used again.
    unsafe fn drop_future(task: NonNull<Header>) {
        // SAFETY: says the caller.
        unsafe { ManuallyDrop::drop(&mut (*task.cast::<Cell<F, T>>().as_ref().stage.get()).future) }
    }

    /// # Safety
    /// The outcome is in the cell, the caller has the right to it, and it is not used again.
    unsafe fn drop_outcome(task: NonNull<Header>) {
        // SAFETY: says the caller.
        unsafe { ManuallyDrop::drop(&mut (*task.cast::<Cell<F, T>>().as_ref().stage.get()).outcome) }
    }

    /// # Safety
    /// As `drop_outcome`.
    unsafe fn take_loss(task: NonNull<Header>) -> Option<Loss> {
        // SAFETY: says the caller; the value is read out once.
        let outcome =
            unsafe { ManuallyDrop::take(&mut (*task.cast::<Cell<F, T>>().as_ref().stage.get()).outcome) };
        match outcome {
            Outcome::Ok(_) => None,
            Outcome::Err(e) => Some(Loss::Failed(Failure::new(e))),
            Outcome::Cancelled(c) => Some(Loss::Cancelled(c)),
            Outcome::Panicked(p) => Some(Loss::Panicked(p)),
        }
    }
}

/// What a body returned, until its future is gone: if the drop of that panics, nobody takes the value.
struct Held<'a, T, O: Owner> {
    value: Option<T>,
    task: &'a Header,
    owner: PhantomData<O>,
}

impl<T, O: Owner> Drop for Held<'_, T, O> {
    #[inline]
    fn drop(&mut self) {
        if needs_drop::<T>() && self.value.is_some() {
            O::discard(self.task, Whose::Member, &mut || drop(self.value.take()))
        }
    }
}

/// Ends the process if it is dropped: what it guards must not unwind, because the task would be left half linked or its children unawaited.
struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the owner of a task unwound while it was told of the task's end: aborting")
    }
}

fn verdict<T, E>(outcome: &Outcome<T, E>) -> Verdict<'_> {
    match outcome {
        Outcome::Ok(_) => Verdict::Ok,
        Outcome::Err(_) => Verdict::Err,
        Outcome::Cancelled(c) => Verdict::Cancelled(c),
        Outcome::Panicked(_) => Verdict::Panicked,
    }
}

/// Drops an outcome that is still in its cell. Cold: joins take most outcomes.
///
/// # Safety
/// No reference is left, and the join slot says `DONE`.
#[cold]
#[inline(never)]
unsafe fn free_with_outcome(task: NonNull<Header>) {
    // SAFETY: last reference, join slot says the outcome is still in the cell.
    unsafe {
        let header = task.as_ref();
        (header.vtable.discard)(header, Whose::Gone, &mut || (header.vtable.drop_outcome)(task))
    }
}

/// Frees a cell whose last reference the caller gave up.
///
/// # Safety
/// No reference is left.
#[inline]
pub(crate) unsafe fn free(task: NonNull<Header>) {
    /// Gives the memory back also when the drop of the outcome panics.
    struct GiveBack(NonNull<Header>);
    impl Drop for GiveBack {
        fn drop(&mut self) {
            // SAFETY: as in `free`: no reference is left, and nothing but the header is in the cell.
            unsafe {
                let vtable = self.0.as_ref().vtable;
                if !self.0.as_ref().ext.load(Relaxed).is_null() {
                    (vtable.release)(self.0.as_ref());
                }
                slab::free(self.0.cast(), vtable.layout);
            }
        }
    }
    // SAFETY: last reference: plain accesses are exclusive; `release_ref` synchronised with all others.
    let header = unsafe { task.as_ref() };
    debug_assert!(header.word.is_complete(), "a live task was freed");
    let _give_back = GiveBack(task);
    if header.join.holds_outcome() {
        // SAFETY: says the caller, and the join slot.
        unsafe { free_with_outcome(task) };
    }
}

/// What a new cell needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Tag of the engine that will run the task.
    pub tag: u16,
    /// The owning region, as the layer above sees it.
    pub region: *const (),
    /// First value of the control word.
    pub control: u32,
    /// Where the task is spawned.
    pub at: &'static Location<'static>,
}

/// A cell that has a header but no future yet. Dropping it gives the memory back.
#[derive(Debug)]
pub struct NewCell<F, T: TaskOutput, O: Owner> {
    task: NonNull<Header>,
    marker: PhantomData<(F, T, O)>,
}

impl<F, T, O> NewCell<F, T, O>
where
    F: Future<Output = T>,
    T: TaskOutput,
    O: Owner,
{
    /// Allocates a cell with two references: the live one and the handle's.
    #[inline]
    pub fn allocate(origin: Origin) -> NewCell<F, T, O> {
        let vtable: &'static Vtable = &Typed::<F, T, O>::VTABLE;
        let task: NonNull<Header> = slab::allocate(vtable.layout).cast();
        let header = Header {
            word: Word::scheduled(2),
            vtable,
            next: AtomicPtr::new(core::ptr::null_mut()),
            control: AtomicU32::new(origin.control),
            coop: AtomicU16::new(0),
            tag_and_spare: Header::tagged(origin.tag),
            region: origin.region,
            prev_link: AtomicPtr::new(core::ptr::null_mut()),
            next_sibling: AtomicPtr::new(core::ptr::null_mut()),
            join: JoinSlot::new(),
            ext: AtomicPtr::new(core::ptr::null_mut()),
            wait_kind: AtomicPtr::new(core::ptr::null_mut()),
            spawned_at: origin.at,
            wait_since: AtomicU32::new(0),
            index: AtomicU32::new(0),
        };
        // SAFETY: the memory was allocated with the cell's layout, which begins with the header.
        unsafe { task.write(header) };
        // `Header::cell` finds its way back.
        let _ = task.as_ptr().expose_provenance();
        NewCell { task, marker: PhantomData }
    }

    /// The header. The task is not runnable before `start`.
    #[inline]
    pub fn task(&self) -> NonNull<Header> {
        self.task
    }

    /// Puts the future in and makes the task runnable once. `id` is what the layer above calls it.
    ///
    /// # Safety
    /// `F` may be polled by the engine of the origin's tag (its threads, if it is not `Send`), and stays
    /// valid until dropped there.
    #[inline]
    pub unsafe fn start(self, future: F, id: TaskId) -> (Runnable, JoinRef<T::Ok, T::Err>) {
        let task = ManuallyDrop::new(self).task;
        // SAFETY: the stage is uninitialised and ours; the word of a new cell counts one wake, which is the
        // runnable made here, and one reference for the handle.
        unsafe {
            (*task.cast::<Cell<F, T>>().as_ref().stage.get()).future = ManuallyDrop::new(future);
            (Runnable::from_raw(task), JoinRef { task: TaskRef::from_raw(task), id, marker: PhantomData })
        }
    }

    /// Starts a task whose body could not be made: its only poll drains what it owns already and ends it with
    /// `outcome`. It has no handle.
    ///
    /// # Safety
    /// As `start`.
    #[cold]
    pub unsafe fn start_ended(self, outcome: Outcome<T::Ok, T::Err>) -> Runnable {
        let task = ManuallyDrop::new(self).task;
        // SAFETY: as in `start`, with the outcome in the stage instead of the future, which is what `BODY_GONE`
        // says.
        unsafe {
            let cell = task.cast::<Cell<F, T>>().as_ref();
            (*cell.stage.get()).outcome = ManuallyDrop::new(outcome);
            cell.header.control.fetch_or(control::BODY_GONE, AcqRel);
            // Drained in any case: the one poll finds out whether there is anything to wait for.
            let _ = Typed::<F, T, O>::tell_body_ended(task);
            let id = TaskId::from_u64(0);
            drop(JoinRef::<T::Ok, T::Err> { task: TaskRef::from_raw(task), id, marker: PhantomData });
            Runnable::from_raw(task)
        }
    }

    /// Ends the task before it ever ran: its handle joins as `outcome`, and it has no identity. It must not be linked
    /// anywhere.
    pub fn refuse(self, outcome: Outcome<T::Ok, T::Err>) -> JoinRef<T::Ok, T::Err> {
        let task = ManuallyDrop::new(self).task;
        // SAFETY: the cell is ours alone. One reference, the handle's, remains.
        unsafe {
            let severity = outcome.severity() as u32;
            let cell = task.cast::<Cell<F, T>>().as_mut();
            cell.header.control.fetch_or(severity << control::SEVERITY_SHIFT, Relaxed);
            cell.stage.get_mut().outcome = ManuallyDrop::new(outcome);
            cell.header.word = Word::completed(1);
            cell.header.join = JoinSlot::finished();
            JoinRef { task: TaskRef::from_raw(task), id: TaskId::from_u64(0), marker: PhantomData }
        }
    }
}

impl<F, T: TaskOutput, O: Owner> Drop for NewCell<F, T, O> {
    fn drop(&mut self) {
        // SAFETY: never started: no other reference exists, and the stage holds nothing.
        unsafe { slab::free(self.task.cast(), Layout::new::<Cell<F, T>>()) }
    }
}
