//! [`Footprint`]: everything a step did that another task could notice.

use crate::relation::{Mark, commute};
use crate::scheduler::Touch;
use trace::{Access, ObjectKind};

/// The operations of one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Footprint {
    marks: Marks,
    /// One bit for each object, several objects to a bit: two steps without a common bit have no common object.
    mask: u64,
}

/// Whether the operation is in no race, and only orders steps.
pub(crate) fn orders(access: Access) -> bool {
    matches!(access, Access::Happen | Access::Observe)
}

/// Whether a step that announced the one did that, whatever it came to, if it did the other.
pub(crate) fn keeps_to(announced: &Touch, did: &Touch) -> bool {
    announced.object == did.object
        && announced.kind == did.kind
        && comes_to(announced.kind, announced.access, did.access)
}

/// Whether an announced operation on such an object can come to that: who said that it would look at a value has written
/// nothing, and who was to receive a message has not merely looked at it.
pub(crate) fn comes_to(kind: ObjectKind, announced: Access, did: Access) -> bool {
    let looks = |access| access == Access::Read;
    match (kind, announced) {
        (_, Access::Exchange(_)) => true,
        (ObjectKind::Value, _) => looks(announced) == looks(did),
        (ObjectKind::Queue, Access::Receive) if !types::seeded!("explore.looks-receive") => {
            matches!(did, Access::Receive | Access::Ended)
        }
        _ => true,
    }
}

/// Nearly all steps do one thing, and then there is nothing to allocate.
#[derive(Clone, Debug, Default)]
enum Marks {
    #[default]
    None,
    One(Mark),
    Many(Box<[Mark]>),
    /// Nobody knows yet.
    Unknown,
}

impl Footprint {
    pub(crate) fn new(marks: &[Mark]) -> Footprint {
        let mask = marks.iter().fold(0, |mask, mark| mask | 1 << (mark.object % 64));
        let marks = match marks {
            [] => Marks::None,
            [one] => Marks::One(*one),
            many => Marks::Many(many.into()),
        };
        Footprint { marks, mask }
    }

    /// Of a step of which nothing is known but that it can be taken.
    pub(crate) fn unknown() -> Footprint {
        Footprint { marks: Marks::Unknown, mask: u64::MAX }
    }

    /// Whether the operations are known.
    pub(crate) fn is_known(&self) -> bool {
        !matches!(self.marks, Marks::Unknown)
    }

    /// The operations, in order; none if they are unknown.
    pub(crate) fn marks(&self) -> &[Mark] {
        match &self.marks {
            Marks::None | Marks::Unknown => &[],
            Marks::One(one) => core::slice::from_ref(one),
            Marks::Many(many) => many,
        }
    }

    /// Whether the two steps, of different tasks and both possible in one state, can be swapped.
    #[inline]
    pub(crate) fn commutes(&self, other: &Footprint) -> bool {
        self.mask & other.mask == 0 || self.commutes_by_marks(other)
    }

    fn commutes_by_marks(&self, other: &Footprint) -> bool {
        if matches!(self.marks, Marks::Unknown) || matches!(other.marks, Marks::Unknown) {
            return false;
        }
        self.marks().iter().all(|one| other.marks().iter().all(|other| commute(one, other)))
    }

    /// Whether the step did what the other did, as far as others could tell them apart.
    pub(crate) fn is_like(&self, other: &Footprint) -> bool {
        let like = |one: &Mark, other: &Mark| {
            let changes = |access| matches!(access, Access::Write | Access::Set(_));
            let same = one.access == other.access || changes(one.access) && changes(other.access);
            one.object == other.object && one.ordinal == other.ordinal && same
        };
        let (mut own, mut others) = (self.racing(), other.racing());
        loop {
            match (own.next(), others.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if like(one, other) => {}
                _ => return false,
            }
        }
    }

    /// The operations that can be in a race. That something ended, and that somebody goes on because it did, only orders
    /// steps: it may come on top of what a step announced without anybody's plans being wrong.
    pub(crate) fn racing(&self) -> impl Iterator<Item = &Mark> {
        self.marks().iter().filter(|mark| !orders(mark.access))
    }
}
