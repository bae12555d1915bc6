//! The laws of joins, races and selects: what two ways of writing the same thing may end in, over every schedule, is the
//! same set. The order in which the values arrive is open; what a combinator does with it is what is compared.
#[path = "worlds.rs"]
mod worlds;

use asupersync_combinator::{CombineExt, Either, Of3, SelectExt};
use cx::Cx;
use lab::{LabConfig, LabRuntime, Search};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use types::{Outcome, Res, Stop};
use worlds::{Census, End, Failed, arrival, arrivals, end, outcomes, swept};

type Arriving = Result<char, Failed>;

/// Waits for a request, and says nothing.
async fn never(cx: &mut Cx) -> Res<char, Failed> {
    Err(Stop::Cancelled(cx.cancelled().await))
}

/// What a program with three arrivals may end in.
#[track_caller]
fn three<R: Ord + std::fmt::Debug + Clone + Send + Sync + 'static>(
    values: [Arriving; 3],
    program: impl AsyncFnOnce(&mut Cx, [sync::oneshot::Receiver<Arriving>; 3]) -> R + Clone,
) -> BTreeSet<R> {
    outcomes(async move |cx: &mut Cx| {
        let from = arrivals(cx, values);
        program(cx, from).await
    })
}

const ALL_OK: [Arriving; 3] = [Ok('a'), Ok('b'), Ok('c')];
/// Every way in which three bodies may succeed or fail.
fn mixtures() -> impl Iterator<Item = [Arriving; 3]> {
    (0..8_u8).map(|bits| {
        let arriving = |at: u8, name| if bits >> at & 1 == 0 { Ok(name) } else { Err(Failed(name)) };
        [arriving(0, 'a'), arriving(1, 'b'), arriving(2, 'c')]
    })
}

