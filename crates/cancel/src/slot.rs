//! What a region, a task or a scope remembers of the requests made on it: the strongest, and the earliest
//! cleanup deadline (`cancel.strengthen`).
use types::{CancelKind, Cancelled, Time};

/// The one request a region, a task or a scope remembers: the strongest so far.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    request: Option<Cancelled>,
    deadline: Option<Time>,
}

/// What a further request changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strengthened {
    /// The kind is more severe than before (or is the first): everybody below has to be told.
    pub raised: bool,
    /// The cleanup deadline is earlier than before.
    pub tightened: bool,
}

impl Strengthened {
    /// Whether anything changed.
    pub fn any(self) -> bool {
        self.raised || self.tightened
    }
}

impl Slot {
    /// The strongest request so far.
    pub fn request(&self) -> Option<&Cancelled> {
        self.request.as_ref()
    }

    /// Its kind.
    pub fn kind(&self) -> Option<CancelKind> {
        self.request.as_ref().map(Cancelled::kind)
    }

    /// When cleanup has to be over.
    pub fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Takes a further request: the kind is only ever raised, the deadline only ever tightened, and the
    /// same request twice is as good as once (`cancel.strengthen`).
    pub fn strengthen(&mut self, request: &Cancelled, deadline: Option<Time>) -> Strengthened {
        let raised = self.kind().is_none_or(|k| k < request.kind())
            || (types::seeded!("cancel.weaken") && self.kind() != Some(request.kind()));
        if raised {
            self.request = Some(request.clone());
        }
        let tightened = match (self.deadline, deadline) {
            (Some(old), Some(new)) => new < old,
            (None, new) => new.is_some(),
            (_, None) => false,
        };
        if tightened {
            self.deadline = deadline;
        }
        Strengthened { raised, tightened }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Origin;

    fn request(kind: CancelKind) -> Cancelled {
        Cancelled::new(kind, Origin { scope: 1, request: kind as u32 }).build()
    }

    #[test]
    fn a_weaker_request_changes_nothing_and_a_stronger_one_raises() {
        let mut slot = Slot::default();
        assert!(slot.strengthen(&request(CancelKind::Deadline), Some(Time::from_nanos(50))).raised);
        assert!(!slot.strengthen(&request(CancelKind::Explicit), Some(Time::from_nanos(60))).any());
        let change = slot.strengthen(&request(CancelKind::Shutdown), Some(Time::from_nanos(70)));
        assert_eq!(change, Strengthened { raised: true, tightened: false });
        assert_eq!(slot.kind(), Some(CancelKind::Shutdown));
        assert_eq!(slot.deadline(), Some(Time::from_nanos(50)));
    }

    #[test]
    fn the_same_request_twice_is_as_good_as_once() {
        let mut slot = Slot::default();
        let r = request(CancelKind::LostRace);
        slot.strengthen(&r, None);
        assert!(!slot.strengthen(&r, None).any());
    }
}
