//! [`SelectExt`]: races between bodies whose values differ in type, two to eight of them or a list, with a say in who
//! is polled first.
//!
//! | form | who is first when several are ready | drawn |
//! |---|---|---|
//! | biased (`select`, `select3` ..) | the one that stands first | – |
//! | fair (`select_fair`, `select3_fair` ..) | see below | one random number, when it begins |
//! | in turns (`race`, `race_all`) | the first one, in the first poll; then the next in each poll | – |
//!
//! Fairness: a fair select draws which of its `n` bodies is first in its first poll; from poll to poll that moves on by
//! one. So whoever is ready each time in a loop of selects wins each round with probability `1/n` at least, whatever
//! the others do, and is passed over `k` times in a row with probability `(1 - 1/n)^k` at most. If all are always ready,
//! each wins one time in `n`. The number comes from the task's own stream (`cx.random`): a lab repeats it with its seed.
//!
//! Laws, each tested over all schedules (`tests/laws.rs`):
//! - identity: a body that only waits for a request (`cx.cancelled()`) never wins, and leaves the others' outcomes as
//!   they are without it;
//! - associativity: a select in a select has the outcomes of one that is flat, if losers end at once when they are asked.
//!   If they clean up for a while, the inner one returns after that, and another may win the outer one meanwhile;
//! - commutativity up to order: swapping bodies swaps the names of outcomes, where the order of their arrivals is open;
//! - never abandons (`race.drained`): every body that began has returned, and its children have ended.
//!
//! Not here: races for a success (`quorum`), a second attempt after a delay (`hedge`).
#![allow(clippy::too_many_arguments, reason = "one for each body, and the name says how many")]
use crate::drive::{Driven, Plan, Turns, drive};
use crate::ext::sealed::OfRow;
use crate::leg::{Leg, any};
use crate::{Either, race};
use core::future::Future;
use core::panic::Location;
use core::pin::pin;
use cx::{Branch, Combinator, Cx, MayRandom, Row};

