//! Streams between tasks: an adapter or a pump between a producer and consumers. After each run every item that was sent was
//! received once, or is back with its sender, and in order.

use cx::Cx;
use lab::prove;

use crate::{
    holds,
    stream_programs::{KEEPING, Merging, Pump, conserves, merges, pumps},
};

#[test]
fn an_adapter_keeps_every_item() {
    for &(name, ordered, adapt) in KEEPING {
        println!("{name}");
        holds(prove("combinator::stream", async move |cx: &mut Cx| conserves(cx, 2, ordered, adapt).await));
    }
}

#[test]
fn a_pump_keeps_every_item() {
    for how in [Pump::Forward, Pump::RoundRobin, Pump::ByKey, Pump::Broadcast] {
        println!("{how:?}");
        holds(prove("combinator::stream", async move |cx: &mut Cx| pumps(cx, how, 2).await));
    }
}

#[test]
fn merged_sources_keep_every_item() {
    for how in [Merging::All, Merging::ByKey] {
        println!("{how:?}");
        holds(prove("combinator::stream", async move |cx: &mut Cx| merges(cx, how, 2, 1).await));
    }
}
