//! What the attributes say about mistakes, and the shape of what they write.
use super::*;

type Attribute = fn(TokenStream, TokenStream) -> TokenStream;

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|e| panic!("`{text}`: {e}"))
}

fn expanded(attribute: Attribute, options: &str, function: &str) -> String {
    attribute(tokens(options), tokens(function)).to_string()
}

/// The first message of a `compile_error!`.
fn message(attribute: Attribute, options: &str, function: &str) -> String {
    let text = expanded(attribute, options, function);
    let (_, rest) = text.split_once("compile_error !").unwrap_or_else(|| panic!("no error in: {text}"));
    rest.split('"').nth(1).unwrap_or_default().to_string()
}

const GOOD: &str = "async fn f(cx: &mut Cx) -> Res { Ok(()) }";

#[test]
fn a_function_that_is_no_task_body_is_told_what_is_needed() {
    let needed = "expected an async fn that takes `cx: &mut Cx`";
    for (function, rest) in [
        ("fn f(cx: &mut Cx) {}", ", found one that isn't async: write `async fn`"),
        ("unsafe fn f(cx: &mut Cx) {}", ", found a qualifier other than `async`"),
        ("async unsafe fn f(cx: &mut Cx) {}", ", found another word before `fn`"),
        ("struct S;", ", found something that isn't a function"),
        ("async fn f() {}", ": this one takes nothing"),
        ("async fn f(cx: &Cx) {}", ": write `&mut Cx`"),
        ("async fn f(cx: Cx) {}", ": write `&mut Cx`"),
        ("async fn f(&mut self, cx: &mut Cx) {}", ", not a method"),
        ("async fn f(cx: &mut Cx, n: u8) {}", " and nothing else"),
    ] {
        for attribute in [main, test, lab_test] as [Attribute; 3] {
            assert_eq!(message(attribute, "", function), format!("{needed}{rest}"), "{function}");
        }
    }
}

#[test]
fn a_generic_function_is_refused_since_nobody_could_choose() {
    assert!(message(main, "", "async fn f<T>(cx: &mut Cx) {}").starts_with("nobody could choose the type"));
    assert!(
        message(main, "", "async fn f(cx: &mut Cx) where u8: Copy {}").starts_with("nobody could choose")
    );
}

#[test]
fn options_say_what_they_take() {
    for (attribute, options, said) in [
        (main as Attribute, "workers = 0", "at least one worker is needed: the calling thread"),
        (main, "workers = many", "`workers` is a number, such as `workers = 4`"),
        (main, "threads = 4", "unknown option `threads`: there are `workers`, `grace`, `after_grace`"),
        (test, "grace = \"1s\", grace = \"2s\"", "`grace` is given twice"),
        (main, "after_grace", "`after_grace` wants a value: `after_grace = ..`"),
        (test, "workers = 1, workers = 2", "`workers` is given twice"),
        (
            lab_test,
            "workers = 1",
            "unknown option `workers`: there are `seeds`, `explore`, `runs`, `limit`, `budget`, `grain`, `faults`, `time`, `random`, `cancel`, `twice`",
        ),
        (main, "workers", "`workers` wants a value: `workers = ..`"),
        (lab_test, "explore, explore", "`explore` is given twice"),
        (lab_test, "seeds = 4", "`seeds` is a range of numbers, such as `seeds = 0..100`"),
        (lab_test, "seeds = ..4", "`seeds` is a range of numbers, such as `seeds = 0..100`"),
        (lab_test, "seeds = 5..5", "this range of seeds is empty"),
        (lab_test, "seeds = 5..=4", "this range of seeds is empty"),
    ] {
        let found = message(attribute, options, GOOD);
        assert_eq!(found, said, "{options}");
    }
}