macro_rules! selects {
    ($($n:literal $word:literal $Of:ident $biased:ident $fair:ident: $($Nth:ident $body:ident $index:tt)+;)+) => {
        $(
            #[doc = concat!("The value of whichever of ", $word, " bodies won.")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $Of<$($Nth),+> {
                $(
                    #[doc = concat!("The value of the body at place ", $index, ", from 0.")]
                    $Nth($Nth),
                )+
            }

            async fn $biased<C: Row, $($Nth),+>(
                cx: &Cx<C>,
                at: &'static Location<'static>,
                turns: Turns,
                $($body: impl AsyncFnOnce(&mut Cx<C>) -> $Nth,)+
            ) -> $Of<$($Nth),+> {
                let frame = Combinator::open(cx);
                let branches: [Branch<'_, C>; $n] = core::array::from_fn(|_| frame.branch());
                $(let $body = pin!(Some(branches[$index].body($body)));)+
                let mut legs = ($(Leg::new(&branches[$index], $body, any),)+);
                let Driven { by, .. } =
                    drive(&frame, &mut legs, Plan { needed: 1, race: true, turns, at }, |_, _| ()).await;
                let won = match by {
                    $($index => legs.$index.value().map($Of::$Nth),)+
                    _ => None,
                };
                // As in `race`: the panic of such a drop takes nothing from the winner.
                $(if core::mem::needs_drop::<$Nth>() {
                    frame.drop_caught(|| drop(legs.$index.value()))
                })+
                frame.close();
                won.unwrap_or_else(|| unreachable!("the winner's body has returned"))
            }
        )+

        /// Selects: races in which the place of a body counts. Implemented for every [`Cx`].
        ///
        /// Any return wins, an error too. The others are asked to stop (`LostRace`) and have ended, with everything they
        /// spawned, when this returns (`race.drained`); what they return is dropped.
        ///
        /// A body that panics before one has returned stops the others (`SiblingFailed`); the panic goes on when they
        /// have ended. A loser's panic is escalated. A request from outside reaches the bodies at their own checkpoints.
        ///
        /// ```
        /// use asupersync_combinator::{Of3, SelectExt};
        /// use core::time::Duration;
        /// use sync::mpsc::Receiver;
        /// use time::TimeExt;
        ///
        /// /// The next job; a stop before a job, a job before a tick.
        /// async fn next(cx: &mut cx::Cx, stop: &mut Receiver<()>, jobs: &mut Receiver<u32>) -> Option<u32> {
        ///     let tick = Duration::from_secs(1);
        ///     match cx.select3(
        ///         async |cx| stop.recv(cx).await.is_ok(),
        ///         async |cx| jobs.recv(cx).await.ok(),
        ///         async |cx| cx.sleep(tick).await.is_ok(),
        ///     ).await {
        ///         Of3::Second(job) => job,
        ///         Of3::First(_) | Of3::Third(_) => None,
        ///     }
        /// }
        /// let lab = lab::LabRuntime::new(lab::LabConfig::default());
        /// let got = lab.run(|cx| async {
        ///     let (stopper, mut stop) = sync::mpsc::channel(1);
        ///     let (sender, mut jobs) = sync::mpsc::channel(1);
        ///     sender.try_send(7).unwrap();
        ///     let first = next(cx, &mut stop, &mut jobs).await;
        ///     stopper.try_send(()).unwrap();
        ///     sender.try_send(8).unwrap();
        ///     (first, next(cx, &mut stop, &mut jobs).await)
        /// });
        /// assert_eq!(got, (Some(7), None));
        /// ```
        pub trait SelectExt: OfRow {
            /// As [`CombineExt::select`](crate::CombineExt::select), and fair: who is polled first is drawn.
            ///
            /// # Cost
            /// One random number more.
            #[track_caller]
            fn select_fair<A, B>(
                &mut self,
                a: impl AsyncFnOnce(&mut Cx<Self::Row>) -> A,
                b: impl AsyncFnOnce(&mut Cx<Self::Row>) -> B,
            ) -> impl Future<Output = Either<A, B>>
            where
                Self::Row: MayRandom;

            /// The place of the first body to return, and its value; the one that stands first wins where several are
            /// ready.
            ///
            /// # Panics
            /// If there are no bodies; else as the trait says.
            ///
            /// # Cost
            /// One allocation for each body.
            #[track_caller]
            fn select_all<T, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = (usize, T)>
            where
                F: AsyncFnOnce(&mut Cx<Self::Row>) -> T;

            /// As [`SelectExt::select_all`], and fair: who is polled first is drawn.
            ///
            /// # Panics
            /// As there.
            #[track_caller]
            fn select_all_fair<T, F>(
                &mut self,
                bodies: impl IntoIterator<Item = F>,
            ) -> impl Future<Output = (usize, T)>
            where
                Self::Row: MayRandom,
                F: AsyncFnOnce(&mut Cx<Self::Row>) -> T;

            $(
                #[doc = concat!("A biased race between ", $word, " bodies: who stands first is polled first, and wins where")]
                #[doc = "several are ready; a body that never waits keeps those behind it from running."]
                ///
                /// # Panics
                /// With a body's panic that came before a body returned.
                ///
                /// # Cost
                /// No allocation beyond the task's first scope; all bodies are polled at each wake.
                #[track_caller]
                fn $biased<$($Nth),+>(
                    &mut self,
                    $($body: impl AsyncFnOnce(&mut Cx<Self::Row>) -> $Nth,)+
                ) -> impl Future<Output = $Of<$($Nth),+>>;

                #[doc = concat!("As [`SelectExt::", stringify!($biased), "`], and fair: who is polled first is drawn.")]
                ///
                /// # Panics
                /// As there.
                #[track_caller]
                fn $fair<$($Nth),+>(
                    &mut self,
                    $($body: impl AsyncFnOnce(&mut Cx<Self::Row>) -> $Nth,)+
                ) -> impl Future<Output = $Of<$($Nth),+>>
                where
                    Self::Row: MayRandom;
            )+
        }

        impl<C: Row> SelectExt for Cx<C> {
            #[track_caller]
            fn select_fair<A, B>(
                &mut self,
                a: impl AsyncFnOnce(&mut Cx<C>) -> A,
                b: impl AsyncFnOnce(&mut Cx<C>) -> B,
            ) -> impl Future<Output = Either<A, B>>
            where
                C: MayRandom,
            {
                let turns = drawn(self, 2);
                race::two(self, Location::caller(), turns, a, b)
            }

            #[track_caller]
            fn select_all<T, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = (usize, T)>
            where
                F: AsyncFnOnce(&mut Cx<C>) -> T,
            {
                race::all(self, Location::caller(), Turns::Biased, bodies)
            }

            #[track_caller]
            fn select_all_fair<T, F>(
                &mut self,
                bodies: impl IntoIterator<Item = F>,
            ) -> impl Future<Output = (usize, T)>
            where
                C: MayRandom,
                F: AsyncFnOnce(&mut Cx<C>) -> T,
            {
                let bodies: alloc::vec::Vec<F> = bodies.into_iter().collect();
                let turns = drawn(self, bodies.len());
                race::all(self, Location::caller(), turns, bodies)
            }

            $(
                #[track_caller]
                fn $biased<$($Nth),+>(
                    &mut self,
                    $($body: impl AsyncFnOnce(&mut Cx<C>) -> $Nth,)+
                ) -> impl Future<Output = $Of<$($Nth),+>> {
                    $biased(self, Location::caller(), Turns::Biased, $($body),+)
                }

                #[track_caller]
                fn $fair<$($Nth),+>(
                    &mut self,
                    $($body: impl AsyncFnOnce(&mut Cx<C>) -> $Nth,)+
                ) -> impl Future<Output = $Of<$($Nth),+>>
                where
                    C: MayRandom,
                {
                    let turns = drawn(self, $n);
                    $biased(self, Location::caller(), turns, $($body),+)
                }
            )+
        }
    };
}

selects! {
    3 "three" Of3 select3 select3_fair: First a 0 Second b 1 Third c 2;
    4 "four" Of4 select4 select4_fair: First a 0 Second b 1 Third c 2 Fourth d 3;
    5 "five" Of5 select5 select5_fair: First a 0 Second b 1 Third c 2 Fourth d 3 Fifth e 4;
    6 "six" Of6 select6 select6_fair: First a 0 Second b 1 Third c 2 Fourth d 3 Fifth e 4 Sixth f 5;
    7 "seven" Of7 select7 select7_fair: First a 0 Second b 1 Third c 2 Fourth d 3 Fifth e 4 Sixth f 5 Seventh g 6;
    8 "eight" Of8 select8 select8_fair:
        First a 0 Second b 1 Third c 2 Fourth d 3 Fifth e 4 Sixth f 5 Seventh g 6 Eighth h 7;
}

/// In turns, and who of so many begins is drawn: one of as many, so that a lab can try each.
fn drawn<C: MayRandom>(cx: &Cx<C>, bodies: usize) -> Turns {
    if types::seeded!("select.fair-is-biased") {
        return Turns::Biased;
    }
    // Of none, which is refused later, nothing is drawn.
    Turns::From(if bodies > 1 { cx.random_below(bodies as u64) } else { 0 })
}
