//! Memory for cells: with `std`, free lists per thread in 16-byte classes, refilled in batches from a
//! central list; without, the global allocator.
//!
//! A task's cell lives shortly and its size repeats, so the common case is pop and push on a list that only
//! this thread sees (about 5 ns together; glibc needs 20 and falls off its fast path for batches). Chunks
//! are never given back to the system, so their memory stays of one class (`slab.type-stable`). Freed on
//! another thread than the one that allocated, a cell goes to the freer's list; the spill bounds the drift.
//! What the layer above hangs on a task lives here too ([`put`]), as it comes and goes with it.
//! `--cfg asupersync_malloc` takes the cache out, so that AddressSanitizer sees every cell.
use core::alloc::Layout;
use core::ptr::NonNull;

/// Puts a value beside the cells. What `Box` does, at the cost of a cell.
#[inline]
pub fn put<T>(value: T) -> NonNull<T> {
    put_with(|| value)
}

/// As [`put`], with the place taken first: a value that is long and mostly empty is then made there, and not copied. If
/// `make` panics, the place is lost.
#[inline]
pub fn put_with<T>(make: impl FnOnce() -> T) -> NonNull<T> {
    const { assert!(size_of::<T>() > 0, "a block holds something") }
    let place = allocate(Layout::new::<T>()).cast::<T>();
    // SAFETY: it was allocated for a `T`, and is nobody else's.
    unsafe { place.write(make()) }
    place
}

/// Drops a value and frees its place.
///
/// # Safety
/// `place` came from [`put`] and is not used again.
#[inline]
pub unsafe fn discard<T>(place: NonNull<T>) {
    /// Frees the place even if the value's drop panics.
    struct Place<T>(NonNull<T>);
    impl<T> Drop for Place<T> {
        fn drop(&mut self) {
            // SAFETY: `put` allocated it with this layout; its value has been dropped.
            unsafe { free(self.0.cast(), Layout::new::<T>()) }
        }
    }
    let place = Place(place);
    // SAFETY: says the caller.
    unsafe { place.0.drop_in_place() }
}

#[cfg(any(not(feature = "std"), loom, asupersync_malloc))]
mod system {
    use super::*;

    pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
        // SAFETY: a cell is never of size zero: it begins with a header.
        let p = unsafe { alloc::alloc::alloc(layout) };
        NonNull::new(p).unwrap_or_else(|| alloc::alloc::handle_alloc_error(layout))
    }

    /// # Safety
    /// `p` came from `allocate` with the same layout.
    pub(crate) unsafe fn free(p: NonNull<u8>, layout: Layout) {
        // SAFETY: says the caller.
        unsafe { alloc::alloc::dealloc(p.as_ptr(), layout) }
    }

    /// Nothing to flush.
    pub fn flush_thread_cache() {}
}
#[cfg(any(not(feature = "std"), loom, asupersync_malloc))]
pub use system::flush_thread_cache;
#[cfg(any(not(feature = "std"), loom, asupersync_malloc))]
pub(crate) use system::{allocate, free};

#[cfg(all(feature = "std", not(loom), not(asupersync_malloc)))]
pub use cached::flush_thread_cache;
#[cfg(all(feature = "std", not(loom), not(asupersync_malloc)))]
pub(crate) use cached::{allocate, free};

#[cfg(all(feature = "std", not(loom), not(asupersync_malloc)))]
mod cached {
    use super::*;
    use alloc::vec::Vec;
    use core::cell::Cell;
    use std::sync::Mutex;
    use std::thread_local;

    const STEP: usize = 16;
    const CLASSES: usize = 65;
    const BATCH: usize = 128;
    const CHUNK: usize = 64 * 1024;
    const CHUNK_LAYOUT: Layout = match Layout::from_size_align(CHUNK, STEP) {
        Ok(l) => l,
        Err(_) => panic!("the chunk's layout is a constant"),
    };

    /// A free block: its first word links to the next.
    #[derive(Clone, Copy)]
    struct List {
        head: *mut u8,
        len: usize,
    }
    struct Class {
        list: Cell<List>,
        bump: Cell<(*mut u8, usize)>,
    }

    thread_local! {
        // Constant and without a destructor, so that it is a plain thread-local access and works for as
        // long as the thread does.
        static CACHE: [Class; CLASSES] = const {
            [const { Class {
                list: Cell::new(List { head: core::ptr::null_mut(), len: 0 }),
                bump: Cell::new((core::ptr::null_mut(), 0)),
            } }; CLASSES]
        };
        // Touched on the slow path only: gives the cache back when the thread ends.
        static AT_EXIT: FlushAtExit = const { FlushAtExit };
    }
    struct FlushAtExit;
    impl Drop for FlushAtExit {
        fn drop(&mut self) {
            flush_thread_cache()
        }
    }