#[test]
fn options_of_a_search_are_checked_as_far_as_can_be_without_running_it() {
    let how = "`explore` is 'every', 'random', 'pct:DEPTH', 'pos' or 'urw'; alone it is 'every'";
    for (options, said) in [
        ("explore = 3", how),
        ("explore = 'dfs'", how),
        ("explore = 'pct'", how),
        ("explore = 'pct:0'", how),
        ("explore, runs = 10", "`runs` is for samplers, such as `explore = 'pct:3'`"),
        ("runs = 10", "`runs` is for samplers, such as `explore = 'pct:3'`"),
        ("explore = 'pos', runs = 0", "with `runs = 0` nothing would be run"),
        ("explore = 'pos', runs = many", "`runs` is a number, such as `runs = 1000`"),
        (
            "explore = 'pos', limit = 10",
            "`limit` is for `explore = 'every'`: how many a sampler draws is `runs`",
        ),
        ("limit = 10", "`limit` is for `explore = 'every'` and for `cancel`"),
        ("seeds = 0..9, budget = 10", "`budget` is for `explore = 'every'` and for `cancel`"),
        (
            "explore, limit = 10, budget = 5",
            "`limit` and `budget` are two answers to more runs than that: with `limit` the test fails, with `budget` it passes",
        ),
        ("explore, budget = 0", "with `budget = 0` nothing would be run"),
        ("explore, limit = 0", "with `limit = 0` nothing would be run"),
        ("grain = 'poll'", "`grain` is for `explore`: a sweep over seeds runs every task as it would run"),
        ("explore, grain = 'fine'", "`grain` is 'operation' or 'poll'"),
        ("faults = 'disk'", "`faults` is `true`, `false` or 'net'"),
        ("explore = , runs = 3", how),
        ("time = 'fast'", "`time` is 'eager', where the clock may overtake tasks once, or 'eager:TIMES'"),
        ("time = 'eager:0'", "`time` is 'eager', where the clock may overtake tasks once, or 'eager:TIMES'"),
        (
            "explore, random = 'branch:1'",
            "`random` is 'branch', for numbers below 16 or less, or 'branch:BOUND', of 2 to 1024",
        ),
        ("random = 'branch'", "`random` is for `explore`: a sweep draws the numbers of its seeds"),
        ("twice = 2", "`twice` is `true` or `false`; alone it is `true`"),
        ("cancel = 'drop'", "`cancel` is 'sweep' or 'pairs'"),
        (
            "explore, cancel = 'sweep'",
            "`cancel` and `explore` are two tests: an exploration tries every moment of the requests that the test makes",
        ),
    ] {
        let quoted = options.replace('\'', "\"");
        let found = whole_message(&quoted).replace("\\\"", "'");
        assert_eq!(found, said, "{options}");
    }
}

/// As [`message`], with quotes in it.
fn whole_message(options: &str) -> String {
    whole_message_of(lab_test, options)
}

fn whole_message_of(attribute: Attribute, options: &str) -> String {
    let text = expanded(attribute, options, GOOD);
    let (_, rest) = text.split_once("compile_error ! { \"").unwrap_or_else(|| panic!("no error in: {text}"));
    rest.split("\" }").next().unwrap_or_default().to_string()
}

#[test]
fn a_grace_is_a_whole_number_of_a_unit_and_what_comes_after_it_one_of_two_words() {
    let time = "`grace` is a time in quotes, such as 'TIME': a whole number of `ms`, `s` or `min`";
    for (options, said) in [
        ("grace = 5", time),
        ("grace = '5'", time),
        ("grace = 's'", time),
        ("grace = ''", time),
        ("grace = '-1s'", time),
        ("grace = '1.5s'", time),
        ("grace = '5 s'", time),
        ("grace = '5h'", time),
        ("grace = '99999999999999999999s'", time),
        ("grace = '18446744073709551615min'", time),
        ("grace = NaN", time),
        ("after_grace = 'kill'", "`after_grace` is 'wait' or 'abandon'"),
        ("after_grace = Abandon", "`after_grace` is 'wait' or 'abandon'"),
    ] {
        for attribute in [main, test] as [Attribute; 2] {
            let found = whole_message_of(attribute, &options.replace('\'', "\""));
            assert_eq!(found.replace("\\\"", "'").replace("'5s'", "'TIME'"), said, "{options}");
        }
    }
    for (options, calls) in [
        ("grace = \"250ms\"", ". grace (:: core :: time :: Duration :: from_millis (250u64))"),
        ("grace = \"0s\"", ". grace (:: core :: time :: Duration :: from_millis (0u64))"),
        ("grace = \"2min\"", ". grace (:: core :: time :: Duration :: from_millis (120000u64))"),
        ("after_grace = \"wait\"", ". after_grace (:: asupersync :: AfterGrace :: Wait)"),
        ("after_grace = \"abandon\"", ". after_grace (:: asupersync :: AfterGrace :: Abandon)"),
    ] {
        for attribute in [main, test] as [Attribute; 2] {
            let text = expanded(attribute, options, GOOD);
            assert!(text.contains(calls), "{options}: {text}");
        }
    }
}

