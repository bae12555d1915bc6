//! A hierarchical timer wheel: deadlines in, expired timers out.
//!
//! After G. Varghese and T. Lauck, "Hashed and hierarchical timing wheels" (SOSP 1987), scheme 7.
//! Time is cut into *ticks* of 2^shift nanoseconds, and a tick is a number of eight digits to the
//! base 256. A timer sits at the level of the highest digit in which its tick differs from the
//! *cursor* (the tick the wheel has reached), in the slot of that digit:
//!
//! ```text
//!              cursor = .. 00 05 2a 10
//!   tick .. 00 05 2a 77 -> level 0, slot 77: one tick, known exactly
//!   tick .. 00 05 31 02 -> level 1, slot 31: some tick of 256
//!   tick .. 00 09 00 ff -> level 2, slot 09: some tick of 65536
//! ```
//!
//! When the cursor enters a slot above level 0, the slot's timers *cascade*: each is placed again
//! and lands at least one level lower. A full slot cascades in pieces, so that a crowd of timers
//! does not hold a worker up. Eight digits hold every tick there is, so there is no overflow list
//! with rules of its own; a level costs 8 KiB and is allocated when first used. With the default
//! tick of 65.536 us four levels reach 78 hours and six reach the end of time; with exact
//! nanoseconds (shift 0, for the lab) four reach 4.3 s.
//!
//! Insertion and removal are O(1). Empty stretches are jumped over by bitmaps of occupied slots, so
//! the cost of [`Wheel::advance`] depends on the timers it meets and not on the time that passed.
//!
//! Invariants:
//! - `wheel.never_early`: deadlines are rounded up to a tick, and time down.
//! - `wheel.ahead`: an occupied slot of level 0 is at or after the cursor's digit; of a higher
//!   level, after it. So the first occupied slot of the lowest occupied level is the next one. The
//!   exception is the slot that cascades just now, which comes before all others.
//! - `wheel.order`: timers fire in the order of their ticks, and within a tick in the order of
//!   their insertion. This makes a run with the same inputs repeat exactly. It holds because a slot
//!   keeps its order, and because nothing overtakes a cascade: the cursor enters a slot only with
//!   the cascade, and until that is finished new timers of the slot's ticks queue up in the slot.
//! - `wheel.progress`: advancing to [`Wheel::next_expiry`] fires or cascades something.
//!
//! Not here: the clock, waiting, wakers, locks. The runtime keeps one wheel per worker behind that
//! worker's lock, the lab keeps one for the whole world.

mod entries;
#[cfg(test)]
mod model;
mod occupancy;
mod slot;
#[cfg(all(test, not(asupersync_seeded)))]
mod tests;

use alloc::vec::Vec;
use core::{fmt, hint};

use types::Time;

use self::entries::Entries;
pub use self::entries::Key;
use self::occupancy::Occupancy;
use self::slot::Slot;

/// A set of timers, each a deadline and a value, that gives the values back when time has passed
/// their deadlines.
///
/// The wheel is passive: [`advance`](Wheel::advance) tells it the time. A timer never fires before
/// its deadline, and at the latest when time reaches the deadline rounded up to a tick (see
/// [`tick`](Wheel::tick)).
///
/// An empty wheel holds no memory. It grows to the largest number of timers it held at once: 32 bytes
/// each where the value (as an `Option<T>`) has 8 or fewer, a multiple of 32 beyond, and 4 to 8 in a slot, plus 8 KiB for each level
/// in use. A removed timer's place is free for the next one at once; a wheel that has seen its
/// usual load allocates nothing, unless more than 256 timers share a slot, which then returns its
/// vector when it empties (a fraction of an allocation per hundred timers).
///
/// ```
/// use asupersync_time::Wheel;
/// use core::time::Duration;
/// use types::Time;
///
/// let start = Time::ZERO;
/// let mut wheel = Wheel::new(start);
/// let tea = wheel.insert(start + Duration::from_secs(180), "tea");
/// let egg = wheel.insert(start + Duration::from_secs(300), "egg");
/// assert_eq!(wheel.remove(tea), Some("tea"));
///
/// while let Some(next) = wheel.next_expiry() {
///     // A real caller sleeps until `next` here.
///     let _ = wheel.advance(next, usize::MAX, |_, what| assert_eq!(what, "egg"));
/// }
/// assert_eq!(wheel.remove(egg), None, "it has fired");
/// ```
pub struct Wheel<T> {
    entries: Entries<T>,
    /// The slots of all levels in use, 256 for each.
    slots: Vec<Slot>,
    occupied: Occupancy,
    /// The tick the wheel has reached: that of `now`, or an earlier one whose timers are not all
    /// fired yet.
    cursor: u64,
    /// The slot whose cascade has begun and not ended, which the cursor stands at the start of. 0,
    /// which is at level 0 and never cascades, if there is none.
    cascading: usize,
    now: Time,
    shift: u32,
}