    /// Lists of any length, by class.
    struct Batch(List);
    // SAFETY: the blocks of a batch belong to whoever holds the batch.
    unsafe impl Send for Batch {}
    static CENTRAL: [Mutex<Vec<Batch>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

    fn class_of(layout: Layout) -> Option<usize> {
        let class = layout.size().div_ceil(STEP);
        (class < CLASSES && layout.align() <= STEP).then_some(class)
    }

    #[inline]
    pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
        let Some(class) = class_of(layout) else {
            // SAFETY: a cell is never of size zero.
            let p = unsafe { std::alloc::alloc(layout) };
            return NonNull::new(p).unwrap_or_else(|| std::alloc::handle_alloc_error(layout));
        };
        CACHE.with(|cache| {
            let list = cache[class].list.get();
            let Some(block) = NonNull::new(list.head) else { return refill(&cache[class], class) };
            // SAFETY: a block in the list holds the link to the next in its first word.
            let next = unsafe { block.cast::<*mut u8>().read() };
            cache[class].list.set(List { head: next, len: list.len - 1 });
            block
        })
    }

    #[cold]
    #[inline(never)]
    fn refill(cache: &Class, class: usize) -> NonNull<u8> {
        let _ = AT_EXIT.try_with(|_| ());
        let batch = CENTRAL[class].lock().unwrap_or_else(|e| e.into_inner()).pop();
        if let Some(Batch(list)) = batch
            && let Some(block) = NonNull::new(list.head)
        {
            // SAFETY: as in `allocate`.
            let next = unsafe { block.cast::<*mut u8>().read() };
            cache.list.set(List { head: next, len: list.len - 1 });
            return block;
        }
        let size = class * STEP;
        let (mut at, mut left) = cache.bump.get();
        if left < size {
            // SAFETY: the layout's size is not zero.
            at = unsafe { std::alloc::alloc(CHUNK_LAYOUT) };
            if at.is_null() {
                std::alloc::handle_alloc_error(CHUNK_LAYOUT)
            }
            left = CHUNK;
        }
        // SAFETY: `size` bytes are left in the chunk.
        cache.bump.set((unsafe { at.add(size) }, left - size));
        // SAFETY: a chunk's address is not null.
        unsafe { NonNull::new_unchecked(at) }
    }

    /// # Safety
    /// `block` came from `allocate` with the same layout and is not used again.
    #[inline]
    pub(crate) unsafe fn free(block: NonNull<u8>, layout: Layout) {
        let Some(class) = class_of(layout) else {
            // SAFETY: says the caller.
            return unsafe { std::alloc::dealloc(block.as_ptr(), layout) };
        };
        CACHE.with(|cache| {
            let list = cache[class].list.get();
            // SAFETY: the block is free, at least 16 bytes, and aligned to 16.
            unsafe { block.cast::<*mut u8>().write(list.head) };
            let len = list.len + 1;
            cache[class].list.set(List { head: block.as_ptr(), len });
            if len >= 2 * BATCH {
                spill(&cache[class], class)
            }
        })
    }

    #[cold]
    #[inline(never)]
    fn spill(cache: &Class, class: usize) {
        let _ = AT_EXIT.try_with(|_| ());
        let list = cache.list.get();
        let mut last = list.head;
        for _ in 1..BATCH {
            // SAFETY: the list is at least two batches long.
            last = unsafe { last.cast::<*mut u8>().read() };
        }
        // SAFETY: as above; the batch is cut off behind `last`.
        let rest = unsafe { last.cast::<*mut u8>().replace(core::ptr::null_mut()) };
        cache.list.set(List { head: rest, len: list.len - BATCH });
        let batch = Batch(List { head: list.head, len: BATCH });
        CENTRAL[class].lock().unwrap_or_else(|e| e.into_inner()).push(batch);
    }

    /// Gives this thread's free blocks to the others. Workers call it when they end; other threads do so by
    /// themselves at exit. The rest of a bump chunk stays unused.
    pub fn flush_thread_cache() {
        let _ = CACHE.try_with(|cache| {
            for (class, c) in cache.iter().enumerate() {
                let list = c.list.replace(List { head: core::ptr::null_mut(), len: 0 });
                if list.len > 0 {
                    CENTRAL[class].lock().unwrap_or_else(|e| e.into_inner()).push(Batch(list));
                }
            }
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use alloc::sync::Arc;

    #[test]
    fn a_value_that_is_put_beside_the_cells_is_dropped_once_when_it_is_discarded() {
        let shared = Arc::new(());
        let place = put((shared.clone(), [7u64; 9]));
        // SAFETY: nobody else has the place, and it is not used after `discard`.
        unsafe {
            assert_eq!((place.as_ref().1[8], Arc::strong_count(&shared)), (7, 2));
            discard(place)
        }
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
