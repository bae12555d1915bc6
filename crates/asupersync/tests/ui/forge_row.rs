//! Declaring a row is fine; getting a `Cx` of it is not.
use asupersync::prelude::*;
use asupersync::TimeOnly;

asupersync::row! {
    /// Everything I want.
    pub Mine: Spawn, Time;
}

async fn small(cx: &mut Cx<TimeOnly>) {
    let mine: &mut Cx<Mine> = cx.narrow();
    mine.spawn(async |_| {});
}
