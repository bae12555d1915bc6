//! Commands on sorted sets.

use super::super::resp::encode;
use super::super::resp::number::{format_f64, parse_f64, parse_f64_leniently, parse_i64};
use super::super::store::{LexBound, ScoreBound, SortedSet};
use super::lists::positions;
use super::refusal::{NOT_FLOAT, NOT_INTEGER, Refusal, SYNTAX};
use super::{Call, Done, Effect};

/// The options of ZADD.
#[derive(Default)]
struct Adding {
    only_new: bool,
    only_present: bool,
    only_greater: bool,
    only_less: bool,
    count_changed: bool,
    increment: bool,
}

impl Adding {
    /// Reads the options and tells how many there were.
    fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> (Adding, usize) {
        let mut adding = Adding::default();
        let mut read = 0;
        for word in words {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let field = if is("nx") {
                &mut adding.only_new
            } else if is("xx") {
                &mut adding.only_present
            } else if is("gt") {
                &mut adding.only_greater
            } else if is("lt") {
                &mut adding.only_less
            } else if is("ch") {
                &mut adding.count_changed
            } else if is("incr") {
                &mut adding.increment
            } else {
                break;
            };
            *field = true;
            read += 1;
        }
        (adding, read)
    }

    fn check(&self, pairs: usize) -> Result<(), Refusal> {
        if self.only_new && self.only_present {
            return Err(Refusal::Text("ERR XX and NX options at the same time are not compatible"));
        }
        if [self.only_greater, self.only_less, self.only_new].into_iter().filter(|&set| set).count() > 1 {
            let text = "ERR GT, LT, and/or NX options at the same time are not compatible";
            return Err(Refusal::Text(text));
        }
        if self.increment && pairs > 1 {
            return Err(Refusal::Text("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// The score to give a member that has `old`; none if the options leave it as it is.
    fn score(&self, old: Option<f64>, given: f64) -> Option<f64> {
        let Some(old) = old else { return (!self.only_present).then_some(given) };
        let score = if self.increment { old + given } else { given };
        let kept = self.only_new || self.only_greater && score <= old || self.only_less && score >= old;
        (!kept).then_some(score)
    }
}

/// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member ...
pub(super) fn zadd(call: &mut Call<'_>) -> Done {
    let (adding, options) = Adding::parse(call.args.tail(2));
    let words = call.args.tail(2 + options);
    if words.len() == 0 || !words.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    adding.check(words.len() / 2)?;
    // All scores are read before anything changes.
    let scores = words.clone().step_by(2).map(|score| parse_f64(score).ok_or(NOT_FLOAT));
    let scores: Vec<f64> = scores.collect::<Result<_, _>>()?;
    let members = words.skip(1).step_by(2);
    let applied = call.store.upsert(call.key(), call.now, |set: &mut SortedSet| {
        let (mut added, mut changed, mut last) = (0, 0, None);
        for (member, given) in members.zip(scores) {
            let old = set.score(member);
            last = adding.score(old, given);
            // Only an increment can make one, infinity less infinity, and INCR has one pair.
            if last.is_some_and(f64::is_nan) {
                return Err(Refusal::Text("ERR resulting score is not a number (NaN)"));
            }
            // Adding zero makes a negative zero positive: Redis shows it so.
            let Some(score) = last.map(|score| score + 0.0) else { continue };
            added += usize::from(old.is_none());
            if old != Some(score) {
                changed += 1;
                set.set(member, score);
            }
        }
        Ok((if adding.count_changed { changed } else { added }, last))
    })?;
    let (count, last) = applied?;
    match last {
        _ if !adding.increment => encode::count(call.out, count),
        Some(score) => encode::bulk(call.out, format_f64(score).as_bytes()),
        None => encode::nil(call.out),
    }
    Ok(Effect::None)
}

/// ZREM key member ...
pub(super) fn zrem(call: &mut Call<'_>) -> Done {
    let members = call.args.tail(2);
    let removed = call.store.modify(call.key(), call.now, |set: &mut SortedSet| {
        members.filter(|member| set.remove(member)).count()
    })?;
    call.count(removed.unwrap_or(0))
}

/// ZCARD key.
pub(super) fn zcard(call: &mut Call<'_>) -> Done {
    let len = call.store.read_kind::<SortedSet>(call.key(), call.now)?.map_or(0, SortedSet::len);
    call.count(len)
}

/// ZSCORE key member.
pub(super) fn zscore(call: &mut Call<'_>) -> Done {
    let set = call.store.read_kind::<SortedSet>(call.args.at(1), call.now)?;
    match set.and_then(|set| set.score(call.args.at(2))) {
        Some(score) => encode::bulk(call.out, format_f64(score).as_bytes()),
        None => encode::nil(call.out),
    }
    Ok(Effect::None)
}

/// What the two ends of a ZRANGE mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// The options of ZRANGE.
struct Ranging {
    by: By,
    reverse: bool,
    with_scores: bool,
    limit: Option<(i64, i64)>,
}

impl Ranging {
    fn parse<'a>(mut words: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<Ranging, Refusal> {
        let mut ranging = Ranging { by: By::Rank, reverse: false, with_scores: false, limit: None };
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("withscores") {
                ranging.with_scores = true;
            } else if is("limit") && words.len() >= 2 {
                let mut number = || words.next().and_then(parse_i64).ok_or(NOT_INTEGER);
                ranging.limit = Some((number()?, number()?));
            } else if is("rev") && !ranging.reverse {
                ranging.reverse = true;
            } else if is("bylex") && ranging.by == By::Rank {
                ranging.by = By::Lex;
            } else if is("byscore") && ranging.by == By::Rank {
                ranging.by = By::Score;
            } else {
                return Err(SYNTAX);
            }
        }
        if ranging.limit.is_some_and(|(_, count)| count != -1) && ranging.by == By::Rank {
            let text =
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
            return Err(Refusal::Text(text));
        }
        if ranging.with_scores && ranging.by == By::Lex {
            let text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
            return Err(Refusal::Text(text));
        }
        Ok(ranging)
    }

    /// Writes the members in the direction asked for, from the offset on, as many as asked for.
    fn reply<'a>(&self, members: impl DoubleEndedIterator<Item = (&'a [u8], f64)>, out: &mut Vec<u8>) {
        let (offset, count) = self.limit.unwrap_or((0, -1));
        // A negative offset gives nothing, a negative count everything.
        let (skip, take) = match usize::try_from(offset) {
            Ok(skip) => (skip, usize::try_from(count).unwrap_or(usize::MAX)),
            Err(_) => (0, 0),
        };
        let mut body = Vec::new();
        let mut found = 0;
        let mut write = |(member, score): (&[u8], f64)| {
            encode::bulk(&mut body, member);
            found += 1;
            if self.with_scores {
                encode::bulk(&mut body, format_f64(score).as_bytes());
                found += 1;
            }
        };
        if self.reverse {
            members.rev().skip(skip).take(take).for_each(&mut write);
        } else {
            members.skip(skip).take(take).for_each(&mut write);
        }
        encode::array(out, found);
        out.extend_from_slice(&body);
    }
}

/// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES].
pub(super) fn zrange(call: &mut Call<'_>) -> Done {
    let mut ranging = Ranging::parse(call.args.tail(4))?;
    let (start, stop) = (call.args.at(2), call.args.at(3));
    // With REV the ends of a range by value are given from high to low.
    let (low, high) = if ranging.reverse { (stop, start) } else { (start, stop) };
    let key = call.args.at(1);
    match ranging.by {
        By::Rank => {
            let start = parse_i64(start).ok_or(NOT_INTEGER)?;
            let stop = parse_i64(stop).ok_or(NOT_INTEGER)?;
            let set = call.store.read_kind::<SortedSet>(key, call.now)?;
            let range = positions(start, stop, set.map_or(0, SortedSet::len));
            ranging.limit = Some((range.start as i64, range.len() as i64));
            ranging.reply(set.into_iter().flat_map(SortedSet::iter), call.out);
        }
        By::Score => {
            let bound = |text| score_bound(text).ok_or(Refusal::Text("ERR min or max is not a float"));
            let (low, high) = (bound(low)?, bound(high)?);
            let set = call.store.read_kind::<SortedSet>(key, call.now)?;
            ranging.reply(set.into_iter().flat_map(|set| set.by_score(low, high)), call.out);
        }
        By::Lex => {
            let fail = Refusal::Text("ERR min or max not valid string range item");
            let (Some(low), Some(high)) = (lex_bound(low), lex_bound(high)) else { return Err(fail) };
            let set = call.store.read_kind::<SortedSet>(key, call.now)?;
            ranging.reply(set.into_iter().flat_map(|set| set.by_lex(low, high)), call.out);
        }
    }
    Ok(Effect::None)
}

fn score_bound(text: &[u8]) -> Option<ScoreBound> {
    let (exclusive, number) = match text {
        [b'(', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    Some(ScoreBound { score: parse_f64_leniently(number)?, exclusive })
}

fn lex_bound(text: &[u8]) -> Option<LexBound<'_>> {
    match text {
        b"-" => Some(LexBound::Lowest),
        b"+" => Some(LexBound::Highest),
        [b'[', member @ ..] => Some(LexBound::Included(member)),
        [b'(', member @ ..] => Some(LexBound::Excluded(member)),
        _ => None,
    }
}
