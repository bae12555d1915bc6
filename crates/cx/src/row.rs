//! Capability rows: what a `Cx` may do, as a type.
//!
//! A row is a nominal zero-sized type with one bit per built-in authority and an environment of user
//! values. Anyone may declare a row with [`row!`](crate::row!); nobody can forge a `Cx` of it, because a `Cx`
//! only comes from a runtime or from narrowing another. Bits and environments are sealed, so that a row
//! cannot claim a bit that is neither yes nor no, nor an environment that nobody supplied.
use core::marker::PhantomData;

/// The authority is granted.
#[derive(Debug)]
pub struct Yes(());
/// The authority is not granted.
#[derive(Debug)]
pub struct No(());
/// No user values.
#[derive(Debug)]
pub struct NoEnv(());
/// The user value `E`, over whatever was there before.
#[derive(Debug)]
pub struct Has<E, Below = NoEnv>(PhantomData<fn() -> (E, Below)>);

pub(crate) mod sealed {
    use super::*;
    #[diagnostic::on_unimplemented(
        message = "`{Self}` does not say whether an authority is granted",
        label = "an authority is `Yes` or `No`",
        note = "`row!` declares a row by naming what it grants; only a runtime, or narrowing, makes a `Cx` of it"
    )]
    pub trait Bit {}
    impl Bit for Yes {}
    impl Bit for No {}
    pub trait Granted: Bit {}
    impl Granted for Yes {}
    pub trait Under<B> {}
    impl<B> Under<B> for No {}
    #[diagnostic::do_not_recommend]
    impl<B: Granted> Under<B> for Yes {}
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is no environment: a row cannot claim a user value that nobody supplied",
        label = "a declared row has `NoEnv`",
        note = "`cx.with(value, async |cx| ..)` supplies a user value, and makes a row that says so"
    )]
    pub trait Env: 'static {
        /// Whether there is a value.
        const PRESENT: bool;
    }
    impl Env for NoEnv {
        const PRESENT: bool = false;
    }
    impl<E: Send + Sync + 'static, B: Env> Env for Has<E, B> {
        const PRESENT: bool = true;
    }
    /// `Self` asks for no user value that `Big` lacks: nothing, or exactly the same.
    pub trait EnvUnder<Big> {}
    impl<B> EnvUnder<B> for NoEnv {}
    #[diagnostic::do_not_recommend]
    impl<E, B> EnvUnder<Has<E, B>> for Has<E, B> {}
}
use sealed::*;

