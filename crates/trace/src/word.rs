//! How a field of a label is written as one word and read back.
//!
//! A word holds no white space and no `%` of its own: both are written as `%xx` (two hexadecimal
//! digits of one UTF-8 byte). Closed sets of names are one table each, used in both directions, so
//! a name can't be written that isn't read.
//!
//! Invariant: `trace.round-trip`, for every type that implements [`Word`].

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt::{self, Write};

use types::{
    AfterGrace, CancelKind, ObligationId, ObligationKind, Origin, Policy, RegionId, Severity, TaskId, Time,
};

use crate::{
    Choice, End, Escalation, FinalizerEnd, FinalizerId, Refused, RegionKind, RegionPhase, ScopeEnd, ScopeId,
    ScopeKind, Site, Text, TimerId,
};

/// Why a line isn't an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParseError {
    /// The line has no label name, or lacks its number, time or task.
    Short,
    /// No label has this name.
    UnknownLabel(String),
    /// The label has no field of this name at this place.
    Field {
        /// The field that was expected.
        expected: &'static str,
        /// The word that was found, if any.
        found: Option<String>,
    },
    /// The field is there and its value can't be read.
    Value {
        /// The field.
        field: &'static str,
        /// The unreadable word.
        found: String,
    },
    /// Words are left after the last field.
    Trailing(String),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(f, "the line ends before its label"),
            Self::UnknownLabel(name) => write!(f, "no label is called `{name}`"),
            Self::Field { expected, found: None } => write!(f, "field `{expected}` is missing"),
            Self::Field { expected, found: Some(found) } => {
                write!(f, "expected field `{expected}`, found `{found}`")
            }
            Self::Value { field, found } => write!(f, "field `{field}` can't be `{found}`"),
            Self::Trailing(found) => write!(f, "unexpected `{found}` after the last field"),
        }
    }
}

impl core::error::Error for ParseError {}

/// A value with a one-word text form.
pub(crate) trait Word: Sized {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn read(word: &str) -> Option<Self>;
}

macro_rules! number_words {
    ($($type:ty),*) => {$(
        impl Word for $type {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
            fn read(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        }
    )*};
}
number_words!(u32, u64);

macro_rules! id_words {
    ($($type:ty: $to:expr, $from:expr;)*) => {$(
        impl Word for $type {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", $to(*self))
            }
            fn read(word: &str) -> Option<Self> {
                word.parse().ok().map($from)
            }
        }
    )*};
}
id_words! {
    TaskId: TaskId::as_u64, TaskId::from_u64;
    RegionId: RegionId::as_u64, RegionId::from_u64;
    ObligationId: ObligationId::as_u64, ObligationId::from_u64;
    ScopeId: |id: ScopeId| id.0, ScopeId;
    FinalizerId: |id: FinalizerId| id.0, FinalizerId;
    TimerId: |id: TimerId| id.0, TimerId;
}

macro_rules! name_words {
    ($($type:ty { $($value:pat => $name:literal = $make:expr),* $(,)? })*) => {$(
        impl Word for $type {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($value => $name,)* })
            }
            fn read(word: &str) -> Option<Self> {
                match word { $($name => Some($make),)* _ => None }
            }
        }

        #[cfg(test)]
        impl tests::All for $type {
            fn all() -> Vec<Self> {
                alloc::vec![$($make),*]
            }
        }
    )*};
    // The plain form: a unit variant and its name.
    ($($type:ident: $($variant:ident $name:literal),* ;)*) => {
        name_words! { $($type { $($type::$variant => $name = $type::$variant),* })* }
    };
}
name_words! {
    Severity: Ok "ok", Err "err", Cancelled "cancelled", Panicked "panicked";
    Policy: FailFast "fail-fast", Collect "collect", Isolate "isolate";
    AfterGrace: Wait "wait", Abandon "abandon";
    ObligationKind: SendPermit "send-permit", Ack "ack", Lease "lease", Io "io", Semaphore "semaphore",
        Transaction "transaction", Registration "registration";
    CancelKind: Explicit "explicit", Deadline "deadline", BudgetExhausted "budget-exhausted",
        LostRace "lost-race", SiblingFailed "sibling-failed", BodyFailed "body-failed",
        ChildFailed "child-failed", SpawnRefused "spawn-refused", BodyDropped "body-dropped",
        Shutdown "shutdown";
    RegionKind: Root "root", Frame "frame", Implicit "implicit", Branch "branch";
    RegionPhase: Open "open", Draining "draining", Finalizing "finalizing", Settling "settling",
        Closed "closed";
    FinalizerEnd: Ok "ok", Failed "failed", Panicked "panicked", TimedOut "timed-out", Dropped "dropped";
    ScopeEnd: Returned "returned", Dropped "dropped", Forced "forced";
    Refused: NotOpen "not-open", Shutdown "shutdown", Limit "limit";
    Escalation: Panic "panic", ChildFailed "child-failed", Returned "returned", Visible "visible";
    Choice: Task "task", Time "time", Random "random", Io "io", Fault "fault";
}
name_words! {
    bool { true => "yes" = true, false => "no" = false }
    ScopeKind {
        ScopeKind::Combinator => "combinator" = ScopeKind::Combinator,
        ScopeKind::Branch => "branch" = ScopeKind::Branch,
        ScopeKind::Masked => "masked" = ScopeKind::Masked,
        ScopeKind::Phase { masked: false } => "phase" = ScopeKind::Phase { masked: false },
        ScopeKind::Phase { masked: true } => "masked-phase" = ScopeKind::Phase { masked: true },
    }
}

