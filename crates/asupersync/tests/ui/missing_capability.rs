//! A capability that nobody supplied is not there.
use asupersync::prelude::*;

struct Db;

fn program() {
    asupersync::run(async |cx| {
        let _ = cx.env::<Db>();
    });
}