macro_rules! authorities {
    ($( $(#[$doc:meta])* $bit:ident, $may:ident, $message:literal, $label:literal, $note:literal; )*) => {
        /// One bit per built-in authority, and the environment. Declare one with [`row!`](crate::row!).
        pub trait Row: Sized + 'static {
            $( $(#[$doc])* type $bit: Bit; )*
            /// User values.
            type Env: Env;
        }
        $(
            #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
            $(#[$doc])*
            pub trait $may: Row<$bit: Granted> {}
            #[diagnostic::do_not_recommend]
            impl<R: Row<$bit: Granted>> $may for R {}
        )*
        /// `Self` grants nothing that `Big` does not.
        #[diagnostic::on_unimplemented(
            message = "cannot narrow this `Cx` to `{Self}`: that would ADD authority",
            label = "`{Self}` asks for something this `Cx` does not have",
            note = "authority only shrinks down a call chain; widen the caller instead"
        )]
        pub trait NarrowOf<Big> {}
        #[diagnostic::do_not_recommend]
        impl<A: Row, B: Row> NarrowOf<A> for B
        where
            $( B::$bit: Under<A::$bit>, )*
            B::Env: EnvUnder<A::Env>,
        {
        }
        /// Every authority; no user values.
        #[derive(Debug)]
        pub struct All(());
        impl Row for All {
            $( type $bit = Yes; )*
            type Env = NoEnv;
        }
        /// Computation only: checkpoints, and nothing else.
        #[derive(Debug)]
        pub struct Pure(());
        impl Row for Pure {
            $( type $bit = No; )*
            type Env = NoEnv;
        }
        /// `R` with the user value `E` on top.
        #[derive(Debug)]
        pub struct With<R, E>(PhantomData<fn() -> (R, E)>);
        impl<R: Row, E: Send + Sync + 'static> Row for With<R, E> {
            $( type $bit = R::$bit; )*
            type Env = Has<E, R::Env>;
        }
    };
}

authorities! {
    /// May spawn tasks.
    Spawn, MaySpawn, "this `Cx` may not spawn tasks", "needs the `spawn` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MaySpawn>`, or spawn from a caller that may";
    /// May read clocks and sleep.
    Time, MayTime, "this `Cx` may not read clocks or sleep", "needs the `time` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayTime>`";
    /// May emit trace events.
    Trace, MayTrace, "this `Cx` may not emit trace events", "needs the `trace` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayTrace>`";
    /// May draw random numbers.
    Random, MayRandom, "this `Cx` may not draw random numbers", "needs the `random` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayRandom>`";
    /// May use the network.
    Net, MayNet, "this `Cx` may not use the network", "needs the `net` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayNet>`";
    /// May use files.
    Files, MayFiles, "this `Cx` may not use files", "needs the `files` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayFiles>`";
    /// May start processes.
    Process, MayProcess, "this `Cx` may not start processes", "needs the `process` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayProcess>`";
    /// May wait for signals of the operating system.
    Signal, MaySignal, "this `Cx` may not wait for signals", "needs the `signal` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MaySignal>`";
    /// May run blocking closures on the pool.
    Blocking, MayBlock, "this `Cx` may not run blocking code", "needs the `blocking` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayBlock>`";
    /// May reach other machines' computations.
    Remote, MayRemote, "this `Cx` may not reach remote peers", "needs the `remote` authority",
        "authority only shrinks down a call chain: take `cx: &mut Cx<impl MayRemote>`";
}

/// Declares rows. Name what a row grants; everything else is not granted, now and when authorities are
/// added later.
///
/// ```
/// asupersync_cx::row! {
///     /// Sleeps and traces, nothing else.
///     pub Quiet: Time, Trace;
/// }
/// ```
#[macro_export]
macro_rules! row {
    ($( $(#[$doc:meta])* $vis:vis $name:ident : $($bit:ident),* $(,)? ;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            $vis struct $name(());
            $crate::__row_bits! { $name [$($bit)*] Spawn Time Trace Random Net Files Process Signal Blocking Remote }
        )*
    };
}

/// Writes the bits of a row: yes where the name is listed. Part of [`row!`](crate::row!).
#[doc(hidden)]
#[macro_export]
macro_rules! __row_bits {
    ($name:ident $bits:tt $($all:ident)*) => {
        const _: () = {
            // A misspelt authority is an unknown variant here.
            #[allow(dead_code)]
            enum Authority { $($all),* }
            $crate::__row_known!($bits);
        };
        impl $crate::Row for $name {
            $( type $all = $crate::__row_bit!($all $bits); )*
            type Env = $crate::NoEnv;
        }
    };
}

/// Names each listed authority once, so that a misspelt one does not compile.
#[doc(hidden)]
#[macro_export]
macro_rules! __row_known {
    ([$($bit:ident)*]) => { $( let _ = Authority::$bit; )* };
}

/// One bit of a row.
#[doc(hidden)]
#[macro_export]
macro_rules! __row_bit {
    (Spawn [Spawn $($r:ident)*]) => { $crate::Yes };
    (Time [Time $($r:ident)*]) => { $crate::Yes };
    (Trace [Trace $($r:ident)*]) => { $crate::Yes };
    (Random [Random $($r:ident)*]) => { $crate::Yes };
    (Net [Net $($r:ident)*]) => { $crate::Yes };
    (Files [Files $($r:ident)*]) => { $crate::Yes };
    (Process [Process $($r:ident)*]) => { $crate::Yes };
    (Signal [Signal $($r:ident)*]) => { $crate::Yes };
    (Blocking [Blocking $($r:ident)*]) => { $crate::Yes };
    (Remote [Remote $($r:ident)*]) => { $crate::Yes };
    ($bit:ident [$first:ident $($r:ident)*]) => { $crate::__row_bit!($bit [$($r)*]) };
    ($bit:ident []) => { $crate::No };
}

crate::row! {
    /// The clock and nothing else.
    pub TimeOnly: Time;
    /// What business logic should need: spawning, time, tracing, random numbers, no I/O.
    pub NoIo: Spawn, Time, Trace, Random;
    /// Everything but spawning: what finalizers and releases get.
    pub NoSpawn: Time, Trace, Random, Net, Files, Process, Signal, Blocking, Remote;
}

/// A user environment that can hand out a `T` (a capability of the user's own).
#[diagnostic::on_unimplemented(
    message = "this `Cx` carries no `{T}`",
    label = "needs a `{T}` handle",
    note = "supply it with `cx.with(env, async |cx| ..)` where the environment implements `Provides<{T}>`"
)]
pub trait Provides<T> {
    /// The handle.
    fn provide(&self) -> &T;
}

/// The environment stack of a row gives out a `T`: its top does.
#[diagnostic::on_unimplemented(
    message = "this `Cx` carries no `{T}`",
    label = "needs a `{T}` handle",
    note = "supply it with `cx.with(env, async |cx| ..)` where the environment implements `Provides<{T}>`"
)]
pub trait EnvProvides<T>: Env {
    #[doc(hidden)]
    type Top: Provides<T> + Send + Sync + 'static;
}
#[diagnostic::do_not_recommend]
impl<T, E: Provides<T> + Send + Sync + 'static, B: Env> EnvProvides<T> for Has<E, B> {
    type Top = E;
}