/// What one call of [`Wheel::advance`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "if `more` is set, timers are due that have not fired"]
pub struct Advanced {
    /// The number of timers fired.
    pub fired: usize,
    /// Whether the limit left work to do: due timers, or a crowd of timers to cascade that may have
    /// due ones among it. Another call, with the same time or a later one, goes on where this one
    /// stopped.
    pub more: bool,
}

impl<T> Wheel<T> {
    /// A wheel at time `now`, with ticks of 2^16 ns = 65.536 us.
    ///
    /// The tick is finer than the usual millisecond because it costs nothing (a shift, no
    /// division), and a millisecond would be the largest part of a timer's lateness.
    pub fn new(now: Time) -> Self {
        Wheel::with_shift(now, DEFAULT_SHIFT)
    }

    /// A wheel at time `now`, with ticks of 2^`shift` ns. A shift of 0 keeps deadlines exact and
    /// fires in their precise order.
    ///
    /// # Panics
    /// If `shift` is more than 32 (a tick of 4.3 seconds).
    pub fn with_shift(now: Time, shift: u32) -> Self {
        assert!(shift <= 32, "a tick is at most 2^32 ns");
        Wheel {
            entries: Entries::new(),
            slots: Vec::new(),
            occupied: Occupancy::new(),
            cursor: reached(now, shift),
            cascading: 0,
            now,
            shift,
        }
    }

    /// The number of timers in the wheel.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the wheel holds no timer.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The latest time the wheel was told.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Adds a timer. A deadline that has passed already is fine: it fires on the next
    /// [`advance`](Wheel::advance) that reaches its tick, which is at most one tick after `now`,
    /// and its turn within that tick comes last.
    ///
    /// Amortised O(1), without allocation in a steady state.
    ///
    /// # Panics
    /// If the wheel holds 2^32 - 1 timers.
    #[inline]
    pub fn insert(&mut self, deadline: Time, value: T) -> Key {
        let number = self.number_for(deadline);
        let position = self.push(number, self.entries.next());
        self.entries.insert(deadline, number as u32, position, value)
    }