#[test]
fn a_race_in_a_race_ends_as_a_flat_one_and_in_any_order() {
    for values in mixtures() {
        let flat = three(values, async |cx, from| {
            end(cx.race_all(from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await)
        });
        let left = three(values, async |cx, [a, b, c]| {
            let pair = async |cx: &mut Cx| {
                cx.race(async |cx| arrival(cx, a).await, async |cx| arrival(cx, b).await).await
            };
            end(cx.race(pair, async |cx| arrival(cx, c).await).await)
        });
        let right = three(values, async |cx, [a, b, c]| {
            let pair = async |cx: &mut Cx| {
                cx.race(async |cx| arrival(cx, b).await, async |cx| arrival(cx, c).await).await
            };
            end(cx.race(async |cx| arrival(cx, a).await, pair).await)
        });
        let swapped = three(values, async |cx, [a, b, c]| {
            end(cx.race_all([c, a, b].map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await)
        });
        assert_eq!(flat.len(), 3, "each of them may be first: {flat:?}");
        assert_eq!((&left, &right, &swapped), (&flat, &flat, &flat));
    }
}

#[test]
fn a_select_ends_as_one_in_another_whoever_is_preferred() {
    let flat = three(ALL_OK, async |cx, [a, b, c]| {
        let won = cx.select3(
            async |cx| end(arrival(cx, a).await),
            async |cx| end(arrival(cx, b).await),
            async |cx| end(arrival(cx, c).await),
        );
        match won.await {
            Of3::First(x) | Of3::Second(x) | Of3::Third(x) => x,
        }
    });
    let nested = three(ALL_OK, async |cx, [a, b, c]| {
        let pair = async |cx: &mut Cx| {
            cx.select(async |cx| end(arrival(cx, b).await), async |cx| end(arrival(cx, c).await))
                .await
                .into_inner()
        };
        cx.select(async |cx| end(arrival(cx, a).await), pair).await.into_inner()
    });
    let listed = three(ALL_OK, async |cx, from| {
        cx.select_all(from.map(|x| async |cx: &mut Cx| end(arrival(cx, x).await))).await.1
    });
    let fair = three(ALL_OK, async |cx, from| {
        cx.select_all_fair(from.map(|x| async |cx: &mut Cx| end(arrival(cx, x).await))).await.1
    });
    assert_eq!(flat.len(), 3);
    assert_eq!((&nested, &listed, &fair), (&flat, &flat, &flat));
}

#[test]
fn who_waits_for_ever_changes_no_race() {
    for values in mixtures() {
        let two = three(values, async |cx, [a, b, _]| {
            end(cx.race(async |cx| arrival(cx, a).await, async |cx| arrival(cx, b).await).await)
        });
        let with_never = three(values, async |cx, [a, b, _]| {
            let won =
                cx.select3(never, async |cx| arrival(cx, a).await, async |cx| arrival(cx, b).await).await;
            match won {
                Of3::Second(x) | Of3::Third(x) => end(x),
                Of3::First(x) => panic!("it has won: {x:?}"),
            }
        });
        assert_eq!(two, with_never);
    }
}

#[test]
fn a_join_in_a_join_is_a_flat_one() {
    for values in mixtures() {
        let flat = three(values, async |cx, from| {
            end(cx.try_join_all(from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await)
        });
        let left = three(values, async |cx, [a, b, c]| {
            let pair = async |cx: &mut Cx| {
                cx.try_join(async |cx| arrival(cx, a).await, async |cx| arrival(cx, b).await).await
            };
            end(cx.try_join(pair, async |cx| arrival(cx, c).await).await.map(|((a, b), c)| vec![a, b, c]))
        });
        let right = three(values, async |cx, [a, b, c]| {
            let pair = async |cx: &mut Cx| {
                cx.try_join(async |cx| arrival(cx, b).await, async |cx| arrival(cx, c).await).await
            };
            end(cx.try_join(async |cx| arrival(cx, a).await, pair).await.map(|(a, (b, c))| vec![a, b, c]))
        });
        let with_unit = three(values, async |cx, from| {
            let all = async |cx: &mut Cx| {
                cx.try_join_all(from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await
            };
            end(cx.try_join(async |_| Ok(()), all).await.map(|((), all)| all))
        });
        assert_eq!((&left, &right, &with_unit), (&flat, &flat, &flat));
    }
}

#[test]
fn a_quorum_of_one_is_the_first_success_and_a_quorum_of_all_is_a_join() {
    for values in mixtures() {
        let first_ok = three(values, async |cx, from| {
            end(cx.first_ok(from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await)
        });
        let of_one = three(values, async |cx, from| {
            let quorum = cx.quorum(1, from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await;
            // The failure that came first tells most; `ok` gives the last.
            match quorum.failures().first() {
                Some(Stop::Err(Failed(who))) if !quorum.is_reached() => End::Failed(*who),
                _ => {
                    assert_eq!(quorum.len(), 1);
                    end(quorum.ok().map(|values| values[0]))
                }
            }
        });
        assert_eq!(first_ok, of_one);

        let join = three(values, async |cx, from| {
            end(cx.try_join_all(from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await)
        });
        let of_all = three(values, async |cx, from| {
            let quorum = cx.quorum(3, from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await;
            // In the order in which they came; those of a join stand in the order of its bodies.
            end(quorum.ok().map(|mut values| {
                values.sort_unstable();
                values
            }))
        });
        assert_eq!(join, of_all);
    }
}

#[test]
fn a_first_ok_in_a_first_ok_has_the_same_successes_and_only_the_failure_that_is_told_may_differ() {
    let told = |ends: &BTreeSet<End<char>>| -> BTreeSet<Option<char>> {
        ends.iter().map(|end| if let End::Ok(value) = end { Some(*value) } else { None }).collect()
    };
    for values in mixtures() {
        let flat = three(values, async |cx, from| {
            end(cx.first_ok(from.map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await)
        });
        let nested = three(values, async |cx, [a, b, c]| {
            // A list of two whose bodies are of one type: the pair, and the third one alone.
            let bodies = [vec![a, b], vec![c]].map(|group| {
                async |cx: &mut Cx| {
                    cx.first_ok(group.into_iter().map(|x| async |cx: &mut Cx| arrival(cx, x).await)).await
                }
            });
            end(cx.first_ok(bodies).await)
        });
        assert_eq!(told(&flat), told(&nested));
    }
}

#[test]
fn nobody_is_abandoned_whoever_wins_on_whatever_schedule() {
    let found = three(ALL_OK, async |cx, from| {
        let census = Census::default();
        let body = |x| {
            let census = &census;
            async move |cx: &mut Cx| census.counted(arrival(cx, x)).await
        };
        let [a, b, c] = from.map(body);
        let won = cx.select3_fair(a, b, c).await;
        census.all_returned();
        assert_eq!(census.began(), 3);
        match won {
            Of3::First(x) | Of3::Second(x) | Of3::Third(x) => end(x),
        }
    });
    assert_eq!(found.len(), 3);
}

#[test]
fn what_a_loser_did_not_take_is_still_there_wherever_it_is_cancelled() {
    swept(async |cx: &mut Cx| {
        let (left_tx, mut left_rx) = sync::mpsc::channel(2);
        let (right_tx, mut right_rx) = sync::mpsc::channel(2);
        for tx in [left_tx, right_tx] {
            assert!(tx.try_send(()).is_ok() && tx.try_send(()).is_ok());
        }
        let counts = Arc::new(Mutex::new((0, 0)));
        let counted = counts.clone();
        let mut task = cx.spawn(async move |cx: &mut Cx| {
            let mut received = 0;
            for _ in 0..2 {
                let won = cx
                    .select_fair(
                        async |cx| left_rx.recv(cx).await.is_ok(),
                        async |cx| right_rx.recv(cx).await.is_ok(),
                    )
                    .await;
                received += u32::from(won.into_inner());
            }
            let mut rest = 0;
            for rx in [&mut left_rx, &mut right_rx] {
                while rx.try_recv().is_ok() {
                    rest += 1;
                }
            }
            *counted.lock().unwrap() = (received, rest);
        });
        if let Outcome::Ok(()) = task.join(cx).await {
            let (received, rest) = *counts.lock().unwrap();
            assert_eq!(received + rest, 4, "a value is lost: {received} received, {rest} left");
        }
    });
}

#[test]
pub(crate) fn a_fair_select_lets_everybody_win_who_is_always_ready() {
    let lab = LabRuntime::new(LabConfig::default().seed(7));
    let (fair, biased, listed) = lab.run(|cx| async {
        let (mut fair, mut biased, mut listed) = ([0_u32; 2], [0_u32; 2], [0_u32; 4]);
        for _ in 0..400 {
            let won = cx.select_fair(async |_| 0, async |_| 1).await;
            fair[won.into_inner()] += 1;
            let won = cx.select(async |_| 0, async |_| 1).await;
            biased[won.into_inner()] += 1;
            let (place, value) = cx.select_all_fair((0..4).map(|n| async move |_: &mut Cx| n)).await;
            assert_eq!(place, value);
            listed[place] += 1;
        }
        (fair, biased, listed)
    });
    assert_eq!(biased, [400, 0], "who stands first wins");
    // The lab's numbers are the seed's: these bounds hold or do not, once and for all.
    assert!(fair.iter().all(|won| (160..=240).contains(won)), "not fair: {fair:?}");
    assert!(listed.iter().all(|won| (70..=130).contains(won)), "not fair: {listed:?}");
}

#[test]
fn who_begins_in_a_fair_select_is_one_branch_for_each_of_its_bodies() {
    let won = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = won.clone();
    let search = Search::every().branch_on_random(4);
    let found = search.run("fair selects", None, async move |cx: &mut Cx| {
        let two = cx.select_fair(async |_| 0, async |_| 1).await.into_inner();
        let three = match cx.select3_fair(async |_| (), async |_| (), async |_| ()).await {
            Of3::First(()) => 0,
            Of3::Second(()) => 1,
            Of3::Third(()) => 2,
        };
        let (place, _) = cx.select_all_fair((0..4).map(|n| async move |_: &mut Cx| n)).await;
        noted.lock().unwrap().insert((two, three, place));
        // Whoever is alone is not drawn.
        let (alone, ()) = cx.select_all_fair([async |_: &mut Cx| ()]).await;
        assert_eq!(alone, 0);
    });
    assert_eq!((won.lock().unwrap().len(), found.runs, found.undecided), (24, 24, 0), "{found}");
}

#[test]
fn every_place_of_every_select_can_win() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        macro_rules! wins {
            ($($select:ident $Of:ident: $($Nth:ident $index:literal)+;)+) => {$(
                for winner in [$($index),+] {
                    let won = cx.$select($(async |cx| {
                        if winner != $index {
                            cx.cancelled().await;
                        }
                        $index
                    }),+).await;
                    let place = match won {
                        $(asupersync_combinator::$Of::$Nth(place) => {
                            assert_eq!(place, $index);
                            place
                        })+
                    };
                    assert_eq!(place, winner);
                }
            )+};
        }
        wins! {
            select3 Of3: First 0 Second 1 Third 2;
            select4_fair Of4: First 0 Second 1 Third 2 Fourth 3;
            select5 Of5: First 0 Second 1 Third 2 Fourth 3 Fifth 4;
            select6_fair Of6: First 0 Second 1 Third 2 Fourth 3 Fifth 4 Sixth 5;
            select7 Of7: First 0 Second 1 Third 2 Fourth 3 Fifth 4 Sixth 5 Seventh 6;
            select8_fair Of8: First 0 Second 1 Third 2 Fourth 3 Fifth 4 Sixth 5 Seventh 6 Eighth 7;
        }
        let won = cx.select_fair(never, async |_| 3).await;
        assert!(matches!(won, Either::Second(3)));
    });
    lab.oracles().unwrap();
}
