//! Families of programs whose numbers of classes are known in closed form, or published.
//!
//! Each point is checked in production's order and in random ones: 20 for the small points, fewer for the big, as said
//! beside them.

use crate::brute::{check_exact, count, machine};
use explore::Explorer;

/// Every family, at one of its points: what it is called, its program, how many classes it has.
type Point = (String, String, u64);

fn check(points: impl IntoIterator<Item = Point>, orders: u64) {
    for (name, text, classes) in points {
        assert_eq!(count(&text, Explorer::new()), classes, "{name}");
        for seed in 1..=orders {
            assert_eq!(count(&text, Explorer::new().in_random_order(seed)), classes, "{name}, order {seed}");
        }
    }
}

fn point(family: &str, n: u64, text: String, classes: u64) -> Point {
    (format!("{family}({n})"), text, classes)
}

fn factorial(n: u64) -> u64 {
    (1..=n).product()
}

fn choose(n: u64, k: u64) -> u64 {
    if k > n { 0 } else { (1..=k).fold(1, |product, i| product * (n - k + i) / i) }
}

fn tasks(tasks: impl IntoIterator<Item = String>) -> String {
    tasks.into_iter().collect::<Vec<_>>().join(" || ")
}

fn times(n: u64, op: &str) -> String {
    vec![op; n as usize].join(";")
}

/// One task stores, n tasks load.
fn readers(n: u64) -> Point {
    point("readers", n, format!("Wx=42 || *{n} Rx"), 1 << n)
}

/// A reader scans a[n], a[n-1], ... for a zero; writer j stores a[j-1] + 1 in a[j].
pub(crate) fn lastzero(n: u64) -> Point {
    let reader = (1..=n).fold("Ra0".to_string(), |inner, i| format!("Ra{i};?!0{{{inner}}}"));
    let writers = (1..=n).map(|j| format!("Ra{};Wa{j}=$+1", j - 1));
    point("lastzero", n, tasks([reader].into_iter().chain(writers)), (n + 3) << (n - 2))
}

/// Task t puts four words into a table of 128 cells by compare-exchange, probing linearly.
fn indexer(n: u64) -> Point {
    let insert = |word: u64| {
        let first = word * 7 % 128;
        let cells = (0..12).map(|probe| (first + probe) % 128).rev();
        cells.fold("#".to_string(), |next, cell| format!("Ch{cell}:0>{word};?!0{{{next}}}"))
    };
    let task = |t: u64| (1..=4).map(|i| insert(11 * i + t)).collect::<Vec<_>>().join(";");
    point("indexer", n, tasks((0..n).map(task)), 8u64.pow(n.saturating_sub(11) as u32))
}

/// Task t makes sure that its inode has a block, looking for a free one from a place of its own; locks on both.
fn filesystem(n: u64) -> Point {
    let task = |t: u64| {
        let inode = t % 32;
        let first = inode * 2 % 26;
        let search = (0..26).rev().map(|probe| (first + probe) % 26).fold("#".to_string(), |next, block| {
            let found = format!("Wb{block}=1;Wi{inode}={};Ub{block}", block + 1);
            format!("Lb{block};Rb{block};?=0{{{found}}}:{{Ub{block};{next}}}")
        });
        format!("Li{inode};Ri{inode};?=0{{{search}}};Ui{inode}")
    };
    point("filesystem", n, tasks((0..n).map(task)), 1 << n.saturating_sub(13))
}

/// One compare-exchange of another value each.
fn cas(n: u64) -> Point {
    point("cas", n, tasks((0..n).map(|i| format!("Cx:0>{}", i + 1))), n)
}

/// One store, and n compare-exchanges of what it stores.
fn wcas(n: u64) -> Point {
    point("wcas", n, format!("Wx=2 || *{n} Cx:2>3"), (n << (n - 1)) + 1)
}

fn ainc(n: u64) -> Point {
    point("ainc", n, format!("*{n} Fx+1"), factorial(n))
}

fn lockinc(n: u64) -> Point {
    point("lockinc", n, format!("*{n} Lm;Rx;Wx=$+1;Um"), factorial(n))
}

fn inc(n: u64) -> Point {
    point("inc", n, format!("*{n} Rx;Wx=$+1"), factorial(n).pow(2))
}

/// n senders to one mailbox.
fn mailbox(n: u64) -> Point {
    point("mailbox", n, format!("*{n} Sc || {}", times(n, "Xc")), factorial(n))
}

/// Two tasks of a and b operations of which each two conflict.
fn against(a: u64, b: u64) -> Point {
    (format!("against({a}, {b})"), format!("{} || {}", times(a, "Fx+1"), times(b, "Fx+1")), choose(a + b, a))
}

/// One task stores k times, two load k times.
fn hairbrush(k: u64) -> Point {
    point("hairbrush", k, format!("{} || *2 {}", times(k, "Wx=1"), times(k, "Rx")), choose(2 * k, k).pow(2))
}

/// n tasks of k critical sections each.
fn sections(n: u64, k: u64) -> Point {
    let classes = factorial(n * k) / factorial(k).pow(n as u32);
    (format!("sections({n}, {k})"), format!("*{n} {}", times(k, "Lm;Fx+1;Um")), classes)
}

/// n producers of k messages each, one consumer.
fn producers(n: u64, k: u64) -> Point {
    let classes = factorial(n * k) / factorial(k).pow(n as u32);
    (format!("producers({n}, {k})"), format!("*{n} {} || {}", times(k, "Sc"), times(n * k, "Xc")), classes)
}