#[test]
fn a_second_test_attribute_is_refused() {
    assert_eq!(
        message(lab_test, "", &format!("#[test] {GOOD}")),
        "it is a test already: leave `#[test]` out"
    );
}

#[test]
fn attributes_and_visibility_stay_with_the_outer_function() {
    let text = expanded(test, "", &format!("#[should_panic] pub(crate) {GOOD}"));
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no `{what}` in: {text}"));
    assert!(at("should_panic") < at("pub (crate) fn f ()") && at("fn f ()") < at("async fn f"), "{text}");
}

#[test]
fn options_reach_the_plain_functions() {
    assert!(expanded(main, "workers = 3", GOOD).contains(". workers (3)"));
    assert!(!expanded(main, "", GOOD).contains("workers") && !expanded(main, "", GOOD).contains("grace"));
    assert!(expanded(test, "", GOOD).contains(". workers (2)"));
    for (options, calls) in [
        ("", ". sweep (0 .. 32 , f)"),
        ("seeds = 7..=9", ". sweep (7 ..= 9 , f)"),
        ("faults = false", "given ! () ,) ; __test . sweep (0 .. 32 , f)"),
        ("faults = true", "NetProfile :: faulty ())) . sweep (0 .. 32 , f)"),
        ("explore", ". search (0 .. 1 , :: asupersync :: lab :: Search :: every () , f)"),
        (
            "explore = \"every\", seeds = 2..4",
            ". search (2 .. 4 , :: asupersync :: lab :: Search :: every () , f)",
        ),
        ("explore, limit = 9", "every () . limit (9) , f)"),
        ("explore, budget = 9", "every () . budget (9) , f)"),
        ("twice", "given ! () ,) ; __test . twice () . sweep (0 .. 32 , f)"),
        ("explore, twice = true", "__test . twice () . search ("),
        ("twice = false", "given ! () ,) ; __test . sweep (0 .. 32 , f)"),
        ("cancel = \"sweep\", limit = 9", "LabConfig :: default ()) . limit (9) , f)"),
        ("explore, grain = \"poll\"", "every () . grain (:: asupersync :: lab :: Grain :: Poll) , f)"),
        ("explore, faults = \"net\"", "every () . faults () , f)"),
        ("explore, time = \"eager\"", "every () . eager_time (1u32) , f)"),
        ("time = \"eager:3\"", "LabConfig :: default () . eager_time (3u32)) . sweep (0 .. 32 , f)"),
        ("cancel = \"sweep\", time = \"eager\"", "LabConfig :: default () . eager_time (1u32)) , f)"),
        ("explore, random = \"branch\"", "every () . branch_on_random (16u32) , f)"),
        (
            "explore = \"pos\", time = \"eager:2\", random = \"branch:6\"",
            "1000) . eager_time (2u32) . branch_on_random (6u32) , f)",
        ),
        ("explore = \"pct:4\"", "sample (:: asupersync :: lab :: Schedule :: pct (4u32) , 1000) , f)"),
        ("cancel = \"sweep\"", ". cancel_sweep (0 .. 1 , :: asupersync :: lab :: CancelSweep :: new ("),
        ("cancel = \"pairs\", seeds = 1..3", "LabConfig :: default ()) . pairs (true) , f)"),
        ("explore = \"urw\", runs = 7", "sample (:: asupersync :: lab :: Schedule :: Urw , 7) , f)"),
    ] {
        let text = expanded(lab_test, options, GOOD);
        assert!(text.contains(calls), "{options}: {text}");
    }
    let named = "concat ! (:: core :: module_path ! () , \"::\" , \"f\")";
    assert!(expanded(lab_test, "", GOOD).contains(named), "{}", expanded(lab_test, "", GOOD));
}

