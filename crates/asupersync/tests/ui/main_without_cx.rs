//! Without a `Cx` it could do nothing.
#[asupersync::main]
async fn main() {}
