//! The kernel without an engine: a small executor of its own runs a region of tasks and cancels it. Only this
//! file needs `std`, to print.
//!
//! `cargo run -p asupersync-cx --example embedded`
extern crate alloc;

mod executor;
mod program;
mod raw;

fn main() {
    for line in program::run(&executor::Executor::new()) {
        println!("{line}");
    }
}
