//! A task's error that is `Debug` and no `std::error::Error`: a text, and a type of one's own.
use asupersync::prelude::*;

#[derive(Debug)]
struct Mine;

fn main() {
    asupersync::run(async |cx| {
        cx.spawn(async |_| Result::<u32, String>::Err("x".into()));
        cx.spawn(async |_| Result::<u32, Mine>::Err(Mine));
    });
}
