//! The identity by which schedule exploration knows a lock or channel ([`cx::Object`]); nothing under loom, whose
//! models look inside of single operations.
//!
//! Not here: what is reported when. Each primitive says so where it does it.

#[cfg(not(loom))]
pub(crate) use cx::{Access, Object, ObjectKind};

#[cfg(loom)]
pub(crate) use unwatched::{Access, Object, ObjectKind};

#[cfg(loom)]
mod unwatched {
    #[derive(Clone, Copy)]
    pub(crate) enum Access {
        Send,
        Receive,
        TryReceive,
        Empty,
        Ended,
        Read,
        Write,
        Release(u32),
        Close,
    }

    pub(crate) enum ObjectKind {
        Slots { total: u32 },
        Queue,
    }

    #[derive(Debug)]
    pub(crate) struct Object;

    impl Object {
        pub(crate) fn new(kind: ObjectKind) -> Object {
            let (ObjectKind::Slots { .. } | ObjectKind::Queue) = kind;
            Object
        }

        pub(crate) fn is_watched(&self) -> bool {
            false
        }

        pub(crate) fn touch(&self, _: Access) {}
    }
}