/// `-` is `None`; no word of an optional field may be a lone dash.
impl<T: Word> Word for Option<T> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(value) => value.write(f),
            None => f.write_str("-"),
        }
    }
    fn read(word: &str) -> Option<Self> {
        if word == "-" { Some(None) } else { T::read(word).map(Some) }
    }
}

/// Nanoseconds; `never` is the end of time.
impl Word for Time {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Time::MAX { f.write_str("never") } else { write!(f, "{}", self.as_nanos()) }
    }
    fn read(word: &str) -> Option<Self> {
        if word == "never" { Some(Time::MAX) } else { word.parse().ok().map(Time::from_nanos) }
    }
}

/// `scope#request`.
impl Word for Origin {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.scope, self.request)
    }
    fn read(word: &str) -> Option<Self> {
        let (scope, request) = word.split_once('#')?;
        Some(Origin { scope: scope.parse().ok()?, request: request.parse().ok()? })
    }
}

/// `ok`, `err`, `panicked` or `cancelled:kind:scope#request`.
impl Word for End {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.severity().write(f)?;
        if let Self::Cancelled { kind, origin } = self {
            f.write_char(':')?;
            kind.write(f)?;
            f.write_char(':')?;
            origin.write(f)?;
        }
        Ok(())
    }
    fn read(word: &str) -> Option<Self> {
        match word {
            "ok" => Some(Self::Ok),
            "err" => Some(Self::Err),
            "panicked" => Some(Self::Panicked),
            _ => {
                let (kind, origin) = word.strip_prefix("cancelled:")?.split_once(':')?;
                Some(Self::Cancelled { kind: CancelKind::read(kind)?, origin: Origin::read(origin)? })
            }
        }
    }
}

impl Word for Site {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.file(), f)?;
        write!(f, ":{}", self.line())
    }
    fn read(word: &str) -> Option<Self> {
        let (file, line) = word.rsplit_once(':')?;
        Some(Site::new(&unescape(file)?, line.parse().ok()?))
    }
}

impl Word for Text {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self, f)
    }
    fn read(word: &str) -> Option<Self> {
        unescape(word).map(Cow::Owned)
    }
}

fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for c in text.chars() {
        // A word ends at white space of any kind, and a control character would break the line.
        if c == '%' || c.is_whitespace() || c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(f, "%{byte:02x}")?;
            }
        } else {
            f.write_char(c)?;
        }
    }
    Ok(())
}

fn unescape(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = core::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;

    pub(super) trait All: Sized {
        fn all() -> Vec<Self>;
    }

    struct Shown<T>(T);
    impl<T: Word> fmt::Display for Shown<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f)
        }
    }

    fn check<T: Word + PartialEq + fmt::Debug + Clone>(value: T) {
        let word = Shown(value.clone()).to_string();
        assert!(!word.contains(char::is_whitespace), "{word}");
        assert_eq!(T::read(&word), Some(value), "{word}");
    }

    fn check_all<T: Word + All + PartialEq + fmt::Debug + Clone>() {
        T::all().into_iter().for_each(check);
    }

    #[test]
    fn every_name_reads_back_as_itself() {
        check_all::<Severity>();
        check_all::<Policy>();
        check_all::<AfterGrace>();
        check_all::<ObligationKind>();
        check_all::<CancelKind>();
        check_all::<RegionKind>();
        check_all::<RegionPhase>();
        check_all::<FinalizerEnd>();
        check_all::<ScopeEnd>();
        check_all::<Refused>();
        check_all::<Escalation>();
        check_all::<Choice>();
        check_all::<bool>();
        check_all::<ScopeKind>();
    }

    #[test]
    fn text_with_white_space_percent_signs_and_other_scripts_stays_one_word() {
        for text in ["", "-", "two words", "100%", "line\nbreak\ttab", "ein\u{a0}Wort", "語%20"] {
            check(Text::Owned(text.to_string()));
            check(Site::new(&format!("dir/{text}.rs"), 7));
        }
    }

    #[test]
    fn the_end_of_time_is_a_word_of_its_own() {
        check(Time::MAX);
        check(Time::from_nanos(0));
        check(Some(TaskId::from_u64(3)));
        check(None::<TaskId>);
    }

    #[test]
    fn damaged_words_are_refused() {
        assert_eq!(Text::read("%4"), None);
        assert_eq!(Text::read("%zz"), None);
        assert_eq!(Text::read("%ff"), None);
        assert_eq!(Origin::read("3"), None);
        assert_eq!(End::read("cancelled:explicit"), None);
        assert_eq!(Site::read("main.rs"), None);
    }
}