    /// Takes a timer out before it fires, and frees its place. `None` if it has fired or was
    /// removed.
    ///
    /// O(1), and touches no other timer.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.entries.remove(key, |number, position| {
            let slot = &mut self.slots[number as usize];
            slot.remove(position, key.index());
            if slot.is_empty() {
                self.occupied.clear(number as usize);
            }
        })
    }

    /// The value of a timer, for instance to replace the waker in it. `None` if the timer has fired
    /// or was removed. O(1).
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entries.value_mut(key)
    }

    /// When to call [`advance`](Wheel::advance) next; `None` if the wheel is empty.
    ///
    /// Never before [`now`](Wheel::now), and never later than the moment the earliest timer fires
    /// (its deadline rounded up to a tick, or `now` if that has passed). It is exactly that moment
    /// if the timer is close (in the same 256 ticks: up to 16.8 ms) or its slot has few timers.
    /// Otherwise it may be the start of the slot, where `advance` fires nothing but cascades; this
    /// happens at most once per level, so at most three times for a timer within 78 hours. After an
    /// `advance` that left [`more`](Advanced::more) to do it is `now`.
    ///
    /// O(1): looks at one bitmap and at most 16 timers.
    pub fn next_expiry(&self) -> Option<Time> {
        let number = self.occupied.first()?;
        if self.cascading != 0 {
            return Some(self.now);
        }
        let slot = &self.slots[number];
        let tick = if number >= SLOTS && slot.scan_length() <= SCANNED_ITEMS {
            slot.iter().map(|index| self.tick_of(self.entries.entry(index).deadline)).min()?
        } else {
            self.start_of(number)
        };
        let time = self.time_of(tick);
        // Without `max`, a caller that waits for an overdue timer would be sent back in time.
        Some(if types::seeded!("time.past_expiry") { time } else { time.max(self.now) })
    }

    /// Tells the wheel that it is `now`, and fires timers that are due, at most `limit`: each
    /// leaves the wheel, and `fire` gets its deadline as it was inserted, and its value. Order: by
    /// tick, then by insertion.
    ///
    /// Timers past the limit stay due, can still be removed, and fire first on the next call. A
    /// time before the wheel's own counts as the wheel's own. If `fire` panics, the timer it was
    /// given is gone and everything else is as if the limit had been reached.
    ///
    /// One call costs O(`limit`): it cascades at most four timers for each that it may fire, so with
    /// a limit of 0 it neither fires nor cascades. (Only the skipping of places that removed timers
    /// left in a slot, four bytes each, comes on top; their removal has paid for it.) In all, a
    /// timer costs O(1) plus a move for each level that its slot was above the lowest.
    pub fn advance(&mut self, now: Time, limit: usize, mut fire: impl FnMut(Time, T)) -> Advanced {
        self.now = self.now.max(now);
        let target = reached(self.now, self.shift);
        debug_assert!(self.cursor <= target);
        let mut fired = 0;
        let mut moves = limit.saturating_mul(MOVES_PER_FIRING);
        loop {
            if self.cascading != 0 && !self.cascade(&mut moves) {
                return Advanced { fired, more: true };
            }
            let Some(number) = self.occupied.first() else {
                self.cursor = target;
                return Advanced { fired, more: false };
            };
            let start = self.start_of(number);
            if start > target {
                // No occupied slot begins up to the target, so every timer still differs from the
                // new cursor in the same highest digit: nothing has to move (`wheel.ahead`).
                self.cursor = target;
                return Advanced { fired, more: false };
            }
            debug_assert!(self.cursor <= start);
            self.cursor = start;
            if number >= SLOTS {
                self.cascading = number;
                continue;
            }
            let mut touched = 0;
            while fired < limit {
                if touched == 0 {
                    touched = self.touch(number);
                }
                touched -= 1;
                let slot = &mut self.slots[number];
                let Some(index) = slot.pop_front() else { break };
                // The wheel is whole again before `fire` runs, which may panic.
                if slot.is_empty() {
                    self.occupied.clear(number);
                }
                let (deadline, value) = self.entries.take(index);
                fired += 1;
                fire(deadline, value);
            }
            if !self.slots[number].is_empty() {
                return Advanced { fired, more: true };
            }
        }
    }

    /// The length of a tick in nanoseconds.
    #[inline]
    pub fn tick(&self) -> u64 {
        1 << self.shift
    }

    /// Looks at the first timers of a slot that is about to fire or to cascade, and says how many that are. They lie
    /// anywhere: these reads do not wait for each other, as those of timers that are handled one by one would.
    #[inline]
    fn touch(&self, number: usize) -> usize {
        let items = self.slots[number].iter().take(TOUCHED_ITEMS);
        hint::black_box(items.fold(0, |seen, index| seen ^ self.entries.entry(index).touch()));
        TOUCHED_ITEMS
    }

    /// The slot of a new timer, on a level that is there.
    #[inline]
    fn number_for(&mut self, deadline: Time) -> usize {
        let tick = self.tick_of(deadline);
        let level = level(tick ^ self.cursor);
        // A tick that differs from the cursor only below the cascading slot's level is one of that
        // slot's, and its earlier timers may still be in there.
        if level < self.cascading / SLOTS && !types::seeded!("time.overtaken_cascade") {
            return self.cascading;
        }
        let number = level * SLOTS + digit(tick, level);
        if number >= self.slots.len() {
            self.add_levels(level);
        }
        number
    }

    /// Appends a timer to a slot, and returns its position there.
    #[inline]
    fn push(&mut self, number: usize, index: u32) -> u32 {
        let slot = &mut self.slots[number];
        if slot.is_empty() {
            self.occupied.set(number);
        }
        let entries = &mut self.entries;
        slot.push(index, |moved, position| entries.entry_mut(moved).position = position)
    }

    #[cold]
    fn add_levels(&mut self, level: usize) {
        let length = (level + 1) * SLOTS;
        self.slots.reserve_exact(length - self.slots.len());
        self.slots.resize_with(length, Slot::default);
    }

    /// Places the timers of the cascading slot again, as long as there are `moves` left. Returns
    /// whether the cascade is finished.
    fn cascade(&mut self, moves: &mut usize) -> bool {
        let from = self.cascading;
        debug_assert_eq!(self.cursor, self.start_of(from));
        let mut touched = 0;
        while !self.slots[from].is_empty() {
            let Some(left) = moves.checked_sub(1) else { return false };
            *moves = left;
            if touched == 0 {
                touched = self.touch(from);
            }
            touched -= 1;
            let Some(index) = self.slots[from].pop_front() else { break };
            let tick = self.tick_of(self.entries.entry(index).deadline);
            let level = level(tick ^ self.cursor);
            debug_assert!(level < from / SLOTS);
            let number = level * SLOTS + digit(tick, level);
            let position = self.push(number, index);
            let entry = self.entries.entry_mut(index);
            entry.slot = number as u32;
            entry.position = position;
        }
        self.occupied.clear(from);
        self.cascading = 0;
        true
    }

    /// The tick at which a deadline fires.
    #[inline]
    fn tick_of(&self, deadline: Time) -> u64 {
        // A passed deadline joins the cursor's own slot, which the next advance looks at first.
        rounded_up(deadline, self.shift).max(self.cursor)
    }

    /// The time at which a tick begins. The tick that `Time::MAX` rounds up to begins beyond the
    /// range of `Time`, and is deemed to begin at `Time::MAX` (see [`reached`]).
    fn time_of(&self, tick: u64) -> Time {
        if tick > u64::MAX >> self.shift { Time::MAX } else { Time::from_nanos(tick << self.shift) }
    }

    /// The first tick of an occupied slot, given its number.
    fn start_of(&self, number: usize) -> u64 {
        let (level, digit) = (number / SLOTS, number % SLOTS);
        // The digits above the slot's level are the cursor's, those below are zero.
        let below = DIGIT_BITS * level as u32;
        let above = u64::MAX.checked_shl(below + DIGIT_BITS).unwrap_or(0);
        (self.cursor & above) | (digit as u64) << below
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("len", &self.len())
            .field("now", &self.now)
            .field("next_expiry", &self.next_expiry())
            .finish_non_exhaustive()
    }
}