#[test]
fn a_main_with_a_mistake_leaves_a_main_behind() {
    assert!(expanded(main, "", "fn main() {}").ends_with("fn main () { }"));
}

#[test]
fn what_a_function_returns_and_the_type_of_its_context_may_be_anything() {
    for function in [
        "async fn f(cx: &mut Cx<impl Provides<MayTime>>) -> Res<[u8; { 2 + 1 }], Vec<(u8, u8)>> { Ok([0; 3]) }",
        "async fn f(cx: &'_ mut Cx<With<A, fn(u8, u8) -> Vec<u8>>>,) { cx.trace(\"a\") }",
        "async fn f(#[allow(unused)] _: &mut asupersync::Cx) -> impl Sized {}",
        "async fn r#fn(cx: &mut Cx) -> (u8, u8) { where_ever() }",
    ] {
        let text = expanded(test, "", function);
        assert!(!text.contains("compile_error"), "{text}");
        let (_, rest) = text.split_once("{ ").unwrap_or_else(|| panic!("no body: {text}"));
        assert!(rest.starts_with(&tokens(function).to_string()), "{text}");
    }
}

#[test]
fn what_a_macro_by_example_hands_on_is_as_good_as_written() {
    use proc_macro2::{Delimiter, Group, TokenTree};
    let group = |text: &str| TokenTree::from(Group::new(Delimiter::None, tokens(text)));
    let mut function = TokenStream::from(group(""));
    function.extend(tokens("async fn f"));
    let mut parameter = tokens("cx:");
    parameter.extend([group("&mut Cx")]);
    function.extend([TokenTree::from(Group::new(Delimiter::Parenthesis, parameter))]);
    function.extend(tokens("->"));
    function.extend([group("Res")]);
    function.extend([group("{ Ok(()) }")]);
    let text = test(TokenStream::from_iter(tokens("workers =").into_iter().chain([group("3")])), function)
        .to_string();
    assert!(!text.contains("compile_error") && text.contains(". workers (3)"), "{text}");
}

#[test]
fn a_function_that_is_cut_short_is_told_where() {
    for (function, said) in [
        ("async fn", "expected the function's name"),
        ("async fn f", "expected the function's parameters"),
        ("async fn f(cx: &mut Cx)", "expected the function's body"),
        ("async fn f(cx) {}", "expected an async fn that takes `cx: &mut Cx`: its parameter has no type"),
        ("# async fn f(cx: &mut Cx) {}", "expected an attribute of the function"),
    ] {
        assert_eq!(message(test, "", function), said, "{function}");
    }
}

#[test]
fn numbers_may_be_written_in_any_of_rust_s_ways() {
    for good in ["0x10", "1_000", "0b11", "0o7", "3usize"] {
        assert!(expanded(test, &format!("workers = {good}"), GOOD).contains(&format!("workers ({good})")));
    }
    for bad in ["1.5", "4i8", "'4'", "-4", "0xg"] {
        if let Ok(options) = format!("workers = {bad}").parse() {
            let text = test(options, tokens(GOOD)).to_string();
            assert!(text.contains("is a number, such as"), "{bad}: {text}");
        }
    }
    let huge = "workers = 99999999999999999999";
    assert_eq!(message(test, huge, GOOD), "`99999999999999999999` is more than 64 bits hold");
    assert_eq!(message(lab_test, "seeds = 0..4 runs = 3", GOOD), "expected a comma between two options");
}
