//! `SortedSet`: members with scores, found by member and walked in order of score.
//!
//! A table gives the score of a member in O(1), a B-tree of (score, member) the order. Invariant
//! `zset.paired`: each member is in both, with the same score, and no score is NaN. Positions by
//! rank are reached by walking from the nearer end: O(rank), not O(log n); a range by score or by
//! a position near either end, which is what sorted sets are asked for, doesn't notice.

use super::hash::Seed;
use super::table::Table;
use super::value::TABLE_ENTRY;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

/// A place in the order: by score, then by member.
#[derive(Debug)]
struct Rank {
    score: f64,
    member: Box<[u8]>,
}

impl Rank {
    /// The place before every member with this score.
    fn before(score: f64) -> Rank {
        Rank { score, member: Box::default() }
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        // No score is NaN (`zset.paired`), and the two zeros are equal, as in Redis.
        let by_score = self.score.partial_cmp(&other.score).unwrap_or(Ordering::Equal);
        by_score.then_with(|| self.member.cmp(&other.member))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rank {}

/// One end of a range by score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScoreBound {
    /// The score.
    pub(crate) score: f64,
    /// Whether members with exactly this score are outside.
    pub(crate) exclusive: bool,
}

/// One end of a range by member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexBound<'a> {
    /// Before every member, `-`.
    Lowest,
    /// After every member, `+`.
    Highest,
    /// `[member`.
    Included(&'a [u8]),
    /// `(member`.
    Excluded(&'a [u8]),
}

impl LexBound<'_> {
    fn admits_from_below(self, member: &[u8]) -> bool {
        match self {
            LexBound::Lowest => true,
            LexBound::Highest => false,
            LexBound::Included(least) => member >= least,
            LexBound::Excluded(least) => member > least,
        }
    }

    fn admits_from_above(self, member: &[u8]) -> bool {
        match self {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Included(most) => member <= most,
            LexBound::Excluded(most) => member < most,
        }
    }
}

/// A sorted set.
#[derive(Debug)]
pub(crate) struct SortedSet {
    scores: Table<f64>,
    order: BTreeSet<Rank>,
    weight: usize,
}

impl SortedSet {
    pub(super) fn new(seed: Seed) -> Self {
        SortedSet { scores: Table::new(seed), order: BTreeSet::new(), weight: 0 }
    }

    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// The number of members.
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    /// The score of a member.
    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Gives a member a score, adding it if need be. The score is not NaN.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) {
        debug_assert!(!score.is_nan(), "a score is never NaN");
        match self.scores.find(member) {
            Some(slot) => {
                let old = std::mem::replace(self.scores.at_mut(slot), score);
                if let Some(mut rank) = self.order.take(&Rank { score: old, member: Box::from(member) }) {
                    rank.score = score;
                    self.order.insert(rank);
                }
            }
            None => {
                self.scores.insert(member, score);
                self.order.insert(Rank { score, member: Box::from(member) });
                self.weight += Self::cost(member);
            }
        }
    }

    /// Removes a member; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(slot) = self.scores.find(member) else { return false };
        let (member, score) = self.scores.remove(slot);
        self.weight -= Self::cost(&member);
        self.order.remove(&Rank { score, member });
        true
    }

    /// All members with their scores in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        self.order.iter().map(|rank| (&*rank.member, rank.score))
    }

    /// The members whose score lies between the bounds, in order. O(log n) to the first.
    pub(crate) fn by_score(
        &self,
        least: ScoreBound,
        most: ScoreBound,
    ) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        let start =
            Bound::Included(Rank::before(if least.exclusive { least.score.next_up() } else { least.score }));
        let past = if most.exclusive { most.score } else { most.score.next_up() };
        // Nothing lies above infinity, so there the range just has no end.
        let end = if most.score == f64::INFINITY && !most.exclusive {
            Bound::Unbounded
        } else {
            Bound::Excluded(Rank::before(past))
        };
        let beyond_all = least.exclusive && least.score == f64::INFINITY;
        let inverted =
            least.score > most.score || least.score == most.score && (least.exclusive || most.exclusive);
        let range = if beyond_all || inverted { None } else { Some(self.order.range((start, end))) };
        range.into_iter().flatten().map(|rank| (&*rank.member, rank.score))
    }

    /// The members between the bounds, in order. As in Redis it has a meaning only when all scores
    /// are equal. O(n).
    pub(crate) fn by_lex<'a>(
        &'a self,
        least: LexBound<'a>,
        most: LexBound<'a>,
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], f64)> {
        self.iter()
            .filter(move |(member, _)| least.admits_from_below(member) && most.admits_from_above(member))
    }

    /// The estimated bytes of a member: an entry of the table and one of the tree.
    fn cost(member: &[u8]) -> usize {
        2 * (member.len() + TABLE_ENTRY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SortedSet {
        let mut set = SortedSet::new(Seed::new(1));
        for (member, score) in [
            ("c", 2.0),
            ("low", f64::NEG_INFINITY),
            ("a", 1.0),
            ("b", 2.0),
            ("high", f64::INFINITY),
            ("z", 0.0),
        ] {
            set.set(member.as_bytes(), score);
        }
        set
    }

    fn names<'a>(members: impl Iterator<Item = (&'a [u8], f64)>) -> String {
        members.map(|(member, _)| String::from_utf8_lossy(member).into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn members_are_ordered_by_score_and_then_by_name() {
        let mut set = sample();
        assert_eq!(names(set.iter()), "low z a b c high");
        set.set(b"z", 3.0);
        assert!(set.remove(b"a") && !set.remove(b"a"));
        assert_eq!(names(set.iter()), "low b c z high");
        assert_eq!((set.len(), set.score(b"z"), set.score(b"a")), (5, Some(3.0), None));
        for member in ["low", "b", "c", "z", "high"] {
            set.remove(member.as_bytes());
        }
        assert_eq!(set.weight(), 0);
    }

    #[test]
    fn ranges_by_score_honour_both_bounds() {
        let set = sample();
        let at = |score| ScoreBound { score, exclusive: false };
        let not = |score| ScoreBound { score, exclusive: true };
        let infinity = f64::INFINITY;
        let cases = [
            (at(-infinity), at(infinity), "low z a b c high"),
            (not(-infinity), not(infinity), "z a b c"),
            (at(1.0), at(2.0), "a b c"),
            (not(1.0), at(2.0), "b c"),
            (at(1.0), not(2.0), "a"),
            (not(2.0), not(2.0), ""),
            (at(2.0), not(2.0), ""),
            (at(3.0), at(1.0), ""),
            (not(infinity), at(infinity), ""),
            (at(-infinity), not(-infinity), ""),
            (at(-0.0), at(0.0), "z"),
            (at(infinity), at(infinity), "high"),
        ];
        for (least, most, expected) in cases {
            assert_eq!(names(set.by_score(least, most)), expected, "{least:?} {most:?}");
        }
    }
}