/// The tick a deadline is rounded up to.
#[inline]
fn rounded_up(deadline: Time, shift: u32) -> u64 {
    let nanos = deadline.as_nanos();
    let whole = nanos >> shift;
    if types::seeded!("time.round_down") {
        return whole;
    }
    whole + u64::from(whole << shift != nanos)
}

/// The last tick that has begun at `now`.
///
/// `Time::MAX` is in the middle of a tick, and a deadline there rounds up to a tick that time never
/// reaches. So that every timer can fire without one being early, that tick begins at `Time::MAX`.
#[inline]
fn reached(now: Time, shift: u32) -> u64 {
    if now.as_nanos() == u64::MAX { rounded_up(now, shift) } else { now.as_nanos() >> shift }
}

/// The level of a tick, given the bits in which it differs from the cursor.
#[inline]
fn level(difference: u64) -> usize {
    ((63 - (difference | 0xff).leading_zeros()) / DIGIT_BITS) as usize
}

#[inline]
fn digit(tick: u64, level: usize) -> usize {
    (tick >> (DIGIT_BITS * level as u32)) as usize % SLOTS
}

/// Ticks of 2^16 ns.
const DEFAULT_SHIFT: u32 = 16;

/// The bits of a digit: the branching of the wheel.
const DIGIT_BITS: u32 = 8;

/// The slots of a level.
const SLOTS: usize = 1 << DIGIT_BITS;

/// The levels that hold every tick.
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;

/// How many items of a slot above level 0 [`Wheel::next_expiry`] looks at for the exact tick. A
/// process with so few timers is an idle one, which should sleep through; a busy one is woken by
/// something else anyway.
const SCANNED_ITEMS: usize = 16;

/// How many timers [`Wheel::advance`] may cascade for each that it may fire. A move is a few times
/// cheaper than the wake-up of a task that follows a firing.
const MOVES_PER_FIRING: usize = 4;

/// How many timers of a slot that fires or cascades are looked at ahead.
const TOUCHED_ITEMS: usize = 64;
