//! [`Runs`]: values that arrive in any order, combined with their neighbours as soon as these are there. Pure.
//!
//! ```text
//! places   0 1 2 3 4 5 6          arrived: 2, then 0, then 1: one run, (0 1 2)
//! runs    [0 1 2]   [4]   [6]     3 joins two runs to one
//! ```
//! Invariant `runs.order`: `reduce(left, right)` is called with the left one's places all before the right one's, and
//! nothing missing between them. So it has to be associative, and need not be commutative.
//!
//! If places are handed out in order and `n` are out at a time, there are `n + 1` runs at most, since each gap between two
//! of them is out.
//!
//! Not here: who computes the values (`each`).
use alloc::vec::Vec;

/// A combined value and the places it is made of.
struct Piece<T> {
    first: usize,
    end: usize,
    value: T,
}

/// See the module.
pub(crate) struct Runs<T> {
    /// In order, with gaps between them.
    pieces: Vec<Piece<T>>,
}

impl<T> Runs<T> {
    pub(crate) fn new() -> Runs<T> {
        Runs { pieces: Vec::new() }
    }

    /// The value at `place`, which was not there before.
    pub(crate) fn add(&mut self, place: usize, value: T, reduce: &mut impl FnMut(T, T) -> T) {
        let at = self.pieces.partition_point(|piece| piece.first < place);
        debug_assert!(at == 0 || self.pieces[at - 1].end <= place, "the place {place} is there");
        let mut piece = Piece { first: place, end: place + 1, value };
        let mut slot = at;
        if self.pieces.get(at).is_some_and(|right| right.first == piece.end) {
            let right = self.pieces.remove(at);
            piece = joined(piece, right, reduce);
        }
        if at > 0 && self.pieces[at - 1].end == piece.first {
            slot = at - 1;
            let left = self.pieces.remove(slot);
            piece = if types::seeded!("runs.order-of-arrival") {
                joined(piece, left, reduce)
            } else {
                joined(left, piece, reduce)
            };
        }
        self.pieces.insert(slot, piece);
    }

    /// The whole, if there is anything.
    pub(crate) fn into_whole(mut self) -> Option<T> {
        debug_assert!(self.pieces.len() <= 1, "there is a gap");
        self.pieces.pop().map(|piece| piece.value)
    }
}

fn joined<T>(left: Piece<T>, right: Piece<T>, reduce: &mut impl FnMut(T, T) -> T) -> Piece<T> {
    Piece {
        first: left.first.min(right.first),
        end: left.end.max(right.end),
        value: reduce(left.value, right.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    /// All orders in which `n` places may arrive.
    fn orders(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return alloc::vec![Vec::new()];
        }
        let shorter = orders(n - 1);
        let with = |at: usize| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(at, n - 1);
                order
            })
        };
        (0..n).flat_map(with).collect()
    }

    #[test]
    fn whatever_the_order_of_arrival_neighbours_are_combined_in_the_order_of_places() {
        for order in orders(6) {
            let mut runs = Runs::new();
            for place in order {
                let letter = String::from(char::from(b'a' + place as u8));
                runs.add(place, letter, &mut |left, right| left + &right);
            }
            assert_eq!(runs.into_whole().as_deref(), Some("abcdef"));
        }
    }

    #[test]
    fn there_are_as_many_runs_as_gaps_allow() {
        let mut runs = Runs::new();
        for place in [0, 2, 4, 6] {
            runs.add(place, 1, &mut |a, b| a + b);
        }
        assert_eq!(runs.pieces.len(), 4);
        for place in [3, 1, 5] {
            runs.add(place, 1, &mut |a, b| a + b);
        }
        assert_eq!(runs.pieces.len(), 1);
        assert_eq!(runs.into_whole(), Some(7));
        assert_eq!(Runs::<u8>::new().into_whole(), None);
    }
}