/// n philosophers, each takes the fork to the left and then the one to the right.
fn philosophers(n: u64) -> Point {
    let task = |i: u64| {
        let right = (i + 1) % n;
        format!("Lf{i};Lf{right};Uf{right};Uf{i}")
    };
    point("philosophers", n, tasks((0..n).map(task)), (1 << n) - 1)
}

/// A flag is set once, and looked at k times.
fn cancel(k: u64) -> Point {
    point("cancel", k, format!("Wx=1 || {}", times(k, "Rx")), k + 1)
}

/// k stores against m loads.
fn watch(k: u64, m: u64) -> Point {
    (format!("watch({k}, {m})"), format!("{} || {}", times(k, "Wx=1"), times(m, "Rx")), choose(k + m, m))
}

/// k sends against p attempts to receive.
fn attempts(k: u64, p: u64) -> Point {
    let classes = (0..=k).map(|j| choose(p, j)).sum();
    (format!("attempts({k}, {p})"), format!("{} || {}", times(k, "Sc"), times(p, "Qc")), classes)
}

/// n clients send a request each and wait for a reply of their own; the server has all requests, then replies.
fn server(n: u64) -> Point {
    let clients = (0..n).map(|i| format!("Sq;Xr{i}"));
    let replies = (0..n).map(|i| format!("Sr{i}")).collect::<Vec<_>>().join(";");
    let server = format!("{};{replies}", times(n, "Xq"));
    point("server", n, tasks(clients.chain([server])), factorial(n))
}

/// n producers send into a, then into b; the consumer empties a, then b.
fn two_channels(n: u64) -> Point {
    let consumer = format!("{};{}", times(n, "Xa"), times(n, "Xb"));
    point("two_channels", n, format!("*{n} Sa;Sb || {consumer}"), factorial(n).pow(2))
}

/// A message through n stages.
fn pipeline(n: u64) -> Point {
    let stages = (0..n).map(|i| format!("Xc{i};Sc{}", i + 1));
    point("pipeline", n, tasks(["Sc0".to_string(), format!("Xc{n}")].into_iter().chain(stages)), 1)
}

/// n channels of one message each to one task.
fn fan_in(n: u64) -> Point {
    let all = (0..n).map(|i| format!("Xc{i}")).collect::<Vec<_>>().join(";");
    point("fan_in", n, tasks((0..n).map(|i| format!("Sc{i}")).chain([all])), 1)
}

#[test]
fn values() {
    check((1..=8).map(readers), 20);
    check((2..=5).map(lastzero), 20);
    check((1..=5).map(cas), 20);
    check((2..=6).map(wcas), 20);
    check((1..=5).map(ainc), 20);
    check((1..=3).map(inc), 20);
    check((1..=3).map(hairbrush), 20);
    check((1..=8).map(cancel), 20);
    check([(1, 1), (2, 3), (3, 3), (4, 2)].map(|(k, m)| watch(k, m)), 20);
    check([(1, 5), (2, 2), (3, 4)].map(|(a, b)| against(a, b)), 20);
}

#[test]
fn locks() {
    check((1..=5).map(lockinc), 20);
    check([(2, 1), (2, 2), (2, 3), (2, 4), (3, 1), (3, 2)].map(|(n, k)| sections(n, k)), 20);
    check((2..=5).map(philosophers), 20);
    check([14, 16].map(filesystem), 20);
}

#[test]
fn channels() {
    check((1..=5).map(mailbox), 20);
    check([(2, 1), (2, 2), (3, 1), (2, 3), (3, 2)].map(|(n, k)| producers(n, k)), 20);
    let some = [(1, 1, 2), (1, 2, 3), (2, 2, 4), (2, 3, 7), (3, 3, 8)];
    for (k, p, classes) in some {
        let (name, text, sum) = attempts(k, p);
        assert_eq!(sum, classes, "the published points");
        check([(name, text, sum)], 20);
    }
    check((1..=4).map(server), 20);
    check((2..=3).map(two_channels), 20);
    check((1..=5).map(pipeline), 20);
    check((1..=5).map(fan_in), 20);
}

#[test]
fn indexes_with_few_collisions() {
    check([11, 12].map(indexer), 20);
}

#[test]
fn exactly_one_class_of_the_philosophers_is_a_deadlock() {
    for n in 2..=5 {
        let mut machine = machine(&philosophers(n).1);
        let mut explorer = Explorer::new();
        while explorer.next_execution() {
            machine.run(&mut explorer);
        }
        assert_eq!(explorer.counts().stuck, 1);
    }
}

#[test]
fn small_points_against_brute_force() {
    let points = [
        readers(3),
        lastzero(3),
        cas(4),
        wcas(3),
        inc(3),
        producers(2, 2),
        attempts(2, 3),
        philosophers(3),
        server(2),
    ];
    for (name, text, _) in points {
        assert!(check_exact(&machine(&text), 20_000, 5, &name), "{name}");
    }
}

#[test]
#[ignore = "seconds in a release build, minutes in a debug build: `cargo test --release -- --ignored`"]
fn big_points() {
    // Two random orders each.
    check([readers(13), lastzero(10), indexer(13), indexer(14), filesystem(18), filesystem(19)], 2);
    check([wcas(7), wcas(8), wcas(9), against(6, 7), inc(4), hairbrush(3), two_channels(4)], 2);
    check([ainc(7), lockinc(7), mailbox(7), sections(2, 6), producers(2, 6), philosophers(8)], 2);
    // Production's order only.
    check([lastzero(15), mailbox(8), indexer(15), filesystem(26)], 0);
}
